//! What may stand behind a key, in words.

use serde_json::Value;

use crate::scenario::words::joined;

/// A schema's definitions.
pub(super) struct Takes<'s> {
    schema: &'s Value,
}

impl<'s> Takes<'s> {
    pub(super) fn new(schema: &'s Value) -> Self {
        Self { schema }
    }

    /// What a `$ref` names, or the schema itself.
    pub(super) fn resolve<'v>(&self, schema: &'v Value) -> &'v Value
    where
        's: 'v,
    {
        let named = schema["$ref"].as_str().and_then(|name| self.schema.pointer(name.trim_start_matches('#')));
        named.unwrap_or(schema)
    }

    /// The kinds of value in words, such as `integer or mapping`.
    pub(super) fn describe(&self, schema: &Value) -> String {
        let mut kinds = Vec::new();
        self.collect(schema, &mut kinds);
        kinds.dedup();
        if kinds.is_empty() {
            return "anything".into();
        }
        joined(&kinds, "or")
    }

    fn collect(&self, schema: &Value, kinds: &mut Vec<String>) {
        if let Some(name @ ("duration" | "rate")) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            return kinds.push(name.to_owned());
        }
        let schema = self.resolve(schema);
        let alternatives =
            schema["anyOf"].as_array().or(schema["oneOf"].as_array().filter(|_| schema["type"].is_null()));
        if let Some(alternatives) = alternatives {
            return alternatives.iter().for_each(|one| self.collect(one, kinds));
        }
        if let Some(word) = schema["const"].as_str() {
            return kinds.push(format!("`{word}`"));
        }
        let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        kinds.extend(words.map(|word| format!("`{word}`")));
        if schema["enum"].is_array() {
            return;
        }
        let types = schema["type"].as_array().map_or(std::slice::from_ref(&schema["type"]), Vec::as_slice);
        kinds.extend(types.iter().filter_map(Value::as_str).filter_map(|name| self.kind(name, schema)));
    }

    fn kind(&self, name: &str, schema: &Value) -> Option<String> {
        Some(match name {
            "null" => return None,
            "string" => "text".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "object" => "mapping".to_owned(),
            "array" if self.resolve(&schema["items"])["properties"].is_object() => "list of mappings".to_owned(),
            "array" => match self.describe(&schema["items"]) {
                words if words.contains('`') => "list of these".to_owned(),
                item => format!("list of {item}"),
            },
            other => other.to_owned(),
        })
    }

    /// The words that may stand there, each with its meaning where it has one.
    pub(super) fn words(&self, schema: &Value) -> Vec<(String, String)> {
        let schema = self.resolve(schema);
        let alternatives = ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
        let own = schema["const"]
            .as_str()
            .map(|word| (word.to_owned(), schema["description"].as_str().unwrap_or_default().to_owned()));
        own.into_iter().chain(alternatives.flat_map(|one| self.words(one))).collect()
    }
}
