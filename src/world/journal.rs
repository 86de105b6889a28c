//! The journal of a world: requests with their answers, sockets, and frames in both directions.
//!
//! Entries are numbered in the order in which they happened. The journal is bounded: the oldest entries are dropped
//! first, and the dropped entries are counted. Frames to sockets have a separate bound, so that a busy feed does not
//! push out the requests that a test looks for. Requests of the built-in page are filtered out before they get here.

mod behind;
mod budget;
mod entry;
mod exchange;
mod expectation;
mod failures;
mod matcher;
mod verdict;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

pub use behind::AfterBehind;
pub use budget::Budget;
use budget::Usage;
pub(super) use entry::Record;
pub use entry::{Brief, EndedBy, Entry, Kind, MemberPath, OpenedBy, Recipients, SocketEnd};
pub use exchange::{Answer, AnsweredBy, Exchange, FaultMark, Payload, RequestHead};
pub use expectation::{Expectation, ExpectationError, ExpectedQuery, InvalidWait, RuleName};
use failures::Failures;
pub use matcher::Difference;
pub use verdict::{Finding, NearMiss, Verdict};

/// The default maximum number of entries in each half.
pub const DEFAULT_ENTRIES: usize = 10_000;

/// A world's journal.
#[derive(Debug)]
pub(super) struct Journal {
    world: Arc<str>,
    /// The maximum number of entries in each half.
    capacity: usize,
    rings: Mutex<Rings>,
    recorded: Notify,
    /// The number of waiters: usually zero, and then nobody needs to be notified.
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Rings {
    /// The number of times the journal was cleared, so that an old place is not mistaken for a new one.
    generation: u64,
    last: u64,
    /// Frames to sockets.
    sent: Ring,
    /// Everything else.
    other: Ring,
    failures: Failures,
}

#[derive(Debug)]
struct Ring {
    /// A contiguous buffer: entries allocated one by one would keep the allocator from returning the memory around
    /// them.
    entries: VecDeque<Entry>,
    capacity: usize,
    usage: Usage,
    dropped: u64,
}

/// The place of a request's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryIndex {
    generation: u64,
    /// The number of entries added to its ring before it. It locates the entry without a search, which would take
    /// longer than everything else.
    index: u64,
}

/// The numbers of entries dropped from a journal because it is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Dropped {
    /// Frames to sockets.
    pub sent: u64,
    /// Requests, frames from clients, sockets opened and closed, and failures.
    pub other: u64,
}

impl Ring {
    fn new(capacity: usize, usage: Usage) -> Self {
        Self { entries: VecDeque::new(), capacity, usage, dropped: 0 }
    }

    fn push(&mut self, entry: Entry) {
        self.usage.add(entry.bytes());
        self.entries.push_back(entry);
        while self.entries.len() > self.capacity || self.usage.exceeds_limit() {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.usage.remove(oldest.bytes());
            self.dropped += 1;
        }
    }

    fn get(&self, sequence: u64) -> Option<&Entry> {
        let place = self.entries.binary_search_by_key(&sequence, |entry| entry.sequence);
        place.ok().and_then(|place| self.entries.get(place))
    }

    fn after(&self, sequence: u64) -> impl Iterator<Item = &Entry> {
        let start = self.entries.partition_point(|entry| entry.sequence <= sequence);
        self.entries.range(start..)
    }
}

impl Journal {
    /// Creates a world's journal with the given number of entries in each half; with 0, it records nothing.
    pub(super) fn new(world: Arc<str>, capacity: usize, budget: &Budget) -> Self {
        let usages = [Usage::new(budget.clone()), Usage::new(budget.clone())];
        let rings = Mutex::new(Rings::new(0, capacity, usages));
        Self { world, capacity, rings, recorded: Notify::new(), waiting: AtomicUsize::new(0) }
    }

    /// Records an entry.
    pub(super) fn record(&self, at: Duration, record: Record) -> EntryIndex {
        let place = self.lock().record(&self.world, at, record);
        self.notify();
        place
    }

    /// Records several entries at once.
    pub(super) fn record_all(&self, records: impl IntoIterator<Item = (Duration, Record)>) {
        let mut rings = self.lock();
        for (at, record) in records {
            rings.record(&self.world, at, record);
        }
        drop(rings);
        self.notify();
    }

    /// Adds the answer to a recorded request.
    pub(super) fn answered(&self, request: EntryIndex, answer: Answer) {
        let mut rings = self.lock();
        let is_current = rings.generation == request.generation;
        let ring = &mut rings.other;
        let place = request.index.checked_sub(ring.dropped).and_then(|place| usize::try_from(place).ok());
        if is_current && let Some(entry) = place.and_then(|place| ring.entries.get(place)) {
            ring.usage.remove(entry.bytes());
            if let Record::Request(exchange) = &entry.record {
                // A request is answered once.
                let _ = exchange.answer.set(answer);
            }
            ring.usage.add(entry.bytes());
        }
        drop(rings);
        self.notify();
    }

    /// Returns the entries after a sequence number, in order.
    pub(super) fn after(&self, sequence: u64) -> (Vec<Entry>, Dropped) {
        let rings = self.lock();
        let mut entries: Vec<_> = rings.other.after(sequence).chain(rings.sent.after(sequence)).cloned().collect();
        let dropped = Dropped { sent: rings.sent.dropped, other: rings.other.dropped };
        drop(rings);
        // The entries are two sorted runs, which a stable sort merges in linear time.
        entries.sort_by_key(|entry| entry.sequence);
        (entries, dropped)
    }

    /// Returns whether the journal has the minimum number of expected entries. Each entry is compared only once, so
    /// that a wait costs little however much is recorded.
    pub(super) fn has(&self, pending: &mut PendingExpectation<'_>) -> bool {
        let rings = self.lock();
        if rings.generation != pending.generation {
            // The journal was cleared: the entries found before are gone.
            *pending =
                PendingExpectation { generation: rings.generation, ..PendingExpectation::new(pending.expectation) };
        }
        let answered = std::mem::take(&mut pending.unanswered);
        let answered = answered.into_iter().filter_map(|sequence| rings.other.get(sequence).cloned());
        let new = rings.other.after(pending.seen).chain(rings.sent.after(pending.seen)).cloned();
        let entries: Vec<_> = answered.chain(new).collect();
        pending.seen = rings.last;
        drop(rings);
        for entry in entries {
            if pending.expectation.counts(&entry) {
                pending.found += 1;
            } else if matches!(&entry.record, Record::Request(exchange) if exchange.answer.get().is_none()) {
                pending.unanswered.push(entry.sequence);
            }
        }
        pending.found >= pending.expectation.min_count()
    }

    /// Removes all entries and restarts the numbering at 1.
    pub(super) fn clear(&self) {
        let mut rings = self.lock();
        let usages = [rings.sent.usage.empty(), rings.other.usage.empty()];
        *rings = Rings::new(rings.generation + 1, self.capacity, usages);
    }

    /// Starts to listen for new entries, until the return value is dropped.
    pub(super) fn listen(&self) -> Listening<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Listening(self)
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.capacity > 0
    }

    fn notify(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.recorded.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An expectation that somebody waits for.
pub(super) struct PendingExpectation<'e> {
    expectation: &'e Expectation,
    generation: u64,
    /// The sequence number of the last entry compared.
    seen: u64,
    found: u64,
    /// Requests that do not match yet, but may match once they are answered.
    unanswered: Vec<u64>,
}

impl<'e> PendingExpectation<'e> {
    pub(super) fn new(expectation: &'e Expectation) -> Self {
        Self { expectation, generation: 0, seen: 0, found: 0, unanswered: Vec::new() }
    }
}

/// Held while waiting for entries.
pub(super) struct Listening<'j>(&'j Journal);

impl Listening<'_> {
    /// Waits until an entry is recorded after this call.
    pub(super) fn recorded(&self) -> Notified<'_> {
        self.0.recorded.notified()
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Rings {
    fn new(generation: u64, capacity: usize, [sent, other]: [Usage; 2]) -> Self {
        let (sent, other) = (Ring::new(capacity, sent), Ring::new(capacity, other));
        Self { generation, last: 0, sent, other, failures: Failures::default() }
    }

    fn record(&mut self, world: &Arc<str>, at: Duration, record: Record) -> EntryIndex {
        let is_excess = matches!(&record, Record::Failed { rule, why, .. } if !self.failures.admit(rule, why));
        if self.other.capacity == 0 || is_excess {
            return EntryIndex { generation: self.generation, index: 0 };
        }
        self.last += 1;
        let ring = if matches!(record, Record::Sent { .. }) { &mut self.sent } else { &mut self.other };
        let index = ring.dropped + ring.entries.len() as u64;
        ring.push(Entry { sequence: self.last, at, world: world.clone(), record });
        EntryIndex { generation: self.generation, index }
    }
}
