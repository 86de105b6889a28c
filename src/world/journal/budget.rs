//! What the journals of all worlds of a server may hold together.
//!
//! Each may hold much by itself, and there may be thousands of worlds, which any client makes. So once there is too much in all,
//! a journal that goes on has to do with its share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that one half of a journal may hold, whatever the number of its entries.
const MOST_OF_ONE: usize = 8 << 20;

/// Bytes in all from which on each has to do with its share of as many.
const PLENTY: usize = 256 << 20;

/// The counter of all journals of a server. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<Sums>);

#[derive(Debug, Default)]
struct Sums {
    bytes: AtomicUsize,
    holders: AtomicUsize,
}

/// What one half of a journal holds.
#[derive(Debug)]
pub(super) struct Holding {
    budget: Budget,
    bytes: usize,
}

impl Holding {
    pub(super) fn new(budget: Budget) -> Self {
        budget.0.holders.fetch_add(1, Ordering::Relaxed);
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

    /// Whether it holds more than it may at the moment.
    pub(super) fn is_too_much(&self) -> bool {
        let sums = &self.budget.0;
        let is_scarce = sums.bytes.load(Ordering::Relaxed) > PLENTY;
        let most = if is_scarce { PLENTY / sums.holders.load(Ordering::Relaxed).max(1) } else { MOST_OF_ONE };
        self.bytes > most.min(MOST_OF_ONE)
    }

    /// An empty one of the same counter.
    pub(super) fn empty(&self) -> Self {
        Self::new(self.budget.clone())
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.remove(self.bytes);
        self.budget.0.holders.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_may_hold_much_and_of_many_each_its_share() {
        let budget = Budget::default();
        let mut holdings: Vec<Holding> = (0..64).map(|_| Holding::new(budget.clone())).collect();
        for holding in &mut holdings {
            holding.add(MOST_OF_ONE);
            while holding.is_too_much() {
                holding.remove(1 << 10);
            }
        }
        assert_eq!(holdings[0].bytes, MOST_OF_ONE);
        assert_eq!(holdings[63].bytes, PLENTY / 64);
        assert!(budget.0.bytes.load(Ordering::Relaxed) <= 2 * PLENTY);
        drop(holdings);
        assert_eq!(budget.0.bytes.load(Ordering::Relaxed), 0);
        let mut alone = Holding::new(budget);
        alone.add(MOST_OF_ONE);
        assert!(!alone.is_too_much());
    }
}
