//! The items that sockets may still have to get, by their positions.
//!
//! This file knows nothing of what the items are, so that a model checker can run it as it is (`tests/model.rs`).

use std::collections::VecDeque;

/// A bounded run of items. Positions count items over the life of the world.
#[derive(Debug)]
pub(super) struct FeedLog<T> {
    /// Items that a socket may be behind.
    backlog: usize,
    items: VecDeque<T>,
    /// The position of the first of them.
    first: u64,
    /// Up to here the fan-out has handed them out; none from here on is dropped.
    handed_out: u64,
    /// Items that may wait beside the backlog: those of a single large request, as long as they are among the last. A
    /// socket that reads gets all of them, however many there are.
    spare: usize,
}

impl<T: Clone> FeedLog<T> {
    /// A log of that many items.
    pub(super) fn new(backlog: usize) -> Self {
        Self { backlog, items: VecDeque::new(), first: 0, handed_out: 0, spare: 0 }
    }

    /// The position of the first item that it still has.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The position of the next item.
    pub(super) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Up to where the fan-out has handed everything out.
    pub(super) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    /// Adds what is published at once, and gives how many items that is.
    pub(super) fn publish(&mut self, items: impl IntoIterator<Item = T>) -> usize {
        let before = self.items.len();
        self.items.extend(items);
        let added = self.items.len() - before;
        // More than that at once does not count against the backlog.
        let bulk = if added > self.backlog / 2 { added } else { 0 };
        self.spare = self.spare.saturating_sub(added).max(bulk);
        self.trim();
        added
    }

    /// Drops all items, because no socket is open.
    pub(super) fn clear(&mut self) {
        self.first = self.end();
        self.handed_out = self.first;
        self.items = VecDeque::new();
        self.spare = 0;
    }

    /// The items from a position on, at most `most` and none after `last`, with the position after them. `None` if
    /// the place is no longer there.
    pub(super) fn read(&self, from: u64, most: usize, last: u64) -> Option<(Vec<T>, u64)> {
        let offset = from.checked_sub(self.first())?;
        let end = self.end().min(last).min(from.saturating_add(most as u64)).max(from);
        let count = usize::try_from(end - from).unwrap_or(usize::MAX);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Some((self.items.iter().skip(offset).take(count).cloned().collect(), end))
    }

    /// The fan-out has handed out everything up to there. The log may have been cleared meanwhile.
    pub(super) fn hand_out(&mut self, position: u64) {
        self.handed_out = self.handed_out.max(position);
        self.trim();
    }

    fn trim(&mut self) {
        let surplus = self.items.len().saturating_sub(self.backlog.saturating_add(self.spare)) as u64;
        let surplus = surplus.min(self.handed_out.saturating_sub(self.first));
        self.items.drain(..usize::try_from(surplus).unwrap_or(usize::MAX));
        self.first += surplus;
    }
}
