//! Time that does not pass by itself: everything up to a moment, or the next steps, happens now. And clocks that from
//! then on go another way.
//!
//! An advance goes as fast as the sockets write. So every socket that reads gets every frame, the same frames on every
//! run, however many there are; one that does not read is left behind after a while, and told so.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::oneshot;

use super::clock::Pace;
use super::feed::Frame;
use super::play::Play;
use crate::engine::Event;
use crate::scenario::format_duration;

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
    /// Over so many of the next things to happen: script steps and random orders.
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advanced {
    /// The world's time after it.
    pub now: Duration,
    /// What happened, in order; at most [`MAX_LISTED`] of it.
    pub events: Vec<Event>,
    /// How much happened.
    pub count: u64,
    /// Sockets that wrote nothing for a second and may not have everything yet.
    pub left_behind: Vec<u64>,
}

/// Why time was not advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClockError {
    /// That time is over; nothing has changed.
    #[error("it is {} already, and time does not go back", format_duration(*.now))]
    InThePast {
        /// The world's time.
        now: Duration,
    },
    /// The world went back to its start, or to a snapshot, while it was at work.
    #[error("the world was reset or restored before its clock had got there")]
    Overtaken,
}

pub(super) type Outcome = Result<Advanced, ClockError>;

impl From<Until> for ClockChange {
    fn from(until: Until) -> Self {
        Self { until, paused: None, speed: None }
    }
}

/// An advance at work.
pub(super) struct Advance {
    change: ClockChange,
    /// Nobody here waits for an advance that another server was asked for.
    reply: Option<oneshot::Sender<Outcome>>,
    /// When it was asked for, in the world's time, if the world is shared.
    told: Option<Duration>,
    begun: Option<Begun>,
    done: Advanced,
    refused: Option<ClockError>,
    is_at_its_end: bool,
    /// Whether faults have turned just now, which all sockets have to follow before something else happens: what they are
    /// told once a fault is over is how things are then.
    is_at_a_turn: bool,
}

/// What is known once it has begun.
#[derive(Clone, Copy)]
struct Begun {
    /// When it ends; steps go as far as they go.
    target: Duration,
    steps_left: u64,
    /// How often the world had started over by then.
    generation: u64,
}

impl Advance {
    pub(super) fn new(change: ClockChange, reply: oneshot::Sender<Outcome>) -> Self {
        Self::of(change, Some(reply), None)
    }

    /// One that all servers that play the world carry out to its end, whoever waits for it.
    pub(super) fn shared(change: ClockChange, reply: Option<oneshot::Sender<Outcome>>, told: Duration) -> Self {
        Self::of(change, reply, Some(told))
    }

    fn of(change: ClockChange, reply: Option<oneshot::Sender<Outcome>>, told: Option<Duration>) -> Self {
        let (begun, done, refused) = (None, Advanced::default(), None);
        Self { change, reply, told, begun, done, refused, is_at_its_end: false, is_at_a_turn: false }
    }

    /// Whether the sockets have to write everything before it goes on, or is over.
    pub(super) fn waits_for_all(&self) -> bool {
        self.is_at_its_end || self.is_at_a_turn
    }

    /// Lets some of it happen. Says whether it is over.
    pub(super) fn go_on(&mut self, play: &mut Play, actions: usize) -> bool {
        if self.begun.is_some_and(|begun| begun.generation != play.generation) {
            self.refused = Some(ClockError::Overtaken);
            return true;
        }
        // Whoever asked is gone: time stays where it is.
        let is_given_up = self.told.is_none() && self.reply.as_ref().is_none_or(oneshot::Sender::is_closed);
        if self.is_at_its_end || is_given_up {
            return true;
        }
        let begun = match self.begun {
            Some(begun) => begun,
            None => match self.begin(play) {
                Ok(begun) => begun,
                Err(refusal) => {
                    self.refused = Some(refusal);
                    return true;
                }
            },
        };
        let events = self.some(begun, play, actions);
        play.shared.clock.set(play.engine.now(), Pace { paused: true, ..play.shared.clock.pace() });
        play.tell(&events);
        if self.is_at_its_end && play.has_faulted_sockets {
            // What is held back for some time comes by now, although nothing else does.
            play.publish([Frame::Turn]);
        }
        self.is_at_a_turn = Event::end_at_a_turn(&events);
        self.done.count += events.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.done.events.len());
        self.done.events.extend(events.into_iter().take(room));
        false
    }

    fn begin(&mut self, play: &mut Play) -> Result<Begun, ClockError> {
        let now = self.told.map_or_else(|| play.now(), |told| play.time_of(told));
        let (target, steps_left) = match self.change.until {
            Until::Now => (now, 0),
            Until::By(by) => (now.saturating_add(by), 0),
            Until::At(at) if at < now => return Err(ClockError::InThePast { now }),
            Until::At(at) => (at, 0),
            Until::Steps(steps) => (now, steps),
        };
        // It is held meanwhile, so that time does not run ahead of what happens.
        play.held = Some(play.shared.clock.pace());
        Ok(*self.begun.insert(Begun { target, steps_left, generation: play.generation }))
    }

    fn some(&mut self, begun: Begun, play: &mut Play, actions: usize) -> Vec<Event> {
        let is_due = |play: &Play| play.engine.next_due().is_some_and(|due| due <= begun.target);
        match self.change.until {
            Until::Steps(_) => self.step(begun, play, actions),
            Until::Now => {
                let events = play.engine.advance_some(begun.target, actions);
                // A scenario that asks for more than the machine can do is behind its clock, and stops where it is; where
                // several servers play it, at the same moment everywhere.
                let is_at_a_turn = Event::end_at_a_turn(&events);
                self.is_at_its_end = self.told.is_none() && !is_at_a_turn || !is_due(play);
                events
            }
            Until::By(_) | Until::At(_) => {
                let events = play.engine.advance_some(begun.target, actions);
                self.is_at_its_end = !is_due(play);
                if self.is_at_its_end {
                    play.engine.settle(begun.target);
                }
                events
            }
        }
    }

    fn step(&mut self, mut begun: Begun, play: &mut Play, actions: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..actions {
            let Some(due) = play.engine.next_due().filter(|_| begun.steps_left > 0) else {
                self.is_at_its_end = true;
                break;
            };
            begun.steps_left -= 1;
            events.extend(play.engine.advance_some(due, 1));
            if Event::end_at_a_turn(&events) {
                break;
            }
        }
        self.begun = Some(begun);
        events
    }

    /// Lets the clock go again, and answers whoever asked.
    pub(super) fn finish(self, play: &mut Play) {
        let Self { reply, refused, done, change, is_at_its_end, .. } = self;
        // After a reset or a restore, the clock goes as that has left it.
        if let Some(pace) = play.held.take() {
            let told = if is_at_its_end { change } else { Until::Now.into() };
            let pace = Pace { paused: told.paused.unwrap_or(pace.paused), speed: told.speed.unwrap_or(pace.speed) };
            play.shared.clock.set(play.engine.now(), pace);
        }
        let outcome = match refused {
            Some(refusal) => Err(refusal),
            None => Ok(Advanced {
                now: play.engine.now(),
                left_behind: play.shared.sockets.behind(play.shared.feed.end()),
                ..done
            }),
        };
        if let Some(reply) = reply {
            let _ = reply.send(outcome);
        }
    }
}
