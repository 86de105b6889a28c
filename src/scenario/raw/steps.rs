//! General steps: when they happen, and one verb each.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::{Value, json};

use super::{Opt, RawDuration, RawFault, RawRepeat};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

/// An expression without braces, such as that of `when`.
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

/// Nothing behind the key is `null`, a value like any other.
pub(super) fn also_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Opt<JsonNode>, D::Error> {
    Spanned::deserialize(deserializer).map(Some)
}

/// One verb of a step, as it is written.
pub(crate) struct RawVerb<'r> {
    /// Its key.
    pub(crate) key: &'static str,
    /// The place of its value.
    pub(crate) span: Span,
    /// Its value; `None` if that was reported as wrong.
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
    Fault(&'r RawFault),
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

/// That exactly one verb is given, for a JSON Schema.
pub(super) fn one_verb() -> Value {
    let one = |key: &&str| match *key {
        "reply" => json!({ "required": [key] }),
        _ => json!({ "required": [key], "properties": { *key: { "not": { "type": "null" } } } }),
    };
    VERBS.iter().map(one).collect()
}

/// Declares a mapping that has the verbs of steps among its keys.
macro_rules! with_verbs {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(default)]
        $(#[$meta])*
        pub(crate) struct $name {
            $($(#[$about])* pub(crate) $field: $type,)*
            /// A list of steps. That of a step is carried out at one moment: all of it, or nothing if one is refused.
            pub(crate) r#do: Opt<Items<$crate::scenario::raw::RawRuleStep>>,
            /// Sends a frame to the socket whose step it is: JSON, a text as it is, or `{ binary: BASE64 }`; in a `stream`, an
            /// event: a mapping that has `data`, and besides it only `event`, `id`, `retry` and `comment`, or a `comment` or
            /// `retry` alone; any other value is the data of an event. Only in streams and sockets.
            #[serde(deserialize_with = "super::steps::also_null")]
            #[schemars(example = &"$it", example = serde_json::json!({ "event": "price", "data": "$price" }))]
            pub(crate) reply: Opt<JsonNode>,
            /// Sends a frame to all who have joined a topic, or to all sockets of an endpoint.
            #[schemars(example = serde_json::json!({ "to": "news", "frame": { "text": "Hello" } }))]
            pub(crate) send: Opt<$crate::scenario::raw::RawSend>,
            /// Joins a topic, a list of topics, or what a mapping says. Only in streams and sockets.
            #[schemars(example = &"news")]
            pub(crate) join: Opt<$crate::scenario::raw::RawJoin>,
            /// Leaves a topic, a list of topics, or the membership of a name. Only in streams and sockets.
            #[schemars(example = &"news", example = serde_json::json!({ "as": "sub-1" }))]
            pub(crate) leave: Opt<$crate::scenario::raw::RawLeave>,
            /// Closes the socket with a code, with `{ code, reason }`, or with 1000 for `{}`; ends a `stream`. The steps after it
            /// do not run, and neither does anything else that waits for the socket or stream. Only in streams and sockets.
            #[schemars(example = 4401, example = serde_json::json!({}))]
            pub(crate) close: Opt<$crate::scenario::raw::RawClose>,
            /// Adds a row to a collection. One without an `id` gets the next.
            #[schemars(example = serde_json::json!({ "todos": { "title": "$body.title" } }))]
            pub(crate) add: Opt<Entries<JsonNode>>,
            /// Gives other values to some fields of the row with that `id`.
            #[schemars(example = serde_json::json!({ "todos": { "id": 1, "done": true } }))]
            pub(crate) merge: Opt<Entries<JsonNode>>,
            /// Puts a row in the place of the one with its `id`.
            #[schemars(example = serde_json::json!({ "todos": { "id": 1, "title": "Sleep" } }))]
            pub(crate) replace: Opt<Entries<JsonNode>>,
            /// Removes the row with that id.
            #[schemars(example = serde_json::json!({ "todos": "$path.id" }))]
            pub(crate) remove: Opt<Entries<JsonNode>>,
            /// Adds to numbers of the row with that `id`.
            #[schemars(example = serde_json::json!({ "todos": { "id": 1, "votes": 1 } }))]
            pub(crate) increment: Opt<Entries<JsonNode>>,
            /// Sets values of `data`, or parts of them; in steps of a socket also values of its memory `conn`.
            #[schemars(
                example = serde_json::json!({ "price": 3, "prices.BTC": 50000 }),
                example = serde_json::json!({ "conn.name": "$msg.name" })
            )]
            pub(crate) set: Opt<Entries<JsonNode>>,
            /// Orders a product of `categories`.
            #[schemars(example = serde_json::json!({ "product": "A1", "amount": 10 }))]
            pub(crate) order: Opt<Box<$crate::scenario::raw::RawOrder>>,
            /// Brings a fault, whose times count from then on.
            pub(crate) fault: Opt<Box<$crate::scenario::raw::RawFault>>,
        }

        impl $name {
            /// The verbs that are given, in the order of the language.
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
                    verb("fault", self.fault.as_ref(), |fault| Value::Fault(fault)),
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
    /// A step: exactly one verb, when it happens, and how often. Without a time it happens when the step before has ended.
    #[schemars(
        deny_unknown_fields, rename = "ruleStep",
        example = serde_json::json!({ "after": "5s", "merge": { "todos": { "id": 1, "done": true } } }),
        extend("oneOf" = one_verb())
    )]
    RawRuleStep {
        /// When it happens, since the list of steps has begun. Not with `after`.
        #[schemars(example = &"2s")]
        at: Opt<RawDuration>,
        /// When it happens, since the step before has ended. Not with `at`.
        #[schemars(example = &"500ms")]
        after: Opt<RawDuration>,
        /// How often it happens: a number, or `forever`, `every` so long. Not with `each`.
        #[schemars(example = 100, example = &"forever", extend("default" = 1))]
        times: Opt<RawRepeat>,
        /// The time between two of its `times`, or between two items of `each`; all at once without it. At least 1us. The first
        /// happens at once; `after: 15s` beside `every: 15s` delays it, too.
        #[schemars(example = &"10ms")]
        every: Opt<RawDuration>,
        /// An expression: it happens only if that is true when it is due.
        #[schemars(example = &"chance(0.5)")]
        when: Opt<RawExpression>,
        /// A list, or an expression that gives one: it happens once for each item, which is `$item`, with its place from 0,
        /// which is `$index`.
        #[schemars(example = &"{{ todos | where(done=true) }}", extend("type" = ["array", "string", "null"]))]
        each: Opt<JsonNode>,
        /// Values by name, computed when the step is due, which it and what is inside it can use. A value that `when` does not
        /// use is computed only if `when` is true.
        #[schemars(example = serde_json::json!({ "total": "{{ body.price * body.amount }}" }))]
        with: Opt<Entries<JsonNode>>,
    }
}

/// A frame for those who have joined topics, or for all sockets of an endpoint.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "send", extend("required" = ["frame"]))]
pub(crate) struct RawSend {
    /// A topic or a list of topics. Only an endpoint's steps may leave it out, and send to all sockets of the endpoint then.
    #[schemars(example = &"news", extend("type" = ["string", "array", "null"]))]
    pub(crate) to: Opt<JsonNode>,
    /// What is sent, any JSON value.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "text": "Hello" }))]
    pub(crate) frame: Opt<JsonNode>,
    /// Whether the sender gets none. Only in streams and sockets.
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
    /// Topics, with what the member wants of them.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(Box<RawMembership>),
}

/// Topics to join, with what the member wants of them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "membership", extend("required" = ["to"]))]
pub(crate) struct RawMembership {
    /// A topic or a list of topics.
    #[schemars(example = &"orders", extend("type" = ["string", "array", "null"]))]
    pub(crate) to: Opt<JsonNode>,
    /// JSON that an event must contain for the member to get it. Texts may be expressions; an undefined value is an error.
    #[schemars(example = serde_json::json!({ "row": { "room": "$path.room" } }))]
    pub(crate) r#where: Opt<JsonNode>,
    /// The name of the membership, by which `leave` ends it. Another `join` with the same name replaces it, even for other
    /// topics: the old membership ends, with its steps.
    #[schemars(example = &"$query.id")]
    pub(crate) r#as: Opt<JsonNode>,
    /// What the member gets in place of what is sent, which is `$event`, to a topic, which is `$topic`.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = &"$event.row")]
    pub(crate) frame: Opt<JsonNode>,
    /// Steps that end with the membership.
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
    /// The membership of a name.
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
    /// The name that the membership was joined by.
    #[schemars(example = &"sub-1")]
    pub(crate) r#as: Opt<JsonNode>,
}

/// How it is closed.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "close")]
pub(crate) enum RawClose {
    /// With this code.
    #[serde(rename = "\0integer")]
    #[schemars(untagged)]
    Code(#[schemars(with = "u16")] JsonNode),
    /// With the code that an expression gives.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Computed(#[schemars(with = "String")] JsonNode),
    /// With a code and a reason.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(RawClosing),
}

/// With what code and reason it is closed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "closing")]
pub(crate) struct RawClosing {
    /// The code (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014, or 3000 to 4999; 1000 without it.
    #[schemars(example = 4401, extend("type" = ["integer", "string", "null"]))]
    pub(crate) code: Opt<JsonNode>,
    /// The reason, at most 123 bytes.
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
    /// What is added to its total, negative for a return: an integer, an expression that gives one, or a range of which one
    /// is drawn each time.
    #[schemars(
        example = 10,
        example = serde_json::json!({ "min": 1, "max": 7 }),
        extend("type" = ["integer", "string", "object", "null"])
    )]
    pub(crate) amount: Opt<JsonNode>,
}
