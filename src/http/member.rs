//! A member of a world's feed whose frames go into a buffer that answers are made of: a stream, or a client that polls.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::App;
use crate::websocket::put_together;
use crate::world::{EncodedBatch, FrameSink, Subscription, WorldError};

/// A member that is written to through a buffer.
pub(super) struct BufferedMember {
    pub(super) feed: Subscription,
    sink: Arc<dyn FrameSink>,
    /// What is still to be written.
    output: Bytes,
    /// Frames of the feed that are written once the output is.
    frames: u64,
    app: Arc<App>,
}

/// Why a member is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberEnd {
    /// Its rule has ended it.
    Done,
    /// The client is gone.
    Gone,
    /// The world, the server or the client's pace has ended it.
    Ended,
    /// A fault breaks it off.
    Reset,
}

impl From<WorldError> for MemberEnd {
    fn from(_: WorldError) -> Self {
        Self::Ended
    }
}

impl BufferedMember {
    /// A member whose frames go into that buffer.
    pub(super) fn new(feed: Subscription, sink: Arc<dyn FrameSink>, app: Arc<App>) -> Self {
        feed.connect(sink.clone());
        Self { feed, sink, output: Bytes::new(), frames: 0, app }
    }

    /// Whether it has something that the buffer had no room for.
    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Writes what waits, as far as there is room. When nothing is left, the fan-out takes over, or the member is at its end.
    pub(super) async fn put_out(&mut self) -> Result<(), MemberEnd> {
        loop {
            let end = self.end_asked_for();
            if end.is_some() {
                self.reclaim();
            }
            self.feed.follow_faults().await?;
            if self.feed.is_frozen() {
                return end.map_or(Ok(()), Err);
            }
            if !self.flush()? {
                // A client that does not read is not waited for, unless it can go on later.
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

    /// Waits until there may be something to write, or the member is at its end.
    pub(super) async fn woken(&mut self) {
        self.feed.woken(self.output.is_empty()).await;
        self.reclaim();
    }

    fn end_asked_for(&self) -> Option<MemberEnd> {
        if self.feed.is_reset() {
            return Some(MemberEnd::Reset);
        }
        if self.feed.closing().is_some() {
            return Some(MemberEnd::Done);
        }
        (self.app.shutdown.is_cancelled() || self.feed.is_ended()).then_some(MemberEnd::Ended)
    }

    /// Writes the output. Says whether all of it is written.
    fn flush(&mut self) -> Result<bool, MemberEnd> {
        while !self.output.is_empty() {
            match self.sink.write(&self.output) {
                Ok(count) => self.output.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(_) => return Err(MemberEnd::Gone),
            }
        }
        if self.frames > 0 {
            self.feed.wrote(std::mem::take(&mut self.frames));
        }
        Ok(true)
    }

    /// Takes over from the fan-out, with what it has not written.
    pub(super) fn reclaim(&mut self) {
        let EncodedBatch { bytes, messages } = self.feed.reclaim();
        self.output = put_together(&self.output, &bytes);
        self.frames += messages;
    }

    /// What it was to get, with what was not written of that.
    pub(super) fn into_parts(mut self) -> (Subscription, EncodedBatch) {
        self.reclaim();
        (self.feed, EncodedBatch { bytes: self.output, messages: self.frames })
    }
}
