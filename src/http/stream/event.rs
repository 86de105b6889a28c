//! Encodes messages as server-sent events (HTML, 9.2.5).

use std::fmt::Write;

use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Map, Value};

use crate::world::{Message, MessageKind};

/// An empty comment line, which clients ignore (HTML, 9.2.6). It keeps the connection alive. There is no blank line,
/// because some clients take it for the end of an event without data.
pub(crate) const HEARTBEAT: Bytes = Bytes::from_static(b":\n");

/// The fields of an event.
const FIELDS: [&str; 5] = ["event", "id", "data", "retry", "comment"];

/// Encodes a message as an event. A mapping that [describes an event](is_event) becomes that event; anything else
/// becomes the data of an event.
pub(in crate::http) fn encode(message: &Message) -> Bytes {
    let payload = message.payload();
    let data = |text: &str| {
        let mut event = String::with_capacity(payload.len() + 8);
        lines(&mut event, "data", text);
        event.push('\n');
        event
    };
    let event = match message.kind() {
        MessageKind::Binary => data(&BASE64.encode(payload)),
        MessageKind::Text => data(&String::from_utf8_lossy(payload)),
        MessageKind::Json => match serde_json::from_slice(payload) {
            Ok(Value::Object(fields)) if is_event(&fields) => event(&fields),
            _ => data(&String::from_utf8_lossy(payload)),
        },
    };
    event.into()
}

/// Whether a mapping describes an event: it has `data` and only fields of an event, or only a `comment`, or only a
/// `retry`. Any other mapping is more likely a row, because clients do not dispatch events without data (HTML, 9.2.6).
fn is_event(fields: &Map<String, Value>) -> bool {
    let is_alone = fields.len() == 1 && (fields.contains_key("comment") || fields.contains_key("retry"));
    is_alone || fields.contains_key("data") && fields.keys().all(|key| FIELDS.contains(&key.as_str()))
}

fn event(fields: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut event = String::new();
    if let Some(comment) = fields.get("comment") {
        lines(&mut event, "", &text(comment));
    }
    for key in ["event", "id", "retry"] {
        if let Some(value) = fields.get(key) {
            // The value must fit on one line, and clients ignore an id that contains a null character.
            let value = text(value).replace(['\r', '\n', '\0'], " ");
            // Writing to a `String` cannot fail.
            let _ = writeln!(event, "{key}: {value}");
        }
    }
    if let Some(data) = fields.get("data") {
        lines(&mut event, "data", &text(data));
    }
    event.push('\n');
    event
}

/// Writes a field, once per line of its value.
fn lines(event: &mut String, field: &str, text: &str) {
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(event, "{field}: {line}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::encode;
    use crate::engine::Frame;
    use crate::world::Message;

    #[test]
    fn a_frame_becomes_the_event_that_it_describes() {
        for (frame, expected) in [
            (json!({ "event": "order", "id": 7, "data": { "a": 1 } }), "event: order\nid: 7\ndata: {\"a\":1}\n\n"),
            (json!({ "data": "two\nlines\r\nthree" }), "data: two\ndata: lines\ndata: three\n\n"),
            (json!({ "comment": "hi" }), ": hi\n\n"),
            (json!({ "retry": 100 }), "retry: 100\n\n"),
            (json!({ "event": "ping", "data": null }), "event: ping\ndata: null\n\n"),
            (json!({ "comment": "hi", "data": 1 }), ": hi\ndata: 1\n\n"),
            (json!({ "event": "a\nb", "data": "" }), "event: a b\ndata: \n\n"),
            (json!({ "id": 7 }), "data: {\"id\":7}\n\n"),
            (json!({ "event": "x", "other": 1 }), "data: {\"event\":\"x\",\"other\":1}\n\n"),
            (json!({ "id": 2, "event": "gig" }), "data: {\"id\":2,\"event\":\"gig\"}\n\n"),
            (json!({ "id": 2, "comment": "great" }), "data: {\"id\":2,\"comment\":\"great\"}\n\n"),
            (json!({ "event": "ping" }), "data: {\"event\":\"ping\"}\n\n"),
            (json!({ "comment": "hi", "retry": 100 }), "data: {\"comment\":\"hi\",\"retry\":100}\n\n"),
            (json!([1]), "data: [1]\n\n"),
        ] {
            let message = Message::from(&Frame::Json(frame.clone().into()));
            assert_eq!(encode(&message), expected, "{frame}");
        }
        let text = Message::from(&Frame::Text("{\"data\":1}".into()));
        assert_eq!(encode(&text), "data: {\"data\":1}\n\n");
        assert_eq!(encode(&Message::from(&Frame::Binary([0, 0xff].into()))), "data: AP8=\n\n");
    }
}
