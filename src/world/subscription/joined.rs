//! What a subscription begins with, and goes on with where the feed does not lead on.

use std::sync::Arc;
use std::time::Duration;

use super::Passing;
use crate::websocket::Encoded;

/// What the task gives to a socket that joins, switches, or has fallen behind.
#[derive(Debug)]
pub(in crate::world) struct Joined {
    /// The number of the last event that is in the frames.
    pub(in crate::world) sequence: u64,
    /// Where to read on in the feed.
    pub(in crate::world) position: u64,
    /// The world's time.
    pub(in crate::world) at: Duration,
    pub(in crate::world) frames: Arc<[Encoded]>,
}

impl Joined {
    pub(super) fn passing(&self) -> Vec<Passing> {
        self.frames.iter().cloned().map(|frame| self.pass(frame)).collect()
    }

    pub(super) fn pass(&self, frame: Encoded) -> Passing {
        Passing { frame, event: None, at: self.at, position: self.position }
    }
}
