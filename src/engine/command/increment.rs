//! Increments of numeric fields.

use serde_json::{Map, Number, Value};

use crate::engine::refusal::Refusal;

/// Adds each amount to the field with its name. A missing field counts as 0.
pub(super) fn increment(fields: &mut Map<String, Value>, amounts: Map<String, Value>) -> Result<(), Refusal> {
    for (field, amount) in amounts {
        let zero = Value::from(0);
        let (Value::Number(amount), Value::Number(current)) = (amount, fields.get(&field).unwrap_or(&zero)) else {
            return Err(Refusal::Field { field, expected: "number".to_owned() });
        };
        match sum(current, &amount) {
            Some(sum) => drop(fields.insert(field, Value::Number(sum))),
            None => return Err(Refusal::Overflow { field }),
        }
    }
    Ok(())
}

/// Returns the sum, an integer if both are; `None` if it is out of range.
fn sum(one: &Number, other: &Number) -> Option<Number> {
    if let (Some(one), Some(other)) = (one.as_i128(), other.as_i128()) {
        return Number::from_i128(one + other);
    }
    Number::from_f64(one.as_f64()? + other.as_f64()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn integers_stay_integers_and_overflow_is_refused() {
        for (current, amount, expected) in [
            ("1", "2", Some("3")),
            ("1", "-2", Some("-1")),
            ("1", "0.5", Some("1.5")),
            ("1.5", "1", Some("2.5")),
            ("1", "2.0", Some("3.0")),
            ("9223372036854775807", "1", Some("9223372036854775808")),
            ("18446744073709551615", "1", None),
            ("-9223372036854775808", "-1", None),
            ("1.7e308", "1.7e308", None),
            ("1.7e308", "-1.7e308", Some("0.0")),
        ] {
            let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
            let sum = sum(&number(current), &number(amount)).map(|sum| sum.to_string());
            assert_eq!(sum.as_deref(), expected, "{current} + {amount}");
        }
    }

    #[test]
    fn a_field_that_is_not_a_number_is_named() {
        for (amounts, expected) in [
            (json!({ "votes": 2, "views": 1 }), Ok(json!({ "votes": 3, "name": "a", "none": null, "views": 1 }))),
            (json!({}), Ok(json!({ "votes": 1, "name": "a", "none": null }))),
            (json!({ "name": 1 }), Err("Field name must be number")),
            (json!({ "none": 1 }), Err("Field none must be number")),
            (json!({ "votes": "2" }), Err("Field votes must be number")),
            (json!({ "new": null }), Err("Field new must be number")),
            (json!({ "votes": u64::MAX }), Err("Field votes would be out of range")),
        ] {
            let (Value::Object(mut fields), Value::Object(amounts)) =
                (json!({ "votes": 1, "name": "a", "none": null }), amounts)
            else {
                panic!("both are objects")
            };
            let outcome = increment(&mut fields, amounts).map_err(|refusal| refusal.to_string());
            assert_eq!(outcome.map(|()| Value::Object(fields)), expected.map_err(str::to_owned));
        }
    }
}
