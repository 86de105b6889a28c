//! A packet of Socket.IO, protocol 5, carried as the message of an Engine.IO packet.
//!
//! A packet is text, `TYPE [ATTACHMENTS -] [NAMESPACE ,] [ID] [JSON]`, followed by its binary attachments, for which
//! the JSON has placeholders.

use std::fmt::Write as _;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::engine::codec::CodecError;
use crate::engine::codec::engine_io::PacketError;
use crate::engine::frame::{Frame, bytes_of};

/// The maximum number of binary values in a packet, as in the reference implementation's parser.
pub const MAX_ATTACHMENTS: usize = 10;

/// The namespace of packets that name none.
pub(super) const MAIN: &str = "/";

/// Event names that Socket.IO reserves for its own events.
const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The type of a packet. A packet with attachments has a binary type, which is not distinguished here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

/// A packet. In its data, an attachment is `{ binary: BASE64 }`; until it has arrived, there is a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packet {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    pub(super) id: Option<u64>,
    pub(super) data: Option<Value>,
}

/// A packet from the client whose attachments have yet to arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Partial {
    packet: Packet,
    /// The number of attachments.
    count: usize,
    /// The attachments received so far, in base64.
    attachments: Vec<String>,
}

/// The result of decoding the text of a packet, or of adding an attachment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    Whole(Packet),
    Partial(Partial),
}

/// Why the server closes a socket, as in the reference implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Violation {
    #[error("Engine.IO: {0}")]
    EngineIo(#[from] PacketError),
    #[error("unknown packet type; only the default parser of Socket.IO is supported")]
    UnknownType,
    #[error("illegal attachments")]
    IllegalAttachments,
    #[error("too many attachments")]
    TooManyAttachments,
    #[error("invalid acknowledgement id")]
    InvalidId,
    #[error("invalid payload")]
    InvalidPayload,
    #[error("text where an attachment was expected")]
    TextForAttachment,
    #[error("an attachment without a packet; only the default parser of Socket.IO is supported")]
    UnexpectedAttachment,
    #[error("invalid heartbeat direction")]
    PingFromClient,
    #[error("already connected to the namespace")]
    ConnectedAlready,
    #[error("not connected to the namespace")]
    NotConnected,
    #[error("only the server may refuse a connection")]
    RefusalFromClient,
}

impl Packet {
    pub(super) fn decode(text: &str) -> Result<Decoded, Violation> {
        let (kind, is_binary) = match text.as_bytes().first() {
            Some(b'0') => (Kind::Connect, false),
            Some(b'1') => (Kind::Disconnect, false),
            Some(b'2') => (Kind::Event, false),
            Some(b'3') => (Kind::Ack, false),
            Some(b'4') => (Kind::ConnectError, false),
            Some(b'5') => (Kind::Event, true),
            Some(b'6') => (Kind::Ack, true),
            _ => return Err(Violation::UnknownType),
        };
        let rest = &text[1..];
        let (count, rest) = if is_binary { attachment_count(rest)? } else { (0, rest) };
        let (namespace, rest) =
            if rest.starts_with('/') { rest.split_once(',').unwrap_or((rest, "")) } else { (MAIN, rest) };
        let (id, payload) = rest.split_at(digit_count(rest));
        let id = if id.is_empty() { None } else { Some(id.parse().map_err(|_| Violation::InvalidId)?) };
        let data = if payload.is_empty() { None } else { serde_json::from_str(payload).ok() };
        let is_valid = match (kind, &data) {
            (Kind::Connect, None | Some(Value::Object(_)))
            | (Kind::ConnectError, Some(Value::Object(_) | Value::String(_)))
            | (Kind::Ack, Some(Value::Array(_))) => data.is_some() || payload.is_empty(),
            (Kind::Disconnect, None) => payload.is_empty(),
            (Kind::Event, Some(Value::Array(args))) => args.first().is_some_and(is_event_name),
            _ => false,
        };
        if !is_valid {
            return Err(Violation::InvalidPayload);
        }
        let packet = Self { kind, namespace: namespace.to_owned(), id, data };
        Ok(if is_binary {
            Decoded::Partial(Partial { packet, count, attachments: Vec::new() })
        } else {
            Decoded::Whole(packet)
        })
    }

    /// Returns the frames that carry the packet to the client.
    pub(super) fn frames(mut self) -> Result<Vec<Frame>, CodecError> {
        let mut attachments = Vec::new();
        if let (Kind::Event | Kind::Ack, Some(data)) = (self.kind, &mut self.data) {
            detach(data, &mut attachments);
        }
        if attachments.len() > MAX_ATTACHMENTS {
            return Err(CodecError::TooManyAttachments);
        }
        let attachments = attachments.into_iter().map(|bytes| Frame::Binary(bytes.into())).collect::<Vec<_>>();
        Ok([vec![self.text_frame(attachments.len())], attachments].concat())
    }

    /// Returns the frame of a packet without attachments.
    pub(super) fn frame(&self) -> Frame {
        self.text_frame(0)
    }

    fn text_frame(&self, attachments: usize) -> Frame {
        let is_binary = attachments > 0;
        let mut text = String::from(match self.kind {
            Kind::Connect => "40",
            Kind::Disconnect => "41",
            Kind::Event if is_binary => "45",
            Kind::Event => "42",
            Kind::Ack if is_binary => "46",
            Kind::Ack => "43",
            Kind::ConnectError => "44",
        });
        // Writing to a `String` does not fail.
        if is_binary {
            let _ = write!(text, "{attachments}-");
        }
        if self.namespace != MAIN {
            let _ = write!(text, "{},", self.namespace);
        }
        if let Some(id) = self.id {
            let _ = write!(text, "{id}");
        }
        if let Some(data) = &self.data {
            let _ = write!(text, "{data}");
        }
        Frame::Text(text.into())
    }
}

impl Partial {
    /// Adds an attachment, and returns the whole packet after the last one.
    pub(super) fn with(mut self, bytes: &[u8]) -> Result<Decoded, Violation> {
        self.attachments.push(BASE64.encode(bytes));
        if self.attachments.len() < self.count {
            return Ok(Decoded::Partial(self));
        }
        if let Some(data) = &mut self.packet.data {
            attach(data, &self.attachments)?;
        }
        Ok(Decoded::Whole(self.packet))
    }
}

/// Returns whether an event may have this name: a number, or text that is not reserved.
pub(super) fn is_event_name(name: &Value) -> bool {
    name.is_number() || name.as_str().is_some_and(|name| !is_reserved(name))
}

fn is_reserved(name: &str) -> bool {
    RESERVED_EVENTS.contains(&name)
}

/// Returns the number of attachments and the rest of the text.
fn attachment_count(text: &str) -> Result<(usize, &str), Violation> {
    let (count, rest) = text.split_at(digit_count(text));
    let rest = rest.strip_prefix('-').ok_or(Violation::IllegalAttachments)?;
    match count.parse() {
        Ok(count @ 1..=MAX_ATTACHMENTS) => Ok((count, rest)),
        Ok(0) => Err(Violation::IllegalAttachments),
        _ if count.is_empty() => Err(Violation::IllegalAttachments),
        _ => Err(Violation::TooManyAttachments),
    }
}

/// Returns the number of leading digits.
fn digit_count(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Moves binary data out of a value, and leaves placeholders.
fn detach(value: &mut Value, attachments: &mut Vec<Vec<u8>>) {
    if let Some(bytes) = bytes_of(value) {
        *value = json!({ "_placeholder": true, "num": attachments.len() });
        attachments.push(bytes);
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| detach(item, attachments)),
        Value::Object(fields) => fields.values_mut().for_each(|field| detach(field, attachments)),
        _ => {}
    }
}

/// Replaces the placeholders in a value with attachments, which are in base64.
fn attach(value: &mut Value, attachments: &[String]) -> Result<(), Violation> {
    if value.get("_placeholder") == Some(&Value::Bool(true)) {
        let number = value.get("num").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        let bytes = number.and_then(|number| attachments.get(number)).ok_or(Violation::IllegalAttachments)?;
        *value = json!({ "binary": bytes });
        return Ok(());
    }
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| attach(item, attachments)),
        Value::Object(fields) => fields.values_mut().try_for_each(|field| attach(field, attachments)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn packet(kind: Kind, namespace: &str, id: Option<u64>, data: Value) -> Packet {
        Packet { kind, namespace: namespace.to_owned(), id, data: Some(data).filter(|data| !data.is_null()) }
    }

    /// Returns a text frame followed by binary frames.
    fn wire(text: &str, attachments: &[&[u8]]) -> Vec<Frame> {
        let text = Frame::Text(format!("4{text}").into());
        let bytes = attachments.iter().map(|bytes| Frame::Binary((*bytes).into()));
        [text].into_iter().chain(bytes).collect()
    }

    fn decoded(text: &str, attachments: &[&[u8]]) -> Result<Packet, Violation> {
        let mut decoded = Packet::decode(text)?;
        for bytes in attachments {
            let Decoded::Partial(partial) = decoded else { panic!("{text} expects no attachment") };
            decoded = partial.with(bytes)?;
        }
        let Decoded::Whole(packet) = decoded else { panic!("{text} expects another attachment") };
        Ok(packet)
    }

    #[test]
    fn packets_match_the_examples_of_the_protocol() {
        const NO_BYTES: &[&[u8]] = &[];
        let bytes = json!({ "binary": "AQIDBA==" });
        for (text, attachments, kind, namespace, id, data) in [
            ("0", NO_BYTES, Kind::Connect, "/", None, Value::Null),
            (r#"0{"sid":"wZX3"}"#, &[], Kind::Connect, "/", None, json!({ "sid": "wZX3" })),
            ("0/admin,", &[], Kind::Connect, "/admin", None, Value::Null),
            (r#"0/admin,{"sid":"oSO0"}"#, &[], Kind::Connect, "/admin", None, json!({ "sid": "oSO0" })),
            (r#"4{"message":"No"}"#, &[], Kind::ConnectError, "/", None, json!({ "message": "No" })),
            (r#"2["foo"]"#, &[], Kind::Event, "/", None, json!(["foo"])),
            (r#"2/admin,["bar"]"#, &[], Kind::Event, "/admin", None, json!(["bar"])),
            (r#"212["foo"]"#, &[], Kind::Event, "/", Some(12), json!(["foo"])),
            ("312[]", &[], Kind::Ack, "/", Some(12), json!([])),
            (r#"2/admin,13["foo"]"#, &[], Kind::Event, "/admin", Some(13), json!(["foo"])),
            (r#"3/admin,13["bar"]"#, &[], Kind::Ack, "/admin", Some(13), json!(["bar"])),
            (
                r#"51-["baz",{"_placeholder":true,"num":0}]"#,
                &[&[1, 2, 3, 4]],
                Kind::Event,
                "/",
                None,
                json!(["baz", bytes]),
            ),
            (
                r#"52-/admin,["baz",{"a":[{"_placeholder":true,"num":0}]},{"_placeholder":true,"num":1}]"#,
                &[&[1, 2, 3, 4], &[]],
                Kind::Event,
                "/admin",
                None,
                json!(["baz", { "a": [bytes] }, { "binary": "" }]),
            ),
            (
                r#"61-15["bar",{"_placeholder":true,"num":0}]"#,
                &[&[1, 2, 3, 4]],
                Kind::Ack,
                "/",
                Some(15),
                json!(["bar", bytes]),
            ),
            ("1", &[], Kind::Disconnect, "/", None, Value::Null),
            ("1/admin,", &[], Kind::Disconnect, "/admin", None, Value::Null),
        ] {
            let packet = packet(kind, namespace, id, data);
            assert_eq!(decoded(text, attachments).unwrap(), packet, "{text}");
            assert_eq!(packet.frames().unwrap(), wire(text, attachments));
        }
        assert_eq!(decoded("0/admin", &[]), Ok(packet(Kind::Connect, "/admin", None, Value::Null)));
        assert_eq!(decoded(r"2[7,8]", &[]), Ok(packet(Kind::Event, "/", None, json!([7, 8]))));
    }

    #[test]
    fn malformed_packets_are_refused_with_a_reason() {
        use Violation::{IllegalAttachments, InvalidId, InvalidPayload, TooManyAttachments, UnknownType};
        for (text, violation) in [
            ("", UnknownType),
            ("7", UnknownType),
            ("abc", UnknownType),
            ("é", UnknownType),
            ("0[]", InvalidPayload),
            ("0{", InvalidPayload),
            ("1{}", InvalidPayload),
            ("1[", InvalidPayload),
            ("2", InvalidPayload),
            ("2[]", InvalidPayload),
            ("2{}", InvalidPayload),
            ("2[null]", InvalidPayload),
            (r#"2["connect"]"#, InvalidPayload),
            (r#"2["disconnecting"]"#, InvalidPayload),
            ("3", InvalidPayload),
            ("31{}", InvalidPayload),
            ("4", InvalidPayload),
            ("299999999999999999999[1]", InvalidId),
            ("5[1]", IllegalAttachments),
            ("5-[1]", IllegalAttachments),
            ("50-[1]", IllegalAttachments),
            ("5+1-[1]", IllegalAttachments),
            ("511-[1]", TooManyAttachments),
            ("599999999999999999999-[1]", TooManyAttachments),
        ] {
            assert_eq!(Packet::decode(text), Err(violation), "{text}");
        }
        for number in ["1", "-1", "0.5", "\"0\"", "null"] {
            let text = format!(r#"51-["a",{{"_placeholder":true,"num":{number}}}]"#);
            assert_eq!(decoded(&text, &[&[1]]), Err(IllegalAttachments), "{text}");
        }
    }

    #[test]
    fn packets_with_too_many_attachments_are_not_encoded() {
        let args = |count| Value::from(vec![json!({ "binary": "AA==" }); count]);
        assert_eq!(packet(Kind::Ack, "/", Some(1), args(10)).frames().unwrap().len(), 11);
        assert_eq!(packet(Kind::Ack, "/", Some(1), args(11)).frames(), Err(CodecError::TooManyAttachments));
    }
}
