//! The language as a JSON Schema (draft 2020-12), made from the shapes that files are decoded into.

mod shapes;

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::raw::RawScenario;

/// The JSON Schema of scenario files. Whatever it rejects, [`super::load()`] rejects; the reverse does not hold, since
/// a schema cannot follow references.
#[must_use]
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawScenario>();
    schema.insert("title".into(), "mockd scenario".into());
    // A file that includes others may leave to them what would be missing here.
    schema.insert("if".into(), json!({ "required": ["include"] }));
    schema.insert("then".into(), true.into());
    let categories = json!({ "additionalProperties": { "required": ["prefix"] } });
    schema.insert("else".into(), json!({ "properties": { "categories": categories } }));
    let mut schema = schema.to_value();
    tidy(&mut schema);
    schema
}

/// Makes one line of each description, and leaves out formats, which are Rust's and not the standard's.
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
