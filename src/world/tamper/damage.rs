//! Frames that no client should have to read.

use bytes::Bytes;
use tungstenite::Message;

use crate::scenario::Damage;
use crate::websocket::Encoded;

/// Bytes of a frame that is too large for most.
const OVERSIZED: usize = 1 << 20;

pub(super) fn damaged(frame: &Encoded, damage: Damage) -> Encoded {
    let payload = frame.payload();
    match damage {
        Damage::Json => {
            let text = String::from_utf8_lossy(&payload);
            let half: String = text.chars().take(text.chars().count().div_ceil(2)).collect();
            Encoded::text(&half)
        }
        Damage::Utf8 => {
            // No text has this byte (RFC 3629, section 1).
            let middle = payload.len() / 2;
            Encoded::text_of([&payload[..middle], &[0xff], &payload[middle..]].concat().as_slice())
        }
        Damage::Oversized => {
            let mut large = payload.to_vec();
            let padding = vec![b' '; OVERSIZED.saturating_sub(large.len())];
            large.extend(padding);
            Encoded::text_of(&large)
        }
        Damage::Type => Encoded::message(&Message::Binary(Bytes::clone(&payload))),
    }
}
