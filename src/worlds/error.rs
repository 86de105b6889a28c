//! Errors of the worlds of a server.

use std::sync::Arc;

use thiserror::Error;

use super::MAX_NAME;
#[cfg(feature = "redis")]
use crate::store::StoreError;
use crate::world::WorldError;

/// Why a request for a world failed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum WorldsError {
    /// The name is invalid.
    #[error("invalid world name `{0}`: expected 1 to {MAX_NAME} letters, digits, dots, dashes, underscores or tildes")]
    BadName(String),
    /// No world has this name.
    #[error("World {0} not found")]
    Unknown(String),
    /// A world with this name exists already.
    #[error("World {0} exists already")]
    Exists(Arc<str>),
    /// The default world cannot be removed.
    #[error("the default world cannot be removed, only reset")]
    Default,
    /// The maximum number of worlds is reached.
    #[error("there are {0} worlds already; delete some, or allow more with --max-worlds")]
    TooMany(usize),
    /// The store of shared worlds failed.
    #[cfg(feature = "redis")]
    #[error("{0}; try again")]
    Store(#[from] StoreError),
    /// Other servers run another scenario.
    #[cfg(feature = "redis")]
    #[error(
        "the other servers of {address} play another scenario ({name}), which differs in {}; give this server the same \
         files, or publish its own to all of them with --publish",
        if files.is_empty() { "its seed or files".to_owned() } else { files.join(", ") }
    )]
    OtherScenario {
        /// The address of the store.
        address: String,
        /// The scenario that the other servers run.
        name: String,
        /// The files that differ.
        files: Vec<String>,
    },
    /// The request to the world failed.
    #[error(transparent)]
    World(#[from] WorldError),
}
