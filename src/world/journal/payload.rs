//! A body or a frame, as far as it is kept.

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde_json::Value;
use tungstenite::Utf8Bytes;

/// Bytes of a body or frame that are kept.
const MAX_PAYLOAD: usize = 64 * 1024;

/// A body or a frame, of which the first 64 KiB are kept.
#[derive(Debug, Clone)]
pub struct Payload {
    content: Content,
    /// Its full length in bytes, if that is not all of it.
    cut_from: Option<usize>,
}

#[derive(Debug, Clone)]
enum Content {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Payload {
    /// A text frame.
    #[must_use]
    pub fn text(text: Utf8Bytes) -> Self {
        if text.len() <= MAX_PAYLOAD {
            return Self { content: Content::Text(text), cut_from: None };
        }
        Self::bytes(Bytes::from(text))
    }

    /// A body, or a binary frame. It counts as text if it is UTF-8.
    #[must_use]
    pub fn bytes(bytes: Bytes) -> Self {
        let kept = beginning(&bytes, MAX_PAYLOAD);
        let cut_from = kept.is_some().then_some(bytes.len());
        let kept = kept.unwrap_or(bytes);
        let content = match Utf8Bytes::try_from(kept.clone()) {
            Ok(text) => Content::Text(text),
            Err(_) => Content::Binary(kept),
        };
        Self { content, cut_from }
    }

    /// The JSON value, if it is one.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        self.as_text().filter(|_| self.cut_from.is_none()).and_then(|text| serde_json::from_str(text).ok())
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Binary(_) => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Binary(bytes) => bytes.len(),
        }
    }

    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match (self.json(), &self.content) {
            (Some(json), _) => map.serialize_entry("body", &json)?,
            (None, Content::Text(text)) => map.serialize_entry("text", text.as_str())?,
            (None, Content::Binary(bytes)) => map.serialize_entry("bytes", &bytes.len())?,
        }
        self.cut_from.map_or(Ok(()), |length| map.serialize_entry("cutFrom", &length))
    }
}

/// The first bytes of a body, which do not end within a character; `None` if that is all of it.
fn beginning(bytes: &Bytes, most: usize) -> Option<Bytes> {
    let kept = bytes.get(..most).filter(|_| bytes.len() > most)?;
    let end = match std::str::from_utf8(kept) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => most,
    };
    Some(Bytes::copy_from_slice(&kept[..end]))
}
