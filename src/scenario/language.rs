//! The documentation of the language: every key with its place, its types and its meaning, generated from the schema.

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::{Map, Value};

use super::schema::schema;
use crate::words::joined;

/// The handwritten part of the page, which precedes the keys.
const INTRODUCTION: &str = include_str!("language/introduction.md");

/// A mapping of the language.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The place, such as `orders.random[]`; empty for the file as a whole.
    pub path: String,
    /// What the mapping describes.
    pub description: String,
    /// The keys, in the usual order.
    pub keys: Vec<KeyDoc>,
}

/// A key of the language.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDoc {
    /// The full path of the key, such as `orders.random[].every`. `[]` stands for an item of a list, `NAME` for a key
    /// that the user chooses.
    pub path: String,
    /// The key itself.
    pub name: String,
    /// The types of value that it takes, in words.
    pub takes: String,
    /// The meaning.
    pub description: String,
    /// Whether it is required.
    pub needed: bool,
    /// The default, as YAML.
    pub default: Option<String>,
    /// Example values, as YAML.
    pub examples: Vec<String>,
    /// The words that it takes, each with its meaning.
    pub words: Vec<(String, String)>,
    /// The keys of the mapping that it takes, or of the mappings inside its value, each with its meaning.
    pub keys: Vec<(String, String)>,
}

/// Returns all mappings of the language, outer ones first.
#[must_use]
pub fn sections() -> Vec<Section> {
    let schema = schema();
    let mut walk = Walk { definitions: Takes::new(&schema), seen: HashSet::new(), sections: Vec::new() };
    walk.visit(&schema, "");
    walk.sections
}

struct Walk<'s> {
    definitions: Takes<'s>,
    /// The definitions visited so far. Each is documented only at its first place.
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
        let key = |(name, schema): (&'s String, &'s Value)| KeyDoc {
            needed: needed.iter().any(|needed| needed == name),
            ..self.key(schema, name, path)
        };
        let keys = properties.iter().map(key).collect();
        self.sections.push(Section { path: path.to_owned(), description: text(schema, "description"), keys });
        for (name, schema) in properties {
            self.visit(schema, &inside(path, name));
        }
    }

    fn key(&self, schema: &Value, name: &str, path: &str) -> KeyDoc {
        KeyDoc {
            path: inside(path, name),
            name: name.to_owned(),
            takes: self.definitions.describe(schema),
            description: text(schema, "description"),
            needed: false,
            default: schema.get("default").map(as_yaml),
            examples: schema["examples"].as_array().into_iter().flatten().map(as_yaml).collect(),
            words: self.definitions.words(schema),
            keys: self.definitions.keys(schema),
        }
    }
}

fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn text(schema: &Value, key: &str) -> String {
    schema[key].as_str().unwrap_or_default().to_owned()
}

/// Writes a value in YAML's flow style, on one line.
fn as_yaml(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().all(|c| c.is_alphanumeric() || " ./_".contains(c)) => {
            // Text that YAML would read as a number is quoted.
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

/// A schema's definitions.
struct Takes<'s> {
    schema: &'s Value,
}

impl<'s> Takes<'s> {
    fn new(schema: &'s Value) -> Self {
        Self { schema }
    }

    /// Returns the definition that a `$ref` names, or the schema itself.
    fn resolve<'v>(&self, schema: &'v Value) -> &'v Value
    where
        's: 'v,
    {
        let named = schema["$ref"].as_str().and_then(|name| self.schema.pointer(name.trim_start_matches('#')));
        named.unwrap_or(schema)
    }

    /// Returns the types of value in words, such as `integer or mapping`.
    fn describe(&self, schema: &Value) -> String {
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

    /// Returns the keys of the mappings that a schema allows, directly or as items or values.
    fn keys(&self, schema: &Value) -> Vec<(String, String)> {
        let schema = self.resolve(schema);
        if let Some(properties) = schema["properties"].as_object().filter(|_| schema.get("type").is_some()) {
            return properties.iter().map(|(name, key)| (name.clone(), text(key, "description"))).collect();
        }
        let alternatives = ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
        let parts = ["additionalProperties", "items"].iter().map(|key| &schema[key]).filter(|part| part.is_object());
        let mut keys: Vec<(String, String)> = Vec::new();
        for (name, meaning) in alternatives.chain(parts).flat_map(|one| self.keys(one)) {
            if keys.iter().all(|(known, _)| *known != name) {
                keys.push((name, meaning));
            }
        }
        keys
    }

    /// Returns the words that a schema allows, each with its meaning, which may be empty.
    fn words(&self, schema: &Value) -> Vec<(String, String)> {
        let schema = self.resolve(schema);
        let alternatives = ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
        let own = schema["const"]
            .as_str()
            .map(|word| (word.to_owned(), schema["description"].as_str().unwrap_or_default().to_owned()));
        own.into_iter().chain(alternatives.flat_map(|one| self.words(one))).collect()
    }
}

/// Returns the page in Markdown: an introduction, then every key.
#[must_use]
pub fn page() -> String {
    let mut page = format!("{INTRODUCTION}\n## Every key\n\n");
    page += "`[]` stands for an item of a list, `NAME` for a key that you choose. A key in these tables that has no value counts as missing.\n";
    for section in sections() {
        add_section(&mut page, &section);
    }
    page
}

fn add_section(page: &mut String, Section { path, description, keys }: &Section) {
    let title = if path.is_empty() { "The file".to_owned() } else { format!("`{path}`") };
    // Writing to a string cannot fail.
    let _ = write!(page, "\n### {title}\n\n{description}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let default = key.default.as_ref().map(|default| format!("`{default}`"));
        let default = default.unwrap_or_else(|| if key.needed { "required".to_owned() } else { String::new() });
        let _ = writeln!(page, "| `{}` | {} | {default} | {} |", key.name, cell(&key.takes), cell(&meaning(key)));
    }
}

/// Returns text for a table cell. Markdown renderers disagree about `|` in code between backquotes, so such code
/// becomes HTML.
fn cell(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| match (index % 2 == 1, part.contains('|')) {
        (true, true) => format!("<code>{}</code>", entities(part)),
        (true, false) => format!("`{part}`"),
        (false, _) => part.replace('|', "\\|"),
    });
    parts.collect()
}

/// Replaces the characters that have a meaning in HTML or Markdown with numeric character references.
fn entities(text: &str) -> String {
    let is_special = |c: char| "|*_[]<>&~\\".contains(c);
    let written = |c: char| if is_special(c) { format!("&#{};", u32::from(c)) } else { c.to_string() };
    text.chars().map(written).collect()
}

fn meaning(key: &KeyDoc) -> String {
    let words = key.words.iter().filter(|(_, meaning)| !meaning.is_empty());
    let words: Vec<String> = words.map(|(word, meaning)| format!(" `{word}`: {meaning}")).collect();
    let examples: Vec<String> = key.examples.iter().map(|example| format!("`{example}`")).collect();
    let examples = if examples.is_empty() { String::new() } else { format!(" For example {}.", examples.join(", ")) };
    format!("{}{}{examples}", key.description, words.concat())
}
