//! One socket's view of the feed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::feed::{Frame, Read, notice};
use super::journal::{Payload, Record};
use super::sockets::Socket;
use super::{World, WorldError};

/// Frames that are handed to a socket at once.
const FRAMES_AT_ONCE: usize = 256;

/// What the task gives to a socket that joins, switches, or has fallen behind.
#[derive(Debug)]
pub(super) struct Joined {
    /// The number of the last event that is in the frames.
    pub(super) sequence: u64,
    /// Where to read on in the feed.
    pub(super) position: u64,
    pub(super) frames: Vec<Utf8Bytes>,
}

/// One socket's view of the feed. The world counts it as an open socket until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    world: World,
    socket: Arc<Socket>,
    notices: bool,
    category: Arc<str>,
    /// The position in the feed of the next frame to look at.
    position: u64,
    /// The number of the last event that is in what was handed out.
    seen: u64,
    /// Handed out with the next batch.
    waiting: Vec<Message>,
    end: Option<SocketEnd>,
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEnd {
    /// The close code that was sent or received (RFC 6455, 7.4); none if the connection just ended.
    pub code: Option<u16>,
    /// Whose doing it was.
    pub by: EndedBy,
}

/// Who ended a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The client closed it, or broke it off.
    Client,
    /// The server closed it.
    Server,
}

/// What a socket gets next.
#[derive(Debug)]
pub enum Next {
    /// Frames, in order.
    Frames(Vec<Message>),
    /// Everything was handed out, and the socket is to be closed.
    Close(CloseFrame),
}

impl Subscription {
    pub(super) fn new(world: World, socket: Arc<Socket>, notices: bool, joined: Joined) -> Self {
        let Joined { sequence, position, frames } = joined;
        let waiting = frames.into_iter().map(Message::Text).collect();
        let category = socket.category();
        Self { world, socket, notices, category, position, seen: sequence, waiting, end: None }
    }

    /// Waits until there are frames and gives all that wait, up to a bound, in order. Safe to cancel: what was not
    /// given is given by the next call.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn next(&mut self) -> Result<Next, WorldError> {
        loop {
            let world = self.world.clone();
            let published = world.feed().published();
            let before = self.position;
            self.take(FRAMES_AT_ONCE, u64::MAX).await?;
            if !self.waiting.is_empty() {
                return Ok(Next::Frames(std::mem::take(&mut self.waiting)));
            }
            if self.position > self.socket.position.load(Ordering::SeqCst) {
                self.wrote(0);
            }
            if self.position > before {
                continue;
            }
            if let Some(frame) = self.socket.closing() {
                return Ok(Next::Close(frame));
            }
            tokio::select! {
                () = published => {}
                _ = self.socket.asked_to_close() => {}
                () = world.ended() => return Err(WorldError::Ended),
            }
        }
    }

    /// What was handed out is written: so many frames.
    pub fn wrote(&self, frames: u64) {
        self.world.sockets().wrote(&self.socket, frames, self.position);
    }

    /// A frame came from the client.
    pub fn received(&self, payload: Payload) {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        self.world.record(Record::Received { socket: self.socket.id, payload });
    }

    /// What tells when the socket is to be closed, whether it has got everything or not.
    #[must_use]
    pub fn closing(&self) -> Closing {
        Closing(self.socket.clone())
    }

    /// Says how the socket ended, for the journal.
    pub fn ends(&mut self, end: SocketEnd) {
        self.end = Some(end);
    }

    /// Switches to another category: its current orders come next, after the live frames from before them.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn switch(&mut self, category: &str) -> Result<(), WorldError> {
        loop {
            let joined = self.world.switch(&self.socket, category).await?;
            // Up to here the frames are meant for the category of before.
            while self.position < joined.position {
                self.take(usize::MAX, joined.position).await?;
            }
            // One that had fallen behind has got totals that are newer than the current orders at hand.
            if self.position == joined.position {
                self.world.handed(&self.socket, &joined.frames);
                self.seen = joined.sequence;
                self.category = category.into();
                self.waiting.extend(joined.frames.into_iter().map(Message::Text));
                return Ok(());
            }
        }
    }

    /// Takes frames from the feed: so many at the most, and those before that position.
    async fn take(&mut self, most: usize, last: u64) -> Result<(), WorldError> {
        match self.world.feed().read(self.position, most, last) {
            Read::Frames(frames, position) => {
                for frame in frames {
                    self.hand(frame);
                }
                self.position = position;
            }
            Read::Behind => {
                let current = self.world.catch_up(&self.socket, self.seen, self.position).await?;
                // Only now is it sure that they are handed out.
                self.world.caught_up(&self.socket, &current.frames);
                self.waiting.extend(current.frames.into_iter().map(Message::Text));
                if self.notices {
                    self.waiting.push(Message::Text(notice()));
                }
                self.seen = current.sequence;
                self.position = current.position;
            }
        }
        Ok(())
    }

    fn hand(&mut self, frame: Frame) {
        match frame {
            Frame::Order { sequence, only, text } => {
                self.seen = sequence;
                if only.is_none_or(|category| category == self.category) {
                    self.waiting.push(Message::Text(text));
                }
            }
            Frame::Notice if self.notices => self.waiting.push(Message::Text(notice())),
            Frame::Notice => {}
            Frame::Fresh { sequence, orders } => {
                self.seen = sequence;
                let orders = orders.get(&self.category).into_iter().flatten();
                self.waiting.extend(orders.cloned().map(Message::Text));
            }
            Frame::Raw { socket, message } => {
                if socket.is_none_or(|id| id == self.socket.id) {
                    self.waiting.push(message);
                }
            }
        }
    }
}

/// Tells when a socket is to be closed.
#[derive(Debug)]
pub struct Closing(Arc<Socket>);

impl Closing {
    /// Waits until it is to be closed, and gives the closing frame.
    pub async fn asked(&self) -> CloseFrame {
        self.0.asked_to_close().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let end = self.end.take().unwrap_or(SocketEnd { code: None, by: EndedBy::Client });
        self.world.leave(&self.socket, end);
    }
}
