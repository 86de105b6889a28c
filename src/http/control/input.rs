//! Reads control requests; an error names the field.

use std::fmt;
use std::time::Duration;

use poem::Body;
use poem::http::HeaderMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::http::body;
use crate::http::error::ApiError;
use crate::scenario::{format_duration, parse_duration};

/// A time or a duration, written as in scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"250ms\", \"10s\" or \"1h30m\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                let explain = |error: crate::scenario::UnitError| E::custom(format!("{error}, {}", error.expected()));
                parse_duration(text).map(Time).map_err(explain)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration such as `250ms`, `1.5s` or `1h30m`.",
            "examples": ["250ms", "10s", "1h30m"],
        })
    }
}

/// Reads a body.
///
/// # Errors
/// As [`body::read`], and 400 with the field that is wrong.
pub(super) async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    from_json(body::read(headers, body).await?)
}

/// Reads a body that may be missing.
///
/// # Errors
/// As [`read`].
pub(super) async fn read_if_any<T: DeserializeOwned + Default>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    let bytes = body::bytes(body).await?;
    if bytes.is_empty() { Ok(T::default()) } else { read(headers, Body::from_bytes(bytes)).await }
}

fn from_json<T: DeserializeOwned>(json: Value) -> Result<T, ApiError> {
    if !json.is_object() {
        return Err(ApiError::NotAnObject(body::kind(&json)));
    }
    serde_path_to_error::deserialize(json).map_err(|error| {
        let (path, why) = (error.path().to_string(), error.inner().to_string());
        // An unknown field is told at the object that has it.
        let named = why.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
        let field = match (path.as_str(), named) {
            ("." | "", Some(name)) => name.to_owned(),
            (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
            ("." | "", None) => "body".to_owned(),
            (path, _) => path.to_owned(),
        };
        ApiError::Field { field, why }
    })
}

/// What is wrong with a field that has the right type.
pub(super) fn wrong(field: &str, why: impl fmt::Display) -> ApiError {
    ApiError::Field { field: field.to_owned(), why: why.to_string() }
}
