//! Engine.IO, protocol 4: packets, and the payloads that carry several of them over HTTP long-polling.
//!
//! A packet is a text that starts with the digit of its type. On a WebSocket, binary data is a separate frame; in a
//! payload it is base64 after a `b`.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use data_encoding::BASE64;
use serde_json::json;
use thiserror::Error;

use super::SessionOptions;
use crate::engine::frame::Frame;

/// The interval between the server's pings.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);

/// How long a client waits for a late ping. The world's clock may be slow or stopped at any time, so this is long: a
/// client whose server is gone notices that its connection breaks.
pub const PING_TIMEOUT: Duration = Duration::from_hours(24);

/// Separates the packets of a payload.
pub const SEPARATOR: u8 = 0x1e;

/// Marks a packet as binary, in base64.
const BINARY: u8 = b'b';

/// A packet from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet<'t> {
    Open,
    Close,
    Ping(&'t str),
    Pong,
    Message(&'t str),
    Upgrade,
    Noop,
    Binary(Vec<u8>),
}

/// Why a text is not a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The first character is not a packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// The text after a `b` is not base64.
    #[error("invalid base64")]
    NotBase64,
}

impl<'t> Packet<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, PacketError> {
        let mut rest = text.chars();
        let packet = match (rest.next(), rest.as_str()) {
            (Some('0'), _) => Self::Open,
            (Some('1'), _) => Self::Close,
            (Some('2'), data) => Self::Ping(data),
            (Some('3'), _) => Self::Pong,
            (Some('4'), data) => Self::Message(data),
            (Some('5'), _) => Self::Upgrade,
            (Some('6'), _) => Self::Noop,
            (Some('b'), data) => Self::Binary(BASE64.decode(data.as_bytes()).map_err(|_| PacketError::NotBase64)?),
            _ => return Err(PacketError::UnknownType),
        };
        Ok(packet)
    }
}

/// Encodes the bytes of a WebSocket frame as a packet with a leading separator, so that batches of packets can be
/// concatenated.
#[must_use]
pub fn encode_packet(bytes: &[u8], is_binary: bool) -> Bytes {
    let length = if is_binary { BASE64.encode_len(bytes.len()) + 1 } else { bytes.len() };
    let mut packet = BytesMut::with_capacity(length + 1);
    packet.put_u8(SEPARATOR);
    if is_binary {
        packet.put_u8(BINARY);
        packet.put_slice(BASE64.encode(bytes).as_bytes());
    } else {
        packet.put_slice(bytes);
    }
    packet.freeze()
}

/// Returns the bytes of a binary packet; `None` if the packet is text.
#[must_use]
pub fn bytes_of_packet(packet: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(packet.strip_prefix(&[BINARY])?).ok()
}

/// Turns packets with leading separators into a response body.
#[must_use]
pub fn payload(packets: Bytes) -> Bytes {
    if packets.first() == Some(&SEPARATOR) { packets.slice(1..) } else { packets }
}

/// Decodes the body of a request into the frames that a WebSocket would carry.
///
/// # Errors
///
/// If a packet has no type or invalid base64. No packet is handled then.
pub fn decode_payload(text: &str) -> Result<Vec<Frame>, PacketError> {
    let frames = text.split(char::from(SEPARATOR)).map(|packet| {
        Ok(match Packet::read(packet)? {
            Packet::Binary(bytes) => Frame::Binary(bytes.into()),
            _ => Frame::Text(packet.into()),
        })
    });
    frames.collect()
}

/// Returns the packet that opens a session.
pub(super) fn open(options: &SessionOptions) -> Frame {
    let SessionOptions { sid, polling, max_payload } = options;
    let upgrades: &[&str] = if *polling { &["websocket"] } else { &[] };
    let handshake = json!({
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": PING_INTERVAL.as_millis(),
        "pingTimeout": PING_TIMEOUT.as_millis(),
        "maxPayload": max_payload,
    });
    Frame::Text(format!("0{handshake}").into())
}

/// Returns a ping, which the client answers with a pong.
pub(super) fn ping() -> Frame {
    Frame::Text("2".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn payloads_decode_to_the_frames_they_were_made_of() {
        for (payload, frames) in [
            ("4hello", vec![Frame::Text("4hello".into())]),
            ("4hello\u{1e}4€", vec![Frame::Text("4hello".into()), Frame::Text("4€".into())]),
            (
                "2\u{1e}4hello\u{1e}1",
                vec![Frame::Text("2".into()), Frame::Text("4hello".into()), Frame::Text("1".into())],
            ),
            ("4hello\u{1e}bAQIDBA==", vec![Frame::Text("4hello".into()), Frame::Binary([1, 2, 3, 4].into())]),
            ("b", vec![Frame::Binary([].into())]),
        ] {
            let packets = frames.iter().map(|frame| match frame {
                Frame::Binary(bytes) => encode_packet(bytes, true),
                Frame::Text(text) => encode_packet(text.as_bytes(), false),
                Frame::Json(value) => panic!("{value} is not a packet"),
            });
            let packets = packets.collect::<Vec<_>>().concat();
            assert_eq!(super::payload(packets.into()), payload);
            assert_eq!(decode_payload(payload).unwrap(), frames);
        }
    }

    #[test]
    fn payloads_with_an_invalid_packet_are_refused() {
        for (payload, error) in [
            ("", PacketError::UnknownType),
            ("4a\u{1e}", PacketError::UnknownType),
            ("7", PacketError::UnknownType),
            ("abc", PacketError::UnknownType),
            ("é", PacketError::UnknownType),
            ("b?", PacketError::NotBase64),
            ("bAQIDBA", PacketError::NotBase64),
        ] {
            assert_eq!(decode_payload(payload), Err(error), "{payload}");
        }
    }
}
