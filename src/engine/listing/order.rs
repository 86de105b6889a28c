//! The order of a list.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::filter::Field;
use crate::scenario::Row;

/// A field to sort by.
#[derive(Debug)]
pub(super) struct SortKey {
    field: Field,
    is_descending: bool,
}

impl SortKey {
    /// Parses keys such as `-a,b`. A key is descending if it has a `-`, or if its entry in `orders`, such as
    /// `desc,asc`, is `desc`.
    pub(super) fn all(fields: &str, orders: &str) -> Vec<Self> {
        let orders = orders.split(',').map(|order| order.trim().eq_ignore_ascii_case("desc"));
        let fields = fields.split(',').map(str::trim).filter(|field| !field.is_empty());
        let key = |(field, descends): (&str, bool)| {
            let rest = field.strip_prefix('-');
            Self { field: Field::new(rest.unwrap_or(field)), is_descending: descends || rest.is_some() }
        };
        fields.zip(orders.chain(std::iter::repeat(false))).map(key).collect()
    }

    pub(super) fn field(&self) -> &Field {
        &self.field
    }

    /// Rows without the field are last in either direction.
    fn compare(&self, one: Option<&SortValue>, other: Option<&SortValue>) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) if self.is_descending => other.compare(one),
            (Some(one), Some(other)) => one.compare(other),
            _ => other.is_some().cmp(&one.is_some()),
        }
    }
}

/// A value to sort by.
#[derive(Debug)]
enum SortValue {
    Number(f64),
    Text(String),
    Flag(bool),
}

impl SortValue {
    fn of(row: &Row, field: &Field) -> Option<Self> {
        let value = field.of(row)?;
        match &*value {
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Numbers come before text, and text before booleans.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Flag(one), Self::Flag(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Flag(_) => 2,
        }
    }
}

/// Returns the first `count` rows in the order of the keys. The sort is stable.
pub(super) fn sorted<'r>(rows: &[&'r Arc<Row>], keys: &[SortKey], count: usize) -> Vec<&'r Arc<Row>> {
    // All values of the first row, then all of the second, and so on.
    let values: Vec<Option<SortValue>> =
        rows.iter().flat_map(|row| keys.iter().map(|key| SortValue::of(row, &key.field))).collect();
    let of = |row: usize| &values[row * keys.len()..][..keys.len()];
    let compare = |one: &usize, other: &usize| {
        let values = of(*one).iter().zip(of(*other));
        let by_key = keys.iter().zip(values).map(|(key, (one, other))| key.compare(one.as_ref(), other.as_ref()));
        by_key.fold(Ordering::Equal, Ordering::then).then(one.cmp(other))
    };
    let mut places: Vec<usize> = (0..rows.len()).collect();
    if count < places.len() {
        places.select_nth_unstable_by(count, compare);
        places.truncate(count);
    }
    places.sort_unstable_by(compare);
    places.into_iter().map(|place| rows[place]).collect()
}
