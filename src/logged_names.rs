//! Logs client-supplied names: each name once, and a limited number of names.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The names logged so far: at most [`LoggedNames::MAX_NAMES`], and one more that stands for the notice.
#[derive(Debug, Default)]
pub(crate) struct LoggedNames(Mutex<BTreeSet<String>>);

/// The line to log for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameLine {
    /// The name.
    Name,
    /// A notice that further names are not logged.
    NoMore,
    /// No line: the name was already logged, or the limit is reached.
    Nothing,
}

impl LoggedNames {
    /// The maximum number of names to log, because clients can make up any number of names.
    pub(crate) const MAX_NAMES: usize = 32;

    /// Records a name and returns the line to log for it.
    pub(crate) fn note(&self, name: &str) -> NameLine {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() > Self::MAX_NAMES || !logged.insert(name.to_owned()) {
            NameLine::Nothing
        } else if logged.len() > Self::MAX_NAMES {
            NameLine::NoMore
        } else {
            NameLine::Name
        }
    }
}
