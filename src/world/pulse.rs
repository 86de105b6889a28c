//! How busy a world is: what can be read at any time without asking its task for it.

use std::sync::atomic::Ordering;

use super::World;

impl World {
    /// The number of the last event, from 1 since the start or reset; 0 before the first.
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.0.shared.last_event.load(Ordering::Relaxed)
    }

    /// How many sockets are open.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.sockets().len()
    }
}
