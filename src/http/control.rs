//! `/__mockd/…`: the control API, through which tests, tools and the browser app inspect and control the mock.
//!
//! Below a world's prefix, a path refers to that world. Each handler deserializes its request into a type, calls the
//! world, and serializes its answer from a type. One table ([`mod@operations`]) defines both the router and the
//! document that describes it ([`mod@openapi`]).

mod answer;
mod clock;
mod dashboard;
mod data;
mod faults;
mod input;
mod journal;
mod openapi;
mod operation;
mod operations;
mod route_list;
mod server;
mod sockets;
mod state;

use std::sync::Arc;

use indexmap::IndexMap;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::{Body, Endpoint, Request, Response, Route, RouteMethod};

use super::cors::Readers;
use super::error::{ApiError, catch_panic};
use super::target::{CONTROL, RequestTarget, WorldName};
use super::{App, body, cors};
use crate::words::nearest;
use crate::world::WorldError;
use operation::{Access, ControlOperation, Subject};
use operations::operations;

pub use openapi::{control_document, control_page};

/// The control API.
pub(super) struct Control {
    app: Arc<App>,
    routes: Route,
    /// The methods and path templates of all operations.
    operations: Vec<(Method, &'static str)>,
}

impl Control {
    pub(super) fn new(app: &Arc<App>) -> Self {
        let operations: Vec<_> = operations(openapi::get_openapi).collect();
        let names = operations.iter().map(|operation| (operation.method.clone(), operation.path)).collect();
        Self { app: app.clone(), routes: routes(operations, app), operations: names }
    }

    /// Answers a request. A page that may control the mock can read every answer, including errors.
    ///
    /// Control requests are not recorded in a journal, because they come from the test, not from the app under test.
    pub(super) async fn answer(&self, target: &RequestTarget<'_>, request: Request) -> Response {
        let readers = self.app.access.readers(request.headers());
        let outcome = if target.method == Method::OPTIONS {
            Ok(cors::preflight(request.headers(), &readers, cors::CONTROL_METHODS))
        } else {
            catch_panic(self.handle(target, request)).await
        };
        let mut response = outcome.unwrap_or_else(|error| error.to_response().response);
        if readers != Readers::Nobody {
            readers.mark(&mut response, true);
        }
        response
    }

    async fn handle(&self, target: &RequestTarget<'_>, mut request: Request) -> Result<Response, ApiError> {
        *request.uri_mut() = target.uri_without_prefix_and_slash()?;
        request.set_data(target.world.clone());
        self.routes.call(request).await.map_err(|error| match ApiError::of(error, target.method, target.uri) {
            ApiError::RouteNotFound { method, uri, is_of_shop, .. } => {
                let nearest = self.nearest_operation(&method, &target.path);
                ApiError::RouteNotFound { method, uri, nearest, is_of_shop }
            }
            error => error,
        })
    }

    /// Returns the operation that a request with another path or method most likely meant.
    fn nearest_operation(&self, method: &Method, path: &str) -> Option<String> {
        let name = |path: &'static str| path.strip_prefix(CONTROL)?.strip_prefix('/');
        let (found, names) = (path.strip_prefix(CONTROL)?.trim_matches('/'), self.operations.iter());
        let names = names.filter_map(|(_, path)| name(path)).filter(|name| !name.is_empty());
        let is_start = |name: &&str| found.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        let meant = names.clone().find(|name| fits(name, found));
        let meant = meant.or_else(|| nearest(found, names.clone()));
        let meant = meant.or_else(|| names.filter(is_start).max_by_key(|name| name.len()))?;
        let mut of_path = self.operations.iter().filter(|(_, path)| name(path) == Some(meant));
        let (method, path) = of_path.clone().find(|(one, _)| one == method).or_else(|| of_path.next())?;
        Some(format!("{method} {path}"))
    }
}

/// Whether a path consists of the segments of a template.
fn fits(template: &str, path: &str) -> bool {
    let is_same = |(one, other): (&str, &str)| one == other || one.starts_with('{');
    template.split('/').count() == path.split('/').count() && template.split('/').zip(path.split('/')).all(is_same)
}

/// Builds the router of `operations`, each behind its own access check.
fn routes(operations: impl IntoIterator<Item = ControlOperation>, app: &Arc<App>) -> Route {
    let mut paths: IndexMap<&str, RouteMethod> = IndexMap::new();
    for operation in operations {
        let ControlOperation { method, path, endpoint, access, subject, .. } = operation;
        let methods = paths.entry(path).or_default();
        *methods = std::mem::take(methods).method(method, Guard { endpoint, access, subject, app: app.clone() });
    }
    // poem spells parameters `:name` and `*name`.
    let path = |path: &str| path.replace("{*", "*").replace('{', ":").replace('}', "");
    let add = |routes: Route, (template, methods): (&str, _)| routes.at(path(template), methods);
    paths.into_iter().fold(Route::new(), add)
}

/// An operation behind its access check and its world lookup.
struct Guard {
    endpoint: BoxEndpoint<'static, Response>,
    access: Access,
    subject: Subject,
    app: Arc<App>,
}

impl Endpoint for Guard {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if self.access == Access::Guarded {
            self.app.access.check(request.headers())?;
        }
        request.set_data(self.app.clone());
        if self.subject == Subject::World {
            // A request that only reads or deletes does not create the world.
            let may_create = !matches!(*request.method(), Method::GET | Method::DELETE);
            let name = request.data::<WorldName>().cloned().unwrap_or_default();
            let world = name.find(&self.app.worlds, may_create).await.map_err(ApiError::from)?;
            request.set_data(world);
        }
        let body = body::receive(&mut request, &self.app.limits).await?;
        request.set_body(Body::from_bytes(body));
        let answer = self.app.shutdown.run_until_cancelled(self.endpoint.call(request)).await;
        // A shutdown cancels requests that wait, such as those to `/__mockd/journal/wait`.
        answer.unwrap_or_else(|| Err(ApiError::from(WorldError::Ended).into()))
    }
}

#[cfg(test)]
mod tests;
