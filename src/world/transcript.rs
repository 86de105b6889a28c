//! Every event since the world's start, to be kept as a golden file.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Event;

/// Events that a transcript keeps at least; the oldest go first.
const FEWEST: u64 = 100_000;

/// Events of a chunk that copies share.
const CHUNK: usize = 1024;

/// The last events of a world, and how many there were before them. Copies share what they have in common.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    chunks: VecDeque<Arc<[Event]>>,
    latest: Vec<Event>,
    dropped: u64,
}

impl Transcript {
    /// One that begins after so many events, of which nothing is known here.
    #[cfg(feature = "redis")]
    pub(super) fn after(dropped: u64) -> Self {
        Self { dropped, ..Self::default() }
    }

    pub(super) fn extend<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) {
        for event in events {
            self.latest.push(event.clone());
            if self.latest.len() == CHUNK {
                self.chunks.push_back(self.latest.drain(..).collect());
            }
        }
        while self.chunks.len() as u64 * CHUNK as u64 > FEWEST + CHUNK as u64 {
            self.dropped += self.chunks.pop_front().map_or(0, |chunk| chunk.len() as u64);
        }
    }

    /// The events, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).chain(&self.latest)
    }

    /// How many of the events after that number are gone, because it is bounded.
    #[must_use]
    pub fn dropped_after(&self, sequence: u64) -> u64 {
        // Numbers have no gap.
        self.dropped.saturating_sub(sequence)
    }
}
