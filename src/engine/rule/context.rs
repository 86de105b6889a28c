//! The names that a rule's expressions can use besides `data`: the request, the event, the row, and `with` names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RuleRequest;
use crate::expression::Data;

/// Names with their values. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine) struct Context(Arc<BTreeMap<Arc<str>, Arc<Value>>>);

impl Context {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Arc<Value>>) {
        Arc::make_mut(&mut self.0).insert(name.into(), value.into());
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Arc<Value>>) -> Self {
        self.set(name, value);
        self
    }

    /// Resolves a name. `None` if the context does not include it.
    pub(super) fn resolve(&self, name: &str) -> Option<Data> {
        // Header names are case-insensitive (RFC 9110, 5.1) and kept in lower case.
        let data = if name == "headers" { Data::in_any_case } else { Data::shared };
        self.0.get(name).map(data)
    }

    /// Returns a copy with only these names.
    pub(super) fn only<'n>(&self, names: impl Iterator<Item = &'n String>) -> Self {
        let kept = names.filter_map(|name| self.0.get_key_value(name.as_str()));
        Self(Arc::new(kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    /// Returns a copy without these names.
    pub(super) fn without(&self, names: &BTreeSet<String>) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(&***name));
        Self(Arc::new(kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    /// Returns a copy that also has the names of `other`. Values of `self` take precedence.
    pub(super) fn and(&self, other: &Self) -> Self {
        let both = other.0.iter().chain(&*self.0);
        Self(Arc::new(both.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    /// Returns the value of a name as a shared pointer.
    pub(super) fn shared(&self, name: &str) -> Option<&Arc<Value>> {
        self.0.get(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|value| &**value)
    }
}

impl From<RuleRequest> for Context {
    fn from(request: RuleRequest) -> Self {
        let RuleRequest { method, url, path, query, headers, cookies, body } = request;
        let mut known = BTreeMap::new();
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
        Self(Arc::new(known))
    }
}
