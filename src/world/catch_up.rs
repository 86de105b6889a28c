//! Members of rules that are further behind than the feed reaches back. Nobody can tell what their frames were made of, but what
//! became of rows and values is known: a member that missed nothing else gets that, in the shape that it has asked for, and
//! goes on. Any other is closed; its client connects again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;
use tracing::{debug, warn};

use super::changed_rows::{Got, Span};
use super::feed::FeedItem;
use super::journal::{AfterBehind, Record};
use super::socket::Socket;
use super::state::WorldState;
use super::subscription::Joined;
use super::{World, WorldError};
use crate::engine::{Event, EventKind, MemberEvent, MissedEnd, Topic};

/// Why a member cannot be brought up to date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NoCatchUp {
    #[error("it missed what was sent to it alone")]
    Direct,
    #[error("it missed what was sent to {}", audience(.0))]
    Frame(Topic),
    #[error("it missed that it joined or left topics")]
    Memberships,
    #[error("it missed more changes of rows than are kept")]
    TooMany,
    #[error("it missed the end of an operation")]
    End,
    #[error("a fault held back more frames than are kept")]
    HeldBack,
}

fn audience(topic: &Topic) -> String {
    match topic {
        Topic::SocketsOf(endpoint) => format!("all sockets of {endpoint}"),
        topic => format!("topic `{topic}`"),
    }
}

/// What became of sockets and streams that fell too far behind, since the world began.
#[derive(Debug, Default)]
pub(super) struct SlowCounts {
    caught_up: AtomicU64,
    closed: AtomicU64,
}

/// How often clients were too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlowMembers {
    /// How often a socket or a stream got what is so now in place of what it had missed.
    pub caught_up: u64,
    /// How many were closed.
    pub closed: u64,
}

impl SlowCounts {
    pub(super) fn read(&self) -> SlowMembers {
        let [caught_up, closed] = [&self.caught_up, &self.closed].map(|count| count.load(Ordering::Relaxed));
        SlowMembers { caught_up, closed }
    }
}

impl WorldState {
    /// Takes notice of what events change that are about to be published as these items.
    pub(super) fn note_changes(&mut self, events: &[Event], items: &[FeedItem]) {
        let start = self.shared.feed.end();
        if !self.engine.has_memberships() {
            return self.changed_rows.clear(start);
        }
        let engine = &self.engine;
        self.changed_rows.note(events, items, start, |topic| engine.is_joined(topic));
        if self.changed_rows.is_full() {
            // First, for a member that the feed still reaches then is never before that.
            let kept = self.shared.feed.first();
            let sockets = self.shared.sockets.all();
            let members = sockets.iter().filter(|socket| socket.is_of_rules()).map(|socket| socket.span());
            self.changed_rows.look_through(&members.collect::<Vec<Span>>(), kept);
        }
    }

    /// What a member gets in place of what it has missed.
    fn missed_by(&self, socket: &Socket, got: Got) -> Result<Vec<MemberEvent>, NoCatchUp> {
        if socket.has_direct_from(got.position) {
            return Err(NoCatchUp::Direct);
        }
        if socket.with_memberships(|memberships| memberships.changes_from(got.position)) {
            return Err(NoCatchUp::Memberships);
        }
        let topics = self.engine.topics_of(socket.id);
        if let Some(topic) = self.changed_rows.missed_frame(got, &topics) {
            return Err(NoCatchUp::Frame(topic.clone()));
        }
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let events = self.changed_rows.missed(got, &topics).ok_or(NoCatchUp::TooMany)?;
        self.engine.told_of(socket.id, &events).map_err(|MissedEnd| NoCatchUp::End)
    }

    /// Brings a member up to date that has got so much. It goes on where the feed ends now.
    fn bring_up_to_date(&self, socket: &Socket, got: Got) -> Result<Joined, NoCatchUp> {
        let (sequence, position, at) = (self.engine.sequence(), self.shared.feed.end(), self.now());
        let mut messages = Vec::new();
        for what in self.missed_by(socket, got)? {
            match what {
                MemberEvent::Reply(frame) => messages.push((&frame).into()),
                what => self.log(&Event { sequence, at, kind: EventKind::Member { member: socket.id, what } }),
            }
        }
        socket.reads_from(position);
        Ok(Joined { sequence, position, at, messages: messages.into(), notice: None })
    }
}

/// What a [`Subscription`](super::Subscription) of rules needs.
impl World {
    /// What a member gets that is behind the feed, or why it is closed.
    pub(super) async fn up_to_date(
        &self,
        socket: &Arc<Socket>,
        got: Got,
    ) -> Result<Result<Joined, NoCatchUp>, WorldError> {
        let socket = socket.clone();
        self.ask(move |state| state.bring_up_to_date(&socket, got)).await
    }

    /// Whether a member that is behind the feed can be brought up to date, as far as is known now.
    pub(super) async fn expect_up_to_date(
        &self,
        socket: &Arc<Socket>,
        got: Got,
    ) -> Result<Result<(), NoCatchUp>, WorldError> {
        let socket = socket.clone();
        self.ask(move |state| state.missed_by(&socket, got).map(drop)).await
    }

    /// Notes that a socket has fallen behind and is brought up to date.
    pub(super) fn note_caught_up(&self, socket: &Socket) {
        socket.caught_up.fetch_add(1, Ordering::Relaxed);
        self.shared().slow.caught_up.fetch_add(1, Ordering::Relaxed);
        debug!(world = %self.name(), socket = socket.id, "a socket that fell behind is brought up to date");
        let then = socket.is_of_rules().then_some(AfterBehind::CaughtUp);
        self.record(Record::Behind { socket: socket.id, then });
    }

    /// Notes that a member of rules has fallen behind and is closed.
    pub(super) fn note_closed(&self, socket: &Socket, why: &NoCatchUp) {
        self.shared().slow.closed.fetch_add(1, Ordering::Relaxed);
        let what = if socket.is_stream() { "stream" } else { "socket" };
        warn!(world = %self.name(), "{what} {} is too slow and ends: {why}", socket.id);
        let then = Some(AfterBehind::Closed { why: why.to_string().into() });
        self.record(Record::Behind { socket: socket.id, then });
    }

    /// How often clients were too slow.
    #[must_use]
    pub fn slow_members(&self) -> SlowMembers {
        self.shared().slow.read()
    }
}

#[cfg(test)]
mod tests;
