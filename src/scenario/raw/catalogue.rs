//! Categories and products.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Opt;
use crate::scenario::JsonType;
use crate::scenario::yaml::{Entries, Id, Items, Spanned};

/// A list of products with its own path.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "category")]
pub(crate) struct RawCategory {
    /// The prefix of its products' ids: a product without an id gets the prefix and the next number. Every category
    /// needs a prefix, here or in an included file, unless all ids declared by its products are numbers. A product
    /// without an id then gets the next number, as a number.
    #[schemars(example = &"A", length(min = 1))]
    pub(crate) prefix: Opt<String>,
    /// The products, in the order in which the API lists them.
    #[schemars(with = "Opt<Vec<Spanned<RawProduct>>>")]
    pub(crate) products: Opt<Items<RawProduct>>,
    /// The properties that a product added by POST must have: their names, each with its allowed JSON types. Without
    /// it, any product is accepted.
    #[schemars(example = serde_json::json!({ "name": "string", "rrp": ["string", "number"] }))]
    pub(crate) fields: Opt<Entries<RawField>>,
}

/// The rule for one property of an added product.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "field")]
pub(crate) enum RawField {
    /// This type.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Type(JsonType),
    /// One of these types.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    AnyOf(#[schemars(length(min = 1))] Vec<Spanned<JsonType>>),
    /// A type with options.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(RawFieldDescription),
}

/// The rule for one property of an added product, with options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "describedField")]
pub(crate) struct RawFieldDescription {
    /// The JSON type, or a list of allowed types. Without it, any type is allowed.
    #[schemars(example = &"string")]
    #[serde(deserialize_with = "also_null")]
    pub(crate) r#type: Opt<RawTypes>,
    /// Whether the property may be missing.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Opt<bool>,
}

/// Decodes a `type` without a value as the type `null`.
fn also_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Opt<RawTypes>, D::Error> {
    Spanned::deserialize(deserializer).map(Some)
}

/// One JSON type or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "types")]
pub(crate) enum RawTypes {
    /// This type.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    One(JsonType),
    /// Any of these types.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    AnyOf(#[schemars(length(min = 1))] Vec<Spanned<JsonType>>),
}

/// A product. Every key except `id`, `total` and `order` is a property of the product, with any JSON value.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename = "product", example = serde_json::json!({ "id": "A1", "name": "Vacuum Cleaner", "rrp": "99.99", "total": 3 }))]
pub(crate) struct RawProduct {
    /// The product's id, unique in the scenario. Defaults to the category's prefix and next number. An integer without
    /// quotes, such as `1`, is a number in the API too; `007`, `1.0` and `1e3` are text.
    #[schemars(example = &"A1", example = 1)]
    pub(crate) id: Opt<Id>,
    /// The order total at the start. The API does not show it as a property of the product.
    #[schemars(range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64), extend("default" = 0))]
    pub(crate) total: Opt<i64>,
    /// Extra properties of the product's order frames on live sockets, in addition to `id` and `total`.
    #[schemars(
        example = serde_json::json!({ "returned": 1 }),
        extend("propertyNames" = { "not": { "enum": ["id", "total"] } })
    )]
    pub(crate) order: Opt<Map<String, Value>>,
    /// All other keys.
    #[schemars(flatten)]
    pub(crate) fields: Map<String, Value>,
}

// Implemented by hand because serde's `flatten` buffers values and so loses their spans.
impl<'de> Deserialize<'de> for RawProduct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ProductVisitor)
    }
}

struct ProductVisitor;

impl<'de> Visitor<'de> for ProductVisitor {
    type Value = RawProduct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawProduct, A::Error> {
        let mut product = RawProduct::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "id" => product.id = map.next_value()?,
                "total" => product.total = map.next_value()?,
                "order" => product.order = map.next_value()?,
                _ => {
                    // A value that cannot be decoded has already been reported.
                    let value: Spanned<Value> = map.next_value()?;
                    product.fields.insert(key, value.value.unwrap_or_default());
                }
            }
        }
        Ok(product)
    }
}
