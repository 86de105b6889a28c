//! What a world's task owns: its engine, and all that commands change.

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

/// A change to a world, as data: it is carried out here, or put into a log and carried out by every server that plays the
/// world. It happens at once, as a whole or not at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorldCommand {
    /// A change to what is played.
    Apply(Command),
    /// Back to the start, with another seed if one is given.
    Reset(Option<u64>),
    /// Keeps this moment under a name.
    Save(String),
    /// Goes back to a kept moment.
    Restore(String),
    /// Drops a kept moment.
    Forget(String),
}

impl WorldCommand {
    /// Whether it is about this server alone, although others play the world too: sockets of collections are each server's own.
    #[cfg(feature = "redis")]
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Apply(command) if member_of(command).is_some())
    }
}

/// The socket whose memberships a command changes.
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

/// A moment that can be gone back to.
pub(super) struct Snapshot {
    pub(super) engine: Engine,
    pub(super) transcript: Transcript,
}

/// What the task owns, and what commands work on.
pub(super) struct WorldState {
    pub(super) engine: Engine,
    /// The engine at time 0, which a reset goes back to.
    pub(super) start: Engine,
    /// The JSON of rows at time 0, shared with other worlds.
    pub(super) start_json: CollectionsJson,
    /// The seed of this world alone, which wins over the server's.
    pub(super) own_seed: Option<u64>,
    pub(super) pace_at_start: Pace,
    /// Whether its time 0 is the machine's date and time then, where the scenario says nothing else.
    pub(super) keeps_date: bool,
    /// How often the engine was put to another moment.
    pub(super) epoch: u64,
    /// The world's time, while a command is carried out whose time is given.
    pub(super) given_time: Option<Duration>,
    /// How the clock goes again after the advance that holds it.
    pub(super) held: Option<Pace>,
    pub(super) shared: Arc<Shared>,
    pub(super) publish: watch::Sender<Arc<View>>,
    /// Where the fan-out is started when the first socket comes: a world without sockets has none, and is 1 KiB smaller.
    pub(super) fanout: Option<TaskTracker>,
    pub(super) transcript: Transcript,
    pub(super) snapshots: BTreeMap<String, Snapshot>,
    /// The counter values of collections, and the number of the last event in them.
    pub(super) current: HashMap<Arc<str>, (u64, Arc<[Message]>)>,
    /// What members of rules may have missed.
    pub(super) changed_rows: ChangedRows,
    /// What sockets get that have asked for a collection, as they have joined topics by now.
    pub(super) feed: Feed,
    /// Whether a fault may hit sockets.
    pub(super) has_faulted_sockets: bool,
    /// Held while a fault is in force that clients would not see on a connection that was kept alive.
    pub(super) suspension: Option<Suspension>,
    /// The members of rules that servers have, if several play the world.
    #[cfg(feature = "redis")]
    pub(super) members: Option<SharedMembers>,
}

impl WorldState {
    pub(super) fn new(
        start: Engine,
        start_json: CollectionsJson,
        own_seed: Option<u64>,
        shared: Arc<Shared>,
        publish: watch::Sender<Arc<View>>,
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
            publish,
            fanout: Some(tasks),
            transcript: Transcript::default(),
            snapshots: BTreeMap::new(),
            current: HashMap::new(),
            changed_rows: ChangedRows::default(),
            feed: start.scenario().feed(),
            has_faulted_sockets: start.has_socket_faults(),
            start,
            start_json,
            #[cfg(feature = "redis")]
            members: None,
        }
    }

    /// The world's time; what is due by then may still have to happen.
    pub(super) fn now(&self) -> Duration {
        self.given_time.unwrap_or_else(|| self.shared.clock.now()).max(self.engine.now())
    }

    /// The world's time for something whose time another server gave: none passes in a world that is paused.
    pub(super) fn time_at(&self, given: Duration) -> Duration {
        if self.shared.clock.pace().paused { self.engine.now() } else { given.max(self.engine.now()) }
    }

    /// Lets what is due by now happen, at most that many actions, unless time stands still.
    pub(super) fn catch_up_with_clock(&mut self, most: usize) {
        if !self.shared.clock.pace().paused {
            let events = self.engine.advance_some(self.shared.clock.now(), most);
            self.notify(&events);
        }
    }

    /// Carries out a command.
    pub(super) fn apply(&mut self, command: WorldCommand) -> Result<Effects, WorldError> {
        match command {
            WorldCommand::Apply(command) => {
                if let Some(member) = member_of(&command) {
                    return self.change_memberships(member, command);
                }
                if command.starts_a_timeline() {
                    self.forget_gone();
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

    /// Lets time go on to now: what counts its times from now must not count them from the last event.
    pub(super) fn settle(&mut self) {
        if self.engine.next_due().is_none_or(|due| due > self.now()) {
            self.engine.settle(self.now());
        }
    }

    /// Goes on with another scenario, and gives what that changed.
    pub(super) fn reload(&mut self, to: &WorldReload) -> Reload {
        let WorldStart { engine: start, json } = to.start();
        // Where no date was kept, it is that of the scenario alone: a server that joins later knows no other.
        let started = if self.keeps_date { self.start.started() } else { FIXED_START };
        let start = seeded(start, self.own_seed).started_at(started);
        // On a copy, so that the world goes on as it was if this fails.
        let mut engine = self.engine.clone();
        let reload = engine.reload(&to.plan, start.seed());
        (self.start, self.start_json, self.engine) = (start, json, engine);
        self.publish_view();
        self.follow_feed();
        self.notify(&reload.events);
        self.refresh_faults();
        self.publish(self.notice());
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

    /// Has its time 0 be now, at the machine's date and time, also after each reset.
    pub(super) fn keep_date(&mut self) {
        self.keeps_date = true;
        self.start = self.start.clone().started_at(today());
        self.engine = self.start.clone();
        self.publish_view();
    }

    fn reset(&mut self, seed: Option<u64>) {
        if let Some(seed) = seed {
            self.own_seed = Some(seed);
            self.start = self.start.clone().with_seed(seed);
        }
        if self.keeps_date {
            self.start = self.start.clone().started_at(today());
        }
        self.transcript = Transcript::default();
        self.snapshots.clear();
        self.shared.journal.clear();
        self.held = None;
        self.shared.clock.set(Duration::ZERO, self.pace_at_start);
        self.engine = self.start.clone().with_members_of(&self.engine);
        self.begin_epoch();
    }

    /// Whether a member is of another server: what is for it alone is of no interest here.
    #[cfg(feature = "redis")]
    pub(super) fn is_elsewhere(&self, member: u64) -> bool {
        member >= FIRST_SHARED_MEMBER && self.members.as_ref().is_some_and(|members| members.is_elsewhere(member))
    }

    /// No other server plays the world.
    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn is_elsewhere(&self, _: u64) -> bool {
        false
    }

    fn save(&mut self, name: String) -> Result<(), SnapshotError> {
        if self.snapshots.len() >= MAX_SNAPSHOTS && !self.snapshots.contains_key(&name) {
            return Err(SnapshotError::TooMany);
        }
        let snapshot = Snapshot { engine: self.engine.clone().without_members(), transcript: self.transcript.clone() };
        self.snapshots.insert(name, snapshot);
        Ok(())
    }

    /// Goes back to a snapshot: time too, but a paused clock stays paused and a running one goes on.
    fn restore(&mut self, name: &str) -> Result<(), SnapshotError> {
        let snapshot = self.snapshots.get(name).ok_or_else(|| SnapshotError::Unknown(name.to_owned()))?;
        let before = self.engine.scenario().clone();
        self.engine = snapshot.engine.clone().with_members_of(&self.engine);
        self.transcript = snapshot.transcript.clone();
        if !Arc::ptr_eq(self.engine.scenario(), &before) {
            // The file was saved since; what was restored follows it as if it had been there.
            let reload = self.engine.replace(&before, self.start.seed());
            self.transcript.extend(&reload.events);
        }
        let pace = self.held.take().unwrap_or_else(|| self.shared.clock.pace());
        self.shared.clock.set(self.engine.now(), pace);
        self.begin_epoch();
        Ok(())
    }

    fn forget(&mut self, name: &str) -> Result<(), SnapshotError> {
        self.snapshots.remove(name).map(drop).ok_or_else(|| SnapshotError::Unknown(name.to_owned()))
    }

    /// Names and times of the snapshots.
    pub(super) fn saved(&self) -> Vec<(String, Duration)> {
        self.snapshots.iter().map(|(name, snapshot)| (name.clone(), snapshot.engine.now())).collect()
    }

    /// After the engine was put to another moment: everybody gets what is so now.
    fn begin_epoch(&mut self) {
        self.epoch += 1;
        #[cfg(feature = "redis")]
        if let Some(members) = &mut self.members {
            members.table.clear();
        }
        self.engine.begin_epoch(u32::try_from(self.epoch & u64::from(u32::MAX)).unwrap_or_default());
        self.resync(Self::counter_readings);
    }
}

/// The machine's date and time, in milliseconds since 1970.
pub(super) fn today() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The start of a scenario, with a world's own seed if it has one.
pub(super) fn seeded(start: Engine, own_seed: Option<u64>) -> Engine {
    match own_seed {
        Some(seed) => start.with_seed(seed),
        None => start,
    }
}
