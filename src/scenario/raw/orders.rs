//! What moves totals by itself: random generators and scripts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Opt, RawDuration, RawFault, RawProduct, RawRate};
use crate::scenario::yaml::{Entries, Id, IdNode, Items, Spanned};

/// A source of random orders, drawn from a random stream of its own. It says `every` or `rate`; its times count from
/// the start, or from the reload that brought or changed it.
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
    /// The time between two orders; with `arrivals: poisson` the mean of it. At least 1us.
    #[schemars(example = &"1500ms")]
    pub(crate) every: Opt<RawDuration>,
    /// The same as `every`, said as orders in a time.
    #[schemars(example = &"20/s")]
    pub(crate) rate: Opt<RawRate>,
    /// How the times between orders are spread.
    #[schemars(extend("default" = "even"))]
    pub(crate) arrivals: Opt<RawArrivals>,
    /// How far an order may be from its even time, to both sides; at most `every`. Errors do not add up. Not with
    /// `arrivals: poisson`.
    #[schemars(example = &"200ms", extend("default" = "0s"))]
    pub(crate) jitter: Opt<RawDuration>,
    /// What one order adds to a total: a number, or one drawn uniformly from a range.
    #[schemars(example = serde_json::json!({ "min": 1, "max": 7 }), extend("default" = 1))]
    pub(crate) amount: Opt<RawAmount>,
    /// What is ordered: `all`, a list of ids, those of a category, or ids with weights.
    #[schemars(
        example = ["A1", "B1"],
        example = serde_json::json!({ "category": "electronics" }),
        example = serde_json::json!({ "weights": { "A1": 5, "A2": 1 } }),
        extend("default" = "all")
    )]
    pub(crate) products: Opt<RawDraw>,
    /// When it starts; the first order comes one gap later.
    #[schemars(extend("default" = "0s"))]
    pub(crate) from: Opt<RawDuration>,
    /// When it ends; an order due then still comes. Without it, never.
    #[schemars(example = &"10m")]
    pub(crate) until: Opt<RawDuration>,
}

/// How the times between random orders are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "arrivals")]
pub(crate) enum RawArrivals {
    /// All the same, but for `jitter`.
    Even,
    /// Exponentially around the mean, as orders of many independent buyers are: a Poisson process.
    Poisson,
}

/// What one order adds.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "amount")]
pub(crate) enum RawAmount {
    /// Always the same.
    #[serde(rename = "\0integer")]
    #[schemars(untagged)]
    Fixed(#[schemars(range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))] i64),
    /// Any of a range.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Range(RawRange),
}

/// A range of integers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "range", extend("required" = ["min", "max"]))]
pub(crate) struct RawRange {
    /// The lowest of them; negative ones are returns.
    #[schemars(example = 1, range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))]
    pub(crate) min: Opt<i64>,
    /// The highest of them.
    #[schemars(example = 7, range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))]
    pub(crate) max: Opt<i64>,
}

/// Which products are ordered.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "draw")]
pub(crate) enum RawDraw {
    /// Every product there is at the time, also those added since the start.
    #[serde(rename = "all")]
    All,
    /// These ids, each with the same chance.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Ids(#[schemars(length(min = 1))] Vec<Spanned<Id>>),
    /// Those of a category, or ids with weights.
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
    /// Every product that this category has at the time, each with the same chance.
    #[schemars(example = &"electronics")]
    pub(crate) category: Opt<String>,
    /// Ids with their weights: one with 5 is ordered five times as often as one with 1. At least one is above 0.
    #[schemars(
        example = serde_json::json!({ "A1": 5, "A2": 1 }),
        extend("additionalProperties" = { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 })
    )]
    pub(crate) weights: Opt<Entries<i64>>,
}

/// A timeline of steps. Its times count from the start, or from the reload that brought or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "script", extend("required" = ["steps"]))]
pub(crate) struct RawScript {
    /// What messages call it.
    #[schemars(example = &"flash sale")]
    pub(crate) name: Opt<String>,
    /// When its time 0 is.
    #[schemars(extend("default" = "0s"))]
    pub(crate) start: Opt<RawDuration>,
    /// How often it plays: a number, or `forever`. Each repeat starts when the last action of the one before happens.
    #[schemars(example = 3, example = &"forever", extend("default" = 1))]
    pub(crate) repeat: Opt<RawRepeat>,
    /// What happens when, at least one step.
    pub(crate) steps: Opt<Items<RawStep>>,
}

/// How often a script plays.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "repeat")]
pub(crate) enum RawRepeat {
    /// Until the server stops.
    #[serde(rename = "forever")]
    Forever,
    /// So many times.
    #[serde(rename = "\0integer")]
    #[schemars(untagged)]
    Times(#[schemars(range(min = 1))] i64),
}

/// One line of a script: a time (`at` or `after`; that of the step before otherwise) and what happens, which is an
/// order (`product` and `amount`), `set`, `add`, `remove` or `fault`.
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
    /// When it happens, since the script's or the repeat's start. Not with `after`.
    #[schemars(example = &"2s")]
    pub(crate) at: Opt<RawDuration>,
    /// When it happens, since the step before was done. Not with `at`.
    #[schemars(example = &"500ms")]
    pub(crate) after: Opt<RawDuration>,
    /// The id of the product that is ordered.
    #[schemars(example = &"A1")]
    pub(crate) product: Opt<IdNode>,
    /// What the order adds to the product's total, negative for a return: a number, or one drawn uniformly from a
    /// range each time.
    #[schemars(example = 10, example = serde_json::json!({ "min": 1, "max": 7 }))]
    pub(crate) amount: Opt<RawAmount>,
    /// How often the step happens, `every` so long. More than 1000000 times takes `every`.
    #[schemars(example = 100, range(min = 1), extend("default" = 1))]
    pub(crate) times: Opt<i64>,
    /// The time between two of the step's `times`; all at once without it. At least 1us.
    #[schemars(example = &"10ms")]
    pub(crate) every: Opt<RawDuration>,
    /// Puts a product's total to a value.
    pub(crate) set: Opt<Box<RawSet>>,
    /// Adds a product to a category.
    pub(crate) add: Opt<Box<RawAdd>>,
    /// Takes a product out of its category.
    pub(crate) remove: Opt<Box<RawRemove>>,
    /// Brings a fault, whose times count from the step on.
    pub(crate) fault: Opt<Box<RawFault>>,
}

/// A product's total is put to a value.
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

/// A product is added to a category.
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

/// A product is taken out of its category.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "remove", extend("required" = ["product"]))]
pub(crate) struct RawRemove {
    /// The product's id.
    #[schemars(example = &"A2")]
    pub(crate) product: Opt<Id>,
}
