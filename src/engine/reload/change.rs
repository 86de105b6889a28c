//! The differences that a new scenario makes to a running engine.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::scenario::Feed;

/// One difference that a new scenario makes. As JSON each has its `kind`, such as `total-reset`, and its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the ids, names and values that the message shows")]
pub enum Change {
    /// Another name.
    Name { from: String, to: String },
    /// Another random seed: generators go on with the random stream of the new one.
    Seed { from: u64, to: u64 },
    /// The sockets get other orders than before.
    Feed { to: Feed },
    /// Keys of the server section that are other than at the start, which only a restart applies.
    NeedsRestart { keys: Vec<&'static str> },
    /// A category that was not there.
    CategoryAdded { category: Arc<str> },
    /// A category that is there no more; its products went with it, its sockets stay open.
    CategoryRemoved { category: Arc<str> },
    /// A category with another prefix or other fields.
    CategoryChanged { category: Arc<str>, keys: Vec<&'static str> },
    /// A category whose products stand in another order.
    Reordered { category: Arc<str> },
    /// A product that was not there.
    ProductAdded { id: Arc<str>, category: Arc<str>, total: i64 },
    /// A product that is declared now in place of another of its id, which a client or a script had added.
    ProductReplaced { id: Arc<str>, category: Arc<str>, total: i64 },
    /// A product that is there no more.
    ProductRemoved { id: Arc<str>, category: Arc<str> },
    /// A product in another category; its total goes with it.
    ProductMoved { id: Arc<str>, from: Arc<str>, to: Arc<str> },
    /// A product with other properties; `order` is its extra order properties.
    ProductChanged { id: Arc<str>, keys: Vec<String> },
    /// A product whose seed total is another; its total starts from that.
    TotalReset { id: Arc<str>, from: i64, to: i64 },
    /// A script that was not there; it starts now.
    ScriptAdded { script: String },
    /// A script that is there no more.
    ScriptRemoved { script: String },
    /// A script that says something else; it starts over.
    ScriptChanged { script: String },
    /// A random generator that was not there; it starts now.
    GeneratorAdded { generator: String },
    /// A random generator that is there no more.
    GeneratorRemoved { generator: String },
    /// A random generator that says something else; it starts over.
    GeneratorChanged { generator: String },
    /// A fault that was not there; its times count from now.
    FaultAdded { fault: String },
    /// A fault that is there no more.
    FaultRemoved { fault: String },
    /// A fault that says something else; it starts over.
    FaultChanged { fault: String },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { from, to } => write!(f, "name {from} → {to}"),
            Self::Seed { from, to } => write!(f, "seed {from} → {to}"),
            Self::Feed { to: Feed::All } => f.write_str("feed of all orders"),
            Self::Feed { to: Feed::Category } => f.write_str("feed by category"),
            Self::NeedsRestart { keys } => write!(f, "server.{} needs a restart", keys.join(", server.")),
            Self::CategoryAdded { category } => write!(f, "category {category} added"),
            Self::CategoryRemoved { category } => write!(f, "category {category} removed"),
            Self::CategoryChanged { category, keys } => write!(f, "{category} {} changed", keys.join(", ")),
            Self::Reordered { category } => write!(f, "{category} reordered"),
            Self::ProductAdded { id, .. } => write!(f, "{id} added"),
            Self::ProductReplaced { id, .. } => write!(f, "{id} declared, in place of one that was added"),
            Self::ProductRemoved { id, .. } => write!(f, "{id} removed"),
            Self::ProductMoved { id, to, .. } => write!(f, "{id} moved to {to}"),
            Self::ProductChanged { id, keys } => write!(f, "{id} {} changed", keys.join(", ")),
            Self::TotalReset { id, from, to } => write!(f, "{id} total {from} → {to}"),
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
