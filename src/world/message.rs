//! Messages to sockets, independent of the protocol that a socket speaks.

use std::ptr::fn_addr_eq;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// A message to sockets. Clones share the message.
///
/// A world is independent of protocols. The transport of a socket encodes a message when the first socket needs it, and
/// the result is kept beside the payload for all other sockets of that transport.
#[derive(Debug, Clone)]
pub struct Message(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: MessageKind,
    payload: Bytes,
    /// The named topics that carry the message.
    topics: Arc<[Arc<str>]>,
    /// The encoding by the first transport that needed it.
    encoded: OnceLock<(Encode, Bytes)>,
}

/// How a message is to be interpreted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// As JSON text.
    Json,
    /// As text. A fault may have made it invalid UTF-8.
    Text,
    /// As bytes.
    Binary,
}

/// Encodes a message as the bytes that a transport writes; returns the same bytes on every call.
pub type Encode = fn(&Message) -> Bytes;

impl Message {
    /// Creates a text message.
    #[must_use]
    pub fn text(payload: impl Into<Bytes>) -> Self {
        Self::new(MessageKind::Text, payload.into())
    }

    /// Creates a message with a JSON value.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        // Unlike `to_string`, this does not pass through a formatter. A value always converts to JSON.
        let json = serde_json::to_vec(value).unwrap_or_default();
        // Copied, because the journal keeps many short messages, and shrinking the buffer costs more.
        Self::new(MessageKind::Json, Bytes::copy_from_slice(&json))
    }

    /// Creates a binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self::new(MessageKind::Binary, payload.into())
    }

    fn new(kind: MessageKind, payload: Bytes) -> Self {
        Self(Arc::new(Inner { kind, payload, topics: Arc::default(), encoded: OnceLock::new() }))
    }

    /// Returns the message as carried by these topics.
    pub(super) fn by_topics(self, topics: Arc<[Arc<str>]>) -> Self {
        let Inner { kind, payload, .. } = &*self.0;
        Self(Arc::new(Inner { kind: *kind, payload: payload.clone(), topics, encoded: OnceLock::new() }))
    }

    /// Returns the named topics that carry the message.
    pub(super) fn topics(&self) -> &Arc<[Arc<str>]> {
        &self.0.topics
    }

    /// Returns how the message is to be interpreted.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.0.payload
    }

    /// Returns the bytes that a transport writes. They are kept for the first transport that needs them, and made on
    /// each call for others.
    pub(super) fn encoded(&self, encode: Encode) -> Bytes {
        let (first, bytes) = self.0.encoded.get_or_init(|| (encode, encode(self)));
        if fn_addr_eq(*first, encode) { bytes.clone() } else { encode(self) }
    }
}

/// A message on its way to one socket.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) message: Message,
    /// The number of the event that it reports; `None` for a counter value, for example.
    pub(super) event: Option<u64>,
    /// When the event happened, or the message was made, in the world's time.
    pub(super) at: Duration,
    /// The feed position, which determines the faults that hit the message.
    pub(super) position: u64,
}
