//! Socket.IO, protocol 5, in packets of Engine.IO, protocol 4.
//!
//! Rules see an event from the client as `{ namespace, event, args, ack }`. `ack` is the id of the acknowledgement that
//! the client requests, or null. An acknowledgement from the client is an event named `ack`; its `ack` is the id of the
//! event that it acknowledges. The session takes it once, and only if the server asked for it. Binary data is
//! `{ binary: BASE64 }`. The session closes a socket for the same packets as the reference implementation.

mod namespaces;
mod outgoing;
mod packet;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use namespaces::MAX_NAMESPACES;
use namespaces::{Namespaces, Phase};
use outgoing::{AckId, Content, Outgoing};
pub use packet::MAX_ATTACHMENTS;
use packet::{Decoded, Kind, MAIN, Packet, Partial, Violation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::engine_io::{self, PING_INTERVAL};
use super::{Address, CodecError, Disconnected, Received, SessionOptions};
use crate::engine::frame::Frame;

/// The maximum length of a namespace in bytes.
pub const MAX_NAMESPACE: usize = 255;

/// How long a client may take to connect to a namespace, as in the reference implementation.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(45);

/// The close code for a malformed packet (RFC 6455, 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;

/// The close code for a normal end.
const NORMAL: u16 = 1000;

/// The event that rules see when a client connects to a namespace.
const CONNECT: &str = "connect";

/// The event that rules see when a client leaves a namespace.
const DISCONNECT: &str = "disconnect";

/// The event that rules see when a client acknowledges an event of the server.
const ACK: &str = "ack";

/// The state of a socket that speaks Socket.IO. The methods implement those of [`codec::Session`](super::Session),
/// which documents them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    options: SessionOptions,
    /// When the next ping is due; `None` before the socket has opened.
    ping: Option<Duration>,
    /// The deadline for the client to connect to a namespace; `None` before the socket has opened.
    connect_by: Option<Duration>,
    /// Whether [`CONNECT_TIMEOUT`] has passed on the machine's clock.
    is_overdue: bool,
    namespaces: Namespaces,
    /// A packet whose attachments have yet to arrive.
    partial: Option<Partial>,
}

impl Session {
    pub(super) fn new(options: SessionOptions) -> Self {
        let namespaces = Namespaces::default();
        Self { options, ping: None, connect_by: None, is_overdue: false, namespaces, partial: None }
    }

    pub(super) fn opened(&mut self, now: Duration) -> Frame {
        self.ping = Some(now.saturating_add(PING_INTERVAL));
        self.connect_by = Some(now.saturating_add(CONNECT_TIMEOUT));
        engine_io::open(&self.options)
    }

    pub(super) fn due(&self) -> Option<Duration> {
        let connect_by = self.connect_by.filter(|_| self.is_overdue && self.awaits_client());
        self.ping.into_iter().chain(connect_by).min()
    }

    /// Sends one ping for all pings that are due by `until`. If no ping is due, closes the socket: [`Session::due`] has
    /// been reached, so the client has not connected in time. A missing pong closes nothing, because the world's time
    /// may run much faster than the client's, and the server has another timeout for dead connections.
    pub(super) fn elapse(&mut self, now: Duration, until: Duration) -> Vec<Received> {
        let Some(ping) = self.ping.filter(|ping| *ping <= now) else { return vec![Received::close(NORMAL, "")] };
        let skipped = until.saturating_sub(ping).as_nanos() / PING_INTERVAL.as_nanos();
        let intervals = u32::try_from(skipped).unwrap_or(u32::MAX).saturating_add(1);
        self.ping = Some(ping.saturating_add(PING_INTERVAL.saturating_mul(intervals)));
        vec![Received::Reply(engine_io::ping())]
    }

    pub(super) fn awaits_client(&self) -> bool {
        !self.namespaces.was_connected() && self.namespaces.open().next().is_none()
    }

    pub(super) fn connect_timeout_expired(&mut self, now: Duration) -> Option<Received> {
        self.is_overdue = true;
        let is_late = self.awaits_client() && self.connect_by.is_some_and(|by| by <= now);
        is_late.then(|| Received::close(NORMAL, ""))
    }

    pub(super) fn receive(&mut self, frame: &Frame) -> Vec<Received> {
        let received = match frame {
            Frame::Text(text) => self.receive_text(text),
            Frame::Json(value) => self.receive_text(&value.to_string()),
            Frame::Binary(bytes) => self.receive_attachment(bytes),
        };
        received.unwrap_or_else(|violation| vec![Received::close(PROTOCOL_ERROR, violation.to_string())])
    }

    fn receive_text(&mut self, text: &str) -> Result<Vec<Received>, Violation> {
        match engine_io::Packet::read(text)? {
            engine_io::Packet::Message(message) => {
                if self.partial.is_some() {
                    return Err(Violation::TextForAttachment);
                }
                self.receive_decoded(Packet::decode(message)?)
            }
            engine_io::Packet::Binary(bytes) => self.receive_attachment(&bytes),
            engine_io::Packet::Ping("probe") => Ok(vec![Received::Reply(Frame::Text("3probe".into()))]),
            engine_io::Packet::Ping(_) => Err(Violation::PingFromClient),
            engine_io::Packet::Close => Ok(vec![Received::close(NORMAL, "")]),
            engine_io::Packet::Open
            | engine_io::Packet::Pong
            | engine_io::Packet::Upgrade
            | engine_io::Packet::Noop => Ok(Vec::new()),
        }
    }

    fn receive_attachment(&mut self, bytes: &[u8]) -> Result<Vec<Received>, Violation> {
        let partial = self.partial.take().ok_or(Violation::UnexpectedAttachment)?;
        self.receive_decoded(partial.with(bytes)?)
    }

    fn receive_decoded(&mut self, decoded: Decoded) -> Result<Vec<Received>, Violation> {
        match decoded {
            Decoded::Whole(packet) => self.receive_packet(packet),
            Decoded::Partial(partial) => {
                self.partial = Some(partial);
                Ok(Vec::new())
            }
        }
    }

    fn receive_packet(&mut self, packet: Packet) -> Result<Vec<Received>, Violation> {
        let Packet { kind, namespace, id, data } = packet;
        match (kind, self.namespaces.phase(&namespace)) {
            (Kind::Connect, None) => return Ok(vec![self.connect(namespace, data)]),
            (Kind::Connect, Some(_)) => return Err(Violation::ConnectedAlready),
            (Kind::ConnectError, _) => return Err(Violation::RefusalFromClient),
            (_, Some(Phase::Connected)) => {}
            _ => return Err(Violation::NotConnected),
        }
        let mut args = match data {
            Some(Value::Array(args)) => args.into_iter(),
            _ => Vec::new().into_iter(),
        };
        Ok(match (kind, id) {
            (Kind::Event, id) => {
                if let Some(id) = id {
                    self.namespaces.request_ack(&namespace, id);
                }
                let event = args.next().unwrap_or_default();
                vec![Received::Message(message(&namespace, event, args.collect(), id))]
            }
            (Kind::Ack, Some(id)) if self.namespaces.take_acknowledgement(&namespace, id) => {
                vec![Received::Notice(message(&namespace, ACK.into(), args.collect(), Some(id)))]
            }
            // The reference implementation also ignores an acknowledgement that nobody asked for, or without an id.
            (Kind::Ack, _) => Vec::new(),
            (Kind::Connect | Kind::Disconnect | Kind::ConnectError, _) => {
                self.namespaces.leave(&namespace);
                let gone = message(&namespace, DISCONNECT.into(), Vec::new(), None);
                vec![Received::Ended(Address::SocketIo(namespace.into())), Received::Notice(gone)]
            }
        })
    }

    /// Starts to connect the client to a namespace, or refuses it.
    fn connect(&mut self, namespace: String, auth: Option<Value>) -> Received {
        let refusal = if namespace.len() > MAX_NAMESPACE {
            Some("Invalid namespace")
        } else if self.namespaces.is_full() {
            Some("Too many namespaces")
        } else {
            None
        };
        if let Some(message) = refusal {
            return Received::Reply(connect_error(namespace, json!({ "message": message })));
        }
        let auth = auth.unwrap_or_else(|| json!({}));
        let msg = message(&namespace, CONNECT.into(), vec![auth], None);
        self.namespaces.connect(namespace, &self.options.sid);
        Received::Opened(msg)
    }

    pub(super) fn reply(&mut self, msg: Option<&Value>, value: &Value) -> Result<Vec<Frame>, CodecError> {
        let Outgoing { namespace, content } = Outgoing::read(value)?;
        let namespace = namespace.unwrap_or_else(|| namespace_of(msg).to_owned());
        let phase = self.namespaces.phase(&namespace);
        let (kind, id, data) = match content {
            Content::Refusal(error) => {
                if !is_connect(msg) || phase == Some(Phase::Connected) {
                    return Err(CodecError::NothingToRefuse);
                }
                let is_refused = self.namespaces.refuse(&namespace);
                return Ok(is_refused.then(|| connect_error(namespace, error)).into_iter().collect());
            }
            Content::Ack(args) => {
                let event = msg.filter(|msg| !is_connect(Some(msg))).ok_or(CodecError::NothingToAcknowledge)?;
                // The same event may be emitted with or without a callback.
                let Some(id) = event.get("ack").and_then(Value::as_u64) else { return Ok(Vec::new()) };
                (Kind::Ack, Some(id), args)
            }
            Content::Event { data, ack_id } => {
                let id = ack_id.map(|ack_id| match ack_id {
                    AckId::Next => self.namespaces.next_id(&namespace),
                    AckId::Given(id) => id,
                });
                (Kind::Event, id, data)
            }
        };
        let packet = Packet { kind, namespace: namespace.clone(), id, data: Some(data.into()) };
        let frames = packet.frames()?;
        // A client calls a callback only once.
        let is_duplicate = kind == Kind::Ack && id.is_some_and(|id| self.namespaces.is_acknowledged(&namespace, id));
        if phase.is_none() || is_duplicate {
            return Ok(Vec::new());
        }
        let acknowledgement = self.acknowledge(&namespace);
        match (kind, id) {
            (Kind::Ack, Some(id)) => self.namespaces.note_acknowledged(&namespace, id),
            (_, Some(id)) => self.namespaces.reserve_id(&namespace, id),
            (_, None) => {}
        }
        Ok(acknowledgement.into_iter().chain(frames).collect())
    }

    pub(super) fn finished(&mut self, msg: &Value) -> Option<Frame> {
        if is_connect(Some(msg)) { self.acknowledge(namespace_of(Some(msg))) } else { None }
    }

    pub(super) fn refused(&mut self, msg: &Value, why: &str) -> Option<Frame> {
        let namespace = namespace_of(Some(msg));
        let is_refused = is_connect(Some(msg)) && self.namespaces.refuse(namespace);
        is_refused.then(|| connect_error(namespace.to_owned(), json!({ "message": why })))
    }

    /// Connects a pending client to a namespace, and returns the frame that tells it so. `None` if none is pending.
    fn acknowledge(&mut self, namespace: &str) -> Option<Frame> {
        let sid = self.namespaces.acknowledge(namespace)?;
        let data = Some(json!({ "sid": sid }));
        Some(Packet { kind: Kind::Connect, namespace: namespace.to_owned(), id: None, data }.frame())
    }

    /// Disconnects the client from the namespace of a message. A pending connection is acknowledged first, because the
    /// client would try again if it was never connected.
    pub(super) fn disconnect(&mut self, msg: Option<&Value>) -> Disconnected {
        let namespace = namespace_of(msg);
        let acknowledgement = self.acknowledge(namespace);
        let is_connected = self.namespaces.phase(namespace).is_some();
        self.namespaces.leave(namespace);
        let disconnected = is_connected.then(|| disconnect_packet(namespace.to_owned()));
        let frames = acknowledgement.into_iter().chain(disconnected).collect();
        Disconnected { frames, is_last: self.namespaces.open().next().is_none() }
    }

    pub(super) fn is_pending(&self, msg: &Value) -> bool {
        is_connect(Some(msg)) && self.namespaces.phase(namespace_of(Some(msg))) == Some(Phase::Pending)
    }

    pub(super) fn pending(&self) -> Vec<Value> {
        let is_pending = |name: &&str| self.namespaces.phase(name) == Some(Phase::Pending);
        let pending = self.namespaces.open().filter(is_pending);
        pending.map(|name| message(name, CONNECT.into(), Vec::new(), None)).collect()
    }

    /// Also returns `false` for the message of a disconnection, whose rule still has to run.
    pub(super) fn is_disconnected(&self, msg: &Value) -> bool {
        msg["event"] != DISCONNECT && self.namespaces.phase(namespace_of(Some(msg))).is_none()
    }

    /// Returns whether the client is connected or connecting to a namespace.
    pub(super) fn is_open(&self, namespace: &str) -> bool {
        self.namespaces.phase(namespace).is_some()
    }

    /// Returns the namespaces that the client is connected to, or is connecting to.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.open()
    }

    pub(super) fn was_connected(&self) -> bool {
        self.namespaces.was_connected()
    }

    /// Returns the client's id in a namespace. Without a namespace, returns its id in `/`, or else in the first by
    /// name.
    pub(super) fn sid(&self, namespace: Option<&str>) -> Option<&str> {
        self.namespaces.sid(namespace)
    }

    /// Leaves all namespaces without disconnect packets, after which clients do not reconnect.
    pub(super) fn close(&mut self) {
        self.namespaces.leave_all();
    }
}

/// Returns the frames of an event that the members of a topic receive. The event may name another namespace.
pub(super) fn frames(namespace: &str, value: &Value) -> Result<Vec<Frame>, CodecError> {
    let Outgoing { namespace: own, content } = Outgoing::read(value)?;
    let Content::Event { data, ack_id: None } = content else { return Err(CodecError::OnlyReply) };
    let namespace = own.unwrap_or_else(|| namespace.to_owned());
    Packet { kind: Kind::Event, namespace, id: None, data: Some(data.into()) }.frames()
}

/// Returns the namespace of an event that is sent to all clients: the one that it names, or that of the message.
pub(in crate::engine) fn namespace_for_all(msg: Option<&Value>, value: &Value) -> Result<String, CodecError> {
    Ok(Outgoing::read(value)?.namespace.unwrap_or_else(|| namespace_of(msg).to_owned()))
}

/// Returns the namespace of a message, or `/`.
pub(super) fn namespace_of(msg: Option<&Value>) -> &str {
    msg.and_then(|msg| msg.get("namespace")).and_then(Value::as_str).unwrap_or(MAIN)
}

fn connect_error(namespace: String, error: Value) -> Frame {
    Packet { kind: Kind::ConnectError, namespace, id: None, data: Some(error) }.frame()
}

fn disconnect_packet(namespace: String) -> Frame {
    Packet { kind: Kind::Disconnect, namespace, id: None, data: None }.frame()
}

fn message(namespace: &str, event: Value, args: Vec<Value>, ack: Option<u64>) -> Value {
    let fields = [("namespace", namespace.into()), ("event", event), ("args", args.into()), ("ack", ack.into())];
    Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Returns whether this is the message of a client that connects.
fn is_connect(msg: Option<&Value>) -> bool {
    msg.and_then(|msg| msg.get("event")).is_some_and(|event| event == CONNECT)
}
