//! Explicit changes to a world's clock: everything up to a moment, or the next steps, happens now, and the clock then
//! runs at the requested pace.
//!
//! An advance is paced by the sockets. Every socket that reads receives every frame, the same frames on every run,
//! however many there are. A socket that does not read is left behind after a while and reported.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::clock::Pace;
use super::error::ClockError;
use super::feed::FeedItem;
use super::state::WorldState;
use crate::engine::Event;

/// The maximum number of events that an advance lists; the transcript has the rest.
pub const MAX_LISTED: usize = 10_000;

/// How far time advances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// To the time of the request; runs everything due by then.
    Now,
    /// By this duration.
    By(Duration),
    /// To this time since the world's start.
    At(Duration),
    /// Through this many scheduled steps of scripts and generators.
    Steps(u64),
}

/// A change to a clock: first an advance, then a new pace. It takes effect as a whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClockChange {
    /// How far time advances.
    pub until: Until,
    /// Whether the clock is paused afterwards; `None` leaves this as it is.
    pub paused: Option<bool>,
    /// The speed of the clock afterwards, relative to the machine's; `None` leaves it as it is.
    pub speed: Option<f64>,
}

/// The result of an advance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Advanced {
    /// The world's time after the advance.
    pub now: Duration,
    /// The pace of the clock from then on.
    pub pace: Pace,
    /// When the next scheduled work is due; `None` if nothing is scheduled.
    pub next_due: Option<Duration>,
    /// The events in order, at most [`MAX_LISTED`].
    pub events: Vec<Event>,
    /// The total number of events.
    pub count: u64,
    /// Sockets that have written nothing for a second and may not have received everything yet.
    pub left_behind: Vec<u64>,
}

pub(super) type ClockOutcome = Result<Advanced, ClockError>;

impl From<Until> for ClockChange {
    fn from(until: Until) -> Self {
        Self { until, paused: None, speed: None }
    }
}

/// An advance in progress.
pub(super) struct Advance {
    change: ClockChange,
    /// `None` if another server requested the advance.
    reply: Option<oneshot::Sender<ClockOutcome>>,
    /// The world's time when the advance was requested; `None` if the world is not shared.
    given_time: Option<Duration>,
    start: Option<AdvanceStart>,
    done: Advanced,
    refused: Option<ClockError>,
    is_at_end: bool,
    /// Whether faults have just changed. All sockets follow the change before anything else happens, because a socket
    /// that a fault has left receives the values of that moment.
    is_at_fault_transition: bool,
}

/// State of an advance that has started.
#[derive(Clone, Copy)]
struct AdvanceStart {
    /// When the advance ends; ignored when counting steps.
    target: Duration,
    steps_left: u64,
    /// The world's epoch at the start.
    epoch: u64,
}

impl Advance {
    pub(super) fn new(change: ClockChange, reply: oneshot::Sender<ClockOutcome>) -> Self {
        Self::of(change, Some(reply), None)
    }

    /// Creates an advance that all servers of a shared world carry out to its end, whether a client waits for it or
    /// not.
    #[cfg(feature = "redis")]
    pub(super) fn shared(
        change: ClockChange,
        reply: Option<oneshot::Sender<ClockOutcome>>,
        given_time: Duration,
    ) -> Self {
        Self::of(change, reply, Some(given_time))
    }

    fn of(change: ClockChange, reply: Option<oneshot::Sender<ClockOutcome>>, given_time: Option<Duration>) -> Self {
        let (start, done, refused) = (None, Advanced::default(), None);
        Self { change, reply, given_time, start, done, refused, is_at_end: false, is_at_fault_transition: false }
    }

    /// Returns whether the sockets have to write everything before the advance continues or ends.
    pub(super) fn waits_for_all(&self) -> bool {
        self.is_at_end || self.is_at_fault_transition
    }

    /// Runs the next part of the advance. Returns whether it is over.
    pub(super) fn run(&mut self, state: &mut WorldState, actions: usize) -> bool {
        if self.start.is_some_and(|start| start.epoch != state.epoch) {
            self.refused = Some(ClockError::Overtaken);
            return true;
        }
        // The client has gone away, so time stays where it is.
        let is_abandoned = self.given_time.is_none() && self.reply.as_ref().is_none_or(oneshot::Sender::is_closed);
        if self.is_at_end || is_abandoned {
            return true;
        }
        let start = match self.start {
            Some(start) => start,
            None => match self.start(state) {
                Ok(start) => start,
                Err(refusal) => {
                    self.refused = Some(refusal);
                    return true;
                }
            },
        };
        let mut events = self.run_some(start, state, actions);
        state.shared.clock.set(state.engine.now(), Pace { paused: true, ..state.shared.clock.pace() });
        let caused = state.notify(&events);
        events.extend(caused);
        if self.is_at_end && state.has_faulted_sockets {
            // Nothing more happens here, but frames that faults have delayed until now are due.
            state.publish_items([FeedItem::fault_transition()]);
        }
        self.is_at_fault_transition = Event::ends_at_fault_transition(&events);
        let events = events.into_iter().filter(|event| !event.is_delivery());
        let events: Vec<Event> = events.collect();
        self.done.count += events.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.done.events.len());
        self.done.events.extend(events.into_iter().take(room));
        false
    }

    fn start(&mut self, state: &mut WorldState) -> Result<AdvanceStart, ClockError> {
        let now = self.given_time.map_or_else(|| state.now(), |given| state.time_at(given));
        let (target, steps_left) = match self.change.until {
            Until::Now => (now, 0),
            Until::By(by) => (now.saturating_add(by), 0),
            Until::At(at) if at < now => return Err(ClockError::InThePast { now }),
            Until::At(at) => (at, 0),
            Until::Steps(steps) => (now, steps),
        };
        // Hold the clock, so that time does not run ahead of the events.
        state.held = Some(state.shared.clock.pace());
        Ok(*self.start.insert(AdvanceStart { target, steps_left, epoch: state.epoch }))
    }

    fn run_some(&mut self, start: AdvanceStart, state: &mut WorldState, actions: usize) -> Vec<Event> {
        let is_due = |state: &WorldState| state.engine.next_due().is_some_and(|due| due <= start.target);
        match self.change.until {
            Until::Steps(_) => self.step(start, state, actions),
            Until::Now => {
                let events = state.engine.advance_some(start.target, actions);
                // A scenario that schedules more than the machine can do lags behind its clock, and stops where it is.
                // In a shared world, it stops at the same moment on every server.
                let is_at_fault_transition = Event::ends_at_fault_transition(&events);
                self.is_at_end = self.given_time.is_none() && !is_at_fault_transition || !is_due(state);
                events
            }
            Until::By(_) | Until::At(_) => {
                let events = state.engine.advance_some(start.target, actions);
                self.is_at_end = !is_due(state);
                if self.is_at_end {
                    state.engine.settle(start.target);
                }
                events
            }
        }
    }

    fn step(&mut self, mut start: AdvanceStart, state: &mut WorldState, actions: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..actions {
            let Some(due) = state.engine.next_due().filter(|_| start.steps_left > 0) else {
                self.is_at_end = true;
                break;
            };
            start.steps_left -= 1;
            events.extend(state.engine.advance_some(due, 1));
            if Event::ends_at_fault_transition(&events) {
                break;
            }
        }
        self.start = Some(start);
        events
    }

    /// Releases the clock and replies to the client.
    pub(super) fn finish(self, state: &mut WorldState) {
        let Self { reply, refused, done, change, is_at_end, .. } = self;
        // A reset or restore has already set the clock.
        if let Some(pace) = state.held.take() {
            let then = if is_at_end { change } else { Until::Now.into() };
            let pace = Pace { paused: then.paused.unwrap_or(pace.paused), speed: then.speed.unwrap_or(pace.speed) };
            state.shared.clock.set(state.engine.now(), pace);
        }
        let outcome = match refused {
            Some(refusal) => Err(refusal),
            None => Ok(Advanced {
                now: state.engine.now(),
                pace: state.shared.clock.pace(),
                next_due: state.engine.next_due(),
                left_behind: state.shared.sockets.behind(state.shared.feed.end()),
                ..done
            }),
        };
        if let Some(reply) = reply {
            let _ = reply.send(outcome);
        }
    }
}
