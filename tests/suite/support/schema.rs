//! Scenario texts validated against the language's JSON Schema.

use std::sync::{Arc, OnceLock};

use mockd::scenario::{Scenario, Source, parse, schema};
use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;

/// Parses a scenario, and asserts that the schema accepts it too.
pub(crate) fn accepted(text: &str) -> Arc<Scenario> {
    let scenario = parse(&Source::new("scenario.yaml", text)).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    assert_eq!(schema_errors(text), None, "{text}");
    Arc::new(scenario)
}

/// Returns the reasons why the schema rejects a YAML text; `None` if it accepts the text.
pub(crate) fn schema_errors(text: &str) -> Option<String> {
    static VALIDATOR: OnceLock<jsonschema::Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| jsonschema::validator_for(&schema()).unwrap());
    let mut yaml: Yaml = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    yaml.apply_merge().unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&json(&yaml)).map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("\n"))
}

/// Converts YAML to JSON. Keys that are not text become text.
fn json(yaml: &Yaml) -> Value {
    let key = |key: &Yaml| key.as_str().map_or_else(|| json(key).to_string(), str::to_owned);
    match yaml {
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            Value::Object(entries.iter().map(|(name, value)| (key(name), json(value))).collect::<Map<_, _>>())
        }
        Yaml::Tagged(tagged) => json(&tagged.value),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}
