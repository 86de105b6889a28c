//! The worlds of a server: the default one, and one for each name that tests use.
//!
//! All play the same scenario, each for itself. A world is made when it is first used or asked for, from an engine that
//! stands at the scenario's start: a clone of it shares everything that does not change. One that nobody uses for a
//! while is removed.

mod error;
#[cfg_attr(not(feature = "redis"), path = "worlds/unshared.rs")]
pub(crate) mod shared;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

pub use error::WorldsError;
use shared::Peers;

use crate::engine::{Change, Engine, Reload};
use crate::scenario::{FoundFile, Scenario};
use crate::world::{
    DEFAULT_BACKLOG, DEFAULT_ENTRIES, KeepAlive, Pace, Setup, World, WorldError, WorldReload, WorldStart,
};

/// The name of the world that paths without a world's prefix belong to.
pub const DEFAULT_WORLD: &str = "default";

/// The most characters of a world's name.
pub const MAX_NAME: usize = 64;

/// How long the default world is away after it has failed.
const PAUSE_AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// What all worlds of a server have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorldOptions {
    /// How their clocks go, unless said otherwise of one.
    pub pace: Pace,
    /// The most entries of each journal; see [`Setup::journal`].
    pub journal: usize,
    /// Frames that a socket may be behind; see [`Setup::backlog`].
    pub backlog: usize,
    /// How long a named world may be unused before it is removed.
    pub idle: Duration,
    /// The most named worlds at a time.
    pub most: usize,
}

impl Default for WorldOptions {
    fn default() -> Self {
        let idle = Duration::from_mins(10);
        Self { pace: Pace::default(), journal: DEFAULT_ENTRIES, backlog: DEFAULT_BACKLOG, idle, most: 10_000 }
    }
}

impl WorldOptions {
    /// How a world starts of which nothing is said.
    fn setup(&self) -> Setup {
        let Self { pace, journal, backlog, .. } = *self;
        Setup { pace, journal, backlog, ..Setup::default() }
    }
}

/// The worlds of a server. A clone is the same.
#[derive(Debug, Clone)]
pub struct Worlds(Arc<WorldsInner>);

#[derive(Debug)]
struct WorldsInner {
    default: RwLock<World>,
    options: WorldOptions,
    /// How a world starts of which nothing is said; what all of them share is in it.
    setup: Setup,
    state: Mutex<NamedWorlds>,
    /// The other servers that play them, if they are shared.
    peers: Option<Peers>,
    /// Held while the scenario is reloaded, and while the default world restarts.
    reloading: tokio::sync::Mutex<()>,
    /// Notified when the first world is made.
    made: Notify,
    tasks: TaskTracker,
    end: CancellationToken,
}

#[derive(Debug)]
struct NamedWorlds {
    /// The scenario's start, of which worlds are made.
    start: WorldStart,
    named: BTreeMap<Arc<str>, World>,
}

impl Worlds {
    /// The default world of a scenario, and no other yet. Worlds run as tasks of the tracker until the end.
    #[must_use]
    pub fn start(
        scenario: &Arc<Scenario>,
        seed: u64,
        options: WorldOptions,
        tasks: &TaskTracker,
        end: CancellationToken,
    ) -> Self {
        let (start, setup) = (WorldStart::from(Engine::new(scenario, seed)), options.setup());
        let default = World::start(DEFAULT_WORLD.into(), start.clone(), &setup, end.child_token(), tasks);
        Self::with(default, start, (options, setup), None, tasks, end)
    }

    fn with(
        default: World,
        start: WorldStart,
        (options, setup): (WorldOptions, Setup),
        peers: Option<Peers>,
        tasks: &TaskTracker,
        end: CancellationToken,
    ) -> Self {
        let default = RwLock::new(default);
        let state = Mutex::new(NamedWorlds { start, named: BTreeMap::new() });
        let worlds = Self(Arc::new(WorldsInner {
            default,
            options,
            setup,
            state,
            peers,
            reloading: tokio::sync::Mutex::new(()),
            made: Notify::new(),
            tasks: tasks.clone(),
            end: end.clone(),
        }));
        let sweeper = worlds.clone();
        let (keeper, ending) = (worlds.clone(), end.clone());
        tasks.spawn(async move { ending.run_until_cancelled(keeper.keep_default()).await });
        tasks.spawn(async move { end.run_until_cancelled(sweeper.sweep()).await });
        worlds
    }

    /// The world that paths without a world's prefix belong to.
    #[must_use]
    pub fn default_world(&self) -> World {
        self.0.default.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The world of that name.
    ///
    /// # Errors
    /// [`WorldsError`] if there is none, or it is no name.
    pub fn get(&self, name: &str) -> Result<World, WorldsError> {
        if name == DEFAULT_WORLD {
            return Ok(self.default_world());
        }
        check_name(name)?;
        let worlds = self.lock();
        let there = worlds.named.get(name).filter(|world| !world.is_ended());
        let world = there.ok_or_else(|| WorldsError::Unknown(name.to_owned()))?;
        world.touch();
        Ok(world.clone())
    }

    /// The world of that name, which is made if there is none.
    ///
    /// # Errors
    /// [`WorldsError`] if it is no name, or there are too many worlds.
    pub fn get_or_make(&self, name: &str) -> Result<World, WorldsError> {
        match self.get(name) {
            Err(WorldsError::Unknown(_)) if self.0.peers.is_none() => match self.make(name, &self.setup()) {
                // Another request was first.
                Err(WorldsError::Exists(_)) => self.get(name),
                made => made,
            },
            found => found,
        }
    }

    /// How a world starts of which nothing is said.
    #[must_use]
    pub fn setup(&self) -> Setup {
        self.0.setup.clone()
    }

    /// Which connections of the server may be kept alive.
    #[must_use]
    pub fn keep_alive(&self) -> &KeepAlive {
        &self.0.setup.keep_alive
    }

    /// Makes a world.
    ///
    /// # Errors
    /// [`WorldsError`] if it is no name, or that of another world, or there are too many worlds.
    pub fn make(&self, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        check_name(name)?;
        let name: Arc<str> = name.into();
        let mut state = self.lock();
        if *name == *DEFAULT_WORLD || state.named.get(&name).is_some_and(|world| !world.is_ended()) {
            return Err(WorldsError::Exists(name));
        }
        if state.named.len() >= self.0.options.most {
            return Err(WorldsError::TooMany(state.named.len()));
        }
        let world = World::start(name.clone(), state.start.clone(), setup, self.0.end.child_token(), &self.0.tasks);
        state.named.insert(name.clone(), world.clone());
        drop(state);
        debug!(world = %name, "world made");
        self.0.made.notify_one();
        Ok(world)
    }

    /// Removes a world, on all servers that play it; its sockets are closed.
    ///
    /// # Errors
    /// [`WorldsError`] if there is none, or it is the default one.
    pub async fn remove(&self, name: &str) -> Result<(), WorldsError> {
        if name == DEFAULT_WORLD {
            return Err(WorldsError::Default);
        }
        check_name(name)?;
        if let Some(peers) = &self.0.peers {
            peers.end(self, name).await?;
        }
        let removed = self.lock().named.remove(name).ok_or_else(|| WorldsError::Unknown(name.to_owned()))?;
        removed.end();
        debug!(world = %name, "world removed");
        Ok(())
    }

    /// The default world, then the others by name.
    #[must_use]
    pub fn all(&self) -> Vec<World> {
        let default = self.default_world();
        std::iter::once(default).chain(self.lock().named.values().cloned()).collect()
    }

    /// What is served, or is to be from now on, was made of these files: servers that share worlds tell each other.
    pub fn made_of(&self, files: &[FoundFile]) {
        if let Some(peers) = &self.0.peers {
            peers.made_of(files);
        }
    }

    /// Why the store that worlds are shared by cannot be reached, if that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.peers.as_ref().and_then(Peers::trouble)
    }

    /// Whether another scenario lacks something that is declared in the one that is served.
    pub async fn would_remove(&self, scenario: &Arc<Scenario>) -> bool {
        let (start, new) = (self.lock().start.clone(), scenario.clone());
        let removes = move || start.engine.changes(&new, start.engine.seed()).iter().any(Change::is_removal);
        // It fails only at the end of the runtime.
        spawn_blocking(removes).await.unwrap_or(false)
    }

    /// Goes on with another scenario in all worlds, and gives what that changed in the default one. Should that one have failed
    /// just now, it starts from the new scenario.
    ///
    /// # Errors
    /// [`WorldError::Ended`] if the server is ending, or [`WorldError::Defect`]; nothing has changed then. Where the worlds are
    /// shared, also that of the store; the reload may still happen then.
    pub async fn reload(&self, scenario: &Arc<Scenario>, seed: u64) -> Result<Reload, WorldError> {
        if let Some(peers) = &self.0.peers {
            return peers.publish(self, scenario, seed).await;
        }
        let _one_at_a_time = self.0.reloading.lock().await;
        let old = self.lock().start.clone();
        let (before, new) = (old.clone(), scenario.clone());
        let reload = move || Arc::new(WorldReload::new(before, &new, seed));
        // The runtime's threads are for requests, which would wait for as long as this takes: 0.1 s for 100,000 rows.
        let to = spawn_blocking(reload).await.map_err(|failure| failed(&failure))?;
        // The default world comes first: where it fails, no other world has changed yet.
        let reload = match self.default_world().reload(to.clone()).await {
            Err(WorldError::Ended) if !self.0.end.is_cancelled() => {
                let (before, new) = (old.clone(), scenario.clone());
                let changes = spawn_blocking(move || before.engine.changes(&new, seed)).await;
                Reload { changes: changes.map_err(|failure| failed(&failure))?, events: Vec::new() }
            }
            outcome => outcome?,
        };
        // Under one lock: a world is either among the others, or is made from the new scenario.
        let others: Vec<World> = {
            let mut state = self.lock();
            state.start = to.start();
            state.named.values().cloned().collect()
        };
        // A world that has ended meanwhile needs nothing, and one that fails says so in the log.
        join_all(others.iter().map(|world| world.reload(to.clone()))).await;
        // Dropping the old rows takes a while too. The reader of a large scenario gives their memory back, so this waits.
        let _ = spawn_blocking(move || drop((old, to))).await;
        Ok(reload)
    }

    /// As [`Worlds::get`], also if only other servers play it by now; as [`Worlds::get_or_make`] if it may be made.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub async fn find(&self, name: &str, may_make: bool) -> Result<World, WorldsError> {
        match (self.get(name), &self.0.peers) {
            (Err(WorldsError::Unknown(_)), Some(peers)) => peers.find(self, name, may_make).await,
            (Err(WorldsError::Unknown(_)), None) if may_make => self.get_or_make(name),
            (found, _) => found,
        }
    }

    /// As [`Worlds::make`], on all servers that play the worlds.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub async fn create(&self, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        match &self.0.peers {
            Some(peers) => peers.make(self, name, setup).await,
            None => self.make(name, setup),
        }
    }

    /// Joins the worlds that other servers play and that nobody has asked for here yet.
    ///
    /// # Errors
    /// [`WorldsError`] if the store cannot be reached, or a world of it cannot be joined.
    pub async fn join_all(&self) -> Result<(), WorldsError> {
        match &self.0.peers {
            Some(peers) => peers.join_all(self).await,
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, NamedWorlds> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work in the background ends early if it panics, or with the runtime.
fn failed(failure: &JoinError) -> WorldError {
    if failure.is_panic() { WorldError::Defect } else { WorldError::Ended }
}

fn check_name(name: &str) -> Result<(), WorldsError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
    let fits = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_allowed) && name != "." && name != "..";
    if fits { Ok(()) } else { Err(WorldsError::BadName(name.to_owned())) }
}
