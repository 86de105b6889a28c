//! Misplaced and ineffective steps of sockets.

use strum::IntoStaticStr;
use thiserror::Error;

use crate::scenario::Protocol;

/// The reason why a socket's step is invalid or ineffective. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SocketMistake {
    /// A verb for a socket that has closed.
    #[error("`{0}` is not allowed in the steps of `closed`")]
    AfterClose(&'static str),
    /// An `others` in steps without a sender.
    #[error("`others` is only allowed in the steps of streams and sockets")]
    NoSender,
    /// A `set` of `conn` outside the steps of an open socket.
    #[error("only the steps of an open socket can set `conn`")]
    SetsConn,
    /// A `set` of a built-in part of `conn`.
    #[error("`conn.{0}` cannot be set")]
    FixedConn(String),
    /// A frame for all sockets of a GraphQL endpoint, where every result belongs to an operation.
    #[error("with `protocol: graphql-transport-ws`, `send` needs `to`")]
    SendsToAll,
    /// An `id` in a Socket.IO frame that has no use for it.
    #[error("`id` is only allowed in a `reply` with `event` and without `ack`")]
    MisplacedId,
    /// A warning: changes of data that members would receive without a frame of the endpoint's protocol.
    #[error("changes of `{topic}` are not frames of `protocol: {protocol}`")]
    RawChanges {
        /// The topic.
        topic: String,
        /// The endpoint's protocol.
        protocol: Protocol,
    },
    /// A warning: a rule for text messages, on an endpoint whose messages are never text.
    #[error("with `protocol: {0}`, messages are never text")]
    NeverText(Protocol),
    /// A warning: a subprotocol that GraphQL clients never offer.
    #[error("clients of `protocol: graphql-transport-ws` offer only that subprotocol")]
    OtherSubprotocol,
    /// A warning: a second membership with the same name.
    #[error("this `join` replaces an earlier one with the same `as`")]
    JoinsAgain,
}

impl SocketMistake {
    /// Returns whether this is a warning.
    pub(super) fn is_warning(&self) -> bool {
        matches!(self, Self::RawChanges { .. } | Self::NeverText(_) | Self::OtherSubprotocol | Self::JoinsAgain)
    }

    /// Returns advice on how to fix the step.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::AfterClose(_) => "the socket is closed; use `send` to reach others",
            Self::NoSender => "remove it: the frame has no sender to skip",
            Self::SetsConn => "each socket has its own `conn`: set it in the steps of `open` or `messages`",
            Self::FixedConn(_) => "give the value another name",
            Self::SendsToAll => {
                "a result belongs to an operation: `join: { to: TOPIC, as: $msg.id }` keeps it open, and `send: { to: TOPIC, frame }` reaches it"
            }
            Self::MisplacedId => {
                "remove it: `ack: true` chooses the id of an event, and `reply: { ack }` answers the message with the message's own"
            }
            Self::RawChanges { protocol: Protocol::GraphqlTransportWs, .. } => {
                "set the frame for members: `frame: { data: { changed: $event.row } }`"
            }
            Self::RawChanges { .. } => "set the frame for members: `frame: { event: changed, args: [$event.row] }`",
            Self::NeverText(Protocol::GraphqlTransportWs) => "write `match: { operationName: NAME }`",
            Self::NeverText(_) => "write `match: { event: NAME }`",
            Self::OtherSubprotocol => "leave `subprotocol` out",
            Self::JoinsAgain => "give it another name, or list all topics in one `join`",
        }
    }
}
