//! The differences that a new scenario makes to a running engine: the changes that users are shown, and which script,
//! generator or fault of the new scenario continues which of the old one.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::scenario::{Fault, Feed, Generator, NOUNS, Script};

/// One difference that a new scenario makes. As JSON each has its `kind`, such as `value-reset`, and its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids, names and values that the message shows")]
pub enum Change {
    /// Another name.
    Name { from: String, to: String },
    /// Another random seed: generators go on with the random stream of the new one.
    Seed { from: u64, to: u64 },
    /// The sockets get other counters than before.
    Feed { to: Feed },
    /// Keys of the server section that are other than at the start, which only a restart applies.
    NeedsRestart { keys: Vec<&'static str> },
    /// A collection that was not there.
    #[serde(rename = "category-added")]
    CollectionAdded {
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A collection that is gone; its rows went with it, its sockets stay open.
    #[serde(rename = "category-removed")]
    CollectionRemoved {
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A collection with another prefix or other fields.
    #[serde(rename = "category-changed")]
    CollectionChanged {
        #[serde(rename = "category")]
        collection: Arc<str>,
        keys: Vec<&'static str>,
    },
    /// A collection whose rows are in another sequence.
    Reordered {
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A row that was not there. Its value is that of before if an earlier reload took it away.
    #[serde(rename = "product-added")]
    RowAdded {
        id: Arc<str>,
        #[serde(rename = "category")]
        collection: Arc<str>,
        #[serde(rename = "total")]
        value: i64,
    },
    /// A row that is declared now in place of another of its id, which a client or a script had added. That one comes
    /// back once its id is free again.
    #[serde(rename = "product-replaced")]
    RowReplaced {
        id: Arc<str>,
        #[serde(rename = "category")]
        collection: Arc<str>,
        #[serde(rename = "total")]
        value: i64,
    },
    /// A row that is gone.
    #[serde(rename = "product-removed")]
    RowRemoved {
        id: Arc<str>,
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A row in another collection; its value goes with it.
    #[serde(rename = "product-moved")]
    RowMoved { id: Arc<str>, from: Arc<str>, to: Arc<str> },
    /// A row with other properties, or with other extra properties in its frames.
    #[serde(rename = "product-changed")]
    RowChanged { id: Arc<str>, keys: Vec<String> },
    /// A row whose seed is another, so that its value starts from that, or goes on if an earlier reload took that
    /// seed away; or the id of a row without a declared one now belongs to another row, which has its own value.
    #[serde(rename = "total-reset")]
    CounterReset { id: Arc<str>, from: i64, to: i64 },
    /// A collection without counters, or a value, that was not there. It is as it was if an earlier reload took it away.
    DataAdded { name: Arc<str> },
    /// A collection without counters, or a value, that is gone.
    DataRemoved { name: Arc<str> },
    /// A collection without counters, or a value, that is declared in another way.
    DataChanged {
        name: Arc<str>,
        /// The ids of the first rows that are new, gone, or declared in another way.
        rows: Vec<Arc<str>>,
        /// How many more rows there are of these.
        more: usize,
    },
    /// Rows of a collection without counters that are declared now in place of others of their ids, which clients or steps
    /// had added.
    DataReplaced {
        name: Arc<str>,
        /// The first of the ids.
        rows: Vec<Arc<str>>,
        /// How many more there are.
        more: usize,
    },
    /// Another date and time at the start.
    Starts,
    /// A route that was not there.
    RouteAdded { route: Arc<str> },
    /// A route that is gone.
    RouteRemoved { route: Arc<str> },
    /// A route with other answers. What an answer has still to do goes on if its text is the same.
    RouteChanged { route: Arc<str> },
    /// An endpoint for sockets that was not there.
    EndpointAdded { endpoint: Arc<str> },
    /// An endpoint that is gone. Its sockets stay open.
    EndpointRemoved { endpoint: Arc<str> },
    /// An endpoint that says something else. What its steps have still to do goes on if its text is the same.
    EndpointChanged { endpoint: Arc<str> },
    /// A trigger that was not there.
    TriggerAdded { trigger: Arc<str> },
    /// A trigger that is gone.
    TriggerRemoved { trigger: Arc<str> },
    /// A trigger that says something else.
    TriggerChanged { trigger: Arc<str> },
    /// A script that was not there; it starts now, or goes on if an earlier reload took it away.
    ScriptAdded { script: String },
    /// A script that is gone.
    ScriptRemoved { script: String },
    /// A script that says something else; it starts over, or goes on if it said the same before.
    ScriptChanged { script: String },
    /// A random generator that was not there; it starts now, or goes on if an earlier reload took it away.
    GeneratorAdded { generator: String },
    /// A random generator that is gone.
    GeneratorRemoved { generator: String },
    /// A random generator that says something else; it starts over, or goes on if it said the same before.
    GeneratorChanged { generator: String },
    /// A fault that was not there; its times count from now, or go on if an earlier reload took it away.
    FaultAdded { fault: String },
    /// A fault that is gone.
    FaultRemoved { fault: String },
    /// A fault that says something else; it starts over, or goes on if it said the same before.
    FaultChanged { fault: String },
}

impl Change {
    /// Whether something that was declared is gone, such as the `value` of a row.
    #[must_use]
    pub const fn is_removal(&self) -> bool {
        matches!(
            self,
            Self::CollectionRemoved { .. }
                | Self::RowRemoved { .. }
                | Self::CounterReset { to: 0, .. }
                | Self::DataRemoved { .. }
                | Self::RouteRemoved { .. }
                | Self::EndpointRemoved { .. }
                | Self::TriggerRemoved { .. }
                | Self::ScriptRemoved { .. }
                | Self::GeneratorRemoved { .. }
                | Self::FaultRemoved { .. }
        )
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { from, to } => write!(f, "name {from} → {to}"),
            Self::Seed { from, to } => write!(f, "seed {from} → {to}"),
            Self::Feed { to: Feed::All } => write!(f, "feed of all {}", NOUNS.count.many),
            Self::Feed { to: Feed::Collection } => write!(f, "feed by {}", NOUNS.collection.one),
            Self::NeedsRestart { keys } => write!(f, "server.{} needs a restart", keys.join(", server.")),
            Self::CollectionAdded { collection } => write!(f, "{} {collection} added", NOUNS.collection.one),
            Self::CollectionRemoved { collection } => write!(f, "{} {collection} removed", NOUNS.collection.one),
            Self::CollectionChanged { collection, keys } => write!(f, "{collection} {} changed", keys.join(", ")),
            Self::Reordered { collection } => write!(f, "{collection} reordered"),
            Self::RowAdded { id, .. } => write!(f, "{id} added"),
            Self::RowReplaced { id, .. } => write!(f, "{id} declared, in place of one that was added"),
            Self::RowRemoved { id, .. } => write!(f, "{id} removed"),
            Self::RowMoved { id, to, .. } => write!(f, "{id} moved to {to}"),
            Self::RowChanged { id, keys } => write!(f, "{id} {} changed", keys.join(", ")),
            Self::CounterReset { id, from, to } => write!(f, "{id} {} {from} → {to}", NOUNS.value.one),
            Self::DataAdded { name } => write!(f, "data {name} added"),
            Self::DataRemoved { name } => write!(f, "data {name} removed"),
            Self::DataChanged { name, rows, .. } if rows.is_empty() => write!(f, "data {name} changed"),
            Self::DataChanged { name, rows, more } => write!(f, "data {name} {} changed", Ids(rows, *more)),
            Self::DataReplaced { name, rows, more } => {
                let others = if rows.len() + more == 1 { "one that was added" } else { "those that were added" };
                write!(f, "data {name} {} declared, in place of {others}", Ids(rows, *more))
            }
            Self::Starts => f.write_str("starts changed"),
            Self::RouteAdded { route } => write!(f, "{route} added"),
            Self::RouteRemoved { route } => write!(f, "{route} removed"),
            Self::RouteChanged { route } => write!(f, "{route} changed"),
            Self::EndpointAdded { endpoint } => write!(f, "websocket {endpoint} added"),
            Self::EndpointRemoved { endpoint } => write!(f, "websocket {endpoint} removed"),
            Self::EndpointChanged { endpoint } => write!(f, "websocket {endpoint} changed"),
            Self::TriggerAdded { trigger } => write!(f, "{trigger} added"),
            Self::TriggerRemoved { trigger } => write!(f, "{trigger} removed"),
            Self::TriggerChanged { trigger } => write!(f, "{trigger} changed"),
            Self::ScriptAdded { script } => write!(f, "{script} added"),
            Self::ScriptRemoved { script } => write!(f, "{script} removed"),
            Self::ScriptChanged { script } => write!(f, "{script} changed"),
            Self::GeneratorAdded { generator } => write!(f, "{generator} added"),
            Self::GeneratorRemoved { generator } => write!(f, "{generator} removed"),
            Self::GeneratorChanged { generator } => write!(f, "{generator} changed"),
            Self::FaultAdded { fault } => write!(f, "{fault} added"),
            Self::FaultRemoved { fault } => write!(f, "{fault} removed"),
            Self::FaultChanged { fault } => write!(f, "{fault} changed"),
        }
    }
}

/// Ids in a list, and how many more there are.
struct Ids<'i>(&'i [Arc<str>], usize);

impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ids, more) = self;
        f.write_str(&ids.join(", "))?;
        if *more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

/// What becomes of each declaration.
#[derive(Debug)]
pub(super) struct Pairing {
    /// For each new one, in order.
    new: Vec<Continuation>,
    /// The old ones, by index, that are gone.
    gone: Vec<usize>,
}

/// What a declaration of the new scenario continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Continuation {
    /// It is the same as the old one of that index, and carries on.
    Kept(usize),
    /// It was the old one of that index, says something else now, and starts over.
    Changed(usize),
    /// It is new.
    Added,
}

/// A declaration that messages can name.
pub(super) trait Declaration: PartialEq {
    /// The name that the user gave it.
    fn name(&self) -> Option<&str>;
    /// What messages call it; `index` counts from 0.
    fn label(&self, index: usize) -> String;
    fn added(label: String) -> Change;
    fn removed(label: String) -> Change;
    fn changed(label: String) -> Change;
}

impl Pairing {
    /// Equal ones are the same. Of the others, those of one name belong together, and those without a name that stand
    /// between the same neighbours, in order.
    pub(super) fn of<D: Declaration>(old: &[D], new: &[D]) -> Self {
        let mut free = vec![true; old.len()];
        let mut take = |range: Range<usize>, matches: &dyn Fn(usize) -> bool| {
            let found = range.into_iter().find(|index| free[*index] && matches(*index))?;
            free[found] = false;
            Some(found)
        };
        let all = 0..old.len();
        let kept: Vec<Option<usize>> = new.iter().map(|one| take(all.clone(), &|index| old[index] == *one)).collect();
        let mut below = 0;
        let mut origins = Vec::with_capacity(new.len());
        for (place, one) in new.iter().enumerate() {
            let above = kept[place..].iter().flatten().next().map_or(old.len(), |index| *index);
            let origin = match (kept[place], one.name()) {
                (Some(index), _) => Continuation::Kept(index),
                (None, Some(name)) => take(all.clone(), &|index| old[index].name() == Some(name))
                    .map_or(Continuation::Added, Continuation::Changed),
                (None, None) => {
                    let between = below..above.max(below);
                    take(between, &|index| old[index].name().is_none())
                        .map_or(Continuation::Added, Continuation::Changed)
                }
            };
            if let Continuation::Kept(index) | Continuation::Changed(index) = origin {
                below = below.max(index + 1);
            }
            origins.push(origin);
        }
        Self { new: origins, gone: all.filter(|index| free[*index]).collect() }
    }

    /// The indices of the old ones that end: they are gone, or say something else.
    pub(super) fn ended(&self) -> impl Iterator<Item = usize> {
        let changed = self.new.iter().filter_map(|continued| match continued {
            Continuation::Changed(index) => Some(*index),
            Continuation::Kept(_) | Continuation::Added => None,
        });
        changed.chain(self.gone.iter().copied())
    }

    /// The indices of the new ones that begin: they are new, or say something else.
    pub(super) fn begun(&self) -> impl Iterator<Item = usize> {
        let continued = self.new.iter().enumerate();
        continued.filter_map(|(index, continued)| (!matches!(continued, Continuation::Kept(_))).then_some(index))
    }

    pub(super) fn changes<D: Declaration>(&self, old: &[D], new: &[D]) -> Vec<Change> {
        let of_new = self.new.iter().enumerate().filter_map(|(index, origin)| match origin {
            Continuation::Kept(_) => None,
            Continuation::Changed(_) => Some(D::changed(new[index].label(index))),
            Continuation::Added => Some(D::added(new[index].label(index))),
        });
        of_new.chain(self.gone.iter().map(|index| D::removed(old[*index].label(*index)))).collect()
    }
}

impl Declaration for Script {
    fn name(&self) -> Option<&str> {
        Script::name(self)
    }

    fn label(&self, index: usize) -> String {
        self.name().map_or_else(|| format!("script {}", index + 1), |name| format!("script {name}"))
    }

    fn added(script: String) -> Change {
        Change::ScriptAdded { script }
    }

    fn removed(script: String) -> Change {
        Change::ScriptRemoved { script }
    }

    fn changed(script: String) -> Change {
        Change::ScriptChanged { script }
    }
}

impl Declaration for Generator {
    fn name(&self) -> Option<&str> {
        None
    }

    fn label(&self, index: usize) -> String {
        format!("generator {}", index + 1)
    }

    fn added(generator: String) -> Change {
        Change::GeneratorAdded { generator }
    }

    fn removed(generator: String) -> Change {
        Change::GeneratorRemoved { generator }
    }

    fn changed(generator: String) -> Change {
        Change::GeneratorChanged { generator }
    }
}

impl Declaration for Arc<Fault> {
    fn name(&self) -> Option<&str> {
        Fault::name(self)
    }

    fn label(&self, index: usize) -> String {
        Declaration::name(self).map_or_else(|| format!("fault {}", index + 1), |name| format!("fault {name}"))
    }

    fn added(fault: String) -> Change {
        Change::FaultAdded { fault }
    }

    fn removed(fault: String) -> Change {
        Change::FaultRemoved { fault }
    }

    fn changed(fault: String) -> Change {
        Change::FaultChanged { fault }
    }
}

/// The runs of old declarations, as a new scenario finds them.
pub(super) struct Carried<R> {
    /// For each new declaration the run that it carries on.
    pub(super) kept: Vec<Option<R>>,
    /// The runs of declarations that are gone or say something else, each with the index of the old one.
    pub(super) ended: Vec<(usize, R)>,
}

/// Keeps the runs whose declaration stays. There is one for each old declaration, in their order.
pub(super) fn carry_on<R>(runs: Vec<R>, pairing: &Pairing) -> Carried<R> {
    let mut runs: Vec<Option<R>> = runs.into_iter().map(Some).collect();
    let mut kept = |continued: &Continuation| match continued {
        Continuation::Kept(index) => runs.get_mut(*index).and_then(Option::take),
        Continuation::Changed(_) | Continuation::Added => None,
    };
    let kept = pairing.new.iter().map(&mut kept).collect();
    Carried { kept, ended: runs.into_iter().enumerate().filter_map(|(index, run)| Some((index, run?))).collect() }
}
