//! The state of rows without counters and of values, as data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeclaredOr, SavedRow, StateError, restore_relative_to, save_relative_to};
use crate::engine::Engine;
use crate::engine::collections::RowSet;

/// The collections and values that differ from the start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataState {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    collections: Vec<CollectionState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<(Arc<str>, Arc<Value>)>,
}

/// The rows of a collection, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectionState {
    name: Arc<str>,
    /// The ids of the rows without declared ids, if a reload has given them others than at the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ids: Vec<Value>,
    /// Rows that continue declared ones.
    declared: Vec<DeclaredOr<SavedRow>>,
    added: Vec<SavedRow>,
    /// The number of UUIDs drawn for ids.
    uuids: u64,
}

impl DataState {
    pub(super) fn of(engine: &Engine, start: &Engine) -> Self {
        let changed = engine.collections.uncounted().filter_map(|(name, row_set)| {
            let start = start.collections.get(name);
            let is_changed = start
                .is_none_or(|start| !row_set.rows().shares_all_with(start.rows()) || row_set.uuids() != start.uuids());
            is_changed.then(|| CollectionState::of(name, row_set))
        });
        let values = engine.values.iter().filter(|(name, value)| start.values.get(name) != Some(*value));
        Self {
            collections: changed.collect(),
            values: values.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.collections.is_empty() && self.values.is_empty()
    }

    /// Restores the state into an engine that is in its initial state.
    pub(super) fn restore_into(self, engine: &mut Engine) -> Result<(), StateError> {
        for CollectionState { name, ids, declared, added, uuids } in self.collections {
            let start = engine.collections.get(&name).filter(|row_set| !row_set.is_counted());
            let start = start.ok_or(StateError::Mismatch("the collections differ"))?;
            let start = start.with_kept_ids(ids).ok_or(StateError::Mismatch("the rows differ"))?;
            let declared = restore_relative_to(&start, declared)?;
            let added = added.into_iter().map(|row| Arc::new(row.into_row())).collect();
            let row_set = start.with_rows(declared, added).with_uuids(uuids);
            engine.collections.put(name, row_set);
        }
        for (name, value) in self.values {
            engine.values.put(&name, value).ok_or(StateError::Mismatch("unknown value"))?;
        }
        Ok(())
    }
}

impl CollectionState {
    fn of(name: &Arc<str>, row_set: &RowSet) -> Self {
        Self {
            name: name.clone(),
            ids: row_set.kept_ids(),
            declared: row_set.rows().declared().map(save_relative_to(row_set.declared_rows())).collect(),
            added: row_set.rows().added().map(|row| SavedRow::of(row)).collect(),
            uuids: row_set.uuids(),
        }
    }
}
