//! Server-sent events (HTML, 9.2): responses whose bodies stay open until their rules end them.
//!
//! A stream is a member of its world's feed, with the same fan-out and the same backlog limit as a socket. The fan-out
//! writes into a small buffer, from which the body is sent. A stream that falls behind the feed's backlog gets the
//! current state once its client reads again. If it has missed frames that have no state, it is ended at once, and the
//! journal records this. Its client can still read the bytes already sent, until the connection counts as dead.

mod body;
mod event;

use std::sync::Arc;

use poem::http::{HeaderValue, header};
use poem::{Body, Response};
use tracing::debug;

use super::App;
use super::member::{BufferedMember, MemberEnd};
use crate::world::{EndedBy, SocketEnd, Subscription};
pub(super) use body::Streaming;
use body::{StreamBody, StreamSink};
pub(crate) use event::HEARTBEAT;
pub(super) use event::encode;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Turns a response without a body into a stream and starts the stream's task.
pub(super) fn stream(app: &Arc<App>, feed: Subscription, mut response: Response) -> Response {
    let sink = Arc::new(StreamSink::default());
    let member = BufferedMember::new(feed, sink.clone(), app.clone());
    let (body, streaming) = StreamBody::of(sink.clone());
    response.set_body(Body::from_bytes_stream(body));
    let response = marked(response, streaming);
    app.tasks.spawn(serve(Stream { sink, member }));
    response
}

/// Turns a response without a body into the response to HEAD for a stream, which has the same headers but no stream.
pub(super) fn head(response: Response) -> Response {
    marked(response, Streaming::default())
}

/// Adds the headers and the extension of a stream.
fn marked(mut response: Response, streaming: Streaming) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_TYPE).or_insert(EVENT_STREAM);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // Proxies that support this header forward each event immediately.
    headers.entry("x-accel-buffering").or_insert(HeaderValue::from_static("no"));
    response.extensions_mut().insert(streaming);
    response
}

/// Whether a response is a stream, or the response to HEAD for one.
pub(super) fn is_stream(response: &Response) -> bool {
    response.extensions().get::<Streaming>().is_some()
}

/// An open stream.
struct Stream {
    sink: Arc<StreamSink>,
    member: BufferedMember,
}

/// Serves a stream until it ends.
async fn serve(mut stream: Stream) {
    let end = stream.run().await;
    debug!(?end, "stream ended");
    let (mut feed, _) = stream.member.into_parts();
    match end {
        MemberEnd::Reset => stream.sink.break_off(),
        _ => stream.sink.end(),
    }
    let by = if end == MemberEnd::Gone { EndedBy::Client } else { EndedBy::Server };
    feed.set_end(SocketEnd { code: None, by });
    feed.finish().await;
}

impl Stream {
    async fn run(&mut self) -> MemberEnd {
        loop {
            if let Err(end) = self.member.write_pending().await {
                return end;
            }
            tokio::select! {
                () = self.sink.gone() => return MemberEnd::Gone,
                () = self.sink.has_room(), if self.member.has_output() => {}
                () = self.member.ready() => {}
            }
        }
    }
}
