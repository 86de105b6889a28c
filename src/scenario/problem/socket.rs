//! What can be wrong with the steps of sockets.

use strum::IntoStaticStr;
use thiserror::Error;

/// Why steps cannot be those of their place. `Display` is the message's first line.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SocketMistake {
    /// A verb for a socket that has closed.
    #[error("`{0}` is not for the steps of `closed`")]
    AfterClose(&'static str),
    /// `others` in steps that nobody sends.
    #[error("`others` is only for the steps of streams and sockets")]
    NoSender,
    /// `conn` is set where there is no open socket.
    #[error("only the steps of an open socket set `conn`")]
    SetsConn,
    /// A part of `conn` that each socket has by itself.
    #[error("`conn.{0}` cannot be set")]
    FixedConn(String),
    /// A second membership with the same name: a warning.
    #[error("this `join` replaces an earlier one with the same `as`")]
    JoinsAgain,
}

impl SocketMistake {
    /// What to do about it.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::AfterClose(_) => "the socket has closed; `send` reaches others",
            Self::NoSender => "leave it out: the frame has no sender who could be left out",
            Self::SetsConn => "each socket has its own `conn`: set it in the steps of `open` or `messages`",
            Self::FixedConn(_) => "give the value another name",
            Self::JoinsAgain => "give it another name, or list all topics in one `join`",
        }
    }
}
