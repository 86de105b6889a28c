//! The commands that change rows.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::CommandSource;
use super::increment::increment;
use crate::engine::counters::{Counter, CounterChange};
use crate::engine::event::{Event, EventKind};
use crate::engine::refusal::{MAX_COLLECTION_BYTES, Refusal};
use crate::engine::{Engine, counter};
use crate::scenario::Row;

/// A row that its collection accepts, with its id.
pub(super) struct AcceptedRow {
    row: Arc<Row>,
    is_counted: bool,
    /// The number of UUIDs that its collection has drawn so far.
    uuids: u64,
}

/// A changed row and its previous state.
struct ChangedRow {
    id: Arc<str>,
    collection: Arc<str>,
    is_counted: bool,
    row: Arc<Row>,
    before: Arc<Row>,
}

impl Engine {
    /// Checks a row against its collection and gives it an id. Rows that a timeline adds to a collection with counters
    /// skip the checks of fields and size, because the scenario bounds their number.
    pub(super) fn accepted(
        &self,
        collection: &str,
        row: Arc<Row>,
        source: CommandSource,
    ) -> Result<AcceptedRow, Refusal> {
        let row_set = self.collections.require(collection)?;
        let is_counted = row_set.is_counted();
        let row = if is_counted { row } else { Arc::new(identified(&row)?) };
        if source != CommandSource::Timeline || !is_counted {
            row_set.check_fields(row.fields())?;
            if row_set.json_len() > MAX_COLLECTION_BYTES {
                return Err(row_set.full());
            }
        }
        let is_taken = |id: &str| if is_counted { self.counters.get(id).is_some() } else { row_set.row(id).is_some() };
        if row.id().is_empty() {
            let id = row_set.new_id(self.seed, is_taken);
            return Ok(AcceptedRow { row: Arc::new(id.apply_to(&row)), is_counted, uuids: id.uuids });
        }
        if is_taken(row.id()) {
            return Err(Refusal::DuplicateRow(row_set.name_of(row.id())));
        }
        Ok(AcceptedRow { row, is_counted, uuids: row_set.uuids() })
    }

    /// Adds an accepted row.
    pub(super) fn add_row(
        &mut self,
        collection: Arc<str>,
        accepted: AcceptedRow,
        announce: bool,
        events: &mut Vec<Event>,
    ) {
        let AcceptedRow { row, is_counted, uuids } = accepted;
        let (id, value) = (row.id().clone(), row.value());
        if is_counted {
            self.counters.insert(id.clone(), counter(collection.clone(), &row, false));
        }
        self.collections.add(&collection, row.clone(), uuids);
        events.push(self.event(EventKind::Added { id: id.clone(), collection, is_counted, row }));
        if is_counted && announce {
            // The row exists, and its value is in range because it was declared.
            events.extend(self.change_counter(&id, CounterChange::Set(value)));
        }
    }

    pub(super) fn remove_row(&mut self, collection: Option<&str>, id: Arc<str>) -> Result<Event, Refusal> {
        let unknown = || Refusal::UnknownRow(id.clone().into());
        let is_counted = match collection {
            Some(collection) => self.collections.find(collection, &id)?.0.is_counted(),
            None => true,
        };
        let collection = if is_counted {
            let Counter { collection, .. } = self.counters.remove(&id).ok_or_else(unknown)?;
            collection
        } else {
            collection.and_then(|name| self.collections.name(name)).cloned().unwrap_or_default()
        };
        let before = self.collections.remove(&collection, &id).ok_or_else(unknown)?;
        Ok(self.event(EventKind::Removed { id, collection, is_counted, before }))
    }

    pub(super) fn merge_row(
        &mut self,
        collection: &str,
        id: &str,
        fields: Map<String, Value>,
    ) -> Result<Event, Refusal> {
        let fields = without_id(id, fields)?;
        let named: Vec<String> = fields.keys().cloned().collect();
        self.change_fields(collection, id, &named, |own| {
            // Changed fields keep their position.
            own.extend(fields);
            Ok(())
        })
    }

    pub(super) fn increment_row(
        &mut self,
        collection: &str,
        id: &str,
        amounts: Map<String, Value>,
    ) -> Result<Event, Refusal> {
        let amounts = without_id(id, amounts)?;
        let named: Vec<String> = amounts.keys().cloned().collect();
        self.change_fields(collection, id, &named, |fields| increment(fields, amounts))
    }

    pub(super) fn replace_row(
        &mut self,
        collection: &str,
        id: &str,
        fields: Map<String, Value>,
    ) -> Result<Event, Refusal> {
        let fields = without_id(id, fields)?;
        self.collections.find(collection, id)?.0.check_fields(&fields)?;
        let ChangedRow { id, collection, is_counted, row, before } = self.change_row(collection, id, fields)?;
        Ok(self.event(EventKind::Replaced { id, collection, is_counted, row, before }))
    }

    /// Changes some fields of a row. Only these fields are checked: others may have been missing before.
    fn change_fields(
        &mut self,
        collection: &str,
        id: &str,
        named: &[String],
        change: impl FnOnce(&mut Map<String, Value>) -> Result<(), Refusal>,
    ) -> Result<Event, Refusal> {
        let (row_set, row) = self.collections.find(collection, id)?;
        let mut fields = row.fields().clone();
        change(&mut fields)?;
        row_set.check_some_fields(&fields, |field| named.iter().any(|named| named == field))?;
        let ChangedRow { id, collection, is_counted, row, before } = self.change_row(collection, id, fields)?;
        Ok(self.event(EventKind::Merged { id, collection, is_counted, row, before }))
    }

    /// Replaces the properties of a row.
    fn change_row(&mut self, collection: &str, id: &str, fields: Map<String, Value>) -> Result<ChangedRow, Refusal> {
        let (row_set, before) = self.collections.find(collection, id)?;
        let (row, before) = (Arc::new(before.with_fields(fields)), before.clone());
        if !row_set.has_room_for(&before, &row) {
            return Err(row_set.full());
        }
        let is_counted = row_set.is_counted();
        self.collections.replace(collection, row.clone());
        let collection = self.collections.name(collection).cloned().unwrap_or_default();
        Ok(ChangedRow { id: row.id().clone(), collection, is_counted, row, before })
    }
}

/// Returns a client's row with the id from its fields, if it has one.
fn identified(row: &Row) -> Result<Row, Refusal> {
    let refusal = || Refusal::Field { field: "id".to_owned(), expected: "string or integer".to_owned() };
    row.with_own_id().ok_or_else(refusal)
}

/// Returns the fields without the id, which must equal the row's. Ids compare as text.
fn without_id(id: &str, mut fields: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let is_same = match fields.shift_remove("id") {
        None => true,
        Some(Value::String(text)) => text == id,
        Some(Value::Number(number)) => number.to_string() == id,
        Some(_) => false,
    };
    if is_same { Ok(fields) } else { Err(Refusal::FixedId(id.into())) }
}
