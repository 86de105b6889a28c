//! Compares an entry with an expectation.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::entry::{COLLECTION, MemberPath, OpenedBy};
use super::{Entry, Expectation, ExpectedQuery, Kind, Record, RuleName};
use crate::engine::{MessageOutcome, matches_wildcard};
use crate::matching::{is_same, mismatches, parse_query_values};
use crate::request;

/// A difference between an entry and an expectation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// The expectation's field, with the path into a body, such as `body.amount`.
    pub field: String,
    /// The expected value.
    pub expected: Value,
    /// The actual value; null if there is none.
    pub found: Value,
}

impl Expectation {
    /// Returns the number of fields compared.
    pub(super) fn criteria(&self) -> usize {
        let fields = [
            self.kind.is_some(),
            self.method.is_some(),
            self.path.is_some(),
            self.query.is_some(),
            self.route.is_some(),
            self.status.is_some(),
            self.body.is_some(),
            self.body_equals.is_some(),
            self.body_contains.is_some(),
            self.socket.is_some(),
            self.collection.is_some(),
            self.code.is_some(),
            self.rule.is_some(),
            self.why.is_some(),
        ];
        let headers = self.headers.as_ref().map_or(0, std::collections::BTreeMap::len);
        fields.into_iter().filter(|given| *given).count() + headers
    }

    /// Returns whether an entry meets the expectation.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        self.after.is_none_or(|after| entry.sequence > after)
            && self.kind.is_none_or(|kind| kind == entry.kind())
            && self.differences(entry).is_empty()
    }

    /// Returns whether an entry counts towards the expectation: it [matches](Expectation::matches), and it is not a
    /// preflight (Fetch standard, "CORS protocol") unless the expectation asks for that method. Browsers send
    /// preflights on their own, and not always.
    #[must_use]
    pub fn counts(&self, entry: &Entry) -> bool {
        !self.excludes(entry) && self.matches(entry)
    }

    /// Returns whether the entry is a preflight that the expectation does not ask for.
    pub(super) fn excludes(&self, entry: &Entry) -> bool {
        const PREFLIGHT: &str = "OPTIONS";
        let is_preflight = matches!(&entry.record, Record::Request(exchange) if exchange.head.method() == PREFLIGHT);
        is_preflight && self.method.as_ref().is_none_or(|method| !method.eq_ignore_ascii_case(PREFLIGHT))
    }

    /// Returns all differences between the entry and the expectation.
    pub(super) fn differences(&self, entry: &Entry) -> Vec<Difference> {
        let mut found = Differences::default();
        if let Some(kind) = self.kind {
            found.same("kind", &kind.to_string(), Some(entry.kind().to_string()));
        }
        self.compare_request(entry, &mut found);
        self.compare_socket(entry, &mut found);
        self.compare_body(entry, &mut found);
        self.compare_rule(entry, &mut found);
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
            let is_match =
                |(actual, key): &(Cow<'_, str>, Option<&str>)| *key == Some(path) || matches_wildcard(path, actual);
            let actual = self.paths_of(entry);
            if !actual.iter().any(is_match) {
                found.add("path", path, actual.first().map(|(actual, _)| actual));
            }
        }
        match &self.query {
            Some(ExpectedQuery::Text(query)) => {
                let actual = request.and_then(|request| request.head.query()).map(str::to_owned);
                found.check("query", query, actual, |actual| matches_wildcard(query, actual));
            }
            Some(ExpectedQuery::Parameters(parameters)) => {
                let expected = Value::Object(parameters.clone());
                let actual = request.map(|request| request::query(request.head.query().unwrap_or_default()));
                let actual = actual.map(|actual| parse_query_values(&expected, actual.into()));
                found.contains("query", &expected, &actual.unwrap_or_default());
            }
            None => {}
        }
        if let Some(route) = &self.route {
            let actual = request.and_then(|request| request.answered_by()).map(|by| by.route.to_string());
            found.same("route", route, actual);
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

    /// Returns the paths that `path` is compared with in an entry of the expected kind, each with the key of the
    /// socket's endpoint, which matches as well.
    fn paths_of<'e>(&self, entry: &'e Entry) -> Vec<(Cow<'e, str>, Option<&'e str>)> {
        let of_members = |paths: &'e [MemberPath]| {
            let paths = paths.iter().map(|one| (Cow::from(&*one.path), one.endpoint.as_deref()));
            paths.collect()
        };
        match (&entry.record, self.kind) {
            (Record::Request(exchange), _) => vec![(exchange.head.path(), None)],
            (Record::Opened { by: OpenedBy::Stream { path }, .. }, Some(Kind::Opened)) => {
                vec![(Cow::from(&**path), None)]
            }
            (Record::Opened { by: OpenedBy::Socket { path, endpoint }, .. }, Some(Kind::Opened)) => {
                vec![(Cow::from(&**path), Some(&**endpoint))]
            }
            (Record::Received { path: Some(path), endpoint, .. }, Some(Kind::Received)) => {
                vec![(Cow::from(&**path), endpoint.as_deref())]
            }
            (Record::Closed { path, .. }, Some(Kind::Closed)) => of_members(path.as_slice()),
            (Record::Sent { sockets, .. }, Some(Kind::Sent)) => of_members(sockets.paths()),
            _ => Vec::new(),
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
        if let Some(topic) = &self.topic {
            let actual = if let Record::Sent { topics, .. } = &entry.record { &**topics } else { &[] };
            if !actual.iter().any(|actual| matches_wildcard(topic, actual)) {
                found.add("topic", topic, actual.first());
            }
        }
        if let Some(fault) = &self.fault {
            let actual = match &entry.record {
                Record::Faulted { fault, .. } => Some(fault.to_string()),
                _ => None,
            };
            found.check("fault", fault, actual, |actual| matches_wildcard(fault, actual));
        }
    }

    fn compare_body(&self, entry: &Entry, found: &mut Differences) {
        let payload = entry.payload();
        let actual = |expected: &Value| {
            let value = match &entry.record {
                Record::Request(exchange) => exchange.comparable_body(expected),
                _ => payload.and_then(|payload| payload.comparable(expected)),
            };
            value.unwrap_or_default()
        };
        if let Some(expected) = &self.body {
            found.contains("body", expected, &actual(expected));
        }
        if let Some(expected) = &self.body_equals {
            let actual = actual(expected);
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

impl Expectation {
    fn compare_rule(&self, entry: &Entry, found: &mut Differences) {
        if let Some(expected) = &self.rule {
            let rule = rule_of(entry);
            if rule.as_ref() != Some(expected) {
                found.add("rule", expected, rule);
            }
        }
        if let Some(expected) = &self.why {
            let actual = match &entry.record {
                Record::Failed { why, .. } => Some(why.to_string()),
                _ => None,
            };
            found.check("why", expected, actual, |actual| matches_wildcard(expected, actual));
        }
    }
}

/// Returns the rule that an entry refers to.
fn rule_of(entry: &Entry) -> Option<RuleName> {
    match &entry.record {
        Record::Failed { rule, .. } => Some(RuleName::Key(rule.to_string())),
        Record::Received { outcome: Some(MessageOutcome::Fired(rule)), .. } => Some(RuleName::Number(*rule)),
        Record::Received { outcome: Some(MessageOutcome::Refused { rule, .. }), .. } => rule.map(RuleName::Number),
        _ => None,
    }
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, field: &str, expected: impl Serialize, found: impl Serialize) {
        // Text, numbers and JSON values always convert to JSON.
        let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
        let (expected, found) = (json(serde_json::to_value(expected)), json(serde_json::to_value(found)));
        self.0.push(Difference { field: field.to_owned(), expected, found });
    }

    fn same<T: PartialEq + Serialize>(&mut self, field: &str, expected: &T, found: Option<T>) {
        if found.as_ref() != Some(expected) {
            self.add(field, expected, found);
        }
    }

    fn check(&mut self, field: &str, expected: &str, found: Option<String>, matches: impl Fn(&str) -> bool) {
        if !found.as_deref().is_some_and(matches) {
            self.add(field, expected, found);
        }
    }

    fn contains(&mut self, field: &str, expected: &Value, found: &Value) {
        for (field, expected, found) in mismatches(field, expected, found) {
            self.add(&field, expected, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use super::*;
    use crate::world::journal::{Answer, AnsweredBy, Dropped, Exchange, RequestHead, Verdict};

    fn entry(record: Record) -> Entry {
        Entry { sequence: 7, at: Duration::ZERO, world: "default".into(), record }
    }

    /// Returns a request that was answered with 404 by the given route and answer.
    fn answered(by: Option<(&str, Option<usize>)>) -> Entry {
        let by = by.map(|(route, number)| AnsweredBy { route: route.into(), number });
        let head = RequestHead::new("GET", "/todos/7", None, std::iter::empty());
        let answer = OnceLock::from(Answer { status: 404, body: None, by, is_stream: false, notes: Vec::new() });
        entry(Record::Request(Arc::new(Exchange { head, body: None, faults: Vec::new(), answer })))
    }

    fn with_route(route: &str) -> Expectation {
        Expectation { route: Some(route.into()), ..Expectation::default() }
    }

    #[test]
    fn a_route_matches_the_one_that_answered() {
        const KEY: &str = "GET /todos/{id}";
        let unanswered = Exchange {
            head: RequestHead::new("GET", "/todos/7", None, std::iter::empty()),
            body: None,
            faults: Vec::new(),
            answer: OnceLock::new(),
        };
        for (entry, matches) in [
            (answered(Some((KEY, Some(2)))), true),
            (answered(Some((KEY, None))), true),
            (answered(Some(("GET /todos/{ID}", Some(2)))), false),
            (answered(Some(("GET /todos/*", Some(2)))), false),
            (answered(None), false),
            (entry(Record::Request(Arc::new(unanswered))), false),
            (entry(Record::Behind { socket: 1, then: None }), false),
        ] {
            assert_eq!(with_route(KEY).matches(&entry), matches, "{entry:?}");
        }
    }

    #[test]
    fn a_near_miss_names_the_route_and_its_answer() {
        for (by, named) in [
            (None, "entry 7 differs only in status"),
            (Some(("/todos", Some(2))), "entry 7 (answer 2 of `/todos`) differs only in status"),
            (Some(("/todos", None)), "entry 7 (no answer of `/todos`) differs only in status"),
        ] {
            let expected = Expectation { status: Some(200), ..Expectation::request("GET", "/todos/*") };
            let verdict = Verdict::of(&[expected], false, &[answered(by)], Dropped::default());
            let why = verdict.findings[0].why.as_deref().unwrap_or_default();
            assert_eq!(why, format!("expected at least 1, found 0; {named}"));
        }
    }

    #[test]
    fn a_path_matches_a_stream_only_when_it_opens() {
        let opened = |by| entry(Record::Opened { socket: 1, by });
        let stream = opened(OpenedBy::Stream { path: "/rooms/a b/events".into() });
        let socket = opened(OpenedBy::Collection("toys".into()));
        let path = Expectation { path: Some("/rooms/*/events".into()), ..Expectation::default() };
        let with_kind = Expectation { kind: Some(Kind::Opened), ..path.clone() };
        let elsewhere = Expectation { path: Some("/events".into()), ..with_kind.clone() };
        assert!(with_kind.matches(&stream) && !path.matches(&stream));
        assert!(!with_kind.matches(&socket) && !elsewhere.matches(&stream));
        let found = elsewhere.differences(&stream);
        assert_eq!(found.iter().map(|one| &one.found).collect::<Vec<_>>(), ["/rooms/a b/events"]);
    }

    #[test]
    fn a_message_is_found_by_its_path_and_its_rule() {
        let received = |path: Option<&str>, outcome: Option<MessageOutcome>| {
            let payload = crate::world::journal::Payload::of(&crate::world::Message::text("x"));
            let endpoint = path.map(|_| "/rooms/{room}".into());
            entry(Record::Received { socket: 1, path: path.map(Into::into), endpoint, payload, outcome })
        };
        let refused = |rule| MessageOutcome::Refused { rule, why: "full".into() };
        let unmatched = || MessageOutcome::Unmatched { nearest: None };
        let of_kind = Expectation { kind: Some(Kind::Received), ..Expectation::default() };
        let at = |path: &str| Expectation { path: Some(path.into()), ..of_kind.clone() };
        let by = |rule: usize| Expectation { rule: Some(RuleName::Number(rule)), ..Expectation::default() };
        for (expected, outcome, matches) in [
            (at("/rooms/*"), MessageOutcome::Fired(1), true),
            (at("/rooms"), MessageOutcome::Fired(1), false),
            (at("/rooms/{room}"), MessageOutcome::Fired(1), true),
            (at("/rooms/{id}"), MessageOutcome::Fired(1), false),
            (by(2), MessageOutcome::Fired(2), true),
            (by(2), MessageOutcome::Fired(1), false),
            (by(2), refused(Some(2)), true),
            (by(2), refused(None), false),
            (by(2), unmatched(), false),
        ] {
            assert_eq!(expected.matches(&received(Some("/rooms/7"), Some(outcome))), matches, "{expected:?}");
        }
        assert!(!at("*").matches(&received(None, None)) && !by(1).matches(&answered(None)));
        let by_socket = OpenedBy::Socket { path: "/rooms/7".into(), endpoint: "/rooms/{room}".into() };
        let opened = entry(Record::Opened { socket: 1, by: by_socket });
        let with_kind = Expectation { kind: Some(Kind::Opened), ..at("/rooms/*") };
        let by_key = Expectation { path: Some("/rooms/{room}".into()), ..with_kind.clone() };
        assert!(with_kind.matches(&opened) && by_key.matches(&opened) && !at("/rooms/*").matches(&opened));
        let found = by(2).differences(&received(None, Some(MessageOutcome::Fired(1))));
        assert_eq!(found, [Difference { field: "rule".into(), expected: 2.into(), found: 1.into() }]);
        for (expectation, is_possible) in [
            (Expectation { rule: Some(RuleName::Number(1)), ..at("/rooms/*") }, true),
            (by(1), true),
            (Expectation { kind: Some(Kind::Request), ..by(1) }, false),
            (Expectation { path: Some("/rooms".into()), ..by(1) }, false),
        ] {
            assert_eq!(expectation.check().is_ok(), is_possible, "{expectation:?}");
        }
    }

    #[test]
    fn an_expectation_that_nothing_can_match_is_an_error() {
        let opened = || Expectation { kind: Some(Kind::Opened), ..Expectation::default() };
        for (expectation, message) in [
            (with_route("GET /todos/{id}"), ""),
            (with_route("/todos"), ""),
            (
                with_route("GET todos"),
                "no route can have this key: expected a path, or a method and a path, such as `GET /todos/{id}`",
            ),
            (Expectation { path: Some("/events".into()), ..opened() }, ""),
            (
                Expectation { route: Some("/todos".into()), ..opened() },
                "`kind` and `route` belong to different kinds of entries, so nothing can match",
            ),
            (
                Expectation { path: Some("/events".into()), route: Some("/events".into()), ..opened() },
                "`kind` and `route` belong to different kinds of entries, so nothing can match",
            ),
        ] {
            let found = expectation.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(found, message, "{expectation:?}");
        }
    }
}
