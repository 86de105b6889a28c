//! The names that a rule's expressions can use besides `data`: the request, the event, the row, and `with` names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RuleRequest;
use crate::expression::Data;

/// Names with their values. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Arc<str>, Arc<Value>>", into = "BTreeMap<Arc<str>, Arc<Value>>")]
pub(in crate::engine) struct Context(Arc<[Named]>);

/// A name with its value. Those of a context are sorted by name, without duplicates.
type Named = (Arc<str>, Arc<Value>);

impl Context {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Arc<Value>>) {
        let value = value.into();
        let (before, from) = match self.place(name) {
            Ok(place) => (&self.0[..place], &self.0[place + 1..]),
            Err(place) => self.0.split_at(place),
        };
        self.0 = before.iter().cloned().chain([(name.into(), value)]).chain(from.iter().cloned()).collect();
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Arc<Value>>) -> Self {
        self.set(name, value);
        self
    }

    /// Resolves a name. `None` if the context does not include it.
    pub(super) fn resolve(&self, name: &str) -> Option<Data> {
        // Header names are case-insensitive (RFC 9110, 5.1) and kept in lower case.
        let data = if name == "headers" { Data::in_any_case } else { Data::shared };
        self.shared(name).map(data)
    }

    /// Returns a copy with only these names.
    pub(super) fn only<'n>(&self, names: impl Iterator<Item = &'n String>) -> Self {
        let kept: BTreeMap<_, _> = names.filter_map(|name| Some(self.0[self.place(name).ok()?].clone())).collect();
        kept.into()
    }

    /// Returns a copy without these names.
    pub(super) fn without(&self, names: &BTreeSet<String>) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&**name)).cloned().collect())
    }

    /// Returns a copy that also has the names of `other`. Values of `self` take precedence.
    pub(super) fn and(&self, other: &Self) -> Self {
        let both: BTreeMap<_, _> = other.0.iter().chain(&*self.0).cloned().collect();
        both.into()
    }

    /// Returns the value of a name as a shared pointer.
    pub(super) fn shared(&self, name: &str) -> Option<&Arc<Value>> {
        self.place(name).ok().map(|place| &self.0[place].1)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.shared(name).map(|value| &**value)
    }

    /// Returns the place of a name, or else the one at which it would be inserted.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

impl From<BTreeMap<Arc<str>, Arc<Value>>> for Context {
    fn from(names: BTreeMap<Arc<str>, Arc<Value>>) -> Self {
        Self(names.into_iter().collect())
    }
}

impl From<Context> for BTreeMap<Arc<str>, Arc<Value>> {
    fn from(context: Context) -> Self {
        context.0.iter().cloned().collect()
    }
}

impl From<RuleRequest> for Context {
    fn from(request: RuleRequest) -> Self {
        let RuleRequest { method, url, path, query, headers, cookies, body } = request;
        let mut known: BTreeMap<Arc<str>, Arc<Value>> = BTreeMap::new();
        let mut add = |name: &str, value: Option<Value>| {
            known.extend(value.map(|value| (name.into(), Arc::new(value))));
        };
        add("method", method.map(Value::from));
        add("url", url.map(Value::from));
        add("path", path.map(Value::Object));
        add("query", query.map(Value::Object));
        add("headers", headers.map(Value::Object));
        add("cookies", cookies.map(Value::Object));
        add("body", body);
        known.into()
    }
}
