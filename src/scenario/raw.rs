//! The scenario as it is written: serde shapes with places, before anything is checked or filled in.
//!
//! Every key is optional here; [`super::validate`] says what is missing, so that one missing key hides nothing else.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::yaml::{Entries, Spanned};

/// A value that may be left out, with its place.
pub(crate) type Opt<T> = Option<Spanned<T>>;

/// A duration as text. What serde calls it is what the decoder says it expected.
#[derive(Debug, Deserialize)]
#[serde(rename = "a duration such as 250ms, 1.5s, 2m or 1h30m")]
pub(crate) struct RawDuration(pub(crate) Box<str>);

/// A rate as text.
#[derive(Debug, Deserialize)]
#[serde(rename = "a rate such as 20/s, 90/m or 0.5/h")]
pub(crate) struct RawRate(pub(crate) Box<str>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawScenario {
    pub(crate) name: Opt<String>,
    pub(crate) seed: Opt<u64>,
    pub(crate) feed: Opt<RawFeed>,
    pub(crate) server: Opt<RawServer>,
    pub(crate) categories: Opt<Entries<RawCategory>>,
    pub(crate) orders: Opt<RawOrders>,
    pub(crate) include: Opt<Value>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawFeed {
    All,
    Category,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawServer {
    pub(crate) host: Opt<String>,
    pub(crate) port: Opt<i64>,
    #[serde(rename = "static")]
    pub(crate) site: Opt<String>,
    pub(crate) cors: Opt<RawCors>,
}

#[derive(Debug, Deserialize)]
pub(crate) enum RawCors {
    #[serde(rename = "\0boolean")]
    Switch(bool),
    #[serde(rename = "\0list")]
    Origins(Vec<Spanned<String>>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawCategory {
    pub(crate) prefix: Opt<String>,
    pub(crate) products: Opt<Vec<Spanned<RawProduct>>>,
    pub(crate) fields: Opt<Entries<RawField>>,
}

#[derive(Debug, Deserialize)]
pub(crate) enum RawField {
    #[serde(rename = "\0text")]
    Type(RawType),
    #[serde(rename = "\0list")]
    AnyOf(Vec<Spanned<RawType>>),
    #[serde(rename = "\0mapping")]
    Described(RawFieldDescription),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawFieldDescription {
    pub(crate) r#type: Opt<RawTypes>,
    pub(crate) optional: Opt<bool>,
}

#[derive(Debug, Deserialize)]
pub(crate) enum RawTypes {
    #[serde(rename = "\0text")]
    One(RawType),
    #[serde(rename = "\0list")]
    AnyOf(Vec<Spanned<RawType>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawType {
    String,
    Number,
    Integer,
    Boolean,
    Object,
    Array,
    Null,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawOrders {
    pub(crate) random: Opt<Vec<Spanned<RawGenerator>>>,
    pub(crate) scripts: Opt<Vec<Spanned<RawScript>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawGenerator {
    pub(crate) every: Opt<RawDuration>,
    pub(crate) rate: Opt<RawRate>,
    pub(crate) arrivals: Opt<RawArrivals>,
    pub(crate) jitter: Opt<RawDuration>,
    pub(crate) amount: Opt<RawAmount>,
    pub(crate) products: Opt<RawDraw>,
    pub(crate) from: Opt<RawDuration>,
    pub(crate) until: Opt<RawDuration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawArrivals {
    Even,
    Poisson,
}

#[derive(Debug, Deserialize)]
pub(crate) enum RawAmount {
    #[serde(rename = "\0integer")]
    Fixed(i64),
    #[serde(rename = "\0mapping")]
    Range(RawRange),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawRange {
    pub(crate) min: Opt<i64>,
    pub(crate) max: Opt<i64>,
}

#[derive(Debug, Deserialize)]
pub(crate) enum RawDraw {
    #[serde(rename = "all")]
    All,
    #[serde(rename = "\0list")]
    Ids(Vec<Spanned<String>>),
    #[serde(rename = "\0mapping")]
    By(RawDrawBy),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawDrawBy {
    pub(crate) category: Opt<String>,
    pub(crate) weights: Opt<Entries<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawScript {
    pub(crate) name: Opt<String>,
    pub(crate) start: Opt<RawDuration>,
    pub(crate) repeat: Opt<RawRepeat>,
    pub(crate) steps: Opt<Vec<Spanned<RawStep>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) enum RawRepeat {
    #[serde(rename = "forever")]
    Forever,
    #[serde(rename = "\0integer")]
    Times(i64),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawStep {
    pub(crate) at: Opt<RawDuration>,
    pub(crate) after: Opt<RawDuration>,
    pub(crate) product: Opt<Box<str>>,
    pub(crate) amount: Opt<i64>,
    pub(crate) times: Opt<i64>,
    pub(crate) every: Opt<RawDuration>,
    pub(crate) set: Opt<Box<RawSet>>,
    pub(crate) add: Opt<Box<RawAdd>>,
    pub(crate) remove: Opt<Box<RawRemove>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawSet {
    pub(crate) product: Opt<String>,
    pub(crate) total: Opt<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawAdd {
    pub(crate) category: Opt<String>,
    pub(crate) product: Opt<RawProduct>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawRemove {
    pub(crate) product: Opt<String>,
}

/// A product: three keys of the language, the others are its own.
#[derive(Debug, Default)]
pub(crate) struct RawProduct {
    pub(crate) id: Opt<String>,
    pub(crate) total: Opt<i64>,
    pub(crate) order: Opt<Map<String, Value>>,
    pub(crate) own: Map<String, Value>,
}

// By hand, because serde's `flatten` buffers values and with that loses their places.
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
                    // A value that cannot be decoded is in the list of problems already.
                    let value: Spanned<Value> = map.next_value()?;
                    product.own.insert(key, value.value.unwrap_or_default());
                }
            }
        }
        Ok(product)
    }
}
