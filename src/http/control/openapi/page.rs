//! The reference page of the control API: its `OpenAPI` document as Markdown.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value;

use super::control_document;
use crate::words::joined;

/// The hand-written part before the operations.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The page that explains the types that scenarios and the API share.
const LANGUAGE: &str = "language.md";

/// Returns the reference page of the control API in Markdown: an introduction, all operations, and the types of their
/// answers.
#[must_use]
pub fn control_page() -> String {
    let document = control_document();
    let mut writer = Writer { document: &document, bodies: HashMap::new(), page: INTRODUCTION.to_owned() };
    writer.operations();
    writer.types();
    writer.page
}

struct Writer<'d> {
    document: &'d Value,
    /// The body types that have been explained, each with its first operation.
    bodies: HashMap<&'d str, String>,
    page: String,
}

impl<'d> Writer<'d> {
    fn operations(&mut self) {
        let document = self.document;
        let paths = entries(&document["paths"]);
        let operations: Vec<(String, &'d Value)> = paths
            .flat_map(|(path, methods)| {
                entries(methods)
                    .map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
            })
            .collect();
        self.page += "\n## Operations\n\n| request | what it does |\n|---|---|\n";
        for (title, operation) in &operations {
            self.line(format_args!("| [`{title}`](#{}) | {} |", anchor(title), cell(&operation["summary"])));
        }
        for (title, operation) in &operations {
            self.operation(title, operation);
        }
    }

    fn operation(&mut self, title: &str, operation: &'d Value) {
        self.line(format_args!("\n### `{title}`\n\n{}.", cell(&operation["summary"])));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query: Vec<&Value> = parameters.filter(|parameter| parameter["in"] == "query").collect();
        if !query.is_empty() {
            self.page += "\n| query parameter | type | meaning |\n|---|---|---|\n";
            for parameter in query {
                let (name, schema) = (cell(&parameter["name"]), &parameter["schema"]);
                self.line(format_args!("| `{name}` | {} | {} |", kind(schema), cell(&schema["description"])));
            }
        }
        self.body(title, &operation["requestBody"]);
        self.answers(&operation["responses"]);
    }

    fn body(&mut self, title: &str, body: &'d Value) {
        let Some(reference) = body["content"]["application/json"]["schema"]["$ref"].as_str() else { return };
        let optional = if body["required"] == false { "The body is optional. " } else { "" };
        if let Some(first) = self.bodies.get(reference) {
            let link = format!("[`{first}`](#{})", anchor(first));
            return self.line(format_args!("\nThe body is the same as for {link}. {optional}"));
        }
        let Some(schema) = self.document.pointer(reference.trim_start_matches('#')) else { return };
        self.bodies.insert(reference, title.to_owned());
        self.line(format_args!("\nThe body: {} {optional}", cell(&schema["description"])));
        self.fields(schema);
    }

    fn answers(&mut self, responses: &Value) {
        let (done, failed): (Vec<_>, Vec<_>) = entries(responses).partition(|(status, _)| status.starts_with('2'));
        for (status, response) in done {
            let schema = &response["content"]["application/json"]["schema"];
            let what = if schema.is_object() { kind(schema) } else { "JSON lines".to_owned() };
            self.line(format_args!("\nReturns {status}: {what}."));
        }
        if !failed.is_empty() {
            let mut statuses: Vec<String> = failed.iter().map(|(status, _)| (*status).clone()).collect();
            statuses.sort();
            self.line(format_args!("Errors: {}.", joined(&statuses, "or")));
        }
    }

    /// Writes the types that operations and other types link to. The types of the scenario language, whose names start
    /// with a lower-case letter, have their own page.
    fn types(&mut self) {
        self.page += "\n## Types\n";
        let document = self.document;
        for (name, schema) in entries(&document["components"]["schemas"]) {
            let is_body = self.bodies.contains_key(format!("#/components/schemas/{name}").as_str());
            if is_body || name.starts_with(|first: char| first.is_lowercase()) {
                continue;
            }
            self.line(format_args!("\n### {name}"));
            if let Some(description) = schema.get("description") {
                self.line(format_args!("\n{}", cell(description)));
            }
            self.shape(schema);
        }
    }

    fn shape(&mut self, schema: &Value) {
        if schema["properties"].is_object() {
            return self.fields(schema);
        }
        if alternatives(schema).any(|one| one["properties"].is_object()) {
            return alternatives(schema).for_each(|one| self.fields(one));
        }
        let described: Vec<&Value> = alternatives(schema).filter(|one| one.get("description").is_some()).collect();
        if described.is_empty() {
            return self.line(format_args!("\nJSON: {}.", kind(schema)));
        }
        self.page.push('\n');
        for one in described {
            self.line(format_args!("- {}: {}", kind(one), cell(&one["description"])));
        }
    }

    fn fields(&mut self, schema: &Value) {
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        self.page += "\n| field | type | required | meaning |\n|---|---|---|---|\n";
        for (name, field) in entries(&schema["properties"]) {
            let needed = if required.iter().any(|one| one == name) { "yes" } else { "" };
            let default = field.get("default").filter(|default| !default.is_null());
            let default = default.map(|default| format!(" Default: `{default}`.")).unwrap_or_default();
            let meaning = cell(&field["description"]);
            self.line(format_args!("| `{name}` | {} | {needed} | {meaning}{default} |", kind(field)));
        }
    }

    fn line(&mut self, text: std::fmt::Arguments) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.page, "{}", text.to_string().trim_end());
    }
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf"].into_iter().filter_map(move |key| schema[key].as_array());
    lists.flatten().filter(|one| one["type"] != "null")
}

/// Describes a type in words, with links to the types that are explained elsewhere.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        let is_shared = name.starts_with(|first: char| first.is_lowercase());
        return if is_shared { format!("[`{name}`]({LANGUAGE})") } else { format!("[{name}](#{})", anchor(name)) };
    }
    let words = schema.get("const").into_iter().chain(schema["enum"].as_array().into_iter().flatten());
    let mut kinds: Vec<String> = words.filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
    kinds.extend(alternatives(schema).map(kind));
    if kinds.is_empty() {
        let names = schema["type"].as_array().map_or(std::slice::from_ref(&schema["type"]), Vec::as_slice);
        let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
        kinds.extend(names.map(|name| match name {
            "array" => format!("array of {}", kind(&schema["items"])),
            other => other.to_owned(),
        }));
    }
    if kinds.is_empty() { "any JSON".to_owned() } else { joined(&kinds, "or") }
}

/// Formats a text for a table cell.
fn cell(text: &Value) -> String {
    text.as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

/// Returns the anchor that Markdown renderers give to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
