//! An operation of the control API: what the router, the rules of access and worlds, and the document know of it.

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Response};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::answer;

/// Makes the schema of a type.
pub(super) type SchemaFn = fn(&mut SchemaGenerator) -> Value;

/// One operation of the API.
pub(super) struct ControlOperation {
    pub(super) method: Method,
    /// Names of segments are in braces, `*` before the name of all that is left.
    pub(super) path: &'static str,
    pub(super) endpoint: BoxEndpoint<'static, Response>,
    pub(super) access: Access,
    pub(super) subject: Subject,
    /// What the document says of it; nothing of what only serves the dashboard.
    pub(super) summary: Option<&'static str>,
    pub(super) query: Option<SchemaFn>,
    pub(super) request: Option<SchemaFn>,
    /// Whether the request's body may be missing.
    pub(super) is_optional: bool,
    pub(super) status: &'static str,
    pub(super) content: AnswerContent,
    pub(super) errors: &'static [&'static str],
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody: it tells nothing but what the mock API itself tells.
    Open,
    /// Who may control the mock.
    Guarded,
}

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// What is the same in all worlds: it neither makes nor looks for one.
    Server,
    World,
}

/// What is answered.
pub(super) enum AnswerContent {
    Json(SchemaFn),
    Lines,
}

pub(super) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
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
        is_optional: false,
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
    ControlOperation { method: Method::DELETE, errors, ..get(path, endpoint, summary, shape::<answer::DoneAnswer>) }
}

/// A part of the dashboard.
pub(super) fn page(path: &'static str, endpoint: impl Endpoint<Output = Response> + 'static) -> ControlOperation {
    ControlOperation { summary: None, ..get(path, endpoint, "", |_| Value::Null).open().of_server() }
}

impl ControlOperation {
    pub(super) fn open(self) -> Self {
        Self { access: Access::Open, ..self }
    }

    pub(super) fn of_server(self) -> Self {
        Self { subject: Subject::Server, ..self }
    }

    pub(super) fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    pub(super) fn query(self, query: SchemaFn) -> Self {
        Self { query: Some(query), errors: &["400"], ..self }
    }

    pub(super) fn errors(self, errors: &'static [&'static str]) -> Self {
        Self { errors, ..self }
    }
}
