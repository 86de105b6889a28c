//! A world that several servers play together.
//!
//! Changes to the world do not go to its task but into a [log](crate::store). From there they come back together with
//! those of other servers, in an order that is the same everywhere ([`join`](super::join)). A client is answered when
//! its entry has been applied here ([`playback`]). Members of rules are part of the world: entries open them, carry
//! their messages and close them ([`members`]). Reads, sockets of collections and the journal stay local to each
//! server.
//!
//! Nothing in a shared world depends on the clock of a single server: each entry carries the world's time at which it
//! was made, and scripts and generators advance only by entries of the leader ([`lead`]).
//!
//! While the log cannot be reached, the world does not change: it can be read, its sockets stay open, and changes are
//! refused. A frame from a member's client is a change that cannot be refused, so the member's socket is closed.

mod departures;
mod lead;
mod log;
mod member_table;
mod members;
mod playback;
mod scenarios;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;
use tracing::info;

pub(super) use self::departures::Departures;
pub(super) use self::lead::LeaderElection;
pub use self::log::WorldSnapshot;
pub(super) use self::log::{InstallSnapshot, LogEntry, ScenarioRef};
pub(super) use self::members::SharedMembers;
pub(super) use self::playback::{ArrivedEntry, LogAction, Playback, set_clock_forward};
pub use self::scenarios::{Scenarios, fingerprint};
use super::advance::ClockOutcome;
use super::journal::Payload;
use super::member::{LocalMember, OpenedMember};
use super::state::WorldCommand;
use super::{Advanced, ClockChange, WorldEffects, WorldError};
use crate::engine::{self, Change, Reload};
use crate::reloads::Reloads;
use crate::scenario::ServerOptions;
use crate::store::{Checkpoint, FencingToken, NewEntry, Opened, Store, StoreError};

/// The number of entries kept from before a checkpoint, so that a server that is less far behind misses none of them.
const ENTRIES_KEPT: u64 = 5000;

/// What a server needs to share worlds with others.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// The store of the logs.
    pub store: Arc<dyn Store>,
    /// The scenarios that the logs refer to.
    pub scenarios: Scenarios,
    /// The unique name of the server.
    pub server: Arc<str>,
    /// Notified when another server has published a scenario.
    pub reloads: Reloads,
    /// The number of entries made by this server, for their marks.
    count: Arc<AtomicU64>,
}

/// How a server joins a world that others may play as well.
#[derive(Debug)]
pub struct JoinOptions {
    /// The server's sharing state.
    pub sharing: Sharing,
    /// The opened log of the world.
    pub opened: Opened,
    /// How long the log is kept while nobody plays the world; `None` means forever.
    pub lifetime: Option<Duration>,
    /// Whether this is the default world, whose scenario all other worlds follow, and which always has a leader.
    pub is_default: bool,
}

impl Sharing {
    /// Creates the sharing state of a server. Its name must be unique; `options` and `directory` are the server section
    /// and the directory of its scenario.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        server: Arc<str>,
        options: ServerOptions,
        directory: PathBuf,
        reloads: Reloads,
    ) -> Self {
        let scenarios = Scenarios::new(store.clone(), options, directory);
        Self { scenarios, store, server, reloads, count: Arc::default() }
    }

    /// Returns a mark that is unique among all entries.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{}-{}", self.server, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// A server's replica of a shared world.
#[derive(Debug)]
pub(super) struct Replica {
    world: Arc<str>,
    pub(super) sharing: Sharing,
    lifetime: Option<Duration>,
    /// Whether the world needs a leader even if nothing is scheduled.
    is_always_led: bool,
    /// The changes made by the last scenario that another server published.
    published: Mutex<Vec<Change>>,
    /// The requests that wait for an entry, by its mark.
    pending: Mutex<HashMap<String, PendingReply>>,
    progress: watch::Sender<Progress>,
    /// The highest member number issued, as far as this server knows.
    highest_member: AtomicU64,
    /// Until when this server counts as present; `None` before its first announcement.
    present_until: Mutex<Option<Instant>>,
    /// The members of this server that have departed without an entry in the log yet.
    departed: Mutex<Vec<u64>>,
    /// Notified after each departure.
    departure: Notify,
}

/// The progress of a world.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// The position of the last entry applied.
    pub(super) position: u64,
    /// When the next scheduled action is due, if the clock is running.
    pub(super) due: Option<Duration>,
    /// The servers that have members in the world.
    pub(super) servers: Arc<[Arc<str>]>,
}

/// How to answer the request that waits for an entry to be applied.
pub(super) enum PendingReply {
    Command(oneshot::Sender<Result<WorldEffects, WorldError>>),
    Clock(oneshot::Sender<ClockOutcome>),
    Reload(oneshot::Sender<Reload>),
    /// A member opens on this server.
    Open(Box<LocalMember>, oneshot::Sender<Result<OpenedMember, WorldError>>),
    /// A member's client has sent a frame; the payload is for the journal.
    Receive(Payload, oneshot::Sender<Result<(), WorldError>>),
}

impl fmt::Debug for PendingReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingReply")
    }
}

/// Why a log cannot be played.
#[derive(Debug, Error)]
pub enum ReplicaError {
    /// An entry or state is not readable by this version of mockd.
    #[error("unreadable data ({0}); all servers must run the same version of mockd")]
    Unreadable(#[from] serde_json::Error),
    /// The state does not match the scenario.
    #[error(transparent)]
    Engine(#[from] engine::StateError),
    /// The scenario is not available.
    #[error("scenario {0} is not in the store")]
    NoScenario(String),
    /// The store became unreachable before the world was joined.
    #[error("the store became unreachable while the world was joined")]
    Lost,
    /// The log does not start with a begin entry.
    #[error("the log does not start with a begin entry")]
    NoBeginning,
}

impl Replica {
    pub(super) fn new(world: Arc<str>, options: &JoinOptions) -> Self {
        Self {
            world,
            sharing: options.sharing.clone(),
            lifetime: options.lifetime,
            is_always_led: options.is_default,
            published: Mutex::default(),
            pending: Mutex::default(),
            progress: watch::Sender::default(),
            highest_member: AtomicU64::new(0),
            present_until: Mutex::default(),
            departed: Mutex::default(),
            departure: Notify::new(),
        }
    }

    /// Applies a command on all servers, and returns its effects on this one.
    pub(super) async fn apply(&self, command: WorldCommand, now: Duration) -> Result<WorldEffects, WorldError> {
        let (reply, outcome) = oneshot::channel();
        let entry = LogEntry::Do { at: now, command };
        self.submit(&entry, now, PendingReply::Command(reply), outcome).await?
    }

    /// Changes the clocks of all servers. The call takes as long as this server's sockets do.
    pub(super) async fn change_clock(&self, change: ClockChange, now: Duration) -> Result<Advanced, WorldError> {
        let (reply, outcome) = oneshot::channel();
        let entry = LogEntry::Clock { at: now, change };
        Ok(self.submit(&entry, now, PendingReply::Clock(reply), outcome).await??)
    }

    /// Switches all servers to another scenario, which must be one of the [`Scenarios`].
    pub(super) async fn reload(&self, scenario: String, seed: u64, now: Duration) -> Result<Reload, WorldError> {
        let (reply, reload) = oneshot::channel();
        let entry = LogEntry::Reload { scenario, seed };
        self.submit(&entry, now, PendingReply::Reload(reply), reload).await
    }

    /// Handles a scenario published by another server, with the changes that it made. Only the default world reports
    /// them.
    fn note_published(&self, changes: Vec<Change>) {
        if self.is_always_led {
            info!(changes = changes.len(), "another server has published a scenario");
            self.sharing.reloads.applied(changes.clone());
            *self.published.lock().unwrap_or_else(PoisonError::into_inner) = changes;
        }
    }

    /// Takes the changes made when another server published the same scenario as this one: both servers have the same
    /// file.
    fn take_published(&self) -> Vec<Change> {
        std::mem::take(&mut *self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the world on all servers.
    pub(super) async fn end(&self, now: Duration) -> Result<(), WorldError> {
        let (mark, text) = (self.sharing.mark(), LogEntry::End.to_text());
        Ok(self.sharing.store.end(&self.world, self.new_entry(&mark, &text, now, None)).await?)
    }

    /// Appends an entry and waits until it is applied here. An earlier advance delays that for as long as it takes; the
    /// wait fails if the log is lost.
    async fn submit<T>(
        &self,
        entry: &LogEntry,
        now: Duration,
        reply: PendingReply,
        answer: oneshot::Receiver<T>,
    ) -> Result<T, WorldError> {
        let (mark, text) = (self.sharing.mark(), entry.to_text());
        // Before the entry can come back.
        self.lock().insert(mark.clone(), reply);
        let guard = PendingGuard { replica: self, mark: &mark };
        self.sharing.store.append(&self.world, self.new_entry(&mark, &text, now, None)).await?;
        let lost = |_| StoreError::Unreachable("the connection was lost before the entry came back".into());
        let answer = answer.await.map_err(lost)?;
        drop(guard);
        Ok(answer)
    }

    pub(super) fn new_entry<'e>(
        &self,
        mark: &'e str,
        text: &'e str,
        at: Duration,
        token: Option<FencingToken>,
    ) -> NewEntry<'e> {
        NewEntry { mark, text, at, token, lifetime: self.lifetime }
    }

    /// Removes and returns the reply for the entry with this mark.
    pub(super) fn take_reply(&self, mark: &str) -> Option<PendingReply> {
        self.lock().remove(mark)
    }

    /// Drops all pending replies, so that the waiting requests fail with an unknown outcome.
    pub(super) fn drop_replies(&self) {
        self.lock().clear();
    }

    pub(super) fn is_own(&self, mark: &str) -> bool {
        mark.strip_prefix(&*self.sharing.server).is_some_and(|rest| rest.starts_with('-'))
    }

    async fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let cut = checkpoint.position.saturating_sub(ENTRIES_KEPT);
        self.sharing.store.save_checkpoint(&self.world, checkpoint, cut).await
    }

    fn set_progress(&self, progress: Progress) {
        self.progress.send_if_modified(|last| {
            let is_new = *last != progress;
            *last = progress;
            is_new
        });
    }

    /// Waits until the entry at this position has been applied.
    pub(super) async fn reached(&self, position: u64) {
        // The replica owns the sender, so the wait does not fail.
        let _ = self.progress.subscribe().wait_for(|progress| progress.position >= position).await;
    }

    /// Returns until when this server counts as present.
    fn presence(&self) -> Option<Instant> {
        *self.present_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_presence(&self, until: Instant) {
        *self.present_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, PendingReply>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the pending reply for an entry on drop.
struct PendingGuard<'r> {
    replica: &'r Replica,
    mark: &'r str,
}

impl Drop for PendingGuard<'_> {
    fn drop(&mut self) {
        self.replica.take_reply(self.mark);
    }
}
