//! Sockets of the endpoints that a scenario declares: which clients are refused, which subprotocol is selected, and how
//! the member of the world is opened.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use poem::Request;
use poem::http::{HeaderMap, HeaderValue, header};

use super::{check, encode, is_token, polling, start, switching_protocols};
use crate::engine::Refusal;
use crate::engine::codec::time_to_connect;
use crate::http::App;
use crate::http::body::ApiResponse;
use crate::http::cors;
use crate::http::error::ApiError;
use crate::http::rule::{Moment, build_response, handshake_request};
use crate::http::target::RequestTarget;
use crate::http::upgrade::Upgrade;
use crate::scenario::{Endpoint, EndpointMatch, Protocol};
use crate::world::{OpenedSocket, Transport, WorldError};

/// Answers the handshake of a socket, and starts the socket's task unless the client is refused.
///
/// # Errors
/// 426 and 400 as for [`check`], 400 for a client that offers none of the subprotocols or speaks another protocol, 403
/// for a page that may not read the API, 503 if the world has ended.
pub(in crate::http) async fn open(
    app: &Arc<App>,
    moment: &Moment,
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    request: &Request,
) -> Result<ApiResponse, ApiError> {
    let (endpoint, headers) = (found.endpoint(), request.headers());
    let accept = check(request.version(), headers)?;
    if !cors::allows_socket(&app.cors, headers) {
        return Err(ApiError::ForeignSocket);
    }
    if endpoint.protocol == Protocol::SocketIo && polling::upgrades(app, moment, target, request)? {
        return Ok(switching_protocols(app, &accept, subprotocol(app, moment, endpoint, headers)?).into());
    }
    if let Some(refused) = refusal(moment, target, found, headers)? {
        return Ok(refused);
    }
    let subprotocol = subprotocol(app, moment, endpoint, headers)?;
    let upgrade = request.extensions().get::<Upgrade>().ok_or(ApiError::UpgradeRequired)?.clone();
    let transport = Transport { encode, polling: false, max_payload: app.limits.payload() };
    let opened = open_member(app, moment, target, found, headers, transport).await?;
    app.tasks.spawn(start(upgrade, opened.feed, app.clone()));
    Ok(switching_protocols(app, &accept, subprotocol).into())
}

/// Opens a member of the world for a client that is not refused. If its protocol requires it, the client then has to
/// connect in time.
pub(super) async fn open_member(
    app: &App,
    moment: &Moment,
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    headers: &HeaderMap,
    transport: Transport,
) -> Result<OpenedSocket, ApiError> {
    let endpoint = found.endpoint();
    let request = handshake_request(target, found, headers)?;
    let path = percent_decode_str(&target.path).decode_utf8_lossy();
    let opened = moment.world.open_socket(&endpoint.key, request, &path, transport).await?;
    if let Some(time) = time_to_connect(endpoint.protocol) {
        let (world, member, shutdown) = (moment.world.clone(), opened.feed.number(), app.shutdown.clone());
        app.tasks.spawn(async move {
            if shutdown.run_until_cancelled(tokio::time::sleep(time)).await.is_some() {
                world.socket_overdue(member).await;
            }
        });
    }
    Ok(opened)
}

/// Returns the answer that refuses a client; `None` if the client is not refused.
pub(in crate::http) fn refusal(
    moment: &Moment,
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    headers: &HeaderMap,
) -> Result<Option<ApiResponse>, ApiError> {
    let Some(answers) = &found.endpoint().handshake else { return Ok(None) };
    let request = handshake_request(target, found, headers)?;
    match moment.world.read_answer(&moment.view, answers, None, request) {
        Ok(answered) => {
            let number = Some(answered.number);
            Ok(Some(ApiResponse { number, ..build_response(answered)? }))
        }
        Err(WorldError::Refused(Refusal::NoAnswer { .. })) => Ok(None),
        Err(WorldError::Refused(refusal)) => Err(ApiError::Refused(refusal)),
        Err(error) => Err(error.into()),
    }
}

/// Returns the first of the endpoint's subprotocols that the client offers (RFC 6455, 4.2.2), or the first one that the
/// client offers if the endpoint declares none. Logs a client that is refused.
fn subprotocol(
    app: &App,
    moment: &Moment,
    endpoint: &Endpoint,
    headers: &HeaderMap,
) -> Result<Option<HeaderValue>, ApiError> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = values.flat_map(|value| value.split(',')).map(str::trim).filter(|text| is_token(text));
    let declared = &endpoint.subprotocols;
    if declared.is_empty() {
        return Ok(offered.next().and_then(|first| HeaderValue::from_str(first).ok()));
    }
    let offered: Vec<&str> = offered.collect();
    let Some(selected) = declared.iter().find(|one| offered.contains(&&***one)) else {
        let error = ApiError::NoSubprotocol { declared: declared.join(", "), offered: offered.join(", ") };
        app.misdirected.no_subprotocol(&moment.world, &endpoint.key, &error);
        return Err(error);
    };
    Ok(HeaderValue::from_str(selected).ok())
}
