//! What happened between a world and its clients: requests with their answers, sockets, and frames in both directions.
//!
//! Entries are numbered in the order in which they happened. The journal is bounded: the oldest go first, and how many
//! went is counted. Frames to sockets have a bound of their own, so that a busy feed does not push out the requests that
//! a test wants to see. What the built-in page fetches for itself is left out before it gets here.

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
use budget::Holding;
pub(super) use entry::Record;
pub use entry::{Brief, EndedBy, Entry, Kind, OpenedBy, Recipients, SocketEnd};
pub use exchange::{Answer, AnsweredBy, Exchange, FaultMark, Payload, RequestHead};
pub use expectation::{Expectation, ExpectationError, RuleName, WrongWait};
use failures::Failures;
pub use matcher::Difference;
pub use verdict::{Finding, NearMiss, Verdict};

/// The most entries of each half unless set otherwise.
pub const DEFAULT_ENTRIES: usize = 10_000;

/// A world's journal.
#[derive(Debug)]
pub(super) struct Journal {
    world: Arc<str>,
    /// The most entries of each half.
    most: usize,
    rings: Mutex<Rings>,
    recorded: Notify,
    /// How many wait for entries: mostly none, and then nobody has to be told.
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Rings {
    /// Counts how often it was emptied, so that nothing from before is mistaken for something after it.
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
    /// In one piece: entries that were allocated one by one would keep all the memory around them from being given back.
    entries: VecDeque<Entry>,
    most: usize,
    holding: Holding,
    dropped: u64,
}

/// Where the entry of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    generation: u64,
    /// How many entries came into its ring before it: found without a search, which takes longer than all the rest.
    index: u64,
}

/// How many entries are no longer in a journal, because it is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Dropped {
    /// Frames to sockets.
    pub sent: u64,
    /// Requests, frames from clients, sockets opened and closed, what failed.
    pub other: u64,
}

impl Ring {
    fn new(most: usize, holding: Holding) -> Self {
        Self { entries: VecDeque::new(), most, holding, dropped: 0 }
    }

    fn push(&mut self, entry: Entry) {
        self.holding.add(entry.bytes());
        self.entries.push_back(entry);
        while self.entries.len() > self.most || self.holding.is_too_much() {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.holding.remove(oldest.bytes());
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
    /// A world's journal of so many entries of each half; one of 0 records nothing.
    pub(super) fn new(world: Arc<str>, most: usize, budget: &Budget) -> Self {
        let holdings = [Holding::new(budget.clone()), Holding::new(budget.clone())];
        let rings = Mutex::new(Rings::new(0, most, holdings));
        Self { world, most, rings, recorded: Notify::new(), waiting: AtomicUsize::new(0) }
    }

    /// Records something.
    pub(super) fn record(&self, at: Duration, record: Record) -> Place {
        let place = self.lock().record(&self.world, at, record);
        self.notify();
        place
    }

    /// Records several things at once.
    pub(super) fn record_all(&self, records: impl IntoIterator<Item = (Duration, Record)>) {
        let mut rings = self.lock();
        for (at, record) in records {
            rings.record(&self.world, at, record);
        }
        drop(rings);
        self.notify();
    }

    /// Adds the answer to a request that was recorded before.
    pub(super) fn answered(&self, request: Place, answer: Answer) {
        let mut rings = self.lock();
        let is_there = rings.generation == request.generation;
        let ring = &mut rings.other;
        let place = request.index.checked_sub(ring.dropped).and_then(|place| usize::try_from(place).ok());
        if is_there && let Some(entry) = place.and_then(|place| ring.entries.get(place)) {
            ring.holding.remove(entry.bytes());
            if let Record::Request(exchange) = &entry.record {
                // A request is answered once.
                let _ = exchange.answer.set(answer);
            }
            ring.holding.add(entry.bytes());
        }
        drop(rings);
        self.notify();
    }

    /// The entries after that number, in order.
    pub(super) fn after(&self, sequence: u64) -> (Vec<Entry>, Dropped) {
        let rings = self.lock();
        let mut entries: Vec<_> = rings.other.after(sequence).chain(rings.sent.after(sequence)).cloned().collect();
        let dropped = Dropped { sent: rings.sent.dropped, other: rings.other.dropped };
        drop(rings);
        // Two runs in order: a stable sort merges them in linear time.
        entries.sort_by_key(|entry| entry.sequence);
        (entries, dropped)
    }

    /// Whether there are as many entries as are expected at least. Each entry is looked at once, so that a wait costs little
    /// however much is recorded.
    pub(super) fn has(&self, pending: &mut PendingExpectation<'_>) -> bool {
        let rings = self.lock();
        if rings.generation != pending.generation {
            // It was emptied: what was found before is not in it any more.
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
        pending.found >= pending.expectation.fewest()
    }

    /// Forgets everything and counts from 1 again.
    pub(super) fn clear(&self) {
        let mut rings = self.lock();
        let holdings = [rings.sent.holding.empty(), rings.other.holding.empty()];
        *rings = Rings::new(rings.generation + 1, self.most, holdings);
    }

    /// While the answer is held, it hears of entries.
    pub(super) fn listen(&self) -> Listening<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Listening(self)
    }

    pub(super) fn is_on(&self) -> bool {
        self.most > 0
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

/// An expectation that is waited for.
pub(super) struct PendingExpectation<'e> {
    expectation: &'e Expectation,
    generation: u64,
    /// Entries up to that number were looked at.
    seen: u64,
    found: u64,
    /// Requests that did not match yet, but may do so once they are answered.
    unanswered: Vec<u64>,
}

impl<'e> PendingExpectation<'e> {
    pub(super) fn new(expectation: &'e Expectation) -> Self {
        Self { expectation, generation: 0, seen: 0, found: 0, unanswered: Vec::new() }
    }
}

/// Held by those who wait for entries.
pub(super) struct Listening<'j>(&'j Journal);

impl Listening<'_> {
    /// Waits until something is recorded after this call.
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
    fn new(generation: u64, most: usize, [sent, other]: [Holding; 2]) -> Self {
        let (sent, other) = (Ring::new(most, sent), Ring::new(most, other));
        Self { generation, last: 0, sent, other, failures: Failures::default() }
    }

    fn record(&mut self, world: &Arc<str>, at: Duration, record: Record) -> Place {
        let is_one_too_many =
            matches!(&record, Record::Failed { rule, why, .. } if !self.failures.have_room(rule, why));
        if self.other.most == 0 || is_one_too_many {
            return Place { generation: self.generation, index: 0 };
        }
        self.last += 1;
        let ring = if matches!(record, Record::Sent { .. }) { &mut self.sent } else { &mut self.other };
        let index = ring.dropped + ring.entries.len() as u64;
        ring.push(Entry { sequence: self.last, at, world: world.clone(), record });
        Place { generation: self.generation, index }
    }
}
