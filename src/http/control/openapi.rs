//! The `OpenAPI` 3.1 document of the control API, generated from its table and the types of its requests and answers.

mod page;

use poem::{Response, handler};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::answer::{ErrorAnswer, json as json_answer};
use super::operation::{Access, AnswerContent, ControlOperation};
use super::operations::operations;

pub use page::control_page;

/// Serves the document.
#[handler]
pub(super) fn get_openapi() -> Response {
    json_answer(&control_document())
}

/// Returns the `OpenAPI` 3.1 document of the control API.
#[must_use]
pub fn control_document() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ErrorAnswer>().to_value();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations(get_openapi) {
        let Some(summary) = operation.summary else { continue };
        let described = operation.describe(summary, &mut generator, &error);
        // OpenAPI has no syntax for a parameter that spans several segments.
        let path = paths.entry(operation.path.replace("{*", "{")).or_insert_with(|| json!({}));
        path[operation.method_name()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mockd control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Below `/@NAME`, operations act on the world of that name, otherwise on the default world.",
        },
        "servers": [
            { "url": "/", "description": "The default world" },
            { "url": "/@{world}", "description": "A world", "variables": { "world": { "default": "default" } } },
        ],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer",
                "description": "Required only if mockd was started with --control-token." } },
        },
    })
}

impl ControlOperation {
    fn describe(&self, summary: &str, generator: &mut SchemaGenerator, error: &Value) -> Value {
        let answer = match self.content {
            AnswerContent::Json(schema) => json!({ "application/json": { "schema": schema(generator) } }),
            AnswerContent::Lines => json!({ "application/x-ndjson": { "schema": { "type": "string" } } }),
        };
        let mut responses = Map::new();
        let mut response = json!({ "description": summary, "content": answer });
        if matches!(self.content, AnswerContent::Lines) {
            let dropped = "The number of these events that were dropped because the transcript is bounded.";
            response["headers"] =
                json!({ "x-mockd-dropped": { "description": dropped, "schema": { "type": "integer" } } });
        }
        responses.insert(self.status.into(), response);
        let is_open = self.access == Access::Open;
        let refused: &[&str] = if is_open { &[] } else { &["401", "403", "404"] };
        for status in self.errors.iter().chain(refused) {
            let content = json!({ "application/json": { "schema": error } });
            responses.insert((*status).into(), json!({ "description": "An error", "content": content }));
        }
        let mut described = json!({
            "operationId": self.id(),
            "summary": summary,
            "parameters": self.parameters(generator),
            "responses": responses,
        });
        if let Some(request) = self.request {
            let content = json!({ "application/json": { "schema": request(generator) } });
            described["requestBody"] = json!({ "required": !self.is_body_optional, "content": content });
        }
        if !is_open {
            described["security"] = json!([{}, { "token": [] }]);
        }
        described
    }

    fn method_name(&self) -> String {
        self.method.as_str().to_ascii_lowercase()
    }

    /// Returns the operation's id: the method and the words of the path, as code generators expect, such as
    /// `postSocketsSocketClose`.
    fn id(&self) -> String {
        let words = self.path.split(['/', '{', '}', '*', '.']).filter(|word| !word.is_empty() && *word != "__mockd");
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        std::iter::once(self.method_name()).chain(words.map(capital)).collect()
    }

    /// Returns the parameters of the path and of the query.
    fn parameters(&self, generator: &mut SchemaGenerator) -> Vec<Value> {
        let segments = self.path.split('/').filter_map(|one| one.strip_prefix('{')?.strip_suffix('}'));
        let segments = segments.map(|name| name.trim_start_matches('*'));
        let kind = |name: &str| if name == "socket" { "integer" } else { "string" };
        let mut parameters: Vec<Value> = segments
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind(name) } }))
            .collect();
        let Some(query) = self.query else { return parameters };
        let query = query(generator);
        for (name, schema) in query["properties"].as_object().into_iter().flatten() {
            // A query parameter can be omitted but cannot be null.
            let mut schema = schema.clone();
            if let Some(fields) = schema.as_object_mut() {
                fields.remove("default");
                if let Some(types) = fields.get("type").and_then(Value::as_array) {
                    let first = types[0].clone();
                    fields.insert("type".into(), first);
                }
            }
            parameters.push(json!({ "name": name, "in": "query", "required": false, "schema": schema }));
        }
        parameters
    }
}
