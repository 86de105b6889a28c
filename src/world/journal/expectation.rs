//! What a test expects to find in a journal, and how often.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::Kind;
use super::entry::COLLECTION;

/// The entries that a test expects. Every given field must match; an entry without such a field does not match.
/// Preflights count only if `method` is `OPTIONS`. Without `atLeast`, `atMost` and `exactly`, at least one entry must
/// match.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expectation {
    /// The kind of entry.
    pub kind: Option<Kind>,
    /// The method of a request, case-insensitive.
    pub method: Option<String>,
    /// The decoded path of a request below the world's prefix; `*` matches anything. With the kind `opened`, `closed` or
    /// `sent`, the path of a stream or of a `websocket` socket; with `received`, the path of the socket. The key of a
    /// socket's endpoint also matches.
    pub path: Option<String>,
    /// The query of a request.
    pub query: Option<ExpectedQuery>,
    /// Headers of a request by case-insensitive name; `*` in a value matches anything.
    pub headers: Option<BTreeMap<String, String>>,
    /// The key of the route that answered a request, as written in the scenario, such as `GET /todos/{id}`.
    pub route: Option<String>,
    /// The status code of the answer to a request.
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// JSON contained in the body of a request or in a frame: objects must have these keys, all other values must be
    /// equal. `null` also matches a missing key. An object is compared with the object that routes see: the fields of a
    /// form, in which a file is `{ filename, type, size }`, or `{ type, size }` for a binary body. A string also matches
    /// a body or frame that is exactly this text and not JSON. A binary frame is `{ binary: BASE64 }`. For a socket with
    /// a `protocol`, a received message is the `msg` of its rules; messages of the protocol itself, such as heartbeats,
    /// are not recorded.
    pub body: Option<Value>,
    /// The entire JSON of the body of a request or of a frame. Objects and strings are compared as in `body`.
    pub body_equals: Option<Value>,
    /// Text contained in the body of a request or in a frame.
    pub body_contains: Option<String>,
    /// The number of a socket.
    pub socket: Option<u64>,
    /// The category that a socket was opened with.
    #[serde(rename = "category")]
    pub collection: Option<String>,
    /// The close code of a socket.
    pub code: Option<u16>,
    /// A topic that a frame was sent to; `*` matches anything.
    pub topic: Option<String>,
    /// The fault that hit a socket or a frame, as entries name it; `*` matches anything.
    pub fault: Option<String>,
    /// The number of the rule that matched a message, or the key of a rule that failed.
    pub rule: Option<RuleName>,
    /// Why a rule failed; `*` stands for anything.
    pub why: Option<String>,
    /// Only entries after this sequence number.
    pub after: Option<u64>,
    /// The minimum number of entries.
    pub at_least: Option<u64>,
    /// The maximum number of entries.
    pub at_most: Option<u64>,
    /// The exact number of entries.
    pub exactly: Option<u64>,
}

/// The expected query of a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected text or an object")]
pub enum ExpectedQuery {
    /// The query as it was sent, without the question mark; `*` matches anything.
    Text(String),
    /// Parameters with their values, as in the `match` of an answer. A repeated parameter is a list.
    Parameters(Map<String, Value>),
}

impl<T: Into<String>> From<T> for ExpectedQuery {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// A rule, as journal entries name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RuleName {
    /// The number of a message rule, from 1, within the endpoint of the socket that sent the message.
    Number(usize),
    /// The key of a rule that failed, with its number if it is a message rule, such as `websocket /rooms/{room}, rule
    /// 2`.
    Key(String),
}

impl From<usize> for RuleName {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

/// Reads a number as the rule with that number.
impl From<String> for RuleName {
    fn from(text: String) -> Self {
        text.parse().map_or(Self::Key(text), Self::Number)
    }
}

/// Why an expectation is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ExpectationError {
    /// Both `exactly` and a range are given.
    #[error("`exactly` excludes `atLeast` and `atMost`; remove one of them")]
    ExactlyAndRange,
    /// The range is empty.
    #[error("`atLeast` is greater than `atMost`, so nothing can match")]
    EmptyRange,
    /// Two bodies are given.
    #[error("`body` and `bodyEquals` exclude each other; remove one of them")]
    TwoBodies,
    /// No request can have the path.
    #[error("no request can have this path: it must start with `/` or `*`, without the world's prefix or a query")]
    Path,
    /// No route can have the key.
    #[error("no route can have this key: expected a path, or a method and a path, such as `GET /todos/{{id}}`")]
    Route,
    /// No answer can have the status.
    #[error("no answer can have this status: expected 100 to 599")]
    Status,
    /// No entry has both fields.
    #[error("`{0}` and `{1}` belong to different kinds of entries, so nothing can match")]
    DifferentKinds(&'static str, &'static str),
}

/// Why a wait is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidWait {
    /// The expectation itself is invalid.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// The wait would end before it starts.
    #[error("nothing to wait for: set `atLeast` or `exactly` to 1 or more")]
    NothingToWaitFor,
}

impl Expectation {
    /// Creates an expectation of a request with this method and path.
    #[must_use]
    pub fn request(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { kind: Some(Kind::Request), method: Some(method.into()), path: Some(path.into()), ..Self::default() }
    }

    /// Creates an expectation of a frame from a client that contains this JSON.
    #[must_use]
    pub fn received(body: Value) -> Self {
        Self { kind: Some(Kind::Received), body: Some(body), ..Self::default() }
    }

    /// Creates an expectation of a frame to sockets that contains this JSON.
    #[must_use]
    pub fn sent(body: Value) -> Self {
        Self { kind: Some(Kind::Sent), body: Some(body), ..Self::default() }
    }

    /// Requires the body to contain this JSON.
    #[must_use]
    pub fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Requires exactly `count` entries.
    #[must_use]
    pub fn exactly(self, count: u64) -> Self {
        Self { exactly: Some(count), ..self }
    }

    /// Requires at least `count` entries.
    #[must_use]
    pub fn at_least(self, count: u64) -> Self {
        Self { at_least: Some(count), ..self }
    }

    /// Checks that the expectation is valid.
    ///
    /// # Errors
    /// [`ExpectationError`].
    pub fn check(&self) -> Result<(), ExpectationError> {
        if self.exactly.is_some() && (self.at_least.is_some() || self.at_most.is_some()) {
            return Err(ExpectationError::ExactlyAndRange);
        }
        if self.min_count() > self.max_count() {
            return Err(ExpectationError::EmptyRange);
        }
        if self.body.is_some() && self.body_equals.is_some() {
            return Err(ExpectationError::TwoBodies);
        }
        let is_possible =
            |path: &String| path.starts_with(['/', '*']) && !path.contains('?') && !path.starts_with("/@");
        if self.path.as_ref().is_some_and(|path| !is_possible(path)) {
            return Err(ExpectationError::Path);
        }
        if self.route.as_ref().is_some_and(|key| !is_route_key(key)) {
            return Err(ExpectationError::Route);
        }
        if self.status.is_some_and(|status| !(100..=599).contains(&status)) {
            return Err(ExpectationError::Status);
        }
        self.check_kinds()
    }

    /// Rejects combinations that no entry can match. A test that expects no entries would otherwise never notice a
    /// typo.
    fn check_kinds(&self) -> Result<(), ExpectationError> {
        use Kind::{Behind, Closed, Failed, Faulted, Opened, Received, Request, Sent};
        let kind = self.kind.as_ref().map(std::slice::from_ref);
        // A request that opens a stream has the stream's path as well, so a path alone means only the request's entry.
        let with_path = match self.kind {
            Some(Opened) => &[Opened][..],
            Some(Closed) => &[Closed],
            Some(Sent) => &[Sent],
            Some(Received) => &[Received],
            _ => &[Request],
        };
        let fields: [(&'static str, Option<&[Kind]>); 16] = [
            ("kind", kind),
            ("method", self.method.as_ref().map(|_| &[Request][..])),
            ("path", self.path.as_ref().map(|_| with_path)),
            ("route", self.route.as_ref().map(|_| &[Request][..])),
            ("query", self.query.as_ref().map(|_| &[Request][..])),
            ("headers", self.headers.as_ref().map(|_| &[Request][..])),
            ("status", self.status.map(|_| &[Request][..])),
            (COLLECTION, self.collection.as_ref().map(|_| &[Opened][..])),
            ("code", self.code.map(|_| &[Closed][..])),
            ("topic", self.topic.as_ref().map(|_| &[Sent][..])),
            ("fault", self.fault.as_ref().map(|_| &[Faulted][..])),
            ("socket", self.socket.map(|_| &[Opened, Closed, Sent, Received, Behind, Faulted, Failed][..])),
            (
                "rule",
                self.rule.as_ref().map(|rule| if let RuleName::Number(_) = rule { &[Received][..] } else { &[Failed] }),
            ),
            ("why", self.why.as_ref().map(|_| &[Failed][..])),
            ("body", self.body.as_ref().or(self.body_equals.as_ref()).map(|_| &[Request, Sent, Received][..])),
            ("bodyContains", self.body_contains.as_ref().map(|_| &[Request, Sent, Received][..])),
        ];
        let given: Vec<_> = fields.into_iter().filter_map(|(name, kinds)| Some((name, kinds?))).collect();
        for (index, (name, kinds)) in given.iter().enumerate() {
            let apart = given[..index].iter().find(|(_, others)| !kinds.iter().any(|kind| others.contains(kind)));
            if let Some((other, _)) = apart {
                return Err(ExpectationError::DifferentKinds(other, name));
            }
        }
        Ok(())
    }

    /// Returns whether there is anything to wait for.
    #[must_use]
    pub fn can_be_awaited(&self) -> bool {
        self.min_count() > 0
    }

    pub(in crate::world) fn min_count(&self) -> u64 {
        self.exactly.or(self.at_least).unwrap_or_else(|| u64::from(self.at_most.is_none()))
    }

    pub(super) fn max_count(&self) -> u64 {
        self.exactly.or(self.at_most).unwrap_or(u64::MAX)
    }

    /// Describes the expected number of entries.
    pub(super) fn count_text(&self) -> String {
        match (self.min_count(), self.max_count()) {
            (min, max) if min == max => format!("exactly {min}"),
            (min, u64::MAX) => format!("at least {min}"),
            (0, max) => format!("at most {max}"),
            (min, max) => format!("{min} to {max}"),
        }
    }
}

/// Returns whether a route may have this key.
fn is_route_key(key: &str) -> bool {
    let path = key.split_once(' ').map_or(key, |(_, path)| path.trim_start());
    path.starts_with('/')
}
