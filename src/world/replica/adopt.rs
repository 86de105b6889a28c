//! A world taken over as it is elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::entry::{Birth, LogEntry, StateError};
use super::scenarios::Scenarios;
use crate::engine::{Engine, Event, EventKind};
use crate::store::{Opened, StoreError};
use crate::world::Pace;
use crate::world::feed::Frame;
use crate::world::play::{Play, seeded};
use crate::world::snapshots::Saved;
use crate::world::transcript::Transcript;

/// The scenario that a world plays, as others know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::world) struct Origin {
    /// Its fingerprint.
    pub(in crate::world) scenario: String,
    /// The seed, unless the world has one of its own.
    pub(in crate::world) seed: u64,
}

/// A whole world.
pub(in crate::world) struct Adopted {
    pub(super) origin: Origin,
    own_seed: Option<u64>,
    pace_at_start: Pace,
    pace: Pace,
    generation: u64,
    /// The engine at time 0, with the seed that is not the world's own.
    pub(super) start: Engine,
    engine: Engine,
    snapshots: BTreeMap<String, Saved>,
}

impl Adopted {
    /// The world as it is where its log is opened: at its checkpoint, or at its beginning.
    /// Products are shared with `start`, an engine at time 0, if it is of the same scenario.
    pub(super) async fn read(
        opened: &Opened,
        scenarios: &Scenarios,
        start: &Engine,
    ) -> Result<Result<Self, StateError>, StoreError> {
        let birth = match birth(opened) {
            Ok(birth) => birth,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match scenarios.get(&birth.scenario).await? {
            Ok(scenario) if Arc::ptr_eq(start.scenario(), &scenario) => Self::of(birth, start.clone()),
            Ok(scenario) => Self::of(birth, Engine::new(&scenario, 0)),
            Err(error) => Err(error),
        })
    }

    fn of(birth: Birth, start: Engine) -> Result<Self, StateError> {
        let Birth { scenario, seed, own_seed, pace_at_start, pace, generation, engine, snapshots } = birth;
        let start = start.with_seed(seed);
        let own_start = seeded(start.clone(), own_seed);
        let engine = match engine {
            Some(state) => Engine::restored(&own_start, *state)?,
            None => own_start.clone(),
        };
        let saved = |(name, state)| {
            let engine = Engine::restored(&own_start, state)?;
            Ok::<_, StateError>((name, Saved { transcript: Transcript::after(engine.sequence()), engine }))
        };
        let snapshots = snapshots.into_iter().map(saved).collect::<Result<_, _>>()?;
        let origin = Origin { scenario, seed };
        Ok(Self { origin, own_seed, pace_at_start, pace, generation, start, engine, snapshots })
    }
}

fn birth(opened: &Opened) -> Result<Birth, StateError> {
    if let Some(checkpoint) = &opened.checkpoint {
        return Ok(serde_json::from_str(&checkpoint.state)?);
    }
    let first = opened.entries.first().ok_or(StateError::NoBeginning)?;
    match serde_json::from_str(&first.text)? {
        LogEntry::Born(birth) => Ok(*birth),
        _ => Err(StateError::NoBeginning),
    }
}

impl Play {
    /// The world as it is now, to be adopted elsewhere; `None` if it is not shared.
    pub(in crate::world) fn written(&self) -> Option<Birth> {
        let Origin { scenario, seed } = self.origin.clone()?;
        let snapshots = self.snapshots.iter().map(|(name, saved)| (name.clone(), saved.engine.save(&self.start)));
        Some(Birth {
            scenario,
            seed,
            own_seed: self.own_seed,
            pace_at_start: self.pace_at_start,
            // An advance that is at work is none of the state: whoever asked for it hears that it was overtaken.
            pace: self.held.unwrap_or_else(|| self.shared.clock.pace()),
            generation: self.generation,
            engine: Some(Box::new(self.engine.save(&self.start))),
            snapshots: snapshots.collect(),
        })
    }

    /// Becomes the world as it is elsewhere. Sockets get the totals that are not what they were.
    pub(in crate::world) fn adopt(&mut self, adopted: Adopted) {
        let before: HashMap<Arc<str>, i64> = self.engine.totals().map(|(id, total)| (id.clone(), total)).collect();
        let Adopted { origin, own_seed, pace_at_start, pace, generation, start, engine, snapshots } = adopted;
        (self.own_seed, self.pace_at_start, self.generation) = (own_seed, pace_at_start, generation);
        self.start = seeded(start, own_seed);
        (self.engine, self.snapshots, self.origin, self.held) = (engine, snapshots, Some(origin), None);
        self.transcript = Transcript::after(self.engine.sequence());
        self.shared.clock.set(self.engine.now(), pace);
        let scope = self.engine.scenario().feed();
        let is_changed = |event: &Event| match &event.kind {
            EventKind::Total { id, total, .. } => before.get(id) != Some(total),
            _ => false,
        };
        let changed: Vec<Event> = self.engine.totals_as_events().filter(is_changed).collect();
        let changed: Vec<Frame> = changed.iter().filter_map(|event| Frame::of(scope, event)).collect();
        self.publish_anew(|_, category| {
            let for_it = changed.iter().filter_map(|frame| match frame {
                Frame::Order { only, text, .. } if only.as_ref().is_none_or(|only| only == category) => Some(text),
                _ => None,
            });
            for_it.cloned().collect()
        });
    }

    /// Time has gone on while nothing happened.
    pub(in crate::world) fn comes_to(&mut self, at: Duration) {
        let pace = self.shared.clock.pace();
        if !pace.paused && self.shared.clock.now() < at {
            self.shared.clock.set(at, pace);
        }
    }
}
