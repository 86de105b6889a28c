//! Why there is no such world.

use std::sync::Arc;

use thiserror::Error;

use super::MAX_NAME;
#[cfg(feature = "redis")]
use crate::store::StoreError;
use crate::world::WorldError;

/// Why there is no such world.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum WorldsError {
    /// Not a name.
    #[error(
        "`{0}` cannot be the name of a world: it has 1 to {MAX_NAME} letters, digits, dots, dashes, underscores or tildes"
    )]
    BadName(String),
    /// There is none of that name.
    #[error("World {0} not found")]
    Unknown(String),
    /// There is one of that name already.
    #[error("World {0} exists already")]
    Exists(Arc<str>),
    /// The default world stays.
    #[error("the default world cannot be removed, only reset")]
    Default,
    /// There are enough.
    #[error("there are {0} worlds already; delete some, or allow more with --max-worlds")]
    TooMany(usize),
    /// The store that the worlds are shared by does not do what is asked.
    #[cfg(feature = "redis")]
    #[error("{0}; try again")]
    Store(#[from] StoreError),
    /// Other servers play another scenario.
    #[cfg(feature = "redis")]
    #[error(
        "the other servers of {place} play another scenario ({name}): {} differ; give this server the same files, or \
         publish its own to all of them with --publish", if files.is_empty() { "seeds or files".to_owned() } else { files.join(", ") }
    )]
    OtherScenario {
        /// Where the store is.
        place: String,
        /// What the others play.
        name: String,
        /// The files that differ.
        files: Vec<String>,
    },
    /// The world does not do what is asked.
    #[error(transparent)]
    World(#[from] WorldError),
}
