//! The way from a world's log to its task.

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
    Arrived, InstallSnapshot, LogAction, LogEntry, Replica, ReplicaError, ScenarioRef, Sharing, WorldSnapshot,
    set_clock_forward,
};
use crate::world::shared_state::Shared;
use crate::world::state::WorldState;
use crate::world::task::Request;
use crate::world::{WorldReload, WorldStart};

/// How long to wait before the log is asked again after it could not be reached.
const PAUSE: Duration = Duration::from_millis(50);

/// Why there is nothing more to listen to.
enum Over {
    /// The world has ended, everywhere or here.
    Ended,
    /// What is in the log cannot be played.
    Unplayable(ReplicaError),
    /// The log cannot be reached at the moment.
    Gone,
    /// The log does not go on from where this world is.
    Gap,
}

impl From<StoreError> for Over {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Gap(_) | StoreError::Missing => Self::Gap,
            _ => Self::Gone,
        }
    }
}

/// Whoever listens for a world.
pub(super) struct Listener {
    pub(super) replica: Arc<Replica>,
    pub(super) shared: Arc<Shared>,
    pub(super) requests: mpsc::Sender<Request>,
    /// The start of the scenario that this server has played last.
    pub(super) start: WorldStart,
    /// Whether other worlds go on with this one's scenarios.
    pub(super) is_default: bool,
}

/// Where a listener is in the log.
struct LogPlace {
    last: StoredEntry,
    /// The scenario's start, with the seed that is not the world's own.
    start: WorldStart,
    scenario_ref: ScenarioRef,
}

impl Listener {
    /// Hands the log's entries to the task until the world ends. Tells when everything that was in the log at first has been
    /// handed over.
    pub(super) async fn listen(self, opened: Opened, joined: oneshot::Sender<u64>, end: CancellationToken) {
        // However it ends, the world cannot go on without.
        let _ended = end.clone().drop_guard();
        let over = end.run_until_cancelled(self.listen_for_ever(opened, joined)).await;
        if let Some(error) = over {
            error!(world = %self.shared.name, "the log of a shared world cannot be played: {error}");
        }
        self.replica.drop_replies();
    }

    async fn listen_for_ever(&self, opened: Opened, joined: oneshot::Sender<u64>) -> ReplicaError {
        let (mut opened, mut joined) = (opened, Some(joined));
        loop {
            let mut over = match self.install(&opened).await {
                Ok(mut place) => {
                    if let Some(joined) = joined.take() {
                        // Whoever waits for the world may be gone.
                        let _ = joined.send(place.last.position);
                    }
                    self.follow(&mut place).await
                }
                // There is nothing yet that could go on.
                Err(Over::Gone) if joined.is_some() => return ReplicaError::Lost,
                Err(over) => over,
            };
            loop {
                match over {
                    Over::Ended => return std::future::pending().await,
                    Over::Unplayable(error) => return error,
                    Over::Gone => {
                        tokio::time::sleep(PAUSE).await;
                        over = Over::Gap;
                    }
                    Over::Gap => match self.reopen().await {
                        Ok(again) => {
                            opened = again;
                            break;
                        }
                        Err(other) => over = other,
                    },
                }
            }
        }
    }

    /// Follows the log from a place on for as long as it goes on from there.
    async fn follow(&self, place: &mut LogPlace) -> Over {
        loop {
            let mut entries = self.replica.sharing.store.follow(&self.shared.name, &place.last);
            while let Some(read) = entries.next().await {
                let over = match read {
                    Ok(read) => self.deliver(read, place).await.err(),
                    Err(error) => Some(error.into()),
                };
                match over {
                    None => {}
                    Some(Over::Gone) => {
                        self.replica.drop_replies();
                        break;
                    }
                    Some(over) => return over,
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The log as it is now. If it is lost, this server begins it anew with what it knows.
    async fn reopen(&self) -> Result<Opened, Over> {
        warn!(world = %self.shared.name, "the log does not go on from here; the world is taken over as it is in the store");
        self.replica.drop_replies();
        let Some(snapshot) = self.snapshot().await else { return Err(Over::Ended) };
        let Sharing { store, scenarios, .. } = &self.replica.sharing;
        if let Some(scenario) = scenarios.known(&snapshot.scenario) {
            // Where the log is lost, so is what it speaks of.
            scenarios.put(&scenario).await.map_err(|_| Over::Gone)?;
        }
        let (mark, text, now) = (self.replica.sharing.mark(), snapshot.into_entry(), self.shared.clock.now());
        let first = self.replica.new_entry(&mark, &text, now, None);
        store.open(&self.shared.name, OpenMode::Either(first)).await.map_err(|_| Over::Gone)
    }

    /// The world as it is here; `None` if it has ended.
    async fn snapshot(&self) -> Option<WorldSnapshot> {
        let (reply, snapshot) = oneshot::channel();
        self.requests.send(Request::Snapshot(reply)).await.ok()?;
        snapshot.await.ok()?
    }

    /// Takes the world over as it is in the log.
    async fn install(&self, opened: &Opened) -> Result<LogPlace, Over> {
        let install = InstallSnapshot::read(opened, &self.replica.sharing.scenarios, &self.start)
            .await?
            .map_err(Over::Unplayable)?;
        let Some(first) = opened.entries.first().cloned() else {
            return Err(Over::Unplayable(ReplicaError::NoBeginning));
        };
        let (start, scenario_ref) = (install.start.clone(), install.scenario_ref.clone());
        self.plays(&scenario_ref);
        let position = first.position;
        let mut place = LogPlace { last: first, start, scenario_ref };
        self.hand_over(Arrived { position, is_own: false, action: LogAction::Install(Box::new(install)), reply: None })
            .await?;
        self.deliver(opened.entries[1..].to_vec(), &mut place).await?;
        let (at, age, is_led) = (opened.at, opened.age, opened.is_led);
        let catch_up = move |state: &mut WorldState| {
            // Where nobody leads, time has stood still for what happens by itself.
            let stands = !is_led && state.engine.next_due().is_some();
            let since = if stands { Duration::ZERO } else { age.mul_f64(state.shared.clock.pace().speed) };
            set_clock_forward(state, at.saturating_add(since));
        };
        self.requests.send(Request::Do(Box::new(catch_up))).await.map_err(|_| Over::Ended)?;
        Ok(place)
    }

    async fn deliver(&self, entries: Vec<StoredEntry>, place: &mut LogPlace) -> Result<(), Over> {
        for entry in entries {
            let action =
                match serde_json::from_str(&entry.text).map_err(ReplicaError::from).map_err(Over::Unplayable)? {
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
                        return Err(Over::Ended);
                    }
                };
            let (is_own, reply) = (self.replica.is_own(&entry.mark), self.replica.take_reply(&entry.mark));
            self.hand_over(Arrived { position: entry.position, is_own, action, reply }).await?;
            place.last = entry;
        }
        Ok(())
    }

    async fn hand_over(&self, arrived: Arrived) -> Result<(), Over> {
        self.requests.send(Request::Entry(Box::new(arrived))).await.map_err(|_| Over::Ended)
    }

    /// The way to the next scenario; nothing if it is played already.
    async fn prepare(&self, next: ScenarioRef, place: &mut LogPlace) -> Result<LogAction, Over> {
        if next == place.scenario_ref {
            return Ok(LogAction::Nothing);
        }
        let scenario = self.scenario(&next.scenario).await?;
        let (old, seed) = (place.start.clone(), next.seed);
        // As long as for a reload without a store; see `Worlds::reload`.
        let reload = spawn_blocking(move || WorldReload::new(old, &scenario, seed)).await.map_err(|_| Over::Ended)?;
        (place.start, place.scenario_ref) = (reload.start(), next);
        self.plays(&place.scenario_ref);
        Ok(LogAction::Reload { to: Arc::new(reload), scenario_ref: place.scenario_ref.clone() })
    }

    /// The scenario of that fingerprint, however long the store takes.
    async fn scenario(&self, fingerprint: &str) -> Result<Arc<Scenario>, Over> {
        loop {
            if let Ok(scenario) = self.replica.sharing.scenarios.get(fingerprint).await {
                return scenario.map_err(Over::Unplayable);
            }
            self.replica.drop_replies();
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn plays(&self, scenario_ref: &ScenarioRef) {
        if self.is_default {
            self.replica.sharing.scenarios.plays(&scenario_ref.scenario, scenario_ref.seed);
        }
    }
}
