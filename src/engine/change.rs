//! The differences that a new scenario makes to a running engine.

use std::fmt;
use std::sync::Arc;

/// One difference that a new scenario made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the ids and names that the message shows")]
pub enum Change {
    /// A category that was not there.
    CategoryAdded(Arc<str>),
    /// A category that is there no more; its products went with it.
    CategoryRemoved(Arc<str>),
    /// A product that was not there.
    ProductAdded(Arc<str>),
    /// A product that is there no more.
    ProductRemoved(Arc<str>),
    /// A category whose products stand in another order.
    Reordered(Arc<str>),
    /// A product with other properties.
    ProductChanged(Arc<str>),
    /// A product in another category.
    ProductMoved { id: Arc<str>, to: Arc<str> },
    /// A product whose seed total is another; its total starts from that.
    TotalReset { id: Arc<str>, from: i64, to: i64 },
    /// So many scripts that are new or changed; they start now.
    ScriptsStarted(usize),
    /// So many scripts that are gone.
    ScriptsStopped(usize),
    /// So many random generators that are new or changed; they start now.
    GeneratorsStarted(usize),
    /// So many random generators that are gone.
    GeneratorsStopped(usize),
    /// Another random seed.
    Seed { from: u64, to: u64 },
    /// The sockets get other orders than before.
    Feed,
    /// Another name.
    Name,
    /// Keys of the server section that only a restart applies.
    NeedsRestart(Vec<&'static str>),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CategoryAdded(name) => write!(f, "category {name} added"),
            Self::CategoryRemoved(name) => write!(f, "category {name} removed"),
            Self::ProductAdded(id) => write!(f, "{id} added"),
            Self::ProductRemoved(id) => write!(f, "{id} removed"),
            Self::ProductChanged(id) => write!(f, "{id} changed"),
            Self::Reordered(name) => write!(f, "{name} reordered"),
            Self::ProductMoved { id, to } => write!(f, "{id} moved to {to}"),
            Self::TotalReset { id, from, to } => write!(f, "{id} total {from} → {to}"),
            Self::ScriptsStarted(count) => write!(f, "{count} script(s) started"),
            Self::ScriptsStopped(count) => write!(f, "{count} script(s) stopped"),
            Self::GeneratorsStarted(count) => write!(f, "{count} generator(s) started"),
            Self::GeneratorsStopped(count) => write!(f, "{count} generator(s) stopped"),
            Self::Seed { from, to } => write!(f, "seed {from} → {to}"),
            Self::Feed => f.write_str("feed changed"),
            Self::Name => f.write_str("name changed"),
            Self::NeedsRestart(keys) => write!(f, "server.{} needs a restart", keys.join(", server.")),
        }
    }
}
