//! A subscription whose socket is affected by faults: frames pass through the faults one by one.

use std::sync::Arc;

use super::Subscription;
use crate::world::WorldError;
use crate::world::catch_up::CatchUpError;
use crate::world::feed::EncodedBatch;
use crate::world::frame_faults::{Disconnect, FrameFaults, FrameMark, Resend};
use crate::world::journal::Record;
use crate::world::message::Delivery;
use crate::world::socket::SocketClose;

impl Subscription {
    /// Returns whether the socket must be silent: nothing is written or read.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.faults.as_ref().is_some_and(|faults| faults.is_frozen())
    }

    /// Returns whether the socket must be reset, even with messages pending.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.socket.is_reset()
    }

    /// Returns whether there is nothing to hand out until the task is woken, although the cursor is not delegated.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        let is_at_end = || self.cursor.as_ref().is_none_or(|cursor| cursor.position >= self.world.shared().feed.end());
        let is_faulted = self.faults.as_ref().is_some_and(|faults| !faults.is_done());
        is_faulted && (self.is_frozen() || self.waiting.is_empty() && is_at_end())
    }

    /// Returns whether the socket's task must send a ping. The fan-out sends it while the cursor is delegated.
    #[must_use]
    pub fn takes_ping(&self) -> bool {
        self.socket.takes_ping()
    }

    /// Returns whether a fault makes the server ignore the frame that the client has sent. If so, records the hit.
    #[must_use]
    pub fn ignores_frame(&self) -> bool {
        let Some(fault) = self.faults.as_ref().and_then(|faults| faults.ignoring()) else { return false };
        let (socket, description) = (self.socket.id, "ignored what the client sent".to_owned());
        self.world.record(Record::Faulted { socket, fault, description, event: None });
        true
    }

    /// Applies the faults that affect the socket now. When a fault is over, the socket receives the messages that the
    /// fault withheld. Call this before [`Subscription::next`]; it does nothing while the cursor is delegated.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn follow_faults(&mut self) -> Result<(), WorldError> {
        loop {
            let has_followed = self.take_transition();
            let Some(faults) = self.faults.as_mut().filter(|_| self.cursor.is_some()) else { return Ok(()) };
            let (resend, is_done) = (faults.take_resend(), faults.is_done());
            self.record_marks();
            if is_done {
                self.faults = None;
            }
            match resend {
                None if !has_followed => return Ok(()),
                None => {}
                // The dropped frames of rules cannot be made again, so they are lost.
                Some(_) if self.socket.is_rule_driven() => {}
                Some(Resend::After(event)) => Box::pin(self.fetch_values(Some(event))).await?,
                Some(Resend::All) => Box::pin(self.fetch_values(None)).await?,
            }
        }
    }

    /// Applies the next fault transition if it comes before the next message. Returns whether there was one.
    pub(super) fn take_transition(&mut self) -> bool {
        let Some(position) = self.position() else { return false };
        // Messages after a freeze are taken once it is over, and meet the faults of that time.
        let is_due = self.socket.next_transition().is_some_and(|from| from <= position || self.is_frozen());
        let Some(faults) = is_due.then(|| self.socket.take_transition()).flatten() else { return false };
        let most = self.world.shared().feed.backlog();
        self.faults.get_or_insert_with(|| Box::new(FrameFaults::new(Arc::default(), most))).follow(faults);
        true
    }

    /// Returns the position up to which the task may read the feed: other faults apply from there, or the socket ends.
    pub(super) fn read_limit(&self) -> u64 {
        self.socket.next_transition().unwrap_or(u64::MAX).min(self.socket.end())
    }

    /// Takes the waiting messages up to the next fault transition.
    pub(super) fn before_transition(&mut self) -> Vec<Delivery> {
        // Takes the capacity as well, which an idle socket does not need.
        let Some(transition) = self.socket.next_transition() else { return std::mem::take(&mut self.waiting) };
        let count = self.waiting.iter().take_while(|delivery| delivery.position < transition).count();
        self.waiting.drain(..count).collect()
    }

    /// Records the effects on messages.
    fn record_marks(&mut self) {
        for mark in self.faults.as_mut().map(|faults| faults.marks()).unwrap_or_default() {
            let socket = self.socket.id;
            let FrameMark { at, label: fault, description, event } = mark;
            self.world.shared().journal.record(at, Record::Faulted { socket, fault, description, event });
        }
    }

    /// Like [`Subscription::next`]: returns the messages that pass the faults, and those whose delay is over.
    pub(super) async fn next_faulted(&mut self) -> Result<Option<EncodedBatch>, WorldError> {
        loop {
            if self.is_frozen() {
                return Ok(None);
            }
            let (waiting, now, is_at_end) = (self.before_transition(), self.world.now(), self.is_at_end());
            let Some(faults) = &mut self.faults else { return Ok(None) };
            for delivery in &waiting {
                faults.take(delivery, now);
            }
            if self.socket.is_rule_driven() && faults.has_dropped() {
                return Err(self.falls_behind(&CatchUpError::HeldBack));
            }
            if !self.waiting.is_empty() || faults.is_full() || is_at_end {
                break;
            }
            let batch = self.read();
            let Some(cursor) = &mut self.cursor else { break };
            match batch {
                Some(batch) if batch.is_empty() => break,
                Some(batch) => self.waiting = batch.messages_for(cursor, &self.socket),
                None => self.catch_up().await?,
            }
        }
        let Some(encode) = self.cursor.as_ref().map(|cursor| cursor.encode) else { return Ok(None) };
        let has_reached_end = self.waiting.is_empty() && self.position().is_some_and(|next| next >= self.socket.end());
        let Some(faults) = &mut self.faults else { return Ok(None) };
        if has_reached_end {
            faults.release();
        }
        // The time is read last, so that messages due by then go out together with the last message read.
        let messages = faults.due(self.world.now());
        let disconnect = faults.disconnect();
        self.record_marks();
        let end = self.position().unwrap_or_default();
        match disconnect {
            Some(Disconnect::Close { code, reason }) => {
                self.socket.close(SocketClose { code, reason: reason.into() }, end);
            }
            Some(Disconnect::Reset) => self.socket.reset(end),
            None if messages.is_empty() => self.record_written(0),
            None => {}
        }
        Ok((!messages.is_empty()).then(|| EncodedBatch::of(&messages, encode)))
    }
}
