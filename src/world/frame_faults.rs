//! The effects of faults on the frames of one socket: a pure function of frames and times.
//!
//! A socket that a fault hits does not delegate its cursor to the fan-out. Instead, its own task passes its frames
//! through here, so faults cost nothing where there are none. The module keeps track of what was withheld or falsified,
//! so that the socket can be brought up to date once the fault is over.

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

/// A batch of frames ends with the frame that reaches this number of bytes.
const BATCH_BYTES: usize = 64 << 10;

/// A record of what a fault did to a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrameMark {
    /// The world's time at which the frame was sent.
    pub(super) at: Duration,
    pub(super) label: Arc<str>,
    pub(super) description: String,
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

/// The faults that hit one socket, and the frames that they hold.
#[derive(Debug)]
pub(super) struct FrameFaults {
    faults: Arc<[SocketFault]>,
    /// The state of each fault, by its run.
    states: HashMap<u64, FaultRunOnFrames>,
    queue: VecDeque<HeldFrame>,
    /// The maximum number of held frames. Beyond it, the oldest are dropped; the values that they reported are sent
    /// again once the fault is over.
    max_held: usize,
    /// What to send again for frames that were held for later and then dropped.
    dropped: Option<Resend>,
    /// What to send again because of faults that are over.
    resend: Option<Resend>,
    /// The last known time; it goes back when the world does.
    seen: Duration,
    disconnect: Option<Disconnect>,
    marks: Vec<FrameMark>,
}

#[derive(Debug)]
struct HeldFrame {
    due: Duration,
    message: Message,
    event: Option<u64>,
    /// Applied only when the frame is sent, because damage may enlarge it.
    damage: Option<Damage>,
}

impl FrameFaults {
    /// Creates the state for these faults, holding at most `max_held` frames.
    pub(super) fn new(faults: Arc<[SocketFault]>, max_held: usize) -> Self {
        let mut frame_faults = Self {
            faults: Arc::new([]),
            states: HashMap::new(),
            queue: VecDeque::new(),
            max_held,
            dropped: None,
            resend: None,
            seen: Duration::ZERO,
            disconnect: None,
            marks: Vec::new(),
        };
        frame_faults.follow(faults);
        frame_faults
    }

    /// Returns whether no fault is left and no frame is held.
    pub(super) fn is_done(&self) -> bool {
        self.faults.is_empty() && self.queue.is_empty()
    }

    /// Replaces the faults. Frames held by faults that are over are due next.
    pub(super) fn follow(&mut self, faults: Arc<[SocketFault]>) {
        let is_over = |fault: &&SocketFault| !faults.iter().any(|other| other.run == fault.run);
        let mut has_delayed = false;
        for fault in self.faults.clone().iter().filter(is_over) {
            has_delayed |= matches!(fault.fault.effect(), Effect::Delay(_));
            let Some(state) = self.states.remove(&fault.run) else { continue };
            self.resend = merge(self.resend, state.resend);
            for frame in state.window {
                self.hold(frame, Duration::ZERO);
            }
        }
        for SocketFault { run, label, fault, stream: (seed, number) } in faults.iter() {
            if let Entry::Vacant(entry) = self.states.entry(*run) {
                entry.insert(FaultRunOnFrames::new(RandomStream::new(*seed, *number)));
                if *fault.effect() == Effect::Freeze {
                    self.marks.push(FrameMark {
                        at: self.seen,
                        label: label.clone(),
                        description: "frozen".into(),
                        event: None,
                    });
                }
            }
        }
        if has_delayed {
            self.queue.iter_mut().for_each(|held| held.due = Duration::ZERO);
        }
        self.faults = faults;
    }

    /// Returns whether nothing is written and nothing is read.
    pub(super) fn is_frozen(&self) -> bool {
        self.has(&Effect::Freeze)
    }

    fn has(&self, effect: &Effect) -> bool {
        self.faults.iter().any(|fault| fault.fault.effect() == effect)
    }

    /// Returns the label of the fault that makes the server ignore what the client sends; `None` if there is none.
    pub(super) fn ignoring(&self) -> Option<Arc<str>> {
        let fault = self.faults.iter().find(|fault| *fault.fault.effect() == Effect::Ignore)?;
        Some(fault.label.clone())
    }

    /// Takes a frame as of its own time, however much later the socket reads it.
    pub(super) fn take(&mut self, delivery: &Delivery, now: Duration) {
        self.set_now(now);
        let at = delivery.at.min(now);
        self.release_windows(at, |over| over < at);
        let mut frames = vec![InFlight { message: delivery.message.clone(), event: delivery.event, damage: None }];
        let mut delay = Duration::ZERO;
        for SocketFault { run, label, fault, .. } in self.faults.clone().iter() {
            let is_hit = |_: &&mut FaultRunOnFrames| matches_frame(&delivery.message, fault.matches());
            let Some(state) = self.states.get_mut(run).filter(is_hit) else { continue };
            let Some(description) = state.apply(fault.effect(), &mut frames, &mut delay, at) else { continue };
            if is_lossy(fault.effect()) {
                state.resend = merge(state.resend, Some(resend_for(delivery.event)));
            }
            self.marks.push(FrameMark { at, label: label.clone(), description, event: delivery.event });
        }
        for frame in frames {
            self.hold(frame, at.saturating_add(delay));
        }
    }

    /// Queues a frame. Frames keep their order: each is due no earlier than the one before it.
    fn hold(&mut self, InFlight { message, event, damage }: InFlight, due: Duration) {
        let due = self.queue.back().map_or(due, |last| last.due.max(due));
        self.queue.push_back(HeldFrame { due, message, event, damage });
        // Frames that are due now are bounded by the feed: no more are taken until they are sent.
        let is_deferred = self.queue.front().is_some_and(|oldest| oldest.due > self.seen);
        if is_deferred
            && self.queue.len() > self.max_held
            && let Some(oldest) = self.queue.pop_front()
        {
            self.dropped = merge(self.dropped, Some(resend_for(oldest.event)));
        }
    }

    /// Returns whether enough frames wait for the client to read that no more should be taken.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.max_held && self.queue.front().is_some_and(|oldest| oldest.due <= self.seen)
    }

    /// Returns whether frames held for later were dropped for lack of room.
    pub(super) fn has_dropped(&self) -> bool {
        self.dropped.is_some()
    }

    /// Sets the current time. If the world went back in time, held frames belong to a time that no longer exists, so
    /// they are due now.
    fn set_now(&mut self, now: Duration) {
        if now < self.seen {
            self.queue.iter_mut().for_each(|held| held.due = Duration::ZERO);
            self.states.values_mut().for_each(|state| state.since = now);
        }
        self.seen = now;
    }

    /// Returns the next frames that are due, up to a size limit. If a fault ends the socket, no frame follows its last
    /// one.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Message> {
        self.set_now(now);
        self.release_windows(now, |over| over <= now);
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while self.disconnect.is_none() && bytes < BATCH_BYTES && self.queue.front().is_some_and(|held| held.due <= now)
        {
            self.check_disconnect(frames.len());
            if self.disconnect.is_none()
                && let Some(HeldFrame { message, damage, .. }) = self.queue.pop_front()
            {
                let message = damage.map_or(message.clone(), |damage| damaged(&message, damage));
                bytes += message.payload().len();
                frames.push(message);
            }
        }
        for state in self.states.values_mut() {
            state.passed += frames.len() as u64;
        }
        if self.queue.is_empty() {
            self.check_disconnect(0);
        }
        frames
    }

    /// Checks whether a fault ends the socket here, `more` frames after those that are counted.
    fn check_disconnect(&mut self, more: usize) {
        if self.disconnect.is_some() {
            return;
        }
        for SocketFault { run, label, fault, .. } in self.faults.iter() {
            let passed = self.states.get(run).map_or(0, |state| state.passed) + more as u64;
            let disconnect = match fault.effect() {
                Effect::Close { code, reason, after: Some(after) } if passed >= *after => {
                    Disconnect::Close { code: *code, reason: reason.clone() }
                }
                Effect::ResetSocket { after: Some(after) } if passed >= *after => Disconnect::Reset,
                _ => continue,
            };
            let (at, label, description) = (self.seen, label.clone(), disconnect.to_string());
            self.marks.push(FrameMark { at, label, description, event: None });
            self.disconnect = Some(disconnect);
            return;
        }
    }

    /// Makes all held frames due, because the socket is about to close: nothing that it was sent is lost.
    pub(super) fn release(&mut self) {
        let now = self.seen;
        self.release_windows(now, |_| true);
        self.queue.iter_mut().for_each(|held| held.due = Duration::ZERO);
    }

    /// Releases the reordering windows whose timeout is `over`.
    fn release_windows(&mut self, now: Duration, over: impl Fn(Duration) -> bool) {
        let is_over = |state: &&mut FaultRunOnFrames| {
            !state.window.is_empty() && over(state.since.saturating_add(REORDER_TIMEOUT))
        };
        let reordered: Vec<InFlight> =
            self.states.values_mut().filter(is_over).flat_map(FaultRunOnFrames::take_reordered).collect();
        for frame in reordered {
            self.hold(frame, now);
        }
    }

    /// Returns when the next frame is due if no other frame arrives.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let waiting = self.states.values().filter(|state| !state.window.is_empty());
        let windows = waiting.map(|state| state.since.saturating_add(REORDER_TIMEOUT));
        let held = self.queue.front().map(|held| held.due);
        windows.chain(held).min().filter(|_| !self.is_frozen() && self.disconnect.is_none())
    }

    /// Returns how a fault ends the socket; `None` if no fault does.
    pub(super) fn disconnect(&mut self) -> Option<Disconnect> {
        self.disconnect.clone()
    }

    /// Takes the record of what was done to frames since the last call.
    pub(super) fn marks(&mut self) -> Vec<FrameMark> {
        std::mem::take(&mut self.marks)
    }

    /// Takes what to send again because faults that are over withheld or falsified it. What is sent again passes
    /// through the faults that remain.
    pub(super) fn take_resend(&mut self) -> Option<Resend> {
        if !self.faults.iter().any(|fault| matches!(fault.fault.effect(), Effect::Delay(_))) {
            self.resend = merge(self.resend, self.dropped.take());
        }
        self.resend.take()
    }
}

/// Returns whether the effect may keep the latest values from the client.
fn is_lossy(effect: &Effect) -> bool {
    matches!(effect, Effect::Drop(_) | Effect::Corrupt(..) | Effect::Stale | Effect::Reorder(_))
}

/// Returns whether a fault's `topic` and `row` match a frame; a filter that is not set matches every frame.
fn matches_frame(message: &Message, matches: &Matches) -> bool {
    if let Some(pattern) = &matches.topic
        && !message.topics().iter().any(|topic| matches_wildcard(pattern, topic))
    {
        return false;
    }
    let Some(row) = matches.row.as_deref() else { return true };
    let body: Option<Value> = serde_json::from_slice(message.payload()).ok();
    body.is_some_and(|body| id_of(&body).is_some_and(|id| id == row))
}

/// Returns the id of the row that a frame describes, as text.
fn id_of(body: &Value) -> Option<Cow<'_, str>> {
    match body.get("id")? {
        Value::String(id) => Some(id.into()),
        Value::Number(id) => Some(id.to_string().into()),
        _ => None,
    }
}

/// What to send a socket again once the faults are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resend {
    /// The values that changed after the event with this number.
    After(u64),
    /// Everything.
    All,
}

/// Returns what to send again for a lost frame of this event, or of no event.
fn resend_for(event: Option<u64>) -> Resend {
    event.map_or(Resend::All, |event| Resend::After(event.saturating_sub(1)))
}

/// Returns the one that covers both.
fn merge(one: Option<Resend>, other: Option<Resend>) -> Option<Resend> {
    match (one, other) {
        (Some(Resend::After(one)), Some(Resend::After(other))) => Some(Resend::After(one.min(other))),
        (Some(Resend::All), _) | (_, Some(Resend::All)) => Some(Resend::All),
        (one, other) => one.or(other),
    }
}
