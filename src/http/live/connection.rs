//! A socket's connection to its end: what comes from the client, and what the fan-out leaves to it.

mod closing;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
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
use crate::websocket::{Encoded, Reader, Violation, put_together};
use crate::world::{EncodedBatch, FrameSink, Payload, SocketClose, Subscription, WorldError};

/// Bytes that are read from a client at once.
const READ_AT_ONCE: usize = 4096;

/// Bytes that are kept of what a client says to a frozen socket.
const UNREAD: usize = 64 << 10;

/// How long a peer may take to answer a closing frame, or to read up to it.
const CLOSING_TIME: Duration = Duration::from_millis(500);

/// An open socket with its connection.
pub(super) struct Connection {
    stream: Arc<TcpStream>,
    reader: Reader,
    pub(super) feed: Subscription,
    /// What is still to be written. While there is some, the client is not listened to.
    output: Bytes,
    /// Frames of the feed that are written once the output is.
    frames: u64,
    /// Once it is told to end: when it does, whether the client has read everything or not.
    overdue: Option<Pin<Box<Sleep>>>,
    pub(super) app: Arc<App>,
    /// Held as long as the socket is open.
    _permit: Arc<OwnedSemaphorePermit>,
}

/// How an exchange ended.
#[derive(Debug)]
pub(super) enum SocketClosure {
    /// The client asked for it, with this frame.
    Closed(Option<CloseFrame>),
    /// The connection is gone.
    Gone,
    /// The client broke the protocol.
    Violated(Violation),
    /// The server is to close it.
    Asked(CloseFrame),
    /// The server is to break it off.
    Reset,
    /// The client has not taken what came for it, and has missed what cannot be made up for.
    Behind,
}

impl SocketClosure {
    fn away(reason: &'static str) -> Self {
        Self::Asked(CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static(reason) })
    }
}

impl From<WorldError> for SocketClosure {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Behind => Self::Behind,
            _ => Self::away("the world has ended"),
        }
    }
}

/// A stream as the fan-out sees it: the system call alone. Tokio would first look into its own record of the socket, one
/// more place in memory that is not in the cache, 3 % of a delivery. If the socket is full, the next write of its task
/// lets tokio know.
impl FrameSink for TcpStream {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        SockRef::from(self).send(bytes)
    }
}

impl Connection {
    /// A socket on a connection.
    pub(super) fn new(upgraded: Upgraded, feed: Subscription, app: Arc<App>) -> Self {
        // What was read already is a view of a buffer of 8 KiB, which is let go here.
        let Upgraded { stream, begun, permit } = upgraded;
        feed.connect(stream.clone());
        let mut reader = Reader::new(app.limits.message);
        reader.push(&begun);
        Self { stream, reader, feed, output: Bytes::new(), frames: 0, overdue: None, app, _permit: permit }
    }

    /// A socket that goes on with a session which its client has polled for.
    pub(super) fn taking_over(probe: Probe, handover: Handover, app: Arc<App>) -> Self {
        let Probe { stream, reader, permit } = probe;
        let Handover { feed, output, frames } = handover;
        Self { stream, reader, feed, output, frames, overdue: None, app, _permit: permit }
    }

    /// Gives the client what the feed gives and does what it asks, until one of the two ends.
    ///
    /// # Errors
    /// How it ended, always.
    pub(super) async fn exchange(&mut self) -> Result<Infallible, SocketClosure> {
        loop {
            // In a box, because it is over soon, and an idle socket has no need of the space.
            let has_more = Box::pin(self.step()).await?;
            if !has_more {
                self.wait().await?;
            }
        }
    }

    /// Why it is to end, if it is. Its task is told when that comes.
    fn end_asked_for(&self) -> Option<SocketClosure> {
        if self.feed.is_reset() {
            return Some(SocketClosure::Reset);
        }
        if let Some(SocketClose { code, reason }) = self.feed.closing() {
            return Some(SocketClosure::Asked(CloseFrame { code: code.into(), reason: Utf8Bytes::from(&*reason) }));
        }
        if self.app.shutdown.is_cancelled() {
            return Some(SocketClosure::away("the server is shutting down"));
        }
        self.feed.is_ended().then(|| WorldError::Ended.into())
    }

    /// Whether it was told to end long enough ago that what it has not written stays unwritten.
    fn is_overdue(&mut self) -> bool {
        let overdue = self.overdue.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSING_TIME)));
        overdue.deadline() <= Instant::now()
    }

    /// Does what can be done without waiting for the client. Says whether there may be more of that.
    async fn step(&mut self) -> Result<bool, SocketClosure> {
        self.put_out().await?;
        if !self.output.is_empty() || self.feed.is_frozen() {
            return Ok(false);
        }
        match self.reader.message().map_err(SocketClosure::Violated)? {
            Some(message) => self.take(message).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Writes what waits, as far as the client takes it. When nothing is left, the fan-out takes over, or the socket is
    /// at its end: what was published before that is not kept from it.
    async fn put_out(&mut self) -> Result<(), SocketClosure> {
        loop {
            let end = self.end_asked_for();
            if end.is_some() {
                // Whatever has woken the task, what is published by now is left to it.
                self.reclaim();
            }
            if end.is_some() && self.is_overdue() {
                return end.map_or(Ok(()), Err);
            }
            self.feed.follow_faults().await?;
            if self.feed.is_frozen() {
                return Ok(());
            }
            if self.feed.takes_ping() {
                self.queue(Encoded::message(&Message::Ping(Bytes::new())).frame());
            }
            if !self.flush()? {
                // A client that does not read is not waited for, unless it can go on later.
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
            // A client that reads as fast as values come does not keep the thread for itself.
            tokio::task::consume_budget().await;
        }
    }

    /// Writes the output. Says whether all of it is written.
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
            self.feed.wrote(std::mem::take(&mut self.frames));
        }
        Ok(true)
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Result<(), SocketClosure> {
        let is_frozen = self.feed.is_frozen();
        // A frozen socket hears all the same when its client leaves, unless it says too much before.
        let is_listening = self.output.is_empty() || is_frozen;
        let is_deaf = is_frozen && self.reader.waiting() >= UNREAD;
        // These put this task in the place of the one that has read the handshake; `ready()` would leave that one in
        // the stream, and its memory with it, 3 KiB a socket.
        let ready = poll_fn(|context| {
            if is_listening { self.stream.poll_read_ready(context) } else { self.stream.poll_write_ready(context) }
        });
        tokio::select! {
            ready = ready, if !is_deaf => match ready {
                Ok(()) if is_listening => self.read(),
                Ok(()) => Ok(()),
                Err(_) => Err(SocketClosure::Gone),
            },
            () = self.feed.woken(self.output.is_empty()) => {
                self.reclaim();
                Ok(())
            }
            () = until(&mut self.overdue) => Ok(()),
        }
    }

    /// Reads what has come. The buffer is on the stack for that time, so that idle sockets need none.
    fn read(&mut self) -> Result<(), SocketClosure> {
        let mut buffer = [0; READ_AT_ONCE];
        match read_available(&self.stream, &mut &mut buffer[..]) {
            Ok(0) => Err(SocketClosure::Gone),
            Ok(count) => {
                self.reader.push(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(SocketClosure::Gone),
        }
    }

    /// Takes over from the fan-out, with what it has not written.
    fn reclaim(&mut self) {
        let EncodedBatch { bytes, messages } = self.feed.reclaim();
        self.queue(&bytes);
        self.frames += messages;
    }

    /// Puts bytes behind what is still to be written.
    fn queue(&mut self, bytes: &Bytes) {
        self.output = put_together(&self.output, bytes);
    }

    async fn take(&mut self, message: Message) -> Result<(), SocketClosure> {
        match message {
            Message::Text(text) if self.feed.is_of_endpoint() => {
                let payload = Payload::new(text.clone().into());
                self.pass_on(Frame::Text(text.as_str().into()), payload).await
            }
            Message::Binary(bytes) if self.feed.is_of_endpoint() => {
                self.pass_on(Frame::Binary((*bytes).into()), Payload::new(bytes)).await
            }
            Message::Text(text) => {
                self.feed.received(Payload::new(text.clone().into()));
                self.obey(text.as_bytes()).await
            }
            Message::Binary(bytes) => {
                self.feed.received(Payload::new(bytes.clone()));
                self.obey(&bytes).await
            }
            Message::Ping(bytes) => {
                // What came before it is answered before it.
                self.feed.heard().await?;
                self.reclaim();
                self.queue(Encoded::message(&Message::Pong(bytes)).frame());
                Ok(())
            }
            Message::Close(frame) => Err(SocketClosure::Closed(frame)),
            Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Has the rules of the endpoint take a frame.
    async fn pass_on(&mut self, frame: Frame, payload: Payload) -> Result<(), SocketClosure> {
        if self.feed.ignores() {
            self.feed.received(payload);
            return Ok(());
        }
        Ok(self.feed.hand_in(frame, payload).await?)
    }

    /// Does what a message asks; one that makes no sense is logged, and the socket stays open.
    async fn obey(&mut self, message: &[u8]) -> Result<(), SocketClosure> {
        if self.feed.ignores() {
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

/// Waits for a time that may not be set.
async fn until(time: &mut Option<Pin<Box<Sleep>>>) {
    match time {
        Some(time) => time.as_mut().await,
        None => std::future::pending().await,
    }
}
