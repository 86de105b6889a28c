//! What sockets speak above WebSocket, without I/O and without a clock.
//!
//! There is one [`Session`] for each socket. In order:
//!
//! 1. [`Session::opened`] once the handshake is done, then [`Session::receive`] for each frame of the client,
//!    [`Session::overdue`] once [`time_to_connect`] has passed by the machine's clock, and [`Session::elapse`] when
//!    [`Session::due`] has come. Each returns what came of it, as [`Received`].
//! 2. The rule that answers an `Opened` or a `Message` writes with [`Session::reply`] and ends with [`Session::finished`]. If
//!    no rule fits, [`Session::unmatched`] is called instead, and [`Session::refused`] if it is refused. An endpoint without
//!    `open` finishes at once.
//! 3. Members of a topic get the frames of their [`Address`]; members with equal addresses share them.
//! 4. [`Session::closing`] comes before the server closes the socket.

mod address;
pub mod engine_io;
mod error;
pub mod graphql_ws;
pub mod socket_io;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use address::Address;
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
    Closed {
        /// As [`Session::was_connected`].
        was_connected: bool,
        /// As [`Session::sid`] without an address.
        sid: Option<Box<str>>,
    },
}

/// What a session knows of its socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOptions {
    /// The id of the Engine.IO session.
    pub sid: String,
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
    /// A message that the client's library makes by itself, so that rules may leave it.
    Notice(Value),
    /// What the protocol itself sends.
    Reply(Frame),
    /// The client has ended what has this address: memberships, and the steps that wait in answer to its messages.
    Ended(Address),
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
            Self::Closed { .. } => Vec::new(),
        }
    }

    /// What comes of a frame from the client, in order.
    pub fn receive(&mut self, frame: Frame) -> Vec<Received> {
        let received = match self {
            Self::Plain => vec![Received::Message(plain_message(frame))],
            Self::SocketIo(session) => session.receive(&frame),
            Self::GraphqlWs(session) => session.receive(&frame),
            Self::Closed { .. } => Vec::new(),
        };
        self.close_with(&received);
        received
    }

    /// When the session wants to be looked at next, in the world's time.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        match self {
            Self::Plain | Self::Closed { .. } => None,
            Self::SocketIo(session) => session.due(),
            Self::GraphqlWs(session) => session.due(),
        }
    }

    /// Does the first of what is due by now, where time goes on to `until` at once. More may be due after it: see
    /// [`Session::due`].
    pub fn elapse(&mut self, now: Duration, until: Duration) -> Vec<Received> {
        if self.due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let received = match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.elapse(now, until),
            Self::GraphqlWs(_) => vec![graphql_ws::init_timeout()],
        };
        self.close_with(&received);
        received
    }

    /// Whether the client is yet to say that it connects, for which it has [`time_to_connect`].
    #[must_use]
    pub fn awaits_client(&self) -> bool {
        match self {
            Self::Plain | Self::Closed { .. } => false,
            Self::SocketIo(session) => session.awaits_client(),
            Self::GraphqlWs(session) => session.awaits_client(),
        }
    }

    /// What comes of it that the client has had its time to connect by the machine's clock. One that has not connected is closed
    /// once it has had that time by the world's clock as well.
    pub fn overdue(&mut self, now: Duration) -> Vec<Received> {
        let received = match self {
            Self::Plain | Self::Closed { .. } => None,
            Self::SocketIo(session) => session.overdue(now),
            Self::GraphqlWs(session) => session.overdue(now),
        };
        let received: Vec<Received> = received.into_iter().collect();
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
            Self::Closed { .. } => Ok(Vec::new()),
        }
    }

    /// What is sent when the rule that answered a message, or `open`, is at its end. `goes_on` tells whether a membership that
    /// names the message goes on, or steps still wait; it is called again after the last of them.
    pub fn finished(&mut self, msg: &Value, goes_on: bool) -> Vec<Frame> {
        match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.finished(msg).into_iter().collect(),
            Self::GraphqlWs(session) => session.finished(msg, goes_on).into_iter().collect(),
        }
    }

    /// Whether the client waits for its connection, and this is the `msg` of [`Received::Opened`]: it is connected once
    /// [`Session::finished`] is called, or by a reply.
    #[must_use]
    pub fn is_pending(&self, msg: &Value) -> bool {
        match self {
            Self::Plain | Self::Closed { .. } => false,
            Self::SocketIo(session) => session.is_pending(msg),
            Self::GraphqlWs(session) => session.is_pending(msg),
        }
    }

    /// The `msg` of each connection that the client waits for, as far as [`Session::finished`] looks at it.
    #[must_use]
    pub fn pending(&self) -> Vec<Value> {
        match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.pending(),
            Self::GraphqlWs(session) => session.pending().into_iter().collect(),
        }
    }

    /// Whether the connection that a message came by is over while the socket stays open: it was refused, or left.
    #[must_use]
    pub fn is_over(&self, msg: &Value) -> bool {
        if let Self::SocketIo(session) = self { session.is_over(msg) } else { false }
    }

    /// What is sent when no rule fits a message; `nearest` is the rule that came nearest, and why it does not fit.
    pub fn unmatched(&mut self, msg: &Value, nearest: Option<&str>) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed { .. } => Vec::new(),
            Self::GraphqlWs(session) => session.unmatched(msg, nearest).into_iter().collect(),
        }
    }

    /// What comes of it that the rule that answers a message is refused, or `open`, and why.
    pub fn refused(&mut self, msg: &Value, why: &str) -> Vec<Received> {
        let received = match self {
            Self::Plain | Self::Closed { .. } => None,
            Self::SocketIo(session) => session.refused(msg, why).map(Received::Reply),
            Self::GraphqlWs(session) => session.refused(msg, why),
        };
        let received: Vec<Received> = received.into_iter().collect();
        self.close_with(&received);
        received
    }

    /// What is sent when the server ends the membership of this name.
    pub fn left(&mut self, name: &str) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed { .. } => Vec::new(),
            Self::GraphqlWs(session) => session.left(name).into_iter().collect(),
        }
    }

    /// How what is sent to a member is written; `name` is the membership's `as`, `msg` what it was joined in answer to.
    #[must_use]
    pub fn address(&self, name: Option<&str>, msg: Option<&Value>) -> Address {
        match self {
            Self::Plain | Self::Closed { .. } => Address::Plain,
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

    /// The addresses at which the client gets what is sent to all sockets of its endpoint.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        match self {
            Self::Plain => vec![Address::Plain],
            Self::SocketIo(session) => session.namespaces().map(|name| Address::SocketIo(name.into())).collect(),
            Self::GraphqlWs(_) | Self::Closed { .. } => Vec::new(),
        }
    }

    /// The id of the client at an address, as its library knows it; without one, that of the connection which the client would
    /// call its own.
    #[must_use]
    pub fn sid(&self, address: Option<&Address>) -> Option<&str> {
        match (self, address) {
            (Self::SocketIo(session), Some(Address::SocketIo(namespace))) => session.sid(Some(namespace)),
            (Self::SocketIo(session), _) => session.sid(None),
            (Self::Closed { sid, .. }, _) => sid.as_deref(),
            (Self::Plain | Self::GraphqlWs(_), _) => None,
        }
    }

    /// Whether the client was ever connected as the protocol has it.
    #[must_use]
    pub fn was_connected(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::SocketIo(session) => session.was_connected(),
            Self::GraphqlWs(session) => session.was_connected(),
            Self::Closed { was_connected, .. } => *was_connected,
        }
    }

    /// The protocol; `None` once it has ended.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Plain => Some(Protocol::Plain),
            Self::SocketIo(_) => Some(Protocol::SocketIo),
            Self::GraphqlWs(_) => Some(Protocol::GraphqlTransportWs),
            Self::Closed { .. } => None,
        }
    }

    /// What is sent when the server disconnects the client from what a message came by, such as a namespace; `None` if the socket
    /// itself is to be closed, because the client is connected to nothing else.
    pub fn disconnect(&mut self, msg: Option<&Value>) -> Option<Vec<Frame>> {
        if let Self::SocketIo(session) = self { session.disconnect(msg) } else { None }
    }

    /// What is sent before the server closes the socket.
    pub fn closing(&mut self) -> Vec<Frame> {
        match self {
            Self::SocketIo(session) => session.closing(),
            Self::Plain | Self::GraphqlWs(_) | Self::Closed { .. } => Vec::new(),
        }
    }

    fn close_with(&mut self, received: &[Received]) {
        if matches!(received.last(), Some(Received::Close { .. })) {
            let (was_connected, sid) = (self.was_connected(), self.sid(None).map(Into::into));
            *self = Self::Closed { was_connected, sid };
        }
    }
}

/// How long the client of a socket may take to say that it connects, by the world's clock and by the machine's; `None` for as
/// long as it likes.
#[must_use]
pub fn time_to_connect(protocol: Protocol) -> Option<Duration> {
    match protocol {
        Protocol::Plain => None,
        Protocol::SocketIo => Some(socket_io::CONNECT_TIMEOUT),
        Protocol::GraphqlTransportWs => Some(graphql_ws::INIT_TIMEOUT),
    }
}

/// JSON if it is JSON, else text, or bytes as `{ binary: BASE64 }`.
fn plain_message(frame: Frame) -> Value {
    match frame {
        Frame::Text(text) => serde_json::from_str(&text).unwrap_or_else(|_| Value::from(&*text)),
        frame => frame.to_json(),
    }
}
