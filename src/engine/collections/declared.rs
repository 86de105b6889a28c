//! The rows that the scenario declares, beside those that a collection has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::{RowSet, highest_number};
use crate::scenario::{Collection, Row};

impl RowSet {
    /// What the scenario declares, with the ids that its rows have here.
    pub(in crate::engine) fn declaration(&self) -> &Collection {
        &self.declared
    }

    /// The declared rows, in order, with the ids that they have here.
    pub(in crate::engine) fn declared_rows(&self) -> &[Arc<Row>] {
        self.declared.rows()
    }

    /// The row of that id, if it continues a declared one.
    pub(in crate::engine) fn declared_row(&self, id: &str) -> Option<&Arc<Row>> {
        self.row(id).filter(|_| self.rows.is_declared(id))
    }

    /// The row of that id, if it was added at run time.
    pub(in crate::engine) fn added_row(&self, id: &str) -> Option<&Arc<Row>> {
        self.row(id).filter(|_| !self.rows.is_declared(id))
    }

    /// Whether its rows are those that the scenario declares.
    pub(in crate::engine) fn is_as_declared(&self) -> bool {
        let declared = self.declared.rows();
        self.rows.len() == declared.len()
            && self.rows.iter().zip(declared).all(|(row, declared)| Arc::ptr_eq(row, declared))
    }

    /// The rows, by id, that a merge or a replacement has made other than the collection declares them.
    pub(in crate::engine) fn changed(&self) -> HashMap<&str, &Arc<Row>> {
        let (rows, declared) = (&self.rows, self.declared.rows());
        if rows.iter().zip(declared).all(|(row, declared)| Arc::ptr_eq(row, declared)) {
            return HashMap::new();
        }
        let declared: HashMap<&str, &Arc<Row>> = declared.iter().map(|row| (&**row.id(), row)).collect();
        let is_changed = |row: &&Arc<Row>| {
            let declared = declared.get(&**row.id());
            declared.is_some_and(|declared| !Arc::ptr_eq(row, declared) && row.own() != declared.own())
        };
        rows.declared().filter(is_changed).map(|row| (&**row.id(), row)).collect()
    }

    /// The highest number of an id that the scenario declares.
    pub(in crate::engine) fn declared_highest(&self) -> u64 {
        highest_number(self.prefix(), self.declared.rows())
    }

    /// Whether a row that declares no id has another one here than at the start.
    pub(in crate::engine) fn has_kept_ids(&self) -> bool {
        self.has_kept_ids
    }

    /// The ids of the rows that declare none, in order, as the API writes them; empty if they are those of the start.
    pub(in crate::engine) fn kept_ids(&self) -> Vec<Value> {
        let made = self.declared.rows().iter().filter(|row| self.has_kept_ids && row.has_made_id());
        made.map(|row| row.id_json()).collect()
    }

    /// The same rows in a collection that declares its own with other ids.
    pub(in crate::engine) fn declaring(&self, rows: Vec<Arc<Row>>) -> Self {
        Self { declared: Arc::new(self.declared.with_rows(rows)), has_kept_ids: true, ..self.clone() }
    }

    /// A collection that is as at the start, with [`RowSet::kept_ids`]. `None` if it declares other rows.
    pub(in crate::engine) fn with_kept_ids(&self, ids: Vec<Value>) -> Option<Self> {
        if ids.is_empty() {
            return Some(self.clone());
        }
        let mut ids = ids.into_iter();
        let row = |row: &Arc<Row>| {
            if !row.has_made_id() {
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
