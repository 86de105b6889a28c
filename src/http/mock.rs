//! The mock API: the routes of the world's scenario, and the site at all other paths.
//!
//! A request's path is looked up once, in the view that produces its answer. The world's active faults apply to the
//! request, and the world's journal records the request and its answer.

mod shop;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use poem::Request;
use poem::http::Method;

use super::body::{self, ApiResponse};
use super::cors::{self, Readers};
use super::error::{ApiError, catch_panic};
use super::faults::{RequestFaults, ResponseOverride};
use super::rule::{Moment, RuleCall};
use super::site::{Site, SiteEndpoint};
use super::stream::is_stream;
use super::target::{RequestTarget, decoded};
use super::upgrade::is_websocket_upgrade;
use super::{App, live};
use crate::scenario::{EndpointMatch, PathMatch, Plan, RouteMethod, SocketEndpoint};
use crate::world::{Answer, AnsweredBy, EntryIndex, Exchange, Payload, RequestHead, World, is_reserved_collection};
use crate::worlds::WorldsError;

/// The mock API and the site.
pub(super) struct Mock {
    app: Arc<App>,
    site: SiteEndpoint,
    /// The files of the built-in page; empty if the site is a directory.
    built_in_files: Vec<Cow<'static, str>>,
}

/// The scenario's declarations for the path of a request.
#[derive(Clone, Copy)]
struct DeclaredPath<'f> {
    /// The routes, one for each method.
    routes: Option<&'f PathMatch<'f, 'f>>,
    /// The endpoint, which opens sockets.
    endpoint: Option<&'f EndpointMatch<'f, 'f>>,
    /// The endpoint, if the request comes from a client that polls it in place of a socket.
    polled: Option<&'f EndpointMatch<'f, 'f>>,
}

impl Mock {
    pub(super) fn new(app: Arc<App>, site: &Site) -> Self {
        Self { app, site: site.endpoint(), built_in_files: site.built_in_files() }
    }

    /// Answers a request. Applies the active faults, and records the request and its answer in the journal.
    pub(super) async fn answer(&self, target: &RequestTarget<'_>, mut request: Request) -> ApiResponse {
        let world = match self.world(target).await {
            Ok(world) => world,
            Err(error) => return ApiError::from(error).to_response(),
        };
        let body = body::receive(&mut request, &self.app.limits).await;
        let moment = Moment { arrived: world.moment(), view: world.view(), world };
        let (world, path) = (&moment.world, target.route_path());
        let routes = match *request.method() {
            Method::OPTIONS => moment.view.scenario.routes().find(&path),
            ref method => moment.view.scenario.routes().find_for(&path, route_method(method)),
        };
        let routes = routes.as_ref();
        let endpoint = moment.view.scenario.endpoints().find(&path);
        let endpoint = endpoint.as_ref();
        let polled = endpoint.filter(|endpoint| is_polled(target, routes, endpoint, &request));
        let declared = DeclaredPath { routes, endpoint, polled };
        let faults = if world.has_request_faults() && body.is_ok() {
            let is_handshake = is_handshake(target, declared, &request);
            Box::pin(RequestFaults::of(target, routes, endpoint.is_some(), is_handshake, world)).await
        } else {
            None
        };
        let place = self.record_request(target, declared, &request, &body, faults.as_ref(), world);
        let key = match polled {
            Some(polled) => Some(&polled.endpoint().key),
            None => routes.filter(|_| body.is_ok()).and_then(|routes| key_of_answers(target, routes, &request)),
        };
        // Pinned here, because it is large and `catch_panic` would move it several times.
        let work = pin!(self.handle(target, declared, &moment, request, body));
        let handled = catch_panic(work);
        let instead = match &faults {
            Some(faults) => Box::pin(faults.before()).await,
            None => None,
        };
        let (reply, by) = if let Some(reply) = instead {
            (reply, None)
        } else {
            let reply = handled.await.unwrap_or_else(|error| error.to_response());
            let by = key.map(|key| AnsweredBy { route: key.clone(), number: reply.number });
            (reply, by)
        };
        record_answer(world, place, &reply, by);
        match faults {
            Some(faults) => Box::pin(faults.after(reply.response)).await.into(),
            None => reply,
        }
    }

    /// Records a request in the journal, before it is answered. Returns the place of its entry; `None` if it is not
    /// recorded.
    fn record_request(
        &self,
        target: &RequestTarget<'_>,
        declared: DeclaredPath<'_>,
        request: &Request,
        body: &Result<Bytes, ApiError>,
        faults: Option<&RequestFaults>,
        world: &World,
    ) -> Option<EntryIndex> {
        if !world.has_journal() || (faults.is_none() && self.is_of_built_in_page(target, declared, request)) {
            return None;
        }
        let body = body.as_ref().ok().filter(|body| !body.is_empty());
        Some(world.requested(Exchange {
            head: head(target, request),
            // The received bytes may be part of a larger buffer, which the journal must not keep alive.
            body:
                body.map(|body| {
                    Payload::of_request(body::content_type(request.headers()), Bytes::copy_from_slice(body))
                }),
            faults: faults.map(RequestFaults::marks).unwrap_or_default(),
            answer: OnceLock::new(),
        }))
    }

    /// Whether the request is for a file of the built-in page, or for the socket that the page opens before the user
    /// chooses a collection. Such requests do not matter to tests, so the journal leaves them out unless a fault hits
    /// them.
    fn is_of_built_in_page(&self, target: &RequestTarget<'_>, declared: DeclaredPath<'_>, request: &Request) -> bool {
        if request.method() != Method::GET || declared.endpoint.is_some() && is_websocket_upgrade(request.headers()) {
            return false;
        }
        let Some(routes) = declared.routes.filter(|routes| routes.route(RouteMethod::Get).is_some()) else {
            let is_built_in = |file: &str| match file {
                "" => !self.built_in_files.is_empty(),
                file => self.built_in_files.iter().any(|built_in| built_in == file),
            };
            return target.path.strip_prefix('/').is_some_and(is_built_in);
        };
        routes.endpoint().is_some_and(|endpoint| {
            is_reserved_collection(routes.parameter(&endpoint.collection)) && is_websocket_upgrade(request.headers())
        })
    }

    /// Returns the world of a request, and creates it if it does not exist. A preflight creates no world.
    async fn world(&self, target: &RequestTarget<'_>) -> Result<World, WorldsError> {
        let is_preflight = target.method == Method::OPTIONS;
        match target.world.find(&self.app.worlds, !is_preflight).await {
            // The answer to a preflight is the same in every world.
            Err(WorldsError::Unknown(_)) if is_preflight => Ok(self.app.worlds.default_world()),
            outcome => outcome,
        }
    }

    /// Handles a request after its body was received, or could not be.
    async fn handle(
        &self,
        target: &RequestTarget<'_>,
        DeclaredPath { routes, endpoint, polled }: DeclaredPath<'_>,
        moment: &Moment,
        request: Request,
        body: Result<Bytes, ApiError>,
    ) -> Result<ApiResponse, ApiError> {
        if let Some(polled) = polled {
            let headers = request.headers();
            return Box::pin(live::polling::answer(&self.app, moment, target, polled, headers, body)).await;
        }
        let body = body?;
        if target.method == Method::OPTIONS {
            let readers = Readers::of(&self.app.cors, request.headers());
            let methods = routes.filter(|routes| routes.has_answers()).map(|_| methods(target, moment).join(","));
            let methods = methods.as_deref().unwrap_or(cors::METHODS);
            return Ok(cors::preflight(request.headers(), &readers, methods).into());
        }
        let method = route_method(request.method());
        if is_upgrade(&request) {
            if let Some(endpoint) = endpoint {
                return Box::pin(live::endpoint::open(&self.app, moment, target, endpoint, &request)).await;
            }
            if routes.is_none_or(|routes| routes.endpoint().is_none()) {
                return Err(no_endpoint(target, routes.is_some(), moment));
            }
        } else if endpoint.is_some() && routes.and_then(|routes| routes.route(method)).is_none() {
            return Box::pin(self.without_upgrade(target, routes, moment, request)).await;
        }
        let Some(routes) = routes else {
            if method != RouteMethod::Any {
                target.expect_name()?;
            }
            let answer = Box::pin(self.site(target, request)).await;
            return answer.map_err(|error| self.with_nearest_route(error, target, moment));
        };
        let Some(route) = routes.route(method) else {
            return Box::pin(self.without_method(target, routes, moment, request)).await;
        };
        let Moment { world, view, .. } = moment;
        match route.plan() {
            Plan::List { collection } => {
                let not_found = || ApiError::not_found(target.method, target.uri);
                view.rows(collection).map(ApiResponse::json).ok_or_else(not_found)
            }
            Plan::Add { collection } => Box::pin(shop::add(world, collection, &request, &body)).await,
            Plan::Count { row } => shop::count(world, view, &decoded(routes.parameter(row))?, &request, &body).await,
            Plan::Endpoint(SocketEndpoint { collection, .. }) => {
                let collection = decoded(routes.parameter(collection))?;
                Box::pin(live::open(&self.app, world, &collection, &request)).await.map(ApiResponse::from)
            }
            Plan::Answer { answers, crud } => {
                let call = RuleCall { target, routes, route, answers, crud: *crud };
                if let Some(reply) = call.respond_now(&self.app, moment, request.headers(), &body) {
                    return reply;
                }
                Box::pin(call.respond(&self.app, moment, request, &body)).await
            }
        }
    }

    /// Answers a request without an upgrade for a path that has an endpoint, and no route of this method. The site may
    /// have a page at that path.
    async fn without_upgrade(
        &self,
        target: &RequestTarget<'_>,
        routes: Option<&PathMatch<'_, '_>>,
        moment: &Moment,
        request: Request,
    ) -> Result<ApiResponse, ApiError> {
        if request.method() == Method::GET {
            let answer = Box::pin(self.site(target, request)).await;
            if !matches!(answer, Err(ApiError::RouteNotFound { .. })) {
                return answer;
            }
        }
        let error = match routes.filter(|routes| routes.has_answers()) {
            Some(_) => ApiError::UpgradeOrMethod { methods: methods(target, moment) },
            None => ApiError::UpgradeRequired,
        };
        self.app.misdirected.no_upgrade(&moment.world, target.method, &target.path, &error);
        Err(error)
    }

    /// Answers a request for a path whose routes have other methods. The site may have a page at that path.
    async fn without_method(
        &self,
        target: &RequestTarget<'_>,
        routes: &PathMatch<'_, '_>,
        moment: &Moment,
        request: Request,
    ) -> Result<ApiResponse, ApiError> {
        if !routes.has_answers() {
            return Err(ApiError::not_found(target.method, target.uri));
        }
        if request.method() == Method::GET {
            let answer = Box::pin(self.site(target, request)).await;
            if !matches!(answer, Err(ApiError::RouteNotFound { .. })) {
                return answer;
            }
        }
        let (method, path) = (target.method.clone(), target.path.clone().into_owned());
        Err(ApiError::MethodNotAllowed { method, path, allowed: methods(target, moment) })
    }

    /// Adds the nearest route to the error for a path without routes, and logs both. Does neither for a scenario whose
    /// routes have no declared answers.
    fn with_nearest_route(&self, error: ApiError, target: &RequestTarget<'_>, moment: &Moment) -> ApiError {
        let routes = moment.view.scenario.routes();
        let ApiError::RouteNotFound { method, uri, .. } = error else { return error };
        let is_of_shop = routes.iter().any(|route| !matches!(route.plan(), Plan::Answer { .. }));
        if !routes.has_answers() {
            return ApiError::RouteNotFound { method, uri, nearest: None, is_of_shop };
        }
        let lookup_method = if method == Method::HEAD { Method::GET } else { method.clone() };
        let near = routes.nearest(lookup_method.as_str(), &target.route_path());
        let nearest = near.map(|near| format!("{} {}", near.method(), near.path()));
        self.app.misdirected.no_route(&moment.world, &method, &target.path, nearest.as_deref());
        ApiError::RouteNotFound { method, uri, nearest, is_of_shop }
    }

    async fn site(&self, target: &RequestTarget<'_>, mut request: Request) -> Result<ApiResponse, ApiError> {
        *request.uri_mut() = target.uri_without_prefix()?;
        let answer = Box::pin(self.site.answer(request, target.method)).await;
        answer.map(ApiResponse::from).map_err(|error| ApiError::of(error, target.method, target.uri))
    }
}

/// Returns the methods that the path of a request allows.
fn methods(target: &RequestTarget<'_>, moment: &Moment) -> Vec<&'static str> {
    moment.view.scenario.routes().methods(&target.route_path())
}

/// Returns the error for a request to open a socket at a path without an endpoint.
fn no_endpoint(target: &RequestTarget<'_>, is_route: bool, moment: &Moment) -> ApiError {
    let scenario = &moment.view.scenario;
    let path = target.route_path();
    let nearest = scenario.endpoints().nearest(&path).map(|endpoint| endpoint.key.to_string());
    let endpoint_of_shop = || {
        let routes = scenario.routes().iter().filter(|route| matches!(route.plan(), Plan::Endpoint(_)));
        routes.map(|route| route.path().to_string()).next()
    };
    ApiError::NoEndpoint {
        path: target.path.clone().into_owned(),
        is_route,
        nearest: nearest.or_else(endpoint_of_shop),
    }
}

/// Adds the answer to a recorded request. If the connection is closed or reset instead, there is no answer.
fn record_answer(world: &World, place: Option<EntryIndex>, reply: &ApiResponse, by: Option<AnsweredBy>) {
    let Some(place) = place.filter(|_| !ResponseOverride::leaves_no_response(&reply.response)) else { return };
    let (body, notes) = (reply.body.clone().map(Payload::new), reply.notes.clone());
    let (status, is_stream) = (reply.response.status().as_u16(), is_stream(&reply.response));
    world.answered(place, Answer { status, body, by, is_stream, notes });
}

/// Returns the head of a request, for the journal.
fn head(target: &RequestTarget<'_>, request: &Request) -> RequestHead {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    RequestHead::new(target.method.as_str(), &target.path, target.query(), headers)
}

/// Returns the key of the declared answers that apply to a request. None apply to a preflight, nor to a WebSocket
/// handshake, which only an endpoint can accept.
fn key_of_answers<'f>(
    target: &RequestTarget<'_>,
    routes: &PathMatch<'f, '_>,
    request: &Request,
) -> Option<&'f Arc<str>> {
    if target.method == Method::OPTIONS || is_upgrade(request) {
        return None;
    }
    let route = routes.route(route_method(request.method()))?;
    match route.plan() {
        Plan::Answer { answers, .. } => Some(&answers.key),
        _ => None,
    }
}

/// Whether a request asks for a WebSocket.
fn is_upgrade(request: &Request) -> bool {
    request.method() == Method::GET && is_websocket_upgrade(request.headers())
}

/// Whether a request opens a socket, or a polling session in place of one.
fn is_handshake(target: &RequestTarget<'_>, declared: DeclaredPath<'_>, request: &Request) -> bool {
    let DeclaredPath { routes, endpoint, polled } = declared;
    let has_socket = endpoint.is_some() || routes.is_some_and(|routes| routes.endpoint().is_some());
    has_socket && is_upgrade(request) || polled.is_some() && live::polling::opens_session(target)
}

/// Whether a request comes from a client that polls an endpoint in place of a socket.
fn is_polled(
    target: &RequestTarget<'_>,
    routes: Option<&PathMatch<'_, '_>>,
    endpoint: &EndpointMatch<'_, '_>,
    request: &Request,
) -> bool {
    let has_route = routes.is_some_and(|routes| routes.route(route_method(request.method())).is_some());
    !is_upgrade(request) && live::polling::is_engine_io_request(target, endpoint, has_route)
}

/// Returns the route method for a request. A method that routes cannot name matches only routes for any method.
fn route_method(method: &Method) -> RouteMethod {
    match *method {
        Method::GET => RouteMethod::Get,
        Method::POST => RouteMethod::Post,
        Method::PUT => RouteMethod::Put,
        Method::PATCH => RouteMethod::Patch,
        Method::DELETE => RouteMethod::Delete,
        _ => RouteMethod::Any,
    }
}
