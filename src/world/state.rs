//! The state that a world's task owns: its engine, and everything that commands change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::changed_rows::ChangedRows;
use super::clock::Pace;
use super::error::{MAX_SNAPSHOTS, SnapshotError, WorldError};
use super::keep_alive::Suspension;
use super::message::Message;
#[cfg(feature = "redis")]
use super::replica::SharedMembers;
use super::shared_state::Shared;
use super::transcript::Transcript;
use super::view::{CollectionsJson, View, WorldReload, WorldStart};
#[cfg(feature = "redis")]
use crate::engine::FIRST_SHARED_MEMBER;
use crate::engine::{Command, Effects, Engine, EventKind, FIXED_START, MemberEvent, Reload};
use crate::scenario::Feed;

/// A change to a world, as data. It is applied here, or written to a log and applied by every server of the shared
/// world. It takes effect at once, as a whole or not at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorldCommand {
    /// Applies a command of the engine.
    Apply(Command),
    /// Goes back to the start, with a new seed if one is given.
    Reset(Option<u64>),
    /// Saves a snapshot under a name.
    Save(String),
    /// Restores a snapshot.
    Restore(String),
    /// Deletes a snapshot.
    Forget(String),
}

impl WorldCommand {
    /// Returns whether the command concerns this server alone, even in a shared world: each server has its own sockets
    /// of collections.
    #[cfg(feature = "redis")]
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Apply(command) if member_of(command).is_some())
    }
}

/// Returns the socket whose memberships a command changes.
fn member_of(command: &Command) -> Option<u64> {
    match command {
        Command::Join { member, .. } | Command::Leave { member, .. } | Command::LeaveAll { member } => Some(*member),
        _ => None,
    }
}

impl From<Command> for WorldCommand {
    fn from(command: Command) -> Self {
        Self::Apply(command)
    }
}

/// A saved moment of a world.
pub(super) struct Snapshot {
    pub(super) engine: Engine,
    pub(super) transcript: Transcript,
}

/// The state that the task owns and that commands change.
pub(super) struct WorldState {
    pub(super) engine: Engine,
    /// The engine at time 0, for resets.
    pub(super) start: Engine,
    /// The JSON of rows at time 0, shared with other worlds.
    pub(super) start_json: CollectionsJson,
    /// The world's own seed, which overrides the server's.
    pub(super) own_seed: Option<u64>,
    pub(super) pace_at_start: Pace,
    /// Whether time 0 is the machine's date and time at the start, unless the scenario declares another.
    pub(super) keeps_date: bool,
    /// How often the engine was replaced by that of another moment.
    pub(super) epoch: u64,
    /// The world's time, while a command with a given time is applied.
    pub(super) given_time: Option<Duration>,
    /// The pace to restore after the advance that holds the clock.
    pub(super) held: Option<Pace>,
    pub(super) shared: Arc<Shared>,
    /// What readers outside the task see.
    pub(super) view: watch::Sender<Arc<View>>,
    /// Used to start the fan-out with the first socket; a world without sockets has no fan-out and is 1 KiB smaller.
    pub(super) fanout: Option<TaskTracker>,
    pub(super) transcript: Transcript,
    pub(super) snapshots: BTreeMap<String, Snapshot>,
    /// The encoded counter values of collections, each with the number of the last event that they include.
    pub(super) counter_messages: HashMap<Arc<str>, (u64, Arc<[Message]>)>,
    /// The changes that rule-driven members may have missed.
    pub(super) changed_rows: ChangedRows,
    /// The `feed` setting that the sockets of collections have joined topics by.
    pub(super) feed: Feed,
    /// Whether an active fault may hit sockets.
    pub(super) has_faulted_sockets: bool,
    /// Held while a fault is active that clients would not see on a kept-alive connection.
    pub(super) suspension: Option<Suspension>,
    /// The rule-driven members of each server; `None` if the world is not shared.
    #[cfg(feature = "redis")]
    pub(super) members: Option<SharedMembers>,
}

impl WorldState {
    pub(super) fn new(
        start: Engine,
        start_json: CollectionsJson,
        own_seed: Option<u64>,
        shared: Arc<Shared>,
        view: watch::Sender<Arc<View>>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            engine: start.clone(),
            suspension: start.has_repeated_faults().then(|| shared.keep_alive.suspend()),
            own_seed,
            pace_at_start: shared.clock.pace(),
            keeps_date: false,
            epoch: 0,
            given_time: None,
            held: None,
            shared,
            view,
            fanout: Some(tasks),
            transcript: Transcript::default(),
            snapshots: BTreeMap::new(),
            counter_messages: HashMap::new(),
            changed_rows: ChangedRows::default(),
            feed: start.scenario().feed(),
            has_faulted_sockets: start.has_socket_faults(),
            start,
            start_json,
            #[cfg(feature = "redis")]
            members: None,
        }
    }

    /// Returns the world's time. Work that is due by then may not have run yet.
    pub(super) fn now(&self) -> Duration {
        self.given_time.unwrap_or_else(|| self.shared.clock.now()).max(self.engine.now())
    }

    /// Returns the world's time for a command that another server has given a time. In a paused world, no time passes.
    pub(super) fn time_at(&self, given: Duration) -> Duration {
        if self.shared.clock.pace().paused { self.engine.now() } else { given.max(self.engine.now()) }
    }

    /// Runs at most `max_actions` of the scheduled actions that are due now, unless the clock is paused.
    pub(super) fn catch_up_with_clock(&mut self, max_actions: usize) {
        if !self.shared.clock.pace().paused {
            let events = self.engine.advance_some(self.shared.clock.now(), max_actions);
            self.notify(&events);
        }
    }

    /// Applies a command.
    pub(super) fn apply(&mut self, command: WorldCommand) -> Result<Effects, WorldError> {
        match command {
            WorldCommand::Apply(command) => {
                if let Some(member) = member_of(&command) {
                    return self.change_memberships(member, command);
                }
                if command.starts_a_timeline() {
                    self.forget_closed();
                    self.settle();
                }
                let changes_faults = command.changes_faults();
                let effects = self.engine.apply(command)?;
                self.notify(&effects.events);
                if changes_faults && effects.events.is_empty() {
                    self.refresh_faults();
                }
                return Ok(effects);
            }
            WorldCommand::Reset(seed) => self.reset(seed),
            WorldCommand::Save(name) => self.save(name)?,
            WorldCommand::Restore(name) => self.restore(&name)?,
            WorldCommand::Forget(name) => self.forget(&name)?,
        }
        Ok(Effects::default())
    }

    /// Moves the engine's time to now if nothing is due before. Otherwise a timeline that starts now would count from
    /// the last event.
    pub(super) fn settle(&mut self) {
        if self.engine.next_due().is_none_or(|due| due > self.now()) {
            self.engine.settle(self.now());
        }
    }

    /// Switches to another scenario and returns the changes.
    pub(super) fn reload(&mut self, to: &WorldReload) -> Reload {
        let WorldStart { engine: start, json } = to.start();
        // If the world does not keep the machine's date, the scenario alone sets it: a server that joins later has no
        // other source.
        let started = if self.keeps_date { self.start.start_date() } else { FIXED_START };
        let start = seeded(start, self.own_seed).with_start_date(started);
        // Work on a copy, so that the world continues unchanged if this panics.
        let mut engine = self.engine.clone();
        let reload = engine.reload(&to.plan, start.seed());
        (self.start, self.start_json, self.engine) = (start, json, engine);
        self.publish_view();
        self.follow_feed();
        self.notify(&reload.events);
        self.refresh_faults();
        self.publish_items(self.notice());
        let mut closed: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &reload.events {
            if let EventKind::Member { member, what: MemberEvent::Closed(Some(closing)) } = &event.kind
                && !self.is_elsewhere(*member)
            {
                *closed.entry(&closing.reason).or_default() += 1;
            }
        }
        for (reason, count) in closed {
            let why = reason.replacen("the endpoint", "their endpoint", 1);
            info!(world = %self.shared.name, "sockets closed, because {why}: {count}");
        }
        reload
    }

    /// Sets time 0 to the machine's current date and time, now and after each reset.
    pub(super) fn keep_date(&mut self) {
        self.keeps_date = true;
        self.start = self.start.clone().with_start_date(current_date());
        self.engine = self.start.clone();
        self.publish_view();
    }

    fn reset(&mut self, seed: Option<u64>) {
        if let Some(seed) = seed {
            self.own_seed = Some(seed);
            self.start = self.start.clone().with_seed(seed);
        }
        if self.keeps_date {
            self.start = self.start.clone().with_start_date(current_date());
        }
        self.transcript = Transcript::default();
        self.snapshots.clear();
        self.shared.journal.clear();
        self.held = None;
        self.shared.clock.restart(Duration::ZERO, self.pace_at_start);
        self.engine = self.start.clone().with_members_of(&self.engine);
        self.start_epoch();
    }

    /// Returns whether a member belongs to another server; events for it alone do not matter here.
    #[cfg(feature = "redis")]
    pub(super) fn is_elsewhere(&self, member: u64) -> bool {
        member >= FIRST_SHARED_MEMBER && self.members.as_ref().is_some_and(|members| members.is_elsewhere(member))
    }

    /// Always false: sharing needs the feature `redis`.
    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "same signature as with the feature")]
    pub(super) fn is_elsewhere(&self, _: u64) -> bool {
        false
    }

    /// Returns whether other servers run the world too, so that the log sets the order of events.
    #[cfg(feature = "redis")]
    pub(super) fn is_shared(&self) -> bool {
        self.members.is_some()
    }

    /// Always false: sharing needs the feature `redis`.
    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "same signature as with the feature")]
    pub(super) fn is_shared(&self) -> bool {
        false
    }

    fn save(&mut self, name: String) -> Result<(), SnapshotError> {
        if self.snapshots.len() >= MAX_SNAPSHOTS && !self.snapshots.contains_key(&name) {
            return Err(SnapshotError::TooMany);
        }
        let (mut engine, mut transcript) = (self.engine.clone(), self.transcript.clone());
        // Nobody is connected to the restored world, so it must not keep what `closed` steps remove.
        let ended = engine.end_all_sockets();
        transcript.extend(ended.iter().filter(|event| !event.is_delivery()));
        self.snapshots.insert(name, Snapshot { engine: engine.without_members(), transcript });
        Ok(())
    }

    /// Restores a snapshot, including its time. A paused clock stays paused, and a running clock keeps running.
    fn restore(&mut self, name: &str) -> Result<(), SnapshotError> {
        let snapshot = self.snapshots.get(name).ok_or_else(|| SnapshotError::Unknown(name.to_owned()))?;
        let before = self.engine.scenario().clone();
        self.engine = snapshot.engine.clone().with_members_of(&self.engine);
        self.transcript = snapshot.transcript.clone();
        if !Arc::ptr_eq(self.engine.scenario(), &before) {
            // The file was saved after the snapshot. Apply the reload to the restored engine.
            let reload = self.engine.replace(&before, self.start.seed());
            self.transcript.extend(&reload.events);
        }
        let pace = self.held.take().unwrap_or_else(|| self.shared.clock.pace());
        self.shared.clock.restart(self.engine.now(), pace);
        self.start_epoch();
        Ok(())
    }

    fn forget(&mut self, name: &str) -> Result<(), SnapshotError> {
        self.snapshots.remove(name).map(drop).ok_or_else(|| SnapshotError::Unknown(name.to_owned()))
    }

    /// Returns the names and times of the snapshots.
    pub(super) fn saved(&self) -> Vec<(String, Duration)> {
        self.snapshots.iter().map(|(name, snapshot)| (name.clone(), snapshot.engine.now())).collect()
    }

    /// Starts a new epoch after the engine was replaced: everyone receives the new state.
    fn start_epoch(&mut self) {
        self.epoch += 1;
        #[cfg(feature = "redis")]
        if let Some(members) = &mut self.members {
            members.table.clear();
        }
        self.engine.start_epoch(u32::try_from(self.epoch & u64::from(u32::MAX)).unwrap_or_default());
        self.resync(Self::counter_readings);
    }
}

/// Returns the machine's date and time, in milliseconds since 1970.
pub(super) fn current_date() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the start of a scenario, with the world's own seed if it has one.
pub(super) fn seeded(start: Engine, own_seed: Option<u64>) -> Engine {
    match own_seed {
        Some(seed) => start.with_seed(seed),
        None => start,
    }
}
