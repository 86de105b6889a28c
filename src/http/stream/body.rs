//! The buffer between the fan-out and the body of an answer.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::sync::Notify;

use crate::world::FrameSink;

/// Bytes that may wait for the client in the buffer, beside those that the kernel holds.
const ROOM: usize = 64 << 10;

/// Where a stream's bytes go.
#[derive(Debug, Default)]
pub(super) struct StreamSink {
    buffer: Mutex<Buffer>,
    /// Told when there is room again, or the client is gone.
    taken: Notify,
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: BytesMut,
    state: State,
    /// The body that waits for bytes.
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Open,
    /// What is in the buffer is the last of it.
    Ended,
    /// The connection is to break off after what is in the buffer.
    Broken,
    /// The same, and all of the buffer is handed out.
    Drained,
    /// Nobody reads any more.
    Gone,
}

impl StreamSink {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is room for.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] without room, another if the client is gone.
    pub(super) fn take(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.lock();
        if buffer.state != State::Open {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = ROOM.saturating_sub(buffer.bytes.len()).min(bytes.len());
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer.bytes.extend_from_slice(&bytes[..room]);
        let waker = buffer.waker.take();
        drop(buffer);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(room)
    }

    /// Ends the body after what is in the buffer.
    pub(super) fn end(&self) {
        self.finish(State::Ended);
    }

    /// Breaks the body off.
    pub(super) fn break_off(&self) {
        self.finish(State::Broken);
    }

    fn finish(&self, state: State) {
        let mut buffer = self.lock();
        if buffer.state == State::Open {
            buffer.state = state;
        }
        if let Some(waker) = buffer.waker.take() {
            waker.wake();
        }
    }

    /// Waits until there is room.
    pub(super) async fn has_room(&self) {
        loop {
            let taken = self.taken.notified();
            if self.lock().bytes.len() < ROOM {
                return;
            }
            taken.await;
        }
    }

    /// Waits until nobody reads any more.
    pub(super) async fn gone(&self) {
        loop {
            let taken = self.taken.notified();
            if self.lock().state == State::Gone {
                return;
            }
            taken.await;
        }
    }
}

impl FrameSink for StreamSink {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes)
    }
}

/// Says whether an answer still streams: its connection is not idle then. The default is one that never did.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Streaming(Weak<()>);

impl Streaming {
    /// Whether it does.
    pub(in crate::http) fn goes_on(&self) -> bool {
        self.0.strong_count() > 0
    }
}

/// The body.
pub(super) struct StreamBody {
    sink: Arc<StreamSink>,
    _open: Arc<()>,
}

impl StreamBody {
    pub(super) fn of(sink: Arc<StreamSink>) -> (Self, Streaming) {
        let open = Arc::new(());
        let streaming = Streaming(Arc::downgrade(&open));
        (Self { sink, _open: open }, streaming)
    }
}

impl Stream for StreamBody {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let mut buffer = self.sink.lock();
        if !buffer.bytes.is_empty() {
            let bytes = buffer.bytes.split().freeze();
            drop(buffer);
            self.sink.taken.notify_waiters();
            return Poll::Ready(Some(Ok(bytes)));
        }
        match buffer.state {
            State::Ended => return Poll::Ready(None),
            State::Drained => return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            // What was handed out is written while the body is pending, and dropped at an error.
            State::Broken => {
                buffer.state = State::Drained;
                context.waker().wake_by_ref();
            }
            State::Open | State::Gone => buffer.waker = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.sink.lock().state = State::Gone;
        self.sink.taken.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use futures_util::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn what_came_before_a_break_is_written_before_it() {
        let sink = Arc::new(StreamSink::default());
        let (mut body, _) = StreamBody::of(sink.clone());
        assert_eq!(sink.take(b"data: 1\n\n").unwrap(), 9);
        sink.break_off();
        let bytes = body.next().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!(bytes, "data: 1\n\n");
        // While it is pending, the connection writes what it has.
        assert!(body.next().now_or_never().is_none());
        let error = body.next().now_or_never().unwrap().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_body_ends_after_what_is_in_the_buffer() {
        let sink = Arc::new(StreamSink::default());
        let (mut body, streaming) = StreamBody::of(sink.clone());
        assert_eq!(sink.take(b"data: 1\n\n").unwrap(), 9);
        sink.end();
        assert!(body.next().now_or_never().unwrap().unwrap().is_ok());
        assert!(body.next().now_or_never().unwrap().is_none());
        assert!(streaming.goes_on());
        drop(body);
        assert!(!streaming.goes_on());
    }
}
