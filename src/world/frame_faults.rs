//! What faults do to the frames of one socket: a pure function of frames and times.
//!
//! A socket that a fault hits does not delegate its cursor to the fan-out. Its own task passes its frames through here, so that
//! faults cost nothing where there are none. What was withheld or falsified is remembered, so that the socket can be
//! brought up to date once the fault is over.

mod run;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::message::{Delivery, Message};
use crate::engine::{RandomStream, SocketFault, matches_wildcard};
use crate::scenario::{Damage, Effect, Matches};
use run::{FaultRunOnFrames, InFlight, REORDER_TIMEOUT, damaged};

/// Bytes of frames that are handed out together, and the one that goes beyond.
const BATCH_BYTES: usize = 64 << 10;

/// What a fault did to a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrameMark {
    pub(super) label: Arc<str>,
    pub(super) did: String,
    pub(super) event: Option<u64>,
}

/// How a fault ends a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Disconnect {
    Close { code: u16, reason: String },
    Reset,
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close { code, .. } => write!(f, "closed with {code}"),
            Self::Reset => f.write_str("reset"),
        }
    }
}

/// The faults that hit one socket, and what they hold.
#[derive(Debug)]
pub(super) struct FrameFaults {
    faults: Arc<[SocketFault]>,
    /// What each of them keeps, by its run.
    kept: HashMap<u64, FaultRunOnFrames>,
    queue: VecDeque<HeldFrame>,
    /// Frames that may be held. Of more the oldest are given up, to be made up for when the fault is over.
    most: usize,
    /// What was given up of what is held for later.
    given_up: Option<Behind>,
    /// What faults that are over have kept from the socket.
    behind: Option<Behind>,
    /// The time when it was looked at last: it goes back when the world does.
    seen: Duration,
    disconnect: Option<Disconnect>,
    marks: Vec<FrameMark>,
}

#[derive(Debug)]
struct HeldFrame {
    due: Duration,
    message: Message,
    event: Option<u64>,
    /// Done when it goes out: until then it takes no more room than it has.
    damage: Option<Damage>,
}

impl FrameFaults {
    /// For these faults, which hold so many frames at the most.
    pub(super) fn new(faults: Arc<[SocketFault]>, most: usize) -> Self {
        let mut frame_faults = Self {
            faults: Arc::new([]),
            kept: HashMap::new(),
            queue: VecDeque::new(),
            most,
            given_up: None,
            behind: None,
            seen: Duration::ZERO,
            disconnect: None,
            marks: Vec::new(),
        };
        frame_faults.follow(faults);
        frame_faults
    }

    /// Whether no fault is left, and nothing that any has held back.
    pub(super) fn is_done(&self) -> bool {
        self.faults.is_empty() && self.queue.is_empty()
    }

    /// From now on these; what faults that are over have held back comes next.
    pub(super) fn follow(&mut self, faults: Arc<[SocketFault]>) {
        let is_over = |fault: &&SocketFault| !faults.iter().any(|other| other.run == fault.run);
        let mut has_delayed = false;
        for fault in self.faults.clone().iter().filter(is_over) {
            has_delayed |= matches!(fault.fault.effect(), Effect::Delay(_));
            let Some(kept) = self.kept.remove(&fault.run) else { continue };
            self.behind = earlier(self.behind, kept.behind);
            for waiting in kept.window {
                self.hold(waiting, Duration::ZERO);
            }
        }
        for SocketFault { run, label, fault, stream: (seed, number) } in faults.iter() {
            if let Entry::Vacant(place) = self.kept.entry(*run) {
                place.insert(FaultRunOnFrames::new(RandomStream::new(*seed, *number)));
                if *fault.effect() == Effect::Freeze {
                    self.marks.push(FrameMark { label: label.clone(), did: "frozen".into(), event: None });
                }
            }
        }
        if has_delayed {
            self.queue.iter_mut().for_each(|held| held.due = Duration::ZERO);
        }
        self.faults = faults;
    }

    /// Whether nothing goes out and nothing is read.
    pub(super) fn is_frozen(&self) -> bool {
        self.has(&Effect::Freeze)
    }

    fn has(&self, effect: &Effect) -> bool {
        self.faults.iter().any(|fault| fault.fault.effect() == effect)
    }

    /// The fault by which what the client sends is ignored.
    pub(super) fn ignores(&self) -> Option<Arc<str>> {
        let fault = self.faults.iter().find(|fault| *fault.fault.effect() == Effect::Ignore)?;
        Some(fault.label.clone())
    }

    /// A frame comes by, as at its own time: it makes no difference how much later the socket takes it.
    pub(super) fn take(&mut self, delivery: &Delivery, now: Duration) {
        self.look_at(now);
        let at = delivery.at.min(now);
        self.release_windows(at, |over| over < at);
        let mut frames = vec![InFlight { message: delivery.message.clone(), event: delivery.event, damage: None }];
        let mut delay = Duration::ZERO;
        for SocketFault { run, label, fault, .. } in self.faults.clone().iter() {
            let is_hit = |_: &&mut FaultRunOnFrames| is_about(&delivery.message, fault.matches());
            let Some(kept) = self.kept.get_mut(run).filter(is_hit) else { continue };
            let Some(did) = kept.apply(fault.effect(), &mut frames, &mut delay, at) else { continue };
            if is_lossy(fault.effect()) {
                kept.behind = earlier(kept.behind, Some(before(delivery.event)));
            }
            self.marks.push(FrameMark { label: label.clone(), did, event: delivery.event });
        }
        for waiting in frames {
            self.hold(waiting, at.saturating_add(delay));
        }
    }

    /// Frames keep their order: one waits at least as long as the one before.
    fn hold(&mut self, InFlight { message, event, damage }: InFlight, due: Duration) {
        let due = self.queue.back().map_or(due, |last| last.due.max(due));
        self.queue.push_back(HeldFrame { due, message, event, damage });
        // What is for now is as much as the feed has, and no more of that is taken.
        let is_for_later = self.queue.front().is_some_and(|oldest| oldest.due > self.seen);
        if is_for_later
            && self.queue.len() > self.most
            && let Some(oldest) = self.queue.pop_front()
        {
            self.given_up = earlier(self.given_up, Some(before(oldest.event)));
        }
    }

    /// Whether so much waits for the client to read that nothing more is to come.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.most && self.queue.front().is_some_and(|oldest| oldest.due <= self.seen)
    }

    /// Whether more was held for later than there is room for.
    pub(super) fn has_given_up(&self) -> bool {
        self.given_up.is_some()
    }

    /// When the world has gone back to a moment before, what is held is from a time that is no more: it comes now.
    fn look_at(&mut self, now: Duration) {
        if now < self.seen {
            self.queue.iter_mut().for_each(|held| held.due = Duration::ZERO);
            self.kept.values_mut().for_each(|kept| kept.since = now);
        }
        self.seen = now;
    }

    /// The frames whose time has come, up to a bound. None comes after the one with which a fault ends the socket.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Message> {
        self.look_at(now);
        self.release_windows(now, |over| over <= now);
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while self.disconnect.is_none() && bytes < BATCH_BYTES && self.queue.front().is_some_and(|held| held.due <= now)
        {
            self.count_down(frames.len());
            if self.disconnect.is_none()
                && let Some(HeldFrame { message, damage, .. }) = self.queue.pop_front()
            {
                let message = damage.map_or(message.clone(), |damage| damaged(&message, damage));
                bytes += message.payload().len();
                frames.push(message);
            }
        }
        for kept in self.kept.values_mut() {
            kept.passed += frames.len() as u64;
        }
        if self.queue.is_empty() {
            self.count_down(0);
        }
        frames
    }

    /// Whether a fault ends the socket here, with so many frames that are not counted yet.
    fn count_down(&mut self, more: usize) {
        if self.disconnect.is_some() {
            return;
        }
        for SocketFault { run, label, fault, .. } in self.faults.iter() {
            let passed = self.kept.get(run).map_or(0, |kept| kept.passed) + more as u64;
            let disconnect = match fault.effect() {
                Effect::Close { code, reason, after: Some(after) } if passed >= *after => {
                    Disconnect::Close { code: *code, reason: reason.clone() }
                }
                Effect::ResetSocket { after: Some(after) } if passed >= *after => Disconnect::Reset,
                _ => continue,
            };
            self.marks.push(FrameMark { label: label.clone(), did: disconnect.to_string(), event: None });
            self.disconnect = Some(disconnect);
            return;
        }
    }

    /// Windows that have waited until a time by which they are `over`.
    fn release_windows(&mut self, now: Duration, over: impl Fn(Duration) -> bool) {
        let is_over =
            |kept: &&mut FaultRunOnFrames| !kept.window.is_empty() && over(kept.since.saturating_add(REORDER_TIMEOUT));
        let reordered: Vec<InFlight> =
            self.kept.values_mut().filter(is_over).flat_map(FaultRunOnFrames::take_reordered).collect();
        for waiting in reordered {
            self.hold(waiting, now);
        }
    }

    /// When frames come next if none comes by.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let waiting = self.kept.values().filter(|kept| !kept.window.is_empty());
        let windows = waiting.map(|kept| kept.since.saturating_add(REORDER_TIMEOUT));
        let held = self.queue.front().map(|held| held.due);
        windows.chain(held).min().filter(|_| !self.is_frozen() && self.disconnect.is_none())
    }

    /// How a fault ends the socket, once.
    pub(super) fn disconnect(&mut self) -> Option<Disconnect> {
        self.disconnect.clone()
    }

    /// What was done to frames since the last call.
    pub(super) fn marks(&mut self) -> Vec<FrameMark> {
        std::mem::take(&mut self.marks)
    }

    /// What is to be sent again, because faults that are over withheld or falsified it. It passes through those that are not
    /// over.
    pub(super) fn healed(&mut self) -> Option<Behind> {
        if !self.faults.iter().any(|fault| matches!(fault.fault.effect(), Effect::Delay(_))) {
            self.behind = earlier(self.behind, self.given_up.take());
        }
        self.behind.take()
    }
}

/// Whether the client may not know the latest values after it.
fn is_lossy(effect: &Effect) -> bool {
    matches!(effect, Effect::Drop(_) | Effect::Corrupt(..) | Effect::Stale | Effect::Reorder(_))
}

/// Whether a frame comes by the topic, and is of the row, that a fault is about, if it is about one.
fn is_about(message: &Message, matches: &Matches) -> bool {
    if let Some(pattern) = &matches.topic
        && !message.topics().iter().any(|topic| matches_wildcard(pattern, topic))
    {
        return false;
    }
    let Some(row) = matches.row.as_deref() else { return true };
    let body: Option<Value> = serde_json::from_slice(message.payload()).ok();
    body.is_some_and(|body| id_of(&body).is_some_and(|id| id == row))
}

/// The id of the row that a frame is about, as text.
fn id_of(body: &Value) -> Option<Cow<'_, str>> {
    match body.get("id")? {
        Value::String(id) => Some(id.into()),
        Value::Number(id) => Some(id.to_string().into()),
        _ => None,
    }
}

/// What the socket has to be sent again once the faults are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// The values that changed after that event.
    After(u64),
    /// Everything.
    All,
}

/// Where to begin again for a frame that tells of that event, or of none.
fn before(event: Option<u64>) -> Behind {
    event.map_or(Behind::All, |event| Behind::After(event.saturating_sub(1)))
}

/// The one of two that tells more.
fn earlier(one: Option<Behind>, other: Option<Behind>) -> Option<Behind> {
    match (one, other) {
        (Some(Behind::After(one)), Some(Behind::After(other))) => Some(Behind::After(one.min(other))),
        (Some(Behind::All), _) | (_, Some(Behind::All)) => Some(Behind::All),
        (one, other) => one.or(other),
    }
}
