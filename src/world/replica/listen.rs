//! The way from a world's log to its task.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::entry::LogEntry;
use super::{Adopted, Arrived, Birth, Deed, Origin, Replica, Sharing, StateError};
use crate::background;
use crate::engine::{Engine, Succession};
use crate::scenario::Scenario;
use crate::store::{Entry, Opened, Opening, StoreError};
use crate::world::Shared;
use crate::world::play::Play;
use crate::world::task::Command;

/// How long to wait before the log is asked again after it could not be reached.
const PAUSE: Duration = Duration::from_millis(50);

/// Why there is nothing more to listen to.
enum Over {
    /// The world has ended, everywhere or here.
    Ended,
    /// What is in the log cannot be played.
    Unplayable(StateError),
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
pub(in crate::world) struct Listener {
    pub(in crate::world) replica: Arc<Replica>,
    pub(in crate::world) shared: Arc<Shared>,
    pub(in crate::world) commands: mpsc::Sender<Command>,
    /// An engine at the start of the scenario that this server has played last.
    pub(in crate::world) start: Engine,
    /// Whether other worlds go on with this one's scenarios.
    pub(in crate::world) is_default: bool,
}

/// Where a listener is in the log.
struct Place {
    last: Entry,
    /// The scenario's start, with the seed that is not the world's own.
    start: Engine,
    origin: Origin,
}

impl Listener {
    /// Hands the log's entries to the task until the world ends. Tells when everything that was in the log at first has been
    /// handed over.
    pub(in crate::world) async fn listen(self, opened: Opened, joined: oneshot::Sender<u64>, end: CancellationToken) {
        // However it ends, the world cannot go on without.
        let _ended = end.clone().drop_guard();
        let over = end.run_until_cancelled(self.listen_for_ever(opened, joined)).await;
        if let Some(error) = over {
            error!(world = %self.shared.name, "the log of a shared world cannot be played: {error}");
        }
        self.replica.drop_replies();
    }

    async fn listen_for_ever(&self, opened: Opened, joined: oneshot::Sender<u64>) -> StateError {
        let (mut opened, mut joined) = (opened, Some(joined));
        loop {
            let mut over = match self.adopt(&opened).await {
                Ok(mut place) => {
                    if let Some(joined) = joined.take() {
                        // Whoever waits for the world may be gone.
                        let _ = joined.send(place.last.position);
                    }
                    self.follow(&mut place).await
                }
                // There is nothing yet that could go on.
                Err(Over::Gone) if joined.is_some() => return StateError::Lost,
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
    async fn follow(&self, place: &mut Place) -> Over {
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
        let Some(birth) = self.written().await else { return Err(Over::Ended) };
        let Sharing { store, scenarios, .. } = &self.replica.sharing;
        if let Some(scenario) = scenarios.known(&birth.scenario) {
            // Where the log is lost, so is what it speaks of.
            scenarios.put(&scenario).await.map_err(|_| Over::Gone)?;
        }
        let (mark, text, now) = (self.replica.sharing.mark(), birth.into_entry(), self.shared.clock.now());
        let first = self.replica.new_entry(&mark, &text, now, None);
        store.open(&self.shared.name, Opening::Either(first)).await.map_err(|_| Over::Gone)
    }

    async fn written(&self) -> Option<Birth> {
        let (reply, written) = oneshot::channel();
        let write = move |play: &mut Play| drop(reply.send(play.written()));
        self.commands.send(Command::Do(Box::new(write))).await.ok()?;
        written.await.ok()?
    }

    /// Takes the world over as it is in the log.
    async fn adopt(&self, opened: &Opened) -> Result<Place, Over> {
        let adopted =
            Adopted::read(opened, &self.replica.sharing.scenarios, &self.start).await?.map_err(Over::Unplayable)?;
        let Some(first) = opened.entries.first().cloned() else {
            return Err(Over::Unplayable(StateError::NoBeginning));
        };
        let (start, origin) = (adopted.start.clone(), adopted.origin.clone());
        self.plays(&origin);
        let position = first.position;
        let mut place = Place { last: first, start, origin };
        self.hand_over(Arrived { position, is_own: false, deed: Deed::Adopt(Box::new(adopted)), reply: None }).await?;
        self.deliver(opened.entries[1..].to_vec(), &mut place).await?;
        let (at, age, is_led) = (opened.at, opened.age, opened.is_led);
        let catch_up = move |play: &mut Play| {
            // Where nobody leads, time has stood still for what happens by itself.
            let stands = !is_led && play.engine.next_due().is_some();
            let since = if stands { Duration::ZERO } else { age.mul_f64(play.shared.clock.pace().speed) };
            play.comes_to(at.saturating_add(since));
        };
        self.commands.send(Command::Do(Box::new(catch_up))).await.map_err(|_| Over::Ended)?;
        Ok(place)
    }

    async fn deliver(&self, entries: Vec<Entry>, place: &mut Place) -> Result<(), Over> {
        for entry in entries {
            let deed = match serde_json::from_str(&entry.text).map_err(StateError::from).map_err(Over::Unplayable)? {
                LogEntry::Born(_) => Deed::Nothing,
                LogEntry::Do { at, operation } => Deed::Carry { at, operation: Box::new(operation) },
                LogEntry::Clock { at, change } => Deed::Clock { at, change },
                LogEntry::Time { to, most } => Deed::Time { to, most },
                LogEntry::Follow { scenario, seed } => self.prepare(Origin { scenario, seed }, place).await?,
                LogEntry::End => {
                    debug!(world = %self.shared.name, "world removed by another server");
                    self.shared.end.cancel();
                    return Err(Over::Ended);
                }
            };
            let (is_own, reply) = (self.replica.is_own(&entry.mark), self.replica.take_reply(&entry.mark));
            self.hand_over(Arrived { position: entry.position, is_own, deed, reply }).await?;
            place.last = entry;
        }
        Ok(())
    }

    async fn hand_over(&self, arrived: Arrived) -> Result<(), Over> {
        self.commands.send(Command::Entry(Box::new(arrived))).await.map_err(|_| Over::Ended)
    }

    /// The way to the next scenario; nothing if it is played already.
    async fn prepare(&self, next: Origin, place: &mut Place) -> Result<Deed, Over> {
        if next == place.origin {
            return Ok(Deed::Nothing);
        }
        let scenario = self.scenario(&next.scenario).await?;
        let (old, seed) = (place.start.clone(), next.seed);
        let succeed = move || {
            let start = Engine::new(&scenario, seed).started_as(&old);
            Succession::new(old, start)
        };
        // As long as for a reload without a store; see `Worlds::replace`.
        let succession = background::spawn(succeed).await.map_err(|_| Over::Ended)?;
        (place.start, place.origin) = (succession.start().clone(), next);
        self.plays(&place.origin);
        Ok(Deed::Follow { succession: Arc::new(succession), origin: place.origin.clone() })
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

    fn plays(&self, origin: &Origin) {
        if self.is_default {
            self.replica.sharing.scenarios.plays(&origin.scenario, origin.seed);
        }
    }
}
