//! Reloads: switching a running engine to a new scenario.
//!
//! A [`Comparison`] holds the differences between the declarations of two scenarios. A [`ReloadPlan`] computes it once
//! for all engines that run the old scenario, even if their rows have changed; [`Engine::reload`] applies the plan to
//! one engine. Removed state is [`Retained`](super::retained::Retained) and restored if a later scenario declares it
//! again.

mod collection;
mod data;
mod rows;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use super::Engine;
use super::change::Change;
use super::collections::{Collections, RowSet};
use super::counters::{CounterChange, CounterView, Counters};
use super::event::Event;
use super::pairing::Pairing;
use super::rows::RowEdits;
use super::timeline::TimelineEdits;
use crate::scenario::{Collection, Fault, Feed, Row, RuleScript, Scenario};
use data::{DataEdits, DataTransition, PlannedData};
use rows::RowTransition;

/// The outcome of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reload {
    /// The changes; see [`Engine::changes`].
    pub changes: Vec<Change>,
    /// The events of changed and new values.
    pub events: Vec<Event>,
}

/// The transition from the start of one scenario to the start of the next.
#[derive(Debug)]
pub struct ReloadPlan {
    old: Engine,
    new: Engine,
    changes: Vec<Change>,
    comparison: Comparison,
    /// The transition of the rows at the start.
    rows: RowTransition,
    /// The transition of collections without counters.
    data: DataTransition,
}

impl ReloadPlan {
    /// Creates the plan from two engines, each at the start of its scenario. Takes time linear in the size of the
    /// scenarios.
    #[must_use]
    pub fn new(old: Engine, new: Engine) -> Self {
        let comparison = Comparison::of(&old.scenario, &new.scenario);
        let rows = old.row_transition(&new.scenario, &comparison.rows, None);
        let data = old.data_transition(&comparison.data, &new.collections, old.seed, None);
        let changes = old.compare(&new.scenario, old.seed, &comparison, &rows, &data);
        Self { old, new, changes, comparison, rows, data }
    }

    /// The new scenario's engine at its start.
    #[must_use]
    pub fn start(&self) -> &Engine {
        &self.new
    }
}

impl Engine {
    /// The changes that [`Engine::replace`] would make, in the order of the new scenario. Empty if nothing would
    /// change.
    #[must_use]
    pub fn changes(&self, new: &Scenario, seed: u64) -> Vec<Change> {
        let comparison = Comparison::of(&self.scenario, new);
        let rows = self.row_transition(new, &comparison.rows, None);
        let data = self.data_transition(&comparison.data, &Collections::new(new), seed, None);
        let mut changes = self.compare(new, seed, &comparison, &rows, &data);
        changes.extend(self.steps_that_end(new));
        changes
    }

    /// Switches to another scenario. Counters keep their value if their seed is unchanged, and rows added at run time
    /// stay. Rows and values of `data` with an unchanged declaration keep their current state, and scripts and
    /// generators with an unchanged declaration continue. What an earlier reload removed and this one declares again is
    /// restored; this includes a seed other than 0.
    pub fn replace(&mut self, scenario: &Arc<Scenario>, seed: u64) -> Reload {
        let comparison = Comparison::of(&self.scenario, scenario);
        self.replace_compared(scenario, seed, &comparison, &Collections::new(scenario))
    }

    /// Like [`Engine::replace`], with the plan's new scenario. If no row was added or removed at run time, the engine
    /// then shares the rows of the new start.
    pub fn reload(&mut self, plan: &ReloadPlan, seed: u64) -> Reload {
        let ReloadPlan { old, new, changes, comparison, rows, data } = plan;
        if !Arc::ptr_eq(&self.scenario, &old.scenario) {
            return self.replace(&new.scenario, seed);
        }
        if !self.shares_rows_with(old) {
            return self.replace_compared(&new.scenario, seed, comparison, &new.collections);
        }
        let rows = self.row_transition(&new.scenario, &comparison.rows, Some(rows));
        if !rows.is_as_declared() {
            return self.replace_compared(&new.scenario, seed, comparison, &new.collections);
        }
        let planned = PlannedData { old, transition: data };
        let data = self.data_transition(&comparison.data, &new.collections, seed, Some(planned));
        let mut changes = if comparison.rows.is_renumbered || rows.is_recalled() || !data.matches_plan {
            self.compare(&new.scenario, seed, comparison, &rows, &data)
        } else {
            self.adjusted_changes(changes, seed)
        };
        changes.extend(self.steps_that_end(&new.scenario));
        self.retain_rows(self.ended_rows(&comparison.rows), &comparison.rows, &rows);
        self.scenario = new.scenario.clone();
        let before = std::mem::replace(&mut self.collections, new.collections.clone());
        for (name, row_set) in before.counted().filter(|(name, _)| new.collections.get_counted(name).is_some()) {
            self.collections.reserve_numbers(name, RowSet::highest(row_set));
        }
        let edits = &comparison.rows.by_id;
        self.counters = Counters::carried_over(&new.counters, &self.counters, |id| !edits.contains_key(id));
        for (edit, outcome) in edits.values().zip(&rows.outcomes) {
            let moved = outcome.running.filter(|running| running.changed > 0 || running.value != edit.row.value());
            // The new start contains every row.
            moved.and_then(|running| self.counters.put(edit.row.id(), running));
        }
        let events = self.carry_rest_over(&changes, comparison, data, seed, &before);
        Reload { changes, events }
    }

    /// Whether no row with a counter was added, removed or changed since one was cloned from the other.
    pub(super) fn shares_rows_with(&self, other: &Self) -> bool {
        self.counters.shares_counters_with(&other.counters)
            && self.collections.shares_counted_rows_with(&other.collections)
    }

    /// Like [`Engine::replace`]. `start` contains the rows that the scenario declares.
    fn replace_compared(
        &mut self,
        scenario: &Arc<Scenario>,
        seed: u64,
        comparison: &Comparison,
        start: &Collections,
    ) -> Reload {
        let rows = self.row_transition(scenario, &comparison.rows, None);
        let data = self.data_transition(&comparison.data, start, seed, None);
        let mut changes = self.compare(scenario, seed, comparison, &rows, &data);
        changes.extend(self.steps_that_end(scenario));
        let mut gone = self.ended_rows(&comparison.rows);
        gone.extend(self.displaced_rows(&comparison.rows, &rows));
        self.retain_rows(gone, &comparison.rows, &rows);
        self.scenario = scenario.clone();
        let before = self.collections.clone();
        self.replace_rows(&comparison.rows, &rows, start);
        let events = self.carry_rest_over(&changes, comparison, data, seed, &before);
        Reload { changes, events }
    }

    /// The plan's changes, adjusted to this engine's values and seed.
    fn adjusted_changes(&self, changes: &[Change], seed: u64) -> Vec<Change> {
        let mut changes = changes.to_vec();
        for change in &mut changes {
            if let Change::CounterReset { id, from, .. } = change {
                *from = self.counters.get(id).map_or(*from, |counter| counter.value);
            }
        }
        if seed != self.seed {
            let after_name = usize::from(matches!(changes.first(), Some(Change::Name { .. })));
            changes.insert(after_name, Change::Seed { from: self.seed, to: seed });
        }
        changes
    }

    /// Carries over everything except counters. `before` contains the previous collections.
    fn carry_rest_over(
        &mut self,
        changes: &[Change],
        comparison: &Comparison,
        data: DataTransition,
        seed: u64,
        before: &Collections,
    ) -> Vec<Event> {
        self.recall_numbers();
        let mut events = self.replace_timelines(comparison, seed);
        events.extend(changes.iter().filter_map(|change| self.counter_after(change)));
        events.extend(self.carry_data_over(before, &comparison.data, data));
        // Members of a topic receive the scenario's changes to it.
        self.deliver(&mut events, 0);
        self.end_operations(&mut events);
        let from = events.len();
        self.end_closed_sockets(&mut events);
        self.react(&mut events, from);
        events
    }

    /// Applies a change to its counter and returns the event, if the change sets a value.
    fn counter_after(&mut self, change: &Change) -> Option<Event> {
        let (id, value) = match change {
            Change::RowAdded { id, value, .. } | Change::RowReplaced { id, value, .. } => {
                (id, CounterChange::Set(*value))
            }
            Change::CounterReset { id, to, .. } => (id, CounterChange::Set(*to)),
            // The sockets of the new collection have not received the value yet.
            Change::RowMoved { id, .. } if self.scenario.feed() == Feed::Collection => (id, CounterChange::Add(0)),
            _ => return None,
        };
        // The row exists, and its value is in range because it was declared.
        self.change_counter(id, value).ok()
    }

    /// Carries over timelines and faults and returns the events of faults.
    fn replace_timelines(&mut self, comparison: &Comparison, seed: u64) -> Vec<Event> {
        if seed != self.seed {
            self.timelines.reseed(seed);
            self.retained.reseed();
            self.seed = seed;
        }
        self.carry_timelines_over(&comparison.timelines);
        let ended = self.reload_rule_runs(&comparison.old_rule_scripts);
        self.start_date = self.scenario.starts().unwrap_or(self.start_date);
        let mut events = self.replace_faults(&comparison.old_faults, &comparison.faults);
        self.reload_sockets(&mut events);
        self.settle_ended_lists(ended, &mut events);
        events
    }
}

/// Computing the changes.
impl Engine {
    /// Returns the changes that a new scenario makes to this engine.
    fn compare(
        &self,
        new: &Scenario,
        seed: u64,
        comparison: &Comparison,
        rows: &RowTransition,
        data: &DataTransition,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        self.compare_settings(new, seed, &mut changes);
        self.compare_collections(new, &mut changes);
        self.compare_rows(new, &comparison.rows, rows, &mut changes);
        changes.extend(comparison.data.changes(data));
        let old = &self.scenario;
        changes.extend(rules::changes(old, new));
        changes.extend(comparison.timelines.changes(old, new));
        changes.extend(comparison.faults.changes(old.faults(), new.faults()));
        changes
    }

    fn compare_settings(&self, new: &Scenario, seed: u64, changes: &mut Vec<Change>) {
        let old = &self.scenario;
        if old.name() != new.name() {
            changes.push(Change::Name { from: old.name().to_owned(), to: new.name().to_owned() });
        }
        if seed != self.seed {
            changes.push(Change::Seed { from: self.seed, to: seed });
        }
        if old.feed() != new.feed() {
            changes.push(Change::Feed { to: new.feed() });
        }
        let keys = new.server().differing_keys(&self.server_options);
        if !keys.is_empty() {
            changes.push(Change::NeedsRestart { keys });
        }
    }

    fn compare_collections(&self, new: &Scenario, changes: &mut Vec<Change>) {
        let (before, after) = (by_name(&self.scenario), by_name(new));
        for collection in counted(new) {
            let name = collection.name().clone();
            match before.get(&*name) {
                None => changes.push(Change::CollectionAdded { collection: name }),
                Some(old) => {
                    let keys = collection.differing_keys(old);
                    if !keys.is_empty() {
                        changes.push(Change::CollectionChanged { collection: name.clone(), keys });
                    }
                    if self.is_reordered(collection) {
                        changes.push(Change::Reordered { collection: name });
                    }
                }
            }
        }
        let gone = counted(&self.scenario).map(Collection::name).filter(|name| !after.contains_key(&***name));
        changes.extend(gone.map(|name| Change::CollectionRemoved { collection: name.clone() }));
    }

    /// Whether the rows that stay declared in the collection have another order.
    fn is_reordered(&self, collection: &Collection) -> bool {
        let Some(before) = self.collections.get_counted(collection.name()).map(RowSet::rows) else { return false };
        if before.iter().map(id).eq(collection.rows().iter().map(id)) {
            return false;
        }
        let is_declared = |row: &&Arc<Row>| self.counters.get(row.id()).is_some_and(|counter| counter.counter.declared);
        let before = before.iter().filter(is_declared);
        let places: HashMap<&str, usize> = before.zip(0..).map(|(row, at)| (&**row.id(), at)).collect();
        !collection.rows().iter().filter_map(|row| places.get(&**row.id())).is_sorted()
    }

    fn compare_rows(&self, new: &Scenario, edits: &RowEdits, rows: &RowTransition, changes: &mut Vec<Change>) {
        for (edit, outcome) in edits.by_id.values().zip(&rows.outcomes) {
            let (id, to, before) = (edit.row.id().clone(), edit.collection.clone(), self.counters.get(edit.row.id()));
            let Some(running) = outcome.running else {
                if let Some(counter) = before.filter(|before| before.counter.declared) {
                    changes.push(Change::RowRemoved { id, collection: counter.counter.collection.clone() });
                }
                continue;
            };
            let Some(counter) = before else {
                changes.push(Change::RowAdded { id, collection: to, value: running.value });
                continue;
            };
            if outcome.displaces {
                changes.push(Change::RowReplaced { id, collection: to, value: running.value });
                continue;
            }
            if counter.counter.collection != to {
                changes.push(Change::RowMoved { id: id.clone(), from: counter.counter.collection.clone(), to });
            }
            if !outcome.keys.is_empty() {
                changes.push(Change::RowChanged { id: id.clone(), keys: outcome.keys.clone() });
            }
            let is_reset = if edit.continues_counter(&counter) {
                counter.counter.seed != edit.row.value()
            } else {
                counter.value != running.value
            };
            if is_reset {
                changes.push(Change::CounterReset { id, from: counter.value, to: running.value });
            }
        }
        let collections = by_name(new);
        let gone = self.counters.iter().filter(|(id, counter)| {
            if counter.counter.declared {
                return edits.removed.contains(&***id);
            }
            // A row added at run time stays as long as its collection.
            !rows.declares(edits, id) && !collections.contains_key(&*counter.counter.collection)
        });
        let removed = |(id, counter): (&Arc<str>, CounterView<'_>)| Change::RowRemoved {
            id: id.clone(),
            collection: counter.counter.collection.clone(),
        };
        changes.extend(gone.map(removed));
        changes.extend(rows.restored.iter().map(|row| Change::RowAdded {
            id: row.row.id().clone(),
            collection: row.collection.clone(),
            value: row.value,
        }));
    }
}

/// The collections whose rows have counters.
fn counted(scenario: &Scenario) -> impl Iterator<Item = &Collection> {
    scenario.collections().iter().filter(|collection| collection.is_counted())
}

fn by_name(scenario: &Scenario) -> HashMap<&str, &Collection> {
    counted(scenario).map(|collection| (&**collection.name(), collection)).collect()
}

fn id(row: &Arc<Row>) -> &str {
    row.id()
}

/// The differences between the declarations of two scenarios, regardless of run-time state. Computed once per reload,
/// because comparing scripts with a million steps takes a while.
#[derive(Debug)]
struct Comparison {
    rows: RowEdits,
    data: DataEdits,
    timelines: TimelineEdits,
    faults: Pairing,
    /// The old scenario's faults.
    old_faults: Vec<Arc<Fault>>,
    /// The old scenario's scripts of general steps.
    old_rule_scripts: Vec<Arc<RuleScript>>,
}

impl Comparison {
    fn of(old: &Scenario, new: &Scenario) -> Self {
        Self {
            rows: RowEdits::between(old, new),
            data: DataEdits::between(old, new),
            timelines: TimelineEdits::between(old, new),
            faults: Pairing::of(old.faults(), new.faults()),
            old_faults: old.faults().to_vec(),
            old_rule_scripts: old.rule_scripts().to_vec(),
        }
    }
}
