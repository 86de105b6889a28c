//! General steps: one verb each, and when it runs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::{Value, json};

use super::{Opt, RawDuration, RawRepeat};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

/// An expression without braces, such as the value of `when`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(crate) struct RawExpression(pub(crate) JsonNode);

impl JsonSchema for RawExpression {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "expression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "boolean", "number"] })
    }
}

/// Decodes a key without a value as `null`, a value like any other.
pub(super) fn also_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Opt<JsonNode>, D::Error> {
    Spanned::deserialize(deserializer).map(Some)
}

/// One verb of a step, as written.
pub(crate) struct RawVerb<'r> {
    /// Its key.
    pub(crate) key: &'static str,
    /// The place of its value.
    pub(crate) span: Span,
    /// Its value; `None` if it is invalid, which has been reported.
    pub(crate) value: Option<RawVerbValue<'r>>,
}

/// The value of a verb.
#[derive(Clone, Copy)]
pub(crate) enum RawVerbValue<'r> {
    Do(&'r Items<RawRuleStep>),
    Reply(JsonNode),
    Send(&'r RawSend),
    Join(&'r RawJoin),
    Leave(&'r RawLeave),
    Close(&'r RawClose),
    Rows(&'r Entries<JsonNode>),
    Set(&'r Entries<JsonNode>),
    Order(&'r RawOrder),
    Fault(JsonNode),
}

/// The keys of all verbs.
pub(crate) const VERBS: &[&str] = &[
    "do",
    "reply",
    "send",
    "join",
    "leave",
    "close",
    "add",
    "merge",
    "replace",
    "remove",
    "increment",
    "set",
    "order",
    "fault",
];

/// Returns the part of a JSON Schema that requires exactly one verb.
pub(super) fn one_verb() -> Value {
    let one = |key: &&str| match *key {
        "reply" => json!({ "required": [key] }),
        _ => json!({ "required": [key], "properties": { *key: { "not": { "type": "null" } } } }),
    };
    VERBS.iter().map(one).collect()
}

/// Declares a mapping whose keys include the verbs of steps.
macro_rules! with_verbs {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(default)]
        $(#[$meta])*
        pub(crate) struct $name {
            $($(#[$about])* pub(crate) $field: $type,)*
            /// A list of steps. The `do` of a step is atomic: its steps run at one moment, and if one of them is
            /// refused, none takes effect.
            pub(crate) r#do: Opt<Items<$crate::scenario::raw::RawRuleStep>>,
            /// Sends a frame to this socket: JSON, plain text, or `{ binary: BASE64 }`. In a `stream`, sends an event.
            /// A mapping with `data`, and optionally `event`, `id`, `retry` and `comment`, or with only `comment` or
            /// `retry`, sets the fields of the event; any other value is its data. Only in streams and sockets.
            #[serde(deserialize_with = "super::steps::also_null")]
            #[schemars(example = &"$it", example = serde_json::json!({ "event": "price", "data": "$price" }))]
            pub(crate) reply: Opt<JsonNode>,
            /// Sends a frame to all members of a topic, or to all sockets of an endpoint.
            #[schemars(example = serde_json::json!({ "to": "news", "frame": { "text": "Hello" } }))]
            pub(crate) send: Opt<$crate::scenario::raw::RawSend>,
            /// Joins a topic or a list of topics; a mapping has more options. Only in streams and sockets.
            #[schemars(example = &"news")]
            pub(crate) join: Opt<$crate::scenario::raw::RawJoin>,
            /// Leaves a topic, a list of topics, or the membership with a name. Only in streams and sockets.
            #[schemars(example = &"news", example = serde_json::json!({ "as": "sub-1" }))]
            pub(crate) leave: Opt<$crate::scenario::raw::RawLeave>,
            /// Closes the socket with a code, with `{ code, reason }`, or with 1000 for `{}`; ends a `stream`. With
            /// Socket.IO, `{}` disconnects the client from one namespace, and closes the socket if that was its last
            /// one. The steps after it do not run, nor does anything else that is scheduled for the socket or stream.
            /// Only in streams and sockets.
            #[schemars(example = 4401, example = serde_json::json!({}))]
            pub(crate) close: Opt<$crate::scenario::raw::RawClose>,
            /// Adds a row to a collection. A row without an `id` gets the next one. An `id` that is written here must
            /// not be undefined.
            #[schemars(example = serde_json::json!({ "todos": { "title": "$body.title" } }))]
            pub(crate) add: Opt<Entries<JsonNode>>,
            /// Changes some fields of the row with the same `id`: each field that is written here replaces the row's
            /// whole field, even if both are mappings. `null` is a value like any other.
            #[schemars(example = serde_json::json!({ "todos": { "id": 1, "done": true } }))]
            pub(crate) merge: Opt<Entries<JsonNode>>,
            /// Replaces the row with the same `id`.
            #[schemars(example = serde_json::json!({ "todos": { "id": 1, "title": "Sleep" } }))]
            pub(crate) replace: Opt<Entries<JsonNode>>,
            /// Removes the row with this id.
            #[schemars(example = serde_json::json!({ "todos": "$path.id" }))]
            pub(crate) remove: Opt<Entries<JsonNode>>,
            /// Adds to numeric fields of the row with the same `id`.
            #[schemars(example = serde_json::json!({ "todos": { "id": 1, "votes": 1 } }))]
            pub(crate) increment: Opt<Entries<JsonNode>>,
            /// Sets values of `data`, or parts of them; in the steps of a socket also values of its memory `conn`.
            #[schemars(
                example = serde_json::json!({ "price": 3, "prices.BTC": 50000 }),
                example = serde_json::json!({ "conn.name": "$msg.name" })
            )]
            pub(crate) set: Opt<Entries<JsonNode>>,
            /// Orders a product of `categories`.
            #[schemars(example = serde_json::json!({ "product": "A1", "amount": 10 }))]
            pub(crate) order: Opt<Box<$crate::scenario::raw::RawOrder>>,
            /// Starts a fault. Its times count from then on.
            #[schemars(with = "Opt<Box<crate::scenario::raw::RawFault>>")]
            pub(crate) fault: Opt<JsonNode>,
        }

        impl $name {
            /// Returns the verbs that are present, in the order of the language.
            pub(crate) fn verbs(&self) -> Vec<$crate::scenario::raw::RawVerb<'_>> {
                use $crate::scenario::raw::{RawVerb, RawVerbValue as Value};
                fn verb<'r, T>(
                    key: &'static str,
                    value: Option<&'r Spanned<T>>,
                    of: impl FnOnce(&'r T) -> Value<'r>,
                ) -> Option<RawVerb<'r>> {
                    let Spanned { span, value } = value?;
                    Some(RawVerb { key, span: *span, value: value.as_ref().map(of) })
                }
                [
                    verb("do", self.r#do.as_ref(), Value::Do),
                    verb("reply", self.reply.as_ref(), |node| Value::Reply(*node)),
                    verb("send", self.send.as_ref(), Value::Send),
                    verb("join", self.join.as_ref(), Value::Join),
                    verb("leave", self.leave.as_ref(), Value::Leave),
                    verb("close", self.close.as_ref(), Value::Close),
                    verb("add", self.add.as_ref(), Value::Rows),
                    verb("merge", self.merge.as_ref(), Value::Rows),
                    verb("replace", self.replace.as_ref(), Value::Rows),
                    verb("remove", self.remove.as_ref(), Value::Rows),
                    verb("increment", self.increment.as_ref(), Value::Rows),
                    verb("set", self.set.as_ref(), Value::Set),
                    verb("order", self.order.as_ref(), |order| Value::Order(order)),
                    verb("fault", self.fault.as_ref(), |node| Value::Fault(*node)),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
        }
    };
}

pub(super) use with_verbs;

with_verbs! {
    /// A step: exactly one verb, and when and how often it runs. Without a time, it runs when the previous step has
    /// ended.
    #[schemars(
        deny_unknown_fields, rename = "ruleStep",
        example = serde_json::json!({ "after": "5s", "merge": { "todos": { "id": 1, "done": true } } }),
        extend("oneOf" = one_verb())
    )]
    RawRuleStep {
        /// When the step runs, counted from the start of the list of steps. Not with `after`.
        #[schemars(example = &"2s")]
        at: Opt<RawDuration>,
        /// When the step runs, counted from the end of the previous step. Not with `at`.
        #[schemars(example = &"500ms")]
        after: Opt<RawDuration>,
        /// How many times the step runs: a number, or `forever`, with `every` as the interval. Not with `each`.
        #[schemars(example = 100, example = &"forever", extend("default" = 1))]
        times: Opt<RawRepeat>,
        /// The interval between the runs of a step with `times` or `each`. At least 1us. Without it, all runs happen at
        /// once. The first run is immediate; `after: 15s` with `every: 15s` delays it, too.
        #[schemars(example = &"10ms")]
        every: Opt<RawDuration>,
        /// An expression that must be true for the step to run, evaluated when the step is due.
        #[schemars(example = &"chance(0.5)")]
        when: Opt<RawExpression>,
        /// The items to run the step for: a list, or an expression that returns one. `$item` is the item, `$index` its
        /// position, from 0.
        #[schemars(example = &"{{ todos | where(done=true) }}", extend("type" = ["array", "string", "null"]))]
        each: Opt<JsonNode>,
        /// Named values for the step and the steps inside it, computed when the step is due. A value that `when` does
        /// not use is computed only if `when` is true.
        #[schemars(example = serde_json::json!({ "total": "{{ body.price * body.amount }}" }))]
        with: Opt<Entries<JsonNode>>,
    }
}

/// A frame for the members of topics, or for all sockets of an endpoint.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "send", extend("required" = ["frame"]))]
pub(crate) struct RawSend {
    /// A topic or a list of topics. Only steps of an endpoint may omit it. They then send to all sockets of the
    /// endpoint or, with Socket.IO, to those in the namespace of the message or of the frame.
    #[schemars(example = &"news", extend("type" = ["string", "array", "null"]))]
    pub(crate) to: Opt<JsonNode>,
    /// What to send: any JSON value.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "text": "Hello" }))]
    pub(crate) frame: Opt<JsonNode>,
    /// Whether to skip the sender. Only in streams and sockets.
    #[schemars(extend("default" = false))]
    pub(crate) others: Opt<bool>,
}

/// Topics to join.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "join")]
pub(crate) enum RawJoin {
    /// A topic.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Topic(#[schemars(with = "String")] JsonNode),
    /// Several topics.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Topics(#[schemars(with = "Vec<String>")] JsonNode),
    /// Topics with options.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(Box<RawMembership>),
}

/// Topics to join, with options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "membership", extend("required" = ["to"]))]
pub(crate) struct RawMembership {
    /// A topic or a list of topics.
    #[schemars(example = &"orders", extend("type" = ["string", "array", "null"]))]
    pub(crate) to: Opt<JsonNode>,
    /// JSON that an event must contain to reach the member. Any text in it may be an expression; an undefined value is
    /// an error.
    #[schemars(example = serde_json::json!({ "row": { "room": "$path.room" } }))]
    pub(crate) r#where: Opt<JsonNode>,
    /// The name of the membership, for `leave`. Another `join` with the same name replaces it, even for other topics:
    /// the old membership and its steps end.
    #[schemars(example = &"$query.id")]
    pub(crate) r#as: Opt<JsonNode>,
    /// The frame that the member receives for an event. `$event` is the event, `$topic` its topic.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = &"$event.row")]
    pub(crate) frame: Opt<JsonNode>,
    /// Steps that start with the membership and stop with it.
    pub(crate) r#do: Opt<Items<RawRuleStep>>,
}

/// Topics to leave.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "leave")]
pub(crate) enum RawLeave {
    /// A topic.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Topic(#[schemars(with = "String")] JsonNode),
    /// Several topics.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Topics(#[schemars(with = "Vec<String>")] JsonNode),
    /// The membership with a name.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Named(RawLeaving),
}

/// The membership to leave.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "leaving")]
pub(crate) struct RawLeaving {
    /// A topic or a list of topics.
    #[schemars(example = &"news", extend("type" = ["string", "array", "null"]))]
    pub(crate) to: Opt<JsonNode>,
    /// The name of the membership: the `as` of its `join`.
    #[schemars(example = &"sub-1")]
    pub(crate) r#as: Opt<JsonNode>,
}

/// How to close the socket.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "close")]
pub(crate) enum RawClose {
    /// This close code.
    #[serde(rename = "\0integer")]
    #[schemars(untagged)]
    Code(#[schemars(with = "u16")] JsonNode),
    /// An expression that returns the close code.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Computed(#[schemars(with = "String")] JsonNode),
    /// A close code and a reason.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(RawClosing),
}

/// The close code and the reason.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "closing")]
pub(crate) struct RawClosing {
    /// The close code (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014, or 3000 to 4999. Defaults to 1000.
    #[schemars(example = 4401, extend("type" = ["integer", "string", "null"]))]
    pub(crate) code: Opt<JsonNode>,
    /// The close reason, at most 123 bytes.
    #[schemars(example = &"bye", extend("type" = ["string", "null"]))]
    pub(crate) reason: Opt<JsonNode>,
}

/// An order of a product.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "order", extend("required" = ["product", "amount"]))]
pub(crate) struct RawOrder {
    /// The product's id.
    #[schemars(example = &"A1", example = &"$it.id", extend("type" = ["string", "number", "null"]))]
    pub(crate) product: Opt<JsonNode>,
    /// The amount to add to the product's total, negative for a return: an integer, an expression that returns one, or
    /// a range to draw from each time.
    #[schemars(
        example = 10,
        example = serde_json::json!({ "min": 1, "max": 7 }),
        extend("type" = ["integer", "string", "object", "null"])
    )]
    pub(crate) amount: Opt<JsonNode>,
}
