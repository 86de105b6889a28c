//! What sockets speak above WebSocket, without I/O and without a clock.
//!
//! There is one [`Session`] for each socket. In order:
//!
//! 1. [`Session::opened`] once the handshake is done, then [`Session::receive`] for each frame of the client, and
//!    [`Session::elapse`] when [`Session::due`] has come. Each returns what came of it, as [`Received`].
//! 2. The rule that answers an `Opened` or a `Message` writes with [`Session::reply`] and ends with [`Session::finished`]. If
//!    no rule fits, [`Session::unmatched`] is called instead. An endpoint without `open` finishes at once.
//! 3. Members of a topic get the frames of their [`Address`]; members with equal addresses share them.
//! 4. [`Session::closing`] comes before the server closes the socket.

pub mod engine_io;
mod error;
pub mod graphql_ws;
pub mod socket_io;

use std::sync::Arc;
use std::time::Duration;

pub use error::CodecError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::fit_for_closing;
use super::frame::Frame;
use crate::scenario::Protocol;

/// What a socket speaks above WebSocket, with what has to be remembered of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Session {
    /// Nothing more.
    Plain,
    /// Engine.IO 4 and Socket.IO 5.
    SocketIo(Box<socket_io::Session>),
    /// GraphQL over WebSocket.
    GraphqlWs(Box<graphql_ws::Session>),
    /// The protocol has ended with [`Received::Close`]: nothing is received or sent any more.
    Closed,
}

/// What a session knows of its socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOptions {
    /// The id of the Engine.IO session.
    pub sid: String,
    /// Whether the world is paused or driven by hand, so that a client has to wait for pings for as long as it takes.
    pub patience: bool,
    /// Whether the client polls by HTTP, and may upgrade to WebSocket.
    pub polling: bool,
    /// The most bytes that the client may send at once.
    pub max_payload: usize,
}

/// What has come of a frame from the client, or of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The client is connected as the protocol has it: the endpoint's `open` is to be carried out with this `msg`.
    Opened(Value),
    /// A message for the endpoint's rules: `msg`.
    Message(Value),
    /// What the protocol itself sends.
    Reply(Frame),
    /// The client has ended the membership of this name, and with it all that its message has begun: steps that wait as well.
    Ended(String),
    /// The socket is to be closed. The last of a list.
    Close {
        /// The code (RFC 6455, 7.4).
        code: u16,
        /// The reason, of at most 123 bytes.
        reason: String,
    },
}

impl Received {
    fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close { code, reason: fit_for_closing(reason.into()) }
    }
}

/// How what is sent to a member is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// As it is.
    Plain,
    /// As an event of a namespace.
    SocketIo(Arc<str>),
    /// As a result of an operation, by its id; `None` for a member who has joined without one.
    GraphqlWs(Option<Arc<str>>),
}

impl Session {
    /// The session of a socket that is about to open.
    #[must_use]
    pub fn new(protocol: Protocol, options: SessionOptions) -> Self {
        match protocol {
            Protocol::Plain => Self::Plain,
            Protocol::SocketIo => Self::SocketIo(Box::new(socket_io::Session::new(options))),
            Protocol::GraphqlTransportWs => Self::GraphqlWs(Box::default()),
        }
    }

    /// What comes of the socket's being there.
    pub fn opened(&mut self, now: Duration) -> Vec<Received> {
        match self {
            Self::Plain => vec![Received::Opened(Value::Null)],
            Self::SocketIo(session) => vec![Received::Reply(session.opened(now))],
            Self::GraphqlWs(session) => {
                session.opened(now);
                Vec::new()
            }
            Self::Closed => Vec::new(),
        }
    }

    /// What comes of a frame from the client, in order.
    pub fn receive(&mut self, frame: Frame) -> Vec<Received> {
        let received = match self {
            Self::Plain => vec![Received::Message(plain_message(frame))],
            Self::SocketIo(session) => session.receive(&frame),
            Self::GraphqlWs(session) => session.receive(&frame),
            Self::Closed => Vec::new(),
        };
        self.close_with(&received);
        received
    }

    /// When the session wants to be looked at next, in the world's time.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        match self {
            Self::Plain | Self::Closed => None,
            Self::SocketIo(session) => session.due(),
            Self::GraphqlWs(session) => session.due(),
        }
    }

    /// Does the first of what is due by now. More may be due after it: see [`Session::due`].
    pub fn elapse(&mut self, now: Duration) -> Vec<Received> {
        if self.due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let received = match self {
            Self::Plain | Self::Closed => Vec::new(),
            Self::SocketIo(session) => session.elapse(),
            Self::GraphqlWs(_) => vec![graphql_ws::init_timeout()],
        };
        self.close_with(&received);
        received
    }

    /// The frames of a rule's `reply`, in answer to what [`Received::Opened`] or [`Received::Message`] carried. There are none
    /// if the client no longer waits for them.
    ///
    /// # Errors
    ///
    /// If the protocol has no frame for the value. Nothing has changed then.
    pub fn reply(&mut self, msg: Option<&Value>, value: Value) -> Result<Vec<Frame>, CodecError> {
        match self {
            Self::Plain => Ok(vec![Frame::of(value)]),
            Self::SocketIo(session) => session.reply(msg, &value),
            Self::GraphqlWs(session) => session.reply(msg, value),
            Self::Closed => Ok(Vec::new()),
        }
    }

    /// What is sent when the rule that answered a message, or `open`, is at its end. `goes_on` tells whether a membership that
    /// names the message goes on, or steps still wait; it is called again after the last of them.
    pub fn finished(&mut self, msg: &Value, goes_on: bool) -> Vec<Frame> {
        match self {
            Self::Plain | Self::Closed => Vec::new(),
            Self::SocketIo(session) => session.finished(msg).into_iter().collect(),
            Self::GraphqlWs(session) => session.finished(msg, goes_on).into_iter().collect(),
        }
    }

    /// Whether a message is of the protocol's own making, so that rules may leave it.
    #[must_use]
    pub fn says_by_itself(&self, msg: &Value) -> bool {
        matches!(self, Self::SocketIo(_)) && socket_io::is_of_protocol(msg)
    }

    /// What is sent when no rule fits a message; `nearest` is the rule that came nearest, and why it does not fit.
    pub fn unmatched(&mut self, msg: &Value, nearest: Option<&str>) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed => Vec::new(),
            Self::GraphqlWs(session) => session.unmatched(msg, nearest).into_iter().collect(),
        }
    }

    /// What is sent when the rule that answers a message is refused, and why.
    pub fn refused(&mut self, msg: &Value, why: &str) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed => Vec::new(),
            Self::GraphqlWs(session) => session.refused(msg, why).into_iter().collect(),
        }
    }

    /// What is sent when the server ends the membership of this name.
    pub fn left(&mut self, name: &str) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed => Vec::new(),
            Self::GraphqlWs(session) => session.left(name).into_iter().collect(),
        }
    }

    /// How what is sent to a member is written; `name` is the membership's `as`, `msg` what it was joined in answer to.
    #[must_use]
    pub fn address(&self, name: Option<&str>, msg: Option<&Value>) -> Address {
        match self {
            Self::Plain | Self::Closed => Address::Plain,
            Self::SocketIo(_) => Address::SocketIo(socket_io::namespace_of(msg).into()),
            Self::GraphqlWs(session) => Address::GraphqlWs(session.operation(name, msg).map(Into::into)),
        }
    }

    /// Whether the client still accepts frames for an address. If not, its membership has to end: the client has disconnected
    /// from the namespace, or the operation has ended.
    #[must_use]
    pub fn reaches(&self, address: &Address) -> bool {
        match (self, address) {
            (Self::Plain, Address::Plain) | (Self::GraphqlWs(_), Address::GraphqlWs(None)) => true,
            (Self::SocketIo(session), Address::SocketIo(namespace)) => session.is_connected_to(namespace),
            (Self::GraphqlWs(session), Address::GraphqlWs(Some(operation))) => session.is_open(operation),
            _ => false,
        }
    }

    /// Takes note that a member was sent what ends its operation; see [`Address::is_ended_by`].
    pub fn end(&mut self, address: &Address) {
        if let (Self::GraphqlWs(session), Address::GraphqlWs(Some(operation))) = (self, address) {
            session.end(operation);
        }
    }

    /// What is sent before the server closes the socket.
    pub fn closing(&mut self) -> Vec<Frame> {
        match self {
            Self::SocketIo(session) => session.closing(),
            Self::Plain | Self::GraphqlWs(_) | Self::Closed => Vec::new(),
        }
    }

    fn close_with(&mut self, received: &[Received]) {
        if matches!(received.last(), Some(Received::Close { .. })) {
            *self = Self::Closed;
        }
    }
}

impl Address {
    /// The frames of what is sent to a member.
    ///
    /// # Errors
    ///
    /// If the protocol has no frame for the value.
    pub fn frames(&self, value: &Value) -> Result<Vec<Frame>, CodecError> {
        match self {
            Self::Plain => Ok(vec![Frame::of(value.clone())]),
            Self::SocketIo(namespace) => socket_io::frames(namespace, value),
            Self::GraphqlWs(Some(operation)) => graphql_ws::frame(operation, value.clone()).map(|frame| vec![frame]),
            Self::GraphqlWs(None) => Err(CodecError::NoOperation),
        }
    }

    /// Whether the membership ends with this value: an error of a GraphQL operation. The engine then calls [`Session::end`],
    /// and ends the membership.
    #[must_use]
    pub fn is_ended_by(&self, value: &Value) -> bool {
        matches!(self, Self::GraphqlWs(_)) && graphql_ws::is_error(value)
    }
}

/// JSON if it is JSON, else text, or bytes as `{ binary: BASE64 }`.
fn plain_message(frame: Frame) -> Value {
    match frame {
        Frame::Text(text) => serde_json::from_str(&text).unwrap_or_else(|_| Value::from(&*text)),
        frame => frame.to_json(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn plain_sockets_get_values_as_they_are() {
        let mut session = Session::new(Protocol::Plain, SessionOptions::default());
        assert_eq!(session.opened(Duration::ZERO), [Received::Opened(Value::Null)]);
        for (frame, msg) in [
            (Frame::Text(r#"{"a":[1]}"#.into()), json!({ "a": [1] })),
            (Frame::Text("7".into()), json!(7)),
            (Frame::Text("hello".into()), json!("hello")),
            (Frame::Text("".into()), json!("")),
            (Frame::Text("1e999".into()), json!("1e999")),
            (Frame::Json(json!([true]).into()), json!([true])),
            (Frame::Binary([0, 0xff].into()), json!({ "binary": "AP8=" })),
        ] {
            assert_eq!(session.receive(frame), [Received::Message(msg)]);
        }
        let address = session.address(Some("all"), None);
        for (value, frame) in [
            (json!({ "a": 1 }), Frame::Json(json!({ "a": 1 }).into())),
            (json!("hi"), Frame::Text("hi".into())),
            (json!({ "binary": "AP8=" }), Frame::Binary([0, 0xff].into())),
        ] {
            assert_eq!(address.frames(&value).unwrap(), std::slice::from_ref(&frame));
            assert!(!address.is_ended_by(&value));
            assert_eq!(session.reply(None, value).unwrap(), [frame]);
        }
        assert!(session.reaches(&address));
        assert_eq!(session.finished(&Value::Null, false), []);
        assert_eq!(session.unmatched(&Value::Null, None), []);
        assert_eq!(session.left("all"), []);
        assert_eq!(session.closing(), []);
        assert_eq!((session.due(), session), (None, Session::Plain));
    }

    #[test]
    fn reasons_to_close_fit_a_closing_frame() {
        let Received::Close { reason, .. } = Received::close(4409, "ä".repeat(100)) else { unreachable!() };
        assert_eq!(reason, "ä".repeat(61));
    }

    #[test]
    fn a_closed_session_receives_and_sends_nothing() {
        let options = || SessionOptions { sid: "s".to_owned(), ..SessionOptions::default() };
        for protocol in [Protocol::SocketIo, Protocol::GraphqlTransportWs] {
            let mut session = Session::new(protocol, options());
            session.opened(Duration::ZERO);
            let address = session.address(None, None);
            assert!(matches!(session.receive(Frame::Text("?".into()))[..], [Received::Close { .. }]));
            assert_eq!(session, Session::Closed);
            assert_eq!(session.receive(Frame::Text("40".into())), []);
            assert_eq!(session.elapse(Duration::from_hours(24)), []);
            assert_eq!(session.reply(None, json!({ "event": "a" })), Ok(Vec::new()));
            assert_eq!(session.closing(), []);
            assert!(!session.reaches(&address));
        }
    }
}
