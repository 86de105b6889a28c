//! The collections of a world and their rows at one moment.

mod declared;
mod new_id;
mod pages;
mod retained;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

pub use self::pages::{RowIter, Rows};
use super::refusal::{MAX_COLLECTION_BYTES, Refusal, RowName};
use crate::scenario::{Collection, Row, Scenario, row_number};

/// The collections in declared order. A clone is cheap: it shares the rows.
#[derive(Debug, Clone, Default)]
pub struct Collections {
    row_sets: Arc<IndexMap<Arc<str>, Arc<RowSet>>>,
}

/// The rows of one collection. A clone is cheap: it shares the rows.
#[derive(Debug, Clone)]
pub struct RowSet {
    /// The declaration, with the ids that its rows have in this engine.
    declared: Arc<Collection>,
    /// Whether a reload has kept the ids of rows that declare none, so that they differ from those of a fresh start.
    has_kept_ids: bool,
    rows: Rows,
    /// The highest number ever used in an id of this collection. Numbers are not reused.
    highest: u64,
    /// The number of UUIDs drawn for ids of this collection.
    uuids: u64,
    /// The size in bytes of the rows as JSON, each with its separator. Computed when a client first adds a row.
    bytes: OnceLock<usize>,
}

impl Collections {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let row_sets = scenario.collections().iter().map(|collection| {
            (
                collection.name().clone(),
                Arc::new(RowSet::new(collection.clone(), collection.rows().to_vec(), Vec::new())),
            )
        });
        Self { row_sets: Arc::new(row_sets.collect()) }
    }

    /// Iterates over the collections in declared order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &RowSet)> {
        self.row_sets.iter().map(|(name, row_set)| (name, &**row_set))
    }

    /// Iterates over the collections whose rows have counters, in declared order.
    pub fn counted(&self) -> impl Iterator<Item = (&Arc<str>, &RowSet)> {
        self.iter().filter(|(_, row_set)| row_set.is_counted())
    }

    /// Iterates over the collections whose rows have no counters, in declared order.
    pub fn uncounted(&self) -> impl Iterator<Item = (&Arc<str>, &RowSet)> {
        self.iter().filter(|(_, row_set)| !row_set.is_counted())
    }

    /// Returns the collection named `collection`.
    #[must_use]
    pub fn get(&self, collection: &str) -> Option<&RowSet> {
        self.row_sets.get(collection).map(|row_set| &**row_set)
    }

    /// Returns the collection named `collection`, as a shared handle.
    pub(super) fn shared(&self, collection: &str) -> Option<Arc<RowSet>> {
        self.row_sets.get(collection).cloned()
    }

    /// Returns the collection named `collection` if its rows have counters.
    #[must_use]
    pub fn get_counted(&self, collection: &str) -> Option<&RowSet> {
        self.get(collection).filter(|row_set| row_set.is_counted())
    }

    /// Returns the shared name of a collection.
    pub(crate) fn name(&self, collection: &str) -> Option<&Arc<str>> {
        self.row_sets.get_key_value(collection).map(|(name, _)| name)
    }

    /// Whether both are clones of the same collections and neither has changed since.
    pub(crate) fn shares_row_sets_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.row_sets, &other.row_sets)
    }

    /// Whether a row with a counter has this id.
    #[must_use]
    pub fn has_counted_row(&self, id: &str) -> bool {
        // Rarely called: an index of all rows would not pay off.
        self.counted().any(|(_, row_set)| row_set.rows.iter().any(|row| &**row.id() == id))
    }

    /// Returns the refusal, but with a clearer one in place of [`Refusal::UnknownRow`] if no rows have counters.
    pub(super) fn clarified(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::UnknownRow(row) if self.counted().next().is_none() => Refusal::NothingCounted(row.id),
            other => other,
        }
    }

    /// Inserts a collection, or replaces the one with the same name.
    pub(super) fn put(&mut self, name: Arc<str>, row_set: RowSet) {
        Arc::make_mut(&mut self.row_sets).insert(name, Arc::new(row_set));
    }

    /// Reserves the id numbers up to `highest` in a collection.
    pub(super) fn reserve_numbers(&mut self, collection: &str, highest: u64) {
        if self.get(collection).is_some_and(|row_set| row_set.highest < highest) {
            self.change(collection, |row_set| row_set.highest = highest);
        }
    }

    /// Returns a row and its collection.
    ///
    /// # Errors
    /// [`Refusal`] if either does not exist.
    pub(super) fn find(&self, collection: &str, id: &str) -> Result<(&RowSet, &Arc<Row>), Refusal> {
        let row_set = self.require(collection)?;
        let row = row_set.row(id).ok_or_else(|| row_set.unknown(id))?;
        Ok((row_set, row))
    }

    /// Returns the collection named `collection`.
    ///
    /// # Errors
    /// [`Refusal::UnknownCollection`] if there is none.
    pub(super) fn require(&self, collection: &str) -> Result<&RowSet, Refusal> {
        self.get(collection).ok_or_else(|| Refusal::UnknownCollection(collection.into()))
    }

    /// Whether both have the same rows with counters, because they are clones and no such row has changed since.
    pub(super) fn shares_counted_rows_with(&self, other: &Self) -> bool {
        let mut pairs = self.counted().zip(other.counted());
        self.counted().count() == other.counted().count()
            && pairs
                .all(|((name, one), (other_name, other))| name == other_name && one.rows.shares_all_with(&other.rows))
    }

    /// Replaces the row with the same id in a collection and returns the previous one.
    pub(super) fn replace(&mut self, collection: &str, row: Arc<Row>) -> Option<Arc<Row>> {
        self.change(collection, |row_set| row_set.replace(row))?
    }

    /// Appends a row to a collection. `uuids` is the number of UUIDs drawn so far.
    pub(super) fn add(&mut self, collection: &str, row: Arc<Row>, uuids: u64) {
        self.change(collection, |row_set| {
            row_set.uuids = uuids;
            row_set.push(row);
        });
    }

    /// Removes a row from a collection and returns it.
    pub(super) fn remove(&mut self, collection: &str, id: &str) -> Option<Arc<Row>> {
        // The search builds the index of the rows. Before the copy, the worlds that share the rows share the index too.
        self.get(collection)?.row(id)?;
        self.change(collection, |row_set| row_set.remove(id))?
    }

    /// Changes a collection, copying it if it is shared. `None` if it does not exist.
    fn change<T>(&mut self, collection: &str, change: impl FnOnce(&mut RowSet) -> T) -> Option<T> {
        let row_set = Arc::make_mut(&mut self.row_sets).get_mut(collection)?;
        Some(change(Arc::make_mut(row_set)))
    }
}

impl RowSet {
    /// Creates a collection from rows that continue declared ones and rows added at run time.
    pub(super) fn new(declared: Collection, rows: Vec<Arc<Row>>, added: Vec<Arc<Row>>) -> Self {
        Self::of(Arc::new(declared), rows, added)
    }

    fn of(declared: Arc<Collection>, rows: Vec<Arc<Row>>, added: Vec<Arc<Row>>) -> Self {
        let highest = highest_number(declared.prefix(), rows.iter().chain(&added));
        let rows = Rows::new(rows, added);
        Self { declared, has_kept_ids: false, rows, highest, uuids: 0, bytes: OnceLock::new() }
    }

    /// The rows, in order: declared rows, then added rows.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Returns the row with this id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&Arc<Row>> {
        self.rows.by_id(id)
    }

    /// Whether both share their rows and will generate the same ids.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.rows.shares_all_with(&other.rows) && (self.highest, self.uuids) == (other.highest, other.uuids)
    }

    /// Whether each of its rows has a counter.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.declared.is_counted()
    }

    /// Returns the same collection with other rows: those that continue declared ones, and those added at run time.
    pub(super) fn with_rows(&self, declared: Vec<Arc<Row>>, added: Vec<Arc<Row>>) -> Self {
        let row_set = Self::of(self.declared.clone(), declared, added).with_ids_of(self);
        Self { has_kept_ids: self.has_kept_ids, ..row_set }
    }

    /// Returns the same rows in a collection that does not reuse any id given by `other`.
    pub(super) fn with_ids_of(self, other: &Self) -> Self {
        Self { highest: self.highest.max(other.highest), uuids: self.uuids.max(other.uuids), ..self }
    }

    /// Returns the same collection with `uuids` UUIDs drawn.
    pub(super) fn with_uuids(self, uuids: u64) -> Self {
        Self { uuids, ..self }
    }

    pub(super) fn by_id(&self) -> HashMap<&str, &Arc<Row>> {
        self.rows.iter().map(|row| (&**row.id(), row)).collect()
    }

    /// The prefix of the ids of added rows.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.declared.prefix()
    }

    /// The highest number ever used in an id.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// The number of UUIDs drawn for ids.
    pub(super) fn uuids(&self) -> u64 {
        self.uuids
    }

    /// The size of the rows as a JSON array, in bytes.
    pub(super) fn json_len(&self) -> usize {
        let bytes = self.bytes.get_or_init(|| self.rows.iter().map(|row| row_json_len(row)).sum());
        // `[`, and a comma or `]` after each row.
        (1 + bytes).max("[]".len())
    }

    /// Appends a row.
    fn push(&mut self, row: Arc<Row>) {
        if let Some(bytes) = self.bytes.get_mut() {
            *bytes += row_json_len(&row);
        }
        self.highest = self.highest.max(row_number(self.prefix(), row.id()).unwrap_or_default());
        self.rows.push(row);
    }

    fn remove(&mut self, id: &str) -> Option<Arc<Row>> {
        let removed = self.rows.remove(id)?;
        if let Some(bytes) = self.bytes.get_mut() {
            *bytes -= row_json_len(&removed);
        }
        Some(removed)
    }

    /// Replaces the row with the same id and returns the previous one.
    fn replace(&mut self, row: Arc<Row>) -> Option<Arc<Row>> {
        let added = self.bytes.get().map(|_| row_json_len(&row));
        let before = self.rows.replace(row)?;
        if let (Some(bytes), Some(added)) = (self.bytes.get_mut(), added) {
            *bytes = *bytes - row_json_len(&before) + added;
        }
        Some(before)
    }

    /// Returns the name of a row for a [`Refusal`]. Without a collection if the rows have counters, because their ids
    /// are unique in the world.
    pub(super) fn name_of(&self, id: &str) -> RowName {
        RowName { id: id.into(), collection: (!self.is_counted()).then(|| self.declared.name().clone()) }
    }

    /// Returns the refusal for a row that does not exist.
    pub(super) fn unknown(&self, id: &str) -> Refusal {
        Refusal::UnknownRow(self.name_of(id))
    }

    /// Returns the refusal for a collection without room for more rows.
    pub(super) fn full(&self) -> Refusal {
        Refusal::Full { collection: self.declared.name().clone(), is_counted: self.is_counted() }
    }

    /// Whether `row` may become `changed`. A row that grows must fit within [`MAX_COLLECTION_BYTES`].
    pub(super) fn has_room_for(&self, row: &Row, changed: &Row) -> bool {
        let (before, after) = (row_json_len(row), row_json_len(changed));
        after <= before || self.json_len() - before + after <= MAX_COLLECTION_BYTES
    }

    /// Checks the fields of a row against the declared fields.
    pub(super) fn check_fields(&self, fields: &Map<String, Value>) -> Result<(), Refusal> {
        self.check_some_fields(fields, |_| true)
    }

    /// Like [`RowSet::check_fields`], but checks only the fields for which `is_checked` returns `true`.
    pub(super) fn check_some_fields(
        &self,
        fields: &Map<String, Value>,
        is_checked: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        for (field, rule) in self.declared.fields().iter().filter(|(field, _)| is_checked(field)) {
            let fits = fields.get(field).map_or(rule.optional(), |value| rule.allows(value));
            if !fits {
                return Err(Refusal::Field { field: field.clone(), expected: rule.describe() });
            }
        }
        Ok(())
    }
}

fn highest_number<'r>(prefix: &str, rows: impl IntoIterator<Item = &'r Arc<Row>>) -> u64 {
    rows.into_iter().filter_map(|row| row_number(prefix, row.id())).max().unwrap_or(0)
}

/// The size in bytes of a row as JSON in an array, including the comma or bracket after it.
pub(super) fn row_json_len(row: &Row) -> usize {
    json_len(row) + 1
}

/// The size in bytes of a value as JSON.
pub(super) fn json_len(value: &impl Serialize) -> usize {
    /// A writer that only counts the bytes.
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Neither serialising rows and JSON values nor counting can fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::scenario::{Source, parse};

    #[test]
    fn the_counted_size_matches_the_json_as_rows_change() {
        let text = "categories: { toys: { prefix: T, products: [{ id: T1, name: \"ü\" }, { id: T2 }] } }";
        let mut collections = Collections::new(&parse(&Source::new("toys.yaml", text)).unwrap());
        let expect_counted = |collections: &Collections| {
            let row_set = collections.get("toys").unwrap();
            assert_eq!(row_set.json_len(), serde_json::to_string(row_set.rows()).unwrap().len());
        };
        expect_counted(&collections);
        let fields = Map::from_iter([("name".to_owned(), Value::from("\u{1f600}\n"))]);
        collections.add("toys", Arc::new(Row::new("T3".into(), fields)), 0);
        expect_counted(&collections);
        for fields in [Map::new(), Map::from_iter([("name".to_owned(), Value::from("longer than before"))])] {
            collections.replace("toys", Arc::new(Row::new("T1".into(), fields)));
            expect_counted(&collections);
        }
        for id in ["T2", "T1", "T3"] {
            collections.remove("toys", id);
            expect_counted(&collections);
        }
    }
}
