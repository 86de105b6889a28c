//! Names that clients make up, each logged once and only so many of them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The names already logged: at most [`LoggedNames::MOST`], and one more that says so.
#[derive(Debug, Default)]
pub(crate) struct LoggedNames(Mutex<BTreeSet<String>>);

/// What the log says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameLine {
    /// The name.
    Name,
    /// That it names no further ones.
    NoMore,
    /// Nothing: it has named this one, or enough.
    Nothing,
}

impl LoggedNames {
    /// Names that are logged; a client may make up as many as it likes.
    pub(crate) const MOST: usize = 32;

    /// Takes note of a name, and gives what the log says of it.
    pub(crate) fn note(&self, name: &str) -> NameLine {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() > Self::MOST || !logged.insert(name.to_owned()) {
            NameLine::Nothing
        } else if logged.len() > Self::MOST {
            NameLine::NoMore
        } else {
            NameLine::Name
        }
    }
}
