//! Every event since the world's start, to be kept as a golden file.

use std::collections::VecDeque;

use crate::engine::Event;

/// Events that a transcript keeps; the oldest go first.
const MOST: usize = 100_000;

/// The last events of a world, and how many there were before them.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// In order.
    pub events: VecDeque<Event>,
    /// Events that are no longer in it, because it is bounded.
    pub dropped: u64,
}

impl Transcript {
    pub(super) fn extend(&mut self, events: &[Event]) {
        self.events.extend(events.iter().cloned());
        let surplus = self.events.len().saturating_sub(MOST);
        self.events.drain(..surplus);
        self.dropped += surplus as u64;
    }

    /// The events after that number.
    #[must_use]
    pub fn after(&self, sequence: u64) -> Self {
        let start = self.events.partition_point(|event| event.sequence <= sequence);
        // Numbers have no gap, so those that are missing are between the two.
        let missing = self.dropped.saturating_sub(sequence);
        Self { events: self.events.range(start..).cloned().collect(), dropped: missing }
    }
}
