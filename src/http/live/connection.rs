//! A socket's connection to its client.
//!
//! The socket's task handles the frames that the client sends. It leaves most of the writing to the world's fan-out,
//! which writes each published frame to all sockets in one pass. The task writes what the fan-out could not write, and
//! what only this client receives, such as a pong. [`Subscription`] says which of the two may write.

mod closing;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use tracing::warn;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, Utf8Bytes};

use super::message::{ClientMessage, Excerpt};
use super::polling::{Handover, Probe};
use crate::engine::Frame;
use crate::http::App;
use crate::http::upgrade::Upgraded;
use crate::http::wire::read_available;
use crate::websocket::{Encoded, Reader, Violation, concat_frames};
use crate::world::{EncodedBatch, FrameSink, Payload, SocketClose, Subscription, WorldError};

/// The maximum number of bytes per read from a client.
const READ_SIZE: usize = 4096;

/// The number of unhandled bytes from the client at which a frozen socket stops reading.
const MAX_UNREAD: usize = 64 << 10;

/// How long a peer may take to answer a close frame, or to read what was written before it.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// An open socket with its connection, as its task sees it.
pub(super) struct Connection {
    stream: Arc<TcpStream>,
    reader: Reader,
    pub(super) feed: Subscription,
    /// The bytes to write next. While there are any, nothing is read from the client.
    output: Bytes,
    /// The number of frames from the feed in the output. They count as written once all of it is.
    frames: u64,
    /// Fires when the socket ends although the client has not read everything; `None` until an end is requested.
    close_timer: Option<Pin<Box<Sleep>>>,
    pub(super) app: Arc<App>,
    /// Held while the socket is open.
    _permit: Arc<OwnedSemaphorePermit>,
}

/// How [`Connection::exchange`] ended.
#[derive(Debug)]
pub(super) enum SocketClosure {
    /// The client closed the socket, with this frame.
    ClosedByClient(Option<CloseFrame>),
    /// The connection was lost.
    Gone,
    /// The client violated the protocol.
    Violated(Violation),
    /// The server closes the socket, with this frame.
    ClosedByServer(CloseFrame),
    /// The server resets the connection.
    Reset,
    /// The client fell behind, and missed frames that cannot be replaced by the current state.
    Behind,
}

impl SocketClosure {
    fn going_away(reason: &'static str) -> Self {
        Self::ClosedByServer(CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static(reason) })
    }
}

impl From<WorldError> for SocketClosure {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Behind => Self::Behind,
            _ => Self::going_away("the world has ended"),
        }
    }
}

/// The fan-out writes with the bare system call. Tokio would first look up whether the socket was full, a cache miss
/// that costs 3 % of a delivery. If the socket is full, the next write by its task makes Tokio notice.
impl FrameSink for TcpStream {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        SockRef::from(self).send(bytes)
    }
}

impl Connection {
    /// Opens a socket on an upgraded connection.
    pub(super) fn new(upgraded: Upgraded, feed: Subscription, app: Arc<App>) -> Self {
        // `buffered` is a view of an 8 KiB buffer, which is freed here.
        let Upgraded { stream, buffered, permit } = upgraded;
        feed.connect(stream.clone());
        let mut reader = Reader::new(app.limits.message);
        reader.push(&buffered);
        Self { stream, reader, feed, output: Bytes::new(), frames: 0, close_timer: None, app, _permit: permit }
    }

    /// Opens a socket that continues a polling session.
    pub(super) fn taking_over(probe: Probe, handover: Handover, app: Arc<App>) -> Self {
        let Probe { stream, reader, permit } = probe;
        let Handover { feed, output, frames } = handover;
        Self { stream, reader, feed, output, frames, close_timer: None, app, _permit: permit }
    }

    /// Writes the feed to the client and handles the client's messages, until one of the two ends.
    ///
    /// # Errors
    /// Always, with how the exchange ended.
    pub(super) async fn exchange(&mut self) -> Result<Infallible, SocketClosure> {
        loop {
            // Boxed, so that an idle socket does not keep the memory of the steps. What steps rarely do is boxed apart:
            // allocators handle up to a kibibyte from a cache of the thread.
            Box::pin(self.run_steps()).await?;
            self.wait().await?;
        }
    }

    /// Returns how the socket is to end; `None` if it stays open. [`Connection::wait`] returns when this changes.
    fn requested_end(&self) -> Option<SocketClosure> {
        if self.feed.is_reset() {
            return Some(SocketClosure::Reset);
        }
        if let Some(SocketClose { code, reason }) = self.feed.closing() {
            return Some(SocketClosure::ClosedByServer(CloseFrame {
                code: code.into(),
                reason: Utf8Bytes::from(&*reason),
            }));
        }
        if self.app.shutdown.is_cancelled() {
            return Some(SocketClosure::going_away("the server is shutting down"));
        }
        self.feed.is_ended().then(|| WorldError::Ended.into())
    }

    /// Returns whether the client has had [`CLOSE_TIMEOUT`] to read what was pending. The first call starts the timer.
    fn close_time_is_up(&mut self) -> bool {
        let timer = self.close_timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
        timer.deadline() <= Instant::now()
    }

    /// Makes progress until there is nothing left to do without waiting for the client.
    async fn run_steps(&mut self) -> Result<(), SocketClosure> {
        loop {
            self.write_pending().await?;
            if !self.output.is_empty() || self.feed.is_frozen() {
                return Ok(());
            }
            loop {
                let Some(message) = self.reader.message().map_err(SocketClosure::Violated)? else { return Ok(()) };
                self.handle(message).await?;
                // While the fan-out writes, `write_pending` has nothing to do: an end or a fault wakes the task.
                if !self.output.is_empty() || !self.feed.is_delegated() {
                    break;
                }
            }
        }
    }

    /// Writes what is pending, as far as the client accepts it. Once nothing is pending, delegates to the fan-out, or
    /// fails with the requested end: everything published before that end is written first.
    async fn write_pending(&mut self) -> Result<(), SocketClosure> {
        loop {
            let mut end = self.requested_end();
            if end.is_some() {
                // From here on, only the task writes, whatever woke it.
                self.reclaim();
            }
            if let Some(end) = end.take_if(|_| self.close_time_is_up()) {
                return Err(end);
            }
            self.feed.follow_faults().await?;
            if self.feed.is_frozen() {
                return Ok(());
            }
            if self.feed.takes_ping() {
                self.queue(Encoded::message(&Message::Ping(Bytes::new())).frame());
            }
            if !self.flush()? {
                // Wait for a slow client only if it will be able to catch up.
                if end.is_none() {
                    self.feed.expect_next().await?;
                }
                return Ok(());
            }
            match (self.feed.next().await?, end) {
                (Some(EncodedBatch { bytes, messages }), _) => (self.output, self.frames) = (bytes, messages),
                (None, Some(end)) => return Err(end),
                (None, None) if self.feed.delegate() || self.feed.is_parked() => return Ok(()),
                (None, None) => {}
            }
            // A client that reads as fast as values are published must not monopolize the thread.
            tokio::task::consume_budget().await;
        }
    }

    /// Writes the output. Returns whether all of it was written.
    fn flush(&mut self) -> Result<bool, SocketClosure> {
        while !self.output.is_empty() {
            match self.stream.try_write(&self.output) {
                Ok(count) => self.output.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(_) => return Err(SocketClosure::Gone),
            }
        }
        self.output = Bytes::new();
        if self.frames > 0 {
            self.feed.record_written(std::mem::take(&mut self.frames));
        }
        Ok(true)
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Result<(), SocketClosure> {
        let is_frozen = self.feed.is_frozen();
        // A frozen socket still notices that its client leaves, unless the client has sent too much before.
        let is_listening = self.output.is_empty() || is_frozen;
        let is_full = is_frozen && self.reader.waiting() >= MAX_UNREAD;
        // Unlike `ready()`, these replace the waker that the stream still holds from reading the handshake. That waker
        // would keep the memory of its task, 3 KiB per socket.
        let ready = poll_fn(|context| {
            if is_listening { self.stream.poll_read_ready(context) } else { self.stream.poll_write_ready(context) }
        });
        tokio::select! {
            ready = ready, if !is_full => match ready {
                Ok(()) if is_listening => self.read(),
                Ok(()) => Ok(()),
                Err(_) => Err(SocketClosure::Gone),
            },
            () = self.feed.wait_to_reclaim(self.output.is_empty()) => {
                self.reclaim();
                Ok(())
            }
            () = elapsed(&mut self.close_timer) => Ok(()),
        }
    }

    /// Reads what has arrived. The buffer is on the stack, so that idle sockets do not need one.
    fn read(&mut self) -> Result<(), SocketClosure> {
        let mut space = [MaybeUninit::uninit(); READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        match read_available(&self.stream, &mut buffer) {
            Ok(0) => Err(SocketClosure::Gone),
            Ok(_) => {
                self.reader.push(buffer.filled());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(SocketClosure::Gone),
        }
    }

    /// Takes the writing back from the fan-out, and what it could not write.
    fn reclaim(&mut self) {
        let EncodedBatch { bytes, messages } = self.feed.reclaim();
        self.queue(&bytes);
        self.frames += messages;
    }

    /// Appends bytes to the output.
    fn queue(&mut self, bytes: &Bytes) {
        self.output = concat_frames(&self.output, bytes);
    }

    async fn handle(&mut self, message: Message) -> Result<(), SocketClosure> {
        match message {
            Message::Text(text) if self.feed.has_endpoint() => {
                let payload = Payload::new(text.clone().into());
                self.apply_rules(Frame::Text(text.as_str().into()), payload).await
            }
            Message::Binary(bytes) if self.feed.has_endpoint() => {
                self.apply_rules(Frame::Binary((*bytes).into()), Payload::binary(bytes)).await
            }
            Message::Text(text) => {
                self.feed.received(Payload::new(text.clone().into()));
                Box::pin(self.carry_out(text.as_bytes())).await
            }
            Message::Binary(bytes) => {
                // Commands may be binary, so the journal shows them as the same text.
                self.feed.received(Payload::new(bytes.clone()));
                Box::pin(self.carry_out(&bytes)).await
            }
            Message::Ping(bytes) => {
                // Earlier messages are answered before the ping.
                Box::pin(self.feed.flush_frames()).await?;
                self.reclaim();
                self.queue(Encoded::message(&Message::Pong(bytes)).frame());
                Ok(())
            }
            Message::Close(frame) => Err(SocketClosure::ClosedByClient(frame)),
            Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Passes a frame to the rules of the endpoint.
    async fn apply_rules(&mut self, frame: Frame, payload: Payload) -> Result<(), SocketClosure> {
        if self.feed.ignores_frame() {
            self.feed.received(payload);
            return Ok(());
        }
        Ok(self.feed.queue_frame(frame, payload).await?)
    }

    /// Carries out a message on a socket that has no endpoint. An invalid message is logged, and the socket stays open.
    async fn carry_out(&mut self, message: &[u8]) -> Result<(), SocketClosure> {
        if self.feed.ignores_frame() {
            return Ok(());
        }
        match ClientMessage::read(message) {
            Ok(ClientMessage::Switch { collection }) => {
                self.reclaim();
                Ok(self.feed.switch(&collection).await?)
            }
            Err(error) => {
                warn!(received = %Excerpt(message), %error, "WebSocket message ignored");
                Ok(())
            }
        }
    }
}

/// Waits for a timer, or forever if there is none.
async fn elapsed(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.as_mut().await,
        None => std::future::pending().await,
    }
}
