//! `/__mockd/routes`: the routes of the mock API.

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
    /// The routes in declared order; the `websocket` endpoints come last.
    routes: Vec<RouteAnswer>,
}

/// A route.
#[derive(Serialize, JsonSchema)]
struct RouteAnswer {
    /// The method; `ANY` stands for every method without a route of its own at this path.
    method: String,
    /// The decoded path below the world's prefix, with its parameters in braces: `{name}` matches one segment,
    /// `{*name}` the rest.
    path: String,
    /// The names of the parameters, in order.
    parameters: Vec<Arc<str>>,
    /// What the route does.
    kind: RouteKind,
    /// The collection or category that the route acts on, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<Arc<str>>,
    /// The key of the route, as shown in the journal; omitted for the routes of a shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<Arc<str>>,
}

/// What a route does.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RouteKind {
    /// Answers as declared.
    Answer,
    /// Answers as declared; at least one of the answers is a stream of server-sent events.
    Stream,
    /// Lists rows.
    List,
    /// Returns one row.
    Get,
    /// Adds a row.
    Add,
    /// Replaces all fields of a row.
    Replace,
    /// Replaces some fields of a row.
    Merge,
    /// Removes a row.
    Remove,
    /// Takes orders.
    Order,
    /// Opens live sockets.
    Socket,
}

/// Returns the routes of the mock API.
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
