//! GraphQL over WebSocket, subprotocol `graphql-transport-ws`.
//!
//! The `msg` of each `subscribe` is `{ id, operationName, query, variables, extensions }`, in which `variables` and
//! `extensions` are always mappings. The `msg` of `open` is the `{ payload }` of the `connection_init`.

mod document;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use document::only_operation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Address, CodecError, Received};
use crate::engine::frame::Frame;

/// The maximum number of operations open at a time.
pub const MAX_OPERATIONS: usize = 1000;

/// The maximum length of an operation's id in bytes.
pub const MAX_ID: usize = 255;

/// How long the server waits for the client to initialise the connection.
pub const INIT_TIMEOUT: Duration = Duration::from_secs(3);

/// The close code for a connection that the server fails to accept, as in the reference implementation.
const INTERNAL_ERROR: u16 = 4500;

/// The state of a socket that speaks `graphql-transport-ws`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    phase: Phase,
    /// The ids of the open operations.
    operations: BTreeSet<String>,
}

/// The phase of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Phase {
    /// The client has yet to initialise the connection. Its deadline is `None` until the socket opens.
    Waiting {
        until: Option<Duration>,
        /// Whether the time to initialise has passed on the machine's clock.
        is_overdue: bool,
    },
    /// The client has initialised the connection, and the server has yet to acknowledge it.
    Initialised,
    /// Operations may start.
    Acknowledged,
}

impl Default for Phase {
    fn default() -> Self {
        Self::Waiting { until: None, is_overdue: false }
    }
}

/// A message from the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ClientMessage {
    ConnectionInit { payload: Option<Map<String, Value>> },
    Ping { payload: Option<Map<String, Value>> },
    Pong {},
    Subscribe { id: String, payload: Map<String, Value> },
    Complete { id: String },
}

/// The payload of a `subscribe`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscribePayload {
    operation_name: Option<String>,
    query: String,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The effect of a value on an operation.
#[derive(Debug)]
enum Outcome {
    /// A result.
    Next(Value),
    /// Errors that end the operation.
    Error(Value),
}

impl ClientMessage {
    fn read(frame: &Frame) -> Result<Self, serde_json::Error> {
        // Parsed into a map first: the derived type would accept a list as its fields in order.
        let fields: Map<String, Value> = match frame {
            Frame::Text(text) => serde_json::from_str(text)?,
            Frame::Binary(bytes) => serde_json::from_slice(bytes)?,
            Frame::Json(value) => Map::deserialize(&**value)?,
        };
        serde_json::from_value(Value::Object(fields))
    }
}

impl Outcome {
    fn of(mut value: Value) -> Result<Self, CodecError> {
        if is_error(&value) {
            let errors = value.get_mut("errors").map(Value::take).unwrap_or_default();
            return errors_of(errors).map(Self::Error);
        }
        if value.get("data").is_none() && value.get("hasNext").is_none() {
            return Err(CodecError::form("a GraphQL result", "{ data } or { errors }", &value));
        }
        Ok(Self::Next(value))
    }

    fn frame(self, id: &str) -> Frame {
        match self {
            Self::Next(payload) => message("next", Some(id), Some(payload)),
            Self::Error(payload) => message("error", Some(id), Some(payload)),
        }
    }
}

impl Session {
    pub(super) fn opened(&mut self, now: Duration) {
        self.phase = Phase::Waiting { until: Some(now.saturating_add(INIT_TIMEOUT)), is_overdue: false };
    }

    pub(super) fn due(&self) -> Option<Duration> {
        if let Phase::Waiting { until, is_overdue: true } = self.phase { until } else { None }
    }

    /// Returns whether the client has yet to initialise the connection.
    pub(super) fn awaits_client(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. })
    }

    /// Handles the expiry of [`INIT_TIMEOUT`] on the machine's clock.
    pub(super) fn connect_timeout_expired(&mut self, now: Duration) -> Option<Received> {
        let Phase::Waiting { until, is_overdue } = &mut self.phase else { return None };
        *is_overdue = true;
        until.is_some_and(|until| until <= now).then(init_timeout)
    }

    pub(super) fn receive(&mut self, frame: &Frame) -> Vec<Received> {
        let received = match ClientMessage::read(frame) {
            Ok(ClientMessage::ConnectionInit { payload }) => Some(self.initialise(payload)),
            Ok(ClientMessage::Ping { payload }) => {
                Some(Received::Reply(message("pong", None, payload.map(Value::Object))))
            }
            Ok(ClientMessage::Pong {}) => None,
            Ok(ClientMessage::Subscribe { id, payload }) => Some(self.subscribe(id, payload)),
            Ok(ClientMessage::Complete { id }) if id.is_empty() => Some(invalid("the id is empty")),
            Ok(ClientMessage::Complete { id }) => {
                let is_open = self.operations.remove(&id);
                is_open.then(|| Received::Ended(Address::GraphqlWs(Some(id.into()))))
            }
            Err(error) => Some(invalid(&error.to_string())),
        };
        received.into_iter().collect()
    }

    fn initialise(&mut self, payload: Option<Map<String, Value>>) -> Received {
        if !matches!(self.phase, Phase::Waiting { .. }) {
            return Received::close(4429, "Too many initialisation requests");
        }
        self.phase = Phase::Initialised;
        let payload = payload.map_or(Value::Null, Value::Object);
        Received::Opened(Value::Object(Map::from_iter([("payload".to_owned(), payload)])))
    }

    fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Received {
        let operation = match serde_json::from_value::<SubscribePayload>(Value::Object(payload)) {
            Ok(operation) => operation,
            Err(error) => return invalid(&error.to_string()),
        };
        if id.is_empty() || id.len() > MAX_ID {
            return invalid(&format!("the id must be 1 to {MAX_ID} bytes long"));
        }
        if self.phase != Phase::Acknowledged {
            return Received::close(4401, "Unauthorized");
        }
        if self.operations.contains(&id) {
            return Received::close(4409, format!("Subscriber for {id} already exists"));
        }
        if self.operations.len() >= MAX_OPERATIONS {
            return Received::Reply(error(&id, &format!("{MAX_OPERATIONS} operations are already open")));
        }
        self.operations.insert(id.clone());
        Received::Message(operation.into_message(id))
    }

    pub(super) fn reply(&mut self, msg: Option<&Value>, value: Value) -> Result<Vec<Frame>, CodecError> {
        let Some(id) = id_of(msg) else { return self.acknowledge_with(&value).map(|frame| vec![frame]) };
        let outcome = Outcome::of(value)?;
        if !self.operations.contains(id) {
            return Ok(Vec::new());
        }
        if matches!(outcome, Outcome::Error(_)) {
            self.operations.remove(id);
        }
        Ok(vec![outcome.frame(id)])
    }

    /// Performs `reply: { ack: PAYLOAD }`.
    fn acknowledge_with(&mut self, value: &Value) -> Result<Frame, CodecError> {
        let ack = value.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get("ack"));
        let payload = match ack {
            Some(Value::Null) => None,
            Some(payload @ Value::Object(_)) => Some(payload.clone()),
            Some(payload) => return Err(CodecError::form("ack", "a mapping", payload)),
            None => return Err(CodecError::NoOperation),
        };
        self.acknowledge(payload).ok_or(CodecError::NothingToAcknowledge)
    }

    fn acknowledge(&mut self, payload: Option<Value>) -> Option<Frame> {
        if self.phase != Phase::Initialised {
            return None;
        }
        self.phase = Phase::Acknowledged;
        Some(message("connection_ack", None, payload))
    }

    pub(super) fn finished(&mut self, msg: &Value, is_ongoing: bool) -> Option<Frame> {
        match id_of(Some(msg)) {
            None => self.acknowledge(None),
            Some(_) if is_ongoing => None,
            Some(id) => self.left(id),
        }
    }

    pub(super) fn unmatched(&mut self, msg: &Value, nearest: Option<&str>) -> Option<Frame> {
        let id = id_of(Some(msg)).filter(|id| self.operations.remove(*id))?;
        let operation = match msg.get("operationName").and_then(Value::as_str) {
            Some(name) => format!("operation `{name}`"),
            None => "unnamed operation".to_owned(),
        };
        let nearest = nearest.map(|nearest| format!("; the nearest is {nearest}")).unwrap_or_default();
        Some(error(id, &format!("no rule of this endpoint answers the {operation}{nearest}")))
    }

    /// Handles the refusal of the answer to a message, or of `open`.
    pub(super) fn refused(&mut self, msg: &Value, why: &str) -> Option<Received> {
        let Some(id) = id_of(Some(msg)) else {
            return self.is_pending(msg).then(|| Received::close(INTERNAL_ERROR, why));
        };
        self.operations.remove(id).then(|| Received::Reply(error(id, why)))
    }

    /// Returns whether the client waits for its connection to be acknowledged, and this is the `msg` of that
    /// connection.
    pub(super) fn is_pending(&self, msg: &Value) -> bool {
        id_of(Some(msg)).is_none() && self.phase == Phase::Initialised
    }

    /// Returns the `msg` of a pending connection, without its payload.
    pub(super) fn pending(&self) -> Option<Value> {
        (self.phase == Phase::Initialised).then(|| json!({ "payload": null }))
    }

    pub(super) fn was_connected(&self) -> bool {
        self.phase == Phase::Acknowledged
    }

    pub(super) fn left(&mut self, id: &str) -> Option<Frame> {
        self.operations.remove(id).then(|| message("complete", Some(id), None))
    }

    /// Returns the operation of a membership: the open one with its name, else the one of the message.
    pub(super) fn operation<'n>(&self, name: Option<&'n str>, msg: Option<&'n Value>) -> Option<&'n str> {
        name.filter(|name| self.is_open(name)).or_else(|| id_of(msg))
    }

    pub(super) fn is_open(&self, id: &str) -> bool {
        self.operations.contains(id)
    }

    /// Notes that an operation has ended with an error.
    pub(super) fn end(&mut self, id: &str) {
        self.operations.remove(id);
    }
}

impl SubscribePayload {
    fn into_message(self, id: String) -> Value {
        let Self { operation_name, query, variables, extensions } = self;
        let name = operation_name.filter(|name| !name.is_empty());
        let name = name.or_else(|| only_operation(&query).map(str::to_owned));
        let fields = [
            ("id", id.into()),
            ("operationName", name.into()),
            ("query", query.into()),
            ("variables", variables.unwrap_or_default().into()),
            ("extensions", extensions.unwrap_or_default().into()),
        ];
        Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// Returns the frame of a message to a member, for its operation.
pub(super) fn frame(id: &str, value: Value) -> Result<Frame, CodecError> {
    Ok(Outcome::of(value)?.frame(id))
}

/// Returns the effect of a missed deadline to initialise the connection.
pub(super) fn init_timeout() -> Received {
    Received::close(4408, "Connection initialisation timeout")
}

/// Returns whether a value is an error that ends an operation: it has errors and no data.
pub(super) fn is_error(value: &Value) -> bool {
    value.get("errors").is_some() && value.get("data").is_none() && value.get("hasNext").is_none()
}

/// Returns errors in the form that clients accept: at least one, each with a message.
fn errors_of(errors: Value) -> Result<Value, CodecError> {
    const EXPECTED: &str = "a list of texts or { message }";
    let Value::Array(list) = errors else { return Err(CodecError::form("errors", EXPECTED, &errors)) };
    if list.is_empty() {
        return Err(CodecError::form("errors", EXPECTED, &list.into()));
    }
    let list = list.into_iter().map(|error| match error {
        Value::String(message) => Ok(json!({ "message": message })),
        error if error.get("message").is_some_and(Value::is_string) => Ok(error),
        error => Err(CodecError::form("a GraphQL error", "text or { message }", &error)),
    });
    list.collect()
}

/// Returns the id of a message's operation; `None` for the message of `open`.
fn id_of(msg: Option<&Value>) -> Option<&str> {
    msg.and_then(|msg| msg.get("id")).and_then(Value::as_str)
}

fn error(id: &str, text: &str) -> Frame {
    message("error", Some(id), Some(json!([{ "message": text }])))
}

fn invalid(reason: &str) -> Received {
    Received::close(4400, format!("Invalid message: {reason}"))
}

fn message(kind: &str, id: Option<&str>, payload: Option<Value>) -> Frame {
    let fields = [("id", id.map(Value::from)), ("type", Some(kind.into())), ("payload", payload)];
    let fields = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Frame::Json(Value::Object(fields.collect()).into())
}
