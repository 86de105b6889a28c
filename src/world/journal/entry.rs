//! One entry of a journal, and what it looks like as JSON.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{AfterBehind, Exchange, Payload};
use crate::engine::MessageOutcome;
use crate::scenario::format_duration;

/// What JSON calls the collection of a socket, in entries and in expectations.
pub(super) const COLLECTION: &str = "category";

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
    Request(Arc<Exchange>),
    /// A live socket or a stream was opened.
    Opened {
        /// Its number.
        socket: u64,
        /// What for.
        by: OpenedBy,
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
        sockets: Recipients,
        /// The number of the event that it tells of.
        event: Option<u64>,
        /// The frame.
        payload: Payload,
    },
    /// A frame from a client. Of those of a protocol, only messages for rules are there.
    Received {
        /// The socket's number.
        socket: u64,
        /// The path that a socket of an endpoint was opened with.
        path: Option<Arc<str>>,
        /// The key of that endpoint.
        endpoint: Option<Arc<str>>,
        /// The frame, or a message in it as rules see it if the endpoint has a protocol.
        payload: Payload,
        /// What rules made of its messages, if it is a socket of an endpoint.
        outcomes: Box<[MessageOutcome]>,
    },
    /// A socket or a stream fell too far behind: of the frames before this entry it did not get the last ones, but what is so
    /// now, which follows, or nothing more.
    Behind {
        /// Its number.
        socket: u64,
        /// What became of a member of rules. A socket of a collection always gets current values.
        then: Option<AfterBehind>,
    },
    /// A fault did something to a socket, or to a frame from or to it.
    Faulted {
        /// The socket's number.
        socket: u64,
        /// What messages call the fault.
        fault: Arc<str>,
        /// What it did.
        did: String,
        /// The number of the event that the frame told of.
        event: Option<u64>,
    },
    /// A rule failed, or a step of it, and no request was answered with that.
    Failed {
        /// The rule's key, for a message also which rule of its endpoint.
        rule: Arc<str>,
        /// Why, with the place in the scenario if that is known.
        why: Arc<str>,
        /// The number of the socket or the stream whose rule it is.
        socket: Option<u64>,
    },
}

/// What a socket or a stream was opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedBy {
    /// A live socket, for the collection in its path.
    Collection(Arc<str>),
    /// A stream, which is an answer that goes on.
    Stream {
        /// The path that was asked for.
        path: Arc<str>,
    },
    /// A socket of an endpoint that the scenario declares.
    Socket {
        /// The path that was asked for.
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

/// The sockets that get a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One, which takes no memory beside.
    One(u64),
    /// Several, often shared with the entries around.
    Many(Arc<[u64]>),
}

impl std::ops::Deref for Recipients {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        match self {
            Self::One(socket) => std::slice::from_ref(socket),
            Self::Many(sockets) => sockets,
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
            Record::Faulted { .. } => Kind::Faulted,
            Record::Failed { .. } => Kind::Failed,
        }
    }

    /// The body or frame that it is about.
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

    /// The sockets that it is about.
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

    /// About how much memory it holds that is its own.
    pub(super) fn bytes(&self) -> usize {
        const OWN: usize = 128;
        let payload = self.payload().map_or(0, Payload::len);
        OWN + payload
            + match &self.record {
                Record::Request(exchange) => exchange.bytes(),
                // Most often shared with the entries around it, but not so in what is answered.
                Record::Sent { sockets, .. } => size_of_val(&**sockets),
                Record::Faulted { did, .. } => did.len(),
                Record::Failed { why, .. } => why.len(),
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
            Record::Opened { socket, by } => {
                map.serialize_entry("socket", socket)?;
                by.entry(&mut map)?;
            }
            Record::Closed { socket, end } => {
                map.serialize_entry("socket", socket)?;
                map.serialize_entry("code", &end.code)?;
                map.serialize_entry("by", end.by.as_str())?;
            }
            Record::Sent { sockets, event, payload } => {
                map.serialize_entry("sockets", &**sockets)?;
                if let Some(event) = event {
                    map.serialize_entry("event", event)?;
                }
                payload.entries(&mut map)?;
            }
            Record::Received { socket, path, payload, outcomes, .. } => {
                map.serialize_entry("socket", socket)?;
                if let Some(path) = path {
                    map.serialize_entry("path", path)?;
                }
                payload.entries(&mut map)?;
                for outcome in &**outcomes {
                    outcome_entries(outcome, &mut map)?;
                }
            }
            Record::Behind { socket, then } => {
                map.serialize_entry("socket", socket)?;
                if let Some(then) = then {
                    then.entries(&mut map)?;
                }
            }
            Record::Faulted { socket, fault, did, event } => {
                map.serialize_entry("socket", socket)?;
                map.serialize_entry("fault", fault)?;
                map.serialize_entry("did", did)?;
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
    /// The close code that was sent or received (RFC 6455, 7.4); none if the connection just ended.
    pub code: Option<u16>,
    /// Whose doing it was.
    pub by: EndedBy,
}

/// Who ended a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The client closed it, or broke it off.
    Client,
    /// The server closed it.
    Server,
}

/// An entry as one flat JSON object without headers, with the beginning of its body or frame as `text`, and with the number
/// of sockets as `count` if it went to several.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The entry.
    pub entry: Entry,
    /// Characters of a body or frame that are shown.
    pub shown: usize,
}

impl Serialize for Brief {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, shown } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &entry.sequence)?;
        map.serialize_entry("at", &format_duration(entry.at))?;
        map.serialize_entry("kind", &entry.kind().to_string())?;
        match entry.sockets() {
            [] => {}
            [socket] => map.serialize_entry("socket", socket)?,
            sockets => map.serialize_entry("count", &sockets.len())?,
        }
        if let Some(text) = entry.payload().and_then(Payload::as_text) {
            map.serialize_entry("text", beginning(text, *shown))?;
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
            Record::Closed { end, .. } => {
                map.serialize_entry("code", &end.code)?;
                map.serialize_entry("by", end.by.as_str())?;
            }
            Record::Faulted { fault, did, .. } => {
                map.serialize_entry("fault", fault)?;
                map.serialize_entry("did", did)?;
            }
            Record::Failed { rule, why, .. } => {
                map.serialize_entry("rule", rule)?;
                map.serialize_entry("why", why)?;
            }
            Record::Received { path, outcomes, .. } => {
                if let Some(path) = path {
                    map.serialize_entry("path", path)?;
                }
                for outcome in &**outcomes {
                    outcome_entries(outcome, &mut map)?;
                }
            }
            Record::Sent { .. } | Record::Behind { .. } => {}
        }
        map.end()
    }
}

/// What rules made of a message: the number of the one that fired, or why none did.
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

fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}
