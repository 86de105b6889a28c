//! Holds one entry against what is expected of it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::entry::{COLLECTION, OpenedBy};
use super::{Entry, Expectation, Record};
use crate::engine::matches_wildcard;
use crate::matching::{is_same, mismatches};

/// One thing in which an entry is not as expected.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// The expectation's field, with the way into a body, such as `body.amount`.
    pub field: String,
    /// What was expected.
    pub expected: Value,
    /// What there is; null if there is no such thing.
    pub found: Value,
}

impl Expectation {
    /// How many fields are compared.
    pub(super) fn criteria(&self) -> usize {
        let fields = [
            self.kind.is_some(),
            self.method.is_some(),
            self.path.is_some(),
            self.query.is_some(),
            self.status.is_some(),
            self.body.is_some(),
            self.body_equals.is_some(),
            self.body_contains.is_some(),
            self.socket.is_some(),
            self.collection.is_some(),
            self.code.is_some(),
        ];
        let headers = self.headers.as_ref().map_or(0, std::collections::BTreeMap::len);
        fields.into_iter().filter(|given| *given).count() + headers
    }

    /// Whether an entry is one of those that are meant.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        self.after.is_none_or(|after| entry.sequence > after)
            && self.kind.is_none_or(|kind| kind == entry.kind())
            && self.differences(entry).is_empty()
    }

    /// Whether an entry counts for the expectation: it [matches](Expectation::matches), and is no preflight (Fetch standard, "CORS
    /// protocol") unless the expectation asks for its method. Browsers send preflights by themselves, and not always.
    #[must_use]
    pub fn counts(&self, entry: &Entry) -> bool {
        !self.leaves_out(entry) && self.matches(entry)
    }

    /// Whether the entry is a preflight that nobody has asked for.
    pub(super) fn leaves_out(&self, entry: &Entry) -> bool {
        const PREFLIGHT: &str = "OPTIONS";
        let is_preflight = matches!(&entry.record, Record::Request(exchange) if exchange.head.method() == PREFLIGHT);
        is_preflight && self.method.as_ref().is_none_or(|method| !method.eq_ignore_ascii_case(PREFLIGHT))
    }

    /// Everything in which the entry is not as expected.
    pub(super) fn differences(&self, entry: &Entry) -> Vec<Difference> {
        let mut found = Differences::default();
        if let Some(kind) = self.kind {
            found.same("kind", &kind.to_string(), Some(entry.kind().to_string()));
        }
        self.compare_request(entry, &mut found);
        self.compare_socket(entry, &mut found);
        self.compare_body(entry, &mut found);
        found.0
    }

    fn compare_request(&self, entry: &Entry, found: &mut Differences) {
        let request = match &entry.record {
            Record::Request(exchange) => Some(exchange),
            _ => None,
        };
        if let Some(method) = &self.method {
            let actual = request.map(|request| request.head.method().to_owned());
            found.check("method", method, actual, |actual| actual.eq_ignore_ascii_case(method));
        }
        if let Some(path) = &self.path {
            let actual = request.map(|request| request.head.path().into_owned());
            found.check("path", path, actual, |actual| matches_wildcard(path, actual));
        }
        if let Some(query) = &self.query {
            let actual = request.and_then(|request| request.head.query()).map(str::to_owned);
            found.check("query", query, actual, |actual| matches_wildcard(query, actual));
        }
        for (name, value) in self.headers.iter().flatten() {
            let actual = request.and_then(|request| request.head.header(name));
            found.check(&format!("headers.{name}"), value, actual, |actual| matches_wildcard(value, actual));
        }
        if let Some(status) = self.status {
            let actual = request.and_then(|request| request.answer.get()).map(|answer| answer.status);
            found.same("status", &status, actual);
        }
    }

    fn compare_socket(&self, entry: &Entry, found: &mut Differences) {
        if let Some(socket) = self.socket
            && !entry.sockets().contains(&socket)
        {
            found.add("socket", socket, entry.sockets());
        }
        if let Some(collection) = &self.collection {
            let actual = match &entry.record {
                Record::Opened { by: OpenedBy::Collection(collection), .. } => Some(collection.to_string()),
                _ => None,
            };
            found.same(COLLECTION, collection, actual);
        }
        if let Some(code) = self.code {
            let actual = match &entry.record {
                Record::Closed { end, .. } => end.code,
                _ => None,
            };
            found.same("code", &code, actual);
        }
    }

    fn compare_body(&self, entry: &Entry, found: &mut Differences) {
        let payload = entry.payload();
        let json = || payload.and_then(super::Payload::json).unwrap_or_default();
        if let Some(expected) = &self.body {
            found.contains("body", expected, &json());
        }
        if let Some(expected) = &self.body_equals {
            let actual = json();
            if !is_same(expected, &actual) {
                found.add("bodyEquals", expected, actual);
            }
        }
        if let Some(expected) = &self.body_contains {
            let actual = payload.and_then(|payload| payload.as_text()).map(str::to_owned);
            found.check("bodyContains", expected, actual, |actual| actual.contains(expected.as_str()));
        }
    }
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, field: &str, expected: impl Serialize, found: impl Serialize) {
        // Text, numbers and JSON values always become JSON.
        let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
        let (expected, found) = (json(serde_json::to_value(expected)), json(serde_json::to_value(found)));
        self.0.push(Difference { field: field.to_owned(), expected, found });
    }

    fn same<T: PartialEq + Serialize>(&mut self, field: &str, expected: &T, found: Option<T>) {
        if found.as_ref() != Some(expected) {
            self.add(field, expected, found);
        }
    }

    fn check(&mut self, field: &str, expected: &str, found: Option<String>, fits: impl Fn(&str) -> bool) {
        if !found.as_deref().is_some_and(fits) {
            self.add(field, expected, found);
        }
    }

    fn contains(&mut self, field: &str, expected: &Value, found: &Value) {
        for (field, expected, found) in mismatches(field, expected, found) {
            self.add(&field, expected, found);
        }
    }
}
