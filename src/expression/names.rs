//! The names that expressions can use, and what is known about their values.

use std::collections::BTreeMap;

use super::scope::NOW;

/// The names that expressions can use at one place, apart from `now`.
#[derive(Debug, Clone, Default)]
pub struct Names<'n>(BTreeMap<&'n str, Fields<'n>>);

/// What is known about the fields of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fields<'n> {
    /// There may be any fields.
    #[default]
    Any,
    /// There are no other fields.
    Only(Vec<&'n str>),
    /// Their words are joined by `-`, like those of headers.
    Hyphenated,
    /// There are none: the value is a list of rows.
    OfRows,
}

impl<'n> Names<'n> {
    /// Adds a name, which hides an existing one.
    pub fn insert(&mut self, name: &'n str, fields: Fields<'n>) {
        self.0.insert(name, fields);
    }

    /// All names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'n str> {
        self.0.keys().copied()
    }

    /// Whether an expression can use the name: one of these, or `now`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        name == NOW || self.0.contains_key(name)
    }

    /// What is known about the fields of a name's value.
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
