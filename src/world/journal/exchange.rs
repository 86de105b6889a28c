//! A request and its answer.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Payload;

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

impl Exchange {
    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
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
