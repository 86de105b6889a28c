//! Time that does not pass by itself: everything up to a moment, or the next steps, happens now. And clocks that from
//! then on go another way.
//!
//! An advance goes as fast as the sockets write. So every socket that reads gets every frame, the same frames on every
//! run, however many there are; one that does not read is left behind after a while, and told so.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::clock::Pace;
use super::error::ClockError;
use super::feed::FeedItem;
use super::state::WorldState;
use crate::engine::Event;

/// Events of an advance that are listed; the transcript has more.
pub const MAX_LISTED: usize = 10_000;

/// How far time is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// To the moment at which it is asked, for what is due by then.
    Now,
    /// So much further.
    By(Duration),
    /// To that time since the world's start.
    At(Duration),
    /// Over so many of the next things to happen: steps of scripts and generators.
    Steps(u64),
}

/// What a clock is to do: time goes that far, and then goes on in that way. All of it happens, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClockChange {
    /// How far time is to go.
    pub until: Until,
    /// Whether the clock stands still then; as before if nothing is said.
    pub paused: Option<bool>,
    /// How fast it goes then, in times the machine's; as before if nothing is said.
    pub speed: Option<f64>,
}

/// What an advance did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Advanced {
    /// The world's time after it.
    pub now: Duration,
    /// How the clock goes from then on.
    pub pace: Pace,
    /// When the next thing happens by itself, if anything does.
    pub next_due: Option<Duration>,
    /// What happened, in order; at most [`MAX_LISTED`] of it.
    pub events: Vec<Event>,
    /// How much happened.
    pub count: u64,
    /// Sockets that wrote nothing for a second and may not have everything yet.
    pub left_behind: Vec<u64>,
}

pub(super) type ClockOutcome = Result<Advanced, ClockError>;

impl From<Until> for ClockChange {
    fn from(until: Until) -> Self {
        Self { until, paused: None, speed: None }
    }
}

/// An advance at work.
pub(super) struct Advance {
    change: ClockChange,
    /// Nobody here waits for an advance that another server was asked for.
    reply: Option<oneshot::Sender<ClockOutcome>>,
    /// When it was asked for, in the world's time, if the world is shared.
    given_time: Option<Duration>,
    begun: Option<AdvanceStart>,
    done: Advanced,
    refused: Option<ClockError>,
    is_at_its_end: bool,
    /// Whether faults have changed just now. All sockets follow that before anything else happens: once a fault is over,
    /// they get what is so at that moment.
    is_at_fault_transition: bool,
}

/// What is known once it has begun.
#[derive(Clone, Copy)]
struct AdvanceStart {
    /// When it ends; steps go as far as they go.
    target: Duration,
    steps_left: u64,
    /// How often the world had started over by then.
    epoch: u64,
}

impl Advance {
    pub(super) fn new(change: ClockChange, reply: oneshot::Sender<ClockOutcome>) -> Self {
        Self::of(change, Some(reply), None)
    }

    /// One that all servers that play the world carry out to its end, whether somebody waits for it or not.
    #[cfg(feature = "redis")]
    pub(super) fn shared(
        change: ClockChange,
        reply: Option<oneshot::Sender<ClockOutcome>>,
        given_time: Duration,
    ) -> Self {
        Self::of(change, reply, Some(given_time))
    }

    fn of(change: ClockChange, reply: Option<oneshot::Sender<ClockOutcome>>, given_time: Option<Duration>) -> Self {
        let (begun, done, refused) = (None, Advanced::default(), None);
        Self { change, reply, given_time, begun, done, refused, is_at_its_end: false, is_at_fault_transition: false }
    }

    /// Whether the sockets have to write everything before it goes on, or is over.
    pub(super) fn waits_for_all(&self) -> bool {
        self.is_at_its_end || self.is_at_fault_transition
    }

    /// Lets some of it happen. Says whether it is over.
    pub(super) fn go_on(&mut self, state: &mut WorldState, actions: usize) -> bool {
        if self.begun.is_some_and(|begun| begun.epoch != state.epoch) {
            self.refused = Some(ClockError::Overtaken);
            return true;
        }
        // Whoever asked is gone: time stays where it is.
        let is_given_up = self.given_time.is_none() && self.reply.as_ref().is_none_or(oneshot::Sender::is_closed);
        if self.is_at_its_end || is_given_up {
            return true;
        }
        let begun = match self.begun {
            Some(begun) => begun,
            None => match self.begin(state) {
                Ok(begun) => begun,
                Err(refusal) => {
                    self.refused = Some(refusal);
                    return true;
                }
            },
        };
        let events = self.some(begun, state, actions);
        state.shared.clock.set(state.engine.now(), Pace { paused: true, ..state.shared.clock.pace() });
        state.notify(&events);
        if self.is_at_its_end && state.has_faulted_sockets {
            // What is held back for some time comes by now, although nothing else does.
            state.publish([FeedItem::fault_transition()]);
        }
        self.is_at_fault_transition = Event::ends_at_fault_transition(&events);
        let events = events.into_iter().filter(|event| !event.is_delivery());
        let events: Vec<Event> = events.collect();
        self.done.count += events.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.done.events.len());
        self.done.events.extend(events.into_iter().take(room));
        false
    }

    fn begin(&mut self, state: &mut WorldState) -> Result<AdvanceStart, ClockError> {
        let now = self.given_time.map_or_else(|| state.now(), |given| state.time_at(given));
        let (target, steps_left) = match self.change.until {
            Until::Now => (now, 0),
            Until::By(by) => (now.saturating_add(by), 0),
            Until::At(at) if at < now => return Err(ClockError::InThePast { now }),
            Until::At(at) => (at, 0),
            Until::Steps(steps) => (now, steps),
        };
        // It is held meanwhile, so that time does not run ahead of what happens.
        state.held = Some(state.shared.clock.pace());
        Ok(*self.begun.insert(AdvanceStart { target, steps_left, epoch: state.epoch }))
    }

    fn some(&mut self, begun: AdvanceStart, state: &mut WorldState, actions: usize) -> Vec<Event> {
        let is_due = |state: &WorldState| state.engine.next_due().is_some_and(|due| due <= begun.target);
        match self.change.until {
            Until::Steps(_) => self.step(begun, state, actions),
            Until::Now => {
                let events = state.engine.advance_some(begun.target, actions);
                // A scenario that asks for more than the machine can do is behind its clock, and stops where it is; where
                // several servers state it, at the same moment everywhere.
                let is_at_fault_transition = Event::ends_at_fault_transition(&events);
                self.is_at_its_end = self.given_time.is_none() && !is_at_fault_transition || !is_due(state);
                events
            }
            Until::By(_) | Until::At(_) => {
                let events = state.engine.advance_some(begun.target, actions);
                self.is_at_its_end = !is_due(state);
                if self.is_at_its_end {
                    state.engine.settle(begun.target);
                }
                events
            }
        }
    }

    fn step(&mut self, mut begun: AdvanceStart, state: &mut WorldState, actions: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..actions {
            let Some(due) = state.engine.next_due().filter(|_| begun.steps_left > 0) else {
                self.is_at_its_end = true;
                break;
            };
            begun.steps_left -= 1;
            events.extend(state.engine.advance_some(due, 1));
            if Event::ends_at_fault_transition(&events) {
                break;
            }
        }
        self.begun = Some(begun);
        events
    }

    /// Lets the clock go again, and answers whoever asked.
    pub(super) fn finish(self, state: &mut WorldState) {
        let Self { reply, refused, done, change, is_at_its_end, .. } = self;
        // After a reset or a restore, the clock goes as that has left it.
        if let Some(pace) = state.held.take() {
            let then = if is_at_its_end { change } else { Until::Now.into() };
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
