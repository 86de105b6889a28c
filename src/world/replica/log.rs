//! The contents of a world's log: entries, and the snapshot that a log or a joining server starts with.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ReplicaError;
use super::member_table::MemberTable;
use super::members::MemberOpening;
use super::scenarios::Scenarios;
use crate::engine::{Engine, EngineState, Event, EventKind, Topic};
use crate::store::{Opened, StoreError};
use crate::world::feed::message_of;
use crate::world::message::Message;
use crate::world::state::{Snapshot, WorldCommand, WorldState, seeded};
use crate::world::transcript::Transcript;
use crate::world::{ClockChange, Pace, WorldStart};

/// An entry of a world's log. Times are the world's, as known to the server that appended the entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::world) enum LogEntry {
    /// The world starts.
    Begin(Box<WorldSnapshot>),
    /// A client changes something.
    Do {
        at: Duration,
        command: WorldCommand,
    },
    /// A client becomes a member of the world.
    Open {
        at: Duration,
        opening: MemberOpening,
    },
    /// Members of a server have gone.
    Close {
        at: Duration,
        server: Arc<str>,
        members: Vec<u64>,
    },
    /// A server has gone, along with its members. Appended by the leader.
    Gone {
        at: Duration,
        server: Arc<str>,
    },
    /// A client changes the clock or advances time.
    Clock {
        at: Duration,
        change: ClockChange,
    },
    /// Time advances to `to`, or less far if that takes more than `most` actions.
    Time {
        to: Duration,
        most: usize,
    },
    /// The world switches to the scenario with this fingerprint.
    Reload {
        scenario: String,
        seed: u64,
    },
    End,
}

impl LogEntry {
    pub(in crate::world) fn to_text(&self) -> String {
        // Maps with text keys, numbers and texts always convert to JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A world at its start or at one moment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorldSnapshot {
    /// The fingerprint of the scenario.
    pub scenario: String,
    /// The seed of all randomness, unless the world has its own.
    pub seed: u64,
    /// The world's own seed.
    pub own_seed: Option<u64>,
    /// The pace of the clock after a reset.
    pub pace_at_start: Pace,
    /// The pace of the clock.
    pub pace: Pace,
    /// The number of resets and restores.
    pub epoch: u64,
    /// The rest of the state; `None` at the start.
    pub engine: Option<Box<EngineState>>,
    /// The saved states by name, to which the world can be restored.
    pub snapshots: BTreeMap<String, EngineState>,
    /// The servers that its members belong to.
    #[serde(default)]
    members: MemberTable,
}

impl WorldSnapshot {
    /// Creates a snapshot of a world at its start.
    #[must_use]
    pub fn new(scenario: String, seed: u64, own_seed: Option<u64>, pace: Pace) -> Self {
        let (engine, snapshots, members) = (None, BTreeMap::new(), MemberTable::default());
        Self { scenario, seed, own_seed, pace_at_start: pace, pace, epoch: 0, engine, snapshots, members }
    }

    /// Creates a snapshot of the current state.
    pub(super) fn of(state: &WorldState, scenario_ref: &ScenarioRef) -> Self {
        let snapshots = state.snapshots.iter();
        Self {
            scenario: scenario_ref.scenario.clone(),
            seed: scenario_ref.seed,
            own_seed: state.own_seed,
            pace_at_start: state.pace_at_start,
            // An advance in progress is not part of the state: its request fails as superseded.
            pace: state.held.unwrap_or_else(|| state.shared.clock.pace()),
            epoch: state.epoch,
            engine: Some(Box::new(state.engine.save(&state.start))),
            snapshots: snapshots.map(|(name, snapshot)| (name.clone(), snapshot.engine.save(&state.start))).collect(),
            members: state.members.as_ref().map(|members| members.table.clone()).unwrap_or_default(),
        }
    }

    /// Returns the first entry of the world's log.
    #[must_use]
    pub fn into_entry(self) -> String {
        LogEntry::Begin(Box::new(self)).to_text()
    }
}

/// The scenario that a world plays, as all servers know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::world) struct ScenarioRef {
    /// The fingerprint.
    pub(in crate::world) scenario: String,
    /// The seed, unless the world has one of its own.
    pub(in crate::world) seed: u64,
}

/// A snapshot of a world, ready to be installed on this server.
pub(in crate::world) struct InstallSnapshot {
    pub(in crate::world) scenario_ref: ScenarioRef,
    own_seed: Option<u64>,
    pace_at_start: Pace,
    pace: Pace,
    epoch: u64,
    /// The start of the world, without the world's own seed.
    pub(in crate::world) start: WorldStart,
    engine: Engine,
    snapshots: BTreeMap<String, Snapshot>,
    members: MemberTable,
}

impl InstallSnapshot {
    /// Reads the snapshot of an opened log: its checkpoint, or its first entry. Rows are shared with `start` if it has
    /// the same scenario.
    pub(in crate::world) async fn read(
        opened: &Opened,
        scenarios: &Scenarios,
        start: &WorldStart,
    ) -> Result<Result<Self, ReplicaError>, StoreError> {
        let snapshot = match first_snapshot(opened) {
            Ok(snapshot) => snapshot,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match scenarios.get(&snapshot.scenario).await? {
            Ok(scenario) if Arc::ptr_eq(start.engine.scenario(), &scenario) => Self::of(snapshot, start.clone()),
            Ok(scenario) => Self::of(snapshot, Engine::new(&scenario, 0).into()),
            Err(error) => Err(error),
        })
    }

    fn of(snapshot: WorldSnapshot, start: WorldStart) -> Result<Self, ReplicaError> {
        let WorldSnapshot { scenario, seed, own_seed, pace_at_start, pace, epoch, engine, snapshots, members } =
            snapshot;
        let start = WorldStart { engine: start.engine.with_seed(seed), ..start };
        let own_start = seeded(start.engine.clone(), own_seed);
        let engine = match engine {
            Some(state) => Engine::restored(&own_start, *state)?,
            None => own_start.clone(),
        };
        let saved = |(name, state)| {
            let engine = Engine::restored(&own_start, state)?;
            Ok::<_, ReplicaError>((name, Snapshot { transcript: Transcript::after(engine.sequence()), engine }))
        };
        let snapshots = snapshots.into_iter().map(saved).collect::<Result<_, _>>()?;
        let scenario_ref = ScenarioRef { scenario, seed };
        Ok(Self { scenario_ref, own_seed, pace_at_start, pace, epoch, start, engine, snapshots, members })
    }
}

fn first_snapshot(opened: &Opened) -> Result<WorldSnapshot, ReplicaError> {
    if let Some(checkpoint) = &opened.checkpoint {
        return Ok(serde_json::from_str(&checkpoint.state)?);
    }
    let first = opened.entries.first().ok_or(ReplicaError::NoBeginning)?;
    match serde_json::from_str(&first.text)? {
        LogEntry::Begin(snapshot) => Ok(*snapshot),
        _ => Err(ReplicaError::NoBeginning),
    }
}

impl InstallSnapshot {
    /// Replaces a world's state by the snapshot. Sockets receive the values that changed; sockets of rules are closed.
    pub(super) fn install(self, state: &mut WorldState) -> ScenarioRef {
        let before: HashMap<Arc<str>, i64> =
            state.engine.counter_values().map(|(id, value)| (id.clone(), value)).collect();
        let Self { scenario_ref, own_seed, pace_at_start, pace, epoch, start, engine, snapshots, members } = self;
        (state.own_seed, state.pace_at_start, state.epoch) = (own_seed, pace_at_start, epoch);
        (state.start, state.start_json) = (seeded(start.engine, own_seed), start.json);
        state.engine = engine.with_local_members_of(&state.engine);
        if let Some(own) = &mut state.members {
            own.table = members;
        }
        (state.snapshots, state.held) = (snapshots, None);
        state.transcript = Transcript::after(state.engine.sequence());
        state.shared.clock.restart(state.engine.now(), pace);
        let is_changed = |event: &Event| match &event.kind {
            EventKind::Counted { id, value, .. } => before.get(id) != Some(value),
            _ => false,
        };
        let mut changed: HashMap<Topic, Vec<Message>> = HashMap::new();
        for event in state.engine.counters_as_events().filter(is_changed) {
            let message = message_of(&event);
            for topic in event.topics() {
                changed.entry(topic).or_default().extend(message.clone());
            }
        }
        state.resync(|state, collection| {
            changed.get(&state.topic_of(collection)).map_or_else(|| [].into(), |messages| messages[..].into())
        });
        scenario_ref
    }
}
