//! A world that several servers play together.
//!
//! What changes it does not go to its task but into a [log](crate::store), and comes from there, with what other servers
//! have appended, in an order that is the same everywhere ([`join`](super::join)). A client gets its answer when its entry has been
//! carried out here ([`playback`]). Members of rules are part of the world, as they open, speak and close ([`members`]). Reads,
//! sockets of collections and the journal are this server's own business, as ever.
//!
//! Nothing in a shared world depends on a clock of one server alone: each entry says at which of the world's times it was
//! made, and scripts and generators go on only by entries of the server that leads ([`lead`]).
//!
//! While the log cannot be reached, the world stays as it is: it is read, its sockets are open, and changes are refused. A
//! frame from the client of a member is a change, which cannot be refused: its socket is closed.

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
pub(super) use self::playback::{Arrived, LogAction, Playback, set_clock_forward};
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

/// Entries that are kept from before the kept state, so that a server that is behind by less misses none of them.
const ENTRIES_KEPT: u64 = 5000;

/// What a server needs to play worlds with others.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// Where the logs are.
    pub store: Arc<dyn Store>,
    /// The scenarios that the logs speak of.
    pub scenarios: Scenarios,
    /// The server, by a name that no other has.
    pub server: Arc<str>,
    /// Where it is told that another server has published a scenario.
    pub reloads: Reloads,
    /// Entries of this server, for their marks.
    count: Arc<AtomicU64>,
}

/// How a server joins a world that others may play too.
#[derive(Debug)]
pub struct JoinOptions {
    /// What the server needs for it.
    pub sharing: Sharing,
    /// The world's log, opened.
    pub opened: Opened,
    /// How long the log is kept when nobody plays the world; for ever without.
    pub lifetime: Option<Duration>,
    /// Whether all other worlds go on with the scenarios of this one, and it says whether a server is there at all.
    pub is_default: bool,
}

impl Sharing {
    /// A server of that name, which no other has, with a store, and the server section and the directory of its scenario.
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

    /// Tells an entry from all others.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{}-{}", self.server, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// One server's part in a shared world.
#[derive(Debug)]
pub(super) struct Replica {
    world: Arc<str>,
    pub(super) sharing: Sharing,
    lifetime: Option<Duration>,
    /// Whether it is to have a leader even if nothing happens by itself.
    is_always_led: bool,
    /// What changed by the last scenario that another server has published.
    published: Mutex<Vec<Change>>,
    /// Those who wait for an entry, by its mark.
    pending: Mutex<HashMap<String, PendingReply>>,
    progress: watch::Sender<Progress>,
    /// The highest number of a member that was given out, for all that is known here.
    highest_member: AtomicU64,
    /// Until when this server counts as there, once it has said that it is.
    present_until: Mutex<Option<Instant>>,
    /// The members of this server that have gone and that others still have to be told of.
    departed: Mutex<Vec<u64>>,
    /// Notified when one has gone.
    departure: Notify,
}

/// How far a world has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// The position of the last entry that was carried out.
    pub(super) position: u64,
    /// When something happens by itself, if the clock goes.
    pub(super) due: Option<Duration>,
    /// The servers that have members in the world.
    pub(super) servers: Arc<[Arc<str>]>,
}

/// How to answer the one who waits for an entry to be carried out.
pub(super) enum PendingReply {
    Command(oneshot::Sender<Result<WorldEffects, WorldError>>),
    Clock(oneshot::Sender<ClockOutcome>),
    Reload(oneshot::Sender<Reload>),
    /// A member opens here.
    Open(Box<LocalMember>, oneshot::Sender<Result<OpenedMember, WorldError>>),
    /// A frame has come from the client of a member, as the journal has it.
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
    /// It is no entry of this version of mockd.
    #[error("it cannot be read ({0}); all servers have to be of one version of mockd")]
    Unreadable(#[from] serde_json::Error),
    /// The state does not fit the scenario.
    #[error(transparent)]
    Engine(#[from] engine::StateError),
    /// The scenario cannot be had.
    #[error("the scenario {0} is not in the store")]
    NoScenario(String),
    /// The store was lost before the world was there.
    #[error("the store was lost while the world was joined")]
    Lost,
    /// The log does not begin with a beginning.
    #[error("the log has no beginning")]
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

    /// Has a command carried out by all servers, and gives what it did here.
    pub(super) async fn apply(&self, command: WorldCommand, now: Duration) -> Result<WorldEffects, WorldError> {
        let (reply, outcome) = oneshot::channel();
        let entry = LogEntry::Do { at: now, command };
        self.ask(&entry, now, PendingReply::Command(reply), outcome).await?
    }

    /// Changes the clocks of all servers. It takes as long as this server's sockets take.
    pub(super) async fn change_clock(&self, change: ClockChange, now: Duration) -> Result<Advanced, WorldError> {
        let (reply, outcome) = oneshot::channel();
        let entry = LogEntry::Clock { at: now, change };
        Ok(self.ask(&entry, now, PendingReply::Clock(reply), outcome).await??)
    }

    /// Has all servers go on with another scenario, which has to be among [`Scenarios`].
    pub(super) async fn reload(&self, scenario: String, seed: u64, now: Duration) -> Result<Reload, WorldError> {
        let (reply, reload) = oneshot::channel();
        let entry = LogEntry::Reload { scenario, seed };
        self.ask(&entry, now, PendingReply::Reload(reply), reload).await
    }

    /// Another server has published a scenario, which has changed that. Only the default world reports it.
    fn was_published(&self, changes: Vec<Change>) {
        if self.is_always_led {
            info!(changes = changes.len(), "another server has published a scenario");
            self.sharing.reloads.applied(changes.clone());
            *self.published.lock().unwrap_or_else(PoisonError::into_inner) = changes;
        }
    }

    /// What changed when another server published the scenario that this one publishes as well: they have the same file.
    fn published(&self) -> Vec<Change> {
        std::mem::take(&mut *self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the world everywhere.
    pub(super) async fn end(&self, now: Duration) -> Result<(), WorldError> {
        let (mark, text) = (self.sharing.mark(), LogEntry::End.to_text());
        Ok(self.sharing.store.end(&self.world, self.new_entry(&mark, &text, now, None)).await?)
    }

    /// Appends an entry, and waits for it to be carried out here: for as long as an advance before it takes, unless the log is
    /// lost meanwhile.
    async fn ask<T>(
        &self,
        entry: &LogEntry,
        now: Duration,
        reply: PendingReply,
        answer: oneshot::Receiver<T>,
    ) -> Result<T, WorldError> {
        let (mark, text) = (self.sharing.mark(), entry.to_text());
        // Before it can come back.
        self.lock().insert(mark.clone(), reply);
        let forget = Forget { replica: self, mark: &mark };
        self.sharing.store.append(&self.world, self.new_entry(&mark, &text, now, None)).await?;
        let lost = |_| StoreError::Gone("it was lost before this came back from there".into());
        let answer = answer.await.map_err(lost)?;
        drop(forget);
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

    /// How to answer the one who waits for that entry.
    pub(super) fn take_reply(&self, mark: &str) -> Option<PendingReply> {
        self.lock().remove(mark)
    }

    /// Everybody who waits hears that it is not known what came of it.
    pub(super) fn drop_replies(&self) {
        self.lock().clear();
    }

    pub(super) fn is_own(&self, mark: &str) -> bool {
        mark.strip_prefix(&*self.sharing.server).is_some_and(|rest| rest.starts_with('-'))
    }

    async fn keep(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let cut = checkpoint.position.saturating_sub(ENTRIES_KEPT);
        self.sharing.store.keep(&self.world, checkpoint, cut).await
    }

    fn progressed(&self, progress: Progress) {
        self.progress.send_if_modified(|last| {
            let is_new = *last != progress;
            *last = progress;
            is_new
        });
    }

    /// Waits until that entry has been carried out.
    pub(super) async fn reached(&self, position: u64) {
        // The sender is this replica's own.
        let _ = self.progress.subscribe().wait_for(|progress| progress.position >= position).await;
    }

    /// Until when this server counts as there.
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

/// Nobody waits for an entry any more, once this is dropped.
struct Forget<'r> {
    replica: &'r Replica,
    mark: &'r str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.replica.take_reply(self.mark);
    }
}
