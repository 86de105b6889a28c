//! Texts of a certain form.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use crate::scenario::fault::Share;
use crate::scenario::units::{UnitError, parse_duration, parse_rate};

/// What every duration matches (ECMA-262 syntax, as JSON Schema has it).
const DURATION_PATTERN: &str = r"^([0-9]+(\.[0-9]*)?(h|ms|m|s|us|µs|ns))+$";

/// What every rate matches.
const RATE_PATTERN: &str = r"^([0-9]+\.?[0-9]*|\.[0-9]+) */ *[smh]$";

/// What every share matches.
const SHARE_PATTERN: &str = r"^([0-9]+\.?[0-9]*|\.[0-9]+) *%$";

/// A duration. What serde calls it is what the decoder says it expected.
#[derive(Debug, Deserialize)]
#[serde(rename = "a duration such as 250ms, 1.5s, 2m or 1h30m")]
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
    deserializer.deserialize_str(Text(|text| Share::parse(text).ok_or_else(|| UnitError::Share(text.to_owned()))))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Duration, UnitError>, D::Error> {
    deserializer.deserialize_str(Text(parse_duration))
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Duration, UnitError>, D::Error> {
    deserializer.deserialize_str(Text(parse_rate))
}

/// Reads text without keeping it: a script may have a million of them.
struct Text<R>(fn(&str) -> R);

impl<R> Visitor<'_> for Text<R> {
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
