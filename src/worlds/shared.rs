//! Worlds that several servers share.
//!
//! The log in the store is the world: every server that opens the log runs the world. A world created on one server is
//! available on all others when first requested there, and a world removed on one server ends on all.
//!
//! All worlds run the scenario of the default world. A server that joins must have the same scenario. The server that
//! first has a new one publishes it in the log of the default world, and each server passes it on to its other worlds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::{DEFAULT_WORLD, RESTART_DELAY, WorldOptions, Worlds, WorldsError, check_name};
use crate::engine::{Engine, Reload};
use crate::scenario::{FoundFile, Scenario};
use crate::store::{NewEntry, OpenMode, Opened, StoreError};
use crate::world::{JoinOptions, Setup, Sharing, World, WorldError, WorldSnapshot, WorldStart, fingerprint};

/// How long to wait before retrying worlds that could not switch to a new scenario.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The other servers that run the worlds. Clones share the connection to them.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    sharing: Sharing,
    /// Held while a world is joined.
    joining: Arc<Mutex<()>>,
}

/// Whether a world must already exist, must be new, or may be either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JoinMode {
    Existing,
    New,
    Either,
}

impl Worlds {
    /// Starts worlds like [`Worlds::start`], shared with all other servers that use the same store. If those run
    /// another scenario, this one is published to them if `publishes` is set.
    ///
    /// # Errors
    /// [`WorldsError`] if the store cannot be reached, its contents cannot be loaded, or other servers run another
    /// scenario.
    pub async fn share(
        scenario: &Arc<Scenario>,
        seed: u64,
        options: WorldOptions,
        sharing: Sharing,
        publishes: bool,
        tasks: &TaskTracker,
        end: CancellationToken,
    ) -> Result<Self, WorldsError> {
        let (start, setup) = (WorldStart::from(Engine::new(scenario, seed)), options.setup());
        let fingerprint = sharing.scenarios.publish(scenario).await.map_err(WorldsError::Store)?;
        let snapshot = WorldSnapshot::new(fingerprint.clone(), seed, None, setup.pace);
        let opened = open(DEFAULT_WORLD, JoinMode::Either, snapshot, &sharing, None).await?;
        let was_led = opened.is_led;
        let join = JoinOptions { sharing: sharing.clone(), opened, lifetime: None, is_default: true };
        let default = World::join(DEFAULT_WORLD.into(), start.clone(), &setup, join, end.child_token(), tasks).await?;
        let peers = Peers { sharing, joining: Arc::default() };
        let worlds = Self::around(default, start, (options, setup), Some(peers.clone()), tasks, end.clone());
        let (followers, source) = (worlds.clone(), peers.clone());
        tasks.spawn(async move { end.run_until_cancelled(source.propagate_scenario(&followers)).await });
        peers.agree_on_scenario(&worlds, scenario, &fingerprint, seed, was_led && !publishes).await?;
        Ok(worlds)
    }
}

impl Peers {
    /// Joins a world that other servers run and this one does not yet. Creates it if `may_create` is set and it does
    /// not exist.
    pub(super) async fn find(&self, worlds: &Worlds, name: &str, may_create: bool) -> Result<World, WorldsError> {
        let mode = if may_create { JoinMode::Either } else { JoinMode::Existing };
        self.join(worlds, name, mode, &worlds.setup()).await
    }

    /// Creates a world like [`Worlds::create`], for all servers.
    pub(super) async fn create(&self, worlds: &Worlds, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        if name == DEFAULT_WORLD {
            return Err(WorldsError::Exists(name.into()));
        }
        self.join(worlds, name, JoinMode::New, setup).await
    }

    /// Ends a world on all servers.
    pub(super) async fn end(&self, worlds: &Worlds, name: &str) -> Result<(), WorldsError> {
        Ok(worlds.find(name, false).await?.end_everywhere().await?)
    }

    /// Records the files that the next published scenario was made from.
    pub(super) fn set_source_files(&self, files: &[FoundFile]) {
        self.sharing.scenarios.set_files(named(files));
    }

    /// Returns why the store cannot be reached; `None` if it can.
    pub(super) fn unreachable_reason(&self) -> Option<String> {
        self.sharing.store.unreachable_reason()
    }

    /// Joins a world that other servers may run, or creates it.
    async fn join(&self, worlds: &Worlds, name: &str, mode: JoinMode, setup: &Setup) -> Result<World, WorldsError> {
        check_name(name)?;
        // One request joins at a time, and requests that arrive meanwhile find the world afterwards.
        let _one_at_a_time = self.joining.lock().await;
        match worlds.get(name) {
            Ok(_) if mode == JoinMode::New => return Err(WorldsError::Exists(name.into())),
            Err(WorldsError::Unknown(_)) => {}
            found => return found,
        }
        let (count, start) = {
            let state = worlds.lock();
            (state.named.len(), state.start.clone())
        };
        if count >= worlds.0.options.max_named {
            return Err(WorldsError::TooMany(count));
        }
        let snapshot = self.first_snapshot(&start.engine, setup).await;
        let lifetime = Some(worlds.0.options.idle);
        let opened = open(name, mode, snapshot, &self.sharing, lifetime).await.map_err(|error| match error {
            StoreError::Missing => WorldsError::Unknown(name.to_owned()),
            StoreError::Exists => WorldsError::Exists(name.into()),
            error => WorldsError::Store(error),
        })?;
        let join = JoinOptions { sharing: self.sharing.clone(), opened, lifetime, is_default: false };
        let world = World::join(name.into(), start, setup, join, worlds.0.end.child_token(), &worlds.0.tasks).await?;
        worlds.lock().named.insert(name.into(), world.clone());
        debug!(world = name, "world joined");
        worlds.0.created.notify_one();
        Ok(world)
    }

    async fn first_snapshot(&self, start: &Engine, setup: &Setup) -> WorldSnapshot {
        let current = self.sharing.scenarios.watch_current().borrow().clone();
        let (scenario, seed) = match current {
            Some(current) => current,
            None => (self.sharing.scenarios.remember(start.scenario()).await.0, start.seed()),
        };
        WorldSnapshot::new(scenario, seed, setup.seed, setup.pace)
    }

    /// Joins the default world again, or creates it.
    pub(super) async fn join_default(&self, worlds: &Worlds, start: WorldStart) -> Result<World, WorldsError> {
        let setup = worlds.setup();
        let snapshot = self.first_snapshot(&start.engine, &setup).await;
        let opened = open(DEFAULT_WORLD, JoinMode::Either, snapshot, &self.sharing, None).await?;
        let join = JoinOptions { sharing: self.sharing.clone(), opened, lifetime: None, is_default: true };
        let end = worlds.0.end.child_token();
        Ok(World::join(DEFAULT_WORLD.into(), start, &setup, join, end, &worlds.0.tasks).await?)
    }

    /// Joins the worlds that other servers run and that have not been requested here yet.
    pub(super) async fn join_all(&self, worlds: &Worlds) -> Result<(), WorldsError> {
        for name in self.sharing.store.worlds().await.map_err(WorldsError::Store)? {
            if name != DEFAULT_WORLD && worlds.get(&name).is_err() {
                match self.find(worlds, &name, false).await {
                    Ok(_) | Err(WorldsError::Unknown(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Ensures that all servers run this scenario, whose fingerprint is `own`. If `others_first` is set and they run
    /// another one, fails instead of replacing it.
    async fn agree_on_scenario(
        &self,
        worlds: &Worlds,
        scenario: &Arc<Scenario>,
        own: &str,
        seed: u64,
        others_first: bool,
    ) -> Result<(), WorldsError> {
        let Sharing { scenarios, store, .. } = &self.sharing;
        let current = scenarios.watch_current().borrow().clone();
        match current {
            Some((current, _)) if current == own => Ok(()),
            Some((current, _)) if others_first => {
                let files = scenarios.differing_files(&current).await?;
                let name = worlds.default_world().view().scenario.name().to_owned();
                Err(WorldsError::OtherScenario { address: store.address(), name, files })
            }
            _ => Ok(self.publish(worlds, scenario, seed).await.map(drop)?),
        }
    }

    /// Publishes a scenario, to which all servers then switch all worlds.
    pub(super) async fn publish(
        &self,
        worlds: &Worlds,
        scenario: &Arc<Scenario>,
        seed: u64,
    ) -> Result<Reload, WorldError> {
        let fingerprint = self.sharing.scenarios.publish(scenario).await?;
        loop {
            let default = worlds.default_world();
            tokio::select! {
                biased;
                // The world has ended, so there will be no reply.
                () = default.ended() => {}
                reload = default.reload_shared(fingerprint.clone(), seed) => return reload,
            }
            if worlds.0.end.is_cancelled() {
                return Err(WorldError::Ended);
            }
            // The default world failed and is being replaced. Publishing a scenario that is already in the log changes
            // nothing.
            tokio::time::sleep(RESTART_DELAY).await;
        }
    }

    /// Switches the other worlds of this server to the scenario of the default world, whenever it changes.
    async fn propagate_scenario(&self, worlds: &Worlds) {
        let scenarios = &self.sharing.scenarios;
        let mut current = scenarios.watch_current();
        loop {
            let now = current.borrow_and_update().clone();
            if let Some((fingerprint, seed)) = now
                && let Some(scenario) = scenarios.remembered(&fingerprint)
            {
                let old = worlds.lock().start.clone();
                if !Arc::ptr_eq(old.engine.scenario(), &scenario) || old.engine.seed() != seed {
                    // Takes as long as a reload without a store; see `Worlds::reload`.
                    let start =
                        move || WorldStart::from(Engine::new(&scenario, seed).with_server_options_of(&old.engine));
                    let start = spawn_blocking(start).await;
                    let Ok(start) = start else { return };
                    worlds.lock().start = start;
                }
                let others: Vec<World> = worlds.lock().named.values().cloned().collect();
                let follow = |world: World| {
                    let fingerprint = fingerprint.clone();
                    async move { world.reload_shared(fingerprint, seed).await }
                };
                let outcomes = join_all(others.into_iter().map(follow)).await;
                if let Some(Err(error)) = outcomes.iter().find(|one| matches!(one, Err(WorldError::Store(_)))) {
                    warn!("not all worlds can switch to the new scenario yet: {error}");
                    tokio::time::sleep(RETRY_DELAY).await;
                    // Worlds that have switched already are not affected by another attempt.
                    continue;
                }
            }
            if current.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Returns the files by their paths relative to the folder of the first, each with the fingerprint of its contents.
pub(crate) fn named(files: &[FoundFile]) -> Vec<(String, String)> {
    let folder = files.first().and_then(|first| first.path().parent()).unwrap_or(Path::new(""));
    let named = |file: &FoundFile| {
        let name = file.path().strip_prefix(folder).unwrap_or(file.path());
        Some((name.display().to_string(), fingerprint(file.bytes()?)))
    };
    files.iter().filter_map(named).collect()
}

/// Opens a world's log.
async fn open(
    name: &str,
    mode: JoinMode,
    snapshot: WorldSnapshot,
    sharing: &Sharing,
    lifetime: Option<Duration>,
) -> Result<Opened, StoreError> {
    let (mark, text) = (sharing.mark(), snapshot.into_entry());
    let first = NewEntry { mark: &mark, text: &text, at: Duration::ZERO, token: None, lifetime };
    let open_mode = match mode {
        JoinMode::Existing => OpenMode::Existing,
        JoinMode::New => OpenMode::New(first),
        JoinMode::Either => OpenMode::Either(first),
    };
    sharing.store.open(name, open_mode).await
}
