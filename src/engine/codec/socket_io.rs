//! Socket.IO, protocol 5, in the packets of Engine.IO, protocol 4.
//!
//! A message is `{ namespace, event, args, ack }`. `ack` is the id that the client wants an acknowledgement with, or null; an
//! acknowledgement from the client is an event of the name `ack` with the id of what it acknowledges. Bytes are
//! `{ binary: BASE64 }`. The session closes a socket for the same packets as the reference implementation.

mod outgoing;
mod packet;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use outgoing::{Asked, Content, Outgoing};
pub use packet::MAX_ATTACHMENTS;
use packet::{Decoded, Kind, MAIN, Packet, Partial, Violation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::engine_io::{self, PING_INTERVAL};
use super::{CodecError, Received, SessionOptions};
use crate::engine::frame::Frame;

/// The most namespaces that a client is connected to at a time.
pub const MAX_NAMESPACES: usize = 100;

/// The most bytes of a namespace.
pub const MAX_NAMESPACE: usize = 255;

/// The code that a malformed packet closes a socket with (RFC 6455, 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;

/// The code of an ordinary end.
const NORMAL: u16 = 1000;

/// The event by which a client connects to a namespace.
const CONNECT: &str = "connect";

/// The event by which a client leaves a namespace.
const DISCONNECT: &str = "disconnect";

/// The event by which a client acknowledges one of the server's.
const ACK: &str = "ack";

/// What is remembered of a socket that speaks Socket.IO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    options: SessionOptions,
    /// When the next ping is due; `None` before the socket has opened.
    ping: Option<Duration>,
    namespaces: BTreeMap<String, Namespace>,
    /// The packet whose attachments are yet to come.
    partial: Option<Partial>,
}

/// A namespace that the client is connected to, or wants to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Namespace {
    is_acknowledged: bool,
    /// The id of the next event that the client is to acknowledge.
    next_id: u64,
}

impl Session {
    pub(super) fn new(options: SessionOptions) -> Self {
        Self { options, ping: None, namespaces: BTreeMap::new(), partial: None }
    }

    pub(super) fn opened(&mut self, now: Duration) -> Frame {
        self.ping = Some(now.saturating_add(PING_INTERVAL));
        engine_io::open(&self.options)
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.ping
    }

    /// Pings. A missing pong closes nothing: the world's time may run much faster than the client's, and the server has another
    /// time-out for dead connections.
    pub(super) fn elapse(&mut self) -> Vec<Received> {
        self.ping = self.ping.map(|due| due.saturating_add(PING_INTERVAL));
        vec![Received::Reply(engine_io::ping())]
    }

    pub(super) fn receive(&mut self, frame: &Frame) -> Vec<Received> {
        let received = match frame {
            Frame::Text(text) => self.receive_text(text),
            Frame::Json(value) => self.receive_text(&value.to_string()),
            Frame::Binary(bytes) => self.receive_attachment(bytes),
        };
        match received {
            Ok(received) => received.into_iter().collect(),
            Err(violation) => vec![Received::close(PROTOCOL_ERROR, violation.to_string())],
        }
    }

    fn receive_text(&mut self, text: &str) -> Result<Option<Received>, Violation> {
        match engine_io::Packet::read(text)? {
            engine_io::Packet::Message(message) => {
                if self.partial.is_some() {
                    return Err(Violation::TextForAttachment);
                }
                self.receive_decoded(Packet::decode(message)?)
            }
            engine_io::Packet::Binary(bytes) => self.receive_attachment(&bytes),
            engine_io::Packet::Ping("probe") => Ok(Some(Received::Reply(Frame::Text("3probe".into())))),
            engine_io::Packet::Ping(_) => Err(Violation::PingFromClient),
            engine_io::Packet::Close => Ok(Some(Received::close(NORMAL, ""))),
            engine_io::Packet::Open
            | engine_io::Packet::Pong
            | engine_io::Packet::Upgrade
            | engine_io::Packet::Noop => Ok(None),
        }
    }

    fn receive_attachment(&mut self, bytes: &[u8]) -> Result<Option<Received>, Violation> {
        let partial = self.partial.take().ok_or(Violation::UnexpectedAttachment)?;
        self.receive_decoded(partial.with(bytes)?)
    }

    fn receive_decoded(&mut self, decoded: Decoded) -> Result<Option<Received>, Violation> {
        match decoded {
            Decoded::Whole(packet) => self.receive_packet(packet),
            Decoded::Partial(partial) => {
                self.partial = Some(partial);
                Ok(None)
            }
        }
    }

    fn receive_packet(&mut self, packet: Packet) -> Result<Option<Received>, Violation> {
        let Packet { kind, namespace, id, data } = packet;
        let known = self.namespaces.get(&namespace).map(|known| known.is_acknowledged);
        match (kind, known) {
            (Kind::Connect, None) => return Ok(Some(self.connect(namespace, data))),
            (Kind::Connect, Some(_)) => return Err(Violation::ConnectedAlready),
            (Kind::ConnectError, _) => return Err(Violation::RefusalFromClient),
            (_, None | Some(false)) => return Err(Violation::NotConnected),
            (_, Some(true)) => {}
        }
        let mut args = match data {
            Some(Value::Array(args)) => args.into_iter(),
            _ => Vec::new().into_iter(),
        };
        Ok(match kind {
            Kind::Event => {
                let event = args.next().unwrap_or_default();
                Some(Received::Message(message(&namespace, event, args.collect(), id)))
            }
            // The reference implementation ignores an acknowledgement of nothing, too.
            Kind::Ack => id.map(|id| Received::Message(message(&namespace, ACK.into(), args.collect(), Some(id)))),
            Kind::Connect | Kind::Disconnect | Kind::ConnectError => {
                self.namespaces.remove(&namespace);
                Some(Received::Message(message(&namespace, DISCONNECT.into(), Vec::new(), None)))
            }
        })
    }

    fn connect(&mut self, namespace: String, auth: Option<Value>) -> Received {
        let refusal = if namespace.len() > MAX_NAMESPACE {
            Some("Invalid namespace")
        } else if self.namespaces.len() >= MAX_NAMESPACES {
            Some("Too many namespaces")
        } else {
            None
        };
        if let Some(message) = refusal {
            let data = Some(json!({ "message": message }));
            return Received::Reply(Packet { kind: Kind::ConnectError, namespace, id: None, data }.frame());
        }
        let auth = auth.unwrap_or_else(|| json!({}));
        let msg = message(&namespace, CONNECT.into(), vec![auth], None);
        self.namespaces.insert(namespace, Namespace::default());
        Received::Opened(msg)
    }

    pub(super) fn reply(&mut self, msg: Option<&Value>, value: &Value) -> Result<Vec<Frame>, CodecError> {
        let Outgoing { namespace, content } = Outgoing::read(value)?;
        let namespace = namespace.unwrap_or_else(|| namespace_of(msg).to_owned());
        let known = self.namespaces.get(&namespace);
        let is_waiting = known.is_some_and(|known| !known.is_acknowledged);
        let (kind, id, data) = match content {
            Content::Refusal(error) => {
                if !is_connect(msg) || known.is_some_and(|known| known.is_acknowledged) {
                    return Err(CodecError::NothingToRefuse);
                }
                return Ok(if self.namespaces.remove(&namespace).is_some() {
                    vec![Packet { kind: Kind::ConnectError, namespace, id: None, data: Some(error) }.frame()]
                } else {
                    Vec::new()
                });
            }
            Content::Ack(args) => {
                let event = msg.filter(|msg| !is_connect(Some(msg))).ok_or(CodecError::NothingToAcknowledge)?;
                // One and the same event may be emitted with a callback or without.
                let Some(id) = event.get("ack").and_then(Value::as_u64) else { return Ok(Vec::new()) };
                (Kind::Ack, Some(id), args)
            }
            Content::Event { data, asks } => {
                let next = known.map_or(0, |known| known.next_id);
                let id = asks.map(|asked| match asked {
                    Asked::Next => next,
                    Asked::Id(id) => id,
                });
                (Kind::Event, id, data)
            }
        };
        let packet = Packet { kind, namespace: namespace.clone(), id, data: Some(data.into()) };
        let frames = packet.frames()?;
        if known.is_none() {
            return Ok(Vec::new());
        }
        let acknowledgement = if is_waiting { self.acknowledge(&namespace) } else { None };
        if let (Kind::Event, Some(id), Some(known)) = (kind, id, self.namespaces.get_mut(&namespace)) {
            known.next_id = known.next_id.max(id.saturating_add(1));
        }
        Ok(acknowledgement.into_iter().chain(frames).collect())
    }

    pub(super) fn finished(&mut self, msg: &Value) -> Option<Frame> {
        if is_connect(Some(msg)) { self.acknowledge(namespace_of(Some(msg))) } else { None }
    }

    /// Tells the client that it is connected to a namespace that it waits for.
    fn acknowledge(&mut self, namespace: &str) -> Option<Frame> {
        let sid = self.sid_of(namespace);
        let known = self.namespaces.get_mut(namespace).filter(|known| !known.is_acknowledged)?;
        known.is_acknowledged = true;
        let data = Some(json!({ "sid": sid }));
        Some(Packet { kind: Kind::Connect, namespace: namespace.to_owned(), id: None, data }.frame())
    }

    /// The id of the client in a namespace: 20 characters, always the same for the same socket.
    fn sid_of(&self, namespace: &str) -> String {
        let digest = Sha256::new().chain_update(&self.options.sid).chain_update([0]).chain_update(namespace).finalize();
        let mut sid = BASE64URL_NOPAD.encode(&digest);
        sid.truncate(20);
        sid
    }

    pub(super) fn is_connected_to(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }

    pub(super) fn closing(&mut self) -> Vec<Frame> {
        let connected = std::mem::take(&mut self.namespaces).into_iter().filter(|(_, known)| known.is_acknowledged);
        let packets =
            connected.map(|(namespace, _)| Packet { kind: Kind::Disconnect, namespace, id: None, data: None });
        packets.map(|packet| packet.frame()).collect()
    }
}

/// The frames of an event for the members of a topic.
pub(super) fn frames(namespace: &str, value: &Value) -> Result<Vec<Frame>, CodecError> {
    let Outgoing { namespace: own, content } = Outgoing::read(value)?;
    let Content::Event { data, asks: None } = content else { return Err(CodecError::OnlyReply) };
    let namespace = own.unwrap_or_else(|| namespace.to_owned());
    Packet { kind: Kind::Event, namespace, id: None, data: Some(data.into()) }.frames()
}

/// The namespace of a message, or the main one.
pub(super) fn namespace_of(msg: Option<&Value>) -> &str {
    msg.and_then(|msg| msg.get("namespace")).and_then(Value::as_str).unwrap_or(MAIN)
}

/// Whether a client's library sends the message without the client's asking for it.
pub(super) fn is_of_protocol(msg: &Value) -> bool {
    let is_acknowledgement = msg["event"] == ACK && !msg["ack"].is_null();
    msg["event"] == DISCONNECT || is_acknowledgement
}

fn message(namespace: &str, event: Value, args: Vec<Value>, ack: Option<u64>) -> Value {
    let fields = [("namespace", namespace.into()), ("event", event), ("args", args.into()), ("ack", ack.into())];
    Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Whether a message is the one by which a client connects.
fn is_connect(msg: Option<&Value>) -> bool {
    msg.and_then(|msg| msg.get("event")).is_some_and(|event| event == CONNECT)
}
