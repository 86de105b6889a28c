//! The transition of rows without counters and of values to a new scenario.
//!
//! State with an unchanged declaration is kept, rows added at run time stay, and everything else is as the new scenario
//! declares it. State of a name that is no longer declared is [`Retained`](crate::engine::retained::Retained) and
//! restored if the same declaration returns.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::collection::CollectionTransition;
use crate::engine::collections::{Collections, RowSet};
use crate::engine::digest::Digest;
use crate::engine::retained::DataContent;
use crate::engine::rows::continued_rows;
use crate::engine::values::DataValues;
use crate::engine::{Change, Engine, Event, EventKind};
use crate::scenario::{Collection, Scenario};

/// The differences between the collections without counters and the values of two scenarios, regardless of run-time
/// state.
#[derive(Debug)]
pub(super) struct DataEdits {
    /// The names that the new scenario declares, with their differences.
    declared: IndexMap<Arc<str>, NameEdit>,
    /// The names that only the old scenario declares, each with its declared value unless it is a collection.
    removed: Vec<(Arc<str>, Option<Arc<Value>>)>,
}

/// The difference between the declarations of a name.
#[derive(Debug)]
enum NameEdit {
    /// The old scenario does not declare it.
    Added,
    /// A value became a collection, or vice versa.
    ChangesKind,
    Collection(CollectionEdit),
    Value {
        is_same: bool,
    },
}

/// The difference between two declarations of a collection.
#[derive(Debug)]
struct CollectionEdit {
    is_same: bool,
    /// For each new row, the index of the old row that it continues, provided that the old rows have their ids from the
    /// start.
    origins: Vec<Option<usize>>,
}

/// The transition of one engine's collections that both scenarios declare.
#[derive(Debug)]
pub(super) struct DataTransition {
    collections: IndexMap<Arc<str>, CollectionTransition>,
    /// Whether it equals the plan's transition.
    pub(super) matches_plan: bool,
}

/// The transition of an engine at the start of the old scenario, reused for other engines whose collections are
/// untouched.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedData<'p> {
    pub(super) old: &'p Engine,
    pub(super) transition: &'p DataTransition,
}

impl DataEdits {
    pub(super) fn between(old: &Scenario, new: &Scenario) -> Self {
        let before: HashMap<&str, &Collection> = uncounted(old).map(|one| (&**one.name(), one)).collect();
        let new_edit = |was_declared| if was_declared { NameEdit::ChangesKind } else { NameEdit::Added };
        let collections = uncounted(new).map(|collection| {
            let name = collection.name();
            let edit =
                before.get(&**name).map(|before| NameEdit::Collection(CollectionEdit::between(before, collection)));
            (name.clone(), edit.unwrap_or_else(|| new_edit(old.values().contains_key(name))))
        });
        let values = new.values().iter().map(|(name, value)| {
            let edit = old.values().get(name).map(|before| NameEdit::Value { is_same: before == value });
            (name.clone(), edit.unwrap_or_else(|| new_edit(before.contains_key(&**name))))
        });
        let declared: IndexMap<Arc<str>, NameEdit> = collections.chain(values).collect();
        let removed = uncounted(old).map(Collection::name).chain(old.values().keys());
        let removed = removed.filter(|name| !declared.contains_key(*name));
        let removed = removed.map(|name| (name.clone(), old.values().get(name).cloned())).collect();
        Self { declared, removed }
    }

    fn collections(&self) -> impl Iterator<Item = (&Arc<str>, &CollectionEdit)> {
        self.declared.iter().filter_map(|(name, edit)| match edit {
            NameEdit::Collection(edit) => Some((name, edit)),
            _ => None,
        })
    }

    /// The changes as shown to users, in the order of the new scenario.
    pub(super) fn changes(&self, transition: &DataTransition) -> Vec<Change> {
        let changed = |name: &Arc<str>| Change::DataChanged { name: name.clone(), rows: Vec::new(), more: 0 };
        let declared = self.declared.iter().flat_map(|(name, edit)| match edit {
            NameEdit::Added => vec![Change::DataAdded { name: name.clone() }],
            NameEdit::ChangesKind | NameEdit::Value { is_same: false } => vec![changed(name)],
            NameEdit::Value { is_same: true } => Vec::new(),
            NameEdit::Collection(edit) => {
                let rows = transition.collections.get(name).map_or(&[][..], |one| one.changes.as_slice());
                if rows.is_empty() && !edit.is_same { vec![changed(name)] } else { rows.to_vec() }
            }
        });
        let removed = self.removed.iter().map(|(name, _)| Change::DataRemoved { name: name.clone() });
        declared.chain(removed).collect()
    }
}

impl CollectionEdit {
    fn between(old: &Collection, new: &Collection) -> Self {
        let is_same = old == new;
        let origins = if is_same { (0..new.rows().len()).map(Some).collect() } else { continued_rows(old, new) };
        Self { is_same, origins }
    }

    /// Computes the transition of the rows `before`. `start` contains the rows that the new scenario declares.
    fn transition(&self, before: &RowSet, start: &RowSet, seed: u64) -> CollectionTransition {
        if before.has_kept_ids() {
            let origins = continued_rows(before.declaration(), start.declaration());
            return CollectionTransition::new(before, start, &origins, seed);
        }
        if self.is_same && before.is_as_declared() {
            let row_set = start.clone().with_ids_of(before);
            return CollectionTransition { row_set, events: Vec::new(), changes: Vec::new() };
        }
        CollectionTransition::new(before, start, &self.origins, seed)
    }
}

impl Engine {
    /// Computes the transition of this engine's collections. `start` contains the rows that the new scenario declares,
    /// and `seed` is the new seed.
    pub(super) fn data_transition(
        &self,
        edits: &DataEdits,
        start: &Collections,
        seed: u64,
        planned: Option<PlannedData<'_>>,
    ) -> DataTransition {
        let planned = planned.filter(|planned| planned.old.seed == seed);
        let planned = |name: &str, before: &RowSet| {
            let PlannedData { old, transition } = planned?;
            let is_untouched = old.collections.get(name).is_some_and(|old| before.is_same_as(old));
            transition.collections.get(name).filter(|_| is_untouched)
        };
        let mut matches_plan = true;
        let collections = edits.collections().filter_map(|(name, edit)| {
            let (before, start) = (self.collections.get(name)?, start.get(name)?);
            let transition = planned(name, before).cloned().unwrap_or_else(|| {
                let transition = edit.transition(before, start, seed);
                matches_plan &= edit.is_same && transition.changes.is_empty();
                transition
            });
            Some((name.clone(), transition))
        });
        let collections = collections.collect();
        DataTransition { collections, matches_plan }
    }

    /// Carries over rows without counters and values, and returns the events. The engine already runs the new scenario,
    /// with such collections as declared; `before` contains the previous ones.
    pub(super) fn carry_data_over(
        &mut self,
        before: &Collections,
        edits: &DataEdits,
        transition: DataTransition,
    ) -> Vec<Event> {
        self.retain_data(before, &edits.removed);
        let mut kinds = Vec::new();
        for (name, CollectionTransition { row_set, events, .. }) in transition.collections {
            kinds.extend(events);
            if self.collections.get(&name).is_some_and(|start| !row_set.is_same_as(start)) {
                self.collections.put(name, row_set);
            }
        }
        let scenario = self.scenario.clone();
        let before = std::mem::take(&mut self.values);
        let mut carried = |name: &Arc<str>, declared: &Arc<Value>| {
            let before = before.get(name).filter(|before| *before != declared);
            match (edits.declared.get(name), before) {
                (Some(NameEdit::Value { is_same: true }), Some(before)) => return before.clone(),
                (Some(NameEdit::Value { is_same: false }), Some(before)) => {
                    let (name, value, before) = (name.clone(), declared.clone(), before.clone());
                    kinds.push(EventKind::ValueSet { name, value, before });
                }
                _ => {}
            }
            declared.clone()
        };
        let values = scenario.values().iter().map(|(name, declared)| (name.clone(), carried(name, declared)));
        self.values = values.collect::<DataValues>();
        for (name, _) in edits.declared.iter().filter(|(_, edit)| matches!(edit, NameEdit::Added)) {
            self.recall_data(name);
        }
        kinds.into_iter().map(|kind| self.event(kind)).collect()
    }
}

impl Engine {
    /// Retains the state of removed names.
    fn retain_data(&mut self, before: &Collections, removed: &[(Arc<str>, Option<Arc<Value>>)]) {
        for (name, declared) in removed {
            let changed = match declared {
                None => before.get(name).and_then(RowSet::retained),
                Some(declared) => self
                    .values
                    .get(name)
                    .filter(|value| *value != declared)
                    .map(|value| (Digest::of("value", declared), DataContent::Value(value.clone()))),
            };
            if let Some((digest, content)) = changed {
                self.retained.keep_data(name.clone(), digest, content);
            }
        }
    }

    /// Restores the retained state of a name whose declaration is unchanged.
    fn recall_data(&mut self, name: &Arc<str>) {
        if let Some(start) = self.collections.get(name) {
            let content = self.retained.take_data(name, || start.declared_digest());
            if let Some(row_set) = content.and_then(|content| start.recalled(content)) {
                self.collections.put(name.clone(), row_set);
            }
        } else if let Some(declared) = self.values.get(name) {
            let content = self.retained.take_data(name, || Digest::of("value", declared));
            if let Some(DataContent::Value(value)) = content {
                self.values.put(name, value);
            }
        }
    }
}

/// The collections whose rows have no counters.
fn uncounted(scenario: &Scenario) -> impl Iterator<Item = &Collection> {
    scenario.collections().iter().filter(|collection| !collection.is_counted())
}
