//! The result of the last reload, for programs that request it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::engine::Change;
use crate::scenario::{LoadError, Problems};

/// A shared record of the last reload. Clones share the record.
#[derive(Debug, Clone, Default)]
pub struct Reloads(watch::Sender<Arc<LastReload>>);

/// The last applied reload, and the state of the file since.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastReload {
    /// The number of times a saved scenario was applied since the start.
    pub count: u64,
    /// The changes of the last applied reload.
    pub changes: Vec<Change>,
    /// The error that prevents the current file from being applied, so that the previous scenario is still served.
    pub error: Option<LoadError>,
    /// The warnings about the current file, if it is valid.
    pub warnings: Option<Box<Problems>>,
}

impl Reloads {
    /// Returns the current record.
    #[must_use]
    pub fn last(&self) -> Arc<LastReload> {
        self.0.borrow().clone()
    }

    /// Records that a saved scenario was applied.
    pub fn applied(&self, changes: Vec<Change>) {
        self.change(|last| LastReload { count: last.count + 1, changes, error: None, ..last });
    }

    /// Records that a saved scenario could not be applied.
    pub fn failed(&self, error: LoadError) {
        self.change(|last| LastReload { error: Some(error), ..last });
    }

    /// Records that the file again matches the served scenario.
    pub fn recovered(&self) {
        self.change(|last| LastReload { error: None, ..last });
    }

    /// Records the warnings about the current file, or `None` if there are none.
    pub fn warned(&self, warnings: Option<Box<Problems>>) {
        self.change(|last| LastReload { warnings, ..last });
    }

    fn change(&self, change: impl FnOnce(LastReload) -> LastReload) {
        self.0.send_modify(|last| *last = Arc::new(change(LastReload::clone(last))));
    }
}
