//! A request with its answer, and the recorded part of bodies.
//!
//! Every request is recorded and hardly any is read, so recording must be cheap: the head is kept as one text and
//! parsed when it is read. A map of names and values would cost two allocations per header.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::request;
use crate::world::message::{Message, MessageKind};

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method, target and headers.
    pub head: RequestHead,
    /// The body.
    pub body: Option<Payload>,
    /// The effects of faults; some of them apply only if the answer is not a stream.
    pub faults: Vec<FaultMark>,
    /// The answer, once there is one.
    pub answer: OnceLock<Answer>,
}

/// The effect of a fault on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultMark {
    /// The fault's name in messages.
    pub fault: Arc<str>,
    /// What the fault did.
    #[serde(rename = "did")]
    pub description: String,
    /// Whether it also affects a stream, whose body has no end.
    #[serde(skip)]
    pub hits_streams: bool,
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body if the mock generated it; static files are not recorded.
    pub body: Option<Payload>,
    /// The declared route that the answer comes from, if any.
    pub by: Option<AnsweredBy>,
    /// Whether the answer is a stream.
    pub is_stream: bool,
    /// Possible mistakes in the request, although it was answered.
    pub notes: Vec<String>,
}

/// Where an answer is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredBy {
    /// The key of the route, such as `GET /todos/{id}`, or of the endpoint that the client polls.
    pub route: Arc<str>,
    /// The number of the answer within the route, from 1; `None` if no answer matches or the matching one is refused.
    pub number: Option<usize>,
}

impl Exchange {
    /// Returns where the answer is declared, once there is an answer.
    pub(super) fn answered_by(&self) -> Option<&AnsweredBy> {
        self.answer.get()?.by.as_ref()
    }

    /// Returns the effects of faults.
    pub(super) fn marks(&self) -> impl Iterator<Item = &FaultMark> {
        let is_stream = self.answer.get().is_some_and(|answer| answer.is_stream);
        self.faults.iter().filter(move |mark| mark.hits_streams || !is_stream)
    }

    /// Returns the value of the body that an expected value is compared with: for a mapping, what routes see if that is
    /// a mapping, such as the fields of a form; otherwise the [content](Payload::comparable).
    pub(super) fn comparable_body(&self, expected: &Value) -> Option<Value> {
        let body = self.body.as_ref()?;
        let mapping = || body.mapping(self.head.header("content-type").as_deref());
        expected.is_object().then(mapping).flatten().or_else(|| body.comparable(expected))
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

    /// Returns the number of bytes that the exchange does not share with others.
    pub(super) fn bytes(&self) -> usize {
        let answer = self.answer.get();
        let body = answer.and_then(|answer| answer.body.as_ref()).map_or(0, Payload::len);
        let notes: usize =
            answer.map_or(0, |answer| answer.notes.iter().map(|note| size_of::<String>() + note.len()).sum());
        let marks: usize = self.faults.iter().map(|mark| size_of::<FaultMark>() + mark.description.len()).sum();
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
    /// Creates the head of a request. The path is the one below the world's prefix, percent-encoded.
    pub fn new<'h>(
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        // Large enough for most heads.
        const TYPICAL: usize = 512;
        let mut text = String::with_capacity(TYPICAL);
        text.extend([method, " ", path]);
        if let Some(query) = query {
            text.extend(["?", query]);
        }
        for (name, value) in headers {
            text.extend(["\n", name, ":"]);
            // Header values contain no line ends (RFC 9110, 5.5).
            text.push_str(&String::from_utf8_lossy(value));
        }
        Self(text.into())
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// Returns the decoded path below the world's prefix.
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        let path = self.target().split('?').next().unwrap_or_default();
        percent_decode_str(path).decode_utf8_lossy()
    }

    /// Returns the query without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// Returns the headers by lower-case name; the values of repeated headers are joined by `, ` (RFC 9110, 5.3).
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

    /// Returns the value of a header, as in [`RequestHead::headers`].
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.lines().filter_map(|(other, value)| other.eq_ignore_ascii_case(name).then_some(value)).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Returns the length in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the headers as they were received.
    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split('\n').skip(1).filter_map(|line| line.split_once(':'))
    }

    fn target(&self) -> &str {
        let line = self.0.split('\n').next().unwrap_or_default();
        line.split_once(' ').map_or("", |(_, target)| target)
    }
}

/// The maximum number of recorded bytes of a body or frame.
const MAX_PAYLOAD: usize = 64 * 1024;

/// A body or message, cut to its first 64 KiB. It is treated as text if it is UTF-8.
#[derive(Debug, Clone)]
pub struct Payload {
    bytes: Bytes,
    /// The full length in bytes if the payload is cut.
    cut_from: Option<usize>,
    /// Whether it is a binary frame, which rules see as bytes even if these are text.
    is_binary: bool,
    /// The JSON of the mapping that routes see in place of the body of a request, if the payload is cut.
    mapping: Option<Arc<str>>,
}

impl Payload {
    /// Creates a payload from a body or message.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        match truncated(&bytes, MAX_PAYLOAD) {
            Some(start) => Self { bytes: start, cut_from: Some(bytes.len()), is_binary: false, mapping: None },
            None => Self { bytes, cut_from: None, is_binary: false, mapping: None },
        }
    }

    /// Creates a payload from the body of a request.
    #[must_use]
    pub fn of_request(content_type: Option<&str>, bytes: Bytes) -> Self {
        let is_cut = bytes.len() > MAX_PAYLOAD;
        // The mapping is usually much shorter, because it describes files without their content.
        let mapping =
            is_cut.then(|| request::mapping(content_type, &bytes)).flatten().map(|mapping| mapping.to_string());
        let mapping = mapping.filter(|mapping| mapping.len() <= MAX_PAYLOAD).map(Arc::from);
        Self { mapping, ..Self::new(bytes) }
    }

    /// Creates the payload of a binary frame that rules see as bytes.
    #[must_use]
    pub fn binary(bytes: Bytes) -> Self {
        Self { is_binary: true, ..Self::new(bytes) }
    }

    /// Creates the payload of a message.
    pub(in crate::world) fn of(message: &Message) -> Self {
        let bytes = message.payload().clone();
        if message.kind() == MessageKind::Binary { Self::binary(bytes) } else { Self::new(bytes) }
    }

    /// Returns the JSON value, which is `{ binary: BASE64 }` for a binary frame, as rules see it; `None` if the payload
    /// is cut or not JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        if self.cut_from.is_some() {
            return None;
        }
        if self.is_binary {
            return Some(json!({ "binary": BASE64.encode(&self.bytes) }));
        }
        serde_json::from_slice(&self.bytes).ok()
    }

    /// Returns the value that an expected value is compared with: the [JSON](Payload::json), or the text as a string if
    /// a string is expected and the payload is not JSON. `None` if the payload is cut or neither of them.
    pub(super) fn comparable(&self, expected: &Value) -> Option<Value> {
        let text = || self.as_text().filter(|_| expected.is_string() && self.cut_from.is_none()).map(Value::from);
        self.json().or_else(text)
    }

    /// Returns the mapping that routes see in place of the body of a request with this content type; `None` if they see
    /// JSON or text, or the payload is cut and the mapping was too long to keep.
    fn mapping(&self, content_type: Option<&str>) -> Option<Value> {
        match &self.mapping {
            Some(mapping) => serde_json::from_str(mapping).ok(),
            None if self.cut_from.is_some() => None,
            None => request::mapping(content_type, &self.bytes),
        }
    }

    /// Returns the text; `None` if the payload is not UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    pub(super) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Returns the number of recorded bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.mapping.as_ref().map_or(0, |mapping| mapping.len())
    }

    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        if self.is_binary {
            map.serialize_entry("binary", &true)?;
        }
        // Base64 would be harder to read than the text, and longer than the length.
        match (self.json().filter(|_| !self.is_binary), self.as_text()) {
            (Some(json), _) => map.serialize_entry("body", &json)?,
            (None, Some(text)) => map.serialize_entry("text", text)?,
            (None, None) => map.serialize_entry("bytes", &self.bytes.len())?,
        }
        self.cut_from.map_or(Ok(()), |length| map.serialize_entry("cutFrom", &length))
    }
}

/// Returns the first bytes of a body, without cutting a character; `None` if the whole body fits.
fn truncated(bytes: &Bytes, limit: usize) -> Option<Bytes> {
    let start = bytes.get(..limit).filter(|_| bytes.len() > limit)?;
    let end = match std::str::from_utf8(start) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => limit,
    };
    Some(Bytes::copy_from_slice(&start[..end]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MAX_PAYLOAD, Payload, RequestHead};

    #[test]
    fn a_payload_is_compared_as_rules_see_it() {
        let text = |text: &str| Payload::new(text.to_owned().into());
        let binary = |text: &str| Payload::binary(text.to_owned().into());
        let (string, object) = (json!("x"), json!({}));
        for (payload, expected, compared) in [
            (text("hello"), &string, json!("hello")),
            (text("hello"), &object, Value::Null),
            (text(""), &string, json!("")),
            (text("\"quoted\""), &string, json!("quoted")),
            (text("7"), &string, json!(7)),
            (text(r#"{"t":1}"#), &object, json!({ "t": 1 })),
            (Payload::new(vec![0xff].into()), &string, Value::Null),
            (text(&"x".repeat(MAX_PAYLOAD + 1)), &string, Value::Null),
            (binary("hello"), &string, json!({ "binary": "aGVsbG8=" })),
            (binary(r#"{"t":1}"#), &object, json!({ "binary": "eyJ0IjoxfQ==" })),
            (binary(&"x".repeat(MAX_PAYLOAD + 1)), &string, Value::Null),
        ] {
            assert_eq!(payload.comparable(expected).unwrap_or_default(), compared, "{expected}");
        }
    }

    #[test]
    fn a_head_returns_what_it_was_made_of() {
        let headers: [(&str, &[u8]); 3] = [("Accept", b"a"), ("host", b"x:1"), ("accept", b"b \xff")];
        let head = RequestHead::new("POST", "/orders/A%201", Some("a=b c?"), headers.into_iter());
        assert_eq!((head.method(), &*head.path(), head.query()), ("POST", "/orders/A 1", Some("a=b c?")));
        let expected = [("accept", "a, b \u{fffd}"), ("host", "x:1")];
        assert_eq!(head.headers(), expected.map(|(name, value)| (name.into(), value.into())).into());
        assert_eq!(head.header("HOST").as_deref(), Some("x:1"));
    }

    #[test]
    fn a_head_may_have_no_query_and_no_headers() {
        let head = RequestHead::new("GET", "/toys", None, std::iter::empty());
        assert_eq!((head.method(), &*head.path(), head.query()), ("GET", "/toys", None));
        assert!(head.headers().is_empty());
    }
}
