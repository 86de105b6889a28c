//! Notes on query parameters that have no effect: usually misspellings, or parameters of another API.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexSet;

use super::filter::{Field, Filter, OPERATORS};
use super::order::SortKey;
use super::{ListQuery, Listing};
use crate::scenario::{Crud, Row};
use crate::words::nearest;

/// The maximum number of fields that are checked.
const MAX_FIELDS: usize = 10;

/// The maximum number of characters of a name that are shown.
const MAX_CHARACTERS: usize = 64;

/// List parameters that routes cannot rename.
const PARAMETERS: [&str; 4] = ["_start", "_end", "_limit", "_order"];

/// A name in a query that has no meaning for the rows of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryNote {
    collection: Arc<str>,
    /// The start of the name.
    name: String,
    why: Meaningless,
}

/// The reason a name has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaningless {
    /// No row has such a field. `meant` is a similar field or list parameter.
    Field { meant: Option<String> },
    /// The field exists, but the operator does not. `meant` is a similar operator.
    Operator { name: String, meant: Option<&'static str> },
    /// json-server supports the parameter, but mockd does not.
    Parameter,
}

impl QueryNote {
    /// The name, truncated if it is long.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for QueryNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meant: Option<&str> = match &self.why {
            Meaningless::Field { meant } => {
                write!(f, "no row of `{}` has a field `{}`", self.collection, self.name)?;
                meant.as_deref()
            }
            Meaningless::Operator { name, meant } => {
                write!(f, "`{name}` in `{}` is not a filter operator", self.name)?;
                *meant
            }
            Meaningless::Parameter => return write!(f, "`{}` is not supported and has no effect", self.name),
        };
        meant.map_or(Ok(()), |meant| write!(f, "; did you mean `{meant}`?"))
    }
}

impl ListQuery {
    /// Returns notes on names without meaning: unsupported parameters, and fields in filters or sort keys that neither
    /// any row nor `fields` of `crud` has. If the collection is empty and declares no fields, any field is allowed.
    /// `listing` is the result of this query for these rows.
    #[must_use]
    pub fn notes<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Arc<Row>> + Copy,
        listing: &Listing,
        crud: &Crud,
    ) -> Vec<QueryNote> {
        let note = |name: &str, why| QueryNote { collection: crud.collection.clone(), name: printable(name), why };
        let mut notes: Vec<_> = self.unsupported.iter().map(|name| note(name, Meaningless::Parameter)).collect();
        let is_empty = rows.into_iter().next().is_none();
        if is_empty && crud.fields.is_empty() {
            return notes;
        }
        // A listed row has every field that is filtered by.
        let filters = self.filters.values().filter(|_| listing.total == 0).map(Filter::field);
        let fields = filters.chain(self.sort.iter().map(SortKey::field)).take(MAX_FIELDS);
        let is_declared = |field: &Field| field.is_id() || crud.fields.iter().any(|(name, _)| field.is_in(name));
        let is_missing = |field: &Field| !is_declared(field) && rows.into_iter().all(|row| field.of(row).is_none());
        let names: IndexSet<&str> = fields.filter(|field| is_missing(field)).map(Field::name).collect();
        notes.extend(names.into_iter().map(|name| {
            let operator = name.rsplit_once(':').filter(|(field, _)| !is_missing(&Field::new(field)));
            note(
                name,
                operator.map_or_else(|| unknown_field(name, rows, crud), |(_, operator)| unknown_operator(operator)),
            )
        }));
        notes
    }
}

fn unknown_field<'r>(name: &str, rows: impl IntoIterator<Item = &'r Arc<Row>>, crud: &Crud) -> Meaningless {
    let of_rows = rows.into_iter().flat_map(|row| row.fields().keys()).map(String::as_str);
    let declared = crud.fields.iter().map(|(name, _)| name.as_str());
    let own_names = [&crud.query.page, &crud.query.per_page, &crud.query.sort].map(String::as_str);
    let known: BTreeSet<&str> = of_rows.chain(declared).chain(own_names).chain(PARAMETERS).chain(["id"]).collect();
    Meaningless::Field { meant: nearest(name, known).map(str::to_owned) }
}

fn unknown_operator(name: &str) -> Meaningless {
    Meaningless::Operator { name: printable(name), meant: nearest(name, OPERATORS) }
}

/// Returns the start of a name, without control characters, which would garble a log.
fn printable(name: &str) -> String {
    let printable = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    name.chars().take(MAX_CHARACTERS).map(printable).collect()
}
