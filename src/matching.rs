//! Compares JSON with expected JSON, for `verify` and a rule's `match`.

use serde_json::Value;

/// A difference between expected and actual JSON: the path of the field, the expected value, and the actual value.
pub(crate) type Mismatch<'v> = (String, &'v Value, &'v Value);

const ABSENT: &Value = &Value::Null;

/// Whether `found` contains `expected`; see [`mismatches`].
pub(crate) fn contains(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(key, value)| contains(value, found.get(key).unwrap_or(ABSENT)))
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            expected.iter().zip(found).all(|(expected, found)| contains(expected, found))
        }
        _ => is_same(expected, found),
    }
}

/// Returns the number of values in `expected` that `found` has at the same places, even in arrays of different lengths.
/// A value that is expected to be absent does not count, as most JSON lacks it.
pub(crate) fn equal_values(expected: &Value, found: &Value) -> usize {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().filter_map(|(key, value)| Some(equal_values(value, found.get(key)?))).sum()
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.iter().zip(found).map(|(expected, found)| equal_values(expected, found)).sum()
        }
        _ => usize::from(is_same(expected, found)),
    }
}

/// Returns all mismatches between `found` and `expected`. Objects, at any depth, must contain the expected keys and
/// values. Arrays must have the same length and are compared by position.
pub(crate) fn mismatches<'v>(field: &str, expected: &'v Value, found: &'v Value) -> Vec<Mismatch<'v>> {
    // Most comparisons find no difference, and need no paths.
    if contains(expected, found) {
        return Vec::new();
    }
    let mut all = Vec::new();
    compare(field, expected, found, &mut |field, expected, found| all.push((field.to_owned(), expected, found)));
    all
}

/// Returns the mismatches as sentences that explain why a rule does not match, except for the fields in `reported`.
pub(crate) fn differences(field: &str, expected: &Value, found: &Value, reported: &[String]) -> Vec<String> {
    let all = mismatches(field, expected, found).into_iter().filter(|(field, ..)| !reported.contains(field));
    let sentence = |(field, expected, found): Mismatch<'_>| match (expected, found) {
        // Arrays of the same length are compared item by item, and each different item gets its own sentence.
        (Value::Array(expected), Value::Array(found)) => {
            format!("{field} has {} instead of {}", items(found.len()), expected.len())
        }
        _ => format!("{field} is {found} instead of {expected}"),
    };
    all.map(sentence).collect()
}

fn items(count: usize) -> String {
    format!("{count} {}", if count == 1 { "item" } else { "items" })
}

fn compare<'v>(
    field: &str,
    expected: &'v Value,
    found: &'v Value,
    differs: &mut impl FnMut(&str, &'v Value, &'v Value),
) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                compare(&format!("{field}.{key}"), value, found.get(key).unwrap_or(ABSENT), differs);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{field}[{index}]"), expected, found, differs);
            }
        }
        _ if is_same(expected, found) => {}
        _ => differs(field, expected, found),
    }
}

/// Whether two JSON values are equal. Numbers are compared by value: `10` equals `10.0`, as in JavaScript.
pub(crate) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

/// Parses the query parameters that are expected to be numbers or booleans, because a query contains only text.
pub(crate) fn parse_query_values(expected: &Value, mut found: Value) -> Value {
    for (key, expected) in expected.as_object().into_iter().flatten() {
        if let Some(value) = found.get_mut(key)
            && (expected.is_number() || expected.is_boolean())
            && let Some(parsed) = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok())
        {
            *value = parsed;
        }
    }
    found
}
