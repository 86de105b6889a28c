//! Gives the memory of sockets that have closed back to the system.
//!
//! The GNU C library gives back only what lies at the end of its heap. Of 10,000 sockets that closed it kept all, 20 MB,
//! because something younger lay behind them.

use std::sync::atomic::{AtomicUsize, Ordering};

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
            tokio::task::spawn_blocking(give_back);
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "no library offers it, and the alternative, another allocator, doubles the memory at rest"
)]
fn give_back() {
    // SAFETY: malloc_trim(3) may be called at any time and from any thread; it touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_in_use_stays_when_memory_is_given_back() {
        let mut blocks: Vec<Vec<u8>> = (0..1_000).map(|number: u32| number.to_le_bytes().repeat(1_000)).collect();
        let mut number = 0;
        blocks.retain(|_| {
            number += 1;
            number % 2 == 0
        });
        super::give_back();
        let expected = (0..1_000_u32).filter(|number| number % 2 == 1).map(|number| number.to_le_bytes().repeat(1_000));
        assert!(blocks.iter().eq(&expected.collect::<Vec<_>>()));
    }
}
