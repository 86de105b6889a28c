//! Merges several changes of one row or value into one.

use std::sync::Arc;

use super::event::{Event, EventKind};

/// The target of a change: the row of a collection with an id, or the value with a name.
pub type Changed = (Arc<str>, Option<Arc<str>>);

impl Event {
    /// The row or value that the event changes; `None` for other events.
    #[must_use]
    pub fn changed(&self) -> Option<Changed> {
        match &self.kind {
            EventKind::Added { id, collection, .. }
            | EventKind::Merged { id, collection, .. }
            | EventKind::Replaced { id, collection, .. }
            | EventKind::Removed { id, collection, .. } => Some((collection.clone(), Some(id.clone()))),
            EventKind::ValueSet { name, .. } => Some((name.clone(), None)),
            _ => None,
        }
    }

    /// Merges this change with a later one of the same row or value, for members that know the state before both. The
    /// result has the number and time of the later change, the state after it, and as `before` the state before this
    /// one. It is
    ///
    /// - `added` for a row that did not exist, whatever followed,
    /// - `merged` for a row that was only merged,
    /// - `removed` for a row that no longer exists,
    /// - `replaced` for any other row, including one that was removed and added again.
    ///
    /// `None` for a row that existed neither before nor after.
    #[must_use]
    pub fn with_later(&self, later: &Self) -> Option<Self> {
        use EventKind::{Added, Merged, Removed, Replaced, ValueSet};
        let kind = match (&self.kind, &later.kind) {
            (Added { .. }, Removed { .. }) => return None,
            (Added { id, collection, is_counted, .. }, Merged { row, .. } | Replaced { row, .. }) => {
                Added { id: id.clone(), collection: collection.clone(), is_counted: *is_counted, row: row.clone() }
            }
            (Merged { before, .. }, Merged { id, collection, is_counted, row, .. }) => Merged {
                id: id.clone(),
                collection: collection.clone(),
                is_counted: *is_counted,
                row: row.clone(),
                before: before.clone(),
            },
            (
                Merged { before, .. } | Replaced { before, .. } | Removed { before, .. },
                Added { id, collection, is_counted, row }
                | Merged { id, collection, is_counted, row, .. }
                | Replaced { id, collection, is_counted, row, .. },
            ) => Replaced {
                id: id.clone(),
                collection: collection.clone(),
                is_counted: *is_counted,
                row: row.clone(),
                before: before.clone(),
            },
            (Merged { before, .. } | Replaced { before, .. }, Removed { id, collection, is_counted, .. }) => Removed {
                id: id.clone(),
                collection: collection.clone(),
                is_counted: *is_counted,
                before: before.clone(),
            },
            (ValueSet { before, .. }, ValueSet { name, value, .. }) => {
                ValueSet { name: name.clone(), value: value.clone(), before: before.clone() }
            }
            (_, later) => later.clone(),
        };
        Some(Self { kind, ..later.clone() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::engine::{Event, EventKind};
    use crate::scenario::Row;

    /// Row 1 of `rows` with the given number.
    fn row(n: u64) -> Arc<Row> {
        Arc::new(Row::new("1".into(), [("n".to_owned(), Value::from(n))].into_iter().collect()))
    }

    /// Changes by their first letters. Each leaves the row with the change's own number; the row starts with 0.
    fn changes(letters: &str) -> Vec<Event> {
        let (id, collection, is_counted): (Arc<str>, Arc<str>, _) = ("1".into(), "rows".into(), false);
        let event = |(at, letter): (u64, char)| {
            let (id, collection, row, before) = (id.clone(), collection.clone(), row(at), row(at - 1));
            let kind = match letter {
                'a' => EventKind::Added { id, collection, is_counted, row },
                'm' => EventKind::Merged { id, collection, is_counted, row, before },
                'r' => EventKind::Replaced { id, collection, is_counted, row, before },
                _ => EventKind::Removed { id, collection, is_counted, before },
            };
            Event { sequence: at, at: Duration::from_secs(at), kind }
        };
        (1..).zip(letters.chars()).map(event).collect()
    }

    #[test]
    fn changes_of_a_row_merge_into_one() {
        for (letters, change, row, before) in [
            ("a", Some("added"), Some(1), None),
            ("am", Some("added"), Some(2), None),
            ("amr", Some("added"), Some(3), None),
            ("ad", None, None, None),
            ("ada", Some("added"), Some(3), None),
            ("amd", None, None, None),
            ("m", Some("merged"), Some(1), Some(0)),
            ("mm", Some("merged"), Some(2), Some(0)),
            ("mr", Some("replaced"), Some(2), Some(0)),
            ("rm", Some("replaced"), Some(2), Some(0)),
            ("rr", Some("replaced"), Some(2), Some(0)),
            ("d", Some("removed"), None, Some(0)),
            ("mmd", Some("removed"), None, Some(0)),
            ("rd", Some("removed"), None, Some(0)),
            ("da", Some("replaced"), Some(2), Some(0)),
            ("dam", Some("replaced"), Some(3), Some(0)),
            ("dad", Some("removed"), None, Some(0)),
            ("mdada", Some("replaced"), Some(5), Some(0)),
        ] {
            let whole = changes(letters).iter().fold(None, |before: Option<Event>, event| match before {
                None => Some(event.clone()),
                Some(before) => before.with_later(event),
            });
            assert_eq!(whole.is_none(), change.is_none(), "{letters}");
            let Some(whole) = whole else { continue };
            let row_of = |n: Option<u64>| n.map_or(Value::Null, |n| json!({ "id": "1", "n": n }));
            let last = letters.len() as u64;
            let expected = json!({ "sequence": last, "change": change, "row": row_of(row), "before": row_of(before) });
            assert_eq!((whole.change_message().unwrap(), whole.at), (expected, Duration::from_secs(last)), "{letters}");
        }
    }

    #[test]
    fn a_value_set_twice_keeps_the_original_before() {
        let set = |sequence: u64| EventKind::ValueSet {
            name: "price".into(),
            value: Arc::new(sequence.into()),
            before: Arc::new((sequence - 1).into()),
        };
        let [one, two] = [1, 2].map(|sequence| Event { sequence, at: Duration::ZERO, kind: set(sequence) });
        let whole = one.with_later(&two).unwrap();
        assert_eq!(whole.change_message().unwrap(), json!({ "sequence": 2, "change": "set", "value": 2, "before": 0 }));
        assert_eq!(whole.changed(), Some(("price".into(), None)));
    }
}
