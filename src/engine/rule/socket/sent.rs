//! Values sent to a socket outside its rules, encoded for its protocol.

use serde_json::Value;
use thiserror::Error;

use crate::engine::Engine;
use crate::engine::codec::{Address, CodecError, socket_io};
use crate::engine::frame::Frame;
use crate::scenario::Protocol;

/// Why a value cannot be sent to a socket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unsendable {
    /// The protocol has no frame for the value.
    #[error(transparent)]
    Value(#[from] CodecError),
    /// The client is not connected to the namespace.
    #[error("its client is not connected to the namespace `{0}`")]
    NotConnected(String),
}

impl Engine {
    /// Encodes a value as frames of a socket's protocol. `None` if the socket has no protocol or no endpoint.
    ///
    /// # Errors
    /// [`Unsendable`] if the protocol has no frame for the value, or the client is not connected to the namespace.
    pub fn frames_for(&self, member: u64, value: &Value) -> Result<Option<Vec<Frame>>, Unsendable> {
        let Some(socket) = self.members.socket(member) else { return Ok(None) };
        let address = match socket.session.protocol() {
            Some(Protocol::Plain) => return Ok(None),
            Some(Protocol::SocketIo) => Address::SocketIo(socket_io::namespace_for_all(None, value)?.into()),
            Some(Protocol::GraphqlTransportWs) => Address::GraphqlWs(None),
            // The session has ended, and the socket is about to close.
            None => return Ok(Some(Vec::new())),
        };
        let frames = address.frames(value)?;
        match &address {
            Address::SocketIo(namespace) if !socket.session.reaches(&address) => {
                Err(Unsendable::NotConnected(namespace.to_string()))
            }
            _ => Ok(Some(frames)),
        }
    }
}
