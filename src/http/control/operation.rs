//! An operation of the control API, as seen by the router, the access check and the document.

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Response};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::answer;

/// Generates the schema of a type.
pub(super) type SchemaFn = fn(&mut SchemaGenerator) -> Value;

/// One operation of the API.
pub(super) struct ControlOperation {
    pub(super) method: Method,
    /// The path; `{name}` matches one segment, `{*name}` the rest.
    pub(super) path: &'static str,
    pub(super) endpoint: BoxEndpoint<'static, Response>,
    pub(super) access: Access,
    pub(super) subject: Subject,
    /// The summary in the document; `None` if the operation only serves the dashboard and is not documented.
    pub(super) summary: Option<&'static str>,
    pub(super) query: Option<SchemaFn>,
    pub(super) request: Option<SchemaFn>,
    /// Whether the request's body may be missing.
    pub(super) is_body_optional: bool,
    /// The status of a successful answer.
    pub(super) status: &'static str,
    pub(super) content: AnswerContent,
    /// The statuses of errors, except those of the access check.
    pub(super) errors: &'static [&'static str],
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everyone: the operation reveals nothing beyond what the mock API reveals.
    Open,
    /// Clients that may control the mock.
    Guarded,
}

/// What an operation acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The server: no world is looked up or created.
    Server,
    /// The world that the request names.
    World,
}

/// The content of a successful answer.
pub(super) enum AnswerContent {
    Json(SchemaFn),
    /// JSON objects, one per line.
    Lines,
}

pub(super) fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

pub(super) fn query<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.root_schema_for::<T>().to_value()
}

pub(super) fn get(
    path: &'static str,
    endpoint: impl Endpoint<Output = Response> + 'static,
    summary: &'static str,
    answer: SchemaFn,
) -> ControlOperation {
    ControlOperation {
        method: Method::GET,
        path,
        endpoint: endpoint.boxed(),
        access: Access::Guarded,
        subject: Subject::World,
        summary: Some(summary),
        query: None,
        request: None,
        is_body_optional: false,
        status: "200",
        content: AnswerContent::Json(answer),
        errors: &[],
    }
}

pub(super) fn post(
    path: &'static str,
    endpoint: impl Endpoint<Output = Response> + 'static,
    summary: &'static str,
    request: SchemaFn,
    answer: SchemaFn,
) -> ControlOperation {
    let request = Some(request);
    let errors = &["400", "413", "415"];
    ControlOperation { method: Method::POST, request, errors, ..get(path, endpoint, summary, answer) }
}

pub(super) fn delete(
    path: &'static str,
    endpoint: impl Endpoint<Output = Response> + 'static,
    summary: &'static str,
    errors: &'static [&'static str],
) -> ControlOperation {
    ControlOperation { method: Method::DELETE, errors, ..get(path, endpoint, summary, schema::<answer::DoneAnswer>) }
}

/// An operation that serves a part of the dashboard.
pub(super) fn page(path: &'static str, endpoint: impl Endpoint<Output = Response> + 'static) -> ControlOperation {
    ControlOperation { summary: None, ..get(path, endpoint, "", |_| Value::Null).open().on_server() }
}

impl ControlOperation {
    pub(super) fn open(self) -> Self {
        Self { access: Access::Open, ..self }
    }

    pub(super) fn on_server(self) -> Self {
        Self { subject: Subject::Server, ..self }
    }

    pub(super) fn optional_body(self) -> Self {
        Self { is_body_optional: true, ..self }
    }

    pub(super) fn query(self, query: SchemaFn) -> Self {
        Self { query: Some(query), errors: &["400"], ..self }
    }

    pub(super) fn errors(self, errors: &'static [&'static str]) -> Self {
        Self { errors, ..self }
    }
}
