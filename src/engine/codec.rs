//! Protocols that sockets use above WebSocket, without I/O and without a clock.
//!
//! Each socket has one [`Session`], used in this order:
//!
//! 1. [`Session::opened`] after the handshake, then [`Session::receive`] for each frame from the client,
//!    [`Session::overdue`] once [`time_to_connect`] has passed on the machine's clock, and [`Session::elapse`] at
//!    [`Session::due`]. Each returns its results as [`Received`].
//! 2. The rule that handles an `Opened` or a `Message` writes with [`Session::reply`] and ends with
//!    [`Session::finished`]. If no rule matches, [`Session::unmatched`] is called instead; if the rule is refused,
//!    [`Session::refused`]. An endpoint without `open` finishes at once.
//! 3. Members of a topic receive frames encoded for their [`Address`]; members with equal addresses share frames.
//! 4. [`Session::closing`] is called before the server closes the socket.

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

/// The protocol of a socket above WebSocket, and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Session {
    /// Plain WebSocket.
    Plain,
    /// Engine.IO 4 and Socket.IO 5.
    SocketIo(Box<socket_io::Session>),
    /// GraphQL over WebSocket.
    GraphqlWs(Box<graphql_ws::Session>),
    /// The protocol has ended with [`Received::Close`]: nothing is received or sent any longer.
    Closed {
        /// The final value of [`Session::was_connected`].
        was_connected: bool,
        /// The final value of [`Session::sid`] without an address.
        sid: Option<Box<str>>,
    },
}

/// The properties of its socket that a session needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOptions {
    /// The id of the Engine.IO session.
    pub sid: String,
    /// Whether the client uses HTTP long polling and may upgrade to WebSocket.
    pub polling: bool,
    /// The maximum size of a payload from the client, in bytes.
    pub max_payload: usize,
}

/// A result of a client's frame or of time passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The client is connected at the protocol level: run the endpoint's `open` with this `msg`.
    Opened(Value),
    /// A message for the endpoint's rules, as `msg`.
    Message(Value),
    /// A message that the client's library sends on its own. Rules may ignore it.
    Notice(Value),
    /// A frame that the protocol itself sends.
    Reply(Frame),
    /// The client has ended everything with this address: memberships, and waiting steps that respond to its messages.
    Ended(Address),
    /// Close the socket. Always the last in a list.
    Close {
        /// The code (RFC 6455, 7.4).
        code: u16,
        /// The reason, at most 123 bytes.
        reason: String,
    },
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

    /// Handles a frame from the client and returns the results in order.
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

    /// When [`Session::elapse`] is due next, in the world's time.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        match self {
            Self::Plain | Self::Closed { .. } => None,
            Self::SocketIo(session) => session.due(),
            Self::GraphqlWs(session) => session.due(),
        }
    }

    /// Carries out the first item that is due by `now`, on the way to `until`. More may be due afterwards: see
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

    /// Whether the client has yet to connect at the protocol level, within [`time_to_connect`].
    #[must_use]
    pub fn awaits_client(&self) -> bool {
        match self {
            Self::Plain | Self::Closed { .. } => false,
            Self::SocketIo(session) => session.awaits_client(),
            Self::GraphqlWs(session) => session.awaits_client(),
        }
    }

    /// Handles the end of the client's time to connect on the machine's clock. A client that has not connected is
    /// closed once that time has passed on the world's clock as well.
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

    /// Encodes a rule's `reply` to the `msg` of a [`Received::Opened`] or [`Received::Message`]. Empty if the client is
    /// no longer waiting for a reply.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the protocol cannot encode the value. Nothing has changed then.
    pub fn reply(&mut self, msg: Option<&Value>, value: Value) -> Result<Vec<Frame>, CodecError> {
        match self {
            Self::Plain => Ok(vec![Frame::of(value)]),
            Self::SocketIo(session) => session.reply(msg, &value),
            Self::GraphqlWs(session) => session.reply(msg, value),
            Self::Closed { .. } => Ok(Vec::new()),
        }
    }

    /// Returns the frames to send when the rule that handles a message, or `open`, has ended. `goes_on` is true while a
    /// membership that names the message continues or steps still wait; the method is called again after the last of
    /// them.
    pub fn finished(&mut self, msg: &Value, goes_on: bool) -> Vec<Frame> {
        match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.finished(msg).into_iter().collect(),
            Self::GraphqlWs(session) => session.finished(msg, goes_on).into_iter().collect(),
        }
    }

    /// Whether `msg` is that of a [`Received::Opened`] and the client is still waiting for its connection.
    /// [`Session::finished`] or a reply completes the connection.
    #[must_use]
    pub fn is_pending(&self, msg: &Value) -> bool {
        match self {
            Self::Plain | Self::Closed { .. } => false,
            Self::SocketIo(session) => session.is_pending(msg),
            Self::GraphqlWs(session) => session.is_pending(msg),
        }
    }

    /// The `msg` of each connection that the client is waiting for, in the form that [`Session::finished`] accepts.
    #[must_use]
    pub fn pending(&self) -> Vec<Value> {
        match self {
            Self::Plain | Self::Closed { .. } => Vec::new(),
            Self::SocketIo(session) => session.pending(),
            Self::GraphqlWs(session) => session.pending().into_iter().collect(),
        }
    }

    /// Whether the connection that a message arrived on has ended while the socket stays open: it was refused or left.
    #[must_use]
    pub fn is_over(&self, msg: &Value) -> bool {
        if let Self::SocketIo(session) = self { session.is_over(msg) } else { false }
    }

    /// Returns the frames to send when no rule matches a message. `nearest` describes the closest rule and why it does
    /// not match.
    pub fn unmatched(&mut self, msg: &Value, nearest: Option<&str>) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed { .. } => Vec::new(),
            Self::GraphqlWs(session) => session.unmatched(msg, nearest).into_iter().collect(),
        }
    }

    /// Handles the refusal of the rule that handles a message, or of `open`. `why` is the reason.
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

    /// Returns the frames to send when the server ends the membership named `name`.
    pub fn left(&mut self, name: &str) -> Vec<Frame> {
        match self {
            Self::Plain | Self::SocketIo(_) | Self::Closed { .. } => Vec::new(),
            Self::GraphqlWs(session) => session.left(name).into_iter().collect(),
        }
    }

    /// The address of frames for a membership. `name` is the membership's `as`, `msg` the message that the join
    /// responds to.
    #[must_use]
    pub fn address(&self, name: Option<&str>, msg: Option<&Value>) -> Address {
        match self {
            Self::Plain | Self::Closed { .. } => Address::Plain,
            Self::SocketIo(_) => Address::SocketIo(socket_io::namespace_of(msg).into()),
            Self::GraphqlWs(session) => Address::GraphqlWs(session.operation(name, msg).map(Into::into)),
        }
    }

    /// Whether the client still accepts frames for an address. If not, its membership must end: the client has
    /// disconnected from the namespace, or the operation has ended.
    #[must_use]
    pub fn reaches(&self, address: &Address) -> bool {
        match (self, address) {
            (Self::Plain, Address::Plain) | (Self::GraphqlWs(_), Address::GraphqlWs(None)) => true,
            (Self::SocketIo(session), Address::SocketIo(namespace)) => session.is_connected_to(namespace),
            (Self::GraphqlWs(session), Address::GraphqlWs(Some(operation))) => session.is_open(operation),
            _ => false,
        }
    }

    /// Records that a member was sent a frame that ends its operation; see [`Address::is_ended_by`].
    pub fn end(&mut self, address: &Address) {
        if let (Self::GraphqlWs(session), Address::GraphqlWs(Some(operation))) = (self, address) {
            session.end(operation);
        }
    }

    /// The addresses at which the client receives frames for all sockets of its endpoint.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        match self {
            Self::Plain => vec![Address::Plain],
            Self::SocketIo(session) => session.namespaces().map(|name| Address::SocketIo(name.into())).collect(),
            Self::GraphqlWs(_) | Self::Closed { .. } => Vec::new(),
        }
    }

    /// The id that the client's library reports for an address. Without an address, the id of the connection that the
    /// client would consider its main one.
    #[must_use]
    pub fn sid(&self, address: Option<&Address>) -> Option<&str> {
        match (self, address) {
            (Self::SocketIo(session), Some(Address::SocketIo(namespace))) => session.sid(Some(namespace)),
            (Self::SocketIo(session), _) => session.sid(None),
            (Self::Closed { sid, .. }, _) => sid.as_deref(),
            (Self::Plain | Self::GraphqlWs(_), _) => None,
        }
    }

    /// Whether the client was ever connected at the protocol level.
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

    /// Returns the frames to send when the server disconnects the client from the connection that a message arrived on,
    /// such as a namespace. `None` if the socket itself must be closed because the client has no other connection.
    pub fn disconnect(&mut self, msg: Option<&Value>) -> Option<Vec<Frame>> {
        if let Self::SocketIo(session) = self { session.disconnect(msg) } else { None }
    }

    /// Returns the frames to send before the server closes the socket.
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

/// The time a client has to connect at the protocol level, on the world's clock and on the machine's; `None` if it is
/// unlimited.
#[must_use]
pub fn time_to_connect(protocol: Protocol) -> Option<Duration> {
    match protocol {
        Protocol::Plain => None,
        Protocol::SocketIo => Some(socket_io::CONNECT_TIMEOUT),
        Protocol::GraphqlTransportWs => Some(graphql_ws::INIT_TIMEOUT),
    }
}

/// Decodes a frame: JSON if it parses as JSON, otherwise text, or bytes as `{ binary: BASE64 }`.
fn plain_message(frame: Frame) -> Value {
    match frame {
        Frame::Text(text) => serde_json::from_str(&text).unwrap_or_else(|_| Value::from(&*text)),
        frame => frame.to_json(),
    }
}
