//! The items that sockets may not have received yet, by position.
//!
//! This file is independent of the type of the items, so that a model checker can run it unchanged (`tests/model.rs`).

use std::collections::VecDeque;

/// A bounded run of items. Positions count items since the world started.
#[derive(Debug)]
pub(super) struct FeedLog<T> {
    /// The number of items that a socket may be behind.
    backlog: usize,
    items: VecDeque<T>,
    /// The position of the first item.
    first: u64,
    /// The position up to which the fan-out has handed items out; later items are never dropped.
    handed_out: u64,
    /// The number of items allowed in addition to the backlog: those of a single large request, as long as they are
    /// among the last. A socket that keeps reading receives all of them, however many there are.
    spare: usize,
}

impl<T: Clone> FeedLog<T> {
    /// Creates a log with the given backlog.
    pub(super) fn new(backlog: usize) -> Self {
        Self { backlog, items: VecDeque::new(), first: 0, handed_out: 0, spare: 0 }
    }

    /// Returns the position of the first item that the log still has.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Returns the position of the next item.
    pub(super) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Returns the position up to which the fan-out has handed out all items.
    pub(super) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    /// Adds items that are published together, and returns how many there are.
    pub(super) fn publish(&mut self, items: impl IntoIterator<Item = T>) -> usize {
        let before = self.items.len();
        self.items.extend(items);
        let added = self.items.len() - before;
        // A larger group does not count against the backlog.
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

    /// Returns the items from a position on, at most `limit` and none after `last`, and the position after them. `None`
    /// if the log no longer has that position.
    pub(super) fn read(&self, from: u64, limit: usize, last: u64) -> Option<(Vec<T>, u64)> {
        let offset = from.checked_sub(self.first())?;
        let end = self.end().min(last).min(from.saturating_add(limit as u64)).max(from);
        let count = usize::try_from(end - from).unwrap_or(usize::MAX);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Some((self.items.iter().skip(offset).take(count).cloned().collect(), end))
    }

    /// Notes that the fan-out has handed out all items up to this position. The log may have been cleared in the
    /// meantime.
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
