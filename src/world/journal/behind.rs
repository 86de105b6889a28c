//! What happened to a member that fell behind, as the journal shows it.

use std::sync::Arc;

use serde::ser::SerializeMap;

/// What happened to a member of rules that fell too far behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterBehind {
    /// It received the current state of the topics that it has joined.
    CaughtUp,
    /// It was closed.
    Closed {
        /// Why it could not catch up.
        why: Arc<str>,
    },
}

impl AfterBehind {
    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::CaughtUp => map.serialize_entry("did", "caught up"),
            Self::Closed { why } => {
                map.serialize_entry("did", "closed")?;
                map.serialize_entry("why", why)
            }
        }
    }
}
