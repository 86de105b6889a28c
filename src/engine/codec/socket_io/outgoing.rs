//! Socket.IO frames as a scenario writes them, before they are encoded.

use serde_json::{Map, Value};

use super::packet::{MAIN, is_event_name};
use crate::engine::codec::CodecError;

/// The highest acknowledgement id. JavaScript cannot represent every integer above it.
const MAX_ID: u64 = (1 << 53) - 1;

/// A frame to send: `{ event, args, ack }`, `{ ack }` or `{ error }`, each with an optional namespace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) namespace: Option<String>,
    pub(super) content: Content,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// An event: its name, then its arguments.
    Event { data: Vec<Value>, ack_id: Option<AckId> },
    /// The acknowledgement of an event from the client.
    Ack(Vec<Value>),
    /// Why the client may not connect.
    Refusal(Value),
}

/// The acknowledgement id that an event requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckId {
    /// The next free id of the namespace.
    Next,
    /// An id that the scenario chooses.
    Given(u64),
}

impl Outgoing {
    pub(super) fn read(value: &Value) -> Result<Self, CodecError> {
        let form = || CodecError::form("a Socket.IO frame", "{ event, args }, { ack } or { error }", value);
        let fields = value.as_object().ok_or_else(form)?;
        let (content, keys): (_, &[&str]) = if let Some(event) = non_null(fields, "event") {
            (read_event(event, fields)?, &["namespace", "event", "args", "ack", "id"])
        } else if let Some(args) = fields.get("ack") {
            (Content::Ack(as_list(args)), &["namespace", "event", "ack"])
        } else if let Some(error) = non_null(fields, "error") {
            (Content::Refusal(read_refusal(error)?), &["namespace", "event", "error"])
        } else {
            return Err(form());
        };
        if let Some(unknown) = fields.keys().find(|key| !keys.contains(&key.as_str())) {
            return Err(match unknown.as_str() {
                "id" => CodecError::MisplacedId,
                _ => CodecError::UnknownKey(unknown.clone()),
            });
        }
        Ok(Self { namespace: non_null(fields, "namespace").map(read_namespace).transpose()?, content })
    }
}

/// Returns a field that is present and not null.
fn non_null<'f>(fields: &'f Map<String, Value>, key: &str) -> Option<&'f Value> {
    fields.get(key).filter(|value| !value.is_null())
}

fn read_event(event: &Value, fields: &Map<String, Value>) -> Result<Content, CodecError> {
    if !is_event_name(event) {
        return Err(match event {
            Value::String(name) => CodecError::ReservedEvent(name.clone()),
            _ => CodecError::form("event", "text or a number", event),
        });
    }
    let args = fields.get("args").map(as_list).unwrap_or_default();
    let (ack, id) = (non_null(fields, "ack"), non_null(fields, "id"));
    if ack.is_some() && id.is_some() {
        return Err(CodecError::MisplacedId);
    }
    let ack_id = match ack.or(id) {
        None | Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some(AckId::Next),
        Some(id) => {
            let valid = id.as_u64().filter(|id| *id <= MAX_ID);
            Some(AckId::Given(valid.ok_or_else(|| CodecError::form("the acknowledgement id", "an integer", id))?))
        }
    };
    Ok(Content::Event { data: [vec![event.clone()], args].concat(), ack_id })
}

/// Returns the items of a list, or any other value as the only item.
fn as_list(args: &Value) -> Vec<Value> {
    args.as_array().cloned().unwrap_or_else(|| vec![args.clone()])
}

/// Returns `{ message, data }`; text alone is the message.
fn read_refusal(error: &Value) -> Result<Value, CodecError> {
    match error {
        Value::String(message) => Ok(Map::from_iter([("message".to_owned(), message.as_str().into())]).into()),
        Value::Object(fields) if fields.get("message").is_some_and(Value::is_string) => Ok(error.clone()),
        _ => Err(CodecError::form("error", "text or { message, data }", error)),
    }
}

/// Returns the namespace with its leading `/`, which the scenario may omit.
fn read_namespace(value: &Value) -> Result<String, CodecError> {
    let name = value.as_str().ok_or_else(|| CodecError::form("namespace", "text", value))?;
    if name.contains(|c: char| c == ',' || c.is_control()) {
        return Err(CodecError::Namespace(name.to_owned()));
    }
    Ok(if name.starts_with(MAIN) { name.to_owned() } else { format!("{MAIN}{name}") })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    fn event(data: &Value, ack_id: Option<AckId>) -> Content {
        Content::Event { data: as_list(data), ack_id }
    }

    #[test]
    fn frames_are_events_acknowledgements_or_refusals() {
        for (value, namespace, content) in [
            (json!({ "event": "a" }), None, event(&json!(["a"]), None)),
            (json!({ "event": "a", "args": 1 }), None, event(&json!(["a", 1]), None)),
            (json!({ "event": "a", "args": [1, [2]] }), None, event(&json!(["a", 1, [2]]), None)),
            (json!({ "event": 7, "args": [], "ack": false }), None, event(&json!([7]), None)),
            (json!({ "event": "a", "ack": true }), None, event(&json!(["a"]), Some(AckId::Next))),
            (json!({ "event": "a", "ack": 5 }), None, event(&json!(["a"]), Some(AckId::Given(5)))),
            (json!({ "event": "a", "id": 0 }), None, event(&json!(["a"]), Some(AckId::Given(0)))),
            (json!({ "event": "a", "ack": null, "id": 3 }), None, event(&json!(["a"]), Some(AckId::Given(3)))),
            (json!({ "event": "a", "ack": true, "id": null }), None, event(&json!(["a"]), Some(AckId::Next))),
            (json!({ "namespace": "/b", "event": "a", "ack": null }), Some("/b"), event(&json!(["a"]), None)),
            (json!({ "namespace": "b", "event": "a" }), Some("/b"), event(&json!(["a"]), None)),
            (json!({ "namespace": "", "ack": [] }), Some("/"), Content::Ack(vec![])),
            (json!({ "ack": null }), None, Content::Ack(vec![Value::Null])),
            (json!({ "ack": "ok" }), None, Content::Ack(vec![json!("ok")])),
            (json!({ "error": "No" }), None, Content::Refusal(json!({ "message": "No" }))),
            (
                json!({ "error": { "message": "No", "data": 1 } }),
                None,
                Content::Refusal(json!({ "message": "No", "data": 1 })),
            ),
        ] {
            let expected = Outgoing { namespace: namespace.map(str::to_owned), content };
            assert_eq!(Outgoing::read(&value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn invalid_frames_are_refused_with_a_reason() {
        const ID: &str = "`id` is only allowed in a `reply` with `event` and without `ack`";
        const FORM: &str = "a Socket.IO frame must be { event, args }, { ack } or { error }, found ";
        for (value, error) in [
            (json!("hello"), format!("{FORM}\"hello\"")),
            (json!({}), format!("{FORM}{{}}")),
            (json!({ "event": null }), format!("{FORM}{{\"event\":null}}")),
            (json!({ "event": [] }), "event must be text or a number, found []".to_owned()),
            (json!({ "event": "connect" }), "the event name `connect` is reserved by Socket.IO".to_owned()),
            (json!({ "event": "a", "arg": 1 }), "unknown key `arg` in a Socket.IO frame".to_owned()),
            (json!({ "ack": [], "args": 1 }), "unknown key `args` in a Socket.IO frame".to_owned()),
            (json!({ "ack": [], "id": 1 }), ID.to_owned()),
            (json!({ "error": "No", "id": 1 }), ID.to_owned()),
            (json!({ "event": "a", "ack": true, "id": 1 }), ID.to_owned()),
            (json!({ "event": "a", "ack": 2, "id": 1 }), ID.to_owned()),
            (json!({ "event": "a", "ack": -1 }), "the acknowledgement id must be an integer, found -1".to_owned()),
            (json!({ "error": {} }), "error must be text or { message, data }, found {}".to_owned()),
            (json!({ "ack": [], "namespace": 1 }), "namespace must be text, found 1".to_owned()),
            (
                json!({ "ack": [], "namespace": "a,b" }),
                "a Socket.IO namespace must not contain commas or control characters, found `a,b`".to_owned(),
            ),
        ] {
            assert_eq!(Outgoing::read(&value).unwrap_err().to_string(), error);
        }
    }
}
