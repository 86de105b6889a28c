//! Why a value has no frame in a protocol.

use serde_json::Value;
use thiserror::Error;

use super::socket_io::MAX_ATTACHMENTS;

/// Why a value has no frame in a protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The value, or a part of it, has another form than the protocol needs.
    #[error("{what} must be {expected}, found {found}")]
    Form {
        /// The value or its part.
        what: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it is, shortened.
        found: String,
    },
    /// A key that has no meaning there.
    #[error("unknown key `{0}` in a frame for Socket.IO")]
    UnknownKey(String),
    /// There is no message that could ask for an acknowledgement, or the connection has been acknowledged before.
    #[error("there is nothing to acknowledge")]
    NothingToAcknowledge,
    /// A refusal in answer to something else than a connection, or after its acknowledgement.
    #[error("there is no connection to refuse: `error` is the first reply to a `connect`")]
    NothingToRefuse,
    /// A name that Socket.IO keeps for its own events.
    #[error("the event name `{0}` is reserved by Socket.IO")]
    ReservedEvent(String),
    /// A namespace that cannot be written.
    #[error("a namespace of Socket.IO contains no comma and no control character, found `{0}`")]
    Namespace(String),
    /// Too many binary values in one message.
    #[error("more than {MAX_ATTACHMENTS} binary values in one message")]
    TooManyAttachments,
    /// What only the answer to a message can be.
    #[error("only a `reply` can acknowledge, refuse, or ask for an acknowledgement")]
    OnlyReply,
    /// A result of no operation.
    #[error("there is no operation that this is a result of")]
    NoOperation,
}

impl CodecError {
    pub(super) fn form(what: &'static str, expected: &'static str, found: &Value) -> Self {
        const MOST: usize = 60;
        let mut found = found.to_string();
        if found.len() > MOST {
            found.truncate(found.floor_char_boundary(MOST));
            found.push('…');
        }
        Self::Form { what, expected, found }
    }
}
