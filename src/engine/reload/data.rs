//! What a new scenario makes of rows without counters, and of values.
//!
//! A row is known by its id, within its collection. What a scenario declares as before stays what it has become at run time,
//! rows that were added then stay, and everything else is as the new scenario declares it. A name that is no longer declared
//! is [`Retained`](crate::engine::retained::Retained), and comes back as it was if it is declared again as before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::engine::collections::{Collections, RowSet};
use crate::engine::digest::Digest;
use crate::engine::retained::DataContent;
use crate::engine::values::DataValues;
use crate::engine::{Change, Engine, Event, EventKind};
use crate::scenario::{Collection, Row, Scenario};

/// The most ids of rows that a change names.
const MAX_NAMED_ROWS: usize = 10;

/// How the collections without counters and the values of two scenarios differ.
#[derive(Debug)]
pub(super) struct DataEdits {
    /// How each collection differs that both declare.
    collections: IndexMap<Arc<str>, CollectionEdit>,
    /// The values that both declare, and whether they are the same.
    values: IndexMap<Arc<str>, bool>,
    /// The names that only the new scenario declares.
    begun: Vec<Arc<str>>,
    /// The names that only the old scenario declares, and what it declares if that is a value.
    gone: Vec<(Arc<str>, Option<Arc<Value>>)>,
    changes: Vec<Change>,
}

/// How the declared rows of a collection differ.
#[derive(Debug, Default)]
struct CollectionEdit {
    /// Those that are new, or declared in another way, by id.
    made: IndexMap<Arc<str>, Arc<Row>>,
    /// The ids that are no longer declared.
    gone: Vec<Arc<str>>,
}

impl DataEdits {
    pub(super) fn between(old: &Scenario, new: &Scenario) -> Self {
        let before: HashMap<&str, &Collection> = uncounted(old).map(|one| (&**one.name(), one)).collect();
        let mut edits = Self {
            collections: IndexMap::new(),
            values: IndexMap::new(),
            begun: Vec::new(),
            gone: Vec::new(),
            changes: Vec::new(),
        };
        for collection in uncounted(new) {
            let name = collection.name();
            let Some(old_collection) = before.get(&**name) else {
                edits.begin(name, old.values().contains_key(name));
                continue;
            };
            let edit = CollectionEdit::between(old_collection, collection);
            if *old_collection != collection {
                edits.changes.push(edit.change(name));
            }
            edits.collections.insert(name.clone(), edit);
        }
        for (name, value) in new.values() {
            let Some(old_value) = old.values().get(name) else {
                edits.begin(name, before.contains_key(&**name));
                continue;
            };
            if old_value != value {
                edits.changes.push(changed(name));
            }
            edits.values.insert(name.clone(), old_value == value);
        }
        let after: HashSet<&Arc<str>> = uncounted(new).map(Collection::name).chain(new.values().keys()).collect();
        let gone = uncounted(old).map(Collection::name).chain(old.values().keys()).filter(|name| !after.contains(name));
        edits.gone = gone.map(|name| (name.clone(), old.values().get(name).cloned())).collect();
        edits.changes.extend(edits.gone.iter().map(|(name, _)| Change::DataRemoved { name: name.clone() }));
        edits
    }

    /// Notes that a name is declared, which may have been something else before.
    fn begin(&mut self, name: &Arc<str>, was_declared: bool) {
        if was_declared {
            self.changes.push(changed(name));
        } else {
            self.changes.push(Change::DataAdded { name: name.clone() });
            self.begun.push(name.clone());
        }
    }

    /// The changes that users are shown.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }
}

impl CollectionEdit {
    fn between(old: &Collection, new: &Collection) -> Self {
        let (old, new) = (old.rows(), new.rows());
        if old == new {
            return Self::default();
        }
        let before: HashMap<&str, &Arc<Row>> = old.iter().map(|row| (&**row.id(), row)).collect();
        let made = new.iter().filter(|row| before.get(&**row.id()) != Some(row));
        let declared: HashSet<&str> = new.iter().map(|row| &**row.id()).collect();
        let gone = old.iter().map(|row| row.id()).filter(|id| !declared.contains(&***id));
        Self { made: made.map(|row| (row.id().clone(), row.clone())).collect(), gone: gone.cloned().collect() }
    }

    fn change(&self, name: &Arc<str>) -> Change {
        let ids = self.made.keys().chain(&self.gone);
        let rows: Vec<Arc<str>> = ids.take(MAX_NAMED_ROWS).cloned().collect();
        let more = self.made.len() + self.gone.len() - rows.len();
        Change::DataChanged { name: name.clone(), rows, more }
    }

    /// The collection that goes on with the rows of before. `start` has those that the new scenario declares.
    fn carry_over(&self, before: &RowSet, start: &RowSet) -> RowSet {
        if before.is_as_declared() {
            return start.clone().with_ids_of(before);
        }
        let as_it_is = |declared: &Arc<Row>| -> Option<Arc<Row>> {
            if self.made.contains_key(declared.id()) {
                return Some(declared.clone());
            }
            let row = before.declared_row(declared.id())?;
            // Nothing of a scenario that is no longer played is kept for nothing.
            Some(if row == declared { declared.clone() } else { row.clone() })
        };
        let declared: Vec<Arc<Row>> = start.rows().iter().filter_map(as_it_is).collect();
        let ids: HashSet<&str> = declared.iter().map(|row| &**row.id()).collect();
        let added = before.rows().added().filter(|row| !ids.contains(&**row.id())).cloned().collect();
        start.with_rows(declared, added).with_ids_of(before)
    }

    /// What has become of the rows that differ.
    fn events(&self, name: &Arc<str>, before: &RowSet) -> Vec<EventKind> {
        let (is_counted, collection) = (false, || name.clone());
        let made = self.made.iter().filter_map(|(id, row)| {
            let (id, row) = (id.clone(), row.clone());
            Some(match before.row(&id).cloned() {
                None => EventKind::Added { id, collection: collection(), is_counted, row },
                Some(before) if before == row => return None,
                Some(before) => EventKind::Replaced { id, collection: collection(), is_counted, row, before },
            })
        });
        let gone = self.gone.iter().filter_map(|id| {
            let before = before.declared_row(id)?.clone();
            Some(EventKind::Removed { id: id.clone(), collection: collection(), is_counted, before })
        });
        made.chain(gone).collect()
    }
}

impl Engine {
    /// Carries over rows without counters and values. The engine plays the new scenario already, and such collections are as
    /// it declares them; `before` are those of before. Gives what became of them.
    pub(super) fn carry_data_over(&mut self, before: &Collections, edits: &DataEdits) -> Vec<Event> {
        self.retain_data(before, &edits.gone);
        let mut kinds = Vec::new();
        for (name, edit) in &edits.collections {
            let (Some(before), Some(start)) = (before.get(name), self.collections.get(name)) else { continue };
            let carried = edit.carry_over(before, start);
            kinds.extend(edit.events(name, before));
            if !carried.is_the_same_as(start) {
                self.collections.put(name.clone(), carried);
            }
        }
        let scenario = self.scenario.clone();
        let before = std::mem::take(&mut self.values);
        let mut carried = |name: &Arc<str>, declared: &Arc<Value>| {
            let before = before.get(name).filter(|before| *before != declared);
            match (edits.values.get(name), before) {
                (Some(true), Some(before)) => return before.clone(),
                (Some(false), Some(before)) => {
                    let (name, value, before) = (name.clone(), declared.clone(), before.clone());
                    kinds.push(EventKind::ValueSet { name, value, before });
                }
                _ => {}
            }
            declared.clone()
        };
        let values = scenario.values().iter().map(|(name, declared)| (name.clone(), carried(name, declared)));
        self.values = values.collect::<DataValues>();
        for name in &edits.begun {
            self.recall_data(name);
        }
        kinds.into_iter().map(|kind| self.event(kind)).collect()
    }
}

impl Engine {
    /// Keeps what has become of names that are gone.
    fn retain_data(&mut self, before: &Collections, gone: &[(Arc<str>, Option<Arc<Value>>)]) {
        for (name, declared) in gone {
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

    /// Has a name that is declared again be what it was, if it is declared in the same way.
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

fn changed(name: &Arc<str>) -> Change {
    Change::DataChanged { name: name.clone(), rows: Vec::new(), more: 0 }
}
