//! The language as a JSON Schema (draft 2020-12), generated from the types that files are decoded into.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::include::ANCHORS;
use super::raw::RawScenario;
use super::yaml::{Entries, Id, IdNode, Items, JsonNode, Spanned};

/// Returns the JSON Schema of scenario files. [`super::load()`] rejects everything that the schema rejects, and more,
/// because a schema cannot follow references.
#[must_use]
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawScenario>();
    schema.insert("title".into(), "mockd scenario".into());
    let anchors = json!({ "description": "Anchors for the rest of the file. Any other content is ignored." });
    schema.insert("patternProperties".into(), json!({ format!("^{ANCHORS}"): anchors }));
    // A file that includes others may leave required keys to them.
    schema.insert("if".into(), json!({ "required": ["include"] }));
    schema.insert("then".into(), true.into());
    let numbers = json!({ "properties": { "id": { "type": ["integer", "null"] } } });
    let number = json!({ "required": ["id"], "properties": { "id": { "type": "integer" } } });
    let products = json!({ "items": numbers, "contains": number });
    let numbered = json!({ "required": ["products"], "properties": { "products": products } });
    let categories = json!({ "additionalProperties": { "anyOf": [{ "required": ["prefix"] }, numbered] } });
    schema.insert("else".into(), json!({ "properties": { "categories": categories } }));
    let mut schema = schema.to_value();
    tidy(&mut schema);
    schema
}

/// Joins each description into one line, and removes formats, which are those of Rust types and not in the standard.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(mapping) => {
            mapping.retain(|key, value| key != "format" || !value.is_string());
            if let Some(Value::String(description)) = mapping.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            mapping.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

// The schemas of the generic types, which ignore spans.

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{} by name", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("list of {}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": items, "minItems": 1 })
    }
}

impl JsonSchema for Id {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"], "minLength": 1 })
    }
}

impl JsonSchema for JsonNode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

impl JsonSchema for IdNode {
    fn inline_schema() -> bool {
        Id::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Id::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Id::json_schema(generator)
    }
}
