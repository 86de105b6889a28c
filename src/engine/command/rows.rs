//! What commands do to rows.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::CommandSource;
use crate::engine::counters::{Counter, CounterChange};
use crate::engine::event::{Event, EventKind, MAX_COLLECTION_BYTES, Refusal};
use crate::engine::{Engine, counter};
use crate::scenario::Row;

impl Engine {
    /// A row as it may come in the collection, with an id. Only what a client sends is held to the collection's fields and
    /// to its size.
    pub(super) fn accepted(&self, collection: &str, row: Arc<Row>, source: CommandSource) -> Result<Arc<Row>, Refusal> {
        let row_set = self.collections.get(collection).ok_or_else(|| Refusal::UnknownCollection(collection.into()))?;
        if source != CommandSource::Timeline {
            row_set.accept(row.own())?;
            if row_set.json_len() > MAX_COLLECTION_BYTES {
                return Err(Refusal::Full { collection: collection.into() });
            }
        }
        let row = if row.id().is_empty() { Arc::new(self.numbered(row_set, &row)) } else { row };
        match self.counters.get(row.id()) {
            Some(_) => Err(Refusal::DuplicateRow(row.id().clone())),
            None => Ok(row),
        }
    }

    /// Adds a row that is accepted.
    pub(super) fn add_row(&mut self, collection: Arc<str>, row: &Arc<Row>, announce: bool, events: &mut Vec<Event>) {
        let id = row.id();
        self.counters.insert(id.clone(), counter(collection.clone(), row, false));
        self.collections.add(&collection, row.clone());
        events.push(self.event(EventKind::Added { id: id.clone(), collection }));
        if announce {
            // The row is there, and its value is in range: it was declared.
            events.extend(self.change_counter(id, CounterChange::Set(row.value())));
        }
    }

    pub(super) fn remove_row(&mut self, collection: Option<&str>, id: Arc<str>) -> Result<Event, Refusal> {
        if let Some(collection) = collection {
            self.collections.find(collection, &id)?;
        }
        let Counter { collection, .. } = self.counters.remove(&id).ok_or_else(|| Refusal::UnknownRow(id.clone()))?;
        self.collections.remove(&collection, &id);
        Ok(self.event(EventKind::Removed { id, collection }))
    }

    pub(super) fn merge_row(
        &mut self,
        collection: &str,
        id: &str,
        fields: Map<String, Value>,
    ) -> Result<Event, Refusal> {
        let fields = without_id(id, fields)?;
        let (row_set, row) = self.collections.find(collection, id)?;
        let named: Vec<String> = fields.keys().cloned().collect();
        let mut own = row.own().clone();
        merge(&mut own, fields);
        // What it lacked before is not this change's fault.
        row_set.accept_fields(&own, |field| named.iter().any(|named| named == field))?;
        let (id, collection) = self.change_row(collection, id, own)?;
        Ok(self.event(EventKind::Merged { id, collection }))
    }

    pub(super) fn replace_row(
        &mut self,
        collection: &str,
        id: &str,
        fields: Map<String, Value>,
    ) -> Result<Event, Refusal> {
        let own = without_id(id, fields)?;
        self.collections.find(collection, id)?.0.accept(&own)?;
        let (id, collection) = self.change_row(collection, id, own)?;
        Ok(self.event(EventKind::Replaced { id, collection }))
    }

    /// Gives a row other properties, and says what it and its collection are called.
    fn change_row(
        &mut self,
        collection: &str,
        id: &str,
        own: Map<String, Value>,
    ) -> Result<(Arc<str>, Arc<str>), Refusal> {
        let (row_set, row) = self.collections.find(collection, id)?;
        let changed = Arc::new(row.with_own(own));
        if !row_set.has_room_for(row, &changed) {
            return Err(Refusal::Full { collection: collection.into() });
        }
        let id = changed.id().clone();
        self.collections.replace(collection, changed);
        Ok((id, self.collections.name(collection).cloned().unwrap_or_default()))
    }
}

/// The fields but the id, which has to be that of the row. Ids compare as text.
fn without_id(id: &str, mut fields: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let is_same = match fields.shift_remove("id") {
        None => true,
        Some(Value::String(text)) => text == id,
        Some(Value::Number(number)) => number.to_string() == id,
        Some(_) => false,
    };
    if is_same { Ok(fields) } else { Err(Refusal::FixedId(id.into())) }
}

/// Merges a patch into an object (RFC 7396). What is changed keeps its place.
fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.shift_remove(&key)),
            Value::Object(patch) => {
                let place = target.entry(key).or_insert(Value::Null);
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                if let Value::Object(target) = place {
                    merge(target, patch);
                }
            }
            value => drop(target.insert(key, value)),
        }
    }
}
