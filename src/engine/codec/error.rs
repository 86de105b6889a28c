//! Why a value cannot be encoded as a frame.

use serde_json::Value;
use thiserror::Error;

use super::socket_io::MAX_ATTACHMENTS;
use crate::scenario::SocketMistake;

/// The reason why a value cannot be encoded as a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The value, or part of it, does not have the form that the protocol requires.
    #[error("{what} must be {expected}, found {found}")]
    Form {
        /// The value or the part.
        what: &'static str,
        /// The required form.
        expected: &'static str,
        /// The actual value, shortened.
        found: String,
    },
    /// An unknown key.
    #[error("unknown key `{0}` in a Socket.IO frame")]
    UnknownKey(String),
    /// An `id` in a frame that has no use for it.
    #[error("{}", SocketMistake::MisplacedId)]
    MisplacedId,
    /// No message requests an acknowledgement, or the connection is already acknowledged.
    #[error("nothing to acknowledge")]
    NothingToAcknowledge,
    /// A refusal that does not answer a connection, or comes after its acknowledgement.
    #[error("no connection to refuse: `error` must be the first reply to a `connect`")]
    NothingToRefuse,
    /// A name that Socket.IO reserves for its own events.
    #[error("the event name `{0}` is reserved by Socket.IO")]
    ReservedEvent(String),
    /// A namespace that cannot be encoded.
    #[error("a Socket.IO namespace must not contain commas or control characters, found `{0}`")]
    Namespace(String),
    /// Too many binary values in one message.
    #[error("more than {MAX_ATTACHMENTS} binary values in one message")]
    TooManyAttachments,
    /// A frame that only a reply may send.
    #[error("only a `reply` can acknowledge, refuse, or request an acknowledgement")]
    OnlyReply,
    /// A result without an operation.
    #[error("no operation to send this result to")]
    NoOperation,
}

impl CodecError {
    pub(super) fn form(what: &'static str, expected: &'static str, found: &Value) -> Self {
        const MAX_LEN: usize = 60;
        let mut found = found.to_string();
        if found.len() > MAX_LEN {
            found.truncate(found.floor_char_boundary(MAX_LEN));
            found.push('…');
        }
        Self::Form { what, expected, found }
    }
}
