//! What expressions see of the data at one moment.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::engine::collections::{Collections, RowSet};
use crate::engine::refusal::Refusal;
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
    bodies: Option<&'m DataBodies>,
}

/// Bodies of answers that depend on data alone, encoded when they are first asked for. They are of one moment's data.
#[derive(Debug, Default)]
pub struct DataBodies(RwLock<HashMap<BodyPlace, Bytes>>);

/// A route's key, and the number of the answer there.
type BodyPlace = (Arc<str>, usize);

impl DataBodies {
    fn get(&self, place: &BodyPlace) -> Option<Bytes> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn keep(&self, place: BodyPlace, body: Bytes) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(place, body);
    }
}

impl<'m> Reading<'m> {
    /// The data, and the time that long after time 0, which was at `started` in milliseconds since 1970.
    pub(crate) fn at(collections: &'m Collections, values: &'m DataValues, started: i64, time: Duration) -> Self {
        Self { collections, values, now: wall_clock(started, time), bodies: None }
    }

    /// The same, with the bodies that were made of this data already.
    pub(crate) fn with_bodies(self, bodies: &'m DataBodies) -> Self {
        Self { bodies: Some(bodies), ..self }
    }

    /// The body of an answer that depends on data alone.
    pub(super) fn body(
        &self,
        route: &Arc<str>,
        number: usize,
        make: impl FnOnce() -> Result<Value, Refusal>,
    ) -> Result<Bytes, Refusal> {
        let place = (route.clone(), number);
        if let Some(body) = self.bodies.and_then(|bodies| bodies.get(&place)) {
            return Ok(body);
        }
        let body = Bytes::from(make()?.to_string());
        if let Some(bodies) = self.bodies {
            bodies.keep(place, body.clone());
        }
        Ok(body)
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
