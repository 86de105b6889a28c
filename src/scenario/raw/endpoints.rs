//! WebSocket endpoints.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::steps::{also_null, one_verb, with_verbs};
use super::{Opt, RawAnswer, RawAnswers, RawExpression, RawMatch, RawRuleStep};
use crate::scenario::Protocol;
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

/// A WebSocket endpoint. Expressions in its steps can use `conn`, which is the socket's own memory (`conn.id`,
/// `conn.topics` and what `set` stores there; with Socket.IO also `conn.sid`, the client's `socket.id`), the
/// handshake's `path`, `query`, `headers`, `cookies` and `url`, and everything in `data`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "endpoint",
    example = serde_json::json!({ "open": [{ "join": "news" }], "messages": [{ "text": "ping", "reply": "pong" }] })
)]
pub(crate) struct RawEndpoint {
    /// Answers that refuse handshakes: the first one that matches is the response. If none matches, the handshake is
    /// accepted.
    pub(crate) handshake: Opt<RawRefusals>,
    /// The subprotocol, or several in order of preference: mockd chooses the first that the client offers, and refuses
    /// a client that offers none of them with 400. Without it, mockd chooses the first that the client offers, or
    /// `graphql-transport-ws` with that protocol.
    #[schemars(example = &"chat.v1", example = ["chat.v2", "chat.v1"])]
    pub(crate) subprotocol: Opt<RawSubprotocols>,
    /// The protocol on top of WebSocket. Without it, messages are JSON, text or bytes.
    pub(crate) protocol: Opt<RawProtocol>,
    /// The frame that sockets receive for an event of a topic, unless their `join` has its own. `$event` is the event,
    /// `$topic` its topic.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "topic": "$topic", "data": "$event" }))]
    pub(crate) frame: Opt<JsonNode>,
    /// Steps that start when a socket opens and stop when it closes. With a `protocol`, they start when the client
    /// connects (with Socket.IO, to each namespace), and `msg` is its connect message: `msg.args[0]` is the `auth` of
    /// Socket.IO, `msg.payload` the `connectionParams` of GraphQL. `reply: { error: { message } }` refuses a Socket.IO
    /// client.
    pub(crate) open: Opt<Items<RawRuleStep>>,
    /// Rules for messages: the first one that matches runs. A message that matches no rule appears in the journal and
    /// in the log.
    #[schemars(with = "Opt<Vec<Spanned<RawMessageRule>>>")]
    pub(crate) messages: Opt<Items<RawMessageRule>>,
    /// Steps that start after a socket with a connected client has closed. They belong to the world.
    #[schemars(example = serde_json::json!([{ "send": { "frame": { "left": "$conn.name" } } }]))]
    pub(crate) closed: Opt<Items<RawRuleStep>>,
}

/// Which handshakes are refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "refusals")]
pub(crate) enum RawRefusals {
    /// An answer.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    One(Box<RawRefusal>),
    /// The first answer that matches.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(#[schemars(length(min = 1))] Vec<Spanned<RawRefusal>>),
}

/// An answer that refuses a handshake. Expressions can use the request's `path`, `query`, `headers`, `cookies` and
/// `url`, and everything in `data`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "refusal",
    example = serde_json::json!({ "when": "query.token != 'secret'", "status": 401 })
)]
pub(crate) struct RawRefusal {
    /// An expression that must be true for the handshake to be refused.
    #[schemars(example = &"query.token != 'secret'")]
    pub(crate) when: Opt<RawExpression>,
    /// What the request must contain to be refused.
    pub(crate) r#match: Opt<RawMatch>,
    /// The status, from 200 to 599.
    #[schemars(example = 401, extend("type" = ["integer", "string", "null"], "default" = 403))]
    pub(crate) status: Opt<JsonNode>,
    /// Headers by name. A list sends several headers with that name.
    #[schemars(example = serde_json::json!({ "www-authenticate": "Bearer" }))]
    pub(crate) headers: Opt<Entries<JsonNode>>,
    /// A JSON body. Any text in it may be an expression.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "error": "no such room" }))]
    pub(crate) body: Opt<JsonNode>,
    /// A plain text body.
    #[schemars(example = &"no such room", extend("type" = ["string", "number", "boolean", "null"]))]
    pub(crate) text: Opt<JsonNode>,
}

impl From<RawRefusals> for RawAnswers {
    fn from(refusals: RawRefusals) -> Self {
        match refusals {
            RawRefusals::One(refusal) => Self::One(Box::new((*refusal).into())),
            RawRefusals::Several(list) => {
                let answer =
                    |Spanned { span, value }: Spanned<RawRefusal>| Spanned { span, value: value.map(Into::into) };
                Self::Several(list.into_iter().map(answer).collect())
            }
        }
    }
}

impl From<RawRefusal> for RawAnswer {
    fn from(RawRefusal { when, r#match, status, headers, body, text }: RawRefusal) -> Self {
        Self { when, r#match, status, headers, body, text, ..Self::default() }
    }
}

/// Subprotocols (RFC 6455, 1.9).
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "subprotocols")]
pub(crate) enum RawSubprotocols {
    /// This subprotocol.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    One(String),
    /// One of these subprotocols.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(#[schemars(length(min = 1))] Vec<Spanned<String>>),
}

/// A protocol on top of WebSocket.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(rename = "protocol")]
pub(crate) enum RawProtocol {
    /// Socket.IO 5 over Engine.IO 4, with WebSocket and HTTP long polling. A message is
    /// `{ namespace, event, args, ack }`.
    #[serde(rename = "socket.io")]
    SocketIo,
    /// GraphQL over WebSocket. A message is `{ id, operationName, query, variables, extensions }`.
    #[serde(rename = "graphql-transport-ws")]
    GraphqlTransportWs,
}

impl From<RawProtocol> for Protocol {
    fn from(protocol: RawProtocol) -> Self {
        match protocol {
            RawProtocol::SocketIo => Self::SocketIo,
            RawProtocol::GraphqlTransportWs => Self::GraphqlTransportWs,
        }
    }
}

/// Allows a rule without steps, which accepts its messages and does nothing.
fn allow_no_steps(schema: &mut Schema) {
    let steps = schema.get_mut("properties").and_then(|properties| properties.get_mut("do"));
    if let Some(steps) = steps.and_then(serde_json::Value::as_object_mut) {
        steps.remove("minItems");
    }
}

with_verbs! {
    /// What to do with a message that matches: `do`, or a verb in its place; `do: []` does nothing. A rule without
    /// `match`, `text` and `when` matches every message. Expressions can use the message as `msg`.
    #[schemars(
        deny_unknown_fields, rename = "messageRule",
        example = serde_json::json!({ "match": { "type": "subscribe" }, "join": "$msg.channel" }),
        extend("oneOf" = one_verb()),
        transform = allow_no_steps
    )]
    RawMessageRule {
        /// JSON that the message must contain: the keys of a mapping, and lists of the same length, item by item. Any
        /// text in it may be an expression; an undefined value matches no message.
        #[serde(deserialize_with = "also_null")]
        #[schemars(example = serde_json::json!({ "method": "SUBSCRIBE" }))]
        r#match: Opt<JsonNode>,
        /// The text of the message as the client sent it, even if it is JSON. `*` matches any text. Expressions are not
        /// allowed here.
        #[schemars(example = &"hello *")]
        text: Opt<String>,
        /// An expression that must be true.
        #[schemars(example = &"msg.price | float > 100")]
        when: Opt<RawExpression>,
        /// Named values for `when` and the steps. A value that `when` does not use is computed only if `when` is true.
        #[schemars(example = serde_json::json!({ "room": "{{ msg.room or 'lobby' }}" }))]
        with: Opt<Entries<JsonNode>>,
    }
}
