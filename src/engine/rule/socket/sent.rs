//! What a socket is sent past its rules, in the protocol that it speaks.

use serde_json::Value;
use thiserror::Error;

use crate::engine::Engine;
use crate::engine::codec::{Address, CodecError, socket_io};
use crate::engine::frame::Frame;
use crate::scenario::Protocol;

/// Why a socket cannot be sent a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unsendable {
    /// Its protocol has no frame for the value.
    #[error(transparent)]
    Value(#[from] CodecError),
    /// Its client does not get what is sent in that namespace.
    #[error("its client is not connected to the namespace `{0}`")]
    NotConnected(String),
}

impl Engine {
    /// The frames of a value for a socket, as its protocol writes them; `None` if it speaks none, or is of no endpoint.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn frames_for(&self, member: u64, value: &Value) -> Result<Option<Vec<Frame>>, Unsendable> {
        let Some(socket) = self.members.socket(member) else { return Ok(None) };
        let address = match socket.session.protocol() {
            Some(Protocol::Plain) => return Ok(None),
            Some(Protocol::SocketIo) => Address::SocketIo(socket_io::namespace_for_all(None, value)?.into()),
            Some(Protocol::GraphqlTransportWs) => Address::GraphqlWs(None),
            // It is about to be closed.
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
