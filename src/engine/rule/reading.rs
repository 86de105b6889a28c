//! What expressions see of the data at one moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::engine::collections::{Collections, RowSet};
use crate::engine::values::DataValues;
use crate::expression::{Data, Rows};

/// The data of a moment, and the time.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'m> {
    /// The collections.
    pub collections: &'m Collections,
    /// The values of `data`.
    pub values: &'m DataValues,
    /// The time, in milliseconds since 1970.
    pub now: i64,
}

impl<'m> Reading<'m> {
    /// The data, and the time that long after time 0, which was at `started` in milliseconds since 1970.
    pub(crate) fn at(collections: &'m Collections, values: &'m DataValues, started: i64, time: Duration) -> Self {
        Self { collections, values, now: wall_clock(started, time) }
    }

    /// What a name of `data` stands for.
    pub(super) fn root(&self, name: &str) -> Option<Data> {
        if let Some(value) = self.values.get(name) {
            return Some(Data::shared(value));
        }
        self.collections.shared(name).map(|rows| Data::rows(RowsOf(rows)))
    }
}

/// The date and time, in milliseconds since 1970.
pub(super) fn wall_clock(started: i64, time: Duration) -> i64 {
    started.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

#[derive(Debug)]
struct RowsOf(Arc<RowSet>);

impl Rows for RowsOf {
    fn count(&self) -> usize {
        self.0.rows().len()
    }

    fn at(&self, index: usize) -> Option<Arc<Value>> {
        self.0.rows().get(index).map(|row| Arc::new(row.to_json()))
    }

    fn with_id(&self, id: &str) -> Option<Arc<Value>> {
        self.0.row(id).map(|row| Arc::new(row.to_json()))
    }
}
