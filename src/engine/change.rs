//! The differences that a new scenario makes to a running engine, as users are shown them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::scenario::{Feed, NOUNS};

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
        /// The ids of the first rows that are declared in another way; none for a value, or if only their order is another.
        rows: Vec<Arc<str>>,
        /// How many more rows there are of these.
        more: usize,
    },
    /// Rows of a collection without counters that are declared in another way, after clients or steps had changed them: they
    /// are as they are declared now.
    DataDeclaredAnew { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// Rows of a collection without counters that were not declared.
    DataRowsAdded { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// Rows of a collection without counters that are no longer declared.
    DataRowsRemoved { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// Rows of a collection without counters that are declared now in place of others of their ids, which clients or steps
    /// had added.
    DataReplaced { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
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
    /// An endpoint that is gone; its sockets are closed.
    EndpointRemoved { endpoint: Arc<str> },
    /// An endpoint that says something else. Its sockets stay, and what they have still to do goes on if its text is the same.
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
                | Self::DataRowsRemoved { .. }
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
            Self::DataDeclaredAnew { name, rows, more } => {
                let they = if rows.len() + more == 1 { "it" } else { "they" };
                write!(f, "data {name} {} declared anew, what {they} had become is gone", Ids(rows, *more))
            }
            Self::DataRowsAdded { name, rows, more } => write!(f, "data {name} {} added", Ids(rows, *more)),
            Self::DataRowsRemoved { name, rows, more } => write!(f, "data {name} {} removed", Ids(rows, *more)),
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
