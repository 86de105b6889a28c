//! Playback: the world's task applies the entries of a shared world's log in order.

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

/// The number of entries between checkpoints. A world with more counters than that has as many entries between
/// checkpoints as counters, so that at most one counter is written per entry on average.
const CHECKPOINT_EVERY: u64 = 1000;

/// An entry, ready to be applied by the world's task.
pub(in crate::world) struct ArrivedEntry {
    pub(in crate::world) position: u64,
    /// Whether this server appended the entry.
    pub(in crate::world) is_own: bool,
    pub(in crate::world) action: LogAction,
    pub(in crate::world) reply: Option<PendingReply>,
}

/// The action of an entry.
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

/// The playback of a world's log.
pub(in crate::world) struct Playback {
    replica: Arc<Replica>,
    /// The entries that wait for an advance in progress, which is an entry itself.
    entries: VecDeque<ArrivedEntry>,
    /// The position of the last entry.
    position: u64,
    /// The scenario as other servers know it; `None` until a snapshot is installed.
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

    /// Returns the name of this server.
    pub(in crate::world) fn server(&self) -> &Arc<str> {
        &self.replica.sharing.server
    }

    /// Adds the next entry of the log.
    pub(in crate::world) fn push(&mut self, entry: ArrivedEntry) {
        self.entries.push_back(entry);
    }

    /// Returns a snapshot of the world to install elsewhere; `None` before one was installed here.
    pub(in crate::world) fn snapshot(&self, state: &WorldState) -> Option<WorldSnapshot> {
        Some(WorldSnapshot::of(state, self.scenario_ref.as_ref()?))
    }

    /// Applies entries until one starts an advance, and reports the world's progress.
    pub(in crate::world) fn play(&mut self, state: &mut WorldState, advances: &mut VecDeque<Box<Advance>>) {
        if let Some(newest) = self.entries.iter().rposition(|entry| matches!(entry.action, LogAction::Install(_))) {
            // Earlier entries are void; dropping them fails the requests that wait for them.
            self.entries.drain(..newest);
            advances.clear();
        }
        while advances.is_empty()
            && let Some(entry) = self.entries.pop_front()
        {
            self.position = entry.position;
            let is_checkpoint = entry.is_own && self.is_checkpoint(state);
            if let Some(advance) = self.apply(entry, state) {
                advances.push_back(advance);
            } else if is_checkpoint {
                self.save_checkpoint(state);
            }
        }
        let is_running = advances.is_empty() && !state.shared.clock.pace().paused;
        let due = state.engine.next_due().filter(|_| is_running);
        if let Some(members) = &state.members
            && !members.table.servers().eq(self.servers.iter())
        {
            self.servers = members.table.servers().cloned().collect();
        }
        self.replica.set_progress(Progress { position: self.position, due, servers: self.servers.clone() });
    }

    /// Applies an entry, or returns the advance that it starts.
    fn apply(&mut self, entry: ArrivedEntry, state: &mut WorldState) -> Option<Box<Advance>> {
        match (entry.action, entry.reply) {
            (LogAction::Nothing, Some(PendingReply::Reload(reply))) => {
                let _ = reply.send(Reload { changes: self.replica.take_published(), events: Vec::new() });
            }
            (LogAction::Nothing, _) => {}
            (LogAction::Command { at, command }, reply) => apply_command(state, at, *command, reply),
            (LogAction::Open { at, opening }, reply) => {
                apply_at(state, at, |state| members::open(&self.replica, state, *opening, reply));
            }
            (LogAction::Close { at, server, members }, _) => {
                apply_at(state, at, |state| members::close(state, &server, members));
            }
            (LogAction::Gone { at, server }, _) => {
                apply_at(state, at, |state| members::close_all(&self.replica, state, &server));
            }
            (LogAction::Clock { at, change }, reply) => {
                let reply = if let Some(PendingReply::Clock(reply)) = reply { Some(reply) } else { None };
                return Some(Box::new(Advance::shared(change, reply, at)));
            }
            (LogAction::Time { to, most }, _) => advance_to(state, to, most),
            (LogAction::Reload { to, scenario_ref }, reply) => self.reload(state, &to, scenario_ref, reply),
            (LogAction::Install(snapshot), _) => {
                self.scenario_ref = Some(snapshot.install(state));
                members::depart_orphans(&self.replica, state);
            }
        }
        None
    }

    /// Switches to another scenario. Snapshots follow at once: servers that join later know no other scenario.
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
            // All snapshots play the scenario that the plan starts from, because they have followed every earlier
            // reload.
            let events = snapshot.engine.reload(&to.plan, seed).events;
            snapshot.transcript.extend(&events);
        }
        match reply {
            Some(PendingReply::Reload(reply)) => drop(reply.send(reload)),
            _ => self.replica.note_published(reload.changes),
        }
    }

    /// Returns whether the server that appended this entry must save the state after it.
    fn is_checkpoint(&self, state: &WorldState) -> bool {
        let by_row = state.engine.counter_values().size_hint().0 as u64;
        self.position.is_multiple_of(by_row.div_ceil(CHECKPOINT_EVERY).max(1) * CHECKPOINT_EVERY)
    }

    /// Saves the current state as a checkpoint.
    fn save_checkpoint(&self, state: &WorldState) {
        let Some(snapshot) = self.snapshot(state) else { return };
        let (replica, position) = (self.replica.clone(), self.position);
        self.tasks.spawn(async move {
            // Serialising 100,000 rows takes a while.
            let write = move || serde_json::to_string(&snapshot).unwrap_or_default();
            if let Ok(state) = spawn_blocking(write).await {
                // If this fails, the next checkpoint replaces it.
                let _ = replica.save_checkpoint(&Checkpoint { position, state }).await;
            }
        });
    }
}

/// Applies a command, and answers the request that waits for it.
fn apply_command(state: &mut WorldState, at: Duration, command: WorldCommand, reply: Option<PendingReply>) {
    // The request may be gone.
    match (command, reply) {
        (WorldCommand::Apply(Command::Receive { member, frame }), Some(PendingReply::Receive(payload, reply))) => {
            let received = apply_at(state, at, |state| state.receive(member, frame, payload));
            let _ = reply.send(received.ok_or(WorldError::Defect));
        }
        (command, reply) => {
            let apply = |state: &mut WorldState| state.apply(command).map(|effects| WorldEffects::of(state, effects));
            let outcome = apply_at(state, at, apply).unwrap_or(Err(WorldError::Defect));
            if let Some(PendingReply::Command(reply)) = reply {
                let _ = reply.send(outcome);
            }
        }
    }
}

/// Applies an entry at the time it carries, so that the outcome is the same everywhere. An entry that panics fails
/// alone: the world continues.
fn apply_at<T>(state: &mut WorldState, at: Duration, apply: impl FnOnce(&mut WorldState) -> T) -> Option<T> {
    let now = state.time_at(at);
    // Time advances, but actions that are due earlier wait for the leader.
    state.engine.settle(state.engine.next_due().map_or(now, |due| due.min(now)));
    state.given_time = Some(now);
    let outcome = catch_unwind(AssertUnwindSafe(|| apply(state)));
    if outcome.is_err() {
        error!(world = %state.shared.name, "an entry failed; this is a defect in mockd, please report it");
    }
    state.given_time = None;
    outcome.ok()
}

/// Advances to the given time.
fn advance_to(state: &mut WorldState, to: Duration, most: usize) {
    if state.shared.clock.pace().paused {
        // The clock was paused before the leader knew.
        return;
    }
    set_clock_forward(state, to);
    let events = state.engine.advance_some(to, most);
    state.notify(&events);
}

/// Sets the clock forward; nothing happened in between.
pub(in crate::world) fn set_clock_forward(state: &mut WorldState, to: Duration) {
    let pace = state.shared.clock.pace();
    if !pace.paused && state.shared.clock.now() < to {
        state.shared.clock.set(to, pace);
    }
}
