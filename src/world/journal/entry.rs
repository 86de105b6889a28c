//! A journal entry and its JSON form.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{AfterBehind, Exchange, Payload};
use crate::engine::MessageOutcome;
use crate::scenario::format_duration;

/// The JSON key of a socket's collection, in entries and in expectations.
pub(super) const COLLECTION: &str = "category";

/// An event in the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The sequence number, counted from 1 since the world's start or reset.
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
    /// A request, and its answer once there is one.
    Request(Arc<Exchange>),
    /// A live socket or a stream was opened.
    Opened {
        /// The socket's number.
        socket: u64,
        /// What it was opened for.
        by: OpenedBy,
    },
    /// A live socket or a stream ended.
    Closed {
        /// The socket's number.
        socket: u64,
        /// Where it was opened, if rules drive it.
        path: Option<MemberPath>,
        /// How it ended.
        end: SocketEnd,
    },
    /// A frame was sent to sockets.
    Sent {
        /// The recipients.
        sockets: Recipients,
        /// The named topics that it was sent to.
        topics: Arc<[Arc<str>]>,
        /// The number of the event that the frame reports.
        event: Option<u64>,
        /// The frame.
        payload: Payload,
    },
    /// A frame was received from a client. Protocol frames are recorded only if they are messages for rules.
    Received {
        /// The socket's number.
        socket: u64,
        /// The path that an endpoint's socket was opened with.
        path: Option<Arc<str>>,
        /// The key of the endpoint.
        endpoint: Option<Arc<str>>,
        /// The frame or, if the endpoint has a protocol, a message in it as rules see it.
        payload: Payload,
        /// The outcome of the message, if it is an endpoint's socket.
        outcome: Option<MessageOutcome>,
    },
    /// A socket or a stream fell too far behind. It misses the last of the frames before this entry. It receives the
    /// current state instead, which follows, or is closed.
    Behind {
        /// The socket's number.
        socket: u64,
        /// What happened to a member of rules. A socket of a collection always receives current values.
        then: Option<AfterBehind>,
    },
    /// A fault affected a socket, or a frame from or to it.
    Faulted {
        /// The socket's number.
        socket: u64,
        /// The fault's name in messages.
        fault: Arc<str>,
        /// What the fault did.
        description: String,
        /// The number of the event that the frame reports.
        event: Option<u64>,
    },
    /// A rule or one of its steps failed, and no request was answered with the failure; or a client violated the
    /// protocol of its endpoint, whose key is the rule.
    Failed {
        /// The rule's key and, for a message, the rule's number in its endpoint.
        rule: Arc<str>,
        /// The reason, with the place in the scenario if known.
        why: Arc<str>,
        /// The number of the socket or stream that the rule belongs to.
        socket: Option<u64>,
    },
}

/// What a socket or a stream was opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedBy {
    /// A live socket, for the collection in its path.
    Collection(Arc<str>),
    /// A stream, which is an open-ended answer.
    Stream {
        /// The requested path.
        path: Arc<str>,
    },
    /// A socket of an endpoint that the scenario declares.
    Socket {
        /// The requested path.
        path: Arc<str>,
        /// The endpoint's key.
        endpoint: Arc<str>,
    },
}

impl OpenedBy {
    fn entry<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Collection(collection) => map.serialize_entry(COLLECTION, collection),
            Self::Stream { path } => map.serialize_entry("stream", path),
            Self::Socket { path, .. } => map.serialize_entry("path", path),
        }
    }
}

/// Where a stream or a socket of an endpoint was opened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberPath {
    /// The requested path.
    pub path: Arc<str>,
    /// The endpoint's key; `None` for a stream.
    pub endpoint: Option<Arc<str>>,
}

/// The recipients of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One socket, stored inline.
    One {
        /// Its number.
        socket: u64,
        /// Where it was opened, if rules drive it.
        path: Option<MemberPath>,
    },
    /// Several sockets, often shared with neighbouring entries.
    Many {
        /// Their numbers.
        sockets: Arc<[u64]>,
        /// Where they were opened, without duplicates.
        paths: Arc<[MemberPath]>,
    },
}

impl Recipients {
    /// Returns where the recipients were opened, without duplicates.
    pub(super) fn paths(&self) -> &[MemberPath] {
        match self {
            Self::One { path, .. } => path.as_slice(),
            Self::Many { paths, .. } => paths,
        }
    }
}

impl std::ops::Deref for Recipients {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        match self {
            Self::One { socket, .. } => std::slice::from_ref(socket),
            Self::Many { sockets, .. } => sockets,
        }
    }
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
    Faulted,
    Failed,
}

impl Entry {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.record {
            Record::Request(_) => Kind::Request,
            Record::Opened { .. } => Kind::Opened,
            Record::Closed { .. } => Kind::Closed,
            Record::Sent { .. } => Kind::Sent,
            Record::Received { .. } => Kind::Received,
            Record::Behind { .. } => Kind::Behind,
            Record::Faulted { .. } => Kind::Faulted,
            Record::Failed { .. } => Kind::Failed,
        }
    }

    /// Returns the body or frame.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        match &self.record {
            Record::Request(exchange) => exchange.body.as_ref(),
            Record::Sent { payload, .. } | Record::Received { payload, .. } => Some(payload),
            Record::Opened { .. }
            | Record::Closed { .. }
            | Record::Behind { .. }
            | Record::Faulted { .. }
            | Record::Failed { .. } => None,
        }
    }

    /// Returns the sockets involved.
    #[must_use]
    pub fn sockets(&self) -> &[u64] {
        match &self.record {
            Record::Sent { sockets, .. } => sockets,
            Record::Opened { socket, .. }
            | Record::Closed { socket, .. }
            | Record::Received { socket, .. }
            | Record::Faulted { socket, .. }
            | Record::Behind { socket, .. } => std::slice::from_ref(socket),
            Record::Failed { socket, .. } => socket.as_slice(),
            Record::Request(_) => &[],
        }
    }

    /// Returns the approximate memory that the entry does not share with others.
    pub(super) fn bytes(&self) -> usize {
        const OWN: usize = 128;
        let payload = self.payload().map_or(0, Payload::len);
        OWN + payload
            + match &self.record {
                Record::Request(exchange) => exchange.bytes(),
                // Usually shared with neighbouring entries, but not in replies.
                Record::Sent { sockets, .. } => size_of_val(&**sockets),
                Record::Faulted { description, .. } => description.len(),
                Record::Failed { why, .. } => why.len(),
                _ => 0,
            }
    }
}

/// One flat JSON object: `sequence`, `at` as a duration of the scenario language, `world`, `kind`, and the fields of
/// that kind.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &self.sequence)?;
        map.serialize_entry("at", &format_duration(self.at))?;
        map.serialize_entry("world", &self.world)?;
        map.serialize_entry("kind", &self.kind().to_string())?;
        match &self.record {
            Record::Request(exchange) => exchange.entries(&mut map)?,
            Record::Opened { socket, by } => {
                map.serialize_entry("socket", socket)?;
                by.entry(&mut map)?;
            }
            Record::Closed { socket, path, end } => {
                map.serialize_entry("socket", socket)?;
                path_entry(path.as_slice(), &mut map)?;
                map.serialize_entry("code", &end.code)?;
                map.serialize_entry("by", end.by.as_str())?;
            }
            Record::Sent { sockets, topics, event, payload } => {
                map.serialize_entry("sockets", &**sockets)?;
                path_entry(sockets.paths(), &mut map)?;
                topics_entry(topics, &mut map)?;
                if let Some(event) = event {
                    map.serialize_entry("event", event)?;
                }
                payload.entries(&mut map)?;
            }
            Record::Received { socket, path, payload, outcome, .. } => {
                map.serialize_entry("socket", socket)?;
                if let Some(path) = path {
                    map.serialize_entry("path", path)?;
                }
                payload.entries(&mut map)?;
                if let Some(outcome) = outcome {
                    outcome_entries(outcome, &mut map)?;
                }
            }
            Record::Behind { socket, then } => {
                map.serialize_entry("socket", socket)?;
                if let Some(then) = then {
                    then.entries(&mut map)?;
                }
            }
            Record::Faulted { socket, fault, description, event } => {
                map.serialize_entry("socket", socket)?;
                map.serialize_entry("fault", fault)?;
                map.serialize_entry("did", description)?;
                if let Some(event) = event {
                    map.serialize_entry("event", event)?;
                }
            }
            Record::Failed { rule, why, socket } => {
                if let Some(socket) = socket {
                    map.serialize_entry("socket", socket)?;
                }
                map.serialize_entry("rule", rule)?;
                map.serialize_entry("why", why)?;
            }
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

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEnd {
    /// The close code sent or received (RFC 6455, 7.4); `None` if the connection ended without one.
    pub code: Option<u16>,
    /// Which side ended it.
    pub by: EndedBy,
}

/// The side that ended a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The client closed or dropped the connection.
    Client,
    /// The server closed it.
    Server,
}

/// An entry as one flat JSON object without headers. It has the start of the body or frame as `text` and, if it has
/// several sockets, their number as `count`.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The entry.
    pub entry: Entry,
    /// The maximum number of characters of a body or frame.
    pub max_chars: usize,
}

impl Serialize for Brief {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, max_chars } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &entry.sequence)?;
        map.serialize_entry("at", &format_duration(entry.at))?;
        map.serialize_entry("kind", &entry.kind().to_string())?;
        match entry.sockets() {
            [] => {}
            [socket] => map.serialize_entry("socket", socket)?,
            sockets => map.serialize_entry("count", &sockets.len())?,
        }
        if entry.payload().is_some_and(Payload::is_binary) {
            map.serialize_entry("binary", &true)?;
        }
        if let Some(text) = entry.payload().and_then(Payload::as_text) {
            map.serialize_entry("text", truncated(text, *max_chars))?;
        }
        match &entry.record {
            Record::Request(exchange) => {
                map.serialize_entry("method", exchange.head.method())?;
                map.serialize_entry("path", &exchange.head.path())?;
                map.serialize_entry("query", &exchange.head.query())?;
                map.serialize_entry("status", &exchange.answer.get().map(|answer| answer.status))?;
                map.serialize_entry("fault", &exchange.marks().next().map(|mark| &mark.fault))?;
                if let Some(by) = exchange.answered_by() {
                    map.serialize_entry("route", &by.route)?;
                    map.serialize_entry("number", &by.number)?;
                }
            }
            Record::Opened { by, .. } => by.entry(&mut map)?,
            Record::Closed { end, path, .. } => {
                path_entry(path.as_slice(), &mut map)?;
                map.serialize_entry("code", &end.code)?;
                map.serialize_entry("by", end.by.as_str())?;
            }
            Record::Faulted { fault, description, .. } => {
                map.serialize_entry("fault", fault)?;
                map.serialize_entry("did", description)?;
            }
            Record::Failed { rule, why, .. } => {
                map.serialize_entry("rule", rule)?;
                map.serialize_entry("why", why)?;
            }
            Record::Received { path, outcome, .. } => {
                if let Some(path) = path {
                    map.serialize_entry("path", path)?;
                }
                if let Some(outcome) = outcome {
                    outcome_entries(outcome, &mut map)?;
                }
            }
            Record::Sent { sockets, topics, .. } => {
                path_entry(sockets.paths(), &mut map)?;
                topics_entry(topics, &mut map)?;
            }
            Record::Behind { .. } => {}
        }
        map.end()
    }
}

/// Writes where sockets were opened, if it is the same path for all.
fn path_entry<M: SerializeMap>(paths: &[MemberPath], map: &mut M) -> Result<(), M::Error> {
    if let [MemberPath { path, .. }] = paths { map.serialize_entry("path", path) } else { Ok(()) }
}

fn topics_entry<M: SerializeMap>(topics: &[Arc<str>], map: &mut M) -> Result<(), M::Error> {
    if topics.is_empty() { Ok(()) } else { map.serialize_entry("topics", topics) }
}

/// Writes the outcome of a message: the number of the rule that fired, or why none did.
fn outcome_entries<M: SerializeMap>(outcome: &MessageOutcome, map: &mut M) -> Result<(), M::Error> {
    match outcome {
        MessageOutcome::Fired(rule) => map.serialize_entry("rule", rule),
        MessageOutcome::Refused { rule, why } => {
            map.serialize_entry("rule", rule)?;
            map.serialize_entry("refused", why)
        }
        MessageOutcome::Unmatched { nearest } => {
            map.serialize_entry("rule", &None::<usize>)?;
            map.serialize_entry("nearest", nearest)
        }
    }
}

fn truncated(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}
