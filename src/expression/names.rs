//! The names that expressions can use, with the known fields of their values.

use std::collections::BTreeMap;

use super::scope::NOW;

/// The names that expressions can use in one place, apart from `now`.
#[derive(Debug, Clone, Default)]
pub struct Names<'n>(BTreeMap<&'n str, Fields<'n>>);

/// The known fields of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fields<'n> {
    /// The value may have any fields.
    #[default]
    Any,
    /// The value has no other fields.
    Only(Vec<&'n str>),
    /// The words of field names are joined by `-`, as in headers.
    Hyphenated,
    /// The value has no fields: it is a list of rows.
    OfRows,
}

impl<'n> Names<'n> {
    /// Adds a name, which hides an existing one.
    pub fn insert(&mut self, name: &'n str, fields: Fields<'n>) {
        self.0.insert(name, fields);
    }

    /// Returns all names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'n str> {
        self.0.keys().copied()
    }

    /// Returns whether an expression can use the name: one of these names, or `now`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        name == NOW || self.0.contains_key(name)
    }

    /// Returns the known fields of a name's value.
    pub(super) fn fields(&self, name: &str) -> Fields<'n> {
        match self.0.get(name) {
            Some(fields) => fields.clone(),
            None if name == NOW => Fields::Only(vec!["iso", "ms", "s"]),
            None => Fields::Any,
        }
    }
}

impl<'n> FromIterator<&'n str> for Names<'n> {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        Self(names.into_iter().map(|name| (name, Fields::Any)).collect())
    }
}

impl<'n, const N: usize> From<[&'n str; N]> for Names<'n> {
    fn from(names: [&'n str; N]) -> Self {
        names.into_iter().collect()
    }
}
