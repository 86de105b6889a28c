//! The language explained: every key with its place, what it takes and what it means, as the schema has it.

mod page;
mod takes;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub use page::page;
use takes::Takes;

use super::schema::schema;

/// A mapping of the language.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Where it stands, such as `orders.random[]`; empty for the file as a whole.
    pub path: String,
    /// What it is.
    pub description: String,
    /// Its keys, in the order in which one would write them.
    pub keys: Vec<Key>,
}

/// A key of the language.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key with all that it is inside of, such as `orders.random[].every`. `[]` is an item of a list, `NAME` a key of
    /// the user's own.
    pub path: String,
    /// The key itself.
    pub name: String,
    /// What may stand behind it, in words.
    pub takes: String,
    /// What it means.
    pub description: String,
    /// Whether it has to be there.
    pub needed: bool,
    /// What holds without it, as YAML.
    pub default: Option<String>,
    /// Values that could stand behind it, as YAML.
    pub examples: Vec<String>,
    /// The words that may stand behind it, each with its meaning.
    pub words: Vec<(String, String)>,
}

/// All mappings of the language, outer ones first.
#[must_use]
pub fn sections() -> Vec<Section> {
    let schema = schema();
    let mut walk = Walk { definitions: Takes::new(&schema), seen: HashSet::new(), sections: Vec::new() };
    walk.visit(&schema, "");
    walk.sections
}

struct Walk<'s> {
    definitions: Takes<'s>,
    /// The definitions that were visited: each is explained where it comes first.
    seen: HashSet<&'s str>,
    sections: Vec<Section>,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, schema: &'s Value, path: &str) {
        if let Some(name) = schema["$ref"].as_str() {
            if self.seen.insert(name) {
                self.visit(self.definitions.resolve(schema), path);
            }
            return;
        }
        for alternative in ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
            self.visit(alternative, path);
        }
        if let Some(properties) = schema["properties"].as_object().filter(|_| schema.get("type").is_some()) {
            self.section(schema, properties, path);
        } else if schema["additionalProperties"].is_object() {
            self.visit(&schema["additionalProperties"], &inside(path, "NAME"));
        } else if schema["items"].is_object() {
            self.visit(&schema["items"], &format!("{path}[]"));
        }
    }

    fn section(&mut self, schema: &'s Value, properties: &'s Map<String, Value>, path: &str) {
        let needed = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        let key = |(name, schema): (&'s String, &'s Value)| Key {
            needed: needed.iter().any(|needed| needed == name),
            ..self.key(schema, name, path)
        };
        let keys = properties.iter().map(key).collect();
        self.sections.push(Section { path: path.to_owned(), description: text(schema, "description"), keys });
        for (name, schema) in properties {
            self.visit(schema, &inside(path, name));
        }
    }

    fn key(&self, schema: &Value, name: &str, path: &str) -> Key {
        Key {
            path: inside(path, name),
            name: name.to_owned(),
            takes: self.definitions.describe(schema),
            description: text(schema, "description"),
            needed: false,
            default: schema.get("default").map(as_yaml),
            examples: schema["examples"].as_array().into_iter().flatten().map(as_yaml).collect(),
            words: self.definitions.words(schema),
        }
    }
}

fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn text(schema: &Value, key: &str) -> String {
    schema[key].as_str().unwrap_or_default().to_owned()
}

/// A value in YAML's flow style, as one would write it on one line.
fn as_yaml(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().all(|c| c.is_alphanumeric() || " ./_".contains(c)) => {
            // What would be read as something else is quoted, as is a number that is meant as text.
            if text.parse::<f64>().is_ok() { format!("\"{text}\"") } else { text.clone() }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(as_yaml).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}: {}", as_yaml(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}
