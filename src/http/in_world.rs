//! Which world a request is for: `/@NAME/…`, the `x-mockd-world` header, or the default one.
//!
//! A path, because browsers cannot set headers on a WebSocket. Below the prefix everything is as without it.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use poem::error::ResponseError;
use poem::http::{HeaderMap, Method, StatusCode, Uri, header};
use poem::{Endpoint, Request, Response};

use super::App;
use super::error::ApiError;
use crate::world::World;
use crate::worlds::{DEFAULT_WORLD, WorldsError};

/// The header that names a world for requests without the prefix.
const HEADER: &str = "x-mockd-world";

/// Finds or makes the world, hands it to the handlers as data, and takes the prefix off the path.
pub(super) struct InWorld<E> {
    pub(super) inner: E,
    pub(super) app: Arc<App>,
}

impl<E: Endpoint<Output = Response>> Endpoint for InWorld<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        match self.resolve(&mut request).await {
            Ok(Resolved::World(world)) => {
                request.set_data(world);
                self.inner.call(request).await
            }
            Ok(Resolved::Elsewhere(redirect)) => Ok(redirect),
            Err(error) => Ok(self.refuse(&error, &request)),
        }
    }
}

/// Where a request leads.
enum Resolved {
    World(World),
    Elsewhere(Response),
}

impl<E> InWorld<E> {
    /// Takes the prefix off the path.
    async fn resolve(&self, request: &mut Request) -> Result<Resolved, ApiError> {
        let named = named_in_header(request.headers())?.map(str::to_owned);
        let Some(prefixed) = request.uri().path().strip_prefix("/@") else {
            return self.find(named.as_deref(), request).await.map(Resolved::World);
        };
        let Some((name, _)) = prefixed.split_once('/') else {
            return Ok(Resolved::Elsewhere(with_slash(request.uri())));
        };
        let name = percent_decode_str(name).decode_utf8().map_err(|_| ApiError::BadPath)?.into_owned();
        if named.is_some_and(|named| named != name) {
            return Err(ApiError::TwoWorlds);
        }
        *request.uri_mut() = below(request.uri())?;
        self.find(Some(&name), request).await.map(Resolved::World)
    }

    /// The error as an answer, which a page that may control the mock can read.
    fn refuse(&self, error: &ApiError, request: &Request) -> Response {
        let mut response = error.as_response();
        if super::access::is_control(request) {
            let origin = super::access::allowed_origin(&self.app.access, request.headers());
            super::cors::mark_control(&mut response, origin);
        }
        response
    }

    /// Only what asks nothing but about the world itself does not make it.
    async fn find(&self, name: Option<&str>, request: &Request) -> Result<World, ApiError> {
        let worlds = &self.app.worlds;
        let Some(name) = name.filter(|name| *name != DEFAULT_WORLD) else {
            return Ok(worlds.default_world());
        };
        let is_control = super::access::is_control(request);
        if is_control && is_about_the_server(request.uri().path()) {
            return Ok(worlds.default_world());
        }
        // Of a control request nothing may happen before it is clear that it is allowed.
        let may_make = !is_control || super::access::check(&self.app.access, request).is_ok();
        let only_asks = is_control && matches!(*request.method(), Method::GET | Method::DELETE);
        match worlds.find(name, may_make && !only_asks && *request.method() != Method::OPTIONS).await {
            // A preflight is about what may be asked, not about the world.
            Err(WorldsError::Unknown(_)) if *request.method() == Method::OPTIONS => Ok(worlds.default_world()),
            // It is refused further on, whatever the world.
            Err(WorldsError::Unknown(_)) if !may_make => Ok(worlds.default_world()),
            found => Ok(found?),
        }
    }
}

/// What is the same in all worlds, and neither makes nor looks for one.
fn is_about_the_server(path: &str) -> bool {
    let first = path.split('/').nth(2).unwrap_or_default();
    matches!(first, "" | "dashboard" | "health" | "openapi.json" | "reload" | "scenarios" | "worlds")
}

fn named_in_header(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let name = value.to_str().map_err(|_| WorldsError::BadName("\u{fffd}".into()))?;
    Ok(Some(name))
}

/// The URI without the first segment of its path.
fn below(uri: &Uri) -> Result<Uri, ApiError> {
    let whole = uri.path_and_query().map_or("/", |path| path.as_str());
    let at = whole.get(1..).and_then(|path| path.find('/')).map_or(whole.len(), |at| at + 1);
    whole[at..].parse().map_err(|_| ApiError::BadPath)
}

/// Links of the page at `/@NAME/` are relative to it.
fn with_slash(uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}/{query}", uri.path());
    Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, location).finish()
}
