//! What clients and tests change in a world, and what they read of its state.

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
use super::{Advanced, ClockChange, Pace, Transcript, Until, View, World, WorldError};
use crate::engine::{
    Command, Engine, EventKind, FaultPhase, FaultState, FaultTarget, GeneratorState, Hit, RuleScriptState, ScriptState,
    WaitingState,
};
use crate::scenario::Fault;

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
#[derive(Debug, Clone)]
pub struct WorldSummary {
    /// The scenario, the seed and the collections, as readers see them at that moment.
    pub view: Arc<View>,
    /// Its clock.
    pub clock: ClockState,
    /// How often the world went back to its start or to a snapshot: events of different epochs do not continue each other.
    pub epoch: u64,
    /// The number of the last event.
    pub sequence: u64,
    /// Counter values by row, in declared order.
    pub values: Vec<(Arc<str>, i64)>,
    /// The faults that are in force.
    pub faults: Vec<FaultState>,
    /// How many sockets are open.
    pub sockets: usize,
    /// Names and times of the snapshots.
    pub snapshots: Vec<(String, Duration)>,
}

/// Lists of steps that wait that are told of.
const WAITING_LISTED: usize = 100;

/// What happens by itself, at one moment.
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
    /// The lists of steps that wait, the soonest first, at most 100 of them.
    pub waiting: Vec<WaitingState>,
}

/// Rows.
impl World {
    /// Adds a row to a collection and gives the collection's rows as JSON, the new one last.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such collection, the row is not as its `fields` ask, or the world has ended.
    pub async fn add_row(&self, collection: &str, own: Map<String, Value>) -> Result<Bytes, WorldError> {
        let added = self.apply(Command::add_row(collection, own)).await?;
        // The row is in it, so that it is there. The task does not wait for the JSON.
        added.view.rows(collection).ok_or(WorldError::Defect)
    }
}

/// State, clock and snapshots.
impl World {
    /// The clock.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clock(&self) -> Result<ClockState, WorldError> {
        self.ask(|state| ClockState::of(state)).await
    }

    /// Everything at one moment.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn state(&self) -> Result<WorldSummary, WorldError> {
        self.state_since(None).await
    }

    /// As [`World::state`], but of the values only those that changed after the event of that number.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn state_since(&self, sequence: Option<u64>) -> Result<WorldSummary, WorldError> {
        self.ask(move |state| WorldSummary {
            view: state.publish.borrow().clone(),
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

    /// How far scripts and generators are.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn timelines(&self) -> Result<Timelines, WorldError> {
        self.ask(|state| Timelines {
            now: state.now(),
            scripts: state.engine.script_states().collect(),
            rule_scripts: state.engine.rule_script_states().collect(),
            generators: state.engine.generator_states().collect(),
            waiting: state.engine.waiting_states().take(WAITING_LISTED).collect(),
        })
        .await
    }

    /// Every event since the start or reset.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn transcript(&self) -> Result<Transcript, WorldError> {
        self.ask(|state| state.transcript.clone()).await
    }

    /// Stops the clock, where it is.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn pause(&self) -> Result<(), WorldError> {
        self.change_clock(ClockChange { paused: Some(true), ..Until::Now.into() }).await.map(drop)
    }

    /// Lets the clock go on, from where it is.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn resume(&self) -> Result<(), WorldError> {
        self.change_clock(ClockChange { paused: Some(false), ..Until::Now.into() }).await.map(drop)
    }

    /// Lets everything until then happen now. It is answered when all of that has been written to the open sockets. If
    /// this future is dropped before, time stays where it is by then.
    ///
    /// # Errors
    /// [`WorldError`] if that time is over, or the world has ended.
    pub async fn advance(&self, until: Until) -> Result<Advanced, WorldError> {
        self.change_clock(until.into()).await
    }

    /// As [`World::advance`], and from then on the clock goes as the change says, its speed cut to what is possible
    /// ([`super::SPEEDS`]).
    ///
    /// # Errors
    /// [`WorldError`] if that time is over, or the world has ended; the clock goes on as before then.
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
    /// Open sockets of a shop stay and get current values; those of endpoints are closed with 1012, and streams end. A seed, if
    /// given, is the world's own from now on.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn reset(&self, seed: Option<u64>) -> Result<(), WorldError> {
        self.apply(WorldCommand::Reset(seed)).await.map(drop)
    }

    /// Keeps this moment under a name, in place of another of that name.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many, or the world has ended.
    pub async fn save(&self, name: &str) -> Result<(), WorldError> {
        self.apply(WorldCommand::Save(name.to_owned())).await.map(drop)
    }

    /// Goes back to a kept moment: values, rows, time, random streams, transcript. Sockets and streams are as after
    /// [`World::reset`]; the journal goes on.
    ///
    /// # Errors
    /// [`WorldError`] if there is none of that name, or the world has ended.
    pub async fn restore(&self, name: &str) -> Result<(), WorldError> {
        self.apply(WorldCommand::Restore(name.to_owned())).await.map(drop)
    }

    /// Drops a kept moment.
    ///
    /// # Errors
    /// [`WorldError`] if there is none of that name, or the world has ended.
    pub async fn forget(&self, name: &str) -> Result<(), WorldError> {
        self.apply(WorldCommand::Forget(name.to_owned())).await.map(drop)
    }
}

/// Faults. Requests ask the task what hits them, but only while a fault is in force that may: that is one atomic read.
/// Sockets know the faults that hit them, and follow changes at a position of the feed: a message meets the faults of its own
/// moment, however late its socket takes it.
impl World {
    /// All faults: those of the scenario first.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn faults(&self) -> Result<Vec<FaultState>, WorldError> {
        self.ask(|state| state.engine.faults().collect()).await
    }

    /// The fault of that number or name.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn fault(&self, name: &str) -> Result<FaultState, WorldError> {
        let name = name.to_owned();
        Ok(self.ask(move |state| state.engine.fault(&name)).await??)
    }

    /// Adds a fault; its times count from now.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many, or the world has ended.
    pub async fn add_fault(&self, fault: Fault) -> Result<FaultState, WorldError> {
        self.change_fault_by(Command::AddFault { fault: fault.into() }).await
    }

    /// Replaces the fault of that number or name, which starts over.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn change_fault(&self, name: &str, fault: Fault) -> Result<FaultState, WorldError> {
        self.change_fault_by(Command::ChangeFault { name: name.to_owned(), fault: fault.into() }).await
    }

    /// Removes the fault of that number or name.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
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

    /// Carries out a command that adds or changes a fault.
    async fn change_fault_by(&self, command: Command) -> Result<FaultState, WorldError> {
        // Such a command names its fault.
        self.change_faults(command).await?.fault.ok_or(WorldError::Defect)
    }

    /// Changes faults, and waits until every socket that reads has followed: what it gets does not depend on how fast it is.
    async fn change_faults(&self, command: Command) -> Result<WorldEffects, WorldError> {
        let effects = self.apply(command).await?;
        let transition = self.shared().feed.last_transition();
        self.shared().sockets.written(transition, &mut LaggingSockets::default()).await;
        Ok(effects)
    }

    /// Whether a fault is in force that may hit requests or handshakes.
    #[must_use]
    pub fn has_request_faults(&self) -> bool {
        self.shared().has_request_faults.load(Ordering::Relaxed)
    }

    /// What hits a request or a handshake.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn hits(&self, target: FaultTarget) -> Result<Vec<Hit>, WorldError> {
        self.ask(move |state| state.hits(&target)).await
    }

    /// Waits until that much of the world's time has passed, or the fault of that [run](Hit::run) is over, or the world.
    /// Without a time, until one of the other two.
    pub async fn pass(&self, time: Option<Duration>, run: u64) {
        let until = time.map(|time| self.now().saturating_add(time));
        tokio::select! {
            () = async { self.reached(until.unwrap_or_default()).await }, if until.is_some() => {}
            () = self.shared().active_faults.over(run) => {}
            () = self.ended() => {}
        }
    }

    /// Waits until that much of the world's time has passed since that time. It ends before if the world goes back to an earlier
    /// time, or ends.
    pub async fn pass_since(&self, start: Duration, time: Duration) {
        let _in_use = self.in_use();
        tokio::select! {
            () = self.shared().clock.passed(start, start.saturating_add(time)) => {}
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

/// All values, or those that changed after the event of that number.
fn values(engine: &Engine, since: Option<u64>) -> Vec<(Arc<str>, i64)> {
    let Some(since) = since else { return engine.values().map(|(id, value)| (id.clone(), value)).collect() };
    let changed = engine.changed_since(since).into_iter();
    changed
        .filter_map(|event| match event.kind {
            EventKind::Counted { id, value, .. } => Some((id, value)),
            _ => None,
        })
        .collect()
}
