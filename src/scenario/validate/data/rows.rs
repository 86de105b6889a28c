//! Builds collections of rows, with declared or assigned ids.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::Validator;
use crate::scenario::problem::{DataMistake, Problem, ProblemKind};
use crate::scenario::source::Span;
use crate::scenario::units::MAX_TOTAL;
use crate::scenario::{Collection, IdScheme, Row, row_number};
use crate::streams::Words;

/// A row as written.
pub(super) struct WrittenRow {
    /// `None` if the id is to be assigned.
    pub(super) id: Option<WrittenId>,
    /// All fields except the id.
    pub(super) fields: Map<String, Value>,
}

/// An id as written, with its span.
pub(super) struct WrittenId {
    text: Arc<str>,
    is_number: bool,
    span: Span,
}

/// Checks an id, which is text or an integer.
pub(super) fn id(value: &Value, span: Span, check: &mut Validator<'_>) -> Option<WrittenId> {
    let number = value.as_i64().filter(|number| (-MAX_TOTAL..=MAX_TOTAL).contains(number));
    let (text, is_number) = match (value, number) {
        (Value::String(text), _) if text.is_empty() => {
            check.report(ProblemKind::EmptyName("a row's id"), span);
            return None;
        }
        (Value::String(text), _) => (text.as_str().into(), false),
        (_, Some(number)) => (number.to_string().into(), true),
        _ => {
            check.report(DataMistake::RowId(value.to_string()).into(), span);
            return None;
        }
    };
    Some(WrittenId { text, is_number, span })
}

/// Builds a collection, and assigns the missing ids.
pub(super) fn collection(name: &Arc<str>, written: Vec<WrittenRow>, check: &mut Validator<'_>) -> Collection {
    report_duplicates(&written, check);
    let (ids, prefix, highest) = scheme(written.iter().filter_map(|row| row.id.as_ref()));
    let mut next = highest;
    let mut words = Words::named(0, &format!("data.{name}.id"));
    let mut row = |(index, row): (usize, WrittenRow)| {
        let has_assigned_id = row.id.is_none();
        let (id, is_number) = match (row.id, ids) {
            (Some(id), _) => (id.text, id.is_number),
            (None, IdScheme::Numbered) => {
                next += 1;
                (format!("{prefix}{next}").into(), prefix.is_empty())
            }
            (None, IdScheme::Uuid) => {
                // The id depends on the row's position alone, not on the other rows.
                words.skip_to(index as u64 * 2);
                (words.uuid().into(), false)
            }
        };
        let row = Row::from_parts(id, row.fields, Map::new(), 0).with_number_id(is_number);
        Arc::new(Row { has_assigned_id, ..row })
    };
    let rows = written.into_iter().enumerate().map(&mut row).collect();
    Collection { name: name.clone(), rows, fields: Vec::new(), is_counted: false, ids, prefix: prefix.clone() }
}

fn report_duplicates(written: &[WrittenRow], check: &mut Validator<'_>) {
    let mut ids = HashMap::new();
    for id in written.iter().filter_map(|row| row.id.as_ref()) {
        match ids.entry(&*id.text) {
            Entry::Occupied(first) => {
                let kind = DataMistake::DuplicateRowId(id.text.to_string()).into();
                let problem = Problem::new(kind, id.span);
                // All generated rows have the same span.
                let is_elsewhere = *first.get() != id.span;
                check.document.report(if is_elsewhere { problem.related_to(*first.get()) } else { problem });
            }
            Entry::Vacant(new) => drop(new.insert(id.span)),
        }
    }
}

/// Returns how ids continue after the declared ones: as integers if all declared ids are integers, as numbers after a
/// prefix if all share one, otherwise as UUIDs. Also returns the prefix and the highest number.
fn scheme<'i>(declared: impl Iterator<Item = &'i WrittenId>) -> (IdScheme, String, u64) {
    let (mut prefix, mut highest) = (None, 0);
    for WrittenId { text, is_number, .. } in declared {
        let stem = if *is_number { "" } else { text.trim_end_matches(|c: char| c.is_ascii_digit()) };
        let number = row_number(stem, text);
        let is_numbered = *is_number || stem.len() < text.len() && number.is_some() && !is_uuid(text);
        if !is_numbered || prefix.is_some_and(|prefix| prefix != stem) {
            return (IdScheme::Uuid, String::new(), 0);
        }
        prefix = Some(stem);
        highest = highest.max(number.unwrap_or_default());
    }
    (IdScheme::Numbered, prefix.unwrap_or_default().to_owned(), highest)
}

/// Returns whether text has the form of a UUID, which may end with digits by chance.
fn is_uuid(text: &str) -> bool {
    let is_dash = |at: usize| [8, 13, 18, 23].contains(&at);
    let fits = |(at, c): (usize, char)| if is_dash(at) { c == '-' } else { c.is_ascii_hexdigit() };
    text.len() == 36 && text.char_indices().all(fits)
}
