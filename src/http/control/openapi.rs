//! The `OpenAPI` 3.1 document of the control API, made from the types that handlers read and answer with.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{about, answer, clock, faults, journal, orders, scenarios, snapshots, sockets, state, worlds};
use crate::scenario::FaultShape;
use crate::world::Verdict;

type Shape = fn(&mut SchemaGenerator) -> Value;

/// One operation of the API.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    request: Option<Shape>,
    /// Whether the request's body may be missing.
    is_optional: bool,
    status: &'static str,
    answer: Answer,
    errors: &'static [&'static str],
    /// Whether everybody may ask, or only who may control the mock.
    is_open: bool,
}

enum Answer {
    Json(Shape),
    Lines,
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

fn get(path: &'static str, summary: &'static str, answer: Shape) -> Operation {
    let (method, status, answer) = ("get", "200", Answer::Json(answer));
    Operation { method, path, summary, request: None, is_optional: false, status, answer, errors: &[], is_open: false }
}

fn post(path: &'static str, summary: &'static str, request: Shape, answer: Shape) -> Operation {
    Operation { method: "post", request: Some(request), errors: &["400", "413", "415"], ..get(path, summary, answer) }
}

fn delete(path: &'static str, summary: &'static str, errors: &'static [&'static str]) -> Operation {
    Operation { method: "delete", errors, ..get(path, summary, shape::<answer::Done>) }
}

impl Operation {
    fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    fn errors(self, errors: &'static [&'static str]) -> Self {
        Self { errors, ..self }
    }
}

fn operations() -> Vec<Operation> {
    use answer::{ClockAnswer, Done, Happened};
    const WITH_UNKNOWN: &[&str] = &["400", "404", "413", "415"];
    vec![
        get("/__mockd/health", "That the server is well", shape::<about::HealthAnswer>).open(),
        get("/__mockd/openapi.json", "This document", |_| json!({ "type": "object" })).open(),
        get("/__mockd/categories", "The scenario's name and categories", shape::<about::CategoriesAnswer>).open(),
        get("/__mockd/reload", "What became of the last save of the scenario", shape::<about::ReloadAnswer>),
        get("/__mockd/state", "The world at this moment", shape::<state::StateAnswer>),
        Operation {
            method: "patch",
            ..post("/__mockd/state", "Set totals, all or none", shape::<state::PatchRequest>, shape::<Happened>)
        },
        post(
            "/__mockd/reset",
            "Back to the scenario's start: totals, products, clock, random streams, journal, snapshots; open sockets \
             stay and get current orders",
            shape::<state::ResetRequest>,
            shape::<Done>,
        )
        .optional(),
        get("/__mockd/clock", "The clock", shape::<ClockAnswer>),
        post(
            "/__mockd/clock",
            "Stop, start, speed up or advance the clock; answered when everything until then has happened and is \
             written to the open sockets",
            shape::<clock::ClockRequest>,
            shape::<clock::Advanced>,
        ),
        post("/__mockd/orders", "Carry out orders, all or none", shape::<orders::OrdersRequest>, shape::<Happened>),
        Operation {
            answer: Answer::Lines,
            errors: &["400"],
            ..get("/__mockd/transcript", "Every event since the start or reset, as JSON lines", |_| Value::Null)
        },
        get("/__mockd/snapshots", "The snapshots", shape::<snapshots::SnapshotsAnswer>),
        post("/__mockd/snapshots", "Keep this moment", shape::<snapshots::SnapshotRequest>, shape::<Done>)
            .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/snapshots/{name}", "Drop a snapshot", &["404"]),
        Operation {
            request: None,
            ..post("/__mockd/snapshots/{name}/restore", "Go back to a snapshot", |_| Value::Null, shape::<Done>)
                .errors(&["404"])
        },
        get("/__mockd/journal", "What happened between the world and its clients", shape::<journal::JournalAnswer>)
            .errors(&["400"]),
        delete("/__mockd/journal", "Empty the journal", &[]),
        post("/__mockd/journal/wait", "Wait for entries", shape::<journal::WaitRequest>, shape::<Verdict>),
        post(
            "/__mockd/verify",
            "Hold the journal against expectations",
            shape::<journal::VerifyRequest>,
            shape::<Verdict>,
        ),
        get("/__mockd/sockets", "The open sockets", shape::<sockets::SocketsAnswer>),
        post(
            "/__mockd/sockets/close",
            "Close all sockets",
            shape::<sockets::CloseRequest>,
            shape::<sockets::ClosedAnswer>,
        )
        .optional(),
        post("/__mockd/sockets/send", "Send a frame to all sockets", shape::<sockets::SendRequest>, shape::<Done>),
        post(
            "/__mockd/sockets/{socket}/close",
            "Close a socket",
            shape::<sockets::CloseRequest>,
            shape::<sockets::ClosedAnswer>,
        )
        .optional()
        .errors(WITH_UNKNOWN),
        post(
            "/__mockd/sockets/{socket}/send",
            "Send a frame to a socket",
            shape::<sockets::SendRequest>,
            shape::<Done>,
        )
        .errors(WITH_UNKNOWN),
        get("/__mockd/worlds", "All worlds", shape::<worlds::WorldsAnswer>),
        Operation {
            status: "201",
            ..post("/__mockd/worlds", "Make a world", shape::<worlds::WorldRequest>, shape::<worlds::WorldAnswer>)
                .errors(&["400", "409", "413", "415", "503"])
        },
        get("/__mockd/worlds/{name}", "One world", shape::<worlds::WorldAnswer>).errors(&["400", "404"]),
        delete("/__mockd/worlds/{name}", "Remove a world; its sockets are closed", &["400", "404", "409"]),
    ]
}

/// Those on faults.
fn on_faults() -> Vec<Operation> {
    vec![
        get("/__mockd/faults", "What goes wrong on purpose", shape::<faults::FaultsAnswer>),
        post("/__mockd/faults", "Bring a fault", shape::<FaultShape>, shape::<faults::FaultAnswer>)
            .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/faults", "Lift all faults", &[]),
        get("/__mockd/faults/{fault}", "One fault, by number or name", shape::<faults::FaultAnswer>).errors(&["404"]),
        Operation {
            method: "put",
            ..post(
                "/__mockd/faults/{fault}",
                "Put another in the place of a fault",
                shape::<FaultShape>,
                shape::<faults::FaultAnswer>,
            )
            .errors(&["400", "404", "409", "413", "415"])
        },
        delete("/__mockd/faults/{fault}", "Lift a fault", &["404"]),
    ]
}

/// Those on the files that can be served.
fn on_scenarios() -> Vec<Operation> {
    vec![
        get(
            "/__mockd/scenarios",
            "The scenario files that mockd was started with, and which of them is served",
            shape::<scenarios::ScenariosAnswer>,
        ),
        post(
            "/__mockd/scenarios",
            "Serve another of the scenario files from now on, in all worlds, and follow it; open sockets stay, and so does \
             what is the same in both. Answered when it is done, as `GET /__mockd/reload` is then",
            shape::<scenarios::SwitchRequest>,
            shape::<about::ReloadAnswer>,
        )
        .errors(&["400", "404", "409", "413", "415", "422", "503"]),
    ]
}

/// The document.
pub(super) fn document() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let error = shape::<answer::ErrorAnswer>(&mut generator);
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations().into_iter().chain(on_faults()).chain(on_scenarios()) {
        let described = operation.describe(&mut generator, &error);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mockd control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Below `/@NAME` each operation is about the world of that name, otherwise about the default one.",
        },
        "servers": [
            { "url": "/", "description": "The default world" },
            { "url": "/@{world}", "description": "A world", "variables": { "world": { "default": "default" } } },
        ],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer",
                "description": "Only if mockd was started with --control-token." } },
        },
    })
}

impl Operation {
    fn describe(&self, generator: &mut SchemaGenerator, error: &Value) -> Value {
        let answer = match self.answer {
            Answer::Json(shape) => json!({ "application/json": { "schema": shape(generator) } }),
            Answer::Lines => json!({ "application/x-ndjson": { "schema": { "type": "string" } } }),
        };
        let mut responses = Map::new();
        let mut response = json!({ "description": self.summary, "content": answer });
        if matches!(self.answer, Answer::Lines) {
            let dropped = "How many of these events are gone, because the transcript is bounded.";
            response["headers"] =
                json!({ "x-mockd-dropped": { "description": dropped, "schema": { "type": "integer" } } });
        }
        responses.insert(self.status.into(), response);
        let refused: &[&str] = if self.is_open { &[] } else { &["401", "403", "404"] };
        for status in self.errors.iter().chain(refused) {
            let content = json!({ "application/json": { "schema": error } });
            responses.insert((*status).into(), json!({ "description": "An error", "content": content }));
        }
        let mut described = json!({
            "operationId": self.id(),
            "summary": self.summary,
            "parameters": self.parameters(generator),
            "responses": responses,
        });
        if let Some(request) = self.request {
            let content = json!({ "application/json": { "schema": request(generator) } });
            described["requestBody"] = json!({ "required": !self.is_optional, "content": content });
        }
        if !self.is_open {
            described["security"] = json!([{}, { "token": [] }]);
        }
        described
    }

    /// The method and the words of the path, as generators make names of them: `postSocketsSocketClose`.
    fn id(&self) -> String {
        let words = self.path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty() && *word != "__mockd");
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        std::iter::once(self.method.to_owned()).chain(words.map(capital)).collect()
    }

    /// The names in the path, and what may stand in the query.
    fn parameters(&self, generator: &mut SchemaGenerator) -> Vec<Value> {
        let segments = self.path.split('/').filter_map(|one| one.strip_prefix('{')?.strip_suffix('}'));
        let kind = |name: &str| if name == "socket" { "integer" } else { "string" };
        let mut parameters: Vec<Value> = segments
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind(name) } }))
            .collect();
        let query = match (self.method, self.path) {
            ("get", "/__mockd/journal") => generator.root_schema_for::<journal::JournalQuery>().to_value(),
            ("get", "/__mockd/transcript") => {
                json!({ "properties": { "after": { "type": "integer", "minimum": 0,
                    "description": "Only events after that number." } } })
            }
            _ => return parameters,
        };
        for (name, schema) in query["properties"].as_object().into_iter().flatten() {
            // A parameter that is left out is not null.
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
