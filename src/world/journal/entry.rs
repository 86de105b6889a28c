//! One entry of a journal, and what it looks like as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::beginning;
use crate::scenario::format_duration;
use crate::world::{EndedBy, SocketEnd};

/// Bytes of a body or frame that are kept.
const MAX_PAYLOAD: usize = 64 * 1024;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Counts up from 1, over everything that is recorded of the world since its start or reset.
    pub sequence: u64,
    /// The world's time.
    pub at: Duration,
    /// The name of the world.
    pub world: Arc<str>,
    /// What happened.
    pub record: Record,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Record {
    /// A request, with its answer as soon as there is one.
    Request(Box<Exchange>),
    /// A live socket was opened.
    Opened {
        /// Its number.
        socket: u64,
        /// The category in its path.
        category: Arc<str>,
    },
    /// A live socket ended.
    Closed {
        /// Its number.
        socket: u64,
        /// How.
        end: SocketEnd,
    },
    /// A frame to sockets.
    Sent {
        /// The sockets that get it.
        sockets: Arc<[u64]>,
        /// The number of the event that it tells of.
        event: Option<u64>,
        /// The frame.
        payload: Payload,
    },
    /// A frame from a client.
    Received {
        /// The socket's number.
        socket: u64,
        /// The frame.
        payload: Payload,
    },
    /// A socket fell too far behind: of the frames before this entry it did not get the last ones, but current totals,
    /// which follow.
    Behind {
        /// The socket's number.
        socket: u64,
    },
}

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, strum::Display, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs, reason = "as the records of the same names")]
pub enum Kind {
    Request,
    Opened,
    Closed,
    Sent,
    Received,
    Behind,
}

/// A request and its answer.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path below the world's prefix, percent-encoded as it came.
    pub path: String,
    /// The query without its question mark.
    pub query: Option<String>,
    /// The headers by lower-case name; several of one name are joined by `, ` (RFC 9110, 5.3).
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Option<Payload>,
    /// The answer.
    pub answer: Option<Answer>,
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, if it was made by the mock itself; files of the site are not kept.
    pub body: Option<Payload>,
}

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

    fn len(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Binary(bytes) => bytes.len(),
        }
    }

    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match (self.json(), &self.content) {
            (Some(json), _) => map.serialize_entry("body", &json)?,
            (None, Content::Text(text)) => map.serialize_entry("text", text.as_str())?,
            (None, Content::Binary(bytes)) => map.serialize_entry("bytes", &bytes.len())?,
        }
        self.cut_from.map_or(Ok(()), |length| map.serialize_entry("cutFrom", &length))
    }
}

impl Entry {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.record {
            Record::Request(_) => Kind::Request,
            Record::Opened { .. } => Kind::Opened,
            Record::Closed { .. } => Kind::Closed,
            Record::Sent { .. } => Kind::Sent,
            Record::Received { .. } => Kind::Received,
            Record::Behind { .. } => Kind::Behind,
        }
    }

    /// The body or frame that it is about.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        match &self.record {
            Record::Request(exchange) => exchange.body.as_ref(),
            Record::Sent { payload, .. } | Record::Received { payload, .. } => Some(payload),
            Record::Opened { .. } | Record::Closed { .. } | Record::Behind { .. } => None,
        }
    }

    /// The sockets that it is about.
    #[must_use]
    pub fn sockets(&self) -> &[u64] {
        match &self.record {
            Record::Sent { sockets, .. } => sockets,
            Record::Opened { socket, .. }
            | Record::Closed { socket, .. }
            | Record::Received { socket, .. }
            | Record::Behind { socket } => std::slice::from_ref(socket),
            Record::Request(_) => &[],
        }
    }

    /// About how much memory it holds that is its own.
    pub(super) fn bytes(&self) -> usize {
        const OWN: usize = 128;
        let payload = self.payload().map_or(0, Payload::len);
        OWN + payload
            + match &self.record {
                Record::Request(exchange) => {
                    let answer = exchange.answer.as_ref().and_then(|answer| answer.body.as_ref());
                    let headers = exchange.headers.iter().map(|(name, value)| 64 + name.len() + value.len());
                    let query = exchange.query.as_ref().map_or(0, String::len);
                    exchange.path.len() + query + headers.sum::<usize>() + answer.map_or(0, Payload::len)
                }
                // Most often shared with the entries around it, but not so in what is answered.
                Record::Sent { sockets, .. } => size_of_val(&**sockets),
                _ => 0,
            }
    }
}

/// One flat JSON object: `sequence`, `at` as the language writes durations, `world`, `kind`, and what belongs to the kind.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &self.sequence)?;
        map.serialize_entry("at", &format_duration(self.at))?;
        map.serialize_entry("world", &self.world)?;
        map.serialize_entry("kind", &self.kind().to_string())?;
        match &self.record {
            Record::Request(exchange) => exchange.entries(&mut map)?,
            Record::Opened { socket, category } => {
                map.serialize_entry("socket", socket)?;
                map.serialize_entry("category", category)?;
            }
            Record::Closed { socket, end } => {
                map.serialize_entry("socket", socket)?;
                map.serialize_entry("code", &end.code)?;
                map.serialize_entry("by", end.by.as_str())?;
            }
            Record::Sent { sockets, event, payload } => {
                map.serialize_entry("sockets", sockets)?;
                if let Some(event) = event {
                    map.serialize_entry("event", event)?;
                }
                payload.entries(&mut map)?;
            }
            Record::Received { socket, payload } => {
                map.serialize_entry("socket", socket)?;
                payload.entries(&mut map)?;
            }
            Record::Behind { socket } => map.serialize_entry("socket", socket)?,
        }
        map.end()
    }
}

impl Exchange {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("method", &self.method)?;
        map.serialize_entry("path", &self.path)?;
        if let Some(query) = &self.query {
            map.serialize_entry("query", query)?;
        }
        map.serialize_entry("headers", &self.headers)?;
        if let Some(body) = &self.body {
            body.entries(map)?;
        }
        self.answer.as_ref().map_or(Ok(()), |answer| map.serialize_entry("answer", answer))
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", &self.status)?;
        if let Some(body) = &self.body {
            body.entries(&mut map)?;
        }
        map.end()
    }
}

impl EndedBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}
