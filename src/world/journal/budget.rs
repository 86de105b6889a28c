//! The memory that the journals of all worlds on a server may use together.
//!
//! A single journal may use a lot of memory, and there may be thousands of worlds, which any client can create. Once
//! the total exceeds its bound, each journal that grows is limited to an equal share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The maximum number of bytes in one half of a journal, whatever the number of its entries.
const MAX_BYTES: usize = 8 << 20;

/// The total number of bytes above which each half is limited to an equal share of it.
const SHARED_BYTES: usize = 256 << 20;

/// The memory counter of all journals on a server. Clones share the same counter.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<Totals>);

#[derive(Debug, Default)]
struct Totals {
    bytes: AtomicUsize,
    halves: AtomicUsize,
}

/// The memory use of one half of a journal.
#[derive(Debug)]
pub(super) struct Usage {
    budget: Budget,
    bytes: usize,
}

impl Usage {
    pub(super) fn new(budget: Budget) -> Self {
        budget.0.halves.fetch_add(1, Ordering::Relaxed);
        Self { budget, bytes: 0 }
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.budget.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns whether this half currently exceeds its limit.
    pub(super) fn exceeds_limit(&self) -> bool {
        let totals = &self.budget.0;
        let is_scarce = totals.bytes.load(Ordering::Relaxed) > SHARED_BYTES;
        let limit = if is_scarce { SHARED_BYTES / totals.halves.load(Ordering::Relaxed).max(1) } else { MAX_BYTES };
        self.bytes > limit.min(MAX_BYTES)
    }

    /// Creates an empty half with the same counter.
    pub(super) fn empty(&self) -> Self {
        Self::new(self.budget.clone())
    }
}

impl Drop for Usage {
    fn drop(&mut self) {
        self.remove(self.bytes);
        self.budget.0.halves.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_halves_may_be_large_and_many_get_equal_shares() {
        let budget = Budget::default();
        let mut usages: Vec<Usage> = (0..64).map(|_| Usage::new(budget.clone())).collect();
        for usage in &mut usages {
            usage.add(MAX_BYTES);
            while usage.exceeds_limit() {
                usage.remove(1 << 10);
            }
        }
        assert_eq!(usages[0].bytes, MAX_BYTES);
        assert_eq!(usages[63].bytes, SHARED_BYTES / 64);
        assert!(budget.0.bytes.load(Ordering::Relaxed) <= 2 * SHARED_BYTES);
        drop(usages);
        assert_eq!(budget.0.bytes.load(Ordering::Relaxed), 0);
        let mut alone = Usage::new(budget);
        alone.add(MAX_BYTES);
        assert!(!alone.exceeds_limit());
    }
}
