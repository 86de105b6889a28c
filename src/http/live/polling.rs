//! Sessions of Engine.IO 4 over HTTP: long-polling, and the upgrade to WebSocket.
//!
//! A client of an endpoint with `protocol: socket.io` opens a session with a GET and receives its id. It then polls
//! with one GET after the other, each of which is answered as soon as there is a packet, and posts its own packets.
//! Meanwhile it may open a WebSocket for the same session. Once the WebSocket has probed, the client waits for the
//! answer to its last poll, and the WebSocket takes over. To the world, the session is one member from its first
//! request to its end.

mod outbox;
mod packets;
mod probe;
pub(super) mod query;
mod session;

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{HeaderMap, HeaderValue, Method, header};
use poem::{Request, Response};
use tracing::warn;

use super::endpoint::{open_member, refusal};
use crate::engine::codec::engine_io::decode_payload;
use crate::http::App;
use crate::http::body::ApiResponse;
use crate::http::error::ApiError;
use crate::http::faults::ResponseOverride;
use crate::http::rule::Moment;
use crate::http::target::RequestTarget;
use crate::http::upgrade::Upgrade;
use crate::scenario::{EndpointMatch, Protocol};
use crate::world::Transport;
use outbox::Polled;
pub(super) use probe::Probe;
pub(in crate::http) use query::EngineIoError;
use query::{EngineQuery, EngineRequest, EngineTransport};
pub(super) use session::Handover;
pub(crate) use session::PollingSessions;
use session::Session;

/// The content type of packets, as the reference implementation writes it.
const PACKETS: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");

/// Returns whether a request to an endpoint, other than the handshake of a socket, is one of Engine.IO. If a route
/// could answer it as well, its query has to name the version of Engine.IO.
pub(in crate::http) fn is_engine_io_request(
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    has_route: bool,
) -> bool {
    found.endpoint().protocol == Protocol::SocketIo
        && *target.method != Method::OPTIONS
        && (!has_route || EngineQuery::read(target.query()).is_of_engine_io())
}

/// Returns whether a request opens a session.
pub(in crate::http) fn opens_session(target: &RequestTarget<'_>) -> bool {
    matches!(
        EngineQuery::read(target.query()).request(target.method, EngineTransport::Polling),
        Ok(EngineRequest::Open)
    )
}

/// Answers a request that opens a session, polls or posts. `body` is the error if the body could not be received.
///
/// # Errors
/// [`EngineIoError`] for a request that is invalid in Engine.IO, the error of the body, and 503 if the world has ended.
pub(in crate::http) async fn answer(
    app: &Arc<App>,
    moment: &Moment,
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    headers: &HeaderMap,
    body: Result<Bytes, ApiError>,
) -> Result<ApiResponse, ApiError> {
    let query = EngineQuery::read(target.query());
    let sid = match query.request(target.method, EngineTransport::Polling)? {
        EngineRequest::Open => return open(app, moment, target, found, headers).await,
        EngineRequest::Session(sid) => sid,
    };
    let session = app.polling.get(moment.world.name(), sid).ok_or(EngineIoError::UnknownSession)?;
    match *target.method {
        Method::GET => poll(&session).await,
        Method::POST => post(&session, &target.path, body, app.limits.payload()).await,
        _ => Err(EngineIoError::BadRequest.into()),
    }
}

/// Opens a session, and answers with its first packet.
async fn open(
    app: &Arc<App>,
    moment: &Moment,
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    headers: &HeaderMap,
) -> Result<ApiResponse, ApiError> {
    if let Some(refused) = refusal(moment, target, found, headers)? {
        return Ok(refused);
    }
    // A session costs as much as a connection but does not hold one, so it is subject to the same limit.
    if app.polling.len() >= app.limits.connections {
        return Err(ApiError::TooManyConnections(app.limits.connections));
    }
    let transport = Transport { encode: packets::encode, polling: true, max_payload: app.limits.payload() };
    let opened = open_member(app, moment, target, found, headers, transport).await?;
    poll(&Session::start(app, moment.world.name(), opened)).await
}

async fn poll(session: &Session) -> Result<ApiResponse, ApiError> {
    Ok(match session.poll().await? {
        Polled::Packets(packets) => text(packets),
        Polled::Reset => ResponseOverride::Reset { after: 0 }.mark(Response::default()).into(),
    })
}

async fn post(
    session: &Session,
    path: &str,
    body: Result<Bytes, ApiError>,
    max_payload: usize,
) -> Result<ApiResponse, ApiError> {
    let received = match &body {
        Ok(body) if body.len() <= max_payload => {
            std::str::from_utf8(body).ok().and_then(|text| decode_payload(text).ok())
        }
        _ => None,
    };
    let Some(frames) = received else {
        if body.as_ref().is_ok_and(|body| body.len() > max_payload) {
            warn!("a client of {path} posted more than its maxPayload of {max_payload} bytes; its session ends");
        }
        session.fail();
        return Err(match body {
            Ok(_) | Err(ApiError::TooLarge(_)) => EngineIoError::BadRequest.into(),
            Err(error) => error,
        });
    };
    session.receive(frames).await?;
    Ok(text(Bytes::from_static(b"ok")))
}

fn text(text: Bytes) -> ApiResponse {
    let mut answer = ApiResponse::text(text);
    let headers = answer.response.headers_mut();
    headers.insert(header::CONTENT_TYPE, PACKETS);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Returns whether the handshake of a WebSocket is for a polling session. If so, starts the task that may take over the
/// session.
///
/// # Errors
/// [`EngineIoError`] for a handshake that is invalid in Engine.IO, 426 for a connection that cannot be upgraded.
pub(super) fn upgrades(
    app: &Arc<App>,
    moment: &Moment,
    target: &RequestTarget<'_>,
    request: &Request,
) -> Result<bool, ApiError> {
    let query = EngineQuery::read(target.query());
    let EngineRequest::Session(sid) = query.request(target.method, EngineTransport::WebSocket)? else {
        return Ok(false);
    };
    let session = app.polling.get(moment.world.name(), sid).ok_or(EngineIoError::UnknownSession)?;
    let upgrade = request.extensions().get::<Upgrade>().ok_or(ApiError::UpgradeRequired)?.clone();
    let attempt = session.start_upgrade().ok_or(EngineIoError::BadRequest)?;
    app.tasks.spawn(probe::run(upgrade, attempt, app.clone()));
    Ok(true)
}

#[cfg(test)]
mod tests;
