//! Addresses: how a message to a member is encoded.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CodecError, graphql_ws, socket_io};
use crate::engine::frame::Frame;

/// How a message to a member is encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// Unchanged.
    Plain,
    /// As an event in a namespace.
    SocketIo(Arc<str>),
    /// As a result of the operation with this id; `None` for a member that joined without an operation.
    GraphqlWs(Option<Arc<str>>),
}

impl Address {
    /// Returns the frames of a message to a member.
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

    /// Returns whether a message arrived at this address.
    #[must_use]
    pub fn is_address_of(&self, msg: &Value) -> bool {
        match self {
            Self::Plain | Self::GraphqlWs(None) => false,
            Self::SocketIo(namespace) => socket_io::namespace_of(Some(msg)) == &**namespace,
            Self::GraphqlWs(Some(operation)) => msg["id"] == **operation,
        }
    }

    /// Returns whether this is a Socket.IO namespace other than the other address.
    #[must_use]
    pub fn is_other_namespace(&self, other: &Self) -> bool {
        matches!(self, Self::SocketIo(_)) && self != other
    }

    /// Returns whether this value, an error of a GraphQL operation, ends the membership. The engine then calls
    /// [`Session::end`](super::Session::end) and ends the membership.
    #[must_use]
    pub fn is_ended_by(&self, value: &Value) -> bool {
        matches!(self, Self::GraphqlWs(_)) && graphql_ws::is_error(value)
    }
}
