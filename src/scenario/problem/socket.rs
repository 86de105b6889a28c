//! What can be wrong with the steps of sockets.

use strum::IntoStaticStr;
use thiserror::Error;

/// Why a step is not allowed at its place. `Display` is the message's first line.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SocketMistake {
    /// A verb for a socket that has closed.
    #[error("`{0}` is not allowed in the steps of `closed`")]
    AfterClose(&'static str),
    /// `others` in steps without a sender.
    #[error("`others` is only for the steps of streams and sockets")]
    NoSender,
    /// `conn` is set where there is no open socket.
    #[error("only the steps of an open socket set `conn`")]
    SetsConn,
    /// A built-in part of `conn`.
    #[error("`conn.{0}` cannot be set")]
    FixedConn(String),
}

impl SocketMistake {
    /// What to do about it.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::AfterClose(_) => "the socket has closed; `send` reaches others",
            Self::NoSender => "remove it: the frame has no sender to skip",
            Self::SetsConn => "each socket has its own `conn`: set it in the steps of `open` or `messages`",
            Self::FixedConn(_) => "give the value another name",
        }
    }
}
