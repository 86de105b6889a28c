//! The view of the data that expressions see at one moment.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::engine::collections::{Collections, RowSet};
use crate::engine::refusal::Refusal;
use crate::engine::values::DataValues;
use crate::expression::{Data, Rows};

/// The data and the time at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'m> {
    /// The collections.
    pub collections: &'m Collections,
    /// The values of `data`.
    pub values: &'m DataValues,
    /// The time, in milliseconds since the Unix epoch.
    pub now: i64,
    bodies: Option<&'m DataBodies>,
}

/// A cache of encoded bodies for answers that depend only on data. It is valid for the data of a single moment.
#[derive(Debug, Default)]
pub struct DataBodies(RwLock<HashMap<BodyPlace, Bytes>>);

/// A route's key and the number of one of its answers.
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
    /// Creates a view at world time `time`. `started` is the date and time at world time 0, in milliseconds since the
    /// Unix epoch.
    pub(crate) fn at(collections: &'m Collections, values: &'m DataValues, started: i64, time: Duration) -> Self {
        Self { collections, values, now: wall_clock(started, time), bodies: None }
    }

    /// Attaches the bodies that were encoded from the same data.
    pub(crate) fn with_bodies(self, bodies: &'m DataBodies) -> Self {
        Self { bodies: Some(bodies), ..self }
    }

    /// Returns the encoded body of an answer that depends only on data. Calls `make` if the body is not cached.
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

    /// Resolves a name of `data`.
    pub(super) fn resolve(&self, name: &str) -> Option<Data> {
        if let Some(value) = self.values.get(name) {
            return Some(Data::shared(value));
        }
        self.collections.shared(name).map(|rows| Data::rows(RowsOf(rows)))
    }
}

/// Converts a world time to milliseconds since the Unix epoch.
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
