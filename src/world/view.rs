//! What readers see of a world without asking its task, and where worlds that share it start.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;

use crate::engine::{Collections, DataBodies, DataValues, Engine, Reading, ReloadPlan};
use crate::scenario::Scenario;

/// What readers see without asking the task.
#[derive(Debug)]
pub struct View {
    /// The scenario that is played.
    pub scenario: Arc<Scenario>,
    /// The seed of every random choice.
    pub seed: u64,
    /// Collections and rows.
    pub collections: Collections,
    /// The values of `data`.
    pub values: DataValues,
    /// Milliseconds since 1970 at the world's time 0.
    started: i64,
    pub(super) json: CollectionsJson,
    bodies: DataBodies,
}

impl View {
    /// What an engine shows; see [`CollectionsJson::of`].
    pub(super) fn of(engine: &Engine, earlier: &[&CollectionsJson]) -> Self {
        let collections = engine.collections().clone();
        let json = CollectionsJson::of(&collections, earlier);
        let (values, started) = (engine.values_of_data().clone(), engine.started());
        Self {
            scenario: engine.scenario().clone(),
            seed: engine.seed(),
            collections,
            values,
            started,
            json,
            bodies: DataBodies::default(),
        }
    }

    /// What expressions see at that time of the world.
    #[must_use]
    pub fn reading(&self, now: Duration) -> Reading<'_> {
        Reading::at(&self.collections, &self.values, self.started, now).with_bodies(&self.bodies)
    }

    /// The rows of a collection as a JSON array, made on first use and shared until the collection changes; `None` for an
    /// unknown collection.
    #[must_use]
    pub fn rows(&self, collection: &str) -> Option<Bytes> {
        self.json.get(collection)
    }
}

/// The rows of each collection as a JSON array, made on first use. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct CollectionsJson {
    collections: Collections,
    made: Arc<HashMap<Arc<str>, Arc<OnceLock<Bytes>>>>,
}

impl CollectionsJson {
    /// The JSON of these collections. Those that are unchanged since one of the earlier times share its JSON.
    pub(super) fn of(collections: &Collections, earlier: &[&Self]) -> Self {
        if let Some(same) = earlier.iter().find(|one| one.collections.shares_row_sets_with(collections)) {
            return (*same).clone();
        }
        let made = collections.iter().map(|(name, row_set)| {
            let is_unchanged =
                |one: &&&Self| one.collections.get(name).is_some_and(|before| std::ptr::eq(before, row_set));
            let unchanged = earlier.iter().find(is_unchanged).and_then(|one| one.made.get(name));
            (name.clone(), unchanged.cloned().unwrap_or_default())
        });
        Self { made: Arc::new(made.collect()), collections: collections.clone() }
    }

    fn get(&self, collection: &str) -> Option<Bytes> {
        let (row_set, json) = (self.collections.get(collection)?, self.made.get(collection)?);
        // Serialising strings, numbers and maps with string keys into memory cannot fail.
        let make = || serde_json::to_vec(row_set.rows()).unwrap_or_default().into();
        Some(json.get_or_init(make).clone())
    }

    /// Makes the JSON of the collections whose JSON was asked for before.
    fn prepare_as(&self, other: &Self) {
        let asked_for = other.made.iter().filter(|(_, made)| made.get().is_some());
        asked_for.for_each(|(name, _)| drop(self.get(name)));
    }
}

/// Where worlds start. Those that start from a clone share the rows and their JSON until they change them.
#[derive(Debug, Clone)]
pub struct WorldStart {
    /// An engine at time 0.
    pub(crate) engine: Engine,
    pub(super) json: CollectionsJson,
}

impl From<Engine> for WorldStart {
    /// The start with an engine at time 0.
    fn from(engine: Engine) -> Self {
        let json = CollectionsJson::of(engine.collections(), &[]);
        Self { engine, json }
    }
}

/// The way to another scenario, for all worlds that play the last one.
#[derive(Debug)]
pub struct WorldReload {
    pub(super) plan: ReloadPlan,
    json: CollectionsJson,
}

impl WorldReload {
    /// From one start to that of a scenario. It takes as long as the scenarios are large; JSON that was asked for before is
    /// made as well, so that the next reader does not wait for it.
    #[must_use]
    pub fn new(old: WorldStart, scenario: &Arc<Scenario>, seed: u64) -> Self {
        let new = WorldStart::from(Engine::new(scenario, seed).started_as(&old.engine));
        new.json.prepare_as(&old.json);
        Self { plan: ReloadPlan::new(old.engine, new.engine), json: new.json }
    }

    /// Where worlds of the new scenario start.
    #[must_use]
    pub fn start(&self) -> WorldStart {
        WorldStart { engine: self.plan.start().clone(), json: self.json.clone() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use serde_json::Map;

    use super::*;
    use crate::engine::Command;
    use crate::scenario::{Source, parse};

    fn scenario(toy: &str) -> Arc<Scenario> {
        let text = format!(
            "categories: {{ toys: {{ prefix: T, products: [{{ id: {toy} }}] }}, food: {{ prefix: F, products: [{{ id: F1 }}] }} }}"
        );
        Arc::new(parse(&Source::new("shop.yaml", &text)).unwrap())
    }

    /// Where the JSON is, which tells one that is made from one that is shared.
    fn place(view: &View, collection: &str) -> *const u8 {
        view.rows(collection).unwrap().as_ptr()
    }

    #[test]
    fn collections_share_their_json_until_they_change() {
        let start = WorldStart::from(Engine::new(&scenario("T1"), 1));
        let mut engine = start.engine.clone();
        let first = View::of(&engine, &[&start.json]);
        let (toys, food) = (place(&first, "toys"), place(&first, "food"));
        engine.apply(Command::add_row("toys", Map::new())).unwrap();
        let changed = View::of(&engine, &[&first.json]);
        assert_eq!(changed.rows("toys").unwrap(), &br#"[{"id":"T1"},{"id":"T2"}]"#[..]);
        assert_eq!((place(&first, "toys"), place(&changed, "food")), (toys, food));
        let reset = View::of(&start.engine, &[&changed.json, &start.json]);
        assert_eq!((place(&reset, "toys"), place(&reset, "food")), (toys, food));
    }

    #[test]
    fn a_reload_makes_the_json_that_was_asked_for_before() {
        let old = WorldStart::from(Engine::new(&scenario("T1"), 1));
        old.json.get("toys").unwrap();
        let new = WorldReload::new(old, &scenario("T2"), 1).start();
        let made = |collection: &str| new.json.made[collection].get().cloned();
        assert_eq!((made("toys").as_deref(), made("food")), (Some(&br#"[{"id":"T2"}]"#[..]), None));
    }
}
