//! Reading of control requests, with errors that name the field.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use poem::Body;
use poem::http::{HeaderMap, Uri};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::http::body;
use crate::http::error::ApiError;
use crate::scenario::{format_duration, parse_duration};
use crate::world::SPEEDS;

/// A time or a duration, written as in scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

impl Time {
    /// Rounds down to whole milliseconds, which is precise enough for real time.
    pub(super) fn millis(time: Duration) -> Self {
        Self(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;
        impl Visitor<'_> for TimeVisitor {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"250ms\", \"10s\" or \"1h30m\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                let explain = |error: crate::scenario::UnitError| E::custom(format!("{error}, {}", error.expected()));
                parse_duration(text).map(Time).map_err(explain)
            }
        }
        deserializer.deserialize_str(TimeVisitor)
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

/// Checks that a clock supports this speed.
///
/// # Errors
/// 400 if it does not.
pub(super) fn expect_speed(speed: f64) -> Result<(), ApiError> {
    let why = || format!("{speed} is not between {} and {}", SPEEDS.start(), SPEEDS.end());
    SPEEDS.contains(&speed).then_some(()).ok_or_else(|| field_error("speed", why()))
}

/// Reads a JSON body.
///
/// # Errors
/// As for [`body::read`], and 400 with the invalid field.
pub(super) async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    from_json(body::expect_json(headers, &bytes(body).await?)?)
}

/// Returns the bytes of a body that has already been received.
///
/// # Errors
/// 400, which cannot happen for such a body.
pub(super) async fn bytes(body: Body) -> Result<Bytes, ApiError> {
    body.into_bytes().await.map_err(|error| ApiError::BrokenBody(error.into()))
}

/// Reads a JSON body that may be missing.
///
/// # Errors
/// As for [`read`].
pub(super) async fn read_if_any<T: DeserializeOwned + Default>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    let bytes = bytes(body).await?;
    if bytes.is_empty() { Ok(T::default()) } else { from_json(body::expect_json(headers, &bytes)?) }
}

/// Reads the query of a URL.
///
/// # Errors
/// 400 with the invalid field.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
        .map_err(|error| explain(&error, "query"))
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let json: Unique = serde_json::from_slice(bytes).map_err(ApiError::BadJson)?;
    let Unique(json @ Value::Object(_)) = json else { return Err(ApiError::NotAnObject(body::kind(&json.0))) };
    serde_path_to_error::deserialize(json).map_err(|error| explain(&error, "body"))
}

/// Names the invalid field: the one at the error's path, or an unknown or missing one below it.
fn explain<E: fmt::Display>(error: &serde_path_to_error::Error<E>, whole: &str) -> ApiError {
    let (path, why) = (error.path().to_string(), error.inner().to_string());
    let named = ["unknown field `", "missing field `"].iter().find_map(|start| why.strip_prefix(start));
    let named = named.and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    let field = match (path.trim_start_matches('.'), named) {
        ("", Some(name)) => name.to_owned(),
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        ("", None) => whole.to_owned(),
        (path, _) => path.to_owned(),
    };
    let words = [
        ("expected u64", "expected a whole number from 0"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
    ];
    let why = words.iter().fold(why, |why, (from, to)| why.replace(from, to));
    ApiError::Field { field, why }
}

/// A struct that is read only from a JSON object. A derived `Deserialize` also accepts a list of the struct's fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `deserialize_map` would not report what it found instead.
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Object<T>, A::Error> {
        Err(A::Error::custom("is an array, expected an object"))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
    }
}

/// Reads a struct field, only from an object.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads a field that is a list of structs, only from objects.
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// Reads a row's id, from text or from the number that the API shows.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    struct IdVisitor;

    impl Visitor<'_> for IdVisitor {
        type Value = Arc<str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or an integer")
        }

        fn visit_str<E: Error>(self, id: &str) -> Result<Arc<str>, E> {
            Ok(id.into())
        }

        fn visit_i64<E: Error>(self, id: i64) -> Result<Arc<str>, E> {
            Ok(id.to_string().into())
        }

        fn visit_u64<E: Error>(self, id: u64) -> Result<Arc<str>, E> {
            Ok(id.to_string().into())
        }
    }

    deserializer.deserialize_any(IdVisitor)
}

/// Returns the schema of what [`id`] accepts.
pub(super) fn id_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"] })
}

/// JSON without duplicate keys in its objects. Which of two values is meant would be unclear.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key `{key}`")));
            }
            let Unique(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Returns the error for a field that has the right type but an invalid value.
pub(super) fn field_error(field: &str, why: impl fmt::Display) -> ApiError {
    ApiError::Field { field: field.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{ApiError, from_json, object, objects};

    #[derive(Deserialize)]
    struct Named {
        #[expect(dead_code, reason = "only deserialized")]
        name: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(deserialize_with = "object")]
        #[expect(dead_code, reason = "only deserialized")]
        one: Named,
        #[serde(default, deserialize_with = "objects")]
        #[expect(dead_code, reason = "only deserialized")]
        many: Vec<Named>,
    }

    #[test]
    fn a_list_is_rejected_where_an_object_is_expected() {
        for (json, message) in [
            (r#"{"one":{"name":"a"},"many":[{"name":"b"}]}"#, ""),
            (r#"{"one":["a"]}"#, "one: is an array, expected an object"),
            (r#"{"one":{"name":"a"},"many":[{"name":"b"},["c"]]}"#, "many[1]: is an array, expected an object"),
            (r#"{"one":3}"#, "one: invalid type: integer `3`, expected an object"),
            (r#"{"one":{"name":3}}"#, "one.name: invalid type: integer `3`, expected a string"),
            (r#"{"one":{}}"#, "one.name: missing field `name`"),
        ] {
            let error = from_json::<Sample>(json.as_bytes()).err();
            assert_eq!(error.as_ref().map(ApiError::to_string).unwrap_or_default(), message, "{json}");
        }
    }
}
