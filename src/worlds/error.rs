//! Why there is no such world.

use std::sync::Arc;

use thiserror::Error;

use super::MAX_NAME;

/// Why there is no such world.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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
}
