//! What a client may ask for on its socket: `{"cmd":"update-category","payload":{"category":"confectionery"}}`.

use std::fmt;

use serde_json::{Value, json};
use thiserror::Error;

/// A message that makes sense. It is written as clients send it.
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

/// Why a message makes none.
#[derive(Debug, Error)]
pub enum ClientMessageError {
    /// It cannot be read.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It does not say what to do.
    #[error("no \"cmd\"; the command is {{\"cmd\":\"update-category\",\"payload\":{{\"category\":\"…\"}}}}")]
    NoCommand,
    /// It says to do what mockd does not know.
    #[error("unknown cmd {}; there is update-category", Excerpt(.0.to_string().as_bytes()))]
    UnknownCommand(Value),
    /// It does not say which collection.
    #[error("update-category needs a \"payload\" with a \"category\" that is a string")]
    NoCollection,
}

/// The beginning of what a client sent, as much as there is room for in a line of the log.
pub(super) struct Excerpt<'a>(pub(super) &'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 200;
        let (begun, rest) = self.0.split_at(self.0.len().min(MOST));
        f.write_str(&String::from_utf8_lossy(begun))?;
        if rest.is_empty() { Ok(()) } else { write!(f, "… ({} bytes)", self.0.len()) }
    }
}

impl ClientMessage {
    /// What a text or binary message asks for. What it says beside that is passed over.
    ///
    /// # Errors
    /// [`ClientMessageError`] if it makes no sense.
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
