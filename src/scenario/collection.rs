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
    /// Whether each of its rows has a counter. Ids of rows with counters are unique in the scenario, other ids in
    /// their collection.
    pub(super) is_counted: bool,
    pub(super) ids: IdScheme,
}

/// The ids of rows added without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdScheme {
    /// The prefix, which may be empty, followed by the next number.
    Numbered,
    /// A random UUID from the seed.
    Uuid,
}

impl Collection {
    /// The name, unique in the scenario.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The prefix of the ids of added rows; empty if these are numbers.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether each of its rows has a counter.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// The ids of rows added without one.
    #[must_use]
    pub fn ids(&self) -> IdScheme {
        self.ids
    }

    /// The declared rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    /// The same collection with other rows.
    #[must_use]
    pub(crate) fn with_rows(&self, rows: Vec<Arc<Row>>) -> Self {
        Self { rows: rows.into(), ..self.clone() }
    }

    /// The keys, apart from its rows, in which it differs from another collection.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let keys = [("prefix", self.prefix != other.prefix), ("fields", self.fields != other.fields)];
        keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }

    /// The fields that a row sent by a client must have; empty if any row is accepted.
    #[must_use]
    pub fn fields(&self) -> &[(String, FieldRule)] {
        &self.fields
    }
}

/// A row, and the value that its counter starts from.
///
/// Two are equal if they have the same id, properties and seed, no matter where the id comes from.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) id: Arc<str>,
    pub(super) has_made_id: bool,
    /// Whether the API writes the id as a number. Everywhere else it is text.
    pub(super) has_number_id: bool,
    pub(super) own: Map<String, Value>,
    pub(super) order: Map<String, Value>,
    pub(super) value: i64,
}

impl Row {
    /// A row as clients add it: without extra order properties, and starting at 0.
    #[must_use]
    pub fn new(id: Arc<str>, own: Map<String, Value>) -> Self {
        Self::written(id, own, Map::new(), 0)
    }

    /// A row with all its parts.
    #[must_use]
    pub(crate) fn written(id: Arc<str>, own: Map<String, Value>, order: Map<String, Value>, value: i64) -> Self {
        Self { id, has_made_id: false, has_number_id: false, own, order, value }
    }

    /// The same row under another id.
    #[must_use]
    pub(crate) fn with_id(&self, id: Arc<str>) -> Self {
        Self { id, ..self.clone() }
    }

    /// The same row with other properties.
    #[must_use]
    pub(crate) fn with_own(&self, own: Map<String, Value>) -> Self {
        Self { own, id: self.id.clone(), order: self.order.clone(), ..*self }
    }

    /// The same row with the id among its properties, if there is one: text, or an integer, which the API writes as a
    /// number. A null id counts as missing. `None` if the id is anything else.
    #[must_use]
    pub(crate) fn with_own_id(&self) -> Option<Self> {
        let mut own = self.own.clone();
        let (id, has_number_id): (Arc<str>, bool) = match own.shift_remove("id") {
            None | Some(Value::Null) => return Some(self.with_own(own)),
            Some(Value::String(id)) if !id.is_empty() => (id.into(), false),
            Some(Value::Number(id)) => (id.as_i64()?.to_string().into(), true),
            Some(_) => return None,
        };
        Some(Self { id, has_number_id, ..self.with_own(own) })
    }

    /// Whether the scenario declares no id. The id is then the collection's prefix and a number, assigned by position.
    #[must_use]
    pub fn has_made_id(&self) -> bool {
        self.has_made_id
    }

    /// Everything but the id.
    pub(crate) fn content(&self) -> (&Map<String, Value>, &Map<String, Value>, i64) {
        (&self.own, &self.order, self.value)
    }

    /// The same row, with an id that the API writes as a number or as text.
    #[must_use]
    pub(crate) fn with_number_id(self, has_number_id: bool) -> Self {
        Self { has_number_id, ..self }
    }

    /// Whether the API writes the id as a number.
    #[must_use]
    pub fn has_number_id(&self) -> bool {
        self.has_number_id
    }

    /// The id as the API writes it.
    #[must_use]
    pub fn id_json(&self) -> Value {
        let number = if self.has_number_id { self.id.parse::<i64>().ok() } else { None };
        number.map_or_else(|| Value::from(&*self.id), Value::from)
    }

    /// Whether its live orders differ from `{"id":"A1","value":3}`.
    #[must_use]
    pub(crate) fn has_own_frames(&self) -> bool {
        self.has_number_id || !self.order.is_empty()
    }

    /// The properties in which it differs from another row, and `order` for its extra order properties. If only the
    /// order of the properties differs, all of them count.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        let differs = |key: &&String| self.own.get(*key) != other.own.get(*key);
        let mut keys: Vec<String> = self.own.keys().filter(differs).cloned().collect();
        keys.extend(other.own.keys().filter(|key| !self.own.contains_key(*key)).cloned());
        if keys.is_empty() && !self.own.keys().eq(other.own.keys()) {
            keys = self.own.keys().cloned().collect();
        }
        if self.order != other.order {
            keys.push("order".to_owned());
        }
        if self.has_number_id != other.has_number_id {
            keys.push("id".to_owned());
        }
        keys
    }

    /// The id, unique in the scenario.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The row as the API shows it: `id`, then its own properties in declared order.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut fields = Map::with_capacity(self.own.len() + 1);
        fields.insert("id".to_owned(), self.id_json());
        fields.extend(self.own.iter().map(|(key, value)| (key.clone(), value.clone())));
        Value::Object(fields)
    }

    /// Its own properties in declared order, without the id.
    #[must_use]
    pub fn own(&self) -> &Map<String, Value> {
        &self.own
    }

    /// Extra properties of its order frames.
    #[must_use]
    pub fn order(&self) -> &Map<String, Value> {
        &self.order
    }

    /// The seed.
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

/// The row as the API shows it: `id`, then its own properties in declared order.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.own.len() + 1))?;
        if self.has_number_id {
            map.serialize_entry("id", &self.id_json())?;
        } else {
            map.serialize_entry("id", &*self.id)?;
        }
        for (key, value) in &self.own {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Ids with higher numbers than this count as plain text: no next number follows from them.
const MAX_NUMBER: u64 = MAX_TOTAL.unsigned_abs();

/// The number in an id that consists of the prefix and a number.
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
    /// Whether the field may be missing.
    #[must_use]
    pub fn optional(&self) -> bool {
        self.optional
    }

    /// Whether the value is of one of the allowed types.
    #[must_use]
    pub fn allows(&self, value: &Value) -> bool {
        self.types.iter().any(|r#type| r#type.matches(value))
    }

    /// The allowed types in words, such as `string or number`.
    #[must_use]
    pub fn describe(&self) -> String {
        self.types.iter().map(|r#type| r#type.name()).collect::<Vec<_>>().join(" or ")
    }
}

/// A type of JSON (RFC 8259, section 1), with integers told apart as JSON Schema does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(
    rename = "type",
    description = "A type of JSON; `integer` is a number without a fraction.",
    // Without quotes, YAML does not read the last of them as text.
    extend("type" = ["string", "null"], "enum" = ["string", "number", "integer", "boolean", "object", "array", "null", null])
)]
#[allow(missing_docs, reason = "the names say it")]
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
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
impl super::Scenario {
    /// A scenario without collections.
    pub(crate) fn of_data() -> Self {
        let scenario = super::parse(&super::Source::new("data.yaml", "categories: { toys: { prefix: T } }")).unwrap();
        Self { collections: Vec::new(), ..scenario }
    }

    /// With a collection of these rows, which have ids and no counters.
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

    /// With a value of `data`.
    pub(crate) fn with_value(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.into(), Arc::new(value));
        self
    }
}
