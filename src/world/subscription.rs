//! One socket's view of the feed.
//!
//! A socket has a task of its own for what comes from its client. To write, a cursor in the feed is needed, and there is
//! one: mostly it is lent to the world's fan-out, which writes to all sockets in one go. The task takes it back when it has
//! something to write itself (another category's orders, a pong, a closing frame), or when the fan-out could not write
//! everything, and lends it again when the socket is up to date.

mod faulted;
mod joined;

use std::sync::Arc;
use std::time::Duration;

use tungstenite::protocol::CloseFrame;

use super::batch::{Batch, Cursor, FRAMES_AT_ONCE};
use super::fanout::{Lent, Outlet};
use super::feed::notice;
use super::journal::{Payload, Record};
use super::socket::Socket;
use super::tamper::{Passing, Tamper};
use super::{Portion, World, WorldError};
pub(super) use joined::Joined;

/// One socket's view of the feed. The world counts it as an open socket until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    world: World,
    socket: Arc<Socket>,
    /// Unless it is lent.
    cursor: Option<Cursor>,
    /// Handed out before anything else of the feed.
    waiting: Vec<Passing>,
    /// The faults that hit the socket, if any do.
    tamper: Option<Box<Tamper>>,
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

impl Subscription {
    pub(super) fn new(world: World, socket: Arc<Socket>, notices: bool, joined: &Joined) -> Self {
        let Joined { sequence, position, .. } = joined;
        let cursor = Cursor { position: *position, seen: *sequence, category: socket.category(), notices };
        let waiting = joined.passing();
        let mut subscription = Self { world, socket, cursor: Some(cursor), waiting, tamper: None, end: None };
        // Those that are in force now hit its current orders, also if they are over by the time these are written.
        while subscription.take_turn() {}
        subscription
    }

    /// Says where the socket's bytes go, so that it can be lent.
    pub fn connect(&self, outlet: Arc<dyn Outlet>) {
        // There is one connection for each socket.
        let _ = self.socket.outlet.set(outlet);
    }

    /// The frames that wait, up to a bound, in order; none if it is lent.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn next(&mut self) -> Result<Option<Portion>, WorldError> {
        if self.tamper.is_some() {
            return self.tampered().await;
        }
        loop {
            if !self.waiting.is_empty() {
                let frames = self.before_turn();
                return Ok((!frames.is_empty()).then(|| Portion::of(frames.iter().map(|passing| &passing.frame))));
            }
            let batch = self.read();
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            match batch {
                Some(batch) if batch.is_empty() => return Ok(None),
                Some(mut batch) => match batch.portion(cursor, self.socket.id) {
                    portion if portion.frames > 0 => return Ok(Some(portion.clone())),
                    _ => self.wrote(0),
                },
                None => self.catch_up().await?,
            }
        }
    }

    /// What comes next in the feed, so much at once; `None` if its place is not there any more, or it is lent.
    fn read(&self) -> Option<Batch> {
        let from = self.cursor.as_ref()?.position;
        loop {
            let last = self.readable();
            let batch = Batch::read(self.world.feed(), from, FRAMES_AT_ONCE, last);
            // If faults have turned meanwhile, or the socket is to end, it may be beyond that.
            if self.readable() >= last {
                return batch;
            }
        }
    }

    /// What was handed out is written: so many frames.
    pub fn wrote(&self, frames: u64) {
        if let Some(position) = self.position() {
            // Where faults have turned, it is once it has followed.
            let turn = self.socket.next_turn().unwrap_or(u64::MAX);
            self.world.sockets().wrote(&self.socket, frames, position.min(turn.saturating_sub(1)));
        }
    }

    /// The position in the feed of what comes next, unless it is lent.
    fn position(&self) -> Option<u64> {
        let cursor = self.cursor.as_ref()?.position;
        Some(self.waiting.first().map_or(cursor, |next| next.position.min(cursor)))
    }

    /// Lends its cursor to the fan-out, if nothing waits for the socket. Says whether it is lent.
    pub fn lend(&mut self) -> bool {
        let Some(cursor) = self.cursor.take() else { return true };
        let mut lent = self.socket.lent();
        // Under the lock: what is published from here on finds it lent.
        let is_done = self.waiting.is_empty() && cursor.position >= self.world.feed().end();
        if is_done && !self.socket.is_special() && self.tamper.is_none() && self.socket.outlet.get().is_some() {
            // Also what needed no frame: whoever waits for the socket sees that it is there.
            self.world.sockets().wrote(&self.socket, 0, cursor.position);
            *lent = Some(Lent { cursor, rest: None });
            return true;
        }
        self.cursor = Some(cursor);
        false
    }

    /// Takes its cursor back, and gives what the fan-out could not write.
    pub fn recall(&mut self) -> Portion {
        let Some(lent) = self.socket.lent().take() else { return Portion::default() };
        self.cursor = Some(lent.cursor);
        lent.rest.map(|rest| *rest).unwrap_or_default()
    }

    /// Waits until it is to be recalled: the fan-out could not write everything, or the socket, its world or the server is
    /// at its end. If there is room to write, also until the time has come for what faults held back.
    pub async fn told(&self, has_room: bool) {
        let due = self.tamper.as_ref().filter(|_| has_room).and_then(|tamper| tamper.next_due());
        match due {
            None => self.socket.told.notified().await,
            // In a box: a socket that no fault hits has no need of the space.
            Some(due) => Box::pin(self.told_or_reached(due)).await,
        }
    }

    async fn told_or_reached(&self, due: Duration) {
        tokio::select! {
            () = self.socket.told.notified() => {}
            () = self.world.reached(due) => {}
        }
    }

    /// The category whose orders the socket gets.
    #[must_use]
    pub fn category(&self) -> Arc<str> {
        self.socket.category()
    }

    /// The closing frame that the socket is to end with, if it is to, whether it has got everything or not.
    #[must_use]
    pub fn closing(&self) -> Option<CloseFrame> {
        self.socket.closing()
    }

    /// Whether its world has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.world.is_ended()
    }

    /// A frame came from the client.
    pub fn received(&self, payload: Payload) {
        self.socket.received.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.world.record(Record::Received { socket: self.socket.id, payload });
    }

    /// Says how the socket ended, for the journal.
    pub fn ends(&mut self, end: SocketEnd) {
        self.end = Some(end);
    }

    /// Switches to another category: its current orders come next, after the live frames from before them. Does nothing
    /// while it is lent.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn switch(&mut self, category: &str) -> Result<(), WorldError> {
        loop {
            let joined = self.world.switch(&self.socket, category).await?;
            // Up to here the frames are meant for the category of before.
            while let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.position < joined.position) {
                match Batch::read(self.world.feed(), cursor.position, usize::MAX, joined.position) {
                    Some(batch) => self.waiting.extend(batch.frames(cursor, self.socket.id)),
                    None => self.catch_up().await?,
                }
            }
            let Some(cursor) = &mut self.cursor else { return Ok(()) };
            // One that had fallen behind has got totals that are newer than the current orders at hand.
            if cursor.position == joined.position {
                cursor.seen = joined.sequence;
                cursor.category = category.into();
                self.waiting.extend(joined.passing());
                self.world.handed(&self.socket, &joined.frames);
                return Ok(());
            }
        }
    }

    /// Gets current totals instead of what is no longer in the feed.
    async fn catch_up(&mut self) -> Result<(), WorldError> {
        let seen = self.cursor.as_ref().map(|cursor| cursor.seen);
        self.bring_up_to_date(seen).await
    }

    /// Gets the totals that changed after an event; without one, everything.
    async fn bring_up_to_date(&mut self, seen: Option<u64>) -> Result<(), WorldError> {
        let Some(cursor) = &mut self.cursor else { return Ok(()) };
        let current = self.world.catch_up(&self.socket, seen, cursor.position).await?;
        // What is still there of the feed, and may be no total, comes first.
        while cursor.position < current.position
            && let Some(batch) = Batch::read(self.world.feed(), cursor.position, usize::MAX, current.position)
        {
            self.waiting.extend(batch.frames(cursor, self.socket.id));
        }
        cursor.seen = current.sequence;
        cursor.position = current.position;
        let notice = cursor.notices.then(notice);
        // Only now is it sure that they are handed out.
        self.world.caught_up(&self.socket, &current.frames);
        self.waiting.extend(current.passing());
        self.waiting.extend(notice.map(|notice| current.pass(notice)));
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        drop(self.recall());
        let end = self.end.take().unwrap_or(SocketEnd { code: None, by: EndedBy::Client });
        self.world.leave(&self.socket, end);
    }
}
