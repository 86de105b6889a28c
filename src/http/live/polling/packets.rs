//! Encoding of messages as packets for a poll, and of packets as frames for the WebSocket that takes over.

use bytes::{BufMut, Bytes, BytesMut};

use crate::engine::codec::engine_io::{SEPARATOR, bytes_of_packet, encode_packet};
use crate::websocket::Encoded;
use crate::world::{Message, MessageKind};

/// The packet that closes the session, preceded by a separator.
pub(super) const CLOSE: &[u8] = b"\x1e1";

/// The noop packet, preceded by a separator.
pub(super) const NOOP: &[u8] = b"\x1e6";

/// Encodes a message as a packet, preceded by a separator.
pub(super) fn encode(message: &Message) -> Bytes {
    encode_packet(message.payload(), message.kind() == MessageKind::Binary)
}

/// Encodes packets, each preceded by a separator, as the frames of a WebSocket.
pub(super) fn frames(packets: &[u8]) -> Bytes {
    let mut frames = BytesMut::new();
    // The part before the first separator is empty.
    for packet in packets.split(|byte| *byte == SEPARATOR).skip(1) {
        let frame = bytes_of_packet(packet).map_or_else(|| Encoded::text_of(packet), |bytes| Encoded::binary(&bytes));
        frames.put_slice(frame.frame());
    }
    frames.freeze()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::codec::engine_io::payload;

    fn frame(message: &Message) -> Bytes {
        match message.kind() {
            MessageKind::Binary => Encoded::binary(message.payload()),
            MessageKind::Json | MessageKind::Text => Encoded::text_of(message.payload()),
        }
        .into_frame()
    }

    #[test]
    fn messages_become_a_payload_or_the_frames_of_a_socket() {
        let (text, bytes) = (Message::text("42[\"a\"]"), Message::binary(vec![0, 255]));
        for (messages, expected) in [
            (vec![], ""),
            (vec![text.clone()], "42[\"a\"]"),
            (vec![bytes.clone()], "bAP8="),
            (vec![text.clone(), bytes, text], "42[\"a\"]\u{1e}bAP8=\u{1e}42[\"a\"]"),
            (vec![Message::json(&json!({ "a": "\u{1e}" }))], r#"{"a":"\u001e"}"#),
            (vec![Message::text("b?"), Message::text("")], "b?\u{1e}"),
            (vec![Message::binary(vec![])], "b"),
        ] {
            let packets: Bytes = messages.iter().map(encode).collect::<Vec<_>>().concat().into();
            assert_eq!(frames(&packets), messages.iter().map(frame).collect::<Vec<_>>().concat());
            assert_eq!(payload(packets), expected);
        }
    }
}
