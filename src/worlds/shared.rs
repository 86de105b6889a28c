//! Worlds that several servers play together.
//!
//! A world is its log in the store: whoever opens the log plays the world. So a world that is made on one server is there on
//! all of them as soon as somebody asks for it there, and one that is removed on one ends on all.
//!
//! All play the scenario that the default world plays. A server that joins has to have the same; a new one is published by
//! whichever server has it first, in the log of the default world, and from there each server hands it on to the others.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::{DEFAULT_WORLD, PAUSE_AFTER_A_FAILURE, WorldOptions, Worlds, WorldsError, check_name};
use crate::engine::{Engine, Reload};
use crate::scenario::{FoundFile, Scenario};
use crate::store::{NewEntry, OpenMode, Opened, StoreError};
use crate::world::{JoinOptions, Setup, Sharing, World, WorldError, WorldSnapshot, WorldStart, fingerprint};

/// How long to wait before worlds are told again of a scenario that they could not be told of.
const PAUSE: Duration = Duration::from_secs(1);

/// The other servers that play the worlds. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    sharing: Sharing,
    /// Held while a world is joined.
    joining: Arc<Mutex<()>>,
}

/// Whether a world has to be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JoinMode {
    Existing,
    New,
    Either,
}

impl Worlds {
    /// As [`Worlds::start`], together with all other servers that have the same store. If others are there and play another
    /// scenario, this one is published to them if that is wanted.
    ///
    /// # Errors
    /// [`WorldsError`] if the store cannot be reached, what is in it cannot be played, or others play another scenario.
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
        let was_there = opened.is_led;
        let join = JoinOptions { sharing: sharing.clone(), opened, lifetime: None, is_default: true };
        let default = World::join(DEFAULT_WORLD.into(), start.clone(), &setup, join, end.child_token(), tasks).await?;
        let peers = Peers { sharing, joining: Arc::default() };
        let worlds = Self::with(default, start, (options, setup), Some(peers.clone()), tasks, end.clone());
        let (handing_on, played) = (worlds.clone(), peers.clone());
        tasks.spawn(async move { end.run_until_cancelled(played.hand_on(&handing_on)).await });
        peers.agree(&worlds, scenario, &fingerprint, seed, was_there && !publishes).await?;
        Ok(worlds)
    }
}

impl Peers {
    /// A world that they play and this server does not yet, or a new one if it may be made.
    pub(super) async fn find(&self, worlds: &Worlds, name: &str, may_make: bool) -> Result<World, WorldsError> {
        let wanted = if may_make { JoinMode::Either } else { JoinMode::Existing };
        self.join(worlds, name, wanted, &worlds.setup()).await
    }

    /// As [`Worlds::make`], for all servers.
    pub(super) async fn make(&self, worlds: &Worlds, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        if name == DEFAULT_WORLD {
            return Err(WorldsError::Exists(name.into()));
        }
        self.join(worlds, name, JoinMode::New, setup).await
    }

    /// Ends a world on all servers.
    pub(super) async fn end(&self, worlds: &Worlds, name: &str) -> Result<(), WorldsError> {
        Ok(worlds.find(name, false).await?.end_everywhere().await?)
    }

    /// The scenario that is published next was made of these files.
    pub(super) fn made_of(&self, files: &[FoundFile]) {
        self.sharing.scenarios.made_of(named(files));
    }

    /// Why the store cannot be reached, if that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.sharing.store.trouble()
    }

    /// Joins a world that others may play, or begins it.
    async fn join(&self, worlds: &Worlds, name: &str, wanted: JoinMode, setup: &Setup) -> Result<World, WorldsError> {
        check_name(name)?;
        // One request joins, and those that come meanwhile find the world then.
        let _one_at_a_time = self.joining.lock().await;
        match worlds.get(name) {
            Ok(_) if wanted == JoinMode::New => return Err(WorldsError::Exists(name.into())),
            Err(WorldsError::Unknown(_)) => {}
            found => return found,
        }
        let (count, start) = {
            let state = worlds.lock();
            (state.named.len(), state.start.clone())
        };
        if count >= worlds.0.options.most {
            return Err(WorldsError::TooMany(count));
        }
        let snapshot = self.first_snapshot(&start.engine, setup).await;
        let lifetime = Some(worlds.0.options.idle);
        let opened = open(name, wanted, snapshot, &self.sharing, lifetime).await.map_err(|error| match error {
            StoreError::Missing => WorldsError::Unknown(name.to_owned()),
            StoreError::Exists => WorldsError::Exists(name.into()),
            error => WorldsError::Store(error),
        })?;
        let join = JoinOptions { sharing: self.sharing.clone(), opened, lifetime, is_default: false };
        let world = World::join(name.into(), start, setup, join, worlds.0.end.child_token(), &worlds.0.tasks).await?;
        worlds.lock().named.insert(name.into(), world.clone());
        debug!(world = name, "world joined");
        worlds.0.made.notify_one();
        Ok(world)
    }

    async fn first_snapshot(&self, start: &Engine, setup: &Setup) -> WorldSnapshot {
        let played = self.sharing.scenarios.played().borrow().clone();
        let (scenario, seed) = match played {
            Some(played) => played,
            None => (self.sharing.scenarios.know(start.scenario()).await.0, start.seed()),
        };
        WorldSnapshot::new(scenario, seed, setup.seed, setup.pace)
    }

    /// Joins the default world again, or begins it.
    pub(super) async fn join_default(&self, worlds: &Worlds, start: WorldStart) -> Result<World, WorldsError> {
        let setup = worlds.setup();
        let snapshot = self.first_snapshot(&start.engine, &setup).await;
        let opened = open(DEFAULT_WORLD, JoinMode::Either, snapshot, &self.sharing, None).await?;
        let join = JoinOptions { sharing: self.sharing.clone(), opened, lifetime: None, is_default: true };
        let end = worlds.0.end.child_token();
        Ok(World::join(DEFAULT_WORLD.into(), start, &setup, join, end, &worlds.0.tasks).await?)
    }

    /// Joins the worlds that others play and that nobody has asked for here yet.
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

    /// Sees to it that this scenario, which has that fingerprint, is played, unless it is not to be when others play another one.
    async fn agree(
        &self,
        worlds: &Worlds,
        scenario: &Arc<Scenario>,
        own: &str,
        seed: u64,
        others_first: bool,
    ) -> Result<(), WorldsError> {
        let Sharing { scenarios, store, .. } = &self.sharing;
        let played = scenarios.played().borrow().clone();
        match played {
            Some((played, _)) if played == own => Ok(()),
            Some((played, _)) if others_first => {
                let files = scenarios.differing_files(&played).await?;
                let name = worlds.default_world().view().scenario.name().to_owned();
                Err(WorldsError::OtherScenario { place: store.place(), name, files })
            }
            _ => Ok(self.publish(worlds, scenario, seed).await.map(drop)?),
        }
    }

    /// Publishes a scenario, with which all servers go on in all worlds.
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
                // Nobody answers any more.
                () = default.ended() => {}
                reload = default.reload_shared(fingerprint.clone(), seed) => return reload,
            }
            if worlds.0.end.is_cancelled() {
                return Err(WorldError::Ended);
            }
            // It has failed, and another takes its place. If the log has the scenario already, publishing it again changes nothing.
            tokio::time::sleep(PAUSE_AFTER_A_FAILURE).await;
        }
    }

    /// Has the other worlds of this server go on with whatever the default one plays.
    async fn hand_on(&self, worlds: &Worlds) {
        let scenarios = &self.sharing.scenarios;
        let mut played = scenarios.played();
        loop {
            let now = played.borrow_and_update().clone();
            if let Some((fingerprint, seed)) = now
                && let Some(scenario) = scenarios.known(&fingerprint)
            {
                let old = worlds.lock().start.clone();
                if !Arc::ptr_eq(old.engine.scenario(), &scenario) || old.engine.seed() != seed {
                    // As long as for a reload without a store; see `Worlds::reload`.
                    let start = move || WorldStart::from(Engine::new(&scenario, seed).started_as(&old.engine));
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
                    warn!("not all worlds can go on with the new scenario yet: {error}");
                    tokio::time::sleep(PAUSE).await;
                    // For those that have it already, it is nothing new.
                    continue;
                }
            }
            if played.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Files by their names as seen from the first, each with the fingerprint of what is in it.
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
    wanted: JoinMode,
    snapshot: WorldSnapshot,
    sharing: &Sharing,
    lifetime: Option<Duration>,
) -> Result<Opened, StoreError> {
    let (mark, text) = (sharing.mark(), snapshot.into_entry());
    let first = NewEntry { mark: &mark, text: &text, at: Duration::ZERO, token: None, lifetime };
    let open_mode = match wanted {
        JoinMode::Existing => OpenMode::Existing,
        JoinMode::New => OpenMode::New(first),
        JoinMode::Either => OpenMode::Either(first),
    };
    sharing.store.open(name, open_mode).await
}
