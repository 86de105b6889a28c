//! What sockets get: current orders, then every new total, in one order and without a gap.
//!
//! The task that owns the engine puts each frame into the feed once, encoded. A subscription is made by the same task,
//! in one step: the current orders, and a place in the feed from which to read on. The feed keeps a bounded number of
//! frames. A socket that falls further behind does not get what it missed but the totals that changed since the last
//! frame it saw: the latest state, not a growing queue.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::engine::{CurrentOrder, Engine, Event, EventKind};
use crate::scenario::Feed as Scope;
use crate::websocket::Encoded;

/// Frames that a socket may be behind, unless set otherwise, before it is brought up to date with current totals instead.
pub const DEFAULT_BACKLOG: usize = 1024;

/// The fewest: with less, sockets that read would be behind in the middle of what happens at one moment.
pub const FEWEST_BACKLOG: usize = 16;

/// A frame on its way to sockets.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// A new total.
    Order {
        /// The number of its event.
        sequence: u64,
        /// When it happened, in the world's time.
        at: Duration,
        /// The category whose sockets get it; all get it otherwise.
        only: Option<Arc<str>>,
        text: Encoded,
    },
    /// Categories or products are not what they were; for those who asked for notices.
    Notice { at: Duration, text: Encoded },
    /// Current orders by category, for every socket: what was before is void.
    Fresh { sequence: u64, at: Duration, orders: Arc<HashMap<Arc<str>, Arc<[Encoded]>>> },
    /// Other faults are in force from here on; no socket gets anything of it.
    Turn,
    /// What a test sends, to one socket or to all.
    Raw { socket: Option<u64>, at: Duration, message: Encoded },
}

/// The frames that sockets may still have to get.
#[derive(Debug)]
pub(super) struct Feed {
    /// Frames that a socket may be behind.
    backlog: usize,
    log: Mutex<Log>,
    published: Notify,
    handed_out: Notify,
}

#[derive(Debug, Default)]
struct Log {
    frames: VecDeque<Frame>,
    /// The position of the first of them. Positions count frames over the life of the world.
    first: u64,
    /// The position after the last [`Frame::Fresh`].
    fresh: u64,
    /// The position after the last [`Frame::Turn`].
    turn: u64,
    /// Up to here the fan-out has handed them out; none from here on is dropped.
    handed_out: u64,
    /// Frames that may wait beside the backlog: those of a single large request, as long as they are among the last. A
    /// socket that reads gets all of them, however many there are.
    spare: usize,
}

impl Log {
    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    fn trim(&mut self, backlog: usize) {
        let surplus = self.frames.len().saturating_sub(backlog.saturating_add(self.spare)) as u64;
        let surplus = surplus.min(self.handed_out.saturating_sub(self.first));
        self.frames.drain(..usize::try_from(surplus).unwrap_or(usize::MAX));
        self.first += surplus;
    }
}

impl Feed {
    /// A feed of so many frames.
    pub(super) fn new(backlog: usize) -> Self {
        let backlog = backlog.max(FEWEST_BACKLOG);
        Self { backlog, log: Mutex::default(), published: Notify::new(), handed_out: Notify::new() }
    }

    /// Frames that a socket may be behind.
    pub(super) fn backlog(&self) -> usize {
        self.backlog
    }

    /// The position of the next frame.
    pub(super) fn end(&self) -> u64 {
        self.lock().end()
    }

    pub(super) fn publish(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut log = self.lock();
        let before = log.frames.len();
        for frame in frames {
            let after = log.end() + 1;
            match frame {
                Frame::Fresh { .. } => log.fresh = after,
                Frame::Turn => log.turn = after,
                _ => {}
            }
            log.frames.push_back(frame);
        }
        let added = log.frames.len() - before;
        // The fan-out is not woken for nothing.
        if added == 0 {
            return;
        }
        // More than that at once does not count against the backlog.
        let bulk = if added > self.backlog / 2 { added } else { 0 };
        log.spare = log.spare.saturating_sub(added).max(bulk);
        log.trim(self.backlog);
        drop(log);
        self.published.notify_one();
    }

    /// Whether everything was void at some time after that position.
    pub(super) fn fresh_since(&self, position: u64) -> bool {
        self.lock().fresh > position
    }

    /// The position from which on the faults count that are in force now.
    pub(super) fn last_turn(&self) -> u64 {
        self.lock().turn
    }

    /// Forgets all frames, because nobody is there to read them.
    pub(super) fn clear(&self) {
        let mut log = self.lock();
        log.first = log.end();
        log.handed_out = log.first;
        log.frames = VecDeque::new();
        log.spare = 0;
    }

    /// The frames from a position on, so many at the most and none after `last`, with the position after them. `None` if
    /// the place is no longer in the feed.
    pub(super) fn read(&self, from: u64, most: usize, last: u64) -> Option<(Vec<Frame>, u64)> {
        let log = self.lock();
        let offset = from.checked_sub(log.first)?;
        let end = log.end().min(last).min(from.saturating_add(most as u64)).max(from);
        let count = usize::try_from(end - from).unwrap_or(usize::MAX);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Some((log.frames.iter().skip(offset).take(count).cloned().collect(), end))
    }

    /// Up to where the fan-out has handed everything out.
    pub(super) fn handed_out(&self) -> u64 {
        self.lock().handed_out
    }

    /// The fan-out has handed out everything up to there.
    pub(super) fn hand_out(&self, position: u64) {
        let mut log = self.lock();
        // It may have been cleared meanwhile.
        log.handed_out = log.handed_out.max(position);
        log.trim(self.backlog);
        drop(log);
        self.handed_out.notify_one();
    }

    /// Waits until something is published, or was since the last wait. Only the fan-out waits.
    pub(super) async fn published(&self) {
        self.published.notified().await;
    }

    /// Waits until the fan-out is not more than the backlog behind, so that more sockets than the machine can serve slow
    /// down what happens, and nothing is lost. Only the world's task waits.
    pub(super) async fn room(&self) {
        let is_far_behind = |log: &Log| log.end() - log.handed_out > self.backlog as u64;
        while is_far_behind(&self.lock()) {
            self.handed_out.notified().await;
        }
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
        let text = Encoded::text(&json!({ "id": &**id, "total": total }).to_string());
        Some(Self::Order { sequence: event.sequence, at: event.at, only, text })
    }
}

/// That the catalogue is not what it was.
pub(super) fn notice() -> Encoded {
    Encoded::text(r#"{"notice":"catalogue"}"#)
}

/// The current orders of a category, as texts.
pub(super) fn current_orders(engine: &Engine, category: &str) -> Vec<Encoded> {
    engine.current_orders(category).map(|order| current_order(&order)).collect()
}

/// A current order: id, total, and the extra properties that the scenario gives it.
fn current_order(order: &CurrentOrder) -> Encoded {
    let mut frame = Map::new();
    frame.insert("id".into(), Value::from(&**order.product.id()));
    frame.insert("total".into(), order.total.into());
    frame.extend(order.product.order().iter().map(|(key, value)| (key.clone(), value.clone())));
    Encoded::text(&Value::Object(frame).to_string())
}
