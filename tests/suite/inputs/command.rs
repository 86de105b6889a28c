//! Whatever a client says on its socket: it is refused with a reason, or it is a command, however its JSON is written.

use std::mem::discriminant;

use mockd::http::ClientMessage;
use serde_json::Value;

pub(crate) fn check(message: &[u8]) {
    let read = ClientMessage::read(message);
    match &read {
        Ok(command) => assert_eq!(ClientMessage::read(command.to_string().as_bytes()).as_ref().ok(), Some(command)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // Without its own spaces and escapes, and with the last of keys that are there twice.
    if let Ok(json) = serde_json::from_slice::<Value>(message) {
        match (read, ClientMessage::read(json.to_string().as_bytes())) {
            (Ok(one), Ok(other)) => assert_eq!(one, other),
            (Err(one), Err(other)) => assert_eq!(discriminant(&one), discriminant(&other)),
            (one, other) => panic!("{one:?}, but {other:?} for {json}"),
        }
    }
}
