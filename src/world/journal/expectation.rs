//! What a test expects to find in a journal, and how often.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::Kind;
use super::entry::COLLECTION;

/// Entries that a test expects. Every field that is given has to match; those that an entry does not have do not match.
/// Preflights count only with a `method` of `OPTIONS`. Without `atLeast`, `atMost` and `exactly`, there has to be at least one
/// such entry.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expectation {
    /// The kind of entry.
    pub kind: Option<Kind>,
    /// A request's method, in any case.
    pub method: Option<String>,
    /// A request's path below the world's prefix, decoded; `*` stands for anything. With the kind `opened`, that of a stream or
    /// of a socket of `websocket`; with `received`, that of the socket. A socket is also meant by the key of its endpoint.
    pub path: Option<String>,
    /// A request's query without its question mark; `*` stands for anything.
    pub query: Option<String>,
    /// Headers of a request by name, in any case; `*` in a value stands for anything.
    pub headers: Option<BTreeMap<String, String>>,
    /// The key of the route that answered a request, as the scenario has it, such as `GET /todos/{id}`.
    pub route: Option<String>,
    /// The status code of a request's answer.
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// JSON that is in the body of a request, or in a frame: of objects these keys, everything else as it is. What a socket with
    /// a `protocol` received is the `msg` of its rules; what the protocol says for itself, such as heartbeats, is no entry.
    pub body: Option<Value>,
    /// The whole JSON of the body of a request, or of a frame.
    pub body_equals: Option<Value>,
    /// Text that is in the body of a request, or in a frame.
    pub body_contains: Option<String>,
    /// A socket's number.
    pub socket: Option<u64>,
    /// The category that a socket was opened with.
    #[serde(rename = "category")]
    pub collection: Option<String>,
    /// The close code that a socket ended with.
    pub code: Option<u16>,
    /// The number of the rule that fits a message, or what a rule is called that failed.
    pub rule: Option<RuleName>,
    /// Why a rule failed; `*` stands for anything.
    pub why: Option<String>,
    /// Only entries after that number.
    pub after: Option<u64>,
    /// At least so many.
    pub at_least: Option<u64>,
    /// So many at the most.
    pub at_most: Option<u64>,
    /// Exactly so many.
    pub exactly: Option<u64>,
}

/// A rule, as the entries of a journal name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RuleName {
    /// The number, from 1, of one for messages, beside the socket that has sent the message.
    Number(usize),
    /// The key of one that failed, of an endpoint with the number, such as `websocket /rooms/{room}, rule 2`.
    Key(String),
}

impl From<usize> for RuleName {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

/// A text that is a number names the rule of that number.
impl From<String> for RuleName {
    fn from(text: String) -> Self {
        text.parse().map_or(Self::Key(text), Self::Number)
    }
}

/// Why an expectation makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ExpectationError {
    /// Two ways to say how often.
    #[error("exactly cannot stand beside atLeast or atMost, leave one of them out")]
    ExactlyAndMore,
    /// A range without a number in it.
    #[error("atLeast is above atMost, so that nothing could match")]
    EmptyRange,
    /// Two bodies.
    #[error("body and bodyEquals cannot stand side by side, leave one of them out")]
    TwoBodies,
    /// A path as no request can have it.
    #[error("no request can have that path: it begins with / or *, below the world's prefix, and the query is apart")]
    Path,
    /// A key as no route can have it.
    #[error("no route can have that key: it is a path, or a method and a path, as in `GET /todos/{{id}}`")]
    Route,
    /// A status as no answer can have it.
    #[error("no answer can have that status: it is from 100 to 599")]
    Status,
    /// Fields that no entry has together.
    #[error("{0} and {1} are of different kinds of entries, so that nothing could match")]
    DifferentKinds(&'static str, &'static str),
}

/// Why a wait makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WrongWait {
    /// The expectation itself makes none.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// It would be over before it began.
    #[error("to wait for none is to wait for nothing: give atLeast or exactly above 0")]
    ForNothing,
}

impl Expectation {
    /// A request of that method and path.
    #[must_use]
    pub fn request(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { kind: Some(Kind::Request), method: Some(method.into()), path: Some(path.into()), ..Self::default() }
    }

    /// A frame that a client sends, with this JSON in it.
    #[must_use]
    pub fn received(body: Value) -> Self {
        Self { kind: Some(Kind::Received), body: Some(body), ..Self::default() }
    }

    /// A frame that sockets get, with this JSON in it.
    #[must_use]
    pub fn sent(body: Value) -> Self {
        Self { kind: Some(Kind::Sent), body: Some(body), ..Self::default() }
    }

    /// With this JSON in its body.
    #[must_use]
    pub fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Exactly so many.
    #[must_use]
    pub fn exactly(self, count: u64) -> Self {
        Self { exactly: Some(count), ..self }
    }

    /// At least so many.
    #[must_use]
    pub fn at_least(self, count: u64) -> Self {
        Self { at_least: Some(count), ..self }
    }

    /// Says what makes no sense.
    ///
    /// # Errors
    /// [`ExpectationError`].
    pub fn check(&self) -> Result<(), ExpectationError> {
        if self.exactly.is_some() && (self.at_least.is_some() || self.at_most.is_some()) {
            return Err(ExpectationError::ExactlyAndMore);
        }
        if self.fewest() > self.most() {
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

    /// A typing mistake must not make that nothing matches: who expects none would never know.
    fn check_kinds(&self) -> Result<(), ExpectationError> {
        use Kind::{Behind, Closed, Failed, Faulted, Opened, Received, Request, Sent};
        let kind = self.kind.as_ref().map(std::slice::from_ref);
        // A request that opens a stream has the stream's path as well: it is one entry, not two, that a path alone means.
        let with_path = match self.kind {
            Some(Opened) => &[Opened][..],
            Some(Received) => &[Received],
            _ => &[Request],
        };
        let fields: [(&'static str, Option<&[Kind]>); 14] = [
            ("kind", kind),
            ("method", self.method.as_ref().map(|_| &[Request][..])),
            ("path", self.path.as_ref().map(|_| with_path)),
            ("route", self.route.as_ref().map(|_| &[Request][..])),
            ("query", self.query.as_ref().map(|_| &[Request][..])),
            ("headers", self.headers.as_ref().map(|_| &[Request][..])),
            ("status", self.status.map(|_| &[Request][..])),
            (COLLECTION, self.collection.as_ref().map(|_| &[Opened][..])),
            ("code", self.code.map(|_| &[Closed][..])),
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

    /// Whether there is something to wait for.
    #[must_use]
    pub fn can_be_awaited(&self) -> bool {
        self.fewest() > 0
    }

    pub(in crate::world) fn fewest(&self) -> u64 {
        self.exactly.or(self.at_least).unwrap_or_else(|| u64::from(self.at_most.is_none()))
    }

    pub(super) fn most(&self) -> u64 {
        self.exactly.or(self.at_most).unwrap_or(u64::MAX)
    }

    /// How often, in words.
    pub(super) fn times(&self) -> String {
        match (self.fewest(), self.most()) {
            (fewest, most) if fewest == most => format!("exactly {fewest}"),
            (fewest, u64::MAX) => format!("at least {fewest}"),
            (0, most) => format!("at most {most}"),
            (fewest, most) => format!("{fewest} to {most}"),
        }
    }
}

/// Whether a route may have that key.
fn is_route_key(key: &str) -> bool {
    let path = key.split_once(' ').map_or(key, |(_, path)| path.trim_start());
    path.starts_with('/')
}
