//! What sockets get: current orders, then every new total, in one order and without a gap.
//!
//! The task that owns the engine publishes each frame once, encoded. A subscription is made by the same task, in
//! one step: the current orders as of event N, and a receiver that starts at event N + 1. Frames carry their
//! event's number, so a subscription can tell what it has seen. One that falls behind the bounded backlog does not
//! get what it missed but the totals that changed since the last frame it saw: the latest state, not a growing queue.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{World, WorldError};
use crate::engine::{CurrentOrder, Engine, Event, EventKind};
use crate::scenario::Feed;

/// Frames that a socket may be behind before it is brought up to date with current totals instead.
const BACKLOG: usize = 1024;

/// Frames that are handed to a socket at once.
const FRAMES_AT_ONCE: usize = 256;

/// A text frame on its way to sockets.
#[derive(Debug, Clone)]
pub struct Frame {
    sequence: u64,
    audience: Audience,
    text: Utf8Bytes,
}

#[derive(Debug, Clone)]
enum Audience {
    All,
    Category(Arc<str>),
    /// Those who asked for notices.
    Notices,
}

/// The answer to a join: everything up to `sequence` is in `current`, everything after it comes from `live`.
#[derive(Debug)]
pub(super) struct Joined {
    sequence: u64,
    current: Vec<Utf8Bytes>,
    live: broadcast::Receiver<Frame>,
}

/// The sending side, owned by the task.
#[derive(Debug)]
pub(super) struct Publisher {
    live: broadcast::Sender<Frame>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self { live: broadcast::Sender::new(BACKLOG) }
    }
}

impl Publisher {
    pub(super) fn publish(&self, feed: Feed, event: &Event) {
        if let Some(frame) = Frame::of(feed, event) {
            // An error says that no socket is open, which is as good as any other number of them.
            let _ = self.live.send(frame);
        }
    }

    /// Tells those who asked that categories or products are not what they were.
    pub(super) fn notice_catalogue(&self, sequence: u64) {
        let text = Utf8Bytes::from_static(r#"{"notice":"catalogue"}"#);
        let _ = self.live.send(Frame { sequence, audience: Audience::Notices, text });
    }

    pub(super) fn join(&self, engine: &Engine, category: &str) -> Joined {
        let current = engine.current_orders(category).map(|order| current_order(&order)).collect();
        Joined { sequence: engine.sequence(), current, live: self.live.subscribe() }
    }
}

/// The totals that changed after an event, as frames, and the number of the last event in them.
pub(super) fn catch_up(engine: &Engine, after: u64) -> (Vec<Frame>, u64) {
    let feed = engine.scenario().feed();
    let missed = engine.changed_since(after);
    (missed.iter().filter_map(|event| Frame::of(feed, event)).collect(), engine.sequence())
}

impl Frame {
    fn of(feed: Feed, event: &Event) -> Option<Self> {
        let EventKind::Total { id, category, total } = &event.kind else { return None };
        let audience = match feed {
            Feed::All => Audience::All,
            Feed::Category => Audience::Category(category.clone()),
        };
        let text = json!({ "id": &**id, "total": total }).to_string().into();
        Some(Self { sequence: event.sequence, audience, text })
    }
}

/// A current order: id, total, and the extra properties that the scenario gives it.
fn current_order(order: &CurrentOrder) -> Utf8Bytes {
    let mut frame = Map::new();
    frame.insert("id".into(), Value::from(&**order.product.id()));
    frame.insert("total".into(), order.total.into());
    frame.extend(order.product.order().iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(frame).to_string().into()
}

/// One socket's view of the feed.
#[derive(Debug)]
pub struct Subscription {
    world: World,
    category: Arc<str>,
    notices: bool,
    live: broadcast::Receiver<Frame>,
    /// The number of the last event that is in what was handed out.
    seen: u64,
    /// Whether frames were dropped because the backlog was full, and current totals have to make up for them.
    behind: bool,
    /// Handed out with the next batch.
    waiting: Vec<Utf8Bytes>,
}

impl Subscription {
    pub(super) fn new(world: World, category: Arc<str>, notices: bool, joined: Joined) -> Self {
        let Joined { sequence, current, live } = joined;
        Self { world, category, notices, live, seen: sequence, behind: false, waiting: current }
    }

    /// Waits until there are frames and gives all that wait, up to a bound, in order. Safe to cancel: what was not
    /// given is given by the next call.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn next(&mut self) -> Result<Vec<Utf8Bytes>, WorldError> {
        loop {
            if self.behind {
                self.catch_up().await?;
            }
            self.drain(FRAMES_AT_ONCE, u64::MAX);
            if !self.waiting.is_empty() {
                return Ok(std::mem::take(&mut self.waiting));
            }
            if !self.behind {
                match self.live.recv().await {
                    Ok(frame) => self.take(frame),
                    Err(RecvError::Lagged(_)) => self.behind = true,
                    Err(RecvError::Closed) => return Err(WorldError::Ended),
                }
            }
        }
    }

    /// Switches to another category: its current orders come next, after the live frames from before them.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn switch(&mut self, category: &str) -> Result<(), WorldError> {
        loop {
            if self.behind {
                self.catch_up().await?;
            }
            let Joined { sequence, current, live } = self.world.join(category).await?;
            self.drain(usize::MAX, sequence);
            // Both receivers hold what comes after `sequence`, and frames already seen are passed over by number.
            self.live = live;
            if !self.behind {
                self.seen = self.seen.max(sequence);
                self.category = category.into();
                self.waiting.extend(current);
                return Ok(());
            }
        }
    }

    /// Takes frames that wait already: so many at the most, and up to the event of that number.
    fn drain(&mut self, most: usize, last: u64) {
        while self.waiting.len() < most && !self.behind {
            match self.live.try_recv() {
                Ok(frame) if frame.sequence <= last => self.take(frame),
                Err(TryRecvError::Lagged(_)) => self.behind = true,
                Ok(_) | Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn take(&mut self, frame: Frame) {
        let notice = matches!(frame.audience, Audience::Notices);
        if notice && self.notices {
            self.waiting.push(frame.text);
        } else if !notice && frame.sequence > self.seen {
            self.seen = frame.sequence;
            self.hand(frame);
        }
    }

    fn hand(&mut self, frame: Frame) {
        let mine = match &frame.audience {
            Audience::All => true,
            Audience::Category(category) => *category == self.category,
            Audience::Notices => false,
        };
        if mine {
            self.waiting.push(frame.text);
        }
    }

    async fn catch_up(&mut self) -> Result<(), WorldError> {
        let (missed, sequence) = self.world.catch_up(self.seen).await?;
        for frame in missed {
            self.hand(frame);
        }
        self.seen = sequence;
        self.behind = false;
        if self.notices {
            self.waiting.push(Utf8Bytes::from_static(r#"{"notice":"catalogue"}"#));
        }
        Ok(())
    }
}
