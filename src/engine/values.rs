//! The values of `data` that are not collections.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::collections::json_len;
use super::event::EventKind;
use super::refusal::{MAX_COLLECTION_BYTES, Refusal};
use crate::scenario::Scenario;

/// Named values, in declared order. A clone is cheap: both share the values until one of them changes.
#[derive(Debug, Clone, Default)]
pub struct DataValues {
    values: Arc<IndexMap<Arc<str>, Arc<Value>>>,
    /// The size of all values as JSON, in bytes. Computed when a value is first set.
    bytes: OnceLock<usize>,
}

impl DataValues {
    pub(super) fn of(scenario: &Scenario) -> Self {
        scenario.values().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns the value named `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Value>> {
        self.values.get(name)
    }

    /// Iterates over the values in declared order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Arc<Value>)> {
        self.values.iter()
    }

    /// Sets a value, or the part of it at `keys`. Missing or null parents become objects.
    ///
    /// # Errors
    /// [`Refusal`] if the value does not exist, if `keys` lead through a value without parts or past the end of an
    /// array, or if the values would grow beyond [`MAX_COLLECTION_BYTES`]. Nothing has changed then.
    pub(super) fn set(&mut self, name: &str, keys: &[Arc<str>], value: Value) -> Result<EventKind, Refusal> {
        let Some((_, name, before)) = self.values.get_full(name) else {
            return Err(Refusal::UnknownValue(name.into()));
        };
        let value = if keys.is_empty() {
            value
        } else {
            let mut whole = Value::clone(before);
            *part(&mut whole, name, keys)? = value;
            whole
        };
        let (name, before, value) = (name.clone(), before.clone(), Arc::new(value));
        let (had, has) = (json_len(&before), json_len(&value));
        let total = self.bytes.get_or_init(|| self.values.values().map(json_len).sum()) - had + has;
        if has > had && total > MAX_COLLECTION_BYTES {
            return Err(Refusal::ValuesTooLarge);
        }
        Arc::make_mut(&mut self.values).insert(name.clone(), value.clone());
        self.bytes = total.into();
        Ok(EventKind::ValueSet { name, value, before })
    }

    /// Overwrites an existing value, for example with a saved one; `None` if the value does not exist.
    pub(super) fn put(&mut self, name: &str, value: Arc<Value>) -> Option<()> {
        *Arc::make_mut(&mut self.values).get_mut(name)? = value;
        self.bytes = OnceLock::new();
        Some(())
    }
}

impl FromIterator<(Arc<str>, Arc<Value>)> for DataValues {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<Value>)>>(values: I) -> Self {
        Self { values: Arc::new(values.into_iter().collect()), bytes: OnceLock::new() }
    }
}

/// Returns the part of a value at `keys`.
pub(super) fn part<'v>(mut value: &'v mut Value, name: &str, keys: &[Arc<str>]) -> Result<&'v mut Value, Refusal> {
    for (depth, key) in keys.iter().enumerate() {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        let found = describe(value);
        let inner = match value {
            Value::Object(map) => Some(map.entry(&**key).or_insert(Value::Null)),
            Value::Array(items) => index(key).and_then(|index| items.get_mut(index)),
            _ => None,
        };
        value = inner.ok_or_else(|| Refusal::NotAPart {
            path: path(name, keys),
            parent: path(name, &keys[..depth]),
            found,
        })?;
    }
    Ok(value)
}

/// Parses an array index, which consists of digits only.
fn index(key: &str) -> Option<usize> {
    if key.bytes().all(|byte| byte.is_ascii_digit()) { key.parse().ok() } else { None }
}

fn path(name: &str, keys: &[Arc<str>]) -> String {
    keys.iter().fold(name.to_owned(), |path, key| format!("{path}.{key}"))
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(items) if items.len() == 1 => "an array of 1 item".to_owned(),
        Value::Array(items) => format!("an array of {} items", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    fn values() -> DataValues {
        let values =
            [("price", json!(3)), ("prices", json!({ "BTC": 1, "list": [1, { "a": 2 }] })), ("none", json!(null))];
        values.into_iter().map(|(name, value)| (Arc::from(name), Arc::new(value))).collect()
    }

    fn set(values: &mut DataValues, path: &str, value: Value) -> Result<Value, String> {
        let mut keys = path.split('.').map(Arc::from);
        let name = keys.next().unwrap();
        let kind = values.set(&name, &keys.collect::<Vec<_>>(), value).map_err(|refusal| refusal.to_string())?;
        let EventKind::ValueSet { value, .. } = kind else { panic!("{kind:?}") };
        assert!(Arc::ptr_eq(values.get(&name).unwrap(), &value));
        Ok(Value::clone(&value))
    }

    #[test]
    fn a_value_or_a_part_of_it_is_set() {
        for (path, value, expected) in [
            ("price", json!("dear"), json!("dear")),
            ("prices.BTC", json!(2), json!({ "BTC": 2, "list": [1, { "a": 2 }] })),
            ("prices.ETH.low", json!(5), json!({ "BTC": 1, "list": [1, { "a": 2 }], "ETH": { "low": 5 } })),
            ("prices.list.0", json!([]), json!({ "BTC": 1, "list": [[], { "a": 2 }] })),
            ("prices.list.1.b.c", json!(0), json!({ "BTC": 1, "list": [1, { "a": 2, "b": { "c": 0 } }] })),
            ("none.0", json!(1), json!({ "0": 1 })),
            ("prices.", json!(1), json!({ "BTC": 1, "list": [1, { "a": 2 }], "": 1 })),
        ] {
            let (mut values, kept) = (values(), values());
            let copy = values.clone();
            assert_eq!(set(&mut values, path, value), Ok(expected), "{path}");
            assert_eq!(copy.values, kept.values);
        }
    }

    #[test]
    fn missing_parts_are_named_and_nothing_changes() {
        for (path, expected) in [
            ("cost", "Value cost not found"),
            ("price.high", "price.high cannot be set: price is a number"),
            ("prices.BTC.high.low", "prices.BTC.high.low cannot be set: prices.BTC is a number"),
            ("prices.list.2", "prices.list.2 cannot be set: prices.list is an array of 2 items"),
            ("prices.list.-1", "prices.list.-1 cannot be set: prices.list is an array of 2 items"),
            ("prices.list..x", "prices.list..x cannot be set: prices.list is an array of 2 items"),
        ] {
            let mut changed = values();
            assert_eq!(set(&mut changed, path, json!(1)), Err(expected.to_owned()));
            assert_eq!(changed.values, values().values);
        }
    }

    #[test]
    fn the_total_size_of_values_is_bounded() {
        let mut values = values();
        let text = |length: usize| Value::from("x".repeat(length));
        assert!(set(&mut values, "price", text(MAX_COLLECTION_BYTES / 2)).is_ok());
        assert_eq!(
            set(&mut values, "none.deep", text(MAX_COLLECTION_BYTES / 2)),
            Err("The values of data would take more than 64 MiB".to_owned())
        );
        assert!(set(&mut values, "price", text(MAX_COLLECTION_BYTES / 2 - 1000)).is_ok());
        assert!(set(&mut values, "none.deep", text(MAX_COLLECTION_BYTES / 2)).is_ok());
        let counted = *values.bytes.get().unwrap();
        assert_eq!(
            counted,
            values.values.values().map(|value| serde_json::to_string(value).unwrap().len()).sum::<usize>()
        );
    }
}
