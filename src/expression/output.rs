//! Conversion of values to JSON and text.

use minijinja::value::ValueKind;
use minijinja::{ErrorKind, Value};
use serde_json::{Map, Number, Value as Json};

use super::data::shared_json;
use super::error::{RunError, RunErrorKind};

/// The maximum nesting depth of lists and mappings.
pub(super) const MAX_DEPTH: usize = 128;

/// Returns a JSON value as text: text is unchanged, everything else is written as JSON.
#[must_use]
pub fn plain_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Converts values to JSON, up to a number of bytes.
#[derive(Debug)]
pub(super) struct Output {
    most: usize,
    left: usize,
    /// Whether the last value is undefined or has an undefined part.
    is_partial: bool,
    /// The undefined values so far; `None` if they are not collected.
    undefined: Option<Vec<RunError>>,
}

impl Output {
    pub(super) fn new(most: usize) -> Self {
        Self { most, left: most, is_partial: false, undefined: None }
    }

    /// Creates an output that collects undefined values instead of failing.
    pub(super) fn collecting(most: usize) -> Self {
        Self { undefined: Some(Vec::new()), ..Self::new(most) }
    }

    /// Returns whether it collects undefined values.
    pub(super) fn collects_undefined(&self) -> bool {
        self.undefined.is_some()
    }

    /// Adds an undefined value.
    pub(super) fn add_undefined(&mut self, error: RunError) {
        self.undefined.get_or_insert_default().push(error);
    }

    /// Returns whether the last value is undefined or has an undefined part.
    pub(super) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Returns the undefined values.
    pub(super) fn into_undefined(self) -> Vec<RunError> {
        self.undefined.unwrap_or_default()
    }

    /// Converts a value as `JSON.stringify` does; `None` if it is undefined.
    pub(super) fn json(&mut self, value: &Value) -> Result<Option<Json>, RunErrorKind> {
        self.is_partial = false;
        self.json_at(value, 0)
    }

    /// Copies JSON.
    pub(super) fn copy(&mut self, json: &Json) -> Result<Option<Json>, RunErrorKind> {
        self.is_partial = false;
        self.take_all(json, 0)?;
        Ok(Some(json.clone()))
    }

    fn json_at(&mut self, value: &Value, depth: usize) -> Result<Option<Json>, RunErrorKind> {
        if depth > MAX_DEPTH {
            return Err(RunErrorKind::TooDeep(MAX_DEPTH));
        }
        if let Some(json) = shared_json(value) {
            self.take_all(json, depth)?;
            return Ok(Some(json.clone()));
        }
        self.take(1)?;
        Ok(Some(match value.kind() {
            ValueKind::Undefined => {
                self.is_partial = true;
                return Ok(None);
            }
            ValueKind::None => Json::Null,
            ValueKind::Bool => Json::Bool(value.is_true()),
            ValueKind::Number => number(value),
            ValueKind::String | ValueKind::Bytes => {
                let text = value.to_str().unwrap_or_default();
                self.take(text.len())?;
                Json::from(&*text)
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter().map_err(|error| failed(&error))?;
                let items = items.map(|item| Ok(self.json_at(&item, depth + 1)?.unwrap_or_default()));
                Json::Array(items.collect::<Result<_, RunErrorKind>>()?)
            }
            ValueKind::Map => {
                let mut fields = Map::new();
                for key in value.try_iter().map_err(|error| failed(&error))? {
                    let field = value.get_item(&key).map_err(|error| failed(&error))?;
                    if let Some(field) = self.json_at(&field, depth + 1)? {
                        let key = self.json_at(&key, depth + 1)?.unwrap_or_default();
                        fields.insert(plain_text(&key), field);
                    }
                }
                Json::Object(fields)
            }
            ValueKind::Invalid => return Err(RunErrorKind::Failed(value.to_string())),
            _ => return Err(RunErrorKind::NotJson),
        }))
    }

    /// Counts the bytes of JSON that is copied unchanged.
    fn take_all(&mut self, json: &Json, depth: usize) -> Result<(), RunErrorKind> {
        if depth > MAX_DEPTH {
            return Err(RunErrorKind::TooDeep(MAX_DEPTH));
        }
        self.take(1)?;
        match json {
            Json::String(text) => self.take(text.len()),
            Json::Array(items) => items.iter().try_for_each(|item| self.take_all(item, depth + 1)),
            Json::Object(fields) => fields.iter().try_for_each(|(key, value)| {
                self.take(key.len())?;
                self.take_all(value, depth + 1)
            }),
            Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
        }
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<(), RunErrorKind> {
        self.left = self.left.checked_sub(bytes).ok_or(RunErrorKind::TooLong(self.most))?;
        Ok(())
    }
}

/// Converts a number. Integers stay integers if they have at most 64 bits; numbers that are not finite become null.
fn number(value: &Value) -> Json {
    if value.is_integer() {
        if let Ok(integer) = i64::try_from(value.clone()) {
            return integer.into();
        }
        if let Ok(integer) = u64::try_from(value.clone()) {
            return integer.into();
        }
    }
    f64::try_from(value.clone()).ok().and_then(Number::from_f64).map_or(Json::Null, Json::Number)
}

/// Returns the evaluator's message for an error, without the place.
pub(super) fn failed(error: &minijinja::Error) -> RunErrorKind {
    let text = match (error.detail(), error.kind()) {
        (Some(detail), _) => detail.to_owned(),
        (None, ErrorKind::InvalidOperation) => "a value has the wrong type".to_owned(),
        (None, kind) => kind.to_string(),
    };
    RunErrorKind::Failed(text)
}
