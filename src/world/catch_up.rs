//! Catching up members of rules that are further behind than the feed reaches back.
//!
//! The frames that such a member missed can no longer be made, but the current state of rows and values is known. A
//! member that missed nothing else receives that state, in the form that it asked for, and continues. Any other member
//! is closed, and its client reconnects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;
use tracing::{debug, warn};

use super::changed_rows::{MemberProgress, Span};
use super::feed::FeedItem;
use super::journal::{AfterBehind, Record};
use super::socket::Socket;
use super::state::WorldState;
use super::subscription::Joined;
use super::{World, WorldError};
use crate::engine::{Event, EventKind, MemberEvent, MissedEnd, Topic};

/// Why a member cannot catch up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum CatchUpError {
    #[error("it missed a message sent only to it")]
    Direct,
    #[error("it missed a message to {}", audience(.0))]
    Frame(Topic),
    #[error("it missed a change of its topics")]
    Memberships,
    #[error("it missed more row changes than are kept")]
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

/// The outcomes for sockets and streams that fell too far behind, since the world started.
#[derive(Debug, Default)]
pub(super) struct SlowCounts {
    caught_up: AtomicU64,
    closed: AtomicU64,
}

/// How often clients were too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlowMembers {
    /// How often a socket or a stream received the current state instead of what it missed.
    pub caught_up: u64,
    /// The number of sockets and streams closed.
    pub closed: u64,
}

impl SlowCounts {
    pub(super) fn read(&self) -> SlowMembers {
        let [caught_up, closed] = [&self.caught_up, &self.closed].map(|count| count.load(Ordering::Relaxed));
        SlowMembers { caught_up, closed }
    }
}

impl WorldState {
    /// Notes the changes made by events, which are about to be published as these items.
    pub(super) fn note_changes(&mut self, events: &[Event], items: &[FeedItem]) {
        let start = self.shared.feed.end();
        if !self.engine.has_memberships() {
            return self.changed_rows.clear(start);
        }
        let engine = &self.engine;
        self.changed_rows.note(events, items, start, |topic| engine.is_joined(topic));
        if self.changed_rows.is_full() {
            // Read first: a member that is within the feed now will never be before this position.
            let kept = self.shared.feed.first();
            let sockets = self.shared.sockets.all();
            let members = sockets.iter().filter(|socket| socket.is_rule_driven()).map(|socket| socket.span());
            self.changed_rows.compact(&members.collect::<Vec<Span>>(), kept);
        }
    }

    /// Returns what a member receives instead of what it missed.
    fn missed_by(&self, socket: &Socket, progress: MemberProgress) -> Result<Vec<MemberEvent>, CatchUpError> {
        if socket.has_direct_from(progress.position) {
            return Err(CatchUpError::Direct);
        }
        if socket.with_memberships(|memberships| memberships.changes_from(progress.position)) {
            return Err(CatchUpError::Memberships);
        }
        let topics = self.engine.topics_of(socket.id);
        if let Some(topic) = self.changed_rows.missed_frame(progress, &topics) {
            return Err(CatchUpError::Frame(topic.clone()));
        }
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let events = self.changed_rows.missed(progress, &topics).ok_or(CatchUpError::TooMany)?;
        self.engine.missed_replies(socket.id, &events).map_err(|MissedEnd| CatchUpError::End)
    }

    /// Catches up a member with this progress. It continues at the current end of the feed.
    fn catch_up_member(&self, socket: &Socket, progress: MemberProgress) -> Result<Joined, CatchUpError> {
        let (sequence, position, at) = (self.engine.sequence(), self.shared.feed.end(), self.now());
        let mut messages = Vec::new();
        for what in self.missed_by(socket, progress)? {
            match what {
                MemberEvent::Reply(frame) => messages.push((&frame).into()),
                what => {
                    let event = Event { sequence, at, kind: EventKind::Member { member: socket.id, what } };
                    self.log(&event);
                    self.record_failure(&event);
                }
            }
        }
        socket.reads_from(position);
        Ok(Joined { sequence, position, at, messages: messages.into(), notice: None })
    }
}

/// The methods that a [`Subscription`](super::Subscription) of rules needs.
impl World {
    /// Catches up a member that is behind the feed, or returns why it must be closed.
    pub(super) async fn catch_up_member(
        &self,
        socket: &Arc<Socket>,
        progress: MemberProgress,
    ) -> Result<Result<Joined, CatchUpError>, WorldError> {
        let socket = socket.clone();
        self.ask(move |state| state.catch_up_member(&socket, progress)).await
    }

    /// Checks whether a member that is behind the feed can catch up, as far as is known now.
    pub(super) async fn check_catch_up(
        &self,
        socket: &Arc<Socket>,
        progress: MemberProgress,
    ) -> Result<Result<(), CatchUpError>, WorldError> {
        let socket = socket.clone();
        self.ask(move |state| state.missed_by(&socket, progress).map(drop)).await
    }

    /// Notes that a socket has fallen behind and caught up.
    pub(super) fn note_caught_up(&self, socket: &Socket) {
        socket.caught_up.fetch_add(1, Ordering::Relaxed);
        self.shared().slow.caught_up.fetch_add(1, Ordering::Relaxed);
        debug!(world = %self.name(), socket = socket.id, "a socket that fell behind has caught up");
        let then = socket.is_rule_driven().then_some(AfterBehind::CaughtUp);
        self.record(Record::Behind { socket: socket.id, then });
    }

    /// Notes that a member of rules has fallen behind and is closed.
    pub(super) fn note_closed(&self, socket: &Socket, why: &CatchUpError) {
        self.shared().slow.closed.fetch_add(1, Ordering::Relaxed);
        let what = if socket.is_stream() { "stream" } else { "socket" };
        warn!(world = %self.name(), "{what} {} is too slow and is closed: {why}", socket.id);
        let then = Some(AfterBehind::Closed { why: why.to_string().into() });
        self.record(Record::Behind { socket: socket.id, then });
    }

    /// Returns how often clients were too slow.
    #[must_use]
    pub fn slow_members(&self) -> SlowMembers {
        self.shared().slow.read()
    }
}

#[cfg(test)]
mod tests;
