//! What sockets connect to.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::steps::{also_null, one_verb, with_verbs};
use super::{Opt, RawAnswer, RawAnswers, RawExpression, RawMatch, RawRuleStep};
use crate::scenario::Protocol;
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

/// A WebSocket endpoint. Expressions of its steps know `conn`, the socket's own memory (`conn.id`, `conn.topics` and what `set`
/// puts there), `path`, `query`, `headers`, `cookies` and `url` of the handshake, and all of
/// `data`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "endpoint",
    example = serde_json::json!({ "open": [{ "join": "news" }], "messages": [{ "text": "ping", "reply": "pong" }] })
)]
pub(crate) struct RawEndpoint {
    /// Refuses handshakes: the first answer that fits is the response. If none fits, the handshake is accepted.
    pub(crate) handshake: Opt<RawRefusals>,
    /// The subprotocol, or several by preference: the first that the client offers is chosen, and a client that offers none of
    /// them is refused with 400. Without it, the socket has no subprotocol; with `protocol: graphql-transport-ws`, it has that.
    #[schemars(example = &"chat.v1", example = ["chat.v2", "chat.v1"])]
    pub(crate) subprotocol: Opt<RawSubprotocols>,
    /// What messages are written in. Without it, they are JSON, text or bytes.
    pub(crate) protocol: Opt<RawProtocol>,
    /// What the sockets get in place of what is sent to a topic, if their `join` does not say: `$event`, sent to `$topic`.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "topic": "$topic", "data": "$event" }))]
    pub(crate) frame: Opt<JsonNode>,
    /// Steps that begin when a socket opens and end with it. With a `protocol`, `msg` is what the client connects with.
    pub(crate) open: Opt<Items<RawRuleStep>>,
    /// Rules for messages: the first that fits is carried out. A message that no rule fits is in the journal and in the log.
    #[schemars(with = "Opt<Vec<Spanned<RawMessageRule>>>")]
    pub(crate) messages: Opt<Items<RawMessageRule>>,
    /// Steps that begin when a socket has closed. They belong to the world.
    #[schemars(example = serde_json::json!([{ "send": { "frame": { "left": "$conn.name" } } }]))]
    pub(crate) closed: Opt<Items<RawRuleStep>>,
}

/// Who is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "refusals")]
pub(crate) enum RawRefusals {
    /// An answer.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    One(Box<RawRefusal>),
    /// The first that fits.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(#[schemars(length(min = 1))] Vec<Spanned<RawRefusal>>),
}

/// An answer that refuses a handshake. Expressions know `path`, `query`, `headers`, `cookies` and `url` of the request, and
/// all of `data`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "refusal",
    example = serde_json::json!({ "when": "query.token != 'secret'", "status": 401 })
)]
pub(crate) struct RawRefusal {
    /// An expression: handshakes for which it is true are refused.
    #[schemars(example = &"query.token != 'secret'")]
    pub(crate) when: Opt<RawExpression>,
    /// What a request has to contain that is refused.
    pub(crate) r#match: Opt<RawMatch>,
    /// The status, from 200 to 599.
    #[schemars(example = 401, extend("type" = ["integer", "string", "null"], "default" = 403))]
    pub(crate) status: Opt<JsonNode>,
    /// Headers by name. A list stands for several headers of that name.
    #[schemars(example = serde_json::json!({ "www-authenticate": "Bearer" }))]
    pub(crate) headers: Opt<Entries<JsonNode>>,
    /// JSON, in which any text may be an expression.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "error": "no such room" }))]
    pub(crate) body: Opt<JsonNode>,
    /// Plain text.
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
    /// This one.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    One(String),
    /// One of these.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(#[schemars(length(min = 1))] Vec<Spanned<String>>),
}

/// What messages are written in, above WebSocket.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(rename = "protocol")]
pub(crate) enum RawProtocol {
    /// Socket.IO 5 over Engine.IO 4, by WebSocket and by HTTP long-polling.
    #[serde(rename = "socket.io")]
    SocketIo,
    /// GraphQL over WebSocket.
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
    /// What happens when a message comes that fits: `do`, or a verb in its place; `do: []` does nothing. Without `match`,
    /// `text` and `when`, every message fits. Expressions know the message as `msg`.
    #[schemars(
        deny_unknown_fields, rename = "messageRule",
        example = serde_json::json!({ "match": { "type": "subscribe" }, "join": "$msg.channel" }),
        extend("oneOf" = one_verb()),
        transform = allow_no_steps
    )]
    RawMessageRule {
        /// JSON that the message contains: the keys of a mapping, the items of a list by place. Texts may be expressions.
        /// An undefined value fits no message.
        #[serde(deserialize_with = "also_null")]
        #[schemars(example = serde_json::json!({ "method": "SUBSCRIBE" }))]
        r#match: Opt<JsonNode>,
        /// The message's text, in which `*` stands for any text. It has no expressions.
        #[schemars(example = &"hello *")]
        text: Opt<String>,
        /// An expression that is true.
        #[schemars(example = &"msg.price | float > 100")]
        when: Opt<RawExpression>,
        /// Values by name, which `when` and the steps can use. A value that `when` does not use is computed only if `when` is
        /// true.
        #[schemars(example = serde_json::json!({ "room": "{{ msg.room or 'lobby' }}" }))]
        with: Opt<Entries<JsonNode>>,
    }
}
