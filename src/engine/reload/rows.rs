//! The transition of one engine's rows to a new scenario. Rows keep their run-time state.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::collections::{Collections, RowSet};
use crate::engine::counters::{Counter, CounterView, Rebuild, Running};
use crate::engine::retained::{AddedRow, RecalledRows, RetainedRow, RowState};
use crate::engine::rows::{self, RowEdit, RowEdits};
use crate::engine::{Engine, counter};
use crate::scenario::{Row, Scenario};

/// The transition of one engine's rows.
#[derive(Debug)]
pub(super) struct RowTransition {
    /// The outcome of each edit, in order.
    pub(super) outcomes: Vec<RowOutcome>,
    /// The rows that were added at run time, removed by an earlier reload, and are restored.
    pub(super) restored: Vec<AddedRow>,
    recalled: RecalledRows,
}

/// The outcome of one edit.
#[derive(Debug)]
pub(super) struct RowOutcome {
    /// The counter's value; `None` if the row is removed.
    pub(super) running: Option<Running>,
    /// The row, if its run-time state differs from the declaration.
    pub(super) changed: Option<Arc<Row>>,
    /// The keys in which it differs from the previous row with its id.
    pub(super) keys: Vec<String>,
    /// Whether it displaces a row with its id that was added at run time.
    pub(super) displaces: bool,
}

impl RowTransition {
    /// Whether the engine has exactly the rows that the new scenario declares, provided it had those of the old one.
    pub(super) fn is_as_declared(&self) -> bool {
        let is_as_declared = |outcome: &RowOutcome| outcome.running.is_some() && outcome.changed.is_none();
        self.restored.is_empty() && self.outcomes.iter().all(is_as_declared)
    }

    /// Whether state retained by an earlier reload is involved.
    pub(super) fn is_recalled(&self) -> bool {
        !self.recalled.is_empty()
    }

    /// Whether the edits declare the id and its row exists.
    pub(super) fn declares(&self, edits: &RowEdits, id: &str) -> bool {
        self.outcome(edits, id).is_some_and(|outcome| outcome.running.is_some())
    }

    fn outcome(&self, edits: &RowEdits, id: &str) -> Option<&RowOutcome> {
        self.outcomes.get(edits.by_id.get_index_of(id)?)
    }
}

impl RowEdit {
    /// Whether it continues the counter that has its id.
    pub(super) fn continues_counter(&self, counter: &CounterView<'_>) -> bool {
        self.keeps_id() || self.origin.is_none() && !counter.counter.declared
    }
}

impl Engine {
    /// Computes the transition of this engine's rows. `start` is the transition of an engine with the same rows, if
    /// available.
    pub(super) fn row_transition(
        &self,
        new: &Scenario,
        edits: &RowEdits,
        start: Option<&RowTransition>,
    ) -> RowTransition {
        let recalled =
            self.retained.recall(edits.by_id.values().filter(|edit| edit.origin.is_none() || edit.gains_seed_value));
        let recall = |edit: &RowEdit| recalled.get(edit.row.id());
        let changed_rows = self.changed_rows();
        let changed = |edit: &RowEdit| {
            let continued = edit.origin.as_ref().filter(|_| !edit.is_edited).and_then(|id| changed_rows.get(&**id));
            let changed = continued.copied().or_else(|| recalled.changed(edit.row.id()));
            changed.map(|changed| Arc::new(edit.row.with_fields(changed.fields().clone())))
        };
        let outcomes = if let Some(start) = start {
            let keys = start.outcomes.iter().map(|outcome| outcome.keys.clone());
            let outcome = |(edit, keys)| self.outcome(edit, keys, recall(edit), changed(edit));
            edits.by_id.values().zip(keys).map(outcome).collect()
        } else {
            let all = self.collections.counted().flat_map(|(_, row_set)| row_set.rows());
            let edited = all.filter(|row| edits.by_id.contains_key(row.id()));
            let current: HashMap<&str, &Row> = edited.map(|row| (&**row.id(), &**row)).collect();
            let outcome = |edit: &RowEdit| {
                let changed = changed(edit);
                let before = current.get(&**edit.row.id());
                let keys = before.map(|before| changed.as_ref().unwrap_or(&edit.row).differing_keys(before));
                self.outcome(edit, keys.unwrap_or_default(), recall(edit), changed)
            };
            edits.by_id.values().map(outcome).collect()
        };
        let mut transition = RowTransition { outcomes, restored: Vec::new(), recalled };
        self.recall_added(new, edits, &mut transition);
        transition
    }

    /// The declared rows, by id, that a merge or a replacement has changed from their declaration.
    fn changed_rows(&self) -> HashMap<&str, &Arc<Row>> {
        let changed = self.collections.counted().flat_map(|(_, row_set)| row_set.changed());
        changed.filter(|(id, _)| self.counters.get(id).is_some_and(|counter| counter.counter.declared)).collect()
    }

    fn outcome(
        &self,
        edit: &RowEdit,
        keys: Vec<String>,
        recalled: Option<RowState>,
        changed: Option<Arc<Row>>,
    ) -> RowOutcome {
        let fresh = Running { value: edit.row.value(), changed: 0 };
        let before = self.counters.get(edit.row.id());
        let added = before.filter(|before| !before.counter.declared);
        // A client's row continues if it is now declared in its current form.
        let continued = added.filter(|_| keys.is_empty() && (edit.origin.is_none() || edit.keeps_id()));
        let kept = |row: CounterView<'_>| if row.counter.seed == fresh.value { running(row) } else { fresh };
        let running = match (&edit.origin, recalled) {
            (None, Some(RowState::Value(value))) => Some(Running { value, changed: 0 }),
            (None, Some(RowState::TakenOut(_))) => None,
            (None, None) => Some(continued.map_or(fresh, kept)),
            (Some(origin), recalled) => match (self.counters.get(origin), recalled) {
                (Some(row), Some(RowState::Value(value))) if row.counter.declared => {
                    Some(Running { value, changed: 0 })
                }
                (Some(row), _) if row.counter.declared => Some(kept(row)),
                // A script removed or replaced the row. It stays that way until its declaration is edited.
                _ if !edit.is_edited => None,
                _ => Some(continued.map_or(fresh, kept)),
            },
        };
        let displaces = running.is_some() && added.is_some() && (continued.is_none() || recalled.is_some());
        RowOutcome { running, changed, keys, displaces }
    }

    /// Finds the rows that were added at run time, removed by an earlier reload, and can be restored: their collection
    /// is declared, and no other row has their id.
    fn recall_added(&self, new: &Scenario, edits: &RowEdits, transition: &mut RowTransition) {
        let counted = new.collections().iter().filter(|collection| collection.is_counted());
        let collections: HashSet<&str> = counted.map(|collection| &**collection.name()).collect();
        let mut taken: HashSet<Arc<str>> = HashSet::new();
        for (index, row) in self.retained.added() {
            let id = row.row.id();
            let is_taken = transition.declares(edits, id)
                || self.counters.get(id).is_some_and(|other| {
                    if other.counter.declared {
                        !edits.removed.contains(id) && !edits.by_id.contains_key(id)
                    } else {
                        !edits.removed_collections.contains(&other.counter.collection)
                    }
                });
            if collections.contains(&*row.collection) && !is_taken && taken.insert(id.clone()) {
                transition.recalled.take(index);
                transition.restored.push(row.clone());
            }
        }
    }

    /// Retains the rows that the new scenario does not continue, and takes out those that it restores. The engine still
    /// runs the old scenario.
    pub(super) fn retain_rows(&mut self, ended: Vec<RetainedRow>, edits: &RowEdits, transition: &RowTransition) {
        for name in &edits.removed_collections {
            if let Some(row_set) =
                self.collections.get_counted(name).filter(|one| one.highest() > one.declared_highest())
            {
                self.retained.keep_number(name.clone(), row_set.highest());
            }
        }
        self.retained.exchange_rows(&transition.recalled, ended);
    }

    /// The rows added at run time that lose their collection, or their id to a declared row.
    pub(super) fn displaced_rows(&self, edits: &RowEdits, transition: &RowTransition) -> Vec<RetainedRow> {
        let mut displaced = Vec::new();
        for (name, row_set) in self.collections.counted() {
            let counter = |row: &Row| self.counters.get(row.id()).filter(|row| !row.counter.declared);
            let added = row_set.rows().iter().filter_map(|row| Some((row, counter(row)?)));
            for (place, (row, counter)) in added.enumerate() {
                let outcome = transition.outcome(edits, row.id()).filter(|outcome| outcome.running.is_some());
                if outcome.map_or(edits.removed_collections.contains(name), |outcome| outcome.displaces) {
                    let (collection, row, value) = (name.clone(), row.clone(), counter.value);
                    displaced.push(RetainedRow::Added(AddedRow { collection, row, value, place }));
                }
            }
        }
        displaced
    }

    /// The declared rows that end or lose their seed, and differ from the start. Of several rows with the same content,
    /// all are included: their order tells which value belongs to which.
    pub(super) fn ended_rows(&self, edits: &RowEdits) -> Vec<RetainedRow> {
        let value = |row: &Row| self.counters.get(row.id()).filter(|row| row.counter.declared).map(|row| row.value);
        let changed = self.changed_rows();
        let is_moved = |row: &Row| value(row) != Some(row.value()) || changed.contains_key(&**row.id());
        let moved = edits.ended.iter().filter(|(_, row)| row.has_assigned_id() && is_moved(row));
        let content: HashSet<_> = moved.map(|(collection, row)| (collection, row.content())).collect();
        let kept = edits.ended.iter().filter(|(collection, row)| {
            if row.has_assigned_id() {
                !content.is_empty() && content.contains(&(collection, row.content()))
            } else {
                is_moved(row)
            }
        });
        let kept = kept.map(|(collection, row)| {
            RetainedRow::declared(collection, row, value(row), changed.get(&**row.id()).copied())
        });
        kept.collect()
    }

    /// Restores the id numbers of collections that are declared again, so that no number is reused.
    pub(super) fn recall_numbers(&mut self) {
        let collections = self.collections.clone();
        for (collection, highest) in self.retained.take_numbers(|name| collections.get_counted(name).is_some()) {
            self.collections.reserve_numbers(&collection, highest);
        }
    }

    /// Rebuilds counters and their collections: declared rows first, then rows added at run time to collections that
    /// still exist. Other collections are as in `start`.
    pub(super) fn replace_rows(&mut self, edits: &RowEdits, transition: &RowTransition, start: &Collections) {
        let new = self.scenario.clone();
        let changed = self.changed_rows();
        let current = |row: &Arc<Row>| match transition.outcome(edits, row.id()) {
            Some(outcome) => outcome.changed.as_ref().unwrap_or(row).clone(),
            None => (*changed.get(&**row.id()).unwrap_or(&row)).clone(),
        };
        let mut rebuild = Rebuild::default();
        for (collection, row) in rows::counted(&new) {
            let (owner, running) = match transition.outcome(edits, row.id()) {
                Some(outcome) => match outcome.running {
                    Some(running) => (counter(collection.name().clone(), row, true), running),
                    None => continue,
                },
                None => match self.counters.get(row.id()) {
                    Some(before) if before.counter.declared => (before.counter.clone(), running(before)),
                    // A script removed or replaced the row. It stays that way.
                    _ => continue,
                },
            };
            rebuild.add(row.id().clone(), owner, running.value, running.changed);
        }
        let mut collections = Collections::default();
        for collection in new.collections() {
            let name = collection.name();
            if let Some(row_set) = start.get(name).filter(|row_set| !row_set.is_counted()) {
                // The rows are carried over later.
                collections.put(name.clone(), row_set.clone());
                continue;
            }
            let before = self.collections.get_counted(name);
            let present = collection.rows().iter().filter(|row| rebuild.has(row.id()));
            let rows: Vec<Arc<Row>> = present.map(current).collect();
            let stays = |row: &Arc<Row>| {
                let counter = self.counters.get(row.id()).filter(|counter| !counter.counter.declared)?;
                (!rebuild.has(row.id())).then(|| (row.clone(), counter.counter.clone(), running(counter)))
            };
            let kept: Vec<_> = before.into_iter().flat_map(RowSet::rows).filter_map(stays).collect();
            let restored = transition.restored.iter().filter(|row| row.collection == *name);
            let mut added = Vec::new();
            for (row, owner, running) in merged(kept, restored.collect()) {
                rebuild.add(row.id().clone(), owner, running.value, running.changed);
                added.push(row);
            }
            let row_set = RowSet::new(collection.clone(), rows, added);
            collections.put(name.clone(), before.map_or(row_set.clone(), |before| row_set.with_ids_of(before)));
        }
        self.collections = collections;
        self.counters.replace_all(rebuild);
    }
}

/// A row that was added at run time.
type ListedRow = (Arc<Row>, Counter, Running);

/// Merges restored rows into the rows added at run time, at their previous positions.
fn merged(kept: Vec<ListedRow>, mut restored: Vec<&AddedRow>) -> Vec<ListedRow> {
    restored.sort_by_key(|row| row.place);
    let mut merged = Vec::with_capacity(kept.len() + restored.len());
    let mut kept = kept.into_iter();
    for AddedRow { collection, row, value, place } in restored {
        merged.extend(kept.by_ref().take(place.saturating_sub(merged.len())));
        let running = Running { value: *value, changed: 0 };
        merged.push((row.clone(), counter(collection.clone(), row, false), running));
    }
    merged.extend(kept);
    merged
}

fn running(counter: CounterView<'_>) -> Running {
    Running { value: counter.value, changed: counter.changed }
}
