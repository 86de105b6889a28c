//! The view that readers get of a world without asking its task, and the start that worlds share.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;

use crate::engine::{Collections, DataBodies, DataValues, Engine, Reading, ReloadPlan};
use crate::scenario::Scenario;

/// A view of a world for readers, available without asking the task.
#[derive(Debug)]
pub struct View {
    /// The current scenario.
    pub scenario: Arc<Scenario>,
    /// The seed of every random choice.
    pub seed: u64,
    /// The collections with their rows.
    pub collections: Collections,
    /// The values of `data`.
    pub values: DataValues,
    /// The date at the world's time 0, in milliseconds since 1970.
    started: i64,
    pub(super) json: CollectionsJson,
    bodies: DataBodies,
}

impl View {
    /// Creates the view of an engine; see [`CollectionsJson::of`] for `earlier`.
    pub(super) fn of(engine: &Engine, earlier: &[&CollectionsJson]) -> Self {
        let collections = engine.collections().clone();
        let json = CollectionsJson::of(&collections, earlier);
        let (values, started) = (engine.data_values().clone(), engine.start_date());
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

    /// Returns the values that expressions can read at this world time.
    #[must_use]
    pub fn reading(&self, now: Duration) -> Reading<'_> {
        Reading::at(&self.collections, &self.values, self.started, now).with_bodies(&self.bodies)
    }

    /// Returns the rows of a collection as a JSON array; `None` if the collection does not exist. The array is created
    /// on first use and shared until the collection changes.
    #[must_use]
    pub fn rows(&self, collection: &str) -> Option<Bytes> {
        self.json.get(collection)
    }
}

/// The rows of each collection as a JSON array, created on first use. Clones share the arrays.
#[derive(Debug, Clone)]
pub(super) struct CollectionsJson {
    collections: Collections,
    json: Arc<HashMap<Arc<str>, Arc<OnceLock<Bytes>>>>,
}

impl CollectionsJson {
    /// Creates the JSON of these collections. A collection that has not changed since one of the earlier versions
    /// shares its JSON.
    pub(super) fn of(collections: &Collections, earlier: &[&Self]) -> Self {
        if let Some(same) = earlier.iter().find(|one| one.collections.shares_row_sets_with(collections)) {
            return (*same).clone();
        }
        let json = collections.iter().map(|(name, row_set)| {
            let is_unchanged =
                |one: &&&Self| one.collections.get(name).is_some_and(|before| std::ptr::eq(before, row_set));
            let unchanged = earlier.iter().find(is_unchanged).and_then(|one| one.json.get(name));
            (name.clone(), unchanged.cloned().unwrap_or_default())
        });
        Self { json: Arc::new(json.collect()), collections: collections.clone() }
    }

    fn get(&self, collection: &str) -> Option<Bytes> {
        let (row_set, json) = (self.collections.get(collection)?, self.json.get(collection)?);
        // Serializing strings, numbers and maps with string keys into memory cannot fail.
        let serialize = || serde_json::to_vec(row_set.rows()).unwrap_or_default().into();
        Some(json.get_or_init(serialize).clone())
    }

    /// Creates the JSON of the collections whose JSON `other` has already created.
    fn prepare_as(&self, other: &Self) {
        let requested = other.json.iter().filter(|(_, json)| json.get().is_some());
        requested.for_each(|(name, _)| drop(self.get(name)));
    }
}

/// The start of worlds. Worlds that start from clones share the rows and their JSON until they change them.
#[derive(Debug, Clone)]
pub struct WorldStart {
    /// An engine at time 0.
    pub(crate) engine: Engine,
    pub(super) json: CollectionsJson,
}

impl From<Engine> for WorldStart {
    /// Creates a start from an engine at time 0.
    fn from(engine: Engine) -> Self {
        let json = CollectionsJson::of(engine.collections(), &[]);
        Self { engine, json }
    }
}

/// The switch to another scenario, for all worlds that run the previous one.
#[derive(Debug)]
pub struct WorldReload {
    pub(super) plan: ReloadPlan,
    json: CollectionsJson,
}

impl WorldReload {
    /// Creates the switch from one start to that of a new scenario. This takes time proportional to the size of the
    /// scenarios. JSON that readers have requested before is created as well, so that the next reader does not have to
    /// wait.
    #[must_use]
    pub fn new(old: WorldStart, scenario: &Arc<Scenario>, seed: u64) -> Self {
        let new = WorldStart::from(Engine::new(scenario, seed).with_server_options_of(&old.engine));
        new.json.prepare_as(&old.json);
        Self { plan: ReloadPlan::new(old.engine, new.engine), json: new.json }
    }

    /// Returns the start of worlds with the new scenario.
    #[must_use]
    pub fn start(&self) -> WorldStart {
        WorldStart { engine: self.plan.start().clone(), json: self.json.clone() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

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

    /// Returns the address of the JSON, which shows whether it is shared.
    fn address(view: &View, collection: &str) -> *const u8 {
        view.rows(collection).unwrap().as_ptr()
    }

    #[test]
    fn collections_share_their_json_until_they_change() {
        let start = WorldStart::from(Engine::new(&scenario("T1"), 1));
        let mut engine = start.engine.clone();
        let first = View::of(&engine, &[&start.json]);
        let (toys, food) = (address(&first, "toys"), address(&first, "food"));
        engine.apply(Command::add_row("toys", Map::new())).unwrap();
        let changed = View::of(&engine, &[&first.json]);
        assert_eq!(changed.rows("toys").unwrap(), &br#"[{"id":"T1"},{"id":"T2"}]"#[..]);
        assert_eq!((address(&first, "toys"), address(&changed, "food")), (toys, food));
        let reset = View::of(&start.engine, &[&changed.json, &start.json]);
        assert_eq!((address(&reset, "toys"), address(&reset, "food")), (toys, food));
    }

    #[test]
    fn a_reload_prepares_json_that_was_requested_before() {
        let old = WorldStart::from(Engine::new(&scenario("T1"), 1));
        old.json.get("toys").unwrap();
        let new = WorldReload::new(old, &scenario("T2"), 1).start();
        let json = |collection: &str| new.json.json[collection].get().cloned();
        assert_eq!((json("toys").as_deref(), json("food")), (Some(&br#"[{"id":"T2"}]"#[..]), None));
    }
}
