//! One socket's view of the feed.
//!
//! Each socket has a task for the frames from its client. Writing to the socket requires its only cursor in the feed.
//! Most of the time, the task has delegated the cursor to the world's fan-out, which writes to all sockets in one pass.
//! The task reclaims the cursor when it has something to write itself (another collection's values, a pong, a close
//! frame) or when the fan-out could not write everything, and delegates it again once the socket is up to date.
//!
//! Invariants:
//!
//! - Only the holder of the cursor writes to the socket.
//! - A delegated cursor without pending bytes has received everything that the fan-out has handed out to the socket. It
//!   is advanced to that position when it is reclaimed, so the feed still has the items that follow.
//! - Once faults change or the socket must end, the fan-out writes nothing more to the socket until its task has
//!   followed.

mod faulted;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::catch_up::CatchUpError;
use super::changed_rows::MemberProgress;
use super::close_notifier::CloseNotifier;
use super::feed::{Batch, Cursor, EncodedBatch, MAX_BATCH_ITEMS};
use super::frame_faults::FrameFaults;
use super::journal::{EndedBy, Payload, Record, SocketEnd};
use super::message::{Delivery, Encode, Message};
use super::socket::{FrameSink, Socket, SocketClose, SocketKind};
use super::{World, WorldError};
use crate::engine::Frame;

/// One socket's view of the feed. The world counts the socket as open until the subscription is dropped.
#[derive(Debug)]
pub struct Subscription {
    world: World,
    socket: Arc<Socket>,
    /// `None` while delegated.
    cursor: Option<Cursor>,
    /// Messages to hand out before the rest of the feed.
    waiting: Vec<Delivery>,
    /// The position in the feed up to which missed items were checked: the socket could still catch up then.
    checked_to: u64,
    /// The faults that affect the socket, if any.
    faults: Option<Box<FrameFaults>>,
    end: Option<SocketEnd>,
    /// Sent after the socket has left, which happens on drop.
    close_notifier: CloseNotifier,
}

/// The messages that a subscription starts with, or resumes with after a gap in the feed.
#[derive(Debug)]
pub(super) struct Joined {
    /// The number of the last event included in the messages.
    pub(super) sequence: u64,
    /// The position in the feed at which to continue.
    pub(super) position: u64,
    /// The world's time.
    pub(super) at: Duration,
    pub(super) messages: Arc<[Message]>,
    /// A message that follows and is not recorded in the journal.
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
        let (cursor, close_notifier) = (Some(cursor), CloseNotifier::of(&world, &socket));
        let (checked_to, faults, end) = (*position, None, None);
        let mut subscription = Self { world, socket, cursor, waiting, checked_to, faults, end, close_notifier };
        // The current faults affect the counter values, even if they are over by the time the values are written.
        while subscription.take_transition() {}
        subscription
    }

    /// Sets the sink for the socket's bytes, so that its cursor can be delegated.
    pub fn connect(&self, sink: Arc<dyn FrameSink>) {
        // Each socket has only one connection.
        let _ = self.socket.sink.set(sink);
    }

    /// Switches the following messages to another transport. Does nothing while the cursor is delegated.
    pub fn set_encode(&mut self, encode: Encode) {
        if let Some(cursor) = &mut self.cursor {
            cursor.encode = encode;
        }
    }

    /// Returns the next messages in order, up to a bound; `None` while the cursor is delegated.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn next(&mut self) -> Result<Option<EncodedBatch>, WorldError> {
        if self.faults.is_some() {
            return Box::pin(self.next_faulted()).await;
        }
        loop {
            let Some(encode) = self.cursor.as_ref().map(|cursor| cursor.encode) else { return Ok(None) };
            if !self.waiting.is_empty() {
                let waiting = self.before_transition();
                let messages = waiting.iter().map(|delivery| &delivery.message);
                return Ok((!waiting.is_empty()).then(|| EncodedBatch::of(messages, encode)));
            }
            if self.is_at_end() {
                return Ok(None);
            }
            let batch = self.read();
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            match batch {
                Some(batch) if batch.is_empty() => return Ok(None),
                Some(mut batch) => match batch.encoded_for(cursor, &self.socket) {
                    encoded if encoded.messages > 0 => return Ok(Some(encoded.clone())),
                    _ => self.record_written(0),
                },
                None => Box::pin(self.catch_up()).await?,
            }
        }
    }

    /// Returns the next batch of the feed; `None` if the feed no longer has it or the cursor is delegated.
    fn read(&self) -> Option<Batch> {
        let from = self.cursor.as_ref()?.position;
        self.socket.reads_from(from);
        loop {
            let last = self.read_limit();
            let batch = Batch::read(&self.world.shared().feed, from, MAX_BATCH_ITEMS, last);
            // If faults have changed meanwhile, or the socket must end, the batch may extend too far.
            if self.read_limit() >= last {
                return batch;
            }
        }
    }

    /// Checks that the socket will be able to continue once it has room: the feed still has the next items, or the
    /// socket can catch up on what it has missed.
    ///
    /// # Errors
    /// [`WorldError::Behind`] for a stream or an endpoint's socket that has missed anything else;
    /// [`WorldError::Ended`].
    pub async fn expect_next(&mut self) -> Result<(), WorldError> {
        let Some(progress) = self.progress().filter(|_| self.socket.is_rule_driven()) else { return Ok(()) };
        // A client that stops reading is checked once per backlog of the feed.
        let feed = &self.world.shared().feed;
        if self.is_at_end() || feed.has(progress.position.max(self.checked_to)) {
            return Ok(());
        }
        self.checked_to = feed.end();
        let expected = Box::pin(self.world.check_catch_up(&self.socket, progress)).await?;
        expected.map_err(|why| self.falls_behind(&why))
    }

    /// Returns the socket's progress; `None` while the cursor is delegated.
    fn progress(&self) -> Option<MemberProgress> {
        self.cursor.as_ref().map(|cursor| MemberProgress { position: cursor.position, event: cursor.seen })
    }

    /// Returns whether the socket must be closed and has received everything before its end.
    fn is_at_end(&self) -> bool {
        self.socket.is_rule_driven() && self.cursor.as_ref().is_some_and(|cursor| cursor.position >= self.socket.end())
    }

    /// Notes that the socket is further behind than the feed reaches back and cannot catch up.
    fn falls_behind(&self, why: &CatchUpError) -> WorldError {
        self.world.note_closed(&self.socket, why);
        WorldError::Behind
    }

    /// Notes that the messages handed out are written.
    pub fn record_written(&self, messages: u64) {
        if let Some(position) = self.position() {
            // A fault transition counts as written once the task has followed it.
            let transition = self.socket.next_transition().unwrap_or(u64::MAX);
            self.world.shared().sockets.record_written(
                &self.socket,
                messages,
                position.min(transition.saturating_sub(1)),
            );
        }
    }

    /// Returns the position in the feed of the next message; `None` while the cursor is delegated.
    fn position(&self) -> Option<u64> {
        let cursor = self.cursor.as_ref()?.position;
        Some(self.waiting.first().map_or(cursor, |next| next.position.min(cursor)))
    }

    /// Delegates the cursor to the fan-out if no message waits for the socket. Returns whether it is delegated.
    pub fn delegate(&mut self) -> bool {
        let Some(cursor) = self.cursor.take() else { return true };
        let (socket, shared) = (&self.socket, self.world.shared());
        let is_at_rest = self.waiting.is_empty() && self.faults.is_none() && socket.sink.get().is_some();
        let is_up_to_date = |cursor: &Cursor| {
            let is_up_to_date = is_at_rest && cursor.position >= shared.feed.end() && !socket.is_special();
            if is_up_to_date {
                // Items for other sockets count as well, so that a waiter sees the new position.
                shared.sockets.record_written(socket, 0, cursor.position);
            }
            is_up_to_date
        };
        self.cursor = socket.delegation.delegate(cursor, is_up_to_date).err();
        self.cursor.is_none()
    }

    /// Returns whether the cursor is delegated, and the socket neither has to end nor is hit by a fault.
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        self.cursor.is_none() && !self.socket.is_special()
    }

    /// Reclaims the cursor, and returns the bytes that the fan-out could not write.
    pub fn reclaim(&mut self) -> EncodedBatch {
        let Some((cursor, pending)) = self.socket.reclaim() else { return EncodedBatch::default() };
        self.cursor = Some(cursor);
        *pending
    }

    /// Waits until the cursor must be reclaimed: the fan-out could not write everything, or the socket, its world or
    /// the server must end. If there is room to write, also returns when a message held back by faults is due.
    pub async fn wait_to_reclaim(&self, has_room: bool) {
        let due = self.faults.as_ref().filter(|_| has_room).and_then(|faults| faults.next_due());
        match due {
            None => self.socket.wake.notified().await,
            // Boxed: most sockets have no faults and do not need the space.
            Some(due) => Box::pin(self.notified_or_reached(due)).await,
        }
    }

    async fn notified_or_reached(&self, due: Duration) {
        tokio::select! {
            () = self.socket.wake.notified() => {}
            () = self.world.reached(due) => {}
        }
    }

    /// Returns the number of the socket or stream, as in the journal and the control API.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.socket.id
    }

    /// Returns the collection that the socket requested last.
    #[must_use]
    pub fn collection(&self) -> Arc<str> {
        self.socket.collection()
    }

    /// Returns how the server closes the socket, if it does. Messages for the socket may still be pending.
    #[must_use]
    pub fn closing(&self) -> Option<SocketClose> {
        self.socket.closing()
    }

    /// Returns whether the world has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.world.is_ended()
    }

    /// Counts a message from the client and records it in the journal.
    pub fn received(&self, payload: Payload) {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        let socket = self.socket.id;
        self.world.record(Record::Received { socket, path: None, endpoint: None, payload, outcome: None });
    }

    /// Returns whether this is a socket of an endpoint that the scenario declares.
    #[must_use]
    pub fn has_endpoint(&self) -> bool {
        matches!(self.socket.kind, SocketKind::Endpoint { .. })
    }

    /// Passes a frame from the client to the endpoint's rules.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn handle_frame(&self, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        self.world.receive(&self.socket, frame, payload).await
    }

    /// Like [`Subscription::handle_frame`], but usually without waiting for the rules.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn queue_frame(&self, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        self.socket.received.fetch_add(1, Ordering::Relaxed);
        self.world.enqueue_frame(&self.socket, frame, payload).await
    }

    /// Waits until the rules have handled all queued frames.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn flush_frames(&self) -> Result<(), WorldError> {
        self.world.flush_frames(&self.socket).await
    }

    /// Ends the subscription. For an endpoint's socket, first waits until the rules have handled all queued frames, so
    /// that its end is the last that the journal has of it, and then until the endpoint is notified.
    pub async fn finish(mut self) {
        // This fails only if the world has ended, and then no rule handles the frames.
        let _ = self.flush_frames().await;
        let notifier = std::mem::replace(&mut self.close_notifier, CloseNotifier::none());
        drop(self);
        notifier.notify().await;
    }

    /// Sets how the socket ended, for the journal.
    pub fn set_end(&mut self, end: SocketEnd) {
        self.end = Some(end);
    }

    /// Switches to another collection. Its counter values come next, after the pending messages of the previous one.
    /// Does nothing while the cursor is delegated.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn switch(&mut self, collection: &str) -> Result<(), WorldError> {
        self.world.warn_of_unknown(collection);
        loop {
            let joined = self.world.switch(&self.socket, collection).await?;
            // Up to this position, the feed is for the previous topics.
            while let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.position < joined.position) {
                match Batch::read(&self.world.shared().feed, cursor.position, usize::MAX, joined.position) {
                    Some(batch) => self.waiting.extend(batch.messages_for(cursor, &self.socket)),
                    None => self.catch_up().await?,
                }
            }
            let Some(cursor) = &mut self.cursor else { return Ok(()) };
            // A socket that had fallen behind has received newer values than these.
            if cursor.position == joined.position {
                cursor.seen = joined.sequence;
                self.waiting.extend(joined.deliveries());
                self.world.record_direct(&self.socket, &joined.messages);
                return Ok(());
            }
        }
    }

    /// Catches up with the current state, because the feed no longer has the missed items.
    async fn catch_up(&mut self) -> Result<(), WorldError> {
        if self.socket.is_rule_driven() {
            return self.catch_up_member().await;
        }
        let seen = self.cursor.as_ref().map(|cursor| cursor.seen);
        self.fetch_values(seen).await
    }

    /// Fetches the values that changed after an event, or all values.
    async fn fetch_values(&mut self, seen: Option<u64>) -> Result<(), WorldError> {
        let Some(cursor) = &mut self.cursor else { return Ok(()) };
        let current = self.world.catch_up(&self.socket, seen, cursor.position).await?;
        // The part still in the feed may include other messages than values, and comes first.
        while cursor.position < current.position
            && let Some(batch) = Batch::read(&self.world.shared().feed, cursor.position, usize::MAX, current.position)
        {
            self.waiting.extend(batch.messages_for(cursor, &self.socket));
        }
        cursor.seen = current.sequence;
        cursor.position = current.position;
        // Only now is it certain that the messages are handed out.
        self.world.caught_up(&self.socket, &current.messages);
        self.waiting.extend(current.deliveries());
        Ok(())
    }

    /// Fetches the current state of the topics joined by rules, if the socket has missed nothing else.
    async fn catch_up_member(&mut self) -> Result<(), WorldError> {
        let Some(progress) = self.progress() else { return Ok(()) };
        let current =
            self.world.catch_up_member(&self.socket, progress).await?.map_err(|why| self.falls_behind(&why))?;
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
