//! What the worlds of a server have in common.

use std::time::Duration;

use crate::world::{Budget, DEFAULT_BACKLOG, DEFAULT_ENTRIES, Pace, Setup};

/// What all worlds of a server have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorldOptions {
    /// How their clocks go, unless said otherwise of one.
    pub pace: Pace,
    /// The most entries of each journal; see [`Setup::journal`].
    pub journal: usize,
    /// Frames that a socket may be behind; see [`Setup::backlog`].
    pub backlog: usize,
    /// How long a named world may be unused before it is removed.
    pub idle: Duration,
    /// The most named worlds at a time.
    pub most: usize,
}

impl Default for WorldOptions {
    fn default() -> Self {
        let idle = Duration::from_mins(10);
        Self { pace: Pace::default(), journal: DEFAULT_ENTRIES, backlog: DEFAULT_BACKLOG, idle, most: 10_000 }
    }
}

impl WorldOptions {
    /// How a world starts of which nothing is said.
    pub(super) fn setup(&self, budget: Budget) -> Setup {
        Setup { seed: None, pace: self.pace, journal: self.journal, budget, backlog: self.backlog }
    }
}
