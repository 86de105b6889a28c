//! Server-sent events (HTML, 9.2): an answer whose body goes on for as long as its rule has something to say.
//!
//! A stream is a member of its world's feed as a socket is, with the same fan-out and the same bound: the fan-out writes into
//! a small buffer, from which the body is sent. One that does not take what comes, and is further behind than the feed reaches
//! back, gets what is so now once it does; it is ended at once if it has missed what has no state, and the journal says so. Its
//! client may still read what was on the way to it, until the connection of a peer that takes nothing counts as gone.

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

/// Makes of an answer without a body one that streams, and starts the stream's task.
pub(super) fn stream(app: &Arc<App>, feed: Subscription, mut response: Response) -> Response {
    let sink = Arc::new(StreamSink::default());
    let member = BufferedMember::new(feed, sink.clone(), app.clone());
    let (body, streaming) = StreamBody::of(sink.clone());
    response.set_body(Body::from_bytes_stream(body));
    let response = marked(response, streaming);
    app.tasks.spawn(serve(Stream { sink, member }));
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
    member: BufferedMember,
}

/// One stream to its end.
async fn serve(mut stream: Stream) {
    let end = stream.run().await;
    debug!(?end, "stream ended");
    let (mut feed, _) = stream.member.into_parts();
    match end {
        MemberEnd::Reset => stream.sink.break_off(),
        _ => stream.sink.end(),
    }
    let by = if end == MemberEnd::Gone { EndedBy::Client } else { EndedBy::Server };
    feed.ends(SocketEnd { code: None, by });
}

impl Stream {
    async fn run(&mut self) -> MemberEnd {
        loop {
            if let Err(end) = self.member.put_out().await {
                return end;
            }
            tokio::select! {
                () = self.sink.gone() => return MemberEnd::Gone,
                () = self.sink.has_room(), if self.member.has_output() => {}
                () = self.member.woken() => {}
            }
        }
    }
}
