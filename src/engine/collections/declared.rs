//! The declared rows of a collection, as opposed to its current ones.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::{RowSet, highest_number};
use crate::scenario::{Collection, Row};

impl RowSet {
    /// The declaration, with the ids that its rows have in this engine.
    pub(in crate::engine) fn declaration(&self) -> &Collection {
        &self.declared
    }

    /// The declared rows, in order, with their ids in this engine.
    pub(in crate::engine) fn declared_rows(&self) -> &[Arc<Row>] {
        self.declared.rows()
    }

    /// Returns the row with this id if it continues a declared one.
    pub(in crate::engine) fn declared_row(&self, id: &str) -> Option<&Arc<Row>> {
        self.row(id).filter(|_| self.rows.is_declared(id))
    }

    /// Returns the row with this id if it was added at run time.
    pub(in crate::engine) fn added_row(&self, id: &str) -> Option<&Arc<Row>> {
        self.row(id).filter(|_| !self.rows.is_declared(id))
    }

    /// Whether the current rows are exactly the declared ones.
    pub(in crate::engine) fn is_as_declared(&self) -> bool {
        let declared = self.declared.rows();
        self.rows.len() == declared.len()
            && self.rows.iter().zip(declared).all(|(row, declared)| Arc::ptr_eq(row, declared))
    }

    /// The rows, by id, that a merge or a replacement has changed from their declaration.
    pub(in crate::engine) fn changed(&self) -> HashMap<&str, &Arc<Row>> {
        let (rows, declared) = (&self.rows, self.declared.rows());
        if rows.iter().zip(declared).all(|(row, declared)| Arc::ptr_eq(row, declared)) {
            return HashMap::new();
        }
        let declared: HashMap<&str, &Arc<Row>> = declared.iter().map(|row| (&**row.id(), row)).collect();
        let is_changed = |row: &&Arc<Row>| {
            let declared = declared.get(&**row.id());
            declared.is_some_and(|declared| !Arc::ptr_eq(row, declared) && row.fields() != declared.fields())
        };
        rows.declared().filter(is_changed).map(|row| (&**row.id(), row)).collect()
    }

    /// The highest number in a declared id.
    pub(in crate::engine) fn declared_highest(&self) -> u64 {
        highest_number(self.prefix(), self.declared.rows())
    }

    /// Whether a row without a declared id has another id than at the start.
    pub(in crate::engine) fn has_kept_ids(&self) -> bool {
        self.has_kept_ids
    }

    /// The ids of the rows without declared ids, in order, as JSON; empty if they are the same as at the start.
    pub(in crate::engine) fn kept_ids(&self) -> Vec<Value> {
        let assigned = self.declared.rows().iter().filter(|row| self.has_kept_ids && row.has_assigned_id());
        assigned.map(|row| row.id_json()).collect()
    }

    /// Returns the same collection with the declared rows replaced by `rows`, which have other ids.
    pub(in crate::engine) fn declaring(&self, rows: Vec<Arc<Row>>) -> Self {
        Self { declared: Arc::new(self.declared.with_rows(rows)), has_kept_ids: true, ..self.clone() }
    }

    /// Restores [`RowSet::kept_ids`] into a collection that is as at the start; `None` if it declares other rows.
    pub(in crate::engine) fn with_kept_ids(&self, ids: Vec<Value>) -> Option<Self> {
        if ids.is_empty() {
            return Some(self.clone());
        }
        let mut ids = ids.into_iter();
        let row = |row: &Arc<Row>| {
            if !row.has_assigned_id() {
                return Some(row.clone());
            }
            let (id, is_number) = match ids.next()? {
                Value::String(id) => (id.into(), false),
                id => (id.as_i64()?.to_string().into(), true),
            };
            Some(Arc::new(row.with_id(id).with_number_id(is_number)))
        };
        let rows: Vec<Arc<Row>> = self.declared.rows().iter().map(row).collect::<Option<_>>()?;
        let different: HashSet<&str> = rows.iter().map(|row| &**row.id()).collect();
        let fits = ids.next().is_none() && different.len() == rows.len();
        fits.then(|| self.declaring(rows.clone()).with_rows(rows, Vec::new()))
    }
}
