//! The scenario as it is written: serde shapes with places, before anything is checked or filled in.
//!
//! Every key is optional here; [`super::validate`] says what is missing, so that one missing key hides nothing else.
//! The documentation of a field is what editors and `mockd explain` show for its key; [`super::schema()`] is made from
//! these types.

mod catalogue;
mod data;
mod endpoints;
mod fault;
mod http;
mod orders;
mod rules;
mod steps;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

pub(crate) use catalogue::{RawCategory, RawField, RawProduct, RawTypes};
pub(crate) use data::{RawDataFile, RawDatum, RawGenerate, RawMadeRows, RawMoment, RawRow};
pub(crate) use endpoints::{RawEndpoint, RawMessageRule, RawProtocol, RawRefusals, RawSubprotocols};
pub(crate) use fault::{RawDamage, RawFault, RawLatency, RawOn, RawSpread, RawTimeout};
pub(crate) use http::{RawAnswer, RawAnswers, RawCrud, RawCrudQuery, RawMatch, RawOperation};
pub(crate) use orders::{
    RawAdd, RawAmount, RawArrivals, RawDraw, RawDrawBy, RawGenerator, RawRepeat, RawScript, RawStep,
};

pub(crate) use rules::{RawPick, RawPickBy, RawPostedSteps, RawRuleGenerator, RawRuleScript, RawTrigger};
pub(crate) use steps::{
    RawClose, RawExpression, RawJoin, RawLeave, RawMembership, RawOrder, RawRuleStep, RawSend, RawVerb, RawVerbValue,
    VERBS,
};

use super::fault::Share;
use super::units::{UnitError, parse_duration, parse_rate};
use super::yaml::{Entries, Items, JsonNode, Spanned};

/// A value that may be left out, with its place.
pub(crate) type Opt<T> = Option<Spanned<T>>;

/// A mock backend with live data: categories of products, and what moves their order totals.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "scenario")]
pub(crate) struct RawScenario {
    /// What mockd calls the scenario; the file's name without its ending otherwise.
    #[schemars(example = &"shop")]
    pub(crate) name: Opt<String>,
    /// Decides everything random: the same seed gives the same orders on every platform, for ever. Without it mockd
    /// takes one by chance and says which. `--seed` wins over it.
    #[schemars(example = 42, range(min = 0))]
    pub(crate) seed: Opt<u64>,
    /// The date and time of the world's time 0, for `now` in expressions. Without it, that is when the world begins; in a
    /// paused world, in `mockd play` and in what `generate` makes, it is 2026-01-01T00:00:00Z.
    pub(crate) starts: Opt<RawMoment>,
    /// Which orders a live socket gets.
    #[schemars(extend("default" = "all"))]
    pub(crate) feed: Opt<RawFeed>,
    /// How the API is served. Flags win over it, and a change takes a restart.
    pub(crate) server: Opt<RawServer>,
    /// The categories by name. A name is the path of its products, so it cannot be `orders`, hold a `/`, or start with
    /// `__` or `@`.
    #[schemars(extend("minProperties" = 1, "propertyNames" = { "pattern": "^(?!(orders|\\.\\.?)$|__|@)[^/]+$" }))]
    pub(crate) categories: Opt<Entries<RawCategory>>,
    /// What goes wrong on purpose. Steps of scripts and `/__mockd/faults` bring more.
    pub(crate) faults: Opt<Vec<Spanned<RawFault>>>,
    /// What moves the totals by itself. Without it they move by POST alone.
    pub(crate) orders: Opt<RawOrders>,
    /// Values by name, for expressions and steps. A list of mappings is a collection: its items are rows, each with an `id`,
    /// and every change of a row is an event on the topics `NAME` and `NAME/ID`. A row without an id gets one: the next
    /// integer if all declared ids are integers or there are none, the next number behind their prefix if all have the same
    /// (`A1`, `A2`), else a UUID that follows from its name and place. All other values are what they are; text in them is no expression. A name has letters, digits and `_`.
    #[schemars(
        with = "Opt<Entries<RawDatum>>",
        extend("propertyNames" = { "pattern": "^(?!__)[A-Za-z_][A-Za-z0-9_]*$" }),
        example = serde_json::json!({ "todos": [{ "title": "Buy milk", "done": false }], "price": 9.5, "quotes": { "from": "quotes.csv" } })
    )]
    pub(crate) data: Opt<Entries<JsonNode>>,
    /// Timelines of steps, any number of them side by side.
    #[schemars(with = "Opt<Vec<Spanned<RawRuleScript>>>")]
    pub(crate) scripts: Opt<Items<RawRuleScript>>,
    /// What happens at random times, any number of them, each independent of the others.
    #[schemars(with = "Opt<Vec<Spanned<RawRuleGenerator>>>")]
    pub(crate) random: Opt<Items<RawRuleGenerator>>,
    /// What happens when something is sent to a topic, or a collection changes.
    #[schemars(with = "Opt<Vec<Spanned<RawTrigger>>>")]
    pub(crate) triggers: Opt<Items<RawTrigger>>,
    /// What requests are answered with. A key is a method and a path, such as `GET /todos/{id}`: `{id}` is any segment,
    /// `{*rest}` all segments that are left, and `ANY` every method. The key of a route with `crud` is the path alone.
    #[schemars(with = "Opt<Entries<RawAnswers>>", extend("propertyNames" = { "pattern": ROUTE_PATTERN }))]
    pub(crate) http: Opt<Entries<JsonNode>>,
    /// WebSocket endpoints. A key is a path, such as `/rooms/{room}`: `{room}` is any segment, `{*rest}` all segments
    /// that are left. A route of `http` may have the same path: it answers all other requests.
    #[schemars(with = "Opt<Entries<RawEndpoint>>", extend("propertyNames" = { "pattern": ENDPOINT_PATTERN }))]
    pub(crate) websocket: Opt<Entries<JsonNode>>,
    /// Files to merge in, relative to this one. Mappings are merged key by key: keys of this file win over those of
    /// included files, later files over earlier ones. Everything else, lists too, is taken whole. Included files may
    /// include others, and each is watched for changes.
    #[schemars(example = ["common.yaml"])]
    pub(crate) include: Opt<RawInclude>,
}

/// Which orders a live socket gets.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "feed")]
pub(crate) enum RawFeed {
    /// Those of every category.
    All,
    /// Those of the category that it asked for last.
    Category,
}

/// How the API is served.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "server")]
pub(crate) struct RawServer {
    /// The IP address to listen on, or `localhost` for `127.0.0.1` and `::1`; `0.0.0.0` for all. `--host` wins over it.
    #[schemars(extend("default" = "localhost"))]
    pub(crate) host: Opt<String>,
    /// The port to listen on, 0 for any free one. `--port` wins over it.
    #[schemars(range(min = 0, max = 65535), extend("default" = 3000))]
    pub(crate) port: Opt<i64>,
    /// The directory served at `/`, relative to this file; the browser app inside mockd otherwise. `--static` wins
    /// over it.
    #[serde(rename = "static")]
    #[schemars(example = &"../static")]
    pub(crate) site: Opt<String>,
    /// Which web pages may read the API: `true` for all, `false` for none but the server's own, or a list of origins.
    #[schemars(example = ["http://localhost:5173"], extend("default" = true))]
    pub(crate) cors: Opt<RawCors>,
}

/// Which web pages may read the API.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "cors")]
pub(crate) enum RawCors {
    /// All of them, or none but the server's own.
    #[serde(rename = "\0boolean")]
    #[schemars(untagged)]
    Switch(bool),
    /// Those of these origins.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Origins(Vec<Spanned<String>>),
}

/// What moves the totals by itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "orders")]
pub(crate) struct RawOrders {
    /// Random generators, any number of them, each independent of the others.
    pub(crate) random: Opt<Vec<Spanned<RawGenerator>>>,
    /// Timelines, any number of them side by side.
    pub(crate) scripts: Opt<Vec<Spanned<RawScript>>>,
}

/// Files to merge in.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "include")]
pub(crate) enum RawInclude {
    /// One file.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    One(String),
    /// Several files.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(Vec<Spanned<String>>),
}

// Texts of a certain form.

/// What every key of a route matches.
const ROUTE_PATTERN: &str = r"^((GET|POST|PUT|PATCH|DELETE|ANY) +)?/(?!@|__mockd(/|$))";

/// What every key of an endpoint matches.
const ENDPOINT_PATTERN: &str = r"^/(?!@|__mockd(/|$))";

/// What every duration matches (ECMA-262 syntax, as JSON Schema has it).
const DURATION_PATTERN: &str = r"^([0-9]+(\.[0-9]*)?(h|ms|m|s|us|µs|ns))+$";

/// What every rate matches.
const RATE_PATTERN: &str = r"^([0-9]+\.?[0-9]*|\.[0-9]+) */ *[smh]$";

/// What every share matches.
const SHARE_PATTERN: &str = r"^([0-9]+\.?[0-9]*|\.[0-9]+) *%$";

/// A duration. What serde calls it is what the decoder says it expected.
#[derive(Debug, Deserialize)]
#[serde(rename = "a duration such as 500ms, 5s or 1m30s")]
pub(crate) struct RawDuration(#[serde(deserialize_with = "duration")] pub(crate) Result<Duration, UnitError>);

/// A rate, as the mean time between two events.
#[derive(Debug, Deserialize)]
#[serde(rename = "a rate such as 20/s, 90/m or 0.5/h")]
pub(crate) struct RawRate(#[serde(deserialize_with = "rate")] pub(crate) Result<Duration, UnitError>);

/// A share of all; none if it is no percentage up to 100.
#[derive(Debug, Deserialize)]
#[serde(rename = "a percentage such as 20% or 0.5%")]
pub(crate) struct RawShare(#[serde(deserialize_with = "share")] pub(crate) Result<Share, UnitError>);

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Share, UnitError>, D::Error> {
    deserializer.deserialize_str(StrVisitor(|text| Share::parse(text).ok_or_else(|| UnitError::Share(text.to_owned()))))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Duration, UnitError>, D::Error> {
    deserializer.deserialize_str(StrVisitor(parse_duration))
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Duration, UnitError>, D::Error> {
    deserializer.deserialize_str(StrVisitor(parse_rate))
}

/// Reads text without keeping it: a script may have a million of them.
struct StrVisitor<R>(fn(&str) -> R);

impl<R> Visitor<'_> for StrVisitor<R> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<R, E> {
        Ok(self.0(text))
    }
}

impl JsonSchema for RawDuration {
    fn schema_name() -> Cow<'static, str> {
        "duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Hours, minutes, seconds and their parts (h, m, s, ms, us, ns), larger ones first, a fraction only in the last; at most 24000h.",
            "pattern": DURATION_PATTERN,
            "examples": ["250ms", "1.5s", "2m", "1h30m"],
        })
    }
}

impl JsonSchema for RawShare {
    fn schema_name() -> Cow<'static, str> {
        "share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A percentage from 0% to 100%.",
            "pattern": SHARE_PATTERN,
            "examples": ["20%", "0.5%"],
        })
    }
}

impl JsonSchema for RawRate {
    fn schema_name() -> Cow<'static, str> {
        "rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "So many a second (s), minute (m) or hour (h), from 0.001/h to 1000000/s.",
            "pattern": RATE_PATTERN,
            "examples": ["20/s", "90/m", "0.5/h"],
        })
    }
}
