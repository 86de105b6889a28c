//! One socket's view of the feed.
//!
//! A socket has a task of its own for what comes from its client. Writing to a socket takes its cursor in the feed, of which
//! there is one. Mostly the task has delegated it to the world's fan-out, which writes to all sockets in one go. The task
//! reclaims the cursor when it has something to write itself (another collection's values, a pong, a closing frame) or when the
//! fan-out could not write everything, and delegates it again when the socket is up to date.
//!
//! Invariants:
//!
//! - Whoever has the cursor is the only one that writes to the socket.
//! - A delegated cursor without pending bytes has everything that the fan-out has handed out, as far as it was for the
//!   socket: it is advanced to there once it is reclaimed, so the feed still has what comes next for it.
//! - Once faults change or the socket is to end, the fan-out writes nothing more to it until its task has followed.

mod faulted;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::catch_up::NoCatchUp;
use super::changed_rows::Got;
use super::farewell::Farewell;
use super::feed::{Batch, Cursor, EncodedBatch, MAX_BATCH_ITEMS};
use super::frame_faults::FrameFaults;
use super::journal::{EndedBy, Payload, Record, SocketEnd};
use super::message::{Delivery, Encode, Message};
use super::socket::{FrameSink, Socket, SocketClose, SocketKind};
use super::{World, WorldError};
use crate::engine::Frame;

/// One socket's view of the feed. The world counts it as an open socket until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    world: World,
    socket: Arc<Socket>,
    /// `None` while it is delegated.
    cursor: Option<Cursor>,
    /// Handed out before anything else of the feed.
    waiting: Vec<Delivery>,
    /// The position in the feed up to which what it has missed was looked at: it could be brought up to date then.
    looked_at: u64,
    /// The faults that hit the socket, if any do.
    faults: Option<Box<FrameFaults>>,
    end: Option<SocketEnd>,
    /// Said after it has left, which it does when it is dropped.
    farewell: Farewell,
}

/// What a subscription begins with, and goes on with where the feed does not lead on.
#[derive(Debug)]
pub(super) struct Joined {
    /// The number of the last event that is in the messages.
    pub(super) sequence: u64,
    /// Where to read on in the feed.
    pub(super) position: u64,
    /// The world's time.
    pub(super) at: Duration,
    pub(super) messages: Arc<[Message]>,
    /// What comes after them and is in no journal.
    pub(super) notice: Option<Message>,
}

impl Joined {
    fn deliveries(&self) -> Vec<Delivery> {
        self.messages.iter().chain(&self.notice).cloned().map(|message| self.delivery(message)).collect()
    }

    fn delivery(&self, message: Message) -> Delivery {
        Delivery { message, event: None, at: self.at, position: self.position }
    }
}

impl Subscription {
    pub(super) fn new(world: World, socket: Arc<Socket>, encode: Encode, joined: &Joined) -> Self {
        let Joined { sequence, position, .. } = joined;
        let cursor = Cursor { position: *position, seen: *sequence, encode };
        let waiting = joined.deliveries();
        let (cursor, farewell) = (Some(cursor), Farewell::of(&world, &socket));
        let (looked_at, faults, end) = (*position, None, None);
        let mut subscription = Self { world, socket, cursor, waiting, looked_at, faults, end, farewell };
        // Those that are in force now hit its counter values, also if they are over by the time these are written.
        while subscription.take_transition() {}
        subscription
    }

    /// Says where the socket's bytes go, so that its cursor can be delegated.
    pub fn connect(&self, sink: Arc<dyn FrameSink>) {
        // There is one connection for each socket.
        let _ = self.socket.sink.set(sink);
    }

    /// Has another transport carry what comes next. Does nothing while its cursor is delegated.
    pub fn set_encode(&mut self, encode: Encode) {
        if let Some(cursor) = &mut self.cursor {
            cursor.encode = encode;
        }
    }

    /// The messages that wait, up to a bound, in order; none while its cursor is delegated.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn next(&mut self) -> Result<Option<EncodedBatch>, WorldError> {
        if self.faults.is_some() {
            return self.next_faulted().await;
        }
        loop {
            let Some(encode) = self.cursor.as_ref().map(|cursor| cursor.encode) else { return Ok(None) };
            if !self.waiting.is_empty() {
                let waiting = self.before_transition();
                let messages = waiting.iter().map(|delivery| &delivery.message);
                return Ok((!waiting.is_empty()).then(|| EncodedBatch::of(messages, encode)));
            }
            if self.is_at_its_end() {
                return Ok(None);
            }
            let batch = self.read();
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            match batch {
                Some(batch) if batch.is_empty() => return Ok(None),
                Some(mut batch) => match batch.encoded_for(cursor, &self.socket) {
                    encoded if encoded.messages > 0 => return Ok(Some(encoded.clone())),
                    _ => self.wrote(0),
                },
                None => self.catch_up().await?,
            }
        }
    }

    /// What comes next in the feed; `None` if the feed no longer has it, or the cursor is delegated.
    fn read(&self) -> Option<Batch> {
        let from = self.cursor.as_ref()?.position;
        self.socket.reads_from(from);
        loop {
            let last = self.readable();
            let batch = Batch::read(&self.world.shared().feed, from, MAX_BATCH_ITEMS, last);
            // If faults have changed meanwhile, or the socket is to end, the batch may go beyond that.
            if self.readable() >= last {
                return batch;
            }
        }
    }

    /// Expects that it can go on once there is room: the feed still has what comes next, or what it has missed has a state.
    ///
    /// # Errors
    /// [`WorldError::Behind`] for a stream, or a socket of an endpoint, that has missed something else; [`WorldError::Ended`].
    pub async fn expect_next(&mut self) -> Result<(), WorldError> {
        let Some(got) = self.got().filter(|_| self.socket.is_of_rules()) else { return Ok(()) };
        // Whoever does not read for long is looked at once for all that the feed keeps.
        let feed = &self.world.shared().feed;
        if self.is_at_its_end() || feed.has(got.position.max(self.looked_at)) {
            return Ok(());
        }
        self.looked_at = feed.end();
        let expected = self.world.expect_up_to_date(&self.socket, got).await?;
        expected.map_err(|why| self.falls_behind(&why))
    }

    /// What it has got; `None` while its cursor is delegated.
    fn got(&self) -> Option<Got> {
        self.cursor.as_ref().map(|cursor| Got { position: cursor.position, event: cursor.seen })
    }

    /// Whether nothing more is for it: it is to be closed, and has got everything before.
    fn is_at_its_end(&self) -> bool {
        self.socket.is_of_rules() && self.cursor.as_ref().is_some_and(|cursor| cursor.position >= self.socket.end())
    }

    /// Notes that it is further behind than the feed reaches back, and that what it has missed cannot be made up for.
    fn falls_behind(&self, why: &NoCatchUp) -> WorldError {
        self.world.note_closed(&self.socket, why);
        WorldError::Behind
    }

    /// Notes that what was handed out is written.
    pub fn wrote(&self, messages: u64) {
        if let Some(position) = self.position() {
            // A fault transition counts as written once its task has followed it.
            let transition = self.socket.next_transition().unwrap_or(u64::MAX);
            self.world.shared().sockets.wrote(&self.socket, messages, position.min(transition.saturating_sub(1)));
        }
    }

    /// The position in the feed of what comes next; `None` while its cursor is delegated.
    fn position(&self) -> Option<u64> {
        let cursor = self.cursor.as_ref()?.position;
        Some(self.waiting.first().map_or(cursor, |next| next.position.min(cursor)))
    }

    /// Delegates its cursor to the fan-out if nothing waits for the socket. Gives whether it is delegated.
    pub fn delegate(&mut self) -> bool {
        let Some(cursor) = self.cursor.take() else { return true };
        let (socket, shared) = (&self.socket, self.world.shared());
        let is_at_rest = self.waiting.is_empty() && self.faults.is_none() && socket.sink.get().is_some();
        let is_up_to_date = |cursor: &Cursor| {
            let is_up_to_date = is_at_rest && cursor.position >= shared.feed.end() && !socket.is_special();
            if is_up_to_date {
                // Items that were nothing for this socket count as well: a waiter sees that it has got there.
                shared.sockets.wrote(socket, 0, cursor.position);
            }
            is_up_to_date
        };
        self.cursor = socket.delegation.delegate(cursor, is_up_to_date).err();
        self.cursor.is_none()
    }

    /// Reclaims its cursor, and gives what the fan-out could not write.
    pub fn reclaim(&mut self) -> EncodedBatch {
        let Some((cursor, pending)) = self.socket.reclaim() else { return EncodedBatch::default() };
        self.cursor = Some(cursor);
        *pending
    }

    /// Waits until its cursor is to be reclaimed: the fan-out could not write everything, or the socket, its world or the
    /// server is at its end. With room to write, also until something that faults held back is due.
    pub async fn woken(&self, has_room: bool) {
        let due = self.faults.as_ref().filter(|_| has_room).and_then(|faults| faults.next_due());
        match due {
            None => self.socket.wake.notified().await,
            // In a box: a socket that no fault hits has no need of the space.
            Some(due) => Box::pin(self.woken_or_reached(due)).await,
        }
    }

    async fn woken_or_reached(&self, due: Duration) {
        tokio::select! {
            () = self.socket.wake.notified() => {}
            () = self.world.reached(due) => {}
        }
    }

    /// Its number, as journal and control API have it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.socket.id
    }

    /// The collection that the socket asked for last.
    #[must_use]
    pub fn collection(&self) -> Arc<str> {
        self.socket.collection()
    }

    /// How the server closes the socket, if it does, whether the socket has got everything or not.
    #[must_use]
    pub fn closing(&self) -> Option<SocketClose> {
        self.socket.closing()
    }

    /// Whether its world has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.world.is_ended()
    }

    /// Notes a message from the client.
    pub fn received(&self, payload: Payload) {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        let (socket, outcomes) = (self.socket.id, Box::default());
        self.world.record(Record::Received { socket, path: None, endpoint: None, payload, outcomes });
    }

    /// The number of its socket.
    #[must_use]
    pub fn member(&self) -> u64 {
        self.socket.id
    }

    /// Whether it is a socket of an endpoint that the scenario declares.
    #[must_use]
    pub fn is_of_endpoint(&self) -> bool {
        matches!(self.socket.kind, SocketKind::Endpoint(_))
    }

    /// Has the endpoint's rules take a frame from the client.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn take(&self, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        self.world.receive(&self.socket, frame, payload).await
    }

    /// As [`Subscription::take`], but mostly without waiting for the rules.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn hand_in(&self, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        self.world.hand_in(&self.socket, frame, payload).await
    }

    /// Waits until the rules have heard all that was handed in.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn heard(&self) -> Result<(), WorldError> {
        self.world.heard(&self.socket).await
    }

    /// Ends it, and waits until its endpoint has heard of that if it is a socket of one.
    pub async fn finish(mut self) {
        let farewell = std::mem::replace(&mut self.farewell, Farewell::nobody());
        drop(self);
        farewell.say().await;
    }

    /// Notes how the socket ended, for the journal.
    pub fn ends(&mut self, end: SocketEnd) {
        self.end = Some(end);
    }

    /// Switches to another collection: its counter values come next, after the live ones from before them. Does nothing while
    /// its cursor is delegated.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn switch(&mut self, collection: &str) -> Result<(), WorldError> {
        self.world.warn_of_unknown(collection);
        loop {
            let joined = self.world.switch(&self.socket, collection).await?;
            // Up to here the feed is for what it had joined before.
            while let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.position < joined.position) {
                match Batch::read(&self.world.shared().feed, cursor.position, usize::MAX, joined.position) {
                    Some(batch) => self.waiting.extend(batch.messages_for(cursor, &self.socket)),
                    None => self.catch_up().await?,
                }
            }
            let Some(cursor) = &mut self.cursor else { return Ok(()) };
            // One that had fallen behind has got values that are newer than the counter values at hand.
            if cursor.position == joined.position {
                cursor.seen = joined.sequence;
                self.waiting.extend(joined.deliveries());
                self.world.handed(&self.socket, &joined.messages);
                return Ok(());
            }
        }
    }

    /// Gets what is so now instead of what is no longer in the feed.
    async fn catch_up(&mut self) -> Result<(), WorldError> {
        if self.socket.is_of_rules() {
            return self.catch_up_by_rules().await;
        }
        let seen = self.cursor.as_ref().map(|cursor| cursor.seen);
        self.bring_up_to_date(seen).await
    }

    /// Gets the values that changed after an event; without one, everything.
    async fn bring_up_to_date(&mut self, seen: Option<u64>) -> Result<(), WorldError> {
        let Some(cursor) = &mut self.cursor else { return Ok(()) };
        let current = self.world.catch_up(&self.socket, seen, cursor.position).await?;
        // What is still there of the feed, and may be no value, comes first.
        while cursor.position < current.position
            && let Some(batch) = Batch::read(&self.world.shared().feed, cursor.position, usize::MAX, current.position)
        {
            self.waiting.extend(batch.messages_for(cursor, &self.socket));
        }
        cursor.seen = current.sequence;
        cursor.position = current.position;
        // Only now is it sure that they are handed out.
        self.world.caught_up(&self.socket, &current.messages);
        self.waiting.extend(current.deliveries());
        Ok(())
    }

    /// Gets what is so now of what it has joined by rules, if that is all that it has missed.
    async fn catch_up_by_rules(&mut self) -> Result<(), WorldError> {
        let Some(got) = self.got() else { return Ok(()) };
        let current = self.world.up_to_date(&self.socket, got).await?.map_err(|why| self.falls_behind(&why))?;
        if let Some(cursor) = &mut self.cursor {
            (cursor.seen, cursor.position) = (current.sequence, current.position);
        }
        self.world.caught_up(&self.socket, &current.messages);
        self.waiting.extend(current.deliveries());
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        drop(self.reclaim());
        let end = self.end.take().unwrap_or(SocketEnd { code: None, by: EndedBy::Client });
        self.world.leave(&self.socket, end);
    }
}
