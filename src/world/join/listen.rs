//! Passing the entries of a world's log to its task.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::scenario::Scenario;
use crate::store::{OpenMode, Opened, StoreError, StoredEntry};
use crate::world::replica::{
    ArrivedEntry, InstallSnapshot, LogAction, LogEntry, Replica, ReplicaError, ScenarioRef, Sharing, WorldSnapshot,
    set_clock_forward,
};
use crate::world::shared_state::Shared;
use crate::world::state::WorldState;
use crate::world::task::Request;
use crate::world::{WorldReload, WorldStart};

/// How long to wait before retrying a log that could not be reached.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Why a listener stops following the log.
enum StopReason {
    /// The world has ended, on all servers or on this one.
    Ended,
    /// The log has contents that this server cannot apply.
    Unplayable(ReplicaError),
    /// The log cannot be reached at the moment.
    Unreachable,
    /// The log does not continue from the position of this world.
    Gap,
}

impl From<StoreError> for StopReason {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Gap(_) | StoreError::Missing => Self::Gap,
            _ => Self::Unreachable,
        }
    }
}

/// Follows the log of one world.
pub(super) struct Listener {
    pub(super) replica: Arc<Replica>,
    pub(super) shared: Arc<Shared>,
    pub(super) requests: mpsc::Sender<Request>,
    /// The start of the scenario that this server ran last.
    pub(super) start: WorldStart,
    /// Whether this is the default world, whose scenario the other worlds follow.
    pub(super) is_default: bool,
}

/// A listener's position in the log.
struct LogPosition {
    last: StoredEntry,
    /// The scenario's start, with the server's seed rather than the world's own.
    start: WorldStart,
    scenario_ref: ScenarioRef,
}

impl Listener {
    /// Passes the log's entries to the task until the world ends. Sends the position through `joined` once the initial
    /// entries have been passed on.
    pub(super) async fn listen(self, opened: Opened, joined: oneshot::Sender<u64>, end: CancellationToken) {
        // However the listener ends, the world cannot continue without it.
        let _ended = end.clone().drop_guard();
        let failure = end.run_until_cancelled(self.listen_until_failure(opened, joined)).await;
        if let Some(error) = failure {
            error!(world = %self.shared.name, "cannot apply the log of this shared world: {error}");
        }
        self.replica.drop_replies();
    }

    async fn listen_until_failure(&self, opened: Opened, joined: oneshot::Sender<u64>) -> ReplicaError {
        let (mut opened, mut joined) = (opened, Some(joined));
        loop {
            let mut stop = match self.install(&opened).await {
                Ok(mut place) => {
                    if let Some(joined) = joined.take() {
                        // The caller that joins the world may be gone.
                        let _ = joined.send(place.last.position);
                    }
                    self.follow(&mut place).await
                }
                // There is no world yet that could continue.
                Err(StopReason::Unreachable) if joined.is_some() => return ReplicaError::Lost,
                Err(stop) => stop,
            };
            loop {
                match stop {
                    StopReason::Ended => return std::future::pending().await,
                    StopReason::Unplayable(error) => return error,
                    StopReason::Unreachable => {
                        tokio::time::sleep(RETRY_DELAY).await;
                        stop = StopReason::Gap;
                    }
                    StopReason::Gap => match self.reopen().await {
                        Ok(again) => {
                            opened = again;
                            break;
                        }
                        Err(other) => stop = other,
                    },
                }
            }
        }
    }

    /// Follows the log from a position for as long as it continues from there.
    async fn follow(&self, place: &mut LogPosition) -> StopReason {
        loop {
            let mut entries = self.replica.sharing.store.follow(&self.shared.name, &place.last);
            while let Some(read) = entries.next().await {
                let stop = match read {
                    Ok(read) => self.deliver(read, place).await.err(),
                    Err(error) => Some(error.into()),
                };
                match stop {
                    None => {}
                    Some(StopReason::Unreachable) => {
                        self.replica.drop_replies();
                        break;
                    }
                    Some(stop) => return stop,
                }
            }
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    /// Reopens the log. If the log is lost, this server starts it again with its own state.
    async fn reopen(&self) -> Result<Opened, StopReason> {
        warn!(world = %self.shared.name, "the log does not continue from here; reloading the world from the store");
        self.replica.drop_replies();
        let Some(snapshot) = self.snapshot().await else { return Err(StopReason::Ended) };
        let Sharing { store, scenarios, .. } = &self.replica.sharing;
        if let Some(scenario) = scenarios.remembered(&snapshot.scenario) {
            // If the log is lost, the scenario that it refers to is lost too.
            scenarios.put(&scenario).await.map_err(|_| StopReason::Unreachable)?;
        }
        let (mark, text, now) = (self.replica.sharing.mark(), snapshot.into_entry(), self.shared.clock.now());
        let first = self.replica.new_entry(&mark, &text, now, None);
        store.open(&self.shared.name, OpenMode::Either(first)).await.map_err(|_| StopReason::Unreachable)
    }

    /// Returns a snapshot of the world on this server; `None` if the world has ended.
    async fn snapshot(&self) -> Option<WorldSnapshot> {
        let (reply, snapshot) = oneshot::channel();
        self.requests.send(Request::Snapshot(reply)).await.ok()?;
        snapshot.await.ok()?
    }

    /// Installs the world from the log.
    async fn install(&self, opened: &Opened) -> Result<LogPosition, StopReason> {
        let install = InstallSnapshot::read(opened, &self.replica.sharing.scenarios, &self.start)
            .await?
            .map_err(StopReason::Unplayable)?;
        let Some(first) = opened.entries.first().cloned() else {
            return Err(StopReason::Unplayable(ReplicaError::NoBeginning));
        };
        let (start, scenario_ref) = (install.start.clone(), install.scenario_ref.clone());
        self.set_current_scenario(&scenario_ref);
        let position = first.position;
        let mut place = LogPosition { last: first, start, scenario_ref };
        self.pass_on(ArrivedEntry {
            position,
            is_own: false,
            action: LogAction::Install(Box::new(install)),
            reply: None,
        })
        .await?;
        self.deliver(opened.entries[1..].to_vec(), &mut place).await?;
        let (at, age, is_led) = (opened.at, opened.age, opened.is_led);
        let catch_up = move |state: &mut WorldState| {
            // Without a leader, time has not advanced as long as work was scheduled.
            let was_stopped = !is_led && state.engine.next_due().is_some();
            let since = if was_stopped { Duration::ZERO } else { age.mul_f64(state.shared.clock.pace().speed) };
            set_clock_forward(state, at.saturating_add(since));
        };
        self.requests.send(Request::Do(Box::new(catch_up))).await.map_err(|_| StopReason::Ended)?;
        Ok(place)
    }

    async fn deliver(&self, entries: Vec<StoredEntry>, place: &mut LogPosition) -> Result<(), StopReason> {
        for entry in entries {
            let action =
                match serde_json::from_str(&entry.text).map_err(ReplicaError::from).map_err(StopReason::Unplayable)? {
                    LogEntry::Begin(_) => LogAction::Nothing,
                    LogEntry::Do { at, command } => LogAction::Command { at, command: Box::new(command) },
                    LogEntry::Open { at, opening } => LogAction::Open { at, opening: Box::new(opening) },
                    LogEntry::Close { at, server, members } => LogAction::Close { at, server, members },
                    LogEntry::Gone { at, server } => LogAction::Gone { at, server },
                    LogEntry::Clock { at, change } => LogAction::Clock { at, change },
                    LogEntry::Time { to, most } => LogAction::Time { to, most },
                    LogEntry::Reload { scenario, seed } => self.prepare(ScenarioRef { scenario, seed }, place).await?,
                    LogEntry::End => {
                        debug!(world = %self.shared.name, "world removed by another server");
                        self.shared.end.cancel();
                        return Err(StopReason::Ended);
                    }
                };
            let (is_own, reply) = (self.replica.is_own(&entry.mark), self.replica.take_reply(&entry.mark));
            self.pass_on(ArrivedEntry { position: entry.position, is_own, action, reply }).await?;
            place.last = entry;
        }
        Ok(())
    }

    async fn pass_on(&self, arrived: ArrivedEntry) -> Result<(), StopReason> {
        self.requests.send(Request::Entry(Box::new(arrived))).await.map_err(|_| StopReason::Ended)
    }

    /// Returns the switch to the next scenario, or nothing to do if the world runs it already.
    async fn prepare(&self, next: ScenarioRef, place: &mut LogPosition) -> Result<LogAction, StopReason> {
        if next == place.scenario_ref {
            return Ok(LogAction::Nothing);
        }
        let scenario = self.scenario(&next.scenario).await?;
        let (old, seed) = (place.start.clone(), next.seed);
        // Takes as long as a reload without a store; see `Worlds::reload`.
        let reload =
            spawn_blocking(move || WorldReload::new(old, &scenario, seed)).await.map_err(|_| StopReason::Ended)?;
        (place.start, place.scenario_ref) = (reload.start(), next);
        self.set_current_scenario(&place.scenario_ref);
        Ok(LogAction::Reload { to: Arc::new(reload), scenario_ref: place.scenario_ref.clone() })
    }

    /// Returns the scenario with this fingerprint, waiting for the store as long as it takes.
    async fn scenario(&self, fingerprint: &str) -> Result<Arc<Scenario>, StopReason> {
        loop {
            if let Ok(scenario) = self.replica.sharing.scenarios.get(fingerprint).await {
                return scenario.map_err(StopReason::Unplayable);
            }
            self.replica.drop_replies();
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    fn set_current_scenario(&self, scenario_ref: &ScenarioRef) {
        if self.is_default {
            self.replica.sharing.scenarios.set_current(&scenario_ref.scenario, scenario_ref.seed);
        }
    }
}
