//! Every event since the world's start, to be saved as a golden file.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Event;

/// The minimum number of events that a transcript keeps, unless they take too many bytes; the oldest are dropped first.
const MIN_EVENTS: u64 = 100_000;

/// The number of events in a chunk, which copies of a transcript share.
const CHUNK: usize = 1024;

/// The number of bytes from which a chunk is full, however few events it has.
const CHUNK_BYTES: usize = 1 << 20;

/// The maximum size of a transcript's events in bytes. Most events take a few hundred bytes, but a row may be large.
const MAX_BYTES: usize = 64 << 20;

/// The last events of a world, and the number of events before them. Copies share their common chunks.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    chunks: VecDeque<Chunk>,
    /// The number of events in the chunks, and their size in bytes.
    sums: Sums,
    latest: Vec<Event>,
    latest_bytes: usize,
    dropped: u64,
}

#[derive(Debug, Clone)]
struct Chunk {
    events: Arc<[Event]>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    events: u64,
    bytes: usize,
}

impl Transcript {
    /// Creates a transcript that starts after this many events, which it does not hold.
    #[cfg(feature = "redis")]
    pub(super) fn after(dropped: u64) -> Self {
        Self { dropped, ..Self::default() }
    }

    pub(super) fn extend<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) {
        for event in events {
            self.latest_bytes += event.bytes();
            self.latest.push(event.clone());
            if self.latest.len() == CHUNK || self.latest_bytes >= CHUNK_BYTES {
                self.close_chunk();
            }
        }
    }

    fn close_chunk(&mut self) {
        let (events, bytes): (Arc<[Event]>, _) =
            (self.latest.drain(..).collect(), std::mem::take(&mut self.latest_bytes));
        self.sums.events += events.len() as u64;
        self.sums.bytes += bytes;
        self.chunks.push_back(Chunk { events, bytes });
        // The latest chunk stays, whatever its size.
        while self.chunks.len() > 1 && (self.sums.events > MIN_EVENTS + CHUNK as u64 || self.sums.bytes > MAX_BYTES) {
            let Some(Chunk { events, bytes }) = self.chunks.pop_front() else { return };
            self.sums.events -= events.len() as u64;
            self.sums.bytes -= bytes;
            self.dropped += events.len() as u64;
        }
    }

    /// Returns the events in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.chunks.iter().flat_map(|chunk| chunk.events.iter()).chain(&self.latest)
    }

    /// Returns the number of events after this one that were dropped because the transcript is bounded.
    #[must_use]
    pub fn dropped_after(&self, sequence: u64) -> u64 {
        // Sequence numbers have no gaps.
        self.dropped.saturating_sub(sequence)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::{EventKind, Frame, Topic};

    /// Returns a transcript of `count` events, each with a frame of `bytes` bytes.
    fn filled(count: u64, bytes: usize) -> Transcript {
        let frame = Frame::Text("x".repeat(bytes).into());
        let mut transcript = Transcript::default();
        for sequence in 1..=count {
            let kind =
                EventKind::Sent { topics: [Topic::Named("news".into())].into(), frame: frame.clone(), except: None };
            transcript.extend([&Event { sequence, at: Duration::ZERO, kind }]);
        }
        transcript
    }

    #[test]
    fn the_oldest_events_are_dropped_beyond_the_size_limit() {
        for (count, bytes, least, most) in [
            (200_000, 10, MIN_EVENTS, MIN_EVENTS + 2 * CHUNK as u64),
            (200, 10, 200, 200),
            (2_000, 100_000, 600, 680),
            (3, 2 * CHUNK_BYTES, 3, 3),
            (100, 33 << 20, 1, 1),
            (2, 65 << 20, 1, 1),
        ] {
            let transcript = filled(count, bytes);
            let kept = transcript.events().count() as u64;
            assert!((least..=most).contains(&kept), "{kept} of {count} with {bytes} bytes");
            assert_eq!(transcript.dropped_after(0), count - kept);
            assert_eq!(transcript.events().last().map(|event| event.sequence), Some(count));
        }
    }
}
