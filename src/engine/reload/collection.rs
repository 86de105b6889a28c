//! The transition of one collection without counters to a new scenario.
//!
//! A row with a declared id is identified by it. Any other row is identified by its content, and then by its position
//! among the remaining rows. It keeps its id in this world, even if the scenario would give it another at the start.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::collections::RowSet;
use crate::engine::{Change, EventKind};
use crate::scenario::Row;

/// The maximum number of row ids that a change names.
const MAX_NAMED_ROWS: usize = 10;

/// The transition of one collection.
#[derive(Debug, Clone)]
pub(super) struct CollectionTransition {
    /// The new rows.
    pub(super) row_set: RowSet,
    /// The events of the rows that differ.
    pub(super) events: Vec<EventKind>,
    /// The changes as shown to users.
    pub(super) changes: Vec<Change>,
}

/// A row of the new declaration.
struct NewRow<'r> {
    /// The row at the start.
    start: &'r Arc<Row>,
    /// The old declared row that it continues.
    origin: Option<&'r Arc<Row>>,
    /// Whether it is new or differs from that row.
    is_edited: bool,
}

/// A row of the new declaration, with its id in this world.
struct PlacedRow {
    declared: Arc<Row>,
    /// The current row; `None` if a client or a step has removed it.
    row: Option<Arc<Row>>,
    /// Whether it differs from the previous row with its id.
    is_changed: bool,
    /// The previous id of the same declaration.
    previous_id: Option<Arc<str>>,
}

impl<'r> NewRow<'r> {
    fn new(start: &'r Arc<Row>, origin: Option<&'r Arc<Row>>) -> Self {
        let is_same = |origin: &Arc<Row>| {
            let has_same_id_type = start.has_assigned_id() || start.has_number_id() == origin.has_number_id();
            start.content() == origin.content() && has_same_id_type
        };
        Self { start, origin, is_edited: !origin.is_some_and(is_same) }
    }

    /// Returns the row with its declared or previous id; `None` if it needs a new one.
    fn with_own_id(&self, before: &RowSet, declared_ids: &HashSet<&str>) -> Option<Arc<Row>> {
        if !self.start.has_assigned_id() {
            return Some(self.start.clone());
        }
        let origin = self.origin?;
        // A client may have added another row under the id of one that was removed.
        let is_taken =
            declared_ids.contains(&**origin.id()) || self.is_edited && before.added_row(origin.id()).is_some();
        (!is_taken).then(|| under_id_of(origin, self.start))
    }

    /// Returns the row as declared with its id, and its current state.
    fn placed(&self, declared: Arc<Row>, before: &RowSet) -> PlacedRow {
        let Some(origin) = self.origin.filter(|_| !self.is_edited) else {
            return PlacedRow { row: Some(declared.clone()), declared, is_changed: true, previous_id: None };
        };
        let row = before.declared_row(origin.id()).map(|row| {
            // Share the new scenario's row, so that the old scenario can be freed.
            if row == origin { declared.clone() } else { under_id_of(&declared, row) }
        });
        PlacedRow { is_changed: origin.id() != declared.id(), row, declared, previous_id: Some(origin.id().clone()) }
    }
}

/// Returns a row with the id of `other`.
fn under_id_of(other: &Arc<Row>, row: &Arc<Row>) -> Arc<Row> {
    if (other.id(), other.has_number_id()) == (row.id(), row.has_number_id()) {
        return row.clone();
    }
    Arc::new(row.with_id(other.id().clone()).with_number_id(other.has_number_id()))
}

impl CollectionTransition {
    /// Computes the transition of the rows `before` to a new declaration. `start` contains its rows. `origins` has, for
    /// each of them, the index of the old declared row that it continues. `seed` is used for ids that are UUIDs.
    pub(super) fn new(before: &RowSet, start: &RowSet, origins: &[Option<usize>], seed: u64) -> Self {
        let (rows, uuids) = placed_rows(before, start, origins, seed);
        let is_initial = |(row, start): (&PlacedRow, &Arc<Row>)| Arc::ptr_eq(&row.declared, start);
        let has_initial_ids = rows.iter().zip(start.declared_rows()).all(is_initial);
        let base = if has_initial_ids {
            start.clone()
        } else {
            start.declaring(rows.iter().map(|row| row.declared.clone()).collect())
        };
        let present: Vec<Arc<Row>> = rows.iter().filter_map(|row| row.row.clone()).collect();
        let ids: HashSet<&str> = present.iter().map(|row| &**row.id()).collect();
        let added: Vec<Arc<Row>> = before.rows().added().filter(|row| !ids.contains(&**row.id())).cloned().collect();
        let is_start = has_initial_ids
            && added.is_empty()
            && present.len() == start.rows().len()
            && present.iter().zip(start.rows()).all(|(row, start)| Arc::ptr_eq(row, start));
        let row_set = if is_start { base } else { base.with_rows(present, added) };
        Self {
            row_set: row_set.with_ids_of(before).with_uuids(uuids),
            events: events(&rows, before),
            changes: changes(&rows, before),
        }
    }
}

/// Returns the rows of the new declaration and the total number of UUIDs drawn for ids.
fn placed_rows(before: &RowSet, start: &RowSet, origins: &[Option<usize>], seed: u64) -> (Vec<PlacedRow>, u64) {
    let old = before.declared_rows();
    let rows = start.declared_rows().iter().zip(origins);
    let rows: Vec<NewRow> = rows.map(|(row, origin)| NewRow::new(row, origin.and_then(|at| old.get(at)))).collect();
    let declared_ids =
        start.declared_rows().iter().filter(|row| !row.has_assigned_id()).map(|row| &**row.id()).collect();
    let with_ids: Vec<Option<Arc<Row>>> = rows.iter().map(|row| row.with_own_id(before, &declared_ids)).collect();
    let mut ids = start.id_source(before, with_ids.iter().flatten());
    let mut given: HashSet<Arc<str>> = HashSet::new();
    if with_ids.iter().any(Option::is_none) {
        given.extend(with_ids.iter().flatten().map(|row| row.id().clone()));
    }
    let placed = rows.iter().zip(with_ids).map(|(row, with_id)| {
        let declared = with_id.unwrap_or_else(|| {
            let declared = ids.assign_id(row.start, seed, |id| given.contains(id) || before.row(id).is_some());
            given.insert(declared.id().clone());
            declared
        });
        row.placed(declared, before)
    });
    (placed.collect(), ids.uuids())
}

/// The previous ids that no row declares any longer.
fn removed_ids<'b>(rows: &[PlacedRow], before: &'b RowSet) -> Vec<&'b Arc<str>> {
    let declared: HashSet<&str> = rows.iter().map(|row| &**row.declared.id()).collect();
    before.declared_rows().iter().map(|row| row.id()).filter(|id| !declared.contains(&***id)).collect()
}

fn events(rows: &[PlacedRow], before: &RowSet) -> Vec<EventKind> {
    let (is_counted, collection) = (false, || before.declaration().name().clone());
    let changed = rows.iter().filter(|row| row.is_changed).filter_map(|row| {
        let (id, row) = (row.declared.id().clone(), row.row.clone()?);
        Some(match before.row(&id).cloned() {
            None => EventKind::Added { id, collection: collection(), is_counted, row },
            Some(before) if before == row => return None,
            Some(before) => EventKind::Replaced { id, collection: collection(), is_counted, row, before },
        })
    });
    let removed = removed_ids(rows, before).into_iter().filter_map(|id| {
        let before = before.declared_row(id)?.clone();
        Some(EventKind::Removed { id: id.clone(), collection: collection(), is_counted, before })
    });
    changed.chain(removed).collect()
}

fn changes(rows: &[PlacedRow], before: &RowSet) -> Vec<Change> {
    let declared_before: HashMap<&str, &Arc<Row>> =
        before.declared_rows().iter().map(|row| (&**row.id(), row)).collect();
    let differing = || rows.iter().filter(|row| row.is_changed);
    let continued_elsewhere: HashSet<&str> = differing().filter_map(|row| row.previous_id.as_deref()).collect();
    let (mut changed, mut redeclared, mut added, mut replacing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for placed in differing() {
        let id = placed.declared.id();
        let is_other = |was: &Arc<Row>| placed.row.as_ref().is_some_and(|row| row != was);
        let is_lost = |declared: &Arc<Row>| {
            let was = before.declared_row(id).filter(|was| *was != declared && is_other(was));
            was.is_some() && !continued_elsewhere.contains(&**id)
        };
        let kind = match (before.added_row(id), declared_before.get(&**id)) {
            (Some(was), _) if is_other(was) => &mut replacing,
            (_, None) => &mut added,
            (_, Some(declared)) if is_lost(declared) => &mut redeclared,
            (_, Some(_)) => &mut changed,
        };
        kind.push(id.clone());
    }
    let removed = removed_ids(rows, before).into_iter().cloned().collect();
    let name = before.declaration().name();
    let named = |ids: Vec<Arc<str>>, change: fn(Arc<str>, Vec<Arc<str>>, usize) -> Change| {
        let more = ids.len().saturating_sub(MAX_NAMED_ROWS);
        (!ids.is_empty()).then(|| change(name.clone(), ids.into_iter().take(MAX_NAMED_ROWS).collect(), more))
    };
    let kinds = [
        named(changed, |name, rows, more| Change::DataChanged { name, rows, more }),
        named(redeclared, |name, rows, more| Change::DataRedeclared { name, rows, more }),
        named(added, |name, rows, more| Change::DataRowsAdded { name, rows, more }),
        named(removed, |name, rows, more| Change::DataRowsRemoved { name, rows, more }),
        named(replacing, |name, rows, more| Change::DataReplaced { name, rows, more }),
    ];
    kinds.into_iter().flatten().collect()
}
