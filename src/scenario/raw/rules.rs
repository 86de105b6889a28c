//! What happens by itself: triggers, scripts and generators of general steps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::steps::{one_verb, with_verbs};
use super::{Opt, RawArrivals, RawDuration, RawExpression, RawRate, RawRepeat, RawRuleStep};
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

with_verbs! {
    /// What happens when something is sent to a topic: `do`, or a verb in its place. A change of a collection is sent to the
    /// topic of its name, as `{ sequence, change, row, before }`.
    #[schemars(
        deny_unknown_fields, rename = "trigger",
        example = serde_json::json!({ "topic": "todos", "when": "event.change == 'added'", "send": { "to": "news", "frame": "$event.row" } }),
        extend("required" = ["topic"], "oneOf" = one_verb())
    )]
    RawTrigger {
        /// The topic. A `*` at its end stands for any text: `room/*` is for all topics that begin with `room/`. A change of a
        /// row is sent to two topics, and fires such a trigger once.
        #[schemars(example = &"todos", example = &"room/*", length(min = 1))]
        topic: Opt<String>,
        /// An expression: it fires only if that is true. What was sent is `event`, the topic `topic`.
        #[schemars(example = &"event.change == 'added'")]
        when: Opt<RawExpression>,
    }
}

/// Steps that are carried out now, all or none.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "postedSteps", extend("required" = ["do"]))]
pub(crate) struct RawPostedSteps {
    /// The steps, at least one.
    #[serde(rename = "do")]
    pub(crate) steps: Opt<Items<RawRuleStep>>,
}

/// A timeline of steps. Its times count from the start, or from the reload that brought or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "ruleScript", extend("required" = ["steps"]))]
pub(crate) struct RawRuleScript {
    /// What messages call it. A reload recognises the script by its name, or by its place without one.
    #[schemars(example = &"morning")]
    pub(crate) name: Opt<String>,
    /// When its time 0 is.
    #[schemars(extend("default" = "0s"))]
    pub(crate) start: Opt<RawDuration>,
    /// How often it plays: a number, or `forever`. Each repeat starts when the one before has ended.
    #[schemars(example = 3, example = &"forever", extend("default" = 1))]
    pub(crate) repeat: Opt<RawRepeat>,
    /// What happens when, at least one step.
    pub(crate) steps: Opt<Items<RawRuleStep>>,
}

with_verbs! {
    /// Something that happens at random times: `do`, or a verb in its place. It says `every` or `rate`; its times count from
    /// the start, or from the reload that brought or changed it.
    #[schemars(
        deny_unknown_fields, rename = "ruleGenerator",
        example = serde_json::json!({ "every": "1s", "pick": "stocks", "increment": { "stocks": { "id": "$it.id", "price": "{{ random(-5, 5) }}" } } }),
        extend("allOf" = [
            { "oneOf": [
                { "required": ["every"], "properties": { "every": { "type": "string" } } },
                { "required": ["rate"], "properties": { "rate": { "type": "string" } } },
            ] },
            { "oneOf": one_verb() },
        ])
    )]
    RawRuleGenerator {
        /// What messages call it. A reload recognises the generator by its name, or by its place without one.
        #[schemars(example = &"prices")]
        name: Opt<String>,
        /// The time between two of these; with `arrivals: poisson` the mean of it. At least 1us.
        #[schemars(example = &"1500ms")]
        every: Opt<RawDuration>,
        /// The same as `every`, said as how many come in a time.
        #[schemars(example = &"20/s")]
        rate: Opt<RawRate>,
        /// How the times between two are spread.
        #[schemars(extend("default" = "even"))]
        arrivals: Opt<RawArrivals>,
        /// How far one may be from its even time, to both sides; at most `every`. Errors do not add up. Not with
        /// `arrivals: poisson`.
        #[schemars(example = &"200ms", extend("default" = "0s"))]
        jitter: Opt<RawDuration>,
        /// When it starts; the first comes one gap later.
        #[schemars(extend("default" = "0s"))]
        from: Opt<RawDuration>,
        /// When it ends; one due then still comes. Without it, never.
        #[schemars(example = &"10m")]
        until: Opt<RawDuration>,
        /// A row that is drawn each time, which is `$it`: any of a collection, or one of ids with weights.
        #[schemars(example = &"stocks", example = serde_json::json!({ "weights": { "ACME": 5, "INIT": 1 } }))]
        pick: Opt<RawPick>,
    }
}

/// A row that is drawn.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "pick")]
pub(crate) enum RawPick {
    /// Any row that the collection of this name has at the time.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Collection(String),
    /// One of these, by weight.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    By(RawPickBy),
}

/// Rows that are drawn by weight.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "pickBy", extend("required" = ["weights"]))]
pub(crate) struct RawPickBy {
    /// Ids of one collection with their weights: one with 5 is drawn five times as often as one with 1. At least one is
    /// above 0.
    #[schemars(
        example = serde_json::json!({ "ACME": 5, "INIT": 1 }),
        extend("additionalProperties" = { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 })
    )]
    pub(crate) weights: Opt<Entries<i64>>,
}
