//! What sockets get: current orders, then every new total, in one order and without a gap.
//!
//! The task that owns the engine puts each frame into the feed once, encoded. A subscription is made by the same task,
//! in one step: the current orders, and a place in the feed from which to read on. The feed keeps a bounded number of
//! frames. A socket that falls further behind does not get what it missed but the totals that changed since the last
//! frame it saw: the latest state, not a growing queue.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::engine::{CurrentOrder, Engine, Event, EventKind};
use crate::scenario::Feed as Scope;

/// Frames that a socket may be behind before it is brought up to date with current totals instead.
pub(super) const BACKLOG: usize = 1024;

/// With more frames than this at once, they do not count against the backlog.
const LARGE: usize = BACKLOG / 2;

/// A frame on its way to sockets.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// A new total.
    Order {
        /// The number of its event.
        sequence: u64,
        /// The category whose sockets get it; all get it otherwise.
        only: Option<Arc<str>>,
        text: Utf8Bytes,
    },
    /// Categories or products are not what they were; for those who asked for notices.
    Notice,
    /// Current orders by category, for every socket: what was before is void.
    Fresh { sequence: u64, orders: Arc<HashMap<Arc<str>, Vec<Utf8Bytes>>> },
    /// What a test sends, to one socket or to all.
    Raw { socket: Option<u64>, message: Message },
}

/// The frames that a socket may still have to get.
#[derive(Debug, Default)]
pub(super) struct Feed {
    log: Mutex<Log>,
    published: Notify,
}

#[derive(Debug, Default)]
struct Log {
    frames: VecDeque<Frame>,
    /// The position of the first of them. Positions count frames over the life of the world.
    first: u64,
    /// The position after the last [`Frame::Fresh`].
    fresh: u64,
    /// Frames that may wait beside the backlog: those of a single large request, as long as they are among the last. A
    /// socket that reads gets all of them, however many there are.
    spare: usize,
}

impl Log {
    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }
}

/// What a reader finds at its place.
pub(super) enum Read {
    /// Frames, and the position after them.
    Frames(Vec<Frame>, u64),
    /// The place is no longer in the feed.
    Behind,
}

impl Feed {
    /// The position of the next frame.
    pub(super) fn end(&self) -> u64 {
        self.lock().end()
    }

    pub(super) fn publish(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut log = self.lock();
        let before = log.frames.len();
        for frame in frames {
            let is_fresh = matches!(frame, Frame::Fresh { .. });
            log.frames.push_back(frame);
            if is_fresh {
                log.fresh = log.end();
            }
        }
        let added = log.frames.len() - before;
        let bulk = if added > LARGE { added } else { 0 };
        log.spare = log.spare.saturating_sub(added).max(bulk);
        let surplus = log.frames.len().saturating_sub(BACKLOG + log.spare);
        log.frames.drain(..surplus);
        log.first += surplus as u64;
        drop(log);
        self.published.notify_waiters();
    }

    /// Whether everything was void at some time after that position.
    pub(super) fn fresh_since(&self, position: u64) -> bool {
        self.lock().fresh > position
    }

    /// Forgets all frames, because nobody is there to read them.
    pub(super) fn clear(&self) {
        let mut log = self.lock();
        log.first = log.end();
        log.frames = VecDeque::new();
        log.spare = 0;
    }

    /// The frames from a position on, so many at the most, and none after `last`.
    pub(super) fn read(&self, from: u64, most: usize, last: u64) -> Read {
        let log = self.lock();
        let Some(offset) = from.checked_sub(log.first) else { return Read::Behind };
        let end = log.end().min(last).min(from.saturating_add(most as u64)).max(from);
        let count = usize::try_from(end - from).unwrap_or(usize::MAX);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Read::Frames(log.frames.iter().skip(offset).take(count).cloned().collect(), end)
    }

    /// Waits until something is published after this call.
    pub(super) fn published(&self) -> tokio::sync::futures::Notified<'_> {
        self.published.notified()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frame {
    /// The frame of an event, if sockets get one.
    pub(super) fn of(scope: Scope, event: &Event) -> Option<Self> {
        let EventKind::Total { id, category, total } = &event.kind else { return None };
        let only = match scope {
            Scope::All => None,
            Scope::Category => Some(category.clone()),
        };
        let text = json!({ "id": &**id, "total": total }).to_string().into();
        Some(Self::Order { sequence: event.sequence, only, text })
    }
}

/// The text of a notice.
pub(super) fn notice() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"notice":"catalogue"}"#)
}

/// The current orders of a category, as texts.
pub(super) fn current_orders(engine: &Engine, category: &str) -> Vec<Utf8Bytes> {
    engine.current_orders(category).map(|order| current_order(&order)).collect()
}

/// A current order: id, total, and the extra properties that the scenario gives it.
fn current_order(order: &CurrentOrder) -> Utf8Bytes {
    let mut frame = Map::new();
    frame.insert("id".into(), Value::from(&**order.product.id()));
    frame.insert("total".into(), order.total.into());
    frame.extend(order.product.order().iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(frame).to_string().into()
}
