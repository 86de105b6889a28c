//! State that a world's task and its handles share, because it is read or counted outside the task.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Setup;
use super::catch_up::SlowCounts;
use super::clock::Clock;
use super::feed::EventFeed;
use super::journal::Journal;
use super::keep_alive::KeepAlive;
use super::socket::lock;
use super::sockets::Sockets;
use crate::engine::{Engine, Refusal};
use crate::logged_names::{LoggedNames, NameLine};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) clock: Clock,
    pub(super) feed: EventFeed,
    pub(super) sockets: Sockets,
    pub(super) slow: SlowCounts,
    pub(super) journal: Journal,
    pub(super) unknown_collections: LoggedNames,
    /// Failures of rules that are the scenario's fault.
    failures: LoggedNames,
    /// Refusals of rules. Their texts name rows, so there may be many; they must not hide other failures.
    refused: LoggedNames,
    /// Messages that no rule matches.
    unmatched: LoggedNames,
    /// The number of the last event.
    pub(super) last_event: AtomicU64,
    pub(super) end: CancellationToken,
    /// Whether an active fault may hit requests.
    pub(super) has_request_faults: AtomicBool,
    pub(super) active_faults: ActiveFaults,
    pub(super) keep_alive: KeepAlive,
    /// When the world was last used.
    used: Mutex<Instant>,
    /// The number of requests in progress.
    users: AtomicUsize,
}

impl Shared {
    /// Logs why a rule failed, once per reason.
    pub(super) fn warn_of_failure(&self, rule: &str, refusal: &Refusal) {
        self.warn_of(&format!("`{rule}` fails: {refusal}"), refusal);
    }

    /// Logs why a step of a rule was skipped, once per reason.
    pub(super) fn warn_of_skipped(&self, rule: &str, refusal: &Refusal) {
        self.warn_of(&format!("`{rule}` skips a step: {refusal}"), refusal);
    }

    fn warn_of(&self, line: &str, refusal: &Refusal) {
        let (logged, what) = if refusal.is_defect_of_scenario() {
            (&self.failures, "rules fail")
        } else {
            (&self.refused, "steps are skipped")
        };
        match logged.note(line) {
            NameLine::Name => warn!(world = %self.name, "{line}"),
            NameLine::NoMore => warn!(
                world = %self.name,
                "{what} for more than {} reasons; the log names further ones only with -v",
                LoggedNames::MAX_NAMES
            ),
            NameLine::Nothing => {}
        }
    }

    /// Logs that no rule of an endpoint matches a message, once per nearest rule and reason.
    pub(super) fn warn_of_unmatched(&self, endpoint: &str, nearest: Option<&str>) {
        /// The number of characters of a reason to log, which quotes the client's message.
        const MAX_CHARACTERS: usize = 200;
        let nearest = nearest.map(|nearest| {
            let shown: String = nearest.chars().take(MAX_CHARACTERS).collect();
            format!("; the nearest is {shown}{}", if shown.len() < nearest.len() { "…" } else { "" })
        });
        let line = format!("no rule of websocket {endpoint} matches a message{}", nearest.unwrap_or_default());
        match self.unmatched.note(&line) {
            NameLine::Name => warn!(world = %self.name, "{line}"),
            NameLine::NoMore => warn!(
                world = %self.name,
                "more than {} kinds of messages match no rule; the log names no further ones",
                LoggedNames::MAX_NAMES
            ),
            NameLine::Nothing => {}
        }
    }

    pub(super) fn new(name: Arc<str>, start: &Engine, setup: &Setup, end: CancellationToken) -> Self {
        Self {
            name: name.clone(),
            clock: Clock::start(setup.pace),
            feed: EventFeed::new(setup.backlog),
            sockets: Sockets::default(),
            slow: SlowCounts::default(),
            journal: Journal::new(name, setup.journal, &setup.budget),
            last_event: AtomicU64::new(start.sequence()),
            unknown_collections: LoggedNames::default(),
            failures: LoggedNames::default(),
            refused: LoggedNames::default(),
            unmatched: LoggedNames::default(),
            end,
            has_request_faults: AtomicBool::new(start.has_request_faults()),
            active_faults: ActiveFaults::of(start),
            keep_alive: setup.keep_alive.clone(),
            used: Mutex::new(Instant::now()),
            users: AtomicUsize::new(0),
        }
    }

    /// Marks the world as used.
    pub(super) fn touch(&self) {
        *lock(&self.used) = Instant::now();
    }

    /// Returns when the world was last used; `None` while a socket is open or a request is in progress.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.users.load(Ordering::SeqCst) == 0 && self.sockets.len() == 0;
        is_idle.then(|| *lock(&self.used))
    }

    /// Marks the world as in use until the guard is dropped.
    pub(super) fn in_use(&self) -> InUse<'_> {
        self.users.fetch_add(1, Ordering::SeqCst);
        InUse(self)
    }
}

/// A guard that is held while a world is in use.
pub(super) struct InUse<'w>(&'w Shared);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.users.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The [runs](crate::engine::Hit::run) of the active faults, for tasks that wait for one to end.
#[derive(Debug)]
pub(super) struct ActiveFaults {
    runs: Mutex<Arc<[u64]>>,
    changed: Notify,
}

impl ActiveFaults {
    fn of(engine: &Engine) -> Self {
        Self { runs: Mutex::new(engine.active_faults().collect()), changed: Notify::new() }
    }

    pub(super) fn set(&self, engine: &Engine) {
        *lock(&self.runs) = engine.active_faults().collect();
        self.changed.notify_waiters();
    }

    /// Waits until the fault with this run is over.
    pub(super) async fn over(&self, run: u64) {
        loop {
            let changed = self.changed.notified();
            if !lock(&self.runs).contains(&run) {
                return;
            }
            changed.await;
        }
    }
}
