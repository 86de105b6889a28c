//! The scenario as written: serde types with source spans, before validation and defaults.
//!
//! Every key is optional here; [`super::validate`] reports missing keys, so that a missing key does not hide other
//! problems. Editors and `mockd explain` show the documentation of a field for its key, and [`super::schema()`] is
//! generated from these types.

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
pub(crate) use data::{RawDataFile, RawDatum, RawGenerate, RawGeneratedRows, RawMoment, RawRow};
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

/// An optional value with its span.
pub(crate) type Opt<T> = Option<Spanned<T>>;

/// A mock API: its data, its HTTP routes and WebSocket endpoints, and what happens over time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "scenario")]
pub(crate) struct RawScenario {
    /// The scenario's name. Defaults to the file name without its extension.
    #[schemars(example = &"shop")]
    pub(crate) name: Opt<String>,
    /// The seed for every random choice. The same seed always produces the same orders, on every platform. Without it,
    /// mockd picks a random seed and prints it. `--seed` overrides it.
    #[schemars(example = 42, range(min = 0))]
    pub(crate) seed: Opt<u64>,
    /// The date and time at which the world's clock starts, for `now` in expressions. Defaults to the time when the
    /// world is created, or to 2026-01-01T00:00:00Z in a paused world, in `mockd play` and for `generate`.
    pub(crate) starts: Opt<RawMoment>,
    /// Which orders a live socket receives.
    #[schemars(extend("default" = "all"))]
    pub(crate) feed: Opt<RawFeed>,
    /// Server settings. Flags override them, and changes take effect at the next start.
    pub(crate) server: Opt<RawServer>,
    /// The categories by name. The name is the path of the category's products, so it cannot be `orders`, contain a
    /// `/`, or start with `__` or `@`.
    #[schemars(extend("minProperties" = 1, "propertyNames" = { "pattern": "^(?!(orders|\\.\\.?)$|__|@)[^/]+$" }))]
    pub(crate) categories: Opt<Entries<RawCategory>>,
    /// Faults to inject. Steps and `/__mockd/faults` can add more. Their values cannot be expressions.
    #[schemars(with = "Opt<Vec<Spanned<RawFault>>>")]
    pub(crate) faults: Opt<Items<RawFault>>,
    /// Orders that mockd places on its own. Without it, totals change only by POST.
    pub(crate) orders: Opt<RawOrders>,
    /// Named values for expressions and steps. A list of mappings is a collection: its items are rows, each with an
    /// `id`, and every change of a row is an event on the topics `NAME` and `NAME/ID`. A row without an id gets one:
    /// the next integer if all declared ids are integers or there are none, the next number after their common prefix
    /// if they share one (`A1`, `A2`), otherwise a UUID derived from the collection's name and the row's position. Any
    /// other value is used unchanged, and text in it is never an expression. A name consists of letters, digits and
    /// `_`.
    #[schemars(
        with = "Opt<Entries<RawDatum>>",
        extend("propertyNames" = { "pattern": "^(?!__)[A-Za-z_][A-Za-z0-9_]*$" }),
        example = serde_json::json!({ "todos": [{ "title": "Buy milk", "done": false }], "price": 9.5, "quotes": { "from": "quotes.csv" } })
    )]
    pub(crate) data: Opt<Entries<JsonNode>>,
    /// Timelines of steps. They run independently of each other.
    #[schemars(with = "Opt<Vec<Spanned<RawRuleScript>>>")]
    pub(crate) scripts: Opt<Items<RawRuleScript>>,
    /// Actions at random times. Each item is independent of the others.
    #[schemars(with = "Opt<Vec<Spanned<RawRuleGenerator>>>")]
    pub(crate) random: Opt<Items<RawRuleGenerator>>,
    /// Actions to run when something is sent to a topic or a collection changes.
    #[schemars(with = "Opt<Vec<Spanned<RawTrigger>>>")]
    pub(crate) triggers: Opt<Items<RawTrigger>>,
    /// Routes and their answers. A key is a method and a path, such as `GET /todos/{id}`: `{id}` matches one segment,
    /// `{*rest}` all remaining segments, and `ANY` every method. Of several matching paths, the most specific one that
    /// has the request's method answers, and `405` only if none has it. The key of a route with `crud` is only the path.
    #[schemars(with = "Opt<Entries<RawAnswers>>", extend("propertyNames" = { "pattern": ROUTE_PATTERN }))]
    pub(crate) http: Opt<Entries<JsonNode>>,
    /// WebSocket endpoints. A key is a path, such as `/rooms/{room}`: `{room}` matches one segment, `{*rest}` all
    /// remaining segments. A route of `http` may have the same path: it answers all other requests.
    #[schemars(with = "Opt<Entries<RawEndpoint>>", extend("propertyNames" = { "pattern": ENDPOINT_PATTERN }))]
    pub(crate) websocket: Opt<Entries<JsonNode>>,
    /// Files to merge into this one, relative to it. Mappings are merged key by key: keys of this file override those
    /// of included files, and later files override earlier ones. Everything else, including a list, is taken as a
    /// whole. Included files may include others, and mockd watches all of them.
    #[schemars(example = ["common.yaml"])]
    pub(crate) include: Opt<RawInclude>,
}

/// Which orders a live socket receives.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "feed")]
pub(crate) enum RawFeed {
    /// The orders of every category.
    All,
    /// The orders of the category that the socket requested last.
    Category,
}

/// Server settings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "server")]
pub(crate) struct RawServer {
    /// The IP address to listen on, or `localhost` for `127.0.0.1` and `::1`; `0.0.0.0` for all interfaces. `--host`
    /// overrides it.
    #[schemars(extend("default" = "localhost"))]
    pub(crate) host: Opt<String>,
    /// The port to listen on; 0 picks a free port. `--port` overrides it.
    #[schemars(range(min = 0, max = 65535), extend("default" = 3000))]
    pub(crate) port: Opt<i64>,
    /// The directory to serve at `/`, relative to this file. Without it, mockd serves its own page. `--static`
    /// overrides it.
    #[serde(rename = "static")]
    #[schemars(example = &"../static")]
    pub(crate) site: Opt<String>,
    /// Which web pages may read the API: `true` for all pages, `false` for the server's own pages only, or a list of
    /// origins.
    #[schemars(example = ["http://localhost:5173"], extend("default" = true))]
    pub(crate) cors: Opt<RawCors>,
}

/// Which web pages may read the API.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "cors")]
pub(crate) enum RawCors {
    /// All pages, or the server's own pages only.
    #[serde(rename = "\0boolean")]
    #[schemars(untagged)]
    Switch(bool),
    /// The pages of these origins.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Origins(Vec<Spanned<String>>),
}

/// Orders that mockd places on its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "orders")]
pub(crate) struct RawOrders {
    /// Generators of random orders. Each is independent of the others.
    pub(crate) random: Opt<Vec<Spanned<RawGenerator>>>,
    /// Timelines of orders. They run independently of each other.
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

// Formatted text.

/// The pattern of route keys.
const ROUTE_PATTERN: &str = r"^((GET|POST|PUT|PATCH|DELETE|ANY) +)?/(?!@|__mockd(/|$))";

/// The pattern of endpoint keys.
const ENDPOINT_PATTERN: &str = r"^/(?!@|__mockd(/|$))";

/// The pattern of durations, in ECMA-262 syntax as JSON Schema requires.
const DURATION_PATTERN: &str = r"^([0-9]+(\.[0-9]*)?(h|ms|m|s|us|µs|ns))+$";

/// The pattern of rates.
const RATE_PATTERN: &str = r"^([0-9]+\.?[0-9]*|\.[0-9]+) */ *[smh]$";

/// The pattern of shares.
const SHARE_PATTERN: &str = r"^([0-9]+\.?[0-9]*|\.[0-9]+) *%$";

/// A duration. The decoder's messages use its serde name.
#[derive(Debug, Deserialize)]
#[serde(rename = "a duration such as 500ms, 5s or 1m30s")]
pub(crate) struct RawDuration(#[serde(deserialize_with = "duration")] pub(crate) Result<Duration, UnitError>);

/// A rate, as the mean time between two events.
#[derive(Debug, Deserialize)]
#[serde(rename = "a rate such as 20/s, 90/m or 0.5/h")]
pub(crate) struct RawRate(#[serde(deserialize_with = "rate")] pub(crate) Result<Duration, UnitError>);

/// A share.
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

/// Parses text without copying it: a script may have a million durations.
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
            "description": "A duration in hours, minutes, seconds and smaller units (h, m, s, ms, us, ns), largest first; only the last number may have a fraction. At most 24000h.",
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
            "description": "A number per second (s), minute (m) or hour (h), from 0.001/h to 1000000/s.",
            "pattern": RATE_PATTERN,
            "examples": ["20/s", "90/m", "0.5/h"],
        })
    }
}
