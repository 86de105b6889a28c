//! A request and its answer.

use std::sync::OnceLock;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Payload, RequestHead};

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method, target and headers.
    pub head: RequestHead,
    /// The body.
    pub body: Option<Payload>,
    /// The answer, as soon as there is one.
    pub answer: OnceLock<Answer>,
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
        map.serialize_entry("method", self.head.method())?;
        map.serialize_entry("path", self.head.path())?;
        if let Some(query) = self.head.query() {
            map.serialize_entry("query", query)?;
        }
        map.serialize_entry("headers", &self.head.headers())?;
        if let Some(body) = &self.body {
            body.entries(map)?;
        }
        self.answer.get().map_or(Ok(()), |answer| map.serialize_entry("answer", answer))
    }

    /// How many bytes it holds that are its own.
    pub(super) fn bytes(&self) -> usize {
        let answer = self.answer.get().and_then(|answer| answer.body.as_ref());
        size_of::<Self>() + self.head.len() + answer.map_or(0, Payload::len)
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
