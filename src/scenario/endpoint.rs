//! WebSocket endpoints: what happens when a socket opens, when a message comes, and when it has closed.
//!
//! An endpoint is a rule of several lists of steps. Its path is its key: it names the random stream of all of them, and a
//! reload recognises the endpoint by it. Steps belong to the socket, or to the membership that they were begun with, and end
//! with it.

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
    /// The path as the scenario writes it, such as `/rooms/{room}`.
    pub key: Arc<str>,
    /// The path.
    pub path: PathPattern,
    /// Who is refused: the first answer that fits is the response to the handshake. If none fits, it is accepted.
    pub handshake: Option<Arc<Answers>>,
    /// The subprotocols (RFC 6455, 1.9) by preference; a client that offers none of them is refused. Empty if any client will do.
    pub subprotocols: Vec<Arc<str>>,
    /// What the messages are written in.
    pub protocol: Protocol,
    /// How members get what is sent, if their `join` does not say.
    pub frame: Option<Template>,
    /// What happens when a socket has opened.
    pub open: Option<StepList>,
    /// What happens when a message comes: the first rule that fits fires.
    pub messages: Vec<MessageRule>,
    /// What happens when a socket has closed. Its steps belong to the world.
    pub closed: Option<StepList>,
    /// Whether steps send to all of its sockets.
    pub sends_to_all: bool,
    /// The names of the handshake's request (`path`, `query`, `headers`, `cookies`, `url`) that expressions use which are not
    /// those of `handshake`.
    pub names: BTreeSet<String>,
    /// The endpoint as the scenario writes it.
    pub written: Value,
}

/// Two are equal if the scenario writes them in the same way.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.written == other.written
    }
}

impl Eq for Endpoint {}

/// What happens when a message comes that fits.
#[derive(Debug)]
pub struct MessageRule {
    /// JSON that the message contains.
    pub matches: Option<Template>,
    /// The text of the message, in which `*` stands for any text.
    pub text: Option<Arc<str>>,
    /// An expression that is true.
    pub when: Option<Condition>,
    /// Names with their values, which `when` and the steps know.
    pub with: Vec<(Arc<str>, Template)>,
    /// What happens.
    pub steps: StepList,
}

/// What the messages of an endpoint are written in, above WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Display, IntoStaticStr)]
pub enum Protocol {
    /// Nothing more: JSON, text or bytes.
    #[default]
    #[serde(rename = "plain")]
    #[strum(serialize = "plain")]
    Plain,
    /// Engine.IO 4 and Socket.IO 5, by WebSocket and by HTTP long-polling.
    #[serde(rename = "socket.io")]
    #[strum(serialize = "socket.io")]
    SocketIo,
    /// GraphQL over WebSocket, subprotocol `graphql-transport-ws`.
    #[serde(rename = "graphql-transport-ws")]
    #[strum(serialize = "graphql-transport-ws")]
    GraphqlTransportWs,
}

impl Endpoint {
    /// Every list of steps that it has, without those inside of steps.
    pub fn lists(&self) -> impl Iterator<Item = &StepList> {
        self.open.iter().chain(self.messages.iter().map(|rule| &rule.steps)).chain(&self.closed)
    }

    /// Whether steps of these lists send to all sockets of the endpoint.
    pub(super) fn send_to_all<'l>(lists: impl IntoIterator<Item = &'l StepList>) -> bool {
        let is_meant = |verb: &Verb| matches!(verb, Verb::Send { to: None, .. });
        lists.into_iter().any(|list| list.has_verb(&is_meant))
    }

    /// The list of steps that is written in that way, also inside of steps.
    #[must_use]
    pub fn list_written(&self, written: &Value) -> Option<&StepList> {
        self.lists().find_map(|list| list.list_written(written))
    }
}

/// The codes that a closing frame may carry, in words.
pub(crate) const CLOSE_CODES: &str = "1000 to 1003, 1007 to 1014, or 3000 to 4999";

/// Whether a closing frame may carry the code (RFC 6455, 7.4.1, and IANA's registry of close codes). 1004 means nothing, and
/// 1005, 1006 and 1015 say what came without such a frame.
pub(crate) fn is_close_code(code: u64) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
