//! Every event since the world's start, to be kept as a golden file.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Event;

/// Events that a transcript keeps at least, unless they take too many bytes; the oldest go first.
const FEWEST: u64 = 100_000;

/// Events of a chunk that copies share.
const CHUNK: usize = 1024;

/// Bytes from which on a chunk is full, however few events are in it.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes that the events of a transcript may take: most of them are a few hundred bytes long, but a row may be large.
const MOST_BYTES: usize = 64 << 20;

/// The last events of a world, and how many there were before them. Copies share what they have in common.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    chunks: VecDeque<Chunk>,
    /// Events in the chunks, and the bytes that they take.
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
    /// One that begins after so many events, of which nothing is known here.
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
        // The latest stay, whatever their size.
        while self.chunks.len() > 1 && (self.sums.events > FEWEST + CHUNK as u64 || self.sums.bytes > MOST_BYTES) {
            let Some(Chunk { events, bytes }) = self.chunks.pop_front() else { return };
            self.sums.events -= events.len() as u64;
            self.sums.bytes -= bytes;
            self.dropped += events.len() as u64;
        }
    }

    /// The events, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.chunks.iter().flat_map(|chunk| chunk.events.iter()).chain(&self.latest)
    }

    /// How many of the events after that number are gone, because it is bounded.
    #[must_use]
    pub fn dropped_after(&self, sequence: u64) -> u64 {
        // Numbers have no gap.
        self.dropped.saturating_sub(sequence)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::{EventKind, Frame, Topic};

    /// As many events as wanted, each with a frame of so many bytes.
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
    fn the_oldest_events_go_when_there_are_too_many_bytes_of_them() {
        for (count, bytes, least, most) in [
            (200_000, 10, FEWEST, FEWEST + 2 * CHUNK as u64),
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
