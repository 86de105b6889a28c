//! What became of the last save, for programs that ask.

use std::sync::Arc;

use tokio::sync::watch;

use crate::engine::Change;
use crate::scenario::LoadError;

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
}

impl Reloads {
    /// What is known now.
    #[must_use]
    pub fn last(&self) -> Arc<LastReload> {
        self.0.borrow().clone()
    }

    /// A saved scenario was applied.
    pub fn applied(&self, changes: Vec<Change>) {
        self.0.send_modify(|last| *last = Arc::new(LastReload { count: last.count + 1, changes, error: None }));
    }

    /// A saved scenario could not be applied.
    pub fn failed(&self, error: LoadError) {
        self.0.send_modify(|last| *last = Arc::new(LastReload { error: Some(error), ..LastReload::clone(last) }));
    }

    /// What is in the file is again what is served.
    pub fn recovered(&self) {
        self.0.send_modify(|last| *last = Arc::new(LastReload { error: None, ..LastReload::clone(last) }));
    }
}
