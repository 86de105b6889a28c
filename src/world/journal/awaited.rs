//! Looks for entries as they come, each once, so that a wait costs little however much is recorded.

use super::{Expectation, Journal, Record};

/// An expectation that is waited for.
pub(in crate::world) struct Awaited<'e> {
    expectation: &'e Expectation,
    generation: u64,
    /// Entries up to that number were looked at.
    seen: u64,
    found: u64,
    /// Requests that did not match yet, but may do so once they are answered.
    unanswered: Vec<u64>,
}

impl<'e> Awaited<'e> {
    pub(in crate::world) fn new(expectation: &'e Expectation) -> Self {
        Self { expectation, generation: 0, seen: 0, found: 0, unanswered: Vec::new() }
    }

    /// Whether there are as many entries as are expected at least.
    pub(in crate::world) fn is_there(&mut self, journal: &Journal) -> bool {
        let rings = journal.lock();
        if rings.generation != self.generation {
            // It was emptied: what was found before is not in it any more.
            *self = Self { generation: rings.generation, ..Self::new(self.expectation) };
        }
        let answered = std::mem::take(&mut self.unanswered);
        let answered = answered.into_iter().filter_map(|sequence| rings.other.get(sequence).cloned());
        let new = rings.other.after(self.seen).chain(rings.sent.after(self.seen)).cloned();
        let entries: Vec<_> = answered.chain(new).collect();
        self.seen = rings.last;
        drop(rings);
        for entry in entries {
            if self.expectation.matches(&entry) {
                self.found += 1;
            } else if matches!(&entry.record, Record::Request(exchange) if exchange.answer.get().is_none()) {
                self.unanswered.push(entry.sequence);
            }
        }
        self.found >= self.expectation.fewest()
    }
}
