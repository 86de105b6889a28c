//! What faults do to the frames of one socket: a pure function of frames and times.
//!
//! A socket that a fault hits is not lent to the fan-out. Its own task passes its frames through here, so that faults cost
//! nothing where there are none. What was withheld or falsified is remembered, so that the socket can be brought up to date
//! once the fault is over.

mod damage;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::engine::{SocketFault, Stream};
use crate::scenario::{Effect, Matches};
use crate::websocket::Encoded;

/// How long frames that are to change places wait for others.
const REORDER_PATIENCE: Duration = Duration::from_secs(1);

/// A frame on its way to a socket.
#[derive(Debug, Clone)]
pub(super) struct Passing {
    pub(super) frame: Encoded,
    /// The event that it tells of; none if it is a current order, or something else.
    pub(super) event: Option<u64>,
}

/// What a fault did to a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) label: Arc<str>,
    pub(super) did: String,
    pub(super) event: Option<u64>,
}

/// What the socket has to be told again when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// The totals that changed after that event.
    After(u64),
    /// Everything.
    All,
}

/// How a fault ends a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Strike {
    Close { code: u16, reason: String },
    Reset,
}

/// The faults that hit one socket, and what they hold.
#[derive(Debug)]
pub(super) struct Tamper {
    faults: Arc<[SocketFault]>,
    /// What each of them keeps, by its number.
    kept: HashMap<u64, Kept>,
    queue: VecDeque<Held>,
    behind: Option<Behind>,
    strike: Option<Strike>,
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Kept {
    rng: Stream,
    /// Frames that a closing fault has let pass.
    passed: u64,
    /// Frames that wait to change places, and since when.
    window: Vec<Encoded>,
    since: Duration,
    /// The total that each product is said to have.
    stale: HashMap<String, Value>,
}

#[derive(Debug)]
struct Held {
    due: Duration,
    frame: Encoded,
}

impl Tamper {
    pub(super) fn new(faults: Arc<[SocketFault]>) -> Self {
        let mut tamper = Self {
            faults: Arc::new([]),
            kept: HashMap::new(),
            queue: VecDeque::new(),
            behind: None,
            strike: None,
            marks: Vec::new(),
        };
        tamper.follow(faults);
        tamper
    }

    pub(super) fn faults(&self) -> &Arc<[SocketFault]> {
        &self.faults
    }

    /// From now on these; what faults that are over have held back comes next.
    pub(super) fn follow(&mut self, faults: Arc<[SocketFault]>) {
        let is_there = |id: u64| faults.iter().any(|fault| fault.id == id);
        for fault in self.faults.iter().filter(|fault| !is_there(fault.id)) {
            let window = self.kept.remove(&fault.id).map(|kept| kept.window).unwrap_or_default();
            self.queue.extend(window.into_iter().map(|frame| Held { due: Duration::ZERO, frame }));
        }
        for SocketFault { id, stream: (seed, number), .. } in faults.iter() {
            self.kept.entry(*id).or_insert_with(|| Kept {
                rng: Stream::new(*seed, *number),
                passed: 0,
                window: Vec::new(),
                since: Duration::ZERO,
                stale: HashMap::new(),
            });
        }
        if !faults.iter().any(|fault| matches!(fault.fault.effect(), Effect::Delay(_))) {
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

    /// A frame comes by.
    pub(super) fn take(&mut self, passing: &Passing, now: Duration) {
        let mut frames = vec![passing.frame.clone()];
        let mut delay = Duration::ZERO;
        for SocketFault { id, label, fault, .. } in self.faults.clone().iter() {
            let Some(kept) = self.kept.get_mut(id).filter(|_| is_about(&passing.frame, fault.matches())) else {
                continue;
            };
            let mut did: Option<String> = None;
            match fault.effect() {
                Effect::Drop(chance) if kept.rng.takes(*chance) => {
                    frames.clear();
                    did = Some("dropped".into());
                }
                Effect::Duplicate(chance) if kept.rng.takes(*chance) => {
                    frames = frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
                    did = Some("sent twice".into());
                }
                Effect::Corrupt(kind, chance) if kept.rng.takes(*chance) => {
                    frames = frames.iter().map(|frame| damage::damaged(frame, *kind)).collect();
                    did = Some(format!("corrupted: {}", kind.word()));
                }
                Effect::Stale => {
                    for frame in &mut frames {
                        if let Some(stale) = kept.stale(frame) {
                            *frame = stale;
                            did = Some("told a stale total".into());
                        }
                    }
                }
                Effect::Delay(latency) => {
                    let drawn = kept.rng.latency(*latency);
                    delay = delay.saturating_add(drawn);
                    did = Some(format!("delayed by {}", crate::scenario::format_duration(drawn)));
                }
                Effect::Reorder(window) => {
                    frames = kept.reorder(frames, *window, now);
                    did = Some("put in another order".into());
                }
                _ => {}
            }
            if let Some(did) = did {
                if is_lossy(fault.effect()) {
                    self.behind = Some(earlier(self.behind, passing.event));
                }
                self.marks.push(Mark { label: label.clone(), did, event: passing.event });
            }
        }
        for frame in frames {
            self.hold(frame, now.saturating_add(delay));
        }
    }

    /// Frames keep their order: one waits at least as long as the one before.
    fn hold(&mut self, frame: Encoded, due: Duration) {
        let due = self.queue.back().map_or(due, |last| last.due.max(due));
        self.queue.push_back(Held { due, frame });
    }

    /// The frames whose time has come. None comes after the one with which a fault ends the socket.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Encoded> {
        self.turn_windows(now);
        let mut frames = Vec::new();
        while self.strike.is_none() && self.queue.front().is_some_and(|held| held.due <= now) {
            self.count_down(frames.len());
            if self.strike.is_none()
                && let Some(held) = self.queue.pop_front()
            {
                frames.push(held.frame);
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
        for SocketFault { id, fault, .. } in self.faults.iter() {
            let passed = self.kept.get(id).map_or(0, |kept| kept.passed) + more as u64;
            let strike = match fault.effect() {
                Effect::Close { code, reason, after: Some(after) } if passed >= *after => {
                    Strike::Close { code: *code, reason: reason.clone() }
                }
                Effect::ResetSocket { after: Some(after) } if passed >= *after => Strike::Reset,
                _ => continue,
            };
            self.strike.get_or_insert(strike);
        }
    }

    /// Windows that have waited long enough.
    fn turn_windows(&mut self, now: Duration) {
        let is_over = |kept: &&mut Kept| !kept.window.is_empty() && kept.since.saturating_add(REORDER_PATIENCE) <= now;
        let turned: Vec<Encoded> = self.kept.values_mut().filter(is_over).flat_map(Kept::turn).collect();
        for frame in turned {
            self.hold(frame, now);
        }
    }

    /// When frames come next if none comes by.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let waiting = self.kept.values().filter(|kept| !kept.window.is_empty());
        let windows = waiting.map(|kept| kept.since.saturating_add(REORDER_PATIENCE));
        let held = self.queue.front().map(|held| held.due);
        windows.chain(held).min().filter(|_| !self.is_frozen() && self.strike.is_none())
    }

    /// How a fault ends the socket, once.
    pub(super) fn strike(&mut self) -> Option<Strike> {
        self.strike.clone()
    }

    /// What was done to frames since the last call.
    pub(super) fn marks(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.marks)
    }

    /// What is to be told again, if nothing is withheld or falsified any more.
    pub(super) fn healed(&mut self) -> Option<Behind> {
        let is_well = !self.faults.iter().any(|fault| is_lossy(fault.fault.effect()));
        if is_well { self.behind.take() } else { None }
    }

    /// What is held back, in order.
    pub(super) fn into_rest(self) -> Vec<Encoded> {
        self.queue.into_iter().map(|held| held.frame).collect()
    }
}

impl Kept {
    /// The same frame with the total that the product was first said to have; none if that is what it says.
    fn stale(&mut self, frame: &Encoded) -> Option<Encoded> {
        let mut told: Value = serde_json::from_slice(&frame.payload()).ok()?;
        let (id, total) = (told.get("id")?.as_str()?.to_owned(), told.get("total")?.clone());
        let first = self.stale.entry(id).or_insert_with(|| total.clone()).clone();
        if first == total {
            return None;
        }
        told["total"] = first;
        Some(Encoded::text(&told.to_string()))
    }

    /// Collects frames, and gives them when there are enough.
    fn reorder(&mut self, frames: Vec<Encoded>, window: u64, now: Duration) -> Vec<Encoded> {
        if self.window.is_empty() {
            self.since = now;
        }
        self.window.extend(frames);
        if self.window.len() as u64 >= window { self.turn() } else { Vec::new() }
    }

    /// The last first.
    fn turn(&mut self) -> Vec<Encoded> {
        let mut frames = std::mem::take(&mut self.window);
        let last = 1.min(frames.len());
        frames.rotate_right(last);
        frames
    }
}

/// Whether the client may not know the latest totals after it.
fn is_lossy(effect: &Effect) -> bool {
    matches!(effect, Effect::Drop(_) | Effect::Corrupt(..) | Effect::Stale | Effect::Reorder(_))
}

fn earlier(behind: Option<Behind>, event: Option<u64>) -> Behind {
    match (behind, event) {
        (Some(Behind::All), _) | (_, None) => Behind::All,
        (Some(Behind::After(before)), Some(event)) => Behind::After(before.min(event.saturating_sub(1))),
        (None, Some(event)) => Behind::After(event.saturating_sub(1)),
    }
}

/// Whether a frame is of the product that a fault is about, if it is about one.
fn is_about(frame: &Encoded, matches: &Matches) -> bool {
    let Some(product) = matches.product.as_deref() else { return true };
    let told: Option<Value> = serde_json::from_slice(&frame.payload()).ok();
    told.is_some_and(|told| told.get("id").and_then(Value::as_str) == Some(product))
}
