//! The names that a scenario declares in `data` and `categories`.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::Validator;
use crate::scenario::problem::ReferenceMistake;
use crate::scenario::shop::Category;
use crate::scenario::source::Span;
use crate::scenario::{Collection, Row};
use crate::words::nearest;

/// The names in `data` and `categories`, with the declared rows.
pub(super) struct KnownNames {
    collections: Vec<KnownCollection>,
    values: Vec<Arc<str>>,
    /// The names whose values are invalid.
    unread: Vec<Arc<str>>,
    completeness: Completeness,
}

/// The declarations that are completely known. A reference to anything else is an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Completeness {
    /// Whether all names are known.
    pub(super) names: bool,
    /// Whether the ids of all rows are known.
    pub(super) rows: bool,
}

/// A collection or a category.
pub(super) struct KnownCollection {
    pub(super) name: Arc<str>,
    /// Whether this is a category, whose rows have totals.
    pub(super) is_counted: bool,
    pub(super) rows: Arc<[Arc<Row>]>,
}

impl KnownNames {
    pub(super) fn new(
        categories: &[Category],
        collections: &[Collection],
        values: &IndexMap<Arc<str>, Arc<Value>>,
        completeness: Completeness,
    ) -> Self {
        let categories = categories.iter().map(|category| KnownCollection {
            name: category.name.clone(),
            is_counted: true,
            rows: category.products.clone(),
        });
        let collections = collections.iter().map(|collection| KnownCollection {
            name: collection.name().clone(),
            is_counted: collection.is_counted(),
            rows: collection.rows.clone(),
        });
        let (collections, values) = (categories.chain(collections).collect(), values.keys().cloned().collect());
        Self { collections, values, unread: Vec::new(), completeness }
    }

    /// Adds names whose values are invalid.
    pub(super) fn with_unread(self, unread: Vec<Arc<str>>) -> Self {
        let rows = self.completeness.rows && unread.is_empty();
        Self { unread, completeness: Completeness { rows, ..self.completeness }, ..self }
    }

    pub(super) fn completeness(&self) -> Completeness {
        self.completeness
    }

    pub(super) fn collections(&self) -> &[KnownCollection] {
        &self.collections
    }

    /// Returns all names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let collections = self.collections.iter().map(|collection| &*collection.name);
        collections.chain(self.values.iter().chain(&self.unread).map(|name| &**name))
    }

    /// Returns whether an undeclared name is an error.
    fn must_be_declared(&self, name: &str) -> bool {
        self.completeness.names && self.unread.iter().all(|unread| &**unread != name)
    }

    /// Returns whether a value has this name.
    pub(super) fn is_value(&self, name: &str) -> bool {
        self.values.iter().any(|value| &**value == name)
    }

    /// Returns the collection with this name. Reports a problem if no collection has it.
    pub(super) fn collection(&self, name: &str, span: Span, check: &mut Validator<'_>) -> Option<&KnownCollection> {
        let found = self.collections.iter().find(|collection| &*collection.name == name);
        if found.is_none() && self.is_value(name) {
            check.report(ReferenceMistake::NotACollection(name.to_owned()).into(), span);
        } else if found.is_none() && self.must_be_declared(name) {
            let unread = self.unread.iter().map(|name| &**name);
            let candidates = self.collections.iter().map(|collection| &*collection.name).chain(unread);
            let nearest = nearest(name, candidates).map(str::to_owned);
            check.report(ReferenceMistake::UnknownCollection { name: name.to_owned(), nearest }.into(), span);
        }
        found
    }

    /// Returns the value with this name. Reports a problem if no value has it. `of_socket` is whether a socket runs the
    /// step.
    pub(super) fn value(&self, name: &str, of_socket: bool, span: Span, check: &mut Validator<'_>) -> Option<Arc<str>> {
        if let Some(found) = self.values.iter().find(|value| &***value == name) {
            return Some(found.clone());
        }
        if self.collections.iter().any(|collection| &*collection.name == name) {
            check.report(ReferenceMistake::SetsCollection(name.to_owned()).into(), span);
        } else if self.must_be_declared(name) {
            let candidates = self.values.iter().chain(&self.unread).map(|value| &**value);
            let nearest = nearest(name, candidates).map(str::to_owned);
            check.report(ReferenceMistake::UnknownValue { name: name.to_owned(), nearest, of_socket }.into(), span);
        }
        None
    }
}
