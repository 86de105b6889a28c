//! A world that several servers play together.
//!
//! What changes it does not go to its task but into a [log](crate::store), and comes from there, with what other servers
//! have appended, in an order that is the same everywhere ([`listen`]). Whoever asked gets its answer when its entry has
//! been carried out here. Reads, sockets and the journal are this server's own business, as ever.
//!
//! Nothing in a shared world depends on a clock of one server alone: each entry says at which of the world's times it was
//! made, and scripts and generators go on only by entries of the one that leads ([`steer`]).
//!
//! While the log cannot be reached, the world stays as it is: it is read, its sockets are open, and changes are refused.

mod adopt;
mod entry;
mod join;
mod listen;
mod scenarios;
mod steer;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tracing::info;

pub(super) use self::adopt::{Adopted, Origin};
pub(super) use self::entry::LogEntry;
pub use self::entry::{Birth, StateError};
pub use self::scenarios::{Scenarios, fingerprint};
use super::advance::Outcome as ClockOutcome;
use super::operation::{Operation, Outcome};
use super::{Advanced, ClockChange, WorldError};
use crate::engine::{Change, Reload, Succession};
use crate::reloads::Reloads;
use crate::scenario::ServerOptions;
use crate::store::{Checkpoint, NewEntry, Opened, Store, StoreError, Token};

/// After so many entries the state is kept. In a world with more accounts, after as many entries as there are accounts: so
/// the state of each is written once for an entry at the most.
pub(super) const KEEP_EVERY: u64 = 1000;

/// So many entries before a state that is kept are kept as well: whoever is not further behind misses none of them.
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

/// A server's place at a world that others may play too.
#[derive(Debug)]
pub struct Seat {
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
    /// A server of that name, which no other has, with a store, and the server section of its scenario.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, server: Arc<str>, options: ServerOptions, reloads: Reloads) -> Self {
        let scenarios = Scenarios::new(store.clone(), options);
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
    sharing: Sharing,
    lifetime: Option<Duration>,
    /// Whether it is to have a leader even if nothing happens by itself.
    is_always_led: bool,
    /// What changed by the last scenario that another server has published.
    published: Mutex<Vec<Change>>,
    pending: Mutex<HashMap<String, Reply>>,
    progress: watch::Sender<Progress>,
}

/// How far a world has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// The position of the last entry that was carried out.
    pub(super) position: u64,
    /// When something happens by itself, if the clock goes.
    pub(super) due: Option<Duration>,
}

/// Whoever waits for an entry to be carried out.
#[derive(Debug)]
pub(super) enum Reply {
    Operation(oneshot::Sender<Result<Outcome, WorldError>>),
    Clock(oneshot::Sender<ClockOutcome>),
    Reload(oneshot::Sender<Reload>),
}

/// An entry, ready to be carried out by the world's task.
pub(super) struct Arrived {
    pub(super) position: u64,
    /// Whether this server has appended it.
    pub(super) is_own: bool,
    pub(super) deed: Deed,
    pub(super) reply: Option<Reply>,
}

/// What an entry has the task do.
pub(super) enum Deed {
    Nothing,
    Carry { at: Duration, operation: Box<Operation> },
    Clock { at: Duration, change: ClockChange },
    Time { to: Duration, most: usize },
    Follow { succession: Arc<Succession>, origin: Origin },
    Adopt(Box<Adopted>),
}

impl Replica {
    fn new(world: Arc<str>, seat: &Seat) -> Self {
        let (sharing, lifetime, is_always_led) = (seat.sharing.clone(), seat.lifetime, seat.is_default);
        let (published, pending, progress) = (Mutex::default(), Mutex::default(), watch::Sender::default());
        Self { world, sharing, lifetime, is_always_led, published, pending, progress }
    }

    /// Has an operation carried out by all servers.
    pub(super) async fn carry_out(&self, operation: Operation, now: Duration) -> Result<Outcome, WorldError> {
        let (reply, outcome) = oneshot::channel();
        let entry = LogEntry::Do { at: now, operation };
        self.ask(&entry, now, Reply::Operation(reply), outcome).await?
    }

    /// Has the clocks of all servers changed. It takes as long as this server's sockets take.
    pub(super) async fn change_clock(&self, change: ClockChange, now: Duration) -> Result<Advanced, WorldError> {
        let (reply, outcome) = oneshot::channel();
        let entry = LogEntry::Clock { at: now, change };
        Ok(self.ask(&entry, now, Reply::Clock(reply), outcome).await??)
    }

    /// Has all servers go on with another scenario, which has to be among [`Scenarios`].
    pub(super) async fn follow(&self, scenario: String, seed: u64, now: Duration) -> Result<Reload, WorldError> {
        let (reply, reload) = oneshot::channel();
        let entry = LogEntry::Follow { scenario, seed };
        self.ask(&entry, now, Reply::Reload(reply), reload).await
    }

    /// Another server has published a scenario, which has changed that. It is told of the default world alone.
    pub(super) fn was_published(&self, changes: Vec<Change>) {
        if self.is_always_led {
            info!(changes = changes.len(), "another server has published a scenario");
            self.sharing.reloads.applied(changes.clone());
            *self.published.lock().unwrap_or_else(PoisonError::into_inner) = changes;
        }
    }

    /// What changed when another server published the scenario that this one publishes as well: they have the same file.
    pub(super) fn published(&self) -> Vec<Change> {
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
        reply: Reply,
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

    fn new_entry<'e>(&self, mark: &'e str, text: &'e str, at: Duration, token: Option<Token>) -> NewEntry<'e> {
        NewEntry { mark, text, at, token, lifetime: self.lifetime }
    }

    /// Whoever waits for that entry.
    fn take_reply(&self, mark: &str) -> Option<Reply> {
        self.lock().remove(mark)
    }

    /// Whoever waits for anything hears that it is not known what came of it.
    fn drop_replies(&self) {
        self.lock().clear();
    }

    fn is_own(&self, mark: &str) -> bool {
        mark.strip_prefix(&*self.sharing.server).is_some_and(|rest| rest.starts_with('-'))
    }

    pub(super) async fn keep(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let cut = checkpoint.position.saturating_sub(ENTRIES_KEPT);
        self.sharing.store.keep(&self.world, checkpoint, cut).await
    }

    pub(super) fn progressed(&self, progress: Progress) {
        self.progress.send_if_modified(|last| std::mem::replace(last, progress) != progress);
    }

    /// Waits until that entry has been carried out.
    async fn reached(&self, position: u64) {
        // The sender is this replica's own.
        let _ = self.progress.subscribe().wait_for(|progress| progress.position >= position).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Reply>> {
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
