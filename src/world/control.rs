//! Changes that clients and tests make to a world, and reads of its state.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::advance::Advance;
use super::sockets::LaggingSockets;
use super::state::{WorldCommand, WorldState};
use super::task::{Request, WorldEffects};
use super::{Advanced, ClockChange, Pace, Transcript, Until, View, World, WorldError, WorldMoment};
use crate::engine::{
    Command, Engine, EventKind, FaultPhase, FaultState, FaultTarget, GeneratorState, Hit, RuleScriptState,
    ScheduledSteps, ScriptState,
};
use crate::scenario::Fault;

/// The state of a world's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockState {
    /// The world's time.
    pub now: Duration,
    /// The clock's pace.
    pub pace: Pace,
    /// When the next scheduled work is due; `None` if nothing is scheduled.
    pub next_due: Option<Duration>,
}

/// A summary of a world at one moment.
#[derive(Debug, Clone)]
pub struct WorldSummary {
    /// The scenario, the seed and the collections that readers saw at that moment.
    pub view: Arc<View>,
    /// The world's clock.
    pub clock: ClockState,
    /// How often the world went back to its start or to a snapshot. Events of different epochs do not form one
    /// sequence.
    pub epoch: u64,
    /// The number of the last event.
    pub sequence: u64,
    /// Counter values by row, in declared order.
    pub values: Vec<(Arc<str>, i64)>,
    /// The active faults.
    pub faults: Vec<FaultState>,
    /// The number of open sockets.
    pub sockets: usize,
    /// The names and times of the snapshots.
    pub snapshots: Vec<(String, Duration)>,
}

/// The maximum number of scheduled step lists that are reported.
const MAX_SCHEDULED_LISTED: usize = 100;

/// The state of all scheduled work at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Timelines {
    /// The world's time.
    pub now: Duration,
    /// The scripts, in declared order.
    pub scripts: Vec<ScriptState>,
    /// The scripts of general steps, in declared order.
    pub rule_scripts: Vec<RuleScriptState>,
    /// The generators, in declared order.
    pub generators: Vec<GeneratorState>,
    /// The scheduled step lists in order of their due times, at most 100.
    pub scheduled: Vec<ScheduledSteps>,
}

/// Rows.
impl World {
    /// Adds a row to a collection and returns the collection's rows as JSON, the new row last.
    ///
    /// # Errors
    /// [`WorldError`] if the collection does not exist, the row does not match its `fields`, or the world has ended.
    pub async fn add_row(&self, collection: &str, fields: Map<String, Value>) -> Result<Bytes, WorldError> {
        let added = self.apply(Command::add_row(collection, fields)).await?;
        // The collection exists, because the row was added to it. The JSON is made here so that the task does not wait
        // for it.
        added.view.rows(collection).ok_or(WorldError::Defect)
    }
}

/// State, clock and snapshots.
impl World {
    /// Returns the state of the clock.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clock(&self) -> Result<ClockState, WorldError> {
        self.ask(|state| ClockState::of(state)).await
    }

    /// Returns a summary of the world.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn state(&self) -> Result<WorldSummary, WorldError> {
        self.state_since(None).await
    }

    /// Returns the same as [`World::state`], with only the values that changed after the event with this number.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn state_since(&self, sequence: Option<u64>) -> Result<WorldSummary, WorldError> {
        self.ask(move |state| WorldSummary {
            view: state.view.borrow().clone(),
            clock: ClockState::of(state),
            epoch: state.epoch,
            sequence: state.engine.sequence(),
            values: values(&state.engine, sequence),
            faults: state.engine.faults().filter(|fault| fault.phase == FaultPhase::Active).collect(),
            sockets: state.shared.sockets.len(),
            snapshots: state.saved(),
        })
        .await
    }

    /// Returns the progress of scripts and generators.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn timelines(&self) -> Result<Timelines, WorldError> {
        self.ask(|state| Timelines {
            now: state.now(),
            scripts: state.engine.script_states().collect(),
            rule_scripts: state.engine.rule_script_states().collect(),
            generators: state.engine.generator_states().collect(),
            scheduled: state.engine.scheduled_steps().take(MAX_SCHEDULED_LISTED).collect(),
        })
        .await
    }

    /// Returns every event since the start or reset.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn transcript(&self) -> Result<Transcript, WorldError> {
        self.ask(|state| state.transcript.clone()).await
    }

    /// Pauses the clock.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn pause(&self) -> Result<(), WorldError> {
        self.change_clock(ClockChange { paused: Some(true), ..Until::Now.into() }).await.map(drop)
    }

    /// Resumes the clock.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn resume(&self) -> Result<(), WorldError> {
        self.change_clock(ClockChange { paused: Some(false), ..Until::Now.into() }).await.map(drop)
    }

    /// Runs everything up to the given time now. Returns once all of it has been written to the open sockets. If this
    /// future is dropped earlier, time stays where it is.
    ///
    /// # Errors
    /// [`WorldError`] if that time has passed, or the world has ended.
    pub async fn advance(&self, until: Until) -> Result<Advanced, WorldError> {
        self.change_clock(until.into()).await
    }

    /// Advances like [`World::advance`], then sets the clock's pace. The speed is clamped to the [supported
    /// range](super::SPEEDS).
    ///
    /// # Errors
    /// [`WorldError`] if that time has passed, or the world has ended; the clock's pace does not change then.
    pub async fn change_clock(&self, change: ClockChange) -> Result<Advanced, WorldError> {
        let speed = change.speed.map(|speed| speed.clamp(*super::SPEEDS.start(), *super::SPEEDS.end()));
        let change = ClockChange { speed, ..change };
        let _in_use = self.in_use();
        #[cfg(feature = "redis")]
        if let Some(replica) = &self.0.replica {
            return replica.change_clock(change, self.now()).await;
        }
        let (reply, answer) = oneshot::channel();
        let advance = Request::Advance(Box::new(Advance::new(change, reply)));
        self.0.requests.send(advance).await.map_err(|_| WorldError::Ended)?;
        Ok(answer.await.map_err(|_| WorldError::Ended)??)
    }

    /// Goes back to the start of the scenario: values, rows, clock, random streams, transcript, journal and snapshots.
    /// Sockets of a shop stay open and receive current values; sockets of endpoints are closed with 1012, and streams
    /// end. A given seed becomes the world's own.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn reset(&self, seed: Option<u64>) -> Result<(), WorldError> {
        self.apply(WorldCommand::Reset(seed)).await.map(drop)
    }

    /// Saves a snapshot under a name, replacing an earlier one of that name.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many snapshots, or the world has ended.
    pub async fn save(&self, name: &str) -> Result<(), WorldError> {
        self.apply(WorldCommand::Save(name.to_owned())).await.map(drop)
    }

    /// Restores a snapshot: values, rows, time, random streams and transcript. Sockets and streams are treated as in
    /// [`World::reset`]; the journal continues.
    ///
    /// # Errors
    /// [`WorldError`] if the snapshot does not exist, or the world has ended.
    pub async fn restore(&self, name: &str) -> Result<(), WorldError> {
        self.apply(WorldCommand::Restore(name.to_owned())).await.map(drop)
    }

    /// Deletes a snapshot.
    ///
    /// # Errors
    /// [`WorldError`] if the snapshot does not exist, or the world has ended.
    pub async fn forget(&self, name: &str) -> Result<(), WorldError> {
        self.apply(WorldCommand::Forget(name.to_owned())).await.map(drop)
    }
}

/// Faults. A request asks the task which faults hit it, but only while a fault that may hit requests is active;
/// checking that takes one atomic read. A socket holds the faults that hit it and follows changes at a feed position,
/// so a message meets the faults of its own moment, however late the socket reads it.
impl World {
    /// Returns all faults, those of the scenario first.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn faults(&self) -> Result<Vec<FaultState>, WorldError> {
        self.ask(|state| state.engine.faults().collect()).await
    }

    /// Returns the fault with this number or name.
    ///
    /// # Errors
    /// [`WorldError`] if the fault does not exist, or the world has ended.
    pub async fn fault(&self, name: &str) -> Result<FaultState, WorldError> {
        let name = name.to_owned();
        Ok(self.ask(move |state| state.engine.fault(&name)).await??)
    }

    /// Adds a fault; its times count from now.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many faults, or the world has ended.
    pub async fn add_fault(&self, fault: Fault) -> Result<FaultState, WorldError> {
        self.change_fault_by(Command::AddFault { fault: fault.into() }).await
    }

    /// Replaces and restarts the fault with this number or name.
    ///
    /// # Errors
    /// [`WorldError`] if the fault does not exist, or the world has ended.
    pub async fn change_fault(&self, name: &str, fault: Fault) -> Result<FaultState, WorldError> {
        self.change_fault_by(Command::ChangeFault { name: name.to_owned(), fault: fault.into() }).await
    }

    /// Removes the fault with this number or name.
    ///
    /// # Errors
    /// [`WorldError`] if the fault does not exist, or the world has ended.
    pub async fn remove_fault(&self, name: &str) -> Result<(), WorldError> {
        self.change_faults(Command::RemoveFault { name: name.to_owned() }).await.map(drop)
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clear_faults(&self) -> Result<(), WorldError> {
        self.change_faults(Command::ClearFaults).await.map(drop)
    }

    /// Applies a command that adds or changes a fault.
    async fn change_fault_by(&self, command: Command) -> Result<FaultState, WorldError> {
        // The effects of such a command always include its fault.
        self.change_faults(command).await?.fault.ok_or(WorldError::Defect)
    }

    /// Changes faults and waits until every socket that reads has followed, so that the frames it receives do not
    /// depend on its speed.
    async fn change_faults(&self, command: Command) -> Result<WorldEffects, WorldError> {
        let effects = self.apply(command).await?;
        let transition = self.shared().feed.last_transition();
        self.shared().sockets.wait_written(transition, &mut LaggingSockets::default()).await;
        Ok(effects)
    }

    /// Returns whether a fault that may hit requests or handshakes is active.
    #[must_use]
    pub fn has_request_faults(&self) -> bool {
        self.shared().has_request_faults.load(Ordering::Relaxed)
    }

    /// Returns the faults that hit a request or a handshake.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn hits(&self, target: FaultTarget) -> Result<Vec<Hit>, WorldError> {
        self.ask(move |state| state.hits(&target)).await
    }

    /// Waits until this much world time has passed, the fault with this [run](Hit::run) is over, or the world has
    /// ended. Without a time, waits for one of the other two.
    pub async fn pass(&self, time: Option<Duration>, run: u64) {
        let until = time.map(|time| self.now().saturating_add(time));
        tokio::select! {
            () = async { self.reached(until.unwrap_or_default()).await }, if until.is_some() => {}
            () = self.shared().active_faults.over(run) => {}
            () = self.ended() => {}
        }
    }

    /// Returns the current moment.
    #[must_use]
    pub fn moment(&self) -> WorldMoment {
        self.shared().clock.moment()
    }

    /// Waits until `time` has passed since `start`, in world time. Returns early if the state of the world is
    /// replaced, or the world ends.
    pub async fn pass_since(&self, start: WorldMoment, time: Duration) {
        let _in_use = self.in_use();
        tokio::select! {
            () = self.reached(start.at.saturating_add(time)) => {}
            () = self.shared().clock.restarted_since(start) => {}
            () = self.ended() => {}
        }
    }

    pub(super) async fn reached(&self, at: Duration) {
        self.shared().clock.reached(at).await;
    }
}

impl ClockState {
    pub(super) fn of(state: &WorldState) -> Self {
        Self { now: state.now(), pace: state.shared.clock.pace(), next_due: state.engine.next_due() }
    }
}

/// Returns all values, or those that changed after the event with this number.
fn values(engine: &Engine, since: Option<u64>) -> Vec<(Arc<str>, i64)> {
    let Some(since) = since else { return engine.counter_values().map(|(id, value)| (id.clone(), value)).collect() };
    let changed = engine.counters_changed_since(since).into_iter();
    changed
        .filter_map(|event| match event.kind {
            EventKind::Counted { id, value, .. } => Some((id, value)),
            _ => None,
        })
        .collect()
}
