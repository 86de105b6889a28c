//! A subscription while faults hit its socket: its frames pass through them one by one.

use std::sync::Arc;

use tungstenite::protocol::frame::coding::CloseCode;

use super::super::journal::Record;
use super::super::tamper::{Behind, Passing, Strike, Tamper};
use super::super::{Portion, WorldError};
use super::Subscription;

impl Subscription {
    /// Whether the socket is to be silent: nothing is written, nothing is read.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.tamper.as_ref().is_some_and(|tamper| tamper.is_frozen())
    }

    /// Whether the socket is to be reset, whatever waits for it.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.socket.is_reset()
    }

    /// Whether it has nothing to hand out until it is told, though it is not lent.
    #[must_use]
    pub fn rests(&self) -> bool {
        let is_at_end = || self.cursor.as_ref().is_none_or(|cursor| cursor.position >= self.world.feed().end());
        let is_tampered = self.tamper.as_ref().is_some_and(|tamper| !tamper.is_done());
        is_tampered && (self.is_frozen() || self.waiting.is_empty() && is_at_end())
    }

    /// Whether the socket is to be pinged, which the fan-out does for those that are lent to it.
    #[must_use]
    pub fn takes_ping(&self) -> bool {
        self.socket.takes_ping()
    }

    /// Whether a fault has what the client sent be ignored; it is written down.
    #[must_use]
    pub fn ignores(&self) -> bool {
        let Some(fault) = self.tamper.as_ref().and_then(|tamper| tamper.ignores()) else { return false };
        let (socket, did) = (self.socket.id, "ignored what the client sent".to_owned());
        self.world.record(Record::Faulted { socket, fault, did, event: None });
        true
    }

    /// Takes over the faults that hit the socket now. When some are over, it gets what they have kept from it. To be called
    /// before [`Subscription::next`]; does nothing while it is lent.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn follow_faults(&mut self) -> Result<(), WorldError> {
        loop {
            let has_turned = self.take_turn();
            let Some(tamper) = self.tamper.as_mut().filter(|_| self.cursor.is_some()) else { return Ok(()) };
            let (behind, is_done) = (tamper.healed(), tamper.is_done());
            self.write_marks();
            if is_done {
                self.tamper = None;
            }
            match behind {
                None if !has_turned => return Ok(()),
                None => {}
                Some(Behind::After(event)) => self.bring_up_to_date(Some(event)).await?,
                Some(Behind::All) => self.bring_up_to_date(None).await?,
            }
        }
    }

    /// Follows the next turn of its faults, if it comes before the next frame. Says whether there was one.
    pub(super) fn take_turn(&mut self) -> bool {
        let Some(position) = self.position() else { return false };
        // What comes after a freeze is taken when it is over, and meets the faults of then.
        let is_due = self.socket.next_turn().is_some_and(|from| from <= position || self.is_frozen());
        let Some(faults) = is_due.then(|| self.socket.take_turn()).flatten() else { return false };
        let most = self.world.feed().backlog();
        self.tamper.get_or_insert_with(|| Box::new(Tamper::new(Arc::default(), most))).follow(faults);
        true
    }

    /// Up to where its task may read the feed: after that other faults hit it, or it is at its end.
    pub(super) fn readable(&self) -> u64 {
        self.socket.next_turn().unwrap_or(u64::MAX).min(self.socket.end())
    }

    /// Takes what waits, up to where other faults hit it.
    pub(super) fn before_turn(&mut self) -> Vec<Passing> {
        // With its room, which an idle socket has no need of.
        let Some(turn) = self.socket.next_turn() else { return std::mem::take(&mut self.waiting) };
        let count = self.waiting.iter().take_while(|passing| passing.position < turn).count();
        self.waiting.drain(..count).collect()
    }

    /// Writes down what was done to frames.
    fn write_marks(&mut self) {
        for mark in self.tamper.as_mut().map(|tamper| tamper.marks()).unwrap_or_default() {
            let socket = self.socket.id;
            self.world.record(Record::Faulted { socket, fault: mark.label, did: mark.did, event: mark.event });
        }
    }

    /// What faults leave of what waits, and of what they held back.
    pub(super) async fn tampered(&mut self) -> Result<Option<Portion>, WorldError> {
        loop {
            if self.is_frozen() {
                return Ok(None);
            }
            let (frames, now) = (self.before_turn(), self.world.now());
            let Some(tamper) = &mut self.tamper else { return Ok(None) };
            for passing in &frames {
                tamper.take(passing, now);
            }
            if !self.waiting.is_empty() || tamper.is_full() {
                break;
            }
            let batch = self.read();
            let Some(cursor) = &mut self.cursor else { break };
            match batch {
                Some(batch) if batch.is_empty() => break,
                Some(batch) => self.waiting = batch.frames(cursor, self.socket.id),
                None => self.catch_up().await?,
            }
        }
        let Some(tamper) = &mut self.tamper else { return Ok(None) };
        // After everything is read: what is due by the time that the last of it tells of is handed out with it.
        let frames = tamper.due(self.world.now());
        let strike = tamper.strike();
        self.write_marks();
        let end = self.position().unwrap_or_default();
        match strike {
            Some(Strike::Close { code, reason }) => self.socket.set_closing(CloseCode::from(code), &reason, end),
            Some(Strike::Reset) => self.socket.set_reset(end),
            None if frames.is_empty() => self.wrote(0),
            None => {}
        }
        Ok((!frames.is_empty()).then(|| Portion::of(frames.iter())))
    }
}
