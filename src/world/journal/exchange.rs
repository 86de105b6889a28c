//! A request and its answer, and bodies as far as they are kept.
//!
//! Every request is recorded and hardly any is read, so that recording has to be cheap: the head is kept as one text and taken
//! apart when it is read. A map of names and values would cost two allocations for each header.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use crate::world::message::Message;

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method, target and headers.
    pub head: RequestHead,
    /// The body.
    pub body: Option<Payload>,
    /// What faults do to it, unless it turns out to be answered by a stream.
    pub faults: Vec<FaultMark>,
    /// The answer, as soon as there is one.
    pub answer: OnceLock<Answer>,
}

/// What a fault did to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultMark {
    /// What messages call the fault.
    pub fault: Arc<str>,
    /// What it did.
    pub did: String,
    /// Whether it is also done to a stream, whose body has no end.
    #[serde(skip)]
    pub hits_streams: bool,
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, if it was made by the mock itself; files of the site are not kept.
    pub body: Option<Payload>,
    /// The declared route that it comes from, if it comes from one.
    pub by: Option<AnsweredBy>,
    /// Whether it is a stream.
    pub is_stream: bool,
    /// What may be wrong with the request although it was answered.
    pub notes: Vec<String>,
}

/// Where an answer is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredBy {
    /// The key of the route, such as `GET /todos/{id}`, or of the endpoint that the client polls.
    pub route: Arc<str>,
    /// Which of the route's answers it is, from 1; `None` if no answer fits, or the one that fits is refused.
    pub number: Option<usize>,
}

impl Exchange {
    /// Where its answer is declared, once there is one.
    pub(super) fn answered_by(&self) -> Option<&AnsweredBy> {
        self.answer.get()?.by.as_ref()
    }

    /// What faults did to it.
    pub(super) fn marks(&self) -> impl Iterator<Item = &FaultMark> {
        let is_stream = self.answer.get().is_some_and(|answer| answer.is_stream);
        self.faults.iter().filter(move |mark| mark.hits_streams || !is_stream)
    }

    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("method", self.head.method())?;
        map.serialize_entry("path", &self.head.path())?;
        if let Some(query) = self.head.query() {
            map.serialize_entry("query", query)?;
        }
        if let Some(by) = self.answered_by() {
            map.serialize_entry("route", &by.route)?;
        }
        map.serialize_entry("headers", &self.head.headers())?;
        if let Some(body) = &self.body {
            body.entries(map)?;
        }
        let marks: Vec<&FaultMark> = self.marks().collect();
        if !marks.is_empty() {
            map.serialize_entry("faults", &marks)?;
        }
        self.answer.get().map_or(Ok(()), |answer| map.serialize_entry("answer", answer))
    }

    /// How many bytes it holds that are its own.
    pub(super) fn bytes(&self) -> usize {
        let answer = self.answer.get();
        let body = answer.and_then(|answer| answer.body.as_ref()).map_or(0, Payload::len);
        let notes: usize =
            answer.map_or(0, |answer| answer.notes.iter().map(|note| size_of::<String>() + note.len()).sum());
        let marks: usize = self.faults.iter().map(|mark| size_of::<FaultMark>() + mark.did.len()).sum();
        size_of::<Self>() + marks + self.head.len() + body + notes
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(number) = self.by.as_ref().and_then(|by| by.number) {
            map.serialize_entry("number", &number)?;
        }
        map.serialize_entry("status", &self.status)?;
        if !self.notes.is_empty() {
            map.serialize_entry("notes", &self.notes)?;
        }
        if let Some(body) = &self.body {
            body.entries(&mut map)?;
        }
        map.end()
    }
}

/// Method, target and headers of a request: `METHOD PATH?QUERY`, then a line `NAME:VALUE` for each header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead(Box<str>);

impl RequestHead {
    /// The head of a request. The path is that below the world's prefix, percent-encoded.
    pub fn new<'h>(
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        // Bytes that most heads fit in.
        const USUAL: usize = 512;
        let mut text = String::with_capacity(USUAL);
        text.extend([method, " ", path]);
        if let Some(query) = query {
            text.extend(["?", query]);
        }
        for (name, value) in headers {
            text.extend(["\n", name, ":"]);
            // No header has a line end in it (RFC 9110, 5.5).
            text.push_str(&String::from_utf8_lossy(value));
        }
        Self(text.into())
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// The path below the world's prefix, decoded.
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        let path = self.target().split('?').next().unwrap_or_default();
        percent_decode_str(path).decode_utf8_lossy()
    }

    /// The query without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// The headers by lower-case name; several of one name are joined by `, ` (RFC 9110, 5.3).
    #[must_use]
    pub fn headers(&self) -> BTreeMap<String, String> {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self.lines() {
            headers
                .entry(name.to_ascii_lowercase())
                .and_modify(|before| before.extend([", ", value]))
                .or_insert_with(|| value.to_owned());
        }
        headers
    }

    /// The value of a header, as [`RequestHead::headers`] gives it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.lines().filter_map(|(other, value)| other.eq_ignore_ascii_case(name).then_some(value)).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// How many bytes it takes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The headers as they came.
    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split('\n').skip(1).filter_map(|line| line.split_once(':'))
    }

    fn target(&self) -> &str {
        let line = self.0.split('\n').next().unwrap_or_default();
        line.split_once(' ').map_or("", |(_, target)| target)
    }
}

/// Bytes of a body or frame that are kept.
const MAX_PAYLOAD: usize = 64 * 1024;

/// A body or a message, of which the first 64 KiB are kept. It counts as text if it is UTF-8.
#[derive(Debug, Clone)]
pub struct Payload {
    kept: Bytes,
    /// Its full length in bytes, if that is not all of it.
    cut_from: Option<usize>,
}

impl Payload {
    /// A body or a message.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        match beginning(&bytes, MAX_PAYLOAD) {
            Some(kept) => Self { kept, cut_from: Some(bytes.len()) },
            None => Self { kept: bytes, cut_from: None },
        }
    }

    /// What a message carries.
    pub(in crate::world) fn of(message: &Message) -> Self {
        Self::new(message.payload().clone())
    }

    /// The JSON value, if it is one.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        self.cut_from.is_none().then(|| serde_json::from_slice(&self.kept).ok())?
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.kept).ok()
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match (self.json(), self.as_text()) {
            (Some(json), _) => map.serialize_entry("body", &json)?,
            (None, Some(text)) => map.serialize_entry("text", text)?,
            (None, None) => map.serialize_entry("bytes", &self.kept.len())?,
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

#[cfg(test)]
mod tests {
    use super::RequestHead;

    #[test]
    fn a_head_gives_what_it_was_made_of() {
        let headers: [(&str, &[u8]); 3] = [("Accept", b"a"), ("host", b"x:1"), ("accept", b"b \xff")];
        let head = RequestHead::new("POST", "/orders/A%201", Some("a=b c?"), headers.into_iter());
        assert_eq!((head.method(), &*head.path(), head.query()), ("POST", "/orders/A 1", Some("a=b c?")));
        let expected = [("accept", "a, b \u{fffd}"), ("host", "x:1")];
        assert_eq!(head.headers(), expected.map(|(name, value)| (name.into(), value.into())).into());
        assert_eq!(head.header("HOST").as_deref(), Some("x:1"));
    }

    #[test]
    fn a_head_without_query_and_headers_has_none() {
        let head = RequestHead::new("GET", "/toys", None, std::iter::empty());
        assert_eq!((head.method(), &*head.path(), head.query()), ("GET", "/toys", None));
        assert!(head.headers().is_empty());
    }
}
