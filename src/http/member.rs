//! A member of a world's feed that receives its frames through a buffer: a stream, or a client that polls.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::App;
use crate::websocket::concat_frames;
use crate::world::{EncodedBatch, FrameSink, Subscription, WorldError};

/// A member whose frames are written to a buffer.
pub(super) struct BufferedMember {
    pub(super) feed: Subscription,
    sink: Arc<dyn FrameSink>,
    /// The bytes still to be written.
    output: Bytes,
    /// The number of the feed's frames that count as written once the output is.
    frames: u64,
    app: Arc<App>,
}

/// The reason why a member has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberEnd {
    /// A rule ended the member.
    Done,
    /// The client is gone.
    Gone,
    /// The world or the server ended, or the client was too slow.
    Ended,
    /// A fault breaks off the connection.
    Reset,
}

impl From<WorldError> for MemberEnd {
    fn from(_: WorldError) -> Self {
        Self::Ended
    }
}

impl BufferedMember {
    /// Creates a member whose frames go to `sink`.
    pub(super) fn new(feed: Subscription, sink: Arc<dyn FrameSink>, app: Arc<App>) -> Self {
        feed.connect(sink.clone());
        Self { feed, sink, output: Bytes::new(), frames: 0, app }
    }

    /// Whether the member has bytes for which the buffer had no room.
    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Writes pending output as far as there is room. Once nothing is left, the fan-out takes over or the member ends.
    pub(super) async fn write_pending(&mut self) -> Result<(), MemberEnd> {
        loop {
            let end = self.requested_end();
            if end.is_some() {
                self.reclaim();
            }
            self.feed.follow_faults().await?;
            if self.feed.is_frozen() {
                return end.map_or(Ok(()), Err);
            }
            if !self.flush()? {
                // If the member is ending, do not wait for a client that does not read.
                return match end {
                    Some(end) => Err(end),
                    None => Ok(self.feed.expect_next().await?),
                };
            }
            match (self.feed.next().await?, end) {
                (Some(EncodedBatch { bytes, messages }), _) => (self.output, self.frames) = (bytes, messages),
                (None, Some(end)) => return Err(end),
                (None, None) if self.feed.delegate() || self.feed.is_parked() => return Ok(()),
                (None, None) => {}
            }
            tokio::task::consume_budget().await;
        }
    }

    /// Waits until there may be output to write, or the member has ended.
    pub(super) async fn ready(&mut self) {
        self.feed.wait_to_reclaim(self.output.is_empty()).await;
        self.reclaim();
    }

    fn requested_end(&self) -> Option<MemberEnd> {
        if self.feed.is_reset() {
            return Some(MemberEnd::Reset);
        }
        if self.feed.closing().is_some() {
            return Some(MemberEnd::Done);
        }
        (self.app.shutdown.is_cancelled() || self.feed.is_ended()).then_some(MemberEnd::Ended)
    }

    /// Writes the output. Returns whether all of it was written.
    fn flush(&mut self) -> Result<bool, MemberEnd> {
        while !self.output.is_empty() {
            match self.sink.write(&self.output) {
                Ok(count) => self.output.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(_) => return Err(MemberEnd::Gone),
            }
        }
        if self.frames > 0 {
            self.feed.record_written(std::mem::take(&mut self.frames));
        }
        Ok(true)
    }

    /// Takes over writing from the fan-out, including the bytes that it has not written.
    pub(super) fn reclaim(&mut self) {
        let EncodedBatch { bytes, messages } = self.feed.reclaim();
        self.output = concat_frames(&self.output, &bytes);
        self.frames += messages;
    }

    /// Returns the subscription and the output that was not written.
    pub(super) fn into_parts(mut self) -> (Subscription, EncodedBatch) {
        self.reclaim();
        (self.feed, EncodedBatch { bytes: self.output, messages: self.frames })
    }
}
