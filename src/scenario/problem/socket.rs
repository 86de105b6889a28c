//! What can be wrong with the steps of sockets.

use strum::IntoStaticStr;
use thiserror::Error;

use crate::scenario::Protocol;

/// Why a step is not allowed at its place. `Display` is the message's first line.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SocketMistake {
    /// A verb for a socket that has closed.
    #[error("`{0}` is not allowed in the steps of `closed`")]
    AfterClose(&'static str),
    /// `others` in steps without a sender.
    #[error("`others` is only allowed in the steps of streams and sockets")]
    NoSender,
    /// `conn` is set where there is no open socket.
    #[error("only the steps of an open socket can set `conn`")]
    SetsConn,
    /// A built-in part of `conn`.
    #[error("`conn.{0}` cannot be set")]
    FixedConn(String),
    /// A frame for all sockets of an endpoint that speaks GraphQL, whose results are those of operations.
    #[error("with `protocol: graphql-transport-ws`, `send` needs `to`")]
    SendsToAll,
    /// Changes of data that members get as they are: a warning.
    #[error("changes of `{topic}` are not frames of `protocol: {protocol}`")]
    RawChanges {
        /// The topic.
        topic: String,
        /// What the endpoint speaks.
        protocol: Protocol,
    },
    /// A text that a message has to be which never is text: a warning.
    #[error("with `protocol: {0}`, messages are never text")]
    NeverText(Protocol),
    /// A subprotocol that no client of GraphQL offers: a warning.
    #[error("clients of `protocol: graphql-transport-ws` offer only that subprotocol")]
    OtherSubprotocol,
    /// A second membership with the same name: a warning.
    #[error("this `join` replaces an earlier one with the same `as`")]
    JoinsAgain,
}

impl SocketMistake {
    /// Whether a scenario is good all the same.
    pub(super) fn is_warning(&self) -> bool {
        matches!(self, Self::RawChanges { .. } | Self::NeverText(_) | Self::OtherSubprotocol | Self::JoinsAgain)
    }

    /// What to do about it.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::AfterClose(_) => "the socket is closed; use `send` to reach others",
            Self::NoSender => "remove it: the frame has no sender to skip",
            Self::SetsConn => "each socket has its own `conn`: set it in the steps of `open` or `messages`",
            Self::FixedConn(_) => "give the value another name",
            Self::SendsToAll => {
                "a result belongs to an operation: `join: { to: TOPIC, as: $msg.id }` keeps it open, and `send: { to: TOPIC, frame }` reaches it"
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
