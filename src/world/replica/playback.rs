//! The entries of a shared world's log, carried out by the world's task in their order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio_util::task::TaskTracker;
use tracing::error;

use super::log::{InstallSnapshot, ScenarioRef, WorldSnapshot};
use super::members::{self, MemberOpening};
use super::{PendingReply, Progress, Replica};
use crate::engine::{Command, Reload};
use crate::store::Checkpoint;
use crate::world::advance::Advance;
use crate::world::state::{WorldCommand, WorldState};
use crate::world::{ClockChange, WorldEffects, WorldError, WorldReload};

/// After that many entries a checkpoint is made. In a world with more counters, after as many entries as there are counters:
/// so the state of each counter is written at most once per entry.
const CHECKPOINT_EVERY: u64 = 1000;

/// An entry, ready to be carried out by the world's task.
pub(in crate::world) struct Arrived {
    pub(in crate::world) position: u64,
    /// Whether this server has appended it.
    pub(in crate::world) is_own: bool,
    pub(in crate::world) action: LogAction,
    pub(in crate::world) reply: Option<PendingReply>,
}

/// What an entry has the task do.
pub(in crate::world) enum LogAction {
    Nothing,
    Command { at: Duration, command: Box<WorldCommand> },
    Open { at: Duration, opening: Box<MemberOpening> },
    Close { at: Duration, server: Arc<str>, members: Vec<u64> },
    Gone { at: Duration, server: Arc<str> },
    Clock { at: Duration, change: ClockChange },
    Time { to: Duration, most: usize },
    Reload { to: Arc<WorldReload>, scenario_ref: ScenarioRef },
    Install(Box<InstallSnapshot>),
}

/// Plays the log of one world.
pub(in crate::world) struct Playback {
    replica: Arc<Replica>,
    /// They wait while an advance is at work, which is one of them.
    entries: VecDeque<Arrived>,
    /// The position of the last entry.
    position: u64,
    /// What others know the scenario by; `None` until a snapshot is installed.
    scenario_ref: Option<ScenarioRef>,
    /// The servers that have members in the world.
    servers: Arc<[Arc<str>]>,
    tasks: TaskTracker,
}

impl Playback {
    pub(in crate::world) fn new(replica: Arc<Replica>, tasks: TaskTracker) -> Self {
        let (entries, servers) = (VecDeque::new(), Arc::default());
        Self { replica, entries, position: 0, scenario_ref: None, servers, tasks }
    }

    /// The name of this server.
    pub(in crate::world) fn server(&self) -> &Arc<str> {
        &self.replica.sharing.server
    }

    /// Takes the next entry of the log.
    pub(in crate::world) fn push(&mut self, entry: Arrived) {
        self.entries.push_back(entry);
    }

    /// The world as it is now, to be installed elsewhere; `None` before one was installed here.
    pub(in crate::world) fn snapshot(&self, state: &WorldState) -> Option<WorldSnapshot> {
        Some(WorldSnapshot::of(state, self.scenario_ref.as_ref()?))
    }

    /// Carries out entries as long as no advance is at work, and tells how far the world has come.
    pub(in crate::world) fn play(&mut self, state: &mut WorldState, advances: &mut VecDeque<Box<Advance>>) {
        if let Some(newest) = self.entries.iter().rposition(|entry| matches!(entry.action, LogAction::Install(_))) {
            // What was before it is void: those who wait for it hear that.
            self.entries.drain(..newest);
            advances.clear();
        }
        while advances.is_empty()
            && let Some(entry) = self.entries.pop_front()
        {
            self.position = entry.position;
            let is_checkpoint = entry.is_own && self.is_checkpoint(state);
            if let Some(advance) = self.carry_out(entry, state) {
                advances.push_back(advance);
            } else if is_checkpoint {
                self.keep(state);
            }
        }
        let goes = advances.is_empty() && !state.shared.clock.pace().paused;
        let due = state.engine.next_due().filter(|_| goes);
        if let Some(members) = &state.members
            && !members.table.servers().eq(self.servers.iter())
        {
            self.servers = members.table.servers().cloned().collect();
        }
        self.replica.progressed(Progress { position: self.position, due, servers: self.servers.clone() });
    }

    /// Carries out an entry, or gives the advance that it asks for.
    fn carry_out(&mut self, entry: Arrived, state: &mut WorldState) -> Option<Box<Advance>> {
        match (entry.action, entry.reply) {
            (LogAction::Nothing, Some(PendingReply::Reload(reply))) => {
                let _ = reply.send(Reload { changes: self.replica.published(), events: Vec::new() });
            }
            (LogAction::Nothing, _) => {}
            (LogAction::Command { at, command }, reply) => carry_out_command(state, at, *command, reply),
            (LogAction::Open { at, opening }, reply) => {
                at_its_time(state, at, |state| members::open(&self.replica, state, *opening, reply));
            }
            (LogAction::Close { at, server, members }, _) => {
                at_its_time(state, at, |state| members::close(state, &server, members));
            }
            (LogAction::Gone { at, server }, _) => {
                at_its_time(state, at, |state| members::close_all(&self.replica, state, &server));
            }
            (LogAction::Clock { at, change }, reply) => {
                let reply = if let Some(PendingReply::Clock(reply)) = reply { Some(reply) } else { None };
                return Some(Box::new(Advance::shared(change, reply, at)));
            }
            (LogAction::Time { to, most }, _) => come_to(state, to, most),
            (LogAction::Reload { to, scenario_ref }, reply) => self.reload(state, &to, scenario_ref, reply),
            (LogAction::Install(snapshot), _) => {
                self.scenario_ref = Some(snapshot.install(state));
                members::depart_without_sockets(&self.replica, state);
            }
        }
        None
    }

    /// Goes on with another scenario. Snapshots follow at once: servers that join later know no other scenario.
    fn reload(
        &mut self,
        state: &mut WorldState,
        to: &WorldReload,
        scenario_ref: ScenarioRef,
        reply: Option<PendingReply>,
    ) {
        self.scenario_ref = Some(scenario_ref);
        let reload = state.reload(to);
        let seed = state.start.seed();
        for snapshot in state.snapshots.values_mut() {
            // All play the scenario that the plan begins with, because they have followed each reload before.
            let events = snapshot.engine.reload(&to.plan, seed).events;
            snapshot.transcript.extend(&events);
        }
        match reply {
            Some(PendingReply::Reload(reply)) => drop(reply.send(reload)),
            _ => self.replica.was_published(reload.changes),
        }
    }

    /// Whether the state after this entry is to be kept by the server that appended it.
    fn is_checkpoint(&self, state: &WorldState) -> bool {
        let by_row = state.engine.values().size_hint().0 as u64;
        self.position.is_multiple_of(by_row.div_ceil(CHECKPOINT_EVERY).max(1) * CHECKPOINT_EVERY)
    }

    /// Keeps the state as it is now.
    fn keep(&self, state: &WorldState) {
        let Some(snapshot) = self.snapshot(state) else { return };
        let (replica, position) = (self.replica.clone(), self.position);
        self.tasks.spawn(async move {
            // Writing 100,000 rows as text takes a while.
            let write = move || serde_json::to_string(&snapshot).unwrap_or_default();
            if let Ok(state) = spawn_blocking(write).await {
                // If it fails, the next checkpoint replaces it.
                let _ = replica.keep(&Checkpoint { position, state }).await;
            }
        });
    }
}

/// Carries out a command, and answers the one who waits for it.
fn carry_out_command(state: &mut WorldState, at: Duration, command: WorldCommand, reply: Option<PendingReply>) {
    // The asker may be gone.
    match (command, reply) {
        (WorldCommand::Apply(Command::Receive { member, frame }), Some(PendingReply::Receive(payload, reply))) => {
            let received = at_its_time(state, at, |state| state.receive(member, frame, payload));
            let _ = reply.send(received.ok_or(WorldError::Defect));
        }
        (command, reply) => {
            let carry_out =
                |state: &mut WorldState| state.apply(command).map(|effects| WorldEffects::of(state, effects));
            let outcome = at_its_time(state, at, carry_out).unwrap_or(Err(WorldError::Defect));
            if let Some(PendingReply::Command(reply)) = reply {
                let _ = reply.send(outcome);
            }
        }
    }
}

/// Carries out an entry at the time that it gives, so that it is the same everywhere. One that panics fails alone: the world
/// goes on as it is then.
fn at_its_time<T>(state: &mut WorldState, at: Duration, carry_out: impl FnOnce(&mut WorldState) -> T) -> Option<T> {
    let now = state.time_at(at);
    // Time goes on, but what is due before waits for the server that leads.
    state.engine.settle(state.engine.next_due().map_or(now, |due| due.min(now)));
    state.given_time = Some(now);
    let outcome = catch_unwind(AssertUnwindSafe(|| carry_out(state)));
    if outcome.is_err() {
        error!(world = %state.shared.name, "an entry has failed; it is a defect in mockd, please report it");
    }
    state.given_time = None;
    outcome.ok()
}

/// Time has come that far.
fn come_to(state: &mut WorldState, to: Duration, most: usize) {
    if state.shared.clock.pace().paused {
        // It was stopped before the server that leads knew of it.
        return;
    }
    set_clock_forward(state, to);
    let events = state.engine.advance_some(to, most);
    state.notify(&events);
}

/// Time has gone on while nothing happened.
pub(in crate::world) fn set_clock_forward(state: &mut WorldState, to: Duration) {
    let pace = state.shared.clock.pace();
    if !pace.paused && state.shared.clock.now() < to {
        state.shared.clock.set(to, pace);
    }
}
