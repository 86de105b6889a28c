//! The collections at one moment, with their rows.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::event::{MAX_COLLECTION_BYTES, Refusal};
use crate::scenario::{Collection, Row, Scenario, row_number};

/// The collections in declared order. A clone is cheap: it shares the rows.
#[derive(Debug, Clone, Default)]
pub struct Collections {
    row_sets: Arc<IndexMap<Arc<str>, Arc<RowSet>>>,
}

/// One collection's rows.
#[derive(Debug, Clone)]
pub struct RowSet {
    declared: Collection,
    rows: Arc<Vec<Arc<Row>>>,
    /// The highest number that an id of this collection ever had; numbers are not used twice.
    highest: u64,
    /// Bytes of the rows as JSON, each with what separates it from the next. Counted when a client first adds a row.
    bytes: OnceLock<usize>,
}

impl Collections {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let row_sets = scenario.collections().iter().map(|collection| {
            let rows = collection.rows().to_vec();
            (collection.name().clone(), Arc::new(RowSet::new(collection.clone(), rows, 0)))
        });
        Self { row_sets: Arc::new(row_sets.collect()) }
    }

    /// The collections in declared order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &RowSet)> {
        self.row_sets.iter().map(|(name, row_set)| (name, &**row_set))
    }

    /// The collection of that name.
    #[must_use]
    pub fn get(&self, collection: &str) -> Option<&RowSet> {
        self.row_sets.get(collection).map(|row_set| &**row_set)
    }

    /// The collection of that name, to be kept.
    pub(super) fn shared(&self, collection: &str) -> Option<Arc<RowSet>> {
        self.row_sets.get(collection).cloned()
    }

    /// The name of a collection, as all share it.
    pub(crate) fn name(&self, collection: &str) -> Option<&Arc<str>> {
        self.row_sets.get_key_value(collection).map(|(name, _)| name)
    }

    /// Whether it is a clone of the other, and neither has changed since.
    pub(crate) fn shares_row_sets_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.row_sets, &other.row_sets)
    }

    /// Whether any collection has the row.
    #[must_use]
    pub fn has_row(&self, id: &str) -> bool {
        self.row_sets.values().any(|row_set| row_set.rows.iter().any(|row| &**row.id() == id))
    }

    pub(super) fn put(&mut self, name: Arc<str>, row_set: RowSet) {
        Arc::make_mut(&mut self.row_sets).insert(name, Arc::new(row_set));
    }

    /// Numbers up to this one are not used again in the collection.
    pub(super) fn keep_numbers(&mut self, collection: &str, highest: u64) {
        if self.get(collection).is_some_and(|row_set| row_set.highest < highest) {
            self.change(collection, |row_set| RowSet { highest, ..row_set.clone() });
        }
    }

    /// A row of a collection, and the collection.
    ///
    /// # Errors
    /// [`Refusal`] if one of them does not exist.
    pub(super) fn find(&self, collection: &str, id: &str) -> Result<(&RowSet, &Arc<Row>), Refusal> {
        let row_set = self.get(collection).ok_or_else(|| Refusal::UnknownCollection(collection.into()))?;
        let row = row_set.rows.iter().find(|row| &**row.id() == id).ok_or_else(|| Refusal::UnknownRow(id.into()))?;
        Ok((row_set, row))
    }

    /// Whether it has the rows of the other, of which it is a clone, in the same collections: none came, went or changed.
    pub(super) fn shares_rows_with(&self, other: &Self) -> bool {
        let pairs = self.row_sets.iter().zip(&*other.row_sets);
        self.row_sets.len() == other.row_sets.len()
            && pairs.into_iter().all(|((name, one), (of, other))| name == of && Arc::ptr_eq(&one.rows, &other.rows))
    }

    /// Replaces the row of that id in a collection.
    pub(super) fn replace(&mut self, collection: &str, row: Arc<Row>) {
        self.change(collection, |row_set| row_set.with_changed(row));
    }

    /// Adds a row to a collection, after the others.
    pub(super) fn add(&mut self, collection: &str, row: Arc<Row>) {
        self.change(collection, |row_set| row_set.with(row));
    }

    /// Removes a row from a collection.
    pub(super) fn remove(&mut self, collection: &str, id: &str) {
        self.change(collection, |row_set| row_set.without(id));
    }

    /// Replaces a collection's listing. Readers of the old one keep it.
    fn change(&mut self, collection: &str, change: impl FnOnce(&RowSet) -> RowSet) {
        if let Some(row_set) = Arc::make_mut(&mut self.row_sets).get_mut(collection) {
            *row_set = Arc::new(change(row_set));
        }
    }
}

impl RowSet {
    pub(super) fn new(declared: Collection, rows: Vec<Arc<Row>>, highest: u64) -> Self {
        let highest = highest_number(declared.prefix(), &rows).max(highest);
        Self { declared, rows: Arc::new(rows), highest, bytes: OnceLock::new() }
    }

    /// The rows in order: declared ones, then added ones.
    #[must_use]
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    pub fn row(&self, id: &str) -> Option<&Arc<Row>> {
        self.rows.iter().find(|row| &**row.id() == id)
    }
    pub(super) fn unknown(&self, id: &str) -> Refusal {
        Refusal::UnknownRow(id.into())
    }
    /// The same collection with other rows.
    pub(super) fn with_rows(&self, rows: Vec<Arc<Row>>) -> Self {
        Self::new(self.declared.clone(), rows, self.highest)
    }

    /// The rows, by id, that a merge or a replacement has made other than the collection declares them.
    pub(super) fn changed(&self) -> HashMap<&str, &Arc<Row>> {
        let (rows, declared) = (&self.rows, self.declared.rows());
        if rows.iter().zip(declared).all(|(row, declared)| Arc::ptr_eq(row, declared)) {
            return HashMap::new();
        }
        let declared: HashMap<&str, &Arc<Row>> = declared.iter().map(|row| (&**row.id(), row)).collect();
        let is_changed = |row: &&Arc<Row>| {
            let declared = declared.get(&**row.id());
            declared.is_some_and(|declared| !Arc::ptr_eq(row, declared) && row.own() != declared.own())
        };
        rows.iter().filter(is_changed).map(|row| (&**row.id(), row)).collect()
    }

    pub(super) fn by_id(&self) -> HashMap<&str, &Arc<Row>> {
        self.rows.iter().map(|row| (&**row.id(), row)).collect()
    }

    /// What ids of added rows start with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.declared.prefix()
    }

    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// The highest number of an id that the scenario declares.
    pub(super) fn declared_highest(&self) -> u64 {
        highest_number(self.prefix(), self.declared.rows())
    }

    /// Bytes of the rows as a JSON array.
    pub(super) fn json_len(&self) -> usize {
        let bytes = self.bytes.get_or_init(|| self.rows.iter().map(|row| json_len(row)).sum());
        // `[`, and a comma or `]` after each.
        (1 + bytes).max("[]".len())
    }

    /// The same collection with another row, after the others.
    fn with(&self, row: Arc<Row>) -> Self {
        let bytes = self.bytes.get().map(|bytes| bytes + json_len(&row)).map(OnceLock::from).unwrap_or_default();
        let number = row_number(self.prefix(), row.id()).unwrap_or_default();
        let rows = Arc::new(self.rows.iter().cloned().chain([row]).collect());
        Self { declared: self.declared.clone(), rows, highest: self.highest.max(number), bytes }
    }

    /// The same collection without a row.
    fn without(&self, id: &str) -> Self {
        let (removed, rows): (Vec<_>, Vec<_>) = self.rows.iter().cloned().partition(|row| &**row.id() == id);
        let removed = || removed.iter().map(|row| json_len(row)).sum::<usize>();
        let bytes = self.bytes.get().map(|bytes| bytes - removed()).map(OnceLock::from).unwrap_or_default();
        Self { declared: self.declared.clone(), rows: Arc::new(rows), highest: self.highest, bytes }
    }

    /// The same collection with another row in the place of the one with its id.
    fn with_changed(&self, row: Arc<Row>) -> Self {
        let Some(at) = self.rows.iter().position(|one| one.id() == row.id()) else { return self.clone() };
        let bytes = self.bytes.get().map(|bytes| bytes - json_len(&self.rows[at]) + json_len(&row));
        let mut rows = self.rows.to_vec();
        rows[at] = row;
        Self { rows: Arc::new(rows), bytes: bytes.map(OnceLock::from).unwrap_or_default(), ..self.clone() }
    }

    /// Whether one of its rows may become another; one that grows may not take more than [`MAX_COLLECTION_BYTES`].
    pub(super) fn has_room_for(&self, row: &Row, changed: &Row) -> bool {
        let (before, after) = (json_len(row), json_len(changed));
        after <= before || self.json_len() - before + after <= MAX_COLLECTION_BYTES
    }

    /// The ids that this collection would give next.
    pub(super) fn next_ids(&self) -> impl Iterator<Item = Arc<str>> {
        (self.highest.saturating_add(1)..).map(|number| format!("{}{number}", self.prefix()).into())
    }

    /// Checks a row that a client sends against the declared fields.
    pub(super) fn accept(&self, own: &Map<String, Value>) -> Result<(), Refusal> {
        self.accept_fields(own, |_| true)
    }

    /// As [`RowSet::accept`], but only looks at some of the fields.
    pub(super) fn accept_fields(
        &self,
        own: &Map<String, Value>,
        is_looked_at: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        for (field, rule) in self.declared.fields().iter().filter(|(field, _)| is_looked_at(field)) {
            let fits = own.get(field).map_or(rule.optional(), |value| rule.allows(value));
            if !fits {
                return Err(Refusal::Field { field: field.clone(), expected: rule.describe() });
            }
        }
        Ok(())
    }
}

fn highest_number(prefix: &str, rows: &[Arc<Row>]) -> u64 {
    rows.iter().filter_map(|row| row_number(prefix, row.id())).max().unwrap_or(0)
}

/// Bytes of a row as JSON in an array, with the comma or bracket after it.
pub(super) fn json_len(row: &Row) -> usize {
    /// Counts what is written.
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

    let mut count = Count(1);
    // Serialising strings, numbers and maps with string keys cannot fail, and counting cannot either.
    let _ = serde_json::to_writer(&mut count, row);
    count.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use super::*;
    use crate::scenario::{Source, parse};

    #[test]
    fn bytes_are_those_of_the_json_as_rows_come_and_go() {
        let text = "categories: { toys: { prefix: T, products: [{ id: T1, name: \"ü\" }, { id: T2 }] } }";
        let mut collections = Collections::new(&parse(&Source::new("toys.yaml", text)).unwrap());
        let expect_counted = |collections: &Collections| {
            let row_set = collections.get("toys").unwrap();
            assert_eq!(row_set.json_len(), serde_json::to_string(row_set.rows()).unwrap().len());
        };
        expect_counted(&collections);
        let own = Map::from_iter([("name".to_owned(), Value::from("\u{1f600}\n"))]);
        collections.add("toys", Arc::new(Row::new("T3".into(), own)));
        expect_counted(&collections);
        for own in [Map::new(), Map::from_iter([("name".to_owned(), Value::from("longer than before"))])] {
            collections.replace("toys", Arc::new(Row::new("T1".into(), own)));
            expect_counted(&collections);
        }
        for id in ["T2", "T1", "T3"] {
            collections.remove("toys", id);
            expect_counted(&collections);
        }
    }
}
