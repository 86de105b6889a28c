//! The feed of a world: the values and messages published to sockets, in one order and without gaps.
//!
//! The task that owns the engine publishes each item once. The same task creates subscriptions, each in one step: the
//! current values, and the position of the feed at which to continue. The feed keeps a bounded number of items. A
//! socket that falls further behind does not receive the missed items but the values changed since the last item it
//! saw: the latest state instead of a growing queue. For members of rules, that state comes from
//! [`ChangedRows`](super::changed_rows::ChangedRows).
//!
//! A run of items is encoded once for all sockets that receive the same messages ([`Batch`]).

mod batch;
mod log;

use std::sync::atomic::{AtomicU64, Ordering};
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

/// The default number of items that a socket may be behind before it is caught up with current values instead.
pub const DEFAULT_BACKLOG: usize = 1024;

/// The minimum backlog: with less, even sockets that keep reading would fall behind during the events of a single
/// moment.
pub const MIN_BACKLOG: usize = 16;

/// The maximum number of items combined into one write.
pub(super) const MAX_BATCH_ITEMS: usize = 256;

/// An item published to sockets.
#[derive(Debug, Clone)]
pub(super) struct FeedItem {
    pub(super) to: Audience,
    /// When it was published, in the world's time.
    pub(super) at: Duration,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A message about the event with this number.
    Event(u64, Message),
    /// A message to members of rules about the event with this number.
    Delivery(u64, Message),
    /// A message that reports no event.
    Message(Message),
    /// Several messages at one moment that report no event: a burst for one member takes one place in the feed.
    Messages(Arc<[Message]>),
    /// The current values, including those of the event with this number; everything before is void.
    Resync(u64, Arc<[Message]>),
    /// A marker: different faults apply from here on. Sockets do not receive it.
    FaultTransition,
}

/// The items that sockets may not have received yet.
#[derive(Debug)]
pub(super) struct EventFeed {
    /// The number of items that a socket may be behind.
    backlog: usize,
    /// The log's end, readable without the lock. Stored only under the lock.
    end: AtomicU64,
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
    /// Creates a feed with the given backlog.
    pub(super) fn new(backlog: usize) -> Self {
        let backlog = backlog.max(MIN_BACKLOG);
        let log = Mutex::new(Published { log: FeedLog::new(backlog), resync: 0, transition: 0 });
        Self { backlog, end: AtomicU64::new(0), log, published: Notify::new(), handed_out: Notify::new() }
    }

    /// Returns the number of items that a socket may be behind.
    pub(super) fn backlog(&self) -> usize {
        self.backlog
    }

    /// Returns the position of the next item.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::SeqCst)
    }

    /// Adds items that are published together, and returns whether there were any. The caller must then
    /// [wake](Self::wake) the fan-out.
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
        self.end.store(log.end(), Ordering::SeqCst);
        added > 0
    }

    /// Wakes the fan-out.
    pub(super) fn wake(&self) {
        self.published.notify_one();
    }

    /// Returns whether there was a resync after this position.
    pub(super) fn resynced_since(&self, position: u64) -> bool {
        self.lock().resync > position
    }

    /// Returns the position from which the current faults apply.
    pub(super) fn last_transition(&self) -> u64 {
        self.lock().transition
    }

    /// Drops all items, because no socket is open.
    pub(super) fn clear(&self) {
        self.lock().log.clear();
    }

    /// Returns the items from a position on, at most `limit` and none after `last`, and the position after them. `None`
    /// if the feed no longer has that position.
    pub(super) fn read(&self, from: u64, limit: usize, last: u64) -> Option<(Vec<FeedItem>, u64)> {
        self.lock().log.read(from, limit, last)
    }

    /// Returns whether the feed still has everything from a position on.
    pub(super) fn has(&self, from: u64) -> bool {
        self.lock().log.read(from, 0, from).is_some()
    }

    /// Returns the position of the first item that the feed still has.
    pub(super) fn first(&self) -> u64 {
        self.lock().log.first()
    }

    /// Returns the position up to which the fan-out has handed out all items.
    pub(super) fn handed_out(&self) -> u64 {
        self.lock().log.handed_out()
    }

    /// Notes that the fan-out has handed out all items up to this position.
    pub(super) fn hand_out(&self, position: u64) {
        self.lock().log.hand_out(position);
        self.handed_out.notify_one();
    }

    /// Waits until an item is published, or returns at once if one was since the last wait. Only the fan-out waits
    /// here.
    pub(super) async fn published(&self) {
        self.published.notified().await;
    }

    /// Waits until the fan-out is at most the backlog behind. With more sockets than the machine can serve, the world
    /// thus slows down, but nothing is lost. Only the world's task waits here.
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
    /// Returns a marker that different faults apply from here on.
    pub(super) fn fault_transition() -> Self {
        Self { to: Audience::All, at: Duration::ZERO, content: Content::FaultTransition }
    }

    /// Returns the number of the item's last event.
    pub(super) fn sequence(&self) -> Option<u64> {
        match self.content {
            Content::Event(sequence, _) | Content::Delivery(sequence, _) | Content::Resync(sequence, _) => {
                Some(sequence)
            }
            Content::Message(_) | Content::Messages(_) | Content::FaultTransition => None,
        }
    }

    /// Returns the event that the item reports, except for messages of rules.
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

    /// Returns the messages to the audience.
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

/// Returns the message that tells sockets about an event, if any.
pub(super) fn message_of(event: &Event) -> Option<Message> {
    match &event.kind {
        EventKind::Counted { row: Some(row), value, .. } => Some(counter_reading(row, *value)),
        EventKind::Counted { id, value, .. } => Some(Message::text(json!({ "id": &**id, "total": value }).to_string())),
        EventKind::Sent { topics, frame, .. } | EventKind::Delivered { topics, frame, .. } => {
            Some(Message::from(frame).by_topics(topic_names(&**topics)))
        }
        EventKind::Member { what: MemberEvent::Reply(frame), .. } => Some(frame.into()),
        _ => None,
    }
}

/// Returns the names of the topics that have one in the scenario.
fn topic_names<'t>(topics: impl IntoIterator<Item = &'t Topic>) -> Arc<[Arc<str>]> {
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

/// Returns the notice that collections or rows have changed.
pub(super) fn notice() -> Message {
    Message::text(&br#"{"notice":"catalogue"}"#[..])
}

/// Returns the counter values of a collection.
pub(super) fn counter_readings(engine: &Engine, collection: &str) -> Vec<Message> {
    engine.counter_readings(collection).map(|current| counter_reading(&current.row, current.value)).collect()
}

/// Returns a row's counter: id, value, and the extra properties from the scenario.
fn counter_reading(row: &Row, value: i64) -> Message {
    let mut message = Map::new();
    message.insert("id".into(), row.id_json());
    message.insert("total".into(), value.into());
    message.extend(row.order().iter().map(|(key, value)| (key.clone(), value.clone())));
    Message::text(Value::Object(message).to_string())
}
