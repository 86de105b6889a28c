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
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::{DEFAULT_WORLD, WorldOptions, Worlds, WorldsError, check_name};
use crate::engine::{Engine, Reload};
use crate::scenario::{FoundFile, Scenario};
use crate::store::{NewEntry, OpenMode, Opened, StoreError};
use crate::world::{Budget, JoinOptions, Setup, Sharing, World, WorldError, WorldSnapshot, fingerprint};

/// How long to wait before worlds are told again of a scenario that they could not be told of.
const PAUSE: Duration = Duration::from_secs(1);

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
        let (start, budget) = (Engine::new(scenario, seed), Budget::default());
        let setup = options.setup(budget.clone());
        let fingerprint = sharing.scenarios.publish(scenario).await.map_err(WorldsError::Store)?;
        let snapshot = WorldSnapshot::new(fingerprint.clone(), seed, None, setup.pace);
        let opened = open(DEFAULT_WORLD, JoinMode::Either, snapshot, &sharing, None).await?;
        let was_there = opened.is_led;
        let join = JoinOptions { sharing: sharing.clone(), opened, lifetime: None, is_default: true };
        let default = World::join(DEFAULT_WORLD.into(), start.clone(), &setup, join, end.child_token(), tasks).await?;
        let worlds = Self::with(default, start, options, budget, Some(sharing.clone()), tasks, end.clone());
        let handing_on = worlds.clone();
        tasks.spawn(async move { end.run_until_cancelled(handing_on.hand_on(&sharing)).await });
        worlds.agree(scenario, &fingerprint, seed, was_there && !publishes).await?;
        Ok(worlds)
    }

    /// As [`Worlds::get`], also if only other servers play it by now; as [`Worlds::get_or_make`] if it may be made.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub async fn find(&self, name: &str, may_make: bool) -> Result<World, WorldsError> {
        match (self.get(name), &self.0.sharing) {
            (Err(WorldsError::Unknown(_)), Some(sharing)) => {
                let wanted = if may_make { JoinMode::Either } else { JoinMode::Existing };
                self.join(name, wanted, &self.setup(), sharing).await
            }
            (Err(WorldsError::Unknown(_)), None) if may_make => self.get_or_make(name),
            (found, _) => found,
        }
    }

    /// As [`Worlds::make`], on all servers that play the worlds.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub async fn create(&self, name: &str, setup: &Setup) -> Result<World, WorldsError> {
        match &self.0.sharing {
            Some(_) if name == DEFAULT_WORLD => Err(WorldsError::Exists(name.into())),
            Some(sharing) => self.join(name, JoinMode::New, setup, sharing).await,
            None => self.make(name, setup),
        }
    }

    /// Joins a world that others may play, or begins it.
    async fn join(&self, name: &str, wanted: JoinMode, setup: &Setup, sharing: &Sharing) -> Result<World, WorldsError> {
        check_name(name)?;
        // One request joins, and those that come meanwhile find the world then.
        let _one_at_a_time = self.0.joining.lock().await;
        match self.get(name) {
            Ok(_) if wanted == JoinMode::New => return Err(WorldsError::Exists(name.into())),
            Err(WorldsError::Unknown(_)) => {}
            found => return found,
        }
        let (count, start) = {
            let state = self.lock();
            (state.named.len(), state.start.clone())
        };
        if count >= self.0.options.most {
            return Err(WorldsError::TooMany(count));
        }
        let snapshot = self.first_snapshot(&start, setup, sharing).await;
        let lifetime = Some(self.0.options.idle);
        let opened = open(name, wanted, snapshot, sharing, lifetime).await.map_err(|error| match error {
            StoreError::Missing => WorldsError::Unknown(name.to_owned()),
            StoreError::Exists => WorldsError::Exists(name.into()),
            error => WorldsError::Store(error),
        })?;
        let join = JoinOptions { sharing: sharing.clone(), opened, lifetime, is_default: false };
        let world = World::join(name.into(), start, setup, join, self.0.end.child_token(), &self.0.tasks).await?;
        self.lock().named.insert(name.into(), world.clone());
        debug!(world = name, "world joined");
        self.0.made.notify_one();
        Ok(world)
    }

    async fn first_snapshot(&self, start: &Engine, setup: &Setup, sharing: &Sharing) -> WorldSnapshot {
        let played = sharing.scenarios.played().borrow().clone();
        let (scenario, seed) = match played {
            Some(played) => played,
            None => (sharing.scenarios.know(start.scenario()).await.0, start.seed()),
        };
        WorldSnapshot::new(scenario, seed, setup.seed, setup.pace)
    }

    /// Joins the default world again, or begins it.
    pub(super) async fn join_default(
        &self,
        name: Arc<str>,
        start: Engine,
        setup: &Setup,
        sharing: &Sharing,
        end: CancellationToken,
    ) -> Result<World, WorldsError> {
        let snapshot = self.first_snapshot(&start, setup, sharing).await;
        let opened = open(DEFAULT_WORLD, JoinMode::Either, snapshot, sharing, None).await?;
        let join = JoinOptions { sharing: sharing.clone(), opened, lifetime: None, is_default: true };
        Ok(World::join(name, start, setup, join, end, &self.0.tasks).await?)
    }

    /// Joins the worlds that others play and that nobody has asked for here yet.
    ///
    /// # Errors
    /// [`WorldsError::Store`].
    pub async fn join_all(&self) -> Result<(), WorldsError> {
        let Some(sharing) = &self.0.sharing else { return Ok(()) };
        for name in sharing.store.worlds().await.map_err(WorldsError::Store)? {
            if name != DEFAULT_WORLD && self.get(&name).is_err() {
                match self.join(&name, JoinMode::Existing, &self.setup(), sharing).await {
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
        scenario: &Arc<Scenario>,
        own: &str,
        seed: u64,
        others_first: bool,
    ) -> Result<(), WorldsError> {
        let Some(sharing) = &self.0.sharing else { return Ok(()) };
        let played = sharing.scenarios.played().borrow().clone();
        match played {
            Some((played, _)) if played == own => Ok(()),
            Some((played, _)) if others_first => {
                let files = sharing.scenarios.differing_files(&played).await?;
                let name = self.default_world().view().scenario.name().to_owned();
                Err(WorldsError::OtherScenario { place: sharing.store.place(), name, files })
            }
            _ => Ok(self.publish(scenario, seed, sharing).await.map(drop)?),
        }
    }

    /// Publishes a scenario, with which all servers go on in all worlds.
    pub(super) async fn publish(
        &self,
        scenario: &Arc<Scenario>,
        seed: u64,
        sharing: &Sharing,
    ) -> Result<Reload, WorldError> {
        let fingerprint = sharing.scenarios.publish(scenario).await?;
        self.default_world().reload_shared(fingerprint, seed).await
    }

    /// Has the other worlds of this server go on with whatever the default one plays.
    async fn hand_on(&self, sharing: &Sharing) {
        let mut played = sharing.scenarios.played();
        loop {
            let now = played.borrow_and_update().clone();
            if let Some((fingerprint, seed)) = now
                && let Some(scenario) = sharing.scenarios.known(&fingerprint)
            {
                let old = self.lock().start.clone();
                if !Arc::ptr_eq(old.scenario(), &scenario) || old.seed() != seed {
                    // As long as for a reload without a store; see `Worlds::reload`.
                    let start = spawn_blocking(move || Engine::new(&scenario, seed).started_as(&old)).await;
                    let Ok(start) = start else { return };
                    self.lock().start = start;
                }
                let others: Vec<World> = self.lock().named.values().cloned().collect();
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
