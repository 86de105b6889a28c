//! What a client may ask for on its socket: `{"cmd":"update-category","payload":{"category":"confectionery"}}`.

use serde_json::Value;
use thiserror::Error;

/// A message that makes sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Send this category's current orders.
    UpdateCategory { category: String },
}

/// Why a message makes none.
#[derive(Debug, Error)]
pub(super) enum CommandError {
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("no \"cmd\"; the command is {{\"cmd\":\"update-category\",\"payload\":{{\"category\":\"…\"}}}}")]
    NoCommand,
    #[error("unknown cmd {0}; there is update-category")]
    UnknownCommand(Value),
    #[error("update-category needs a \"payload\" with a \"category\" that is a string")]
    NoCategory,
}

impl Command {
    pub(super) fn read(message: &[u8]) -> Result<Self, CommandError> {
        let message: Value = serde_json::from_slice(message)?;
        match message.get("cmd") {
            None => Err(CommandError::NoCommand),
            Some(cmd) if cmd == "update-category" => {
                let category = message.pointer("/payload/category").and_then(Value::as_str);
                let category = category.ok_or(CommandError::NoCategory)?.to_owned();
                Ok(Self::UpdateCategory { category })
            }
            Some(other) => Err(CommandError::UnknownCommand(other.clone())),
        }
    }
}
