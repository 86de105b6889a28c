//! What sockets get: counter values, then every new value, in one order and without a gap.
//!
//! The task that owns the engine publishes each item once. A subscription is made by the same task, in one step: the current
//! orders, and a position in the feed from which to read on. The feed keeps a bounded number of items. A socket that falls
//! further behind does not get what it missed but the values that changed since the last item it saw: the latest state, not a
//! growing queue.
//!
//! A run of items is encoded once for all sockets that get the same ([`Batch`]).

mod log;

use std::collections::HashMap;
use std::ptr::fn_addr_eq;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use self::log::FeedLog;
use super::message::{Delivery, Encode, Message};
use crate::engine::{Engine, Event, EventKind};
use crate::scenario::{Feed as Scope, Row};

/// Items that a socket may be behind, unless set otherwise, before it is brought up to date with current values instead.
pub const DEFAULT_BACKLOG: usize = 1024;

/// The fewest: with less, sockets that read would be behind in the middle of what happens at one moment.
pub const FEWEST_BACKLOG: usize = 16;

/// Items that are put together into one write.
pub(super) const MAX_BATCH_ITEMS: usize = 256;

/// Something that is published to sockets.
#[derive(Debug, Clone)]
pub(super) enum FeedItem {
    /// A new value.
    Counted {
        /// The number of its event.
        sequence: u64,
        /// When it happened, in the world's time.
        at: Duration,
        /// The collection whose sockets get it; all get it otherwise.
        only: Option<Arc<str>>,
        message: Message,
    },
    /// Collections or rows changed; for those who asked for notices.
    Notice { at: Duration, message: Message },
    /// counter values by collection, for every socket: everything before is void.
    Resync { sequence: u64, at: Duration, orders: Arc<HashMap<Arc<str>, Arc<[Message]>>> },
    /// Other faults are in force from here on; no socket gets anything of it.
    FaultTransition,
    /// What a test sends, to one socket or to all.
    Raw { socket: Option<u64>, at: Duration, message: Message },
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
    /// The position after the last [`FeedItem::Resync`].
    resync: u64,
    /// The position after the last [`FeedItem::FaultTransition`].
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

    pub(super) fn publish(&self, items: impl IntoIterator<Item = FeedItem>) {
        let mut published = self.lock();
        let Published { log, resync, transition } = &mut *published;
        let mut after = log.end();
        let added = log.publish(items.into_iter().inspect(|item| {
            after += 1;
            match item {
                FeedItem::Resync { .. } => *resync = after,
                FeedItem::FaultTransition => *transition = after,
                _ => {}
            }
        }));
        drop(published);
        // The fan-out is not woken for nothing.
        if added > 0 {
            self.published.notify_one();
        }
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
    /// The item of an event, if sockets get one.
    pub(super) fn of(scope: Scope, event: &Event) -> Option<Self> {
        let EventKind::Counted { id, collection, value, row } = &event.kind else { return None };
        let only = match scope {
            Scope::All => None,
            Scope::Collection => Some(collection.clone()),
        };
        let message = match row {
            Some(row) => order(row, *value),
            None => Message::text(json!({ "id": &**id, "total": value }).to_string()),
        };
        Some(Self::Counted { sequence: event.sequence, at: event.at, only, message })
    }

    /// The number of the last event in it.
    fn sequence(&self) -> Option<u64> {
        match self {
            Self::Counted { sequence, .. } | Self::Resync { sequence, .. } => Some(*sequence),
            Self::Notice { .. } | Self::FaultTransition | Self::Raw { .. } => None,
        }
    }

    /// When it was published, in the world's time.
    fn at(&self) -> Duration {
        match self {
            Self::Counted { at, .. } | Self::Notice { at, .. } | Self::Resync { at, .. } | Self::Raw { at, .. } => *at,
            Self::FaultTransition => Duration::ZERO,
        }
    }

    /// What a socket gets of it.
    fn for_socket(&self, cursor: &Cursor, id: u64) -> &[Message] {
        let (is_for_it, message) = match self {
            Self::Counted { only, message, .. } => {
                (only.as_ref().is_none_or(|only| *only == cursor.collection), message)
            }
            Self::Notice { message, .. } => (cursor.notices, message),
            Self::FaultTransition => return &[],
            Self::Resync { orders, .. } => return orders.get(&cursor.collection).map_or(&[], |orders| orders),
            Self::Raw { socket, message, .. } => (socket.is_none_or(|socket| socket == id), message),
        };
        if is_for_it { std::slice::from_ref(message) } else { &[] }
    }
}

/// Where a socket is in the feed, and what it gets of it.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The position of the next item to look at.
    pub(super) position: u64,
    /// The number of the last event that was handed out.
    pub(super) seen: u64,
    pub(super) collection: Arc<str>,
    pub(super) notices: bool,
    /// The socket's transport.
    pub(super) encode: Encode,
}

/// Messages for one socket, encoded and ready to be written.
#[derive(Debug, Clone, Default)]
pub struct EncodedBatch {
    /// The bytes of all of them.
    pub bytes: Bytes,
    /// How many messages there are.
    pub messages: u64,
}

impl EncodedBatch {
    /// These messages.
    pub(super) fn of<'m>(messages: impl IntoIterator<Item = &'m Message>, encode: Encode) -> Self {
        let (mut bytes, mut count) = (BytesMut::new(), 0);
        for message in messages {
            bytes.put_slice(&message.encoded(encode));
            count += 1;
        }
        Self { bytes: bytes.freeze(), messages: count }
    }
}

/// A run of items in the feed.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) from: u64,
    pub(super) to: u64,
    items: Vec<FeedItem>,
    /// The number of the last event in them.
    seen: Option<u64>,
    /// Whether some are for one socket alone.
    is_personal: bool,
    /// Whether some are for the sockets of one collection.
    is_by_collection: bool,
    /// The transport of the first socket. What is encoded is kept for this one alone.
    encode: Option<Encode>,
    /// By whether notices are asked for, if nothing else makes a difference: found without hashing.
    same: [Option<EncodedBatch>; 2],
    /// By that and the collection.
    by_collection: HashMap<(Arc<str>, bool), EncodedBatch>,
    /// That of the last socket, if there is something for one socket alone, or its transport is not the first socket's.
    personal: EncodedBatch,
}

impl Batch {
    /// The items from a position on, at most `most` and none after `last`. `None` if the feed no longer has them.
    pub(super) fn read(feed: &EventFeed, from: u64, most: usize, last: u64) -> Option<Self> {
        let (items, to) = feed.read(from, most, last)?;
        let seen = items.iter().rev().find_map(FeedItem::sequence);
        let is_personal = items.iter().any(|item| matches!(item, FeedItem::Raw { socket: Some(_), .. }));
        let by_collection =
            |item: &FeedItem| matches!(item, FeedItem::Counted { only: Some(_), .. } | FeedItem::Resync { .. });
        let is_by_collection = items.iter().any(by_collection);
        let (same, by_collection, personal) = ([None, None], HashMap::new(), EncodedBatch::default());
        Some(Self { from, to, items, seen, is_personal, is_by_collection, encode: None, same, by_collection, personal })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// What the socket of that number gets. Its cursor is at the start of the batch, and at its end afterwards.
    pub(super) fn encoded_for(&mut self, cursor: &mut Cursor, socket: u64) -> &EncodedBatch {
        self.pass(cursor);
        let is_other_transport = !fn_addr_eq(*self.encode.get_or_insert(cursor.encode), cursor.encode);
        let encode = || encode(&self.items, cursor, socket);
        if self.is_personal || is_other_transport {
            self.personal = encode();
            &self.personal
        } else if self.is_by_collection {
            self.by_collection.entry((cursor.collection.clone(), cursor.notices)).or_insert_with(encode)
        } else {
            self.same[usize::from(cursor.notices)].get_or_insert_with(encode)
        }
    }

    /// As [`Batch::encoded_for`], message by message, each with the event that it tells of.
    pub(super) fn messages_for(&self, cursor: &mut Cursor, socket: u64) -> Vec<Delivery> {
        let deliveries = |(position, item): (u64, &FeedItem)| {
            let event = if matches!(item, FeedItem::Counted { .. }) { item.sequence() } else { None };
            let at = item.at();
            let messages = item.for_socket(cursor, socket).to_vec();
            messages.into_iter().map(move |message| Delivery { message, event, at, position })
        };
        let messages = (self.from..).zip(&self.items).flat_map(deliveries).collect();
        self.pass(cursor);
        messages
    }

    fn pass(&self, cursor: &mut Cursor) {
        cursor.position = self.to;
        cursor.seen = self.seen.unwrap_or(cursor.seen);
    }
}

fn encode(items: &[FeedItem], cursor: &Cursor, socket: u64) -> EncodedBatch {
    if let [FeedItem::Counted { only: None, message, .. }] = items {
        // The most frequent case needs no copy.
        return EncodedBatch { bytes: message.encoded(cursor.encode), messages: 1 };
    }
    EncodedBatch::of(items.iter().flat_map(|item| item.for_socket(cursor, socket)), cursor.encode)
}

/// That collections or rows changed.
pub(super) fn notice() -> Message {
    Message::text(&br#"{"notice":"catalogue"}"#[..])
}

/// The counter values of a collection.
pub(super) fn counter_readings(engine: &Engine, collection: &str) -> Vec<Message> {
    engine.counter_readings(collection).map(|current| order(&current.row, current.value)).collect()
}

/// An order of a row: id, value, and the extra properties that the scenario gives it.
fn order(row: &Row, value: i64) -> Message {
    let mut message = Map::new();
    message.insert("id".into(), row.id_json());
    message.insert("total".into(), value.into());
    message.extend(row.order().iter().map(|(key, value)| (key.clone(), value.clone())));
    Message::text(Value::Object(message).to_string())
}
