//! WebSocket endpoints: what happens when a socket opens, when a message arrives, and after the socket has closed.
//!
//! An endpoint is a rule with several lists of steps. Its path is its key, which names the random stream of all lists,
//! and by which a reload recognises the endpoint. Steps belong to the socket, or to the membership that started them,
//! and end with it.

mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{Display, IntoStaticStr};

pub use table::{EndpointError, EndpointMatch, EndpointTable};

use super::{Answers, PathPattern, StepList, Verb};
use crate::expression::{Condition, Template};

/// An endpoint that sockets connect to.
#[derive(Debug)]
pub struct Endpoint {
    /// The path as written in the scenario, such as `/rooms/{room}`.
    pub key: Arc<str>,
    /// The path.
    pub path: PathPattern,
    /// The answers that refuse handshakes: the first one that matches is the response. If none matches, the handshake
    /// is accepted.
    pub handshake: Option<Arc<Answers>>,
    /// The subprotocols (RFC 6455, 1.9) in order of preference. A client that offers none of them is refused. Empty if
    /// any client is accepted.
    pub subprotocols: Vec<Arc<str>>,
    /// The protocol of the messages.
    pub protocol: Protocol,
    /// The frame for members whose `join` has none.
    pub frame: Option<Template>,
    /// The steps to run once a socket is open.
    pub open: Option<StepList>,
    /// The rules for messages: the first one that matches fires.
    pub messages: Vec<MessageRule>,
    /// The steps to run after a socket has closed. They belong to the world.
    pub closed: Option<StepList>,
    /// Whether any step sends to all of its sockets.
    pub sends_to_all: bool,
    /// The names of the handshake request (`path`, `query`, `headers`, `cookies`, `url`) that expressions outside of
    /// `handshake` use.
    pub names: BTreeSet<String>,
    /// The endpoint as written in the scenario.
    pub source: Value,
}

/// Two endpoints are equal if they are written the same way in the scenario.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.source == other.source
    }
}

impl Eq for Endpoint {}

/// A rule for messages.
#[derive(Debug)]
pub struct MessageRule {
    /// JSON that the message must contain.
    pub matches: Option<Template>,
    /// The text of the message. `*` matches any text.
    pub text: Option<Arc<str>>,
    /// An expression that must be true.
    pub when: Option<Condition>,
    /// Named values for `when` and the steps.
    pub with: Vec<(Arc<str>, Template)>,
    /// The steps to run.
    pub steps: StepList,
}

/// The protocol of an endpoint on top of WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Display, IntoStaticStr)]
pub enum Protocol {
    /// No further protocol: messages are JSON, text or bytes.
    #[default]
    #[serde(rename = "plain")]
    #[strum(serialize = "plain")]
    Plain,
    /// Socket.IO 5 over Engine.IO 4, with WebSocket and HTTP long polling.
    #[serde(rename = "socket.io")]
    #[strum(serialize = "socket.io")]
    SocketIo,
    /// GraphQL over WebSocket, with the subprotocol `graphql-transport-ws`.
    #[serde(rename = "graphql-transport-ws")]
    #[strum(serialize = "graphql-transport-ws")]
    GraphqlTransportWs,
}

impl Endpoint {
    /// Creates an endpoint that does nothing.
    pub(super) fn without_steps(key: &str, path: PathPattern) -> Self {
        Self {
            key: key.into(),
            path,
            handshake: None,
            subprotocols: Vec::new(),
            protocol: Protocol::default(),
            frame: None,
            open: None,
            messages: Vec::new(),
            closed: None,
            sends_to_all: false,
            names: BTreeSet::new(),
            source: Value::Null,
        }
    }

    /// Returns every list of steps, except those nested in steps.
    pub fn lists(&self) -> impl Iterator<Item = &StepList> {
        self.open.iter().chain(self.messages.iter().map(|rule| &rule.steps)).chain(&self.closed)
    }

    /// Returns whether any step of these lists sends to all sockets of the endpoint.
    pub(super) fn send_to_all<'l>(lists: impl IntoIterator<Item = &'l StepList>) -> bool {
        let predicate = |verb: &Verb| matches!(verb, Verb::Send { to: None, .. });
        lists.into_iter().any(|list| list.has_verb(&predicate))
    }

    /// Returns the list of steps that is written this way, even if it is nested in steps.
    #[must_use]
    pub fn list_with_source(&self, written: &Value) -> Option<&StepList> {
        self.lists().find_map(|list| list.list_with_source(written))
    }

    /// Returns the frame of the endpoint, or of a `join` in its steps, that is written this way.
    pub(crate) fn frame_with_source(&self, written: &Value) -> Option<&Template> {
        let own = self.frame.as_ref().filter(|frame| frame.source().is_some_and(|one| **one == *written));
        own.or_else(|| self.lists().find_map(|list| list.frame_with_source(written)))
    }
}

/// The codes that a close frame may carry, in words.
pub(crate) const CLOSE_CODES: &str = "1000 to 1003, 1007 to 1014, or 3000 to 4999";

/// Returns whether a close frame may carry the code (RFC 6455, 7.4.1, and the IANA registry of close codes). 1004 is
/// reserved. 1005, 1006 and 1015 are never sent: they describe connections that ended without a close code.
pub(crate) fn is_close_code(code: u64) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
