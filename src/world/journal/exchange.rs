//! A request and its answer.

use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Payload, RequestHead};

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method, target and headers.
    pub head: RequestHead,
    /// The body.
    pub body: Option<Payload>,
    /// What faults did to it.
    pub faults: Vec<Mark>,
    /// The answer, as soon as there is one.
    pub answer: OnceLock<Answer>,
}

/// What a fault did to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// What messages call the fault.
    pub fault: Arc<str>,
    /// What it did.
    pub did: String,
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
        if !self.faults.is_empty() {
            map.serialize_entry("faults", &self.faults)?;
        }
        self.answer.get().map_or(Ok(()), |answer| map.serialize_entry("answer", answer))
    }

    /// How many bytes it holds that are its own.
    pub(super) fn bytes(&self) -> usize {
        let answer = self.answer.get().and_then(|answer| answer.body.as_ref());
        let marks: usize = self.faults.iter().map(|mark| size_of::<Mark>() + mark.did.len()).sum();
        size_of::<Self>() + marks + self.head.len() + answer.map_or(0, Payload::len)
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
