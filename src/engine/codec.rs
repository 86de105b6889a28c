//! The protocols that run on top of WebSocket, without I/O and without a clock.
//!
//! Each socket has one [`Session`], used in this order:
//!
//! 1. [`Session::opened`] once the handshake is done, then [`Session::receive`] for each frame from the client,
//!    [`Session::connect_timeout_expired`] once [`time_to_connect`] has passed on the machine's clock, and
//!    [`Session::elapse`] when [`Session::due`] is reached. Each returns its effects as [`Received`].
//! 2. The rule that answers an `Opened` or a `Message` writes with [`Session::reply`] and ends with
//!    [`Session::finished`]. [`Session::unmatched`] replaces both if no rule matches, and [`Session::refused`] if the
//!    rule is refused. An endpoint without `open` finishes at once.
//! 3. Members of a topic receive the frames of their [`Address`]; members with equal addresses share them.
//! 4. [`Session::disconnect`] for a client that is to leave its connection, and [`Session::close`] for every socket that
//!    the server closes.

mod address;
pub mod engine_io;
mod error;
pub mod graphql_ws;
pub mod socket_io;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use address::Address;
pub use error::CodecError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::fit_for_closing;
use super::frame::Frame;
use crate::scenario::Protocol;

/// The protocol that a socket runs on top of WebSocket, with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Session {
    /// No protocol.
    Plain,
    /// Engine.IO 4 and Socket.IO 5.
    SocketIo(Box<socket_io::Session>),
    /// GraphQL over WebSocket.
    GraphqlWs(Box<graphql_ws::Session>),
    /// The protocol has ended with [`Received::Close`]: nothing is received or sent any more.
    Closed {
        /// See [`Session::was_connected`].
        was_connected: bool,
        /// See [`Session::sid`] without an address.
        sid: Option<Box<str>>,
    },
}

/// The properties of a socket that its session needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOptions {
    /// The id of the Engine.IO session.
    pub sid: String,
    /// Whether the client uses HTTP long-polling and may upgrade to WebSocket.
    pub polling: bool,
    /// The maximum number of bytes that the client may send at once.
    pub max_payload: usize,
}

/// An effect of a frame from the client, or of the passing of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The client has connected in the sense of the protocol: run the endpoint's `open` with this `msg`.
    Opened(Value),
    /// A message for the endpoint's rules, as `msg`.
    Message(Value),
    /// A message that the client's library sends on its own, which rules may leave unanswered.
    Notice(Value),
    /// A frame that the protocol itself sends.
    Reply(Frame),
    /// The client has ended everything at this address: its memberships, and the pending steps that answer its
    /// messages.
    Ended(Address),
    /// Close the socket. Always the last item of a list.
    Close {
        /// The code (RFC 6455, 7.4).
        code: u16,
        /// The reason, at most 123 bytes.
        reason: String,
    },
}

/// The result of disconnecting a client from the target of a message, such as a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnected {
    /// The frames to send.
    pub frames: Vec<Frame>,
    /// Whether the client is connected to nothing else, so that the socket itself must be closed.
    pub is_last: bool,
}

impl Received {
    fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close { code, reason: fit_for_closing(reason.into()) }
    }
}

impl Session {
    /// Creates the session of a socket that is about to open.
    #[must_use]
    pub fn new(protocol: Protocol, options: SessionOptions) -> Self {
        match protocol {
            Protocol::Plain => Self::Plain,
            Protocol::SocketIo => Self::SocketIo(Box::new(socket_io::Session::new(options))),
            Protocol::GraphqlTransportWs => Self::GraphqlWs(Box::default()),
        }
    }

    /// Handles the opening of the socket.
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

    /// Returns the text of a frame that is a message as a whole; `None` if it is binary, or a packet of a protocol.
    #[must_use]
    pub fn text_of_message(&self, frame: &Frame) -> Option<Arc<str>> {
        match (self, frame) {
            (Self::Plain, Frame::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// Handles a frame from the client, and returns its effects in order.
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

    /// Returns when [`Session::elapse`] is due next, in the world's time.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        match self {
            Self::Plain | Self::Closed { .. } => None,
            Self::SocketIo(session) => session.due(),
            Self::GraphqlWs(session) => session.due(),
        }
    }

    /// Performs the first action due by `now`, while time advances to `until` in one step. More may be due after it:
    /// see [`Session::due`].
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

    /// Returns whether the client has yet to connect, which it must do within [`time_to_connect`].
    #[must_use]
    pub fn awaits_client(&self) -> bool {
        match self {
            Self::Plain | Self::Closed { .. } => false,
            Self::SocketIo(session) => session.awaits_client(),
            Self::GraphqlWs(session) => session.awaits_client(),
        }
    }

    /// Handles the expiry of [`time_to_connect`] on the machine's clock. A client that has not connected is closed once
    /// the same time has passed on the world's clock as well.
    pub fn connect_timeout_expired(&mut self, now: Duration) -> Vec<Received> {
        let received = match self {
            Self::Plain | Self::Closed { .. } => None,
            Self::SocketIo(session) => session.connect_timeout_expired(now),
            Self::GraphqlWs(session) => session.connect_timeout_expired(now),
        };
        let received: Vec<Received> = received.into_iter().collect();
        self.close_with(&received);
        received
    }

    /// Returns the frames of a rule's `reply` to the `msg` of a [`Received::Opened`] or [`Received::Message`], or no
    /// frames if the client no longer waits for them.
    ///
    /// # Errors
    ///
    /// If the protocol has no frame for the value. The session is unchanged then.
    pub fn reply(&mut self, msg: Option<&Value>, value: Value) -> Result<Vec<Frame>, CodecError> {
        match self {
            Self::Plain => Ok(vec![Frame::of(value)]),
            Self::SocketIo(session) => session.reply(msg, &value),
            Self::GraphqlWs(session) => session.reply(msg, value),
            Self::Closed { .. } => Ok(Vec::new()),
        }
    }

    /// Returns the frames to send when the rule that answers a message or `open` has finished. `is_ongoing` is set if a
    /// membership that refers to the message continues, or steps are still pending; this method is called again after
    /// the last of them.
    pub fn finished(&mut self, msg: &Value, is_ongoing: bool) -> Vec<Frame> {
        match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.finished(msg).into_iter().collect(),
            Self::GraphqlWs(session) => session.finished(msg, is_ongoing).into_iter().collect(),
        }
    }

    /// Returns whether the client waits to be connected and this is the `msg` of its [`Received::Opened`]. A reply or
    /// [`Session::finished`] connects it.
    #[must_use]
    pub fn is_pending(&self, msg: &Value) -> bool {
        match self {
            Self::Plain | Self::Closed { .. } => false,
            Self::SocketIo(session) => session.is_pending(msg),
            Self::GraphqlWs(session) => session.is_pending(msg),
        }
    }

    /// Returns the `msg` of each pending connection, with only the fields that [`Session::finished`] reads.
    #[must_use]
    pub fn pending(&self) -> Vec<Value> {
        match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.pending(),
            Self::GraphqlWs(session) => session.pending().into_iter().collect(),
        }
    }

    /// Returns whether the connection that carried a message was refused or left, while the socket stays open.
    #[must_use]
    pub fn is_disconnected(&self, msg: &Value) -> bool {
        if let Self::SocketIo(session) = self { session.is_disconnected(msg) } else { false }
    }

    /// Returns the frames to send when no rule matches a message; `nearest` is the closest rule, and why it does not
    /// match.
    pub fn unmatched(&mut self, msg: &Value, nearest: Option<&str>) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed { .. } => Vec::new(),
            Self::GraphqlWs(session) => session.unmatched(msg, nearest).into_iter().collect(),
        }
    }

    /// Handles the refusal of the rule that answers a message, or of `open`; `why` is the reason.
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

    /// Returns the frames to send when the server ends the membership with this name.
    pub fn left(&mut self, name: &str) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed { .. } => Vec::new(),
            Self::GraphqlWs(session) => session.left(name).into_iter().collect(),
        }
    }

    /// Returns the address of a member; `name` is the membership's `as`, `msg` the message that it answers by joining.
    #[must_use]
    pub fn address(&self, name: Option<&str>, msg: Option<&Value>) -> Address {
        match self {
            Self::Plain | Self::Closed { .. } => Address::Plain,
            Self::SocketIo(_) => Address::SocketIo(socket_io::namespace_of(msg).into()),
            Self::GraphqlWs(session) => Address::GraphqlWs(session.operation(name, msg).map(Into::into)),
        }
    }

    /// Returns whether the client still accepts frames for an address. If not, its membership must end: the client has
    /// disconnected from the namespace, or the operation has ended.
    #[must_use]
    pub fn reaches(&self, address: &Address) -> bool {
        match (self, address) {
            (Self::Plain, Address::Plain) | (Self::GraphqlWs(_), Address::GraphqlWs(None)) => true,
            (Self::SocketIo(session), Address::SocketIo(namespace)) => session.is_open(namespace),
            (Self::GraphqlWs(session), Address::GraphqlWs(Some(operation))) => session.is_open(operation),
            _ => false,
        }
    }

    /// Notes that a member was sent a frame that ends its operation; see [`Address::is_ended_by`].
    pub fn end(&mut self, address: &Address) {
        if let (Self::GraphqlWs(session), Address::GraphqlWs(Some(operation))) = (self, address) {
            session.end(operation);
        }
    }

    /// Returns the addresses at which the client receives messages to all sockets of its endpoint.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        match self {
            Self::Plain => vec![Address::Plain],
            Self::SocketIo(session) => session.namespaces().map(|name| Address::SocketIo(name.into())).collect(),
            Self::GraphqlWs(_) | Self::Closed { .. } => Vec::new(),
        }
    }

    /// Returns the client's id at an address, as its library reports it. Without an address, returns the id of the
    /// connection that the client would consider its main one.
    #[must_use]
    pub fn sid(&self, address: Option<&Address>) -> Option<&str> {
        match (self, address) {
            (Self::SocketIo(session), Some(Address::SocketIo(namespace))) => session.sid(Some(namespace)),
            (Self::SocketIo(session), _) => session.sid(None),
            (Self::Closed { sid, .. }, _) => sid.as_deref(),
            (Self::Plain | Self::GraphqlWs(_), _) => None,
        }
    }

    /// Returns whether the client was ever connected in the sense of the protocol.
    #[must_use]
    pub fn was_connected(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::SocketIo(session) => session.was_connected(),
            Self::GraphqlWs(session) => session.was_connected(),
            Self::Closed { was_connected, .. } => *was_connected,
        }
    }

    /// Returns the protocol; `None` once it has ended.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Plain => Some(Protocol::Plain),
            Self::SocketIo(_) => Some(Protocol::SocketIo),
            Self::GraphqlWs(_) => Some(Protocol::GraphqlTransportWs),
            Self::Closed { .. } => None,
        }
    }

    /// Disconnects the client from the target of a message, such as a namespace.
    pub fn disconnect(&mut self, msg: Option<&Value>) -> Disconnected {
        match self {
            Self::SocketIo(session) => session.disconnect(msg),
            Self::Plain | Self::GraphqlWs(_) | Self::Closed { .. } => {
                Disconnected { frames: Vec::new(), is_last: true }
            }
        }
    }

    /// Handles the closing of the socket by the server. No protocol sends frames for it: the client notices that its
    /// connection has closed, and may reconnect.
    pub fn close(&mut self) {
        if let Self::SocketIo(session) = self {
            session.close();
        }
    }

    fn close_with(&mut self, received: &[Received]) {
        if matches!(received.last(), Some(Received::Close { .. })) {
            let (was_connected, sid) = (self.was_connected(), self.sid(None).map(Into::into));
            *self = Self::Closed { was_connected, sid };
        }
    }
}

/// Returns how long a client may take to connect, both on the world's clock and on the machine's; `None` for no limit.
#[must_use]
pub fn time_to_connect(protocol: Protocol) -> Option<Duration> {
    match protocol {
        Protocol::Plain => None,
        Protocol::SocketIo => Some(socket_io::CONNECT_TIMEOUT),
        Protocol::GraphqlTransportWs => Some(graphql_ws::INIT_TIMEOUT),
    }
}

/// Returns the parsed JSON, the text if it is not JSON, or bytes as `{ binary: BASE64 }`.
fn plain_message(frame: Frame) -> Value {
    match frame {
        Frame::Text(text) => serde_json::from_str(&text).unwrap_or_else(|_| Value::from(&*text)),
        frame => frame.to_json(),
    }
}
