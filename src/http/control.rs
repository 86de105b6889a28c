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
use super::target::{RequestTarget, WorldName};
use super::{App, body, cors};
use crate::world::WorldError;
use operation::{Access, ControlOperation, Subject};
use operations::operations;

pub use openapi::{control_document, control_page};

/// The control API.
pub(super) struct Control {
    app: Arc<App>,
    routes: Route,
}

impl Control {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: app.clone(), routes: routes(operations(openapi::get_openapi), app) }
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
        self.routes.call(request).await.map_err(|error| ApiError::of(error, target.method, target.uri))
    }
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
