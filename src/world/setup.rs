//! How a world starts.

use super::{Budget, DEFAULT_BACKLOG, DEFAULT_ENTRIES, Pace};

/// How a world starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// A seed of its own, instead of the server's.
    pub seed: Option<u64>,
    /// How its clock goes.
    pub pace: Pace,
    /// The most entries of its journal, of frames to sockets and of everything else; 0 for no journal.
    pub journal: usize,
    /// What its journal has part in.
    pub budget: Budget,
    /// Frames that a socket may be behind before it gets current totals instead; at least [`FEWEST_BACKLOG`](super::FEWEST_BACKLOG).
    pub backlog: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: None,
            pace: Pace::default(),
            journal: DEFAULT_ENTRIES,
            budget: Budget::default(),
            backlog: DEFAULT_BACKLOG,
        }
    }
}
