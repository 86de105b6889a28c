//! Rules that fire on their own: triggers, scripts and generators of general steps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::steps::{one_verb, with_verbs};
use super::{Opt, RawArrivals, RawDuration, RawExpression, RawRate, RawRepeat, RawRuleStep};
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

with_verbs! {
    /// What to do when something is sent to a topic: `do`, or a verb in its place. A change of a collection is sent to
    /// the topic of its name, as `{ sequence, change, row, before }`.
    #[schemars(
        deny_unknown_fields, rename = "trigger",
        example = serde_json::json!({ "topic": "todos", "when": "event.change == 'added'", "send": { "to": "news", "frame": "$event.row" } }),
        extend("required" = ["topic"], "oneOf" = one_verb())
    )]
    RawTrigger {
        /// The topic. A `*` at its end matches any text: `room/*` matches all topics that start with `room/`. A change
        /// of a row is sent to two topics, but fires such a trigger once.
        #[schemars(example = &"todos", example = &"room/*", length(min = 1))]
        topic: Opt<String>,
        /// An expression that must be true for the trigger to fire. `event` is the event, `topic` its topic.
        #[schemars(example = &"event.change == 'added'")]
        when: Opt<RawExpression>,
    }
}

/// Steps to run now, as one atomic operation.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "postedSteps", extend("required" = ["do"]))]
pub(crate) struct RawPostedSteps {
    /// The steps, at least one.
    #[serde(rename = "do")]
    pub(crate) steps: Opt<Items<RawRuleStep>>,
}

/// A timeline of steps. Its times count from the start of the world, or from the reload that added or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "ruleScript", extend("required" = ["steps"]))]
pub(crate) struct RawRuleScript {
    /// The script's name in messages. A reload recognises the script by its name or, without a name, by its position.
    #[schemars(example = &"morning")]
    pub(crate) name: Opt<String>,
    /// When the script starts.
    #[schemars(extend("default" = "0s"))]
    pub(crate) start: Opt<RawDuration>,
    /// How many times the script runs: a number, or `forever`. Each run starts when the previous one has ended.
    #[schemars(example = 3, example = &"forever", extend("default" = 1))]
    pub(crate) repeat: Opt<RawRepeat>,
    /// The steps, at least one.
    pub(crate) steps: Opt<Items<RawRuleStep>>,
}

with_verbs! {
    /// An action at random times: `do`, or a verb in its place. It needs `every` or `rate`; its times count from the
    /// start of the world, or from the reload that added or changed it.
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
        /// The generator's name in messages. A reload recognises the generator by its name or, without a name, by its
        /// position.
        #[schemars(example = &"prices")]
        name: Opt<String>,
        /// The time between two actions; with `arrivals: poisson`, the mean time. At least 1us.
        #[schemars(example = &"1500ms")]
        every: Opt<RawDuration>,
        /// How often the action happens, as an alternative to `every`.
        #[schemars(example = &"20/s")]
        rate: Opt<RawRate>,
        /// How the times between two actions are distributed.
        #[schemars(extend("default" = "even"))]
        arrivals: Opt<RawArrivals>,
        /// How much earlier or later than scheduled an action may happen; at most `every`. Deviations do not add up.
        /// Not with `arrivals: poisson`.
        #[schemars(example = &"200ms", extend("default" = "0s"))]
        jitter: Opt<RawDuration>,
        /// When the generator starts. The first action follows one interval later.
        #[schemars(extend("default" = "0s"))]
        from: Opt<RawDuration>,
        /// When the generator stops. An action due at that time still happens. Without it, the generator never stops.
        #[schemars(example = &"10m")]
        until: Opt<RawDuration>,
        /// A row to pick at random each time, available as `$it`: any row of a collection, or one of several ids with
        /// weights.
        #[schemars(example = &"stocks", example = serde_json::json!({ "weights": { "ACME": 5, "INIT": 1 } }))]
        pick: Opt<RawPick>,
    }
}

/// A row to pick at random.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "pick")]
pub(crate) enum RawPick {
    /// Any current row of the collection with this name.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Collection(String),
    /// One of these rows, by weight.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    By(RawPickBy),
}

/// Rows to pick from, by weight.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "pickBy", extend("required" = ["weights"]))]
pub(crate) struct RawPickBy {
    /// Ids of one collection with their weights: a weight of 5 is picked five times as often as a weight of 1. At least
    /// one weight must be above 0.
    #[schemars(
        example = serde_json::json!({ "ACME": 5, "INIT": 1 }),
        extend("additionalProperties" = { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 })
    )]
    pub(crate) weights: Opt<Entries<i64>>,
}
