//! `/__mockd/…`: what tests, tools and the browser app ask about the mock itself, and do with it.
//!
//! Below a world's prefix it is about that world. Each handler reads its request as a type, calls the world, and answers
//! with a type. One table ([`mod@operations`]) makes the router and the document that describes it ([`mod@openapi`]).

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
use super::error::{ApiError, alone};
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

    /// The answer to a request; a page that may control the mock can read it, also if it is an error. Control requests are in no
    /// journal: they are the test's own doing.
    pub(super) async fn answer(&self, target: &RequestTarget<'_>, request: Request) -> Response {
        let readers = self.app.access.readers(request.headers());
        let outcome = if target.method == Method::OPTIONS {
            Ok(cors::preflight(request.headers(), &readers, cors::CONTROL_METHODS))
        } else {
            alone(self.handle(target, request)).await
        };
        let mut response = outcome.unwrap_or_else(|error| error.reply().response);
        if readers != Readers::Nobody {
            readers.mark(&mut response, true);
        }
        response
    }

    async fn handle(&self, target: &RequestTarget<'_>, mut request: Request) -> Result<Response, ApiError> {
        *request.uri_mut() = target.below_without_slash()?;
        request.set_data(target.world.clone());
        self.routes.call(request).await.map_err(|error| ApiError::of(error, target.method, target.uri))
    }
}

/// The router of these operations, each behind its own rules.
fn routes(operations: impl IntoIterator<Item = ControlOperation>, app: &Arc<App>) -> Route {
    let mut paths: IndexMap<&str, RouteMethod> = IndexMap::new();
    for operation in operations {
        let ControlOperation { method, path, endpoint, access, subject, .. } = operation;
        let methods = paths.entry(path).or_default();
        *methods = std::mem::take(methods).method(method, Guard { endpoint, access, subject, app: app.clone() });
    }
    // poem writes the names of segments in another way.
    let path = |path: &str| path.replace("{*", "*").replace('{', ":").replace('}', "");
    let at = |routes: Route, (named, methods): (&str, _)| routes.at(path(named), methods);
    paths.into_iter().fold(Route::new(), at)
}

/// An operation behind its rules of access and worlds.
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
            // Only what asks nothing but about the world itself does not make it.
            let may_make = !matches!(*request.method(), Method::GET | Method::DELETE);
            let name = request.data::<WorldName>().cloned().unwrap_or_default();
            let world = name.find(&self.app.worlds, may_make).await.map_err(ApiError::from)?;
            request.set_data(world);
        }
        let body = body::receive(&mut request, &self.app.limits).await?;
        request.set_body(Body::from_bytes(body));
        let answer = self.app.shutdown.run_until_cancelled(self.endpoint.call(request)).await;
        // What waits for something that will not come any more is not waited for at the end.
        answer.unwrap_or_else(|| Err(ApiError::from(WorldError::Ended).into()))
    }
}

#[cfg(test)]
mod tests;
