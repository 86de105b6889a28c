//! Values that expressions read without copying.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use serde_json::Value as Json;

/// The value of a name. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Data(Source);

#[derive(Debug, Clone)]
enum Source {
    Json {
        value: Arc<Json>,
        /// Whether a key that the mapping does not have is also looked up in lower case.
        has_any_case: bool,
    },
    Value(Value),
}

impl Data {
    /// Shares a value, which is read in place.
    #[must_use]
    pub fn shared(value: &Arc<Json>) -> Self {
        Self(Source::Json { value: value.clone(), has_any_case: false })
    }

    /// Shares a value as [`Self::shared`] does. A key that the mapping does not have is also looked up in lower case.
    #[must_use]
    pub fn in_any_case(value: &Arc<Json>) -> Self {
        Self(Source::Json { value: value.clone(), has_any_case: value.is_object() })
    }

    /// Creates a list of rows.
    #[must_use]
    pub fn rows(rows: impl Rows) -> Self {
        Self(Source::Value(Value::from_object(RowList(Box::new(rows)))))
    }

    pub(super) fn into_value(self) -> Value {
        match self.0 {
            Source::Json { value, has_any_case: false } => shared_value(&value),
            Source::Json { value: root, has_any_case: true } => {
                Value::from_object(View { root, path: Vec::new(), has_any_case: true })
            }
            Source::Value(value) => value,
        }
    }

    /// Returns the JSON at these steps, without a copy, or `None` if it is undefined.
    ///
    /// # Errors
    /// The value itself, if only the evaluator can take the steps: it is not shared JSON, or a step leads into a string.
    pub(super) fn at(&self, steps: &[String]) -> Result<Option<&Json>, Value> {
        let (root, has_any_case) = match &self.0 {
            Source::Json { value, has_any_case } => (value, *has_any_case),
            Source::Value(value) => return Err(value.clone()),
        };
        let mut found: &Json = root;
        for (position, step) in steps.iter().enumerate() {
            if found.is_string() {
                return Err(self.clone().into_value());
            }
            let next = look_up(found, step);
            let is_retried = has_any_case && position == 0 && next.is_none();
            match if is_retried { look_up(found, &step.to_ascii_lowercase()) } else { next } {
                Some(next) => found = next,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

/// Returns the JSON at one step of a path; `None` if there is none.
fn look_up<'j>(json: &'j Json, step: &str) -> Option<&'j Json> {
    step.parse().map_or_else(|_| json.get(step), |index| Key::Index(index).look_up(json))
}

impl<T: Into<Json>> From<T> for Data {
    fn from(value: T) -> Self {
        Self::shared(&Arc::new(value.into()))
    }
}

/// The rows of a collection, looked up one by one.
pub trait Rows: fmt::Debug + Send + Sync + 'static {
    /// Returns the number of rows.
    fn count(&self) -> usize;

    /// Returns the row at an index, from 0.
    fn at(&self, index: usize) -> Option<Arc<Json>>;

    /// Returns the row with an id; numeric ids are passed as digits.
    fn with_id(&self, id: &str) -> Option<Arc<Json>>;
}

/// Converts JSON to an expression's value. Lists and mappings are shared.
pub(super) fn value_of(value: Json) -> Value {
    match value {
        Json::Array(_) | Json::Object(_) => shared_value(&Arc::new(value)),
        scalar => view(&scalar, &Arc::default(), Vec::new),
    }
}

fn shared_value(value: &Arc<Json>) -> Value {
    view(value, value, Vec::new)
}

/// Returns the shared JSON that a value consists of; `None` if it is any other value.
pub(super) fn shared_json(value: &Value) -> Option<&Json> {
    value.downcast_object_ref::<View>().and_then(View::json)
}

/// Returns the row with an id, or undefined if there is none; `None` if the value is not a list of rows.
pub(super) fn row_with_id(rows: &Value, id: &str) -> Option<Value> {
    let RowList(rows) = rows.downcast_object_ref()?;
    Some(rows.with_id(id).map(|row| shared_value(&row)).unwrap_or_default())
}

/// A list or mapping inside shared JSON.
#[derive(Debug)]
struct View {
    root: Arc<Json>,
    path: Vec<Key>,
    /// Whether a missing key is also looked up in lower case.
    has_any_case: bool,
}

#[derive(Debug, Clone)]
enum Key {
    Name(Arc<str>),
    Index(usize),
}

impl Key {
    fn in_lower_case(&self) -> Self {
        match self {
            Self::Name(name) => Self::Name(name.to_ascii_lowercase().into()),
            Self::Index(index) => Self::Index(*index),
        }
    }

    fn of(value: &Value) -> Option<Self> {
        match value.as_str() {
            Some(name) => Some(Self::Name(name.into())),
            None => value.as_usize().map(Self::Index),
        }
    }

    fn look_up<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        match (self, json) {
            (Self::Name(name), Json::Object(fields)) => fields.get(&**name),
            // In a path such as `scores.1`, the number may also be a key.
            (Self::Index(index), Json::Object(fields)) => fields.get(&index.to_string()),
            (Self::Index(index), Json::Array(items)) => items.get(*index),
            _ => None,
        }
    }
}

impl View {
    fn json(&self) -> Option<&Json> {
        self.path.iter().try_fold(&*self.root, |json, key| key.look_up(json))
    }

    fn value(&self, key: &Key) -> Option<Value> {
        let json = key.look_up(self.json()?)?;
        Some(view(json, &self.root, || self.path.iter().chain([key]).cloned().collect()))
    }
}

/// Returns a value for expressions. `json` is the value at `path` below `root`.
fn view(json: &Json, root: &Arc<Json>, path: impl FnOnce() -> Vec<Key>) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(is_true) => Value::from(*is_true),
        Json::String(text) => Value::from(&**text),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::from(integer),
            (_, Some(integer)) => Value::from(integer),
            _ => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(_) | Json::Object(_) => {
            Value::from_object(View { root: root.clone(), path: path(), has_any_case: false })
        }
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.json().is_some_and(Json::is_array) { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = Key::of(key)?;
        self.value(&key).or_else(|| if self.has_any_case { self.value(&key.in_lower_case()) } else { None })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.json() {
            Some(Json::Array(items)) => Enumerator::Seq(items.len()),
            Some(Json::Object(fields)) => Enumerator::Values(fields.keys().map(|key| Value::from(&**key)).collect()),
            _ => Enumerator::Empty,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match self.json() {
            Some(Json::Array(items)) => Some(items.len()),
            Some(Json::Object(fields)) => Some(fields.len()),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct RowList(Box<dyn Rows>);

impl Object for RowList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(shared_value(&self.0.at(key.as_usize()?)?))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.count())
    }
}

/// Returns whether a value is a list, whatever its source.
pub(super) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}
