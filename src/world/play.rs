//! A world's engine at work: what is asked of it, and who hears of what happens.

mod entries;
mod joining;
mod journalling;
mod publishing;
mod requests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::clock::Pace;
use super::replica::Origin;
use super::snapshots::Saved;
use super::transcript::Transcript;
use super::{Shared, View};
use crate::engine::{Engine, Event, Reload, Succession};
use crate::websocket::Encoded;

/// What the task owns, and what commands work on.
pub(super) struct Play {
    pub(super) engine: Engine,
    /// The engine at time 0, which a reset goes back to.
    pub(super) start: Engine,
    /// The seed of this world alone, which wins over the server's.
    pub(super) own_seed: Option<u64>,
    pub(super) pace_at_start: Pace,
    /// Counts how often the engine was put to another moment.
    pub(super) generation: u64,
    /// What others know the scenario by, if the world is shared.
    pub(super) origin: Option<Origin>,
    /// The world's time, while it is told.
    pub(super) told: Option<Duration>,
    /// How the clock goes again after the advance that holds it.
    pub(super) held: Option<Pace>,
    pub(super) shared: Arc<Shared>,
    publish: watch::Sender<Arc<View>>,
    /// Where the fan-out is started when the first socket comes; a world without sockets has none, and is 1 KiB smaller.
    fanout: Option<TaskTracker>,
    tasks: TaskTracker,
    /// The position of the last entry, if the world is shared.
    position: u64,
    pub(super) transcript: Transcript,
    pub(super) snapshots: BTreeMap<String, Saved>,
    /// The current orders of categories, and the number of the last event in them.
    current: HashMap<Arc<str>, (u64, Arc<[Encoded]>)>,
    /// Whether a fault may hit sockets.
    pub(super) has_faulted_sockets: bool,
}

impl Play {
    pub(super) fn new(
        start: Engine,
        own_seed: Option<u64>,
        shared: Arc<Shared>,
        publish: watch::Sender<Arc<View>>,
        tasks: TaskTracker,
    ) -> Self {
        let pace_at_start = shared.clock.pace();
        let (transcript, snapshots) = (Transcript::default(), BTreeMap::new());
        let engine = start.clone();
        let has_faulted_sockets = engine.has_socket_faults();
        Self {
            engine,
            start,
            own_seed,
            pace_at_start,
            generation: 0,
            origin: None,
            told: None,
            held: None,
            shared,
            publish,
            fanout: Some(tasks.clone()),
            tasks,
            position: 0,
            transcript,
            snapshots,
            current: HashMap::new(),
            has_faulted_sockets,
        }
    }

    /// Lets what is due by now happen, unless time stands still, or is told.
    pub(super) fn catch_up_with_time(&mut self, most: usize) {
        if self.shared.replica.is_none() && !self.shared.clock.pace().paused {
            let events = self.engine.advance_some(self.shared.clock.now(), most);
            self.tell(&events);
        }
    }

    /// The world's time; what is due by then may still have to happen. While an entry of a shared world is carried out, it
    /// is the time that the entry says, so that it is the same everywhere.
    pub(super) fn now(&self) -> Duration {
        self.told.unwrap_or_else(|| self.shared.clock.now()).max(self.engine.now())
    }

    /// The time of an entry of a shared world: none passes in one that is paused.
    pub(super) fn time_of(&self, at: Duration) -> Duration {
        if self.shared.clock.pace().paused { self.engine.now() } else { at.max(self.engine.now()) }
    }

    /// Goes on with another scenario.
    pub(super) fn follow(&mut self, succession: &Succession) -> Vec<Event> {
        self.start = seeded(succession.start().clone(), self.own_seed);
        let events = self.engine.follow(succession, self.start.seed());
        self.publish_view();
        self.tell(&events);
        self.refresh_faults();
        self.publish([self.notice()]);
        events
    }

    /// As [`Play::follow`], and says what that changed.
    pub(super) fn replace(&mut self, succession: &Succession) -> Reload {
        let seed = self.own_seed.unwrap_or_else(|| succession.start().seed());
        let changes = self.engine.changes_along(succession, seed);
        Reload { changes, events: self.follow(succession) }
    }

    /// Goes back to the start, with another seed if there is one.
    pub(super) fn reset(&mut self, seed: Option<u64>) {
        if let Some(seed) = seed {
            self.own_seed = Some(seed);
            self.start = self.start.clone().with_seed(seed);
        }
        self.transcript = Transcript::default();
        self.snapshots.clear();
        self.shared.journal.clear();
        self.held = None;
        self.shared.clock.set(Duration::ZERO, self.pace_at_start);
        self.engine = self.start.clone();
        self.begin_anew();
    }
}

/// The start of a scenario, with a world's own seed if it has one.
pub(super) fn seeded(start: Engine, own_seed: Option<u64>) -> Engine {
    match own_seed {
        Some(seed) => start.with_seed(seed),
        None => start,
    }
}
