//! The messages that a client may send on its socket:
//! `{"cmd":"update-category","payload":{"category":"confectionery"}}`.

use std::fmt;

use serde_json::{Value, json};
use thiserror::Error;

/// A valid message. Its `Display` is the message as clients send it.
///
/// ```
/// use mockd::http::ClientMessage;
///
/// let command = ClientMessage::Switch { collection: "confectionery".into() };
/// assert_eq!(command.to_string(), r#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#);
/// assert_eq!(ClientMessage::read(command.to_string().as_bytes())?, command);
/// # Ok::<(), mockd::http::ClientMessageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// `update-category`: send the current values of this collection.
    Switch {
        /// The collection's name.
        collection: String,
    },
}

/// Why a message is invalid.
#[derive(Debug, Error)]
pub enum ClientMessageError {
    /// The message is not JSON.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The message has no `cmd`.
    #[error("no \"cmd\"; expected {{\"cmd\":\"update-category\",\"payload\":{{\"category\":\"…\"}}}}")]
    NoCommand,
    /// The `cmd` is not one that mockd supports.
    #[error("unknown cmd {}; expected \"update-category\"", Excerpt(.0.to_string().as_bytes()))]
    UnknownCommand(Value),
    /// The message does not name a collection.
    #[error("update-category needs a \"payload\" with a \"category\" that is a string")]
    NoCollection,
}

/// The beginning of a message from a client, short enough for a line of the log.
pub(super) struct Excerpt<'a>(pub(super) &'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_BYTES: usize = 200;
        let (start, rest) = self.0.split_at(self.0.len().min(MAX_BYTES));
        f.write_str(&String::from_utf8_lossy(start))?;
        if rest.is_empty() { Ok(()) } else { write!(f, "… ({} bytes)", self.0.len()) }
    }
}

impl ClientMessage {
    /// Parses a text or binary message. Unknown keys are ignored.
    ///
    /// # Errors
    /// [`ClientMessageError`] if the message is invalid.
    pub fn read(message: &[u8]) -> Result<Self, ClientMessageError> {
        let message: Value = serde_json::from_slice(message)?;
        match message.get("cmd") {
            None => Err(ClientMessageError::NoCommand),
            Some(cmd) if cmd == "update-category" => {
                let collection = message.pointer("/payload/category").and_then(Value::as_str);
                let collection = collection.ok_or(ClientMessageError::NoCollection)?.to_owned();
                Ok(Self::Switch { collection })
            }
            Some(other) => Err(ClientMessageError::UnknownCommand(other.clone())),
        }
    }
}

impl fmt::Display for ClientMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Switch { collection } = self;
        write!(f, "{}", json!({ "cmd": "update-category", "payload": { "category": collection } }))
    }
}
