//! The worlds of a server: the default world, and one for each name that tests use.
//!
//! All worlds run the same scenario, independently of each other. A world is created on first use, as a clone of an
//! engine at the scenario's start; clones share whatever none of them has changed. A world that has not been used for a
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

/// The name of the world that serves paths without a world prefix.
pub const DEFAULT_WORLD: &str = "default";

/// The maximum length of a world's name.
pub const MAX_NAME: usize = 64;

/// How long the default world stays down after it has failed.
const RESTART_DELAY: Duration = Duration::from_millis(100);

/// Options that all worlds of a server share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorldOptions {
    /// The pace of their clocks, unless a world is created with its own.
    pub pace: Pace,
    /// The maximum number of entries in each journal; see [`Setup::journal`].
    pub journal: usize,
    /// Frames that a socket may lag behind; see [`Setup::backlog`].
    pub backlog: usize,
    /// How long a named world may be unused before it is removed.
    pub idle: Duration,
    /// The maximum number of named worlds at a time.
    pub max_named: usize,
}

impl Default for WorldOptions {
    fn default() -> Self {
        let idle = Duration::from_mins(10);
        Self { pace: Pace::default(), journal: DEFAULT_ENTRIES, backlog: DEFAULT_BACKLOG, idle, max_named: 10_000 }
    }
}

impl WorldOptions {
    /// Returns the setup of a world that is created without options of its own.
    fn setup(&self) -> Setup {
        let Self { pace, journal, backlog, .. } = *self;
        Setup { pace, journal, backlog, ..Setup::default() }
    }
}

/// The worlds of a server. Clones share them.
#[derive(Debug, Clone)]
pub struct Worlds(Arc<WorldsInner>);

#[derive(Debug)]
struct WorldsInner {
    default: RwLock<World>,
    options: WorldOptions,
    /// The setup of a world that is created without options of its own. It includes the state that all worlds share.
    setup: Setup,
    state: Mutex<NamedWorlds>,
    /// The other servers that run the worlds; `None` if the worlds are not shared.
    peers: Option<Peers>,
    /// Held during a reload of the scenario and while the default world restarts, so that neither misses the other.
    reloading: tokio::sync::Mutex<()>,
    /// Notified when a named world is created.
    created: Notify,
    tasks: TaskTracker,
    end: CancellationToken,
}

#[derive(Debug)]
struct NamedWorlds {
    /// The start that new worlds are created from.
    start: WorldStart,
    named: BTreeMap<Arc<str>, World>,
}

impl Worlds {
    /// Starts the default world of a scenario. Worlds run as tasks of the tracker until `end` is cancelled.
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
        Self::around(default, start, (options, setup), None, tasks, end)
    }

    /// Creates the worlds around a default world that has started, and starts the tasks that keep them up.
    fn around(
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
            created: Notify::new(),
            tasks: tasks.clone(),
            end: end.clone(),
        }));
        let (keeper, keeper_end) = (worlds.clone(), end.clone());
        tasks.spawn(async move { keeper_end.run_until_cancelled(keeper.keep_default()).await });
        let sweeper = worlds.clone();
        tasks.spawn(async move { end.run_until_cancelled(sweeper.sweep()).await });
        worlds
    }

    /// Returns the world that serves paths without a world prefix.
    #[must_use]
    pub fn default_world(&self) -> World {
        self.0.default.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the world with this name if this server runs it. This counts as a use of the world.
    ///
    /// # Errors
    /// [`WorldsError::Unknown`] or [`WorldsError::BadName`].
    pub fn get(&self, name: &str) -> Result<World, WorldsError> {
        if name == DEFAULT_WORLD {
            return Ok(self.default_world());
        }
        check_name(name)?;
        let worlds = self.lock();
        let found = worlds.named.get(name).filter(|world| !world.is_ended());
        let world = found.ok_or_else(|| WorldsError::Unknown(name.to_owned()))?;
        world.touch();
        Ok(world.clone())
    }

    /// Like [`Worlds::get`], but creates the world if it does not exist. If the worlds are shared, use
    /// [`Worlds::find`]: this method does not create any then.
    ///
    /// # Errors
    /// [`WorldsError::BadName`] or [`WorldsError::TooMany`]; [`WorldsError::Unknown`] if the worlds are shared.
    pub fn get_or_create(&self, name: &str) -> Result<World, WorldsError> {
        match self.get(name) {
            Err(WorldsError::Unknown(_)) if self.0.peers.is_none() => match self.create_local(name, &self.setup()) {
                // Another request has created it in the meantime.
                Err(WorldsError::Exists(_)) => self.get(name),
                created => created,
            },
            found => found,
        }
    }

    /// Returns the setup of a world that is created without options of its own.
    #[must_use]
    pub fn setup(&self) -> Setup {
        self.0.setup.clone()
    }

    /// Returns the switch that decides whether connections are kept alive.
    #[must_use]
    pub fn keep_alive(&self) -> &KeepAlive {
        &self.0.setup.keep_alive
    }

    /// Creates a world on this server only. See [`Worlds::create`] for worlds that may be shared.
    ///
    /// # Errors
    /// [`WorldsError::BadName`], [`WorldsError::Exists`] or [`WorldsError::TooMany`].
    pub fn create_local(&self, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        check_name(name)?;
        let name: Arc<str> = name.into();
        let mut state = self.lock();
        if *name == *DEFAULT_WORLD || state.named.get(&name).is_some_and(|world| !world.is_ended()) {
            return Err(WorldsError::Exists(name));
        }
        if state.named.len() >= self.0.options.max_named {
            return Err(WorldsError::TooMany(state.named.len()));
        }
        let world = World::start(name.clone(), state.start.clone(), setup, self.0.end.child_token(), &self.0.tasks);
        state.named.insert(name.clone(), world.clone());
        drop(state);
        debug!(world = %name, "world created");
        self.0.created.notify_one();
        Ok(world)
    }

    /// Removes a world and closes its sockets, on all servers that run it.
    ///
    /// # Errors
    /// [`WorldsError::Default`], [`WorldsError::BadName`], [`WorldsError::Unknown`], or an error of the store.
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

    /// Returns all worlds of this server: the default world, then the others by name.
    #[must_use]
    pub fn all(&self) -> Vec<World> {
        let default = self.default_world();
        std::iter::once(default).chain(self.lock().named.values().cloned()).collect()
    }

    /// Records the files that the current or next scenario was made from, for the other servers that share the worlds.
    pub fn set_source_files(&self, files: &[FoundFile]) {
        if let Some(peers) = &self.0.peers {
            peers.set_source_files(files);
        }
    }

    /// Returns why the store of shared worlds cannot be reached; `None` if it can, or if there is no store.
    #[must_use]
    pub fn store_error(&self) -> Option<String> {
        self.0.peers.as_ref().and_then(Peers::unreachable_reason)
    }

    /// Returns whether a reload of this scenario would remove something that the current one declares.
    pub async fn would_remove(&self, scenario: &Arc<Scenario>) -> bool {
        let (start, new) = (self.lock().start.clone(), scenario.clone());
        let removes = move || start.engine.changes(&new, start.engine.seed()).iter().any(Change::is_removal);
        // The task fails only when the runtime shuts down.
        spawn_blocking(removes).await.unwrap_or(false)
    }

    /// Switches all worlds to another scenario, and returns the changes in the default world. A default world that has
    /// just failed restarts from the new scenario.
    ///
    /// # Errors
    /// [`WorldError::Ended`] if the server is shutting down, or [`WorldError::Defect`]; in both cases, nothing has
    /// changed. If the worlds are shared, also an error of the store, after which the reload may still happen.
    pub async fn reload(&self, scenario: &Arc<Scenario>, seed: u64) -> Result<Reload, WorldError> {
        if let Some(peers) = &self.0.peers {
            return peers.publish(self, scenario, seed).await;
        }
        let _one_at_a_time = self.0.reloading.lock().await;
        let old = self.lock().start.clone();
        let (before, new) = (old.clone(), scenario.clone());
        let prepare = move || Arc::new(WorldReload::new(before, &new, seed));
        // Keep this off the runtime's threads, which serve requests: it takes 0.1 s for 100,000 rows.
        let prepared = spawn_blocking(prepare).await.map_err(|failure| failed(&failure))?;
        // The default world comes first: if it fails, no other world has changed yet.
        let reload = match self.default_world().reload(prepared.clone()).await {
            // It has failed, and restarts from the start set below.
            Err(WorldError::Ended) if !self.0.end.is_cancelled() => {
                let (before, new) = (old.clone(), scenario.clone());
                let changes = spawn_blocking(move || before.engine.changes(&new, seed)).await;
                Reload { changes: changes.map_err(|failure| failed(&failure))?, events: Vec::new() }
            }
            outcome => outcome?,
        };
        // Under one lock, so that each world is either listed here or created from the new scenario.
        let others: Vec<World> = {
            let mut state = self.lock();
            state.start = prepared.start();
            state.named.values().cloned().collect()
        };
        // A world that has ended meanwhile needs no reload, and one that fails logs the failure.
        join_all(others.iter().map(|world| world.reload(prepared.clone()))).await;
        // Dropping the old rows of a large scenario takes a while. Waited for, so that quick reloads do not pile them
        // up.
        let _ = spawn_blocking(move || drop((old, prepared))).await;
        Ok(reload)
    }

    /// Like [`Worlds::get`], but also finds worlds that so far only other servers run, by joining them. Creates a world
    /// that does not exist if `may_create` is set.
    ///
    /// # Errors
    /// Those of [`Worlds::get`] and, if `may_create` is set, of [`Worlds::create`].
    pub async fn find(&self, name: &str, may_create: bool) -> Result<World, WorldsError> {
        match (self.get(name), &self.0.peers) {
            (Err(WorldsError::Unknown(_)), Some(peers)) => peers.find(self, name, may_create).await,
            (Err(WorldsError::Unknown(_)), None) if may_create => self.get_or_create(name),
            (found, _) => found,
        }
    }

    /// Creates a world on all servers that share the worlds.
    ///
    /// # Errors
    /// Those of [`Worlds::create_local`], or an error of the store.
    pub async fn create(&self, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        match &self.0.peers {
            Some(peers) => peers.create(self, name, setup).await,
            None => self.create_local(name, setup),
        }
    }

    /// Joins the worlds that other servers run and that have not been requested here yet.
    ///
    /// # Errors
    /// [`WorldsError`] if the store cannot be reached, or one of its worlds cannot be joined.
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

/// Converts the failure of a blocking task, which ends early only if it panics or the runtime shuts down.
fn failed(failure: &JoinError) -> WorldError {
    if failure.is_panic() { WorldError::Defect } else { WorldError::Ended }
}

fn check_name(name: &str) -> Result<(), WorldsError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
    let fits = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_allowed) && name != "." && name != "..";
    if fits { Ok(()) } else { Err(WorldsError::BadName(name.to_owned())) }
}
