//! The differences that a new scenario makes to a running engine, as shown to users.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::scenario::{Feed, NOUNS};

/// One difference that a new scenario makes. Its JSON has a `kind`, such as `route-added`, and the variant's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids, names and values shown in the message")]
pub enum Change {
    /// The name changed.
    Name { from: String, to: String },
    /// The random seed changed; generators continue with the new seed's random streams.
    Seed { from: u64, to: u64 },
    /// Sockets receive a different set of counters.
    Feed { to: Feed },
    /// Keys of the server section that differ from those at the start. Only a restart applies them.
    NeedsRestart { keys: Vec<&'static str> },
    /// A collection was added.
    #[serde(rename = "category-added")]
    CollectionAdded {
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A collection was removed with its rows; its sockets stay open.
    #[serde(rename = "category-removed")]
    CollectionRemoved {
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A collection's prefix or fields changed.
    #[serde(rename = "category-changed")]
    CollectionChanged {
        #[serde(rename = "category")]
        collection: Arc<str>,
        keys: Vec<&'static str>,
    },
    /// The order of a collection's rows changed.
    Reordered {
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A row was added. It has its earlier value if an earlier reload removed it.
    #[serde(rename = "product-added")]
    RowAdded {
        id: Arc<str>,
        #[serde(rename = "category")]
        collection: Arc<str>,
        #[serde(rename = "total")]
        value: i64,
    },
    /// A newly declared row replaces one with the same id that a client or a script had added. The added row comes back
    /// once its id is free again.
    #[serde(rename = "product-replaced")]
    RowReplaced {
        id: Arc<str>,
        #[serde(rename = "category")]
        collection: Arc<str>,
        #[serde(rename = "total")]
        value: i64,
    },
    /// A row was removed.
    #[serde(rename = "product-removed")]
    RowRemoved {
        id: Arc<str>,
        #[serde(rename = "category")]
        collection: Arc<str>,
    },
    /// A row moved to another collection and kept its value.
    #[serde(rename = "product-moved")]
    RowMoved { id: Arc<str>, from: Arc<str>, to: Arc<str> },
    /// A row's properties, or the extra properties in its frames, changed.
    #[serde(rename = "product-changed")]
    RowChanged { id: Arc<str>, keys: Vec<String> },
    /// A row's seed changed. The value restarts from the new seed, or continues if an earlier reload had removed that
    /// seed. Also reported if the id of a row without a declared id now belongs to another row, which has its own
    /// value.
    #[serde(rename = "total-reset")]
    CounterReset { id: Arc<str>, from: i64, to: i64 },
    /// A collection without counters, or a value, was added. It has its earlier state if an earlier reload removed it.
    DataAdded { name: Arc<str> },
    /// A collection without counters, or a value, was removed.
    DataRemoved { name: Arc<str> },
    /// The declaration of a collection without counters, or of a value, changed.
    DataChanged {
        name: Arc<str>,
        /// The ids of the first rows whose declaration changed; empty for a value, or if only the order changed.
        rows: Vec<Arc<str>>,
        /// The number of further rows.
        more: usize,
    },
    /// The declaration of rows in a collection without counters changed after clients or steps had changed the rows.
    /// They now match their declaration.
    #[serde(rename = "data-declared-anew")]
    DataRedeclared { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// Rows were added to a collection without counters.
    DataRowsAdded { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// Rows were removed from a collection without counters.
    DataRowsRemoved { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// Newly declared rows of a collection without counters replace rows with the same ids that clients or steps had
    /// added.
    DataReplaced { name: Arc<str>, rows: Vec<Arc<str>>, more: usize },
    /// The date and time at the start changed.
    Starts,
    /// A route was added.
    RouteAdded { route: Arc<str> },
    /// A route was removed.
    RouteRemoved { route: Arc<str> },
    /// A route's answers changed. Remaining steps of an answer continue if its text is the same.
    RouteChanged { route: Arc<str> },
    /// A WebSocket endpoint was added.
    EndpointAdded { endpoint: Arc<str> },
    /// An endpoint was removed and its sockets were closed.
    EndpointRemoved { endpoint: Arc<str> },
    /// An endpoint changed. Its sockets stay open, and their remaining steps continue if the text is the same.
    EndpointChanged { endpoint: Arc<str> },
    /// A trigger was added.
    TriggerAdded { trigger: Arc<str> },
    /// A trigger was removed.
    TriggerRemoved { trigger: Arc<str> },
    /// A trigger changed.
    TriggerChanged { trigger: Arc<str> },
    /// A script was added. It starts now, or continues if an earlier reload removed it.
    ScriptAdded { script: String },
    /// A script was removed.
    ScriptRemoved { script: String },
    /// A script changed. It restarts, or continues if an earlier version was the same.
    ScriptChanged { script: String },
    /// A random generator was added. It starts now, or continues if an earlier reload removed it.
    GeneratorAdded { generator: String },
    /// A random generator was removed.
    GeneratorRemoved { generator: String },
    /// A random generator changed. It restarts, or continues if an earlier version was the same.
    GeneratorChanged { generator: String },
    /// Waiting steps ended, because their rule no longer has steps with their text.
    StepsEnded { rule: Arc<str>, steps: usize },
    /// A fault was added. Its times count from now, or continue if an earlier reload removed it.
    FaultAdded { fault: String },
    /// A fault was removed.
    FaultRemoved { fault: String },
    /// A fault changed. It restarts, or continues if an earlier version was the same.
    FaultChanged { fault: String },
}

impl Change {
    /// Whether the new scenario no longer declares something, such as the `value` of a row.
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
            Self::RowReplaced { id, .. } => write!(f, "{id} declared, replacing an added one"),
            Self::RowRemoved { id, .. } => write!(f, "{id} removed"),
            Self::RowMoved { id, to, .. } => write!(f, "{id} moved to {to}"),
            Self::RowChanged { id, keys } => write!(f, "{id} {} changed", keys.join(", ")),
            Self::CounterReset { id, from, to } => write!(f, "{id} {} {from} → {to}", NOUNS.value.one),
            Self::DataAdded { name } => write!(f, "data {name} added"),
            Self::DataRemoved { name } => write!(f, "data {name} removed"),
            Self::DataChanged { name, rows, .. } if rows.is_empty() => write!(f, "data {name} changed"),
            Self::DataChanged { name, rows, more } => write!(f, "data {name} {} changed", Ids(rows, *more)),
            Self::DataRedeclared { name, rows, more } => {
                let their = if rows.len() + more == 1 { "its" } else { "their" };
                write!(f, "data {name} {} redeclared; {their} run-time changes are lost", Ids(rows, *more))
            }
            Self::DataRowsAdded { name, rows, more } => write!(f, "data {name} {} added", Ids(rows, *more)),
            Self::DataRowsRemoved { name, rows, more } => write!(f, "data {name} {} removed", Ids(rows, *more)),
            Self::DataReplaced { name, rows, more } => {
                let others = if rows.len() + more == 1 { "an added one" } else { "added ones" };
                write!(f, "data {name} {} declared, replacing {others}", Ids(rows, *more))
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
            Self::StepsEnded { rule, steps: 1 } => write!(f, "{rule}: 1 waiting step ended"),
            Self::StepsEnded { rule, steps } => write!(f, "{rule}: {steps} waiting steps ended"),
            Self::FaultAdded { fault } => write!(f, "{fault} added"),
            Self::FaultRemoved { fault } => write!(f, "{fault} removed"),
            Self::FaultChanged { fault } => write!(f, "{fault} changed"),
        }
    }
}

/// Formats a list of ids and the number of further ones.
struct Ids<'i>(&'i [Arc<str>], usize);

impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ids, more) = self;
        f.write_str(&ids.join(", "))?;
        if *more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}
