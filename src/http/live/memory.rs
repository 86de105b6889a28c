//! Gives the memory of sockets that have closed back to the system: of 10,000 of them the allocator kept all, 20 MB.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::system::give_back_memory;

/// With fewer sockets than that at the most, there is nothing to gain: 1,000 take 2 MB.
const WORTH_IT: usize = 1_000;

/// The most sockets that were open since memory was given back last.
#[derive(Debug, Default)]
pub(crate) struct HighWater(AtomicUsize);

impl HighWater {
    /// So many sockets are open now, one more than before.
    pub(super) fn opened(&self, open: usize) {
        self.0.fetch_max(open, Ordering::Relaxed);
    }

    /// So many sockets are open still. When half of them or more have closed, their memory is given back.
    pub(super) fn closed(&self, open: usize) {
        let highest = self.0.load(Ordering::Relaxed);
        let is_due = highest >= WORTH_IT && open <= highest / 2;
        if is_due && self.0.compare_exchange(highest, open, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // It takes milliseconds, in which no other task should have to wait.
            tokio::task::spawn_blocking(give_back_memory);
        }
    }
}
