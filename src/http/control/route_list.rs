//! `/__mockd/routes`: which requests the mock API answers.

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, handler};
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::json;
use crate::scenario::{Answers, Content, CrudOperation, Endpoint, PathPattern, Plan, Route, RouteMethod};
use crate::world::World;

/// The routes of the scenario.
#[derive(Serialize, JsonSchema)]
pub(super) struct RoutesAnswer {
    /// In declared order, those of sockets last.
    routes: Vec<RouteAnswer>,
}

/// A route.
#[derive(Serialize, JsonSchema)]
struct RouteAnswer {
    /// Its method; `ANY` stands for every method that no other route of the path is for.
    method: String,
    /// Its path below the world's prefix, decoded, with its parameters in braces: `{name}` is a segment, `{*name}` all that is
    /// left.
    path: String,
    /// The names of its parameters, in order.
    parameters: Vec<Arc<str>>,
    /// What it does.
    kind: RouteKind,
    /// The collection or category that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<Arc<str>>,
    /// The key of its answers, as the journal calls them; left out for the routes of a shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<Arc<str>>,
}

/// What a route does.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RouteKind {
    /// It answers as the scenario says.
    Answer,
    /// So it does, and one of its answers goes on: server-sent events.
    Stream,
    /// It lists rows.
    List,
    /// It gives one row.
    Get,
    /// It adds a row.
    Add,
    /// It gives a row other fields.
    Replace,
    /// It gives a row some other fields.
    Merge,
    /// It removes a row.
    Remove,
    /// It takes orders.
    Order,
    /// It opens live sockets.
    Socket,
}

/// Which requests are answered.
#[handler]
pub(super) fn list_routes(Data(world): Data<&World>) -> Response {
    let scenario = world.view().scenario.clone();
    let endpoints = scenario.endpoints().iter().map(|endpoint| RouteAnswer::from(&**endpoint));
    json(&RoutesAnswer { routes: scenario.routes().iter().map(RouteAnswer::from).chain(endpoints).collect() })
}

impl From<&Route> for RouteAnswer {
    fn from(route: &Route) -> Self {
        let (kind, collection, key) = match route.plan() {
            Plan::List { collection } => (RouteKind::List, Some(collection.clone()), None),
            Plan::Add { collection } => (RouteKind::Add, Some(collection.clone()), None),
            Plan::Count { .. } => (RouteKind::Order, None, None),
            Plan::Endpoint(_) => (RouteKind::Socket, None, None),
            Plan::Answer { answers, crud: Some(operation) } => {
                ((*operation).into(), collection_of(answers), Some(answers.key.clone()))
            }
            Plan::Answer { answers, crud: None } => (RouteKind::of(answers), None, Some(answers.key.clone())),
        };
        Self { collection, route: key, ..Self::of(route.method(), route.path(), kind) }
    }
}

impl From<&Endpoint> for RouteAnswer {
    fn from(endpoint: &Endpoint) -> Self {
        Self { route: Some(endpoint.key.clone()), ..Self::of(RouteMethod::Get, &endpoint.path, RouteKind::Socket) }
    }
}

impl RouteAnswer {
    fn of(method: RouteMethod, path: &PathPattern, kind: RouteKind) -> Self {
        let parameters = path.parameters().map(|parameter| parameter.name().clone()).collect();
        let (method, path) = (method.to_string(), path.to_string());
        Self { method, path, parameters, kind, collection: None, route: None }
    }
}

fn collection_of(answers: &Answers) -> Option<Arc<str>> {
    answers.list.iter().find_map(|answer| match &answer.content {
        Content::Crud(crud) => Some(crud.collection.clone()),
        _ => None,
    })
}

impl RouteKind {
    fn of(answers: &Answers) -> Self {
        let has_stream = answers.list.iter().any(|answer| matches!(answer.content, Content::Stream(_)));
        if has_stream { Self::Stream } else { Self::Answer }
    }
}

impl From<CrudOperation> for RouteKind {
    fn from(operation: CrudOperation) -> Self {
        match operation {
            CrudOperation::List => Self::List,
            CrudOperation::Get => Self::Get,
            CrudOperation::Add => Self::Add,
            CrudOperation::Replace => Self::Replace,
            CrudOperation::Merge => Self::Merge,
            CrudOperation::Remove => Self::Remove,
        }
    }
}
