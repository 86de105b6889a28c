//! Any message from a client is a command or is rejected with a reason, however its JSON is formatted.

use std::mem::discriminant;

use mockd::http::ClientMessage;
use serde_json::Value;

pub(crate) fn check(message: &[u8]) {
    let read = ClientMessage::read(message);
    match &read {
        Ok(command) => assert_eq!(ClientMessage::read(command.to_string().as_bytes()).as_ref().ok(), Some(command)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // The same JSON without optional spaces and escapes, and with only the last of duplicate keys.
    if let Ok(json) = serde_json::from_slice::<Value>(message) {
        match (read, ClientMessage::read(json.to_string().as_bytes())) {
            (Ok(one), Ok(other)) => assert_eq!(one, other),
            (Err(one), Err(other)) => assert_eq!(discriminant(&one), discriminant(&other)),
            (one, other) => panic!("{one:?}, but {other:?} for {json}"),
        }
    }
}
