//! The HTTP server: connections, the poem endpoint that serves them, and the two APIs of a world. The crate
//! documentation describes [the path of a request](crate#the-path-of-a-request).
//!
//! The mock API looks up a path once, in the [route table](crate::scenario::RouteTable) of the scenario in the world's
//! [`View`](crate::world::View). The method then selects a route, and its [`Plan`](crate::scenario::Plan) selects the
//! handler. The view also holds the rows that routes serve, so that a reload replaces routes and rows at once. `rule`
//! handles answers declared in the scenario. The `site` serves paths that match no route.

mod access;
mod body;
mod connections;
mod control;
mod cors;
mod error;
mod faults;
mod files;
mod host_name;
mod limits;
mod listeners;
mod live;
mod member;
mod misdirected;
mod mock;
mod rule;
mod site;
mod stream;
mod target;
#[cfg(test)]
mod test_app;
mod upgrade;
mod wire;

use std::sync::Arc;

use poem::http::{Extensions, HeaderValue, Method, StatusCode, Uri, header};
use poem::{Body, Endpoint, Request, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

pub use access::{ControlAccess, ControlToken, Hosts, InvalidToken};
#[cfg(feature = "cli")]
pub(crate) use connections::MAX_REFUSALS;
pub(crate) use connections::serve;
use control::Control;
pub use control::{control_document, control_page};
use cors::Readers;
use error::ApiError;
#[cfg(feature = "cli")]
pub(crate) use host_name::is_host_name;
pub use limits::Limits;
pub(crate) use listeners::Listeners;
pub(crate) use live::handshake_header_case;
pub(crate) use live::polling::PollingSessions;
pub use live::{ClientMessage, ClientMessageError};
pub(crate) use misdirected::Misdirected;
use mock::Mock;
pub use site::Site;
pub(crate) use stream::HEARTBEAT;
use stream::is_stream;
use target::{Api, RequestTarget};

use crate::reloads::Reloads;
pub use crate::request::{FormError, read_form};
use crate::scenario::Cors;
use crate::selector::ScenarioSelector;
use crate::worlds::Worlds;

/// The state shared by all handlers.
pub(crate) struct App {
    pub(crate) worlds: Worlds,
    pub(crate) reloads: Reloads,
    pub(crate) selector: ScenarioSelector,
    pub(crate) access: ControlAccess,
    pub(crate) hosts: Hosts,
    pub(crate) cors: Cors,
    pub(crate) limits: Limits,
    /// The tasks of open sockets, which the server waits for.
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    /// See [`handshake_header_case()`].
    pub(crate) handshake_header_case: Extensions,
    /// The sessions of clients that poll an endpoint in place of a socket.
    pub(crate) polling: PollingSessions,
    pub(crate) misdirected: Misdirected,
}

/// Returns the endpoint that serves everything.
pub(crate) fn service(app: Arc<App>, site: &Site) -> impl Endpoint<Output = Response> + 'static {
    Service { mock: Mock::new(app.clone(), site), control: Control::new(&app), app }
}

struct Service {
    app: Arc<App>,
    mock: Mock,
    control: Control,
}

impl Endpoint for Service {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let (method, uri) = (request.method().clone(), request.original_uri().clone());
        let readers = Readers::of(&self.app.cors, request.headers());
        let is_head = method == Method::HEAD;
        if is_head {
            request.set_method(Method::GET);
            // Only a GET can become a WebSocket (RFC 6455, 4.2.1).
            request.headers_mut().remove(header::UPGRADE);
        }
        let mut response = match self.answer(&method, &uri, request).await {
            Ok(response) => response,
            Err(error) => error.to_response().response,
        };
        if is_head {
            response = headers_only(response).await;
        }
        if !cors::is_marked(&response) {
            readers.mark(&mut response, cors::varies(&self.app.cors));
        }
        debug!(%method, %uri, status = response.status().as_u16(), "request");
        Ok(response)
    }
}

impl Service {
    async fn answer(&self, method: &Method, uri: &Uri, request: Request) -> Result<Response, ApiError> {
        self.app.hosts.check(&request).inspect_err(|error| self.app.misdirected.refused(error))?;
        let target = RequestTarget::new(method, uri, request.headers())?;
        if let Some(redirect) = target.redirect() {
            return Ok(redirect);
        }
        match target.api {
            Api::Mock => Ok(self.mock.answer(&target, request).await.response),
            Api::Control => Ok(Box::pin(self.control.answer(&target, request)).await),
        }
    }
}

/// Turns a response to GET into the response to HEAD: it keeps the length, if it has one, but not the body (RFC 9110,
/// 9.3.2).
async fn headers_only(response: Response) -> Response {
    let is_stream = is_stream(&response);
    let (mut parts, body) = response.into_parts();
    // The content length of a 304 would describe the response to a plain GET (RFC 9110, 8.6).
    if !is_stream
        && parts.status != StatusCode::NOT_MODIFIED
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
        && let Ok(bytes) = Box::pin(body.into_bytes()).await
    {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    Response::from_parts(parts, Body::empty())
}
