//! The worlds of a server: the default one, and one for each name that tests use.
//!
//! All play the same scenario, each for itself. A world is made when it is first used or asked for, from an engine that
//! stands at the scenario's start: a clone of it shares everything that does not change. One that nobody uses for a
//! while is removed.

mod error;
mod options;
mod shared;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

pub use error::WorldsError;
pub use options::WorldOptions;
pub(crate) use shared::named;

use crate::background;
use crate::engine::{Engine, Reload, Succession};
use crate::scenario::{FoundFile, Scenario};
use crate::world::{Budget, Setup, Sharing, World, WorldError};

/// The name of the world that paths without a world's prefix belong to.
pub const DEFAULT_WORLD: &str = "default";

/// The most characters of a world's name.
pub const MAX_NAME: usize = 64;

/// The worlds of a server. A clone is the same.
#[derive(Debug, Clone)]
pub struct Worlds(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    default: RwLock<World>,
    options: WorldOptions,
    /// What all journals have part in.
    budget: Budget,
    state: Mutex<State>,
    /// What the server needs to play them with others, if it does.
    sharing: Option<Sharing>,
    /// Held while a shared world is joined.
    joining: tokio::sync::Mutex<()>,
    /// Held while the scenario is replaced.
    replacing: tokio::sync::Mutex<()>,
    /// Told when the first world is made.
    made: Notify,
    tasks: TaskTracker,
    end: CancellationToken,
}

#[derive(Debug)]
struct State {
    /// The engine at the scenario's start, of which worlds are made.
    start: Engine,
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
        let (start, budget) = (Engine::new(scenario, seed), Budget::default());
        let setup = options.setup(budget.clone());
        let default = World::start(DEFAULT_WORLD.into(), start.clone(), &setup, end.child_token(), tasks);
        Self::with(default, start, options, budget, None, tasks, end)
    }

    fn with(
        default: World,
        start: Engine,
        options: WorldOptions,
        budget: Budget,
        sharing: Option<Sharing>,
        tasks: &TaskTracker,
        end: CancellationToken,
    ) -> Self {
        let default = RwLock::new(default);
        let state = Mutex::new(State { start, named: BTreeMap::new() });
        let worlds = Self(Arc::new(Inner {
            default,
            options,
            budget,
            state,
            sharing,
            joining: tokio::sync::Mutex::new(()),
            replacing: tokio::sync::Mutex::new(()),
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
            Err(WorldsError::Unknown(_)) if self.0.sharing.is_none() => match self.make(name, &self.setup()) {
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
        self.0.options.setup(self.0.budget.clone())
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
        if self.0.sharing.is_some() {
            self.find(name, false).await?.end_everywhere().await?;
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
        if let Some(sharing) = &self.0.sharing {
            sharing.scenarios.made_of(shared::named(files));
        }
    }

    /// Why the store that worlds are shared by cannot be reached, if that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.sharing.as_ref().and_then(|sharing| sharing.store.trouble())
    }

    /// Goes on with another scenario in all worlds, and says what that changed in the default one.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn replace(&self, scenario: &Arc<Scenario>, seed: u64) -> Result<Reload, WorldError> {
        let _one_at_a_time = self.0.replacing.lock().await;
        if let Some(sharing) = &self.0.sharing {
            return self.publish(scenario, seed, sharing).await;
        }
        let (old, scenario) = (self.lock().start.clone(), scenario.clone());
        let succeed = move || {
            let start = Engine::new(&scenario, seed).started_as(&old);
            Arc::new(Succession::new(old, start))
        };
        // The runtime's threads are for requests, which would wait for as long as this takes: 0.1 s for 100,000 products.
        let succession = background::spawn(succeed).await.map_err(|_| WorldError::Ended)?;
        // Worlds that are made from here on are of the new scenario, all others get it.
        let old = std::mem::replace(&mut self.lock().start, succession.start().clone());
        let others: Vec<World> = self.lock().named.values().cloned().collect();
        let reload = self.default_world().replace(succession.clone()).await;
        // One that has ended meanwhile needs nothing any more.
        join_all(others.iter().map(|world| world.follow(succession.clone()))).await;
        // Nobody has the old products any more, and to let go of them takes a while too.
        background::spawn(move || drop((old, succession)));
        reload
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_name(name: &str) -> Result<(), WorldsError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
    let fits = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_allowed) && name != "." && name != "..";
    if fits { Ok(()) } else { Err(WorldsError::BadName(name.to_owned())) }
}

#[cfg(test)]
mod tests;
