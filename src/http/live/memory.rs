//! Returns the memory of closed sockets to the system. After 10,000 sockets had closed, the allocator kept all of it,
//! 20 MB.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::system::release_memory;

/// The peak number of sockets below which there is nothing to gain: 1,000 sockets take 2 MB.
const MIN_PEAK: usize = 1_000;

/// The peak number of open sockets since memory was last returned to the system.
#[derive(Debug, Default)]
pub(crate) struct HighWater(AtomicUsize);

impl HighWater {
    /// Records that a socket has opened and that `open` sockets are open now.
    pub(super) fn opened(&self, open: usize) {
        self.0.fetch_max(open, Ordering::Relaxed);
    }

    /// Records that a socket has closed and that `open` sockets are still open. Once half of the peak or more have
    /// closed, returns their memory to the system.
    pub(super) fn closed(&self, open: usize) {
        let peak = self.0.load(Ordering::Relaxed);
        let is_due = peak >= MIN_PEAK && open <= peak / 2;
        if is_due && self.0.compare_exchange(peak, open, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // This takes milliseconds, during which no other task should have to wait.
            tokio::task::spawn_blocking(release_memory);
        }
    }
}
