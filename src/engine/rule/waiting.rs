//! What waits for its time, as it is told from outside.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;

/// A list of steps that waits for its next one: a general script, or what a rule does later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingState {
    /// The key of the rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`.
    pub key: Arc<str>,
    /// When its next step is due.
    pub due: Duration,
}

impl Engine {
    /// The lists of steps that wait, the soonest first.
    pub fn waiting_states(&self) -> impl Iterator<Item = WaitingState> {
        self.rule_runs.soonest_first().map(|(due, run)| WaitingState { key: run.origin.key(), due })
    }
}
