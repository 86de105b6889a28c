//! What became of the last save, for programs that ask.

use std::sync::Arc;

use tokio::sync::watch;

use crate::engine::Change;
use crate::scenario::{LoadError, Problems};

/// The last reload. A clone tells and hears of the same.
#[derive(Debug, Clone, Default)]
pub struct Reloads(watch::Sender<Arc<LastReload>>);

/// What is known of the last reload, and of what came after it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastReload {
    /// How often a saved scenario was applied since the start.
    pub count: u64,
    /// What the last of these changed.
    pub changes: Vec<Change>,
    /// Why what is in the file now could not be applied, so that the scenario of before is still served.
    pub error: Option<LoadError>,
    /// What is odd about what is in the file now, if it is right.
    pub warnings: Option<Box<Problems>>,
}

impl Reloads {
    /// What is known now.
    #[must_use]
    pub fn last(&self) -> Arc<LastReload> {
        self.0.borrow().clone()
    }

    /// A saved scenario was applied.
    pub fn applied(&self, changes: Vec<Change>) {
        self.change(|last| LastReload { count: last.count + 1, changes, error: None, ..last });
    }

    /// A saved scenario could not be applied.
    pub fn failed(&self, error: LoadError) {
        self.change(|last| LastReload { error: Some(error), ..last });
    }

    /// What is in the file is again what is served.
    pub fn recovered(&self) {
        self.change(|last| LastReload { error: None, ..last });
    }

    /// What is odd about what is in the file now, or that nothing is.
    pub fn warned(&self, warnings: Option<Box<Problems>>) {
        self.change(|last| LastReload { warnings, ..last });
    }

    fn change(&self, change: impl FnOnce(LastReload) -> LastReload) {
        self.0.send_modify(|last| *last = Arc::new(change(LastReload::clone(last))));
    }
}
