//! What a test may do with a world, beyond what its clients do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::advance::Advance;
use super::operation::Operation;
use super::play::Play;
use super::task::Command;
use super::{Advanced, ClockChange, Pace, Transcript, Until, World, WorldError};
use crate::engine::{FaultPhase, FaultState, GeneratorState, ScriptState};

/// A world's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockState {
    /// The world's time.
    pub now: Duration,
    /// How it goes.
    pub pace: Pace,
    /// When the next thing happens by itself, if anything does.
    pub next_due: Option<Duration>,
}

/// A world at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Its clock.
    pub clock: ClockState,
    /// The number of the last event.
    pub sequence: u64,
    /// Every product's order total, in declared order.
    pub totals: Vec<(Arc<str>, i64)>,
    /// The faults that are in force.
    pub faults: Vec<FaultState>,
    /// Names and times of the snapshots.
    pub snapshots: Vec<(String, Duration)>,
}

/// What happens by itself, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Timelines {
    /// The world's time.
    pub now: Duration,
    /// The scripts, in declared order.
    pub scripts: Vec<ScriptState>,
    /// The generators, in declared order.
    pub generators: Vec<GeneratorState>,
}

impl World {
    /// The clock.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clock(&self) -> Result<ClockState, WorldError> {
        self.ask(|play| ClockState::of(play)).await
    }

    /// Everything at one moment.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn state(&self) -> Result<State, WorldError> {
        self.ask(|play| State {
            clock: ClockState::of(play),
            sequence: play.engine.sequence(),
            totals: play.engine.totals().map(|(id, total)| (id.clone(), total)).collect(),
            faults: play.engine.faults().filter(|fault| fault.phase == FaultPhase::Active).collect(),
            snapshots: play.saved(),
        })
        .await
    }

    /// How far scripts and generators are.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn timelines(&self) -> Result<Timelines, WorldError> {
        self.ask(|play| Timelines {
            now: play.now(),
            scripts: play.engine.script_states().collect(),
            generators: play.engine.generator_states().collect(),
        })
        .await
    }

    /// Stops the clock, where it is.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn pause(&self) -> Result<(), WorldError> {
        let pause = ClockChange { paused: Some(true), ..Until::Now.into() };
        self.change_clock(pause).await.map(drop)
    }

    /// Lets the clock go on, from where it is.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn resume(&self) -> Result<(), WorldError> {
        let resume = ClockChange { paused: Some(false), ..Until::Now.into() };
        self.change_clock(resume).await.map(drop)
    }

    /// Lets the clock go so many times as fast as the machine's, cut to what is possible ([`super::SPEEDS`]).
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn set_speed(&self, speed: f64) -> Result<(), WorldError> {
        let change = ClockChange { speed: Some(speed), ..Until::Now.into() };
        self.change_clock(change).await.map(drop)
    }

    /// Lets everything until then happen now. It is answered when all of that has been written to the open sockets. If
    /// this future is dropped before, time stays where it is by then.
    ///
    /// # Errors
    /// [`WorldError`] if that time is over, or the world has ended.
    pub async fn advance(&self, until: Until) -> Result<Advanced, WorldError> {
        self.change_clock(until.into()).await
    }

    /// As [`World::advance`], and from then on the clock goes as it is told.
    ///
    /// # Errors
    /// [`WorldError`] if that time is over, or the world has ended; the clock goes on as before then.
    pub async fn change_clock(&self, change: ClockChange) -> Result<Advanced, WorldError> {
        let speed = change.speed.map(|speed| speed.clamp(*super::SPEEDS.start(), *super::SPEEDS.end()));
        let change = ClockChange { speed, ..change };
        let _used = self.using();
        if let Some(replica) = &self.0.shared.replica {
            return replica.change_clock(change, self.now()).await;
        }
        let (reply, answer) = oneshot::channel();
        let advance = Advance::new(change, reply);
        let command = Command::Advance(Box::new(advance));
        self.0.commands.send(command).await.map_err(|_| WorldError::Ended)?;
        Ok(answer.await.map_err(|_| WorldError::Ended)??)
    }

    /// Goes back to the start of the scenario: totals, products, clock, random streams, transcript, journal and snapshots.
    /// Open sockets stay and get current orders. A seed, if given, is the world's own from now on.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn reset(&self, seed: Option<u64>) -> Result<(), WorldError> {
        self.change(Operation::Reset(seed)).await.map(drop)
    }

    /// Keeps this moment under a name, in place of another of that name.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many, or the world has ended.
    pub async fn save(&self, name: &str) -> Result<(), WorldError> {
        self.change(Operation::Save(name.to_owned())).await.map(drop)
    }

    /// Goes back to a kept moment: totals, products, time, random streams, transcript. Open sockets stay and get current
    /// orders; the journal goes on.
    ///
    /// # Errors
    /// [`WorldError`] if there is none of that name, or the world has ended.
    pub async fn restore(&self, name: &str) -> Result<(), WorldError> {
        self.change(Operation::Restore(name.to_owned())).await.map(drop)
    }

    /// Drops a kept moment.
    ///
    /// # Errors
    /// [`WorldError`] if there is none of that name, or the world has ended.
    pub async fn forget(&self, name: &str) -> Result<(), WorldError> {
        self.change(Operation::Forget(name.to_owned())).await.map(drop)
    }

    /// Every event since the start or reset.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn transcript(&self) -> Result<Transcript, WorldError> {
        self.ask(|play| play.transcript.clone()).await
    }
}

impl ClockState {
    fn of(play: &Play) -> Self {
        Self { now: play.now(), pace: play.shared.clock.pace(), next_due: play.engine.next_due() }
    }
}
