//! Server-sent events (HTML, 9.2): an answer whose body goes on for as long as its rule has something to say.
//!
//! A stream is a member of its world's feed as a socket is, with the same fan-out and the same bound: the fan-out writes into
//! a small buffer, from which the body is sent. One that does not take what comes is ended as soon as it is further behind than
//! the feed reaches back, and the journal says so. Its client may still read what was on the way to it, until the connection of
//! a peer that takes nothing counts as gone.

mod body;
mod event;

use std::sync::Arc;

use bytes::{Buf, Bytes};
use poem::http::{HeaderValue, header};
use poem::{Body, Response};
use tracing::debug;

use super::App;
use crate::world::{EncodedBatch, EndedBy, SocketEnd, Subscription, WorldError};
pub(super) use body::Streaming;
use body::{StreamBody, StreamSink};
pub(crate) use event::HEARTBEAT;
pub(super) use event::encode;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Makes of an answer without a body one that streams, and starts the stream's task.
pub(super) fn stream(app: &Arc<App>, feed: Subscription, mut response: Response) -> Response {
    let sink = Arc::new(StreamSink::default());
    feed.connect(sink.clone());
    let (body, streaming) = StreamBody::of(sink.clone());
    response.set_body(Body::from_bytes_stream(body));
    let response = marked(response, streaming);
    app.tasks.spawn(serve(Stream { sink, feed, output: Bytes::new(), events: 0, app: app.clone() }));
    response
}

/// The answer to HEAD for a stream, made of an answer without a body: the same headers, and no stream.
pub(super) fn head(response: Response) -> Response {
    marked(response, Streaming::default())
}

fn marked(mut response: Response, streaming: Streaming) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_TYPE).or_insert(EVENT_STREAM);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // Proxies that know it pass on each event at once.
    headers.entry("x-accel-buffering").or_insert(HeaderValue::from_static("no"));
    response.extensions_mut().insert(streaming);
    response
}

/// Whether a response is a stream, or the head of one.
pub(super) fn is_stream(response: &Response) -> bool {
    response.extensions().get::<Streaming>().is_some()
}

/// A stream that is open.
struct Stream {
    sink: Arc<StreamSink>,
    feed: Subscription,
    /// What is still to be written.
    output: Bytes,
    /// Events of the feed that are written once the output is.
    events: u64,
    app: Arc<App>,
}

/// Why a stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamEnd {
    /// Its rule has ended it.
    Done,
    /// The client is gone.
    Gone,
    /// The world, the server or the client's pace has ended it.
    Ended,
    /// A fault breaks it off.
    Reset,
}

impl From<WorldError> for StreamEnd {
    fn from(_: WorldError) -> Self {
        Self::Ended
    }
}

/// One stream to its end.
async fn serve(mut stream: Stream) {
    let end = stream.run().await;
    debug!(?end, "stream ended");
    drop(stream.feed.reclaim());
    match end {
        StreamEnd::Reset => stream.sink.break_off(),
        _ => stream.sink.end(),
    }
    let by = if end == StreamEnd::Gone { EndedBy::Client } else { EndedBy::Server };
    stream.feed.ends(SocketEnd { code: None, by });
}

impl Stream {
    async fn run(&mut self) -> StreamEnd {
        loop {
            if let Err(end) = self.put_out().await {
                return end;
            }
            tokio::select! {
                () = self.sink.gone() => return StreamEnd::Gone,
                () = self.sink.has_room(), if !self.output.is_empty() => {}
                () = self.feed.woken(self.output.is_empty()) => self.reclaim(),
            }
        }
    }

    /// Writes what waits, as far as there is room. When nothing is left, the fan-out takes over, or the stream is at its end.
    async fn put_out(&mut self) -> Result<(), StreamEnd> {
        loop {
            let end = self.end_asked_for();
            if end.is_some() {
                self.reclaim();
            }
            self.feed.follow_faults().await?;
            if self.feed.is_frozen() {
                return Ok(());
            }
            if !self.flush()? {
                // A client that does not read is not waited for.
                return end.map_or_else(|| Ok(self.feed.expect_next()?), Err);
            }
            match (self.feed.next().await?, end) {
                (Some(EncodedBatch { bytes, messages }), _) => (self.output, self.events) = (bytes, messages),
                (None, Some(end)) => return Err(end),
                (None, None) if self.feed.delegate() || self.feed.is_parked() => return Ok(()),
                (None, None) => {}
            }
            tokio::task::consume_budget().await;
        }
    }

    fn end_asked_for(&self) -> Option<StreamEnd> {
        if self.feed.is_reset() {
            return Some(StreamEnd::Reset);
        }
        if self.feed.closing().is_some() {
            return Some(StreamEnd::Done);
        }
        (self.app.shutdown.is_cancelled() || self.feed.is_ended()).then_some(StreamEnd::Ended)
    }

    /// Writes the output. Says whether all of it is written.
    fn flush(&mut self) -> Result<bool, StreamEnd> {
        while !self.output.is_empty() {
            match self.sink.take(&self.output) {
                Ok(count) => self.output.advance(count),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
                Err(_) => return Err(StreamEnd::Gone),
            }
        }
        if self.events > 0 {
            self.feed.wrote(std::mem::take(&mut self.events));
        }
        Ok(true)
    }

    /// Takes over from the fan-out, with what it has not written.
    fn reclaim(&mut self) {
        let EncodedBatch { bytes, messages } = self.feed.reclaim();
        if !bytes.is_empty() {
            self.output = if self.output.is_empty() { bytes } else { [&self.output[..], &bytes[..]].concat().into() };
        }
        self.events += messages;
    }
}
