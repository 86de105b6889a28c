//! Time that does not pass by itself: everything up to a moment, or the next steps, happens now.
//!
//! An advance goes as fast as the sockets write. So every socket that reads gets every frame, the same frames on every
//! run, however many there are; one that does not read is left behind after a while, and told so.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;

use super::play::Play;
use crate::engine::Event;
use crate::scenario::format_duration;

/// Events of an advance that are listed; the transcript has more.
pub const MAX_LISTED: usize = 10_000;

/// How far time is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So much further.
    By(Duration),
    /// To that time since the world's start.
    At(Duration),
    /// Over so many of the next things to happen: script steps and random orders.
    Steps(u64),
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

/// Why time cannot be advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is {} already, and time does not go back", format_duration(self.now))]
pub struct InThePast {
    /// The world's time.
    pub now: Duration,
}

pub(super) type Outcome = Result<Advanced, InThePast>;

/// An advance at work.
pub(super) struct Advance {
    until: Until,
    reply: oneshot::Sender<Outcome>,
    /// When it ends, once it has begun; steps go as far as they go.
    target: Option<Duration>,
    steps_left: u64,
    done: Advanced,
    refused: Option<InThePast>,
    is_at_its_end: bool,
    pub(super) left_behind: Vec<u64>,
}

impl Advance {
    pub(super) fn new(until: Until, reply: oneshot::Sender<Outcome>) -> Self {
        Self {
            until,
            reply,
            target: None,
            steps_left: 0,
            done: Advanced::default(),
            refused: None,
            is_at_its_end: false,
            left_behind: Vec::new(),
        }
    }

    /// Whether everything has happened, and only the sockets have to write it.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.is_at_its_end
    }

    /// Lets some of it happen. Says whether it is over.
    pub(super) fn go_on(&mut self, play: &mut Play, actions: usize) -> bool {
        // Whoever asked is gone: time stays where it is.
        if self.is_at_its_end || self.reply.is_closed() {
            return true;
        }
        let target = match self.target {
            Some(target) => target,
            None => match self.begin(play) {
                Ok(target) => *self.target.insert(target),
                Err(refusal) => {
                    self.refused = Some(refusal);
                    return true;
                }
            },
        };
        let events = match self.until {
            Until::Steps(_) => self.step(play, actions),
            Until::By(_) | Until::At(_) => {
                let events = play.engine.advance_some(target, actions);
                self.is_at_its_end = play.engine.next_due().is_none_or(|due| due > target);
                events
            }
        };
        self.happened(play, &events);
        false
    }

    fn begin(&mut self, play: &mut Play) -> Result<Duration, InThePast> {
        let now = play.shared.clock.now().max(play.engine.now());
        match self.until {
            Until::By(by) => Ok(now.saturating_add(by)),
            Until::At(at) if at < now => Err(InThePast { now }),
            Until::At(at) => Ok(at),
            Until::Steps(steps) => {
                self.steps_left = steps;
                Ok(now)
            }
        }
    }

    fn step(&mut self, play: &mut Play, actions: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..actions {
            let Some(due) = play.engine.next_due().filter(|_| self.steps_left > 0) else {
                self.is_at_its_end = true;
                break;
            };
            self.steps_left -= 1;
            self.target = self.target.max(Some(due));
            events.extend(play.engine.advance_some(due, 1));
        }
        events
    }

    fn happened(&mut self, play: &mut Play, events: &[Event]) {
        if self.is_at_its_end
            && let Some(target) = self.target
        {
            // A step lets time go on to its own moment, and no further.
            play.engine.settle(target);
        }
        play.shared.clock.set(play.engine.now(), play.shared.clock.pace());
        play.tell(events);
        self.done.count += events.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.done.events.len());
        self.done.events.extend(events.iter().take(room).cloned());
    }

    /// Answers whoever asked.
    pub(super) fn finish(self, play: &Play) {
        let Self { reply, refused, done, left_behind, .. } = self;
        let outcome = match refused {
            Some(refusal) => Err(refusal),
            None => Ok(Advanced { now: play.engine.now(), left_behind, ..done }),
        };
        let _ = reply.send(outcome);
    }
}
