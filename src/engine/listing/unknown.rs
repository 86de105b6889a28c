//! Fields that a query names although no row has them: mostly typing mistakes, or parameters of another API.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexSet;

use super::filter::{Field, Filter};
use super::order::SortKey;
use super::{ListQuery, Listing};
use crate::scenario::{Crud, Row};
use crate::words::nearest;

/// Fields of a query that are looked for.
const MOST_FIELDS: usize = 10;

/// Characters of a name that are shown.
const MOST_CHARACTERS: usize = 64;

/// Parameters of a list that no route gives another name.
const PARAMETERS: [&str; 4] = ["_start", "_end", "_limit", "_order"];

/// A field that a query names and that no row of the collection has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    collection: Arc<str>,
    /// The beginning of its name.
    name: String,
    /// Another field, or a parameter of the list.
    meant: Option<String>,
}

impl UnknownField {
    /// Its name, of which only the beginning is kept.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no row of `{}` has a field `{}`", self.collection, self.name)?;
        self.meant.as_ref().map_or(Ok(()), |meant| write!(f, "; did you mean `{meant}`?"))
    }
}

impl ListQuery {
    /// The fields by which it filters or sorts although no row has them, and `fields` of `crud` declares none of that name. An
    /// empty collection whose fields are not declared may have any. `listing` is what it lists of these rows.
    #[must_use]
    pub fn unknown_fields<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Arc<Row>> + Copy,
        listing: &Listing,
        crud: &Crud,
    ) -> Vec<UnknownField> {
        let is_empty = rows.into_iter().next().is_none();
        if is_empty && crud.fields.is_empty() {
            return Vec::new();
        }
        // A row that is listed has every field that is filtered by.
        let filters = self.filters.values().filter(|_| listing.total == 0).map(Filter::field);
        let fields = filters.chain(self.sort.iter().map(SortKey::field)).take(MOST_FIELDS);
        let is_declared = |field: &Field| field.is_id() || crud.fields.iter().any(|(name, _)| field.is_in(name));
        let is_missing = |field: &Field| rows.into_iter().all(|row| field.of(row).is_none());
        let unknown = fields.filter(|field| !is_declared(field) && is_missing(field)).map(Field::name);
        let names: IndexSet<&str> = unknown.collect();
        names.into_iter().map(|name| unknown_field(name, rows, crud)).collect()
    }
}

fn unknown_field<'r>(name: &str, rows: impl IntoIterator<Item = &'r Arc<Row>>, crud: &Crud) -> UnknownField {
    let of_rows = rows.into_iter().flat_map(|row| row.own().keys()).map(String::as_str);
    let declared = crud.fields.iter().map(|(name, _)| name.as_str());
    let own_names = [&crud.query.page, &crud.query.per_page, &crud.query.sort].map(String::as_str);
    let known: BTreeSet<&str> = of_rows.chain(declared).chain(own_names).chain(PARAMETERS).chain(["id"]).collect();
    let shown = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    UnknownField {
        collection: crud.collection.clone(),
        name: name.chars().take(MOST_CHARACTERS).map(shown).collect(),
        meant: nearest(name, known).map(str::to_owned),
    }
}
