//! What sockets get: counter values, then every new value, in one order and without a gap.
//!
//! The task that owns the engine publishes each item once. A subscription is made by the same task, in one step: the current
//! values, and a position in the feed from which to read on. The feed keeps a bounded number of items. A socket that falls
//! further behind does not get what it missed but what changed since the last item it saw: the latest state, not a growing
//! queue. That of a member of rules is in [`ChangedRows`](super::changed_rows::ChangedRows).
//!
//! A run of items is encoded once for all sockets that get the same ([`Batch`]).

mod batch;
mod log;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

pub use self::batch::EncodedBatch;
pub(super) use self::batch::{Batch, Cursor};
use self::log::FeedLog;
use super::audience::Audience;
use super::message::Message;
use crate::engine::{Engine, Event, EventKind, Frame, MemberEvent, Topic};
use crate::scenario::Row;

/// Items that a socket may be behind, unless set otherwise, before it is brought up to date with current values instead.
pub const DEFAULT_BACKLOG: usize = 1024;

/// The fewest: with less, sockets that read would be behind in the middle of what happens at one moment.
pub const FEWEST_BACKLOG: usize = 16;

/// Items that are put together into one write.
pub(super) const MAX_BATCH_ITEMS: usize = 256;

/// Something that is published to sockets.
#[derive(Debug, Clone)]
pub(super) struct FeedItem {
    pub(super) to: Audience,
    /// When it was published, in the world's time.
    pub(super) at: Duration,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// What tells of the event of that number.
    Event(u64, Message),
    /// What members of rules get of the event of that number.
    Delivery(u64, Message),
    /// What tells of no event.
    Message(Message),
    /// Several that tell of no event, at one moment: a burst for one member takes one place in the feed.
    Messages(Arc<[Message]>),
    /// The current values, with that of the last event in them: everything before is void.
    Resync(u64, Arc<[Message]>),
    /// Other faults are in force from here on; no socket gets anything of it.
    FaultTransition,
}

/// The items that sockets may still have to get.
#[derive(Debug)]
pub(super) struct EventFeed {
    /// Items that a socket may be behind.
    backlog: usize,
    log: Mutex<Published>,
    published: Notify,
    handed_out: Notify,
}

#[derive(Debug)]
struct Published {
    log: FeedLog<FeedItem>,
    /// The position after the last [`Content::Resync`].
    resync: u64,
    /// The position after the last [`Content::FaultTransition`].
    transition: u64,
}

impl EventFeed {
    /// A feed of that many items.
    pub(super) fn new(backlog: usize) -> Self {
        let backlog = backlog.max(FEWEST_BACKLOG);
        let log = Mutex::new(Published { log: FeedLog::new(backlog), resync: 0, transition: 0 });
        Self { backlog, log, published: Notify::new(), handed_out: Notify::new() }
    }

    /// Items that a socket may be behind.
    pub(super) fn backlog(&self) -> usize {
        self.backlog
    }

    /// The position of the next item.
    pub(super) fn end(&self) -> u64 {
        self.lock().log.end()
    }

    /// Adds what is published at once; says whether that is anything. The fan-out has to be [woken](Self::wake) for it.
    pub(super) fn publish(&self, items: impl IntoIterator<Item = FeedItem>) -> bool {
        let mut published = self.lock();
        let Published { log, resync, transition } = &mut *published;
        let mut after = log.end();
        let added = log.publish(items.into_iter().inspect(|item| {
            after += 1;
            match item.content {
                Content::Resync(..) => *resync = after,
                Content::FaultTransition => *transition = after,
                Content::Event(..) | Content::Delivery(..) | Content::Message(_) | Content::Messages(_) => {}
            }
        }));
        added > 0
    }

    /// Wakes the fan-out.
    pub(super) fn wake(&self) {
        self.published.notify_one();
    }

    /// Whether there was a resync after that position.
    pub(super) fn resynced_since(&self, position: u64) -> bool {
        self.lock().resync > position
    }

    /// The position from which on the faults count that are in force now.
    pub(super) fn last_transition(&self) -> u64 {
        self.lock().transition
    }

    /// Drops all items, because no socket is open.
    pub(super) fn clear(&self) {
        self.lock().log.clear();
    }

    /// The items from a position on, at most `most` and none after `last`, with the position after them. `None` if
    /// the place is no longer in the feed.
    pub(super) fn read(&self, from: u64, most: usize, last: u64) -> Option<(Vec<FeedItem>, u64)> {
        self.lock().log.read(from, most, last)
    }

    /// Whether it still has everything from a position on.
    pub(super) fn has(&self, from: u64) -> bool {
        self.lock().log.read(from, 0, from).is_some()
    }

    /// The position of the first item that it still has.
    pub(super) fn first(&self) -> u64 {
        self.lock().log.first()
    }

    /// Up to where the fan-out has handed everything out.
    pub(super) fn handed_out(&self) -> u64 {
        self.lock().log.handed_out()
    }

    /// The fan-out has handed out everything up to there.
    pub(super) fn hand_out(&self, position: u64) {
        self.lock().log.hand_out(position);
        self.handed_out.notify_one();
    }

    /// Waits until something is published, or was since the last wait. Only the fan-out waits.
    pub(super) async fn published(&self) {
        self.published.notified().await;
    }

    /// Waits until the fan-out is not more than the backlog behind, so that more sockets than the machine can serve slow
    /// down what happens, and nothing is lost. Only the world's task waits.
    pub(super) async fn room(&self) {
        let is_far_behind = |log: &FeedLog<FeedItem>| log.end() - log.handed_out() > self.backlog as u64;
        while is_far_behind(&self.lock().log) {
            self.handed_out.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Published> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedItem {
    /// That other faults are in force from here on.
    pub(super) fn fault_transition() -> Self {
        Self { to: Audience::All, at: Duration::ZERO, content: Content::FaultTransition }
    }

    /// The number of the last event in it.
    pub(super) fn sequence(&self) -> Option<u64> {
        match self.content {
            Content::Event(sequence, _) | Content::Delivery(sequence, _) | Content::Resync(sequence, _) => {
                Some(sequence)
            }
            Content::Message(_) | Content::Messages(_) | Content::FaultTransition => None,
        }
    }

    /// The event that it tells of, whatever rules make of it.
    fn event(&self) -> Option<u64> {
        match self.content {
            Content::Event(sequence, _) => Some(sequence),
            Content::Delivery(..)
            | Content::Resync(..)
            | Content::Message(_)
            | Content::Messages(_)
            | Content::FaultTransition => None,
        }
    }

    /// What it says to whom it is for.
    pub(super) fn messages(&self) -> &[Message] {
        match &self.content {
            Content::Event(_, message) | Content::Delivery(_, message) | Content::Message(message) => {
                std::slice::from_ref(message)
            }
            Content::Resync(_, messages) | Content::Messages(messages) => messages,
            Content::FaultTransition => &[],
        }
    }
}

/// What sockets are told of an event, if they are told of it.
pub(super) fn message_of(event: &Event) -> Option<Message> {
    match &event.kind {
        EventKind::Counted { row: Some(row), value, .. } => Some(reading(row, *value)),
        EventKind::Counted { id, value, .. } => Some(Message::text(json!({ "id": &**id, "total": value }).to_string())),
        EventKind::Sent { topics, frame, .. } | EventKind::Delivered { topics, frame, .. } => {
            Some(Message::from(frame).by_topics(named(&**topics)))
        }
        EventKind::Member { what: MemberEvent::Reply(frame), .. } => Some(frame.into()),
        _ => None,
    }
}

/// The names of those topics that a scenario names.
fn named<'t>(topics: impl IntoIterator<Item = &'t Topic>) -> Box<[Arc<str>]> {
    let name = |topic: &Topic| if let Topic::Named(name) = topic { Some(name.clone()) } else { None };
    topics.into_iter().filter_map(name).collect()
}

impl From<&Frame> for Message {
    fn from(frame: &Frame) -> Self {
        match frame {
            Frame::Json(value) => Self::json(value),
            Frame::Text(text) => Self::text(text.as_bytes().to_vec()),
            Frame::Binary(bytes) => Self::binary(bytes.to_vec()),
        }
    }
}

/// That collections or rows changed.
pub(super) fn notice() -> Message {
    Message::text(&br#"{"notice":"catalogue"}"#[..])
}

/// The counter values of a collection.
pub(super) fn counter_readings(engine: &Engine, collection: &str) -> Vec<Message> {
    engine.counter_readings(collection).map(|current| reading(&current.row, current.value)).collect()
}

/// A row's counter: id, value, and the extra properties that the scenario gives it.
fn reading(row: &Row, value: i64) -> Message {
    let mut message = Map::new();
    message.insert("id".into(), row.id_json());
    message.insert("total".into(), value.into());
    message.extend(row.order().iter().map(|(key, value)| (key.clone(), value.clone())));
    Message::text(Value::Object(message).to_string())
}
