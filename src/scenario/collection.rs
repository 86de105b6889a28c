//! Collections and their rows.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::units::MAX_TOTAL;

/// A collection: its API path, its id prefix, and its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    pub(super) name: Arc<str>,
    pub(super) prefix: String,
    pub(super) rows: Arc<[Arc<Row>]>,
    pub(super) fields: Vec<(String, FieldRule)>,
    /// Whether each of its rows has a counter. Ids of rows with counters are unique in the scenario; other ids are
    /// unique in their collection.
    pub(super) is_counted: bool,
    pub(super) ids: IdScheme,
}

/// How rows added without an id get their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdScheme {
    /// The prefix, which may be empty, followed by the next number.
    Numbered,
    /// A random UUID from the seed.
    Uuid,
}

impl Collection {
    /// Returns the name, which is unique in the scenario.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the id prefix of added rows; empty if these ids are numbers.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns whether each of its rows has a counter.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// Returns how rows added without an id get their ids.
    #[must_use]
    pub fn ids(&self) -> IdScheme {
        self.ids
    }

    /// Returns the declared rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    /// Returns the collection with other rows.
    #[must_use]
    pub(crate) fn with_rows(&self, rows: Vec<Arc<Row>>) -> Self {
        Self { rows: rows.into(), ..self.clone() }
    }

    /// Returns the keys in which it differs from another collection, apart from the rows.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let keys = [("prefix", self.prefix != other.prefix), ("fields", self.fields != other.fields)];
        keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }

    /// Returns the fields that a row sent by a client must have; empty if any row is accepted.
    #[must_use]
    pub fn fields(&self) -> &[(String, FieldRule)] {
        &self.fields
    }
}

/// A row, and the initial value of its counter.
///
/// Two rows are equal if they have the same id, properties and initial value, whether the id was declared or assigned.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) id: Arc<str>,
    pub(super) has_assigned_id: bool,
    /// Whether the API writes the id as a number. Everywhere else it is text.
    pub(super) has_number_id: bool,
    pub(super) fields: Map<String, Value>,
    pub(super) order: Map<String, Value>,
    pub(super) value: i64,
}

impl Row {
    /// Creates a row as clients add it: without extra order properties, and with a counter that starts at 0.
    #[must_use]
    pub fn new(id: Arc<str>, fields: Map<String, Value>) -> Self {
        Self::from_parts(id, fields, Map::new(), 0)
    }

    /// Creates a row with all its parts.
    #[must_use]
    pub(crate) fn from_parts(id: Arc<str>, fields: Map<String, Value>, order: Map<String, Value>, value: i64) -> Self {
        Self { id, has_assigned_id: false, has_number_id: false, fields, order, value }
    }

    /// Returns the row with another id.
    #[must_use]
    pub(crate) fn with_id(&self, id: Arc<str>) -> Self {
        Self { id, ..self.clone() }
    }

    /// Returns the row with other properties.
    #[must_use]
    pub(crate) fn with_fields(&self, fields: Map<String, Value>) -> Self {
        Self { fields, id: self.id.clone(), order: self.order.clone(), ..*self }
    }

    /// Returns the row with its property `id` as its id, if it has one: text, or an integer, which the API writes as a
    /// number. A null id counts as missing. `None` if the id is anything else.
    #[must_use]
    pub(crate) fn with_own_id(&self) -> Option<Self> {
        let mut fields = self.fields.clone();
        let (id, has_number_id): (Arc<str>, bool) = match fields.shift_remove("id") {
            None | Some(Value::Null) => return Some(self.with_fields(fields)),
            Some(Value::String(id)) if !id.is_empty() => (id.into(), false),
            Some(Value::Number(id)) => (id.as_i64()?.to_string().into(), true),
            Some(_) => return None,
        };
        Some(Self { id, has_number_id, ..self.with_fields(fields) })
    }

    /// Returns whether the id was assigned because the scenario declares none. It is then the collection's prefix and a
    /// number, assigned by position.
    #[must_use]
    pub fn has_assigned_id(&self) -> bool {
        self.has_assigned_id
    }

    /// Returns everything except the id.
    pub(crate) fn content(&self) -> (&Map<String, Value>, &Map<String, Value>, i64) {
        (&self.fields, &self.order, self.value)
    }

    /// Returns the row with an id that the API writes as a number or as text.
    #[must_use]
    pub(crate) fn with_number_id(self, has_number_id: bool) -> Self {
        Self { has_number_id, ..self }
    }

    /// Returns whether the API writes the id as a number.
    #[must_use]
    pub fn has_number_id(&self) -> bool {
        self.has_number_id
    }

    /// Returns the id as the API writes it.
    #[must_use]
    pub fn id_json(&self) -> Value {
        let number = if self.has_number_id { self.id.parse::<i64>().ok() } else { None };
        number.map_or_else(|| Value::from(&*self.id), Value::from)
    }

    /// Returns whether its order frames contain more than a text id and the value.
    #[must_use]
    pub(crate) fn has_own_frames(&self) -> bool {
        self.has_number_id || !self.order.is_empty()
    }

    /// Returns the properties in which it differs from another row, including `order` for its extra order properties.
    /// If only the order of the properties differs, all of them are returned.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        let differs = |key: &&String| self.fields.get(*key) != other.fields.get(*key);
        let mut keys: Vec<String> = self.fields.keys().filter(differs).cloned().collect();
        keys.extend(other.fields.keys().filter(|key| !self.fields.contains_key(*key)).cloned());
        if keys.is_empty() && !self.fields.keys().eq(other.fields.keys()) {
            keys = self.fields.keys().cloned().collect();
        }
        if self.order != other.order {
            keys.push("order".to_owned());
        }
        if self.has_number_id != other.has_number_id {
            keys.push("id".to_owned());
        }
        keys
    }

    /// Returns the id, which is unique in the scenario.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Returns the row as the API shows it: `id`, then its own properties in declared order.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut fields = Map::with_capacity(self.fields.len() + 1);
        fields.insert("id".to_owned(), self.id_json());
        fields.extend(self.fields.iter().map(|(key, value)| (key.clone(), value.clone())));
        Value::Object(fields)
    }

    /// Returns its own properties in declared order, without the id.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Returns the extra properties of its order frames.
    #[must_use]
    pub fn order(&self) -> &Map<String, Value> {
        &self.order
    }

    /// Returns the initial value of its counter.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.value
    }
}

impl Eq for Row {}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.has_number_id) == (&other.id, other.has_number_id) && self.content() == other.content()
    }
}

/// Serializes the row as the API shows it: `id`, then its own properties in declared order.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 1))?;
        if self.has_number_id {
            map.serialize_entry("id", &self.id_json())?;
        } else {
            map.serialize_entry("id", &*self.id)?;
        }
        for (key, value) in &self.fields {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The largest number in an id; ids with larger numbers are plain text, from which no next number is derived.
const MAX_NUMBER: u64 = MAX_TOTAL.unsigned_abs();

/// Returns the number in an id that consists of the prefix and a number.
pub(crate) fn row_number(prefix: &str, id: &str) -> Option<u64> {
    let digits = id.strip_prefix(prefix)?;
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    number.filter(|number| *number <= MAX_NUMBER)
}

/// The rule for one field of a row sent by a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRule {
    pub(super) types: Vec<JsonType>,
    pub(super) optional: bool,
}

impl FieldRule {
    /// Returns whether the field may be missing.
    #[must_use]
    pub fn optional(&self) -> bool {
        self.optional
    }

    /// Returns whether the value has one of the allowed types.
    #[must_use]
    pub fn allows(&self, value: &Value) -> bool {
        self.types.iter().any(|r#type| r#type.matches(value))
    }

    /// Returns the allowed types in words, such as `string or number`.
    #[must_use]
    pub fn describe(&self) -> String {
        self.types.iter().map(|r#type| r#type.name()).collect::<Vec<_>>().join(" or ")
    }
}

/// A JSON type (RFC 8259, section 1), with `integer` as a type of its own, as in JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(
    rename = "type",
    description = "A JSON type; `integer` is a number without a fraction.",
    // An unquoted `null` is not text in YAML.
    extend("type" = ["string", "null"], "enum" = ["string", "number", "integer", "boolean", "object", "array", "null", null])
)]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum JsonType {
    String,
    Number,
    Integer,
    Boolean,
    Object,
    Array,
    Null,
}

impl JsonType {
    fn matches(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Null => value.is_null(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
            Self::Null => "null",
        }
    }
}

/// Scenarios with `data`, for tests of the engine.
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
impl super::Scenario {
    /// Creates a scenario without collections.
    pub(crate) fn of_data() -> Self {
        let scenario = super::parse(&super::Source::new("data.yaml", "categories: { toys: { prefix: T } }")).unwrap();
        Self { collections: Vec::new(), ..scenario }
    }

    /// Adds a collection of these rows, which have ids and no counters.
    pub(crate) fn with_collection(mut self, name: &str, prefix: &str, ids: IdScheme, rows: &Value) -> Self {
        let row = |row: &Value| {
            let row = Row::new(Arc::default(), row.as_object().unwrap().clone());
            Arc::new(row.with_own_id().unwrap())
        };
        let rows = rows.as_array().unwrap().iter().map(row).collect();
        let (name, prefix) = (name.into(), prefix.to_owned());
        self.collections.push(Collection { name, prefix, rows, fields: Vec::new(), is_counted: false, ids });
        self
    }

    /// Adds a value of `data`.
    pub(crate) fn with_value(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.into(), Arc::new(value));
        self
    }
}
