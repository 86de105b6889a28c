//! Orders that mockd places on its own: random generators and scripts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Opt, RawDuration, RawFault, RawProduct, RawRate};
use crate::scenario::yaml::{Entries, Id, IdNode, Items, JsonNode, Spanned};

/// A generator of random orders, with its own random stream. It needs `every` or `rate`; its times count from the start
/// of the world, or from the reload that added or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "generator",
    extend("oneOf" = [
        { "required": ["every"], "properties": { "every": { "type": "string" } } },
        { "required": ["rate"], "properties": { "rate": { "type": "string" } } },
    ])
)]
pub(crate) struct RawGenerator {
    /// The time between two orders; with `arrivals: poisson`, the mean time. At least 1us.
    #[schemars(example = &"1500ms")]
    pub(crate) every: Opt<RawDuration>,
    /// How often an order is placed, as an alternative to `every`.
    #[schemars(example = &"20/s")]
    pub(crate) rate: Opt<RawRate>,
    /// How the times between orders are distributed.
    #[schemars(extend("default" = "even"))]
    pub(crate) arrivals: Opt<RawArrivals>,
    /// How much earlier or later than scheduled an order may be placed; at most `every`. Deviations do not add up. Not
    /// with `arrivals: poisson`.
    #[schemars(example = &"200ms", extend("default" = "0s"))]
    pub(crate) jitter: Opt<RawDuration>,
    /// The amount of each order: a number, or a range to draw from uniformly.
    #[schemars(example = serde_json::json!({ "min": 1, "max": 7 }), extend("default" = 1))]
    pub(crate) amount: Opt<RawAmount>,
    /// Which products are ordered: `all`, a list of ids, those of a category, or ids with weights.
    #[schemars(
        example = ["A1", "B1"],
        example = serde_json::json!({ "category": "electronics" }),
        example = serde_json::json!({ "weights": { "A1": 5, "A2": 1 } }),
        extend("default" = "all")
    )]
    pub(crate) products: Opt<RawDraw>,
    /// When the generator starts. The first order follows one interval later.
    #[schemars(extend("default" = "0s"))]
    pub(crate) from: Opt<RawDuration>,
    /// When the generator stops. An order due at that time is still placed. Without it, the generator never stops.
    #[schemars(example = &"10m")]
    pub(crate) until: Opt<RawDuration>,
}

/// How the times between random orders are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "arrivals")]
pub(crate) enum RawArrivals {
    /// All equal, apart from `jitter`.
    Even,
    /// Exponentially distributed, like the orders of many independent buyers: a Poisson process.
    Poisson,
}

/// The amount of an order.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "amount")]
pub(crate) enum RawAmount {
    /// A fixed amount.
    #[serde(rename = "\0integer")]
    #[schemars(untagged)]
    Fixed(#[schemars(range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))] i64),
    /// A random number from a range.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Range(RawRange),
}

/// A range of integers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "range", extend("required" = ["min", "max"]))]
pub(crate) struct RawRange {
    /// The lowest number; negative numbers are returns.
    #[schemars(example = 1, range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))]
    pub(crate) min: Opt<i64>,
    /// The highest number.
    #[schemars(example = 7, range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))]
    pub(crate) max: Opt<i64>,
}

/// Which products are ordered.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "draw")]
pub(crate) enum RawDraw {
    /// Every current product, including those added since the start.
    #[serde(rename = "all")]
    All,
    /// These ids, each with the same probability.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Ids(#[schemars(length(min = 1))] Vec<Spanned<Id>>),
    /// The products of a category, or ids with weights.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    By(RawDrawBy),
}

/// Which products are ordered, by category or by weight.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "drawBy",
    extend("oneOf" = [
        { "required": ["category"], "properties": { "category": { "type": "string" } } },
        { "required": ["weights"], "properties": { "weights": { "type": "object" } } },
    ])
)]
pub(crate) struct RawDrawBy {
    /// Every current product of this category, each with the same probability.
    #[schemars(example = &"electronics")]
    pub(crate) category: Opt<String>,
    /// Ids with their weights: a weight of 5 is ordered five times as often as a weight of 1. At least one weight must
    /// be above 0.
    #[schemars(
        example = serde_json::json!({ "A1": 5, "A2": 1 }),
        extend("additionalProperties" = { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 })
    )]
    pub(crate) weights: Opt<Entries<i64>>,
}

/// A timeline of steps. Its times count from the start of the world, or from the reload that added or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "script", extend("required" = ["steps"]))]
pub(crate) struct RawScript {
    /// The script's name in messages.
    #[schemars(example = &"flash sale")]
    pub(crate) name: Opt<String>,
    /// When the script starts.
    #[schemars(extend("default" = "0s"))]
    pub(crate) start: Opt<RawDuration>,
    /// How many times the script runs: a number, or `forever`. Each run starts at the time of the previous run's last
    /// action.
    #[schemars(example = 3, example = &"forever", extend("default" = 1))]
    pub(crate) repeat: Opt<RawRepeat>,
    /// The steps, at least one.
    pub(crate) steps: Opt<Items<RawStep>>,
}

/// How many times a script or a step repeats.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "repeat")]
pub(crate) enum RawRepeat {
    /// Until the server stops.
    #[serde(rename = "forever")]
    Forever,
    /// This many times.
    #[serde(rename = "\0integer")]
    #[schemars(untagged)]
    Times(#[schemars(range(min = 1))] i64),
}

/// One step of a script: a time (`at` or `after`; without either, that of the previous step) and an action, which is
/// an order (`product` and `amount`), `set`, `add`, `remove` or `fault`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields, rename = "step",
    example = serde_json::json!({ "at": "2s", "product": "A1", "amount": 10 }),
    example = serde_json::json!({ "after": "500ms", "set": { "product": "A1", "total": 0 } }),
    extend("oneOf" = [
        { "required": ["product", "amount"], "properties": { "product": { "type": ["string", "number"] } } },
        { "required": ["set"], "properties": { "set": { "type": "object" } } },
        { "required": ["add"], "properties": { "add": { "type": "object" } } },
        { "required": ["remove"], "properties": { "remove": { "type": "object" } } },
        { "required": ["fault"], "properties": { "fault": { "type": "object" } } },
    ])
)]
pub(crate) struct RawStep {
    /// When the step runs, counted from the start of the script or of its current repetition. Not with `after`.
    #[schemars(example = &"2s")]
    pub(crate) at: Opt<RawDuration>,
    /// When the step runs, counted from the end of the previous step. Not with `at`.
    #[schemars(example = &"500ms")]
    pub(crate) after: Opt<RawDuration>,
    /// The id of the product to order.
    #[schemars(example = &"A1")]
    pub(crate) product: Opt<IdNode>,
    /// The amount to add to the product's total, negative for a return: a number, or a range to draw from uniformly
    /// each time.
    #[schemars(example = 10, example = serde_json::json!({ "min": 1, "max": 7 }))]
    pub(crate) amount: Opt<RawAmount>,
    /// How many times the step runs, with `every` as the interval. More than 1000000 runs require `every`.
    #[schemars(example = 100, range(min = 1), extend("default" = 1))]
    pub(crate) times: Opt<i64>,
    /// The interval between two runs of the step. At least 1us. Without it, all runs happen at once.
    #[schemars(example = &"10ms")]
    pub(crate) every: Opt<RawDuration>,
    /// Sets a product's total.
    pub(crate) set: Opt<Box<RawSet>>,
    /// Adds a product to a category.
    pub(crate) add: Opt<Box<RawAdd>>,
    /// Removes a product from its category.
    pub(crate) remove: Opt<Box<RawRemove>>,
    /// Starts a fault. Its times count from this step.
    #[schemars(with = "Opt<Box<RawFault>>")]
    pub(crate) fault: Opt<JsonNode>,
}

/// A product's new total.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "set", extend("required" = ["product", "total"]))]
pub(crate) struct RawSet {
    /// The product's id.
    #[schemars(example = &"A1")]
    pub(crate) product: Opt<Id>,
    /// The new total.
    #[schemars(example = 0, range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))]
    pub(crate) total: Opt<i64>,
}

/// A product to add to a category.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "add", extend("required" = ["category", "product"]))]
pub(crate) struct RawAdd {
    /// The category's name.
    #[schemars(example = &"electronics")]
    pub(crate) category: Opt<String>,
    /// The product, as under `products`.
    #[schemars(example = serde_json::json!({ "name": "Drone", "rrp": "12.50", "info": "Flies." }))]
    pub(crate) product: Opt<RawProduct>,
}

/// A product to remove from its category.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "remove", extend("required" = ["product"]))]
pub(crate) struct RawRemove {
    /// The product's id.
    #[schemars(example = &"A2")]
    pub(crate) product: Opt<Id>,
}
