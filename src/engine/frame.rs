//! Frames sent to the members of a topic, before a transport encodes them.

use std::sync::Arc;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::collections::json_len;

/// A frame. A clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frame {
    /// A value, sent as JSON text.
    Json(Arc<Value>),
    /// Text, sent unchanged.
    Text(Arc<str>),
    /// Bytes, sent unchanged.
    #[serde(with = "base64")]
    Binary(Arc<[u8]>),
}

impl Frame {
    /// Creates the frame of a value: text for a string, bytes for `{ binary: BASE64 }`, and JSON for anything else.
    pub(super) fn of(value: Value) -> Self {
        if let Value::String(text) = value {
            return Self::Text(text.into());
        }
        bytes_of(&value).map_or_else(|| Self::Json(Arc::new(value)), |bytes| Self::Binary(bytes.into()))
    }

    /// The number of bytes to send.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Json(value) => json_len(value),
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// The value of the frame.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Json(value) => Value::clone(value),
            Self::Text(text) => Value::from(&**text),
            Self::Binary(bytes) => json!({ "binary": BASE64.encode(bytes) }),
        }
    }

    /// The frame as shown in events: values and text unchanged, bytes as `{ binary: BASE64 }`.
    pub(super) fn displayed(&self) -> DisplayedFrame<'_> {
        match self {
            Self::Json(value) => DisplayedFrame::Json(value),
            Self::Text(text) => DisplayedFrame::Text(text),
            Self::Binary(bytes) => DisplayedFrame::Binary { binary: BASE64.encode(bytes) },
        }
    }
}

/// Decodes the bytes of `{ binary: BASE64 }`; `None` for any other value.
pub(super) fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    let only = value.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get("binary"));
    only.and_then(Value::as_str).and_then(|text| BASE64.decode(text.as_bytes()).ok())
}

/// See [`Frame::displayed`].
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum DisplayedFrame<'f> {
    Json(&'f Value),
    Text(&'f str),
    Binary { binary: String },
}

/// Bytes as base64 (RFC 4648, 4), for serde's `with`.
mod base64 {
    use std::sync::Arc;

    use data_encoding::BASE64;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map(Arc::from).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::Frame;

    #[test]
    fn frames_round_trip_through_json_and_are_shown_as_sent() {
        for (frame, written, shown) in [
            (
                Frame::Json(json!({ "a": [1, null] }).into()),
                json!({ "json": { "a": [1, null] } }),
                json!({ "a": [1, null] }),
            ),
            (Frame::Json(json!("hi").into()), json!({ "json": "hi" }), json!("hi")),
            (Frame::Text("hi".into()), json!({ "text": "hi" }), json!("hi")),
            (Frame::Binary([0, 0xff].into()), json!({ "binary": "AP8=" }), json!({ "binary": "AP8=" })),
        ] {
            assert_eq!(serde_json::to_value(&frame).unwrap(), written);
            assert_eq!(serde_json::to_value(frame.displayed()).unwrap(), shown);
            assert_eq!(serde_json::from_value::<Frame>(written).unwrap(), frame);
        }
        assert!(serde_json::from_value::<Frame>(json!({ "binary": "?" })).is_err());
    }
}
