//! Scripts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Opt, RawDuration, RawFault, RawProduct};
use crate::scenario::yaml::{Items, Text};

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
        { "required": ["product", "amount"], "properties": { "product": { "type": "string" } } },
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
    pub(crate) product: Opt<Text>,
    /// What the order adds to the product's total; negative for a return.
    #[schemars(example = 10, range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64))]
    pub(crate) amount: Opt<i64>,
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
    pub(crate) product: Opt<String>,
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
    pub(crate) product: Opt<String>,
}
