//! Filters: parameters such as `price:gt=5` that rows must match.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::scenario::Row;

/// A query parameter that rows must match.
#[derive(Debug)]
pub(super) struct Filter {
    field: Field,
    operator: Operator,
    /// One of them must match, or all for [`Operator::Different`].
    operands: Vec<Operand>,
}

/// A field of rows, or a part of one such as `address.city`.
#[derive(Debug)]
pub(super) struct Field(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Different,
    Less,
    AtMost,
    Greater,
    AtLeast,
    /// Equal to one of several values.
    In,
    Contains,
    StartsWith,
    EndsWith,
}

/// The operators that may follow a `:` in a parameter.
pub(super) const OPERATORS: [&str; 11] =
    ["eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "like", "startsWith", "endsWith"];

/// A parameter's value.
#[derive(Debug)]
struct Operand {
    text: String,
    lowercase: String,
    number: Option<Number>,
}

impl Filter {
    /// Creates the filter of a parameter, without values.
    pub(super) fn new(parameter: &str) -> Self {
        let (field, operator) = split(parameter);
        Self { field: Field::new(field), operator: operator.unwrap_or(Operator::Equal), operands: Vec::new() }
    }

    /// The number of its values.
    pub(super) fn operands(&self) -> usize {
        self.operands.len()
    }

    pub(super) fn field(&self) -> &Field {
        &self.field
    }

    /// Adds a value of the parameter.
    pub(super) fn add(&mut self, value: &str) {
        match self.operator {
            Operator::In => self.operands.extend(value.split(',').map(Operand::new)),
            _ => self.operands.push(Operand::new(value)),
        }
    }

    pub(super) fn fits(&self, row: &Row) -> bool {
        let Some(value) = self.field.of(row) else { return false };
        match self.operator {
            Operator::Different => self.operands.iter().all(|operand| !holds(&value, Operator::Equal, operand)),
            operator => self.operands.iter().any(|operand| holds(&value, operator, operand)),
        }
    }
}

impl Field {
    pub(super) fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The field's name, or the path to its part.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    pub(super) fn is_id(&self) -> bool {
        self.0 == "id"
    }

    /// Whether it is the field `name` or a part of it.
    pub(super) fn is_in(&self, name: &str) -> bool {
        self.0.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Returns the field's value in a row.
    pub(super) fn of<'r>(&self, row: &'r Row) -> Option<Cow<'r, Value>> {
        if self.is_id() {
            return Some(Cow::Owned(row.id_json()));
        }
        let whole = row.fields().get(&self.0);
        whole.or_else(|| part(row, &self.0)).map(Cow::Borrowed)
    }
}

/// A part of a field's value, such as `address.city` or `tags.0`.
fn part<'r>(row: &'r Row, path: &str) -> Option<&'r Value> {
    let (field, keys) = path.split_once('.')?;
    keys.split('.').try_fold(row.fields().get(field)?, |value, key| match value {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Splits a parameter into its field and its operator, if it has one.
fn split(parameter: &str) -> (&str, Option<Operator>) {
    let named = parameter.rsplit_once(':').and_then(|(field, name)| Some((field, Operator::named(name)?)));
    let legacy = || {
        let (field, name) = parameter.rsplit_once('_').filter(|(field, _)| !field.is_empty())?;
        Some((field, Operator::legacy(name)?))
    };
    named.or_else(legacy).map_or((parameter, None), |(field, operator)| (field, Some(operator)))
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Equal,
            "ne" => Self::Different,
            "lt" => Self::Less,
            "lte" => Self::AtMost,
            "gt" => Self::Greater,
            "gte" => Self::AtLeast,
            "in" => Self::In,
            "contains" | "like" => Self::Contains,
            "startsWith" => Self::StartsWith,
            "endsWith" => Self::EndsWith,
            _ => return None,
        })
    }

    /// The operators of json-server before version 1.
    fn legacy(name: &str) -> Option<Self> {
        match name {
            "ne" | "lt" | "lte" | "gt" | "gte" | "like" => Self::named(name),
            _ => None,
        }
    }
}

impl Operand {
    fn new(text: &str) -> Self {
        Self { text: text.into(), lowercase: text.to_lowercase(), number: text.parse().ok() }
    }
}

/// Whether the comparison holds for a value, or for any item of a list.
fn holds(value: &Value, operator: Operator, operand: &Operand) -> bool {
    if let Value::Array(items) = value {
        return items.iter().any(|item| holds(item, operator, operand));
    }
    let ordered = |fits: fn(Ordering) -> bool| compare(value, operand).is_some_and(fits);
    let text = || value.as_str();
    match operator {
        Operator::Equal | Operator::In => is_equal(value, operand),
        Operator::Different => !is_equal(value, operand),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::AtMost => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::AtLeast => ordered(Ordering::is_ge),
        Operator::Contains => text().is_some_and(|text| contains(text, &operand.lowercase)),
        Operator::StartsWith => text().is_some_and(|text| text.to_lowercase().starts_with(&operand.lowercase)),
        Operator::EndsWith => text().is_some_and(|text| text.to_lowercase().ends_with(&operand.lowercase)),
    }
}

/// Whether a value, as text, equals a parameter's value. Different spellings of a number are equal.
fn is_equal(value: &Value, operand: &Operand) -> bool {
    match value {
        Value::String(text) => *text == operand.text,
        Value::Number(number) => operand.number.as_ref().is_some_and(|other| {
            let integers = number.as_i64().zip(other.as_i64());
            integers.map_or_else(|| number.as_f64() == other.as_f64(), |(number, other)| number == other)
        }),
        Value::Bool(true) => operand.text == "true",
        Value::Bool(false) => operand.text == "false",
        Value::Null => operand.text == "null",
        Value::Array(_) | Value::Object(_) => false,
    }
}

fn compare(value: &Value, operand: &Operand) -> Option<Ordering> {
    let number = || operand.number.as_ref()?.as_f64();
    match value {
        Value::Number(value) => value.as_f64()?.partial_cmp(&number()?),
        Value::String(text) => {
            let numbers = number().and_then(|number| Some((text.parse::<Number>().ok()?.as_f64()?, number)));
            numbers.map_or_else(|| Some(text.cmp(&operand.text)), |(text, number)| text.partial_cmp(&number))
        }
        _ => None,
    }
}

/// Whether text contains `lowercase`, ignoring case.
pub(super) fn contains(text: &str, lowercase: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(lowercase);
    }
    lowercase.is_empty()
        || text.as_bytes().windows(lowercase.len()).any(|part| part.eq_ignore_ascii_case(lowercase.as_bytes()))
}
