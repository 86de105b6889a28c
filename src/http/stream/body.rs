//! The buffer between the fan-out and a response body.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::sync::Notify;

use crate::world::FrameSink;

/// The capacity of the buffer, in bytes. The kernel buffers further bytes.
const CAPACITY: usize = 64 << 10;

/// The sink of a stream's bytes.
#[derive(Debug, Default)]
pub(super) struct StreamSink {
    buffer: Mutex<Buffer>,
    /// Notified when the buffer has room again, or the client is gone.
    taken: Notify,
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: BytesMut,
    state: State,
    /// The task that waits for bytes of the body.
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Open,
    /// The body ends after the buffered bytes.
    Ended,
    /// The connection breaks off after the buffered bytes.
    Broken,
    /// The connection breaks off, and the body has returned all buffered bytes.
    Drained,
    /// The body was dropped.
    Gone,
}

impl StreamSink {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Buffers as many bytes as there is room for and returns their number.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if the buffer is full, [`io::ErrorKind::BrokenPipe`] if the stream is no longer
    /// open.
    pub(super) fn take(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.lock();
        if buffer.state != State::Open {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = CAPACITY.saturating_sub(buffer.bytes.len()).min(bytes.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer.bytes.extend_from_slice(&bytes[..count]);
        let waker = buffer.waker.take();
        drop(buffer);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(count)
    }

    /// Ends the body after the buffered bytes.
    pub(super) fn end(&self) {
        self.finish(State::Ended);
    }

    /// Breaks off the body after the buffered bytes.
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

    /// Waits until the buffer has room.
    pub(super) async fn has_room(&self) {
        loop {
            let taken = self.taken.notified();
            if self.lock().bytes.len() < CAPACITY {
                return;
            }
            taken.await;
        }
    }

    /// Waits until the body is dropped.
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

/// Tracks whether a response is still streaming, in which case its connection is not idle. The default never streams.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Streaming(Weak<()>);

impl Streaming {
    /// Whether the response is still streaming.
    pub(in crate::http) fn is_open(&self) -> bool {
        self.0.strong_count() > 0
    }
}

/// The response body of a stream.
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
            // hyper writes returned bytes while the body is pending, but drops them if the body fails, so fail one poll
            // later.
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
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use futures_util::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn bytes_buffered_before_a_break_are_written_before_it() {
        let sink = Arc::new(StreamSink::default());
        let (mut body, _) = StreamBody::of(sink.clone());
        assert_eq!(sink.take(b"data: 1\n\n").unwrap(), 9);
        sink.break_off();
        let bytes = body.next().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!(bytes, "data: 1\n\n");
        // The connection writes its buffered bytes while the body is pending.
        assert!(body.next().now_or_never().is_none());
        let error = body.next().now_or_never().unwrap().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_body_ends_after_the_buffered_bytes() {
        let sink = Arc::new(StreamSink::default());
        let (mut body, streaming) = StreamBody::of(sink.clone());
        assert_eq!(sink.take(b"data: 1\n\n").unwrap(), 9);
        sink.end();
        assert!(body.next().now_or_never().unwrap().unwrap().is_ok());
        assert!(body.next().now_or_never().unwrap().is_none());
        assert!(streaming.is_open());
        drop(body);
        assert!(!streaming.is_open());
    }
}
