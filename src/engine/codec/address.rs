//! How what is sent to a member is written.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CodecError, graphql_ws, socket_io};
use crate::engine::frame::Frame;

/// How what is sent to a member is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// As it is.
    Plain,
    /// As an event of a namespace.
    SocketIo(Arc<str>),
    /// As a result of an operation, by its id; `None` for a member who has joined without one.
    GraphqlWs(Option<Arc<str>>),
}

impl Address {
    /// The frames of what is sent to a member.
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

    /// Whether a message came by it.
    #[must_use]
    pub fn is_of(&self, msg: &Value) -> bool {
        match self {
            Self::Plain | Self::GraphqlWs(None) => false,
            Self::SocketIo(namespace) => socket_io::namespace_of(Some(msg)) == &**namespace,
            Self::GraphqlWs(Some(operation)) => msg["id"] == **operation,
        }
    }

    /// Whether it is in another namespace than the other address.
    #[must_use]
    pub fn is_apart_from(&self, other: &Self) -> bool {
        matches!(self, Self::SocketIo(_)) && self != other
    }

    /// Whether the membership ends with this value: an error of a GraphQL operation. The engine then calls [`Session::end`](super::Session::end),
    /// and ends the membership.
    #[must_use]
    pub fn is_ended_by(&self, value: &Value) -> bool {
        matches!(self, Self::GraphqlWs(_)) && graphql_ws::is_error(value)
    }
}
