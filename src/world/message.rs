//! What is sent to sockets, whatever protocol they speak.

use std::ptr::fn_addr_eq;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// A message to sockets. A clone is the same message.
///
/// A world knows no protocol: the transport that a socket speaks encodes a message when the first socket needs it, and what it
/// made is kept beside the payload for all others of that transport.
#[derive(Debug, Clone)]
pub struct Message(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: MessageKind,
    payload: Bytes,
    /// The topics by which it comes, of those that scenarios name.
    topics: Box<[Arc<str>]>,
    /// What the first transport made of it.
    encoded: OnceLock<(Encode, Bytes)>,
}

/// How a message is meant to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// As JSON text.
    Json,
    /// As text. A fault may have made it text that is not UTF-8.
    Text,
    /// As bytes.
    Binary,
}

/// Makes of a message the bytes that a transport writes, the same on every call.
pub type Encode = fn(&Message) -> Bytes;

impl Message {
    /// A text message.
    #[must_use]
    pub fn text(payload: impl Into<Bytes>) -> Self {
        Self::new(MessageKind::Text, payload.into())
    }

    /// A value as JSON.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        Self::new(MessageKind::Json, value.to_string().into())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self::new(MessageKind::Binary, payload.into())
    }

    fn new(kind: MessageKind, payload: Bytes) -> Self {
        Self(Arc::new(Inner { kind, payload, topics: Box::default(), encoded: OnceLock::new() }))
    }

    /// The same as it comes by these topics.
    pub(super) fn by_topics(self, topics: Box<[Arc<str>]>) -> Self {
        let Inner { kind, payload, .. } = &*self.0;
        Self(Arc::new(Inner { kind: *kind, payload: payload.clone(), topics, encoded: OnceLock::new() }))
    }

    /// The topics by which it comes, of those that scenarios name.
    pub(super) fn topics(&self) -> &[Arc<str>] {
        &self.0.topics
    }

    /// How it is meant to be read.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// What it carries.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.0.payload
    }

    /// The bytes that a transport writes: made once for the first transport that needs them, each time for others.
    pub(super) fn encoded(&self, encode: Encode) -> Bytes {
        let (first, bytes) = self.0.encoded.get_or_init(|| (encode, encode(self)));
        if fn_addr_eq(*first, encode) { bytes.clone() } else { encode(self) }
    }
}

/// A message on its way to one socket.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) message: Message,
    /// The event that it tells of; none if it is a counter value, or something else.
    pub(super) event: Option<u64>,
    /// When that was, or when it was made, in the world's time.
    pub(super) at: Duration,
    /// Its position in the feed: the faults that are in force there hit it.
    pub(super) position: u64,
}
