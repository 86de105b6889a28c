//! The values under `data`: literal values, values from files, and generated rows.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::{Opt, StrVisitor};
use crate::scenario::units::{UnitError, parse_moment};
use crate::scenario::yaml::{JsonNode, Spanned};

/// A value of `data`. Only the schema uses this type: the decoder tells the variants apart by their keys.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "datum")]
#[expect(dead_code, reason = "only the schema derived from it is used")]
pub(crate) enum RawDatum {
    /// A value from a file.
    #[schemars(untagged)]
    File(RawDataFile),
    /// Generated rows.
    #[schemars(untagged)]
    Generated(RawGeneratedRows),
    /// A literal value.
    #[schemars(untagged)]
    Value(JsonNode),
}

/// A file that contains the value. mockd watches it like the scenario.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "dataFile")]
pub(crate) struct RawDataFile {
    /// The file's path, relative to this file. A `.csv` or `.tsv` file contains rows below a header with the names of
    /// their fields: a cell that is a number, `true` or `false` in JSON has that type, an empty cell is a missing
    /// field, and everything else is text. The content of a `.json`, `.yaml` or `.yml` file is the value itself.
    #[schemars(example = &"quotes.csv", required)]
    pub(crate) from: Opt<String>,
}

/// Rows that are generated when the scenario is loaded. The same scenario always produces the same rows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "madeRows")]
pub(crate) struct RawGeneratedRows {
    /// How many rows to generate, and what they look like.
    #[schemars(required)]
    pub(crate) generate: Opt<RawGenerate>,
}

/// How many rows to generate, and what they look like.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "generate")]
pub(crate) struct RawGenerate {
    /// The number of rows.
    #[schemars(range(min = 0, max = 1_000_000), required)]
    pub(crate) count: Opt<u64>,
    /// One row, with expressions. `index` is its position, from 0. Random functions draw from the collection's own
    /// stream, which is derived from its name and `seed`.
    #[schemars(
        required,
        with = "Map<String, Value>",
        example = json!({ "id": "{{ index + 1 }}", "name": "{{ fake('name') }}" })
    )]
    pub(crate) row: Opt<JsonNode>,
}

/// A row. Every key except `id` is one of its fields.
#[derive(Debug, Default)]
pub(crate) struct RawRow {
    pub(crate) id: Opt<Value>,
    pub(crate) fields: Map<String, Value>,
}

impl<'de> Deserialize<'de> for RawRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = RawRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawRow, A::Error> {
        let mut row = RawRow::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "id" {
                row.id = map.next_value()?;
            } else {
                // A value that cannot be decoded has already been reported.
                let value: Spanned<Value> = map.next_value()?;
                row.fields.insert(key, value.value.unwrap_or_default());
            }
        }
        Ok(row)
    }
}

/// A date and time, in milliseconds since the Unix epoch.
#[derive(Debug, Deserialize)]
#[serde(rename = "a date and time such as 2026-01-01T09:30:00Z")]
pub(crate) struct RawMoment(#[serde(deserialize_with = "moment")] pub(crate) Result<i64, UnitError>);

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<i64, UnitError>, D::Error> {
    deserializer.deserialize_str(StrVisitor(parse_moment))
}

impl JsonSchema for RawMoment {
    fn schema_name() -> Cow<'static, str> {
        "moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A date and time with its offset from UTC (RFC 3339).",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}",
            "examples": ["2026-01-01T09:30:00Z"],
        })
    }
}
