//! Sockets of the endpoints that a scenario declares: who is refused, which subprotocol it is, and what the rules know of the
//! handshake.

use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{Request, Response};

use super::{begin, check, encode, is_token, polling, switching_protocols};
use crate::engine::{Answered, AnsweredContent, Refusal};
use crate::http::App;
use crate::http::body::ApiResponse;
use crate::http::cors;
use crate::http::error::ApiError;
use crate::http::rule::{Moment, handshake_request};
use crate::http::target::RequestTarget;
use crate::http::upgrade::Upgrade;
use crate::scenario::{Endpoint, EndpointMatch, Protocol};
use crate::world::{Transport, WorldError};

/// Answers the handshake of a socket, and starts its task if it is not refused.
///
/// # Errors
/// 426 and 400 as [`check`], 400 for a client that offers none of the subprotocols or speaks another protocol, 403 for a page that may not read the API, 503
/// if the world has ended.
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
        return Ok(switching_protocols(&accept, subprotocol(endpoint, headers)?).into());
    }
    if let Some(refused) = refusal(moment, target, found, headers)? {
        return Ok(refused);
    }
    let subprotocol = subprotocol(endpoint, headers)?;
    let upgrade = request.extensions().get::<Upgrade>().ok_or(ApiError::UpgradeRequired)?.clone();
    let known = handshake_request(target, found, headers, |name| endpoint.names.contains(name))?;
    let path = percent_decode_str(&target.path).decode_utf8_lossy();
    let transport = Transport { encode, polling: false };
    let opened = moment.world.open_socket(&endpoint.key, known, &path, transport).await?;
    app.tasks.spawn(begin(upgrade, opened.feed, app.clone()));
    Ok(switching_protocols(&accept, subprotocol).into())
}

/// The answer that refuses a client, if there is one for it.
pub(in crate::http) fn refusal(
    moment: &Moment,
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    headers: &HeaderMap,
) -> Result<Option<ApiResponse>, ApiError> {
    let Some(answers) = &found.endpoint().handshake else { return Ok(None) };
    let request = handshake_request(target, found, headers, |_| true)?;
    match moment.world.read_answer(&moment.view, answers, None, request) {
        Ok(answered) => refused(answered).map(Some),
        Err(WorldError::Refused(Refusal::NoAnswer { .. })) => Ok(None),
        Err(WorldError::Refused(refusal)) => Err(ApiError::Refused(refusal)),
        Err(error) => Err(error.into()),
    }
}

fn refused(answered: Answered) -> Result<ApiResponse, ApiError> {
    let bad = |what: String| ApiError::BadAnswer(what);
    let status = StatusCode::from_u16(answered.status).map_err(|_| bad(format!("the status {}", answered.status)))?;
    let mut reply = match answered.content {
        AnsweredContent::Json(value) => ApiResponse::json(value.to_string()),
        AnsweredContent::Encoded(json) => ApiResponse::json(json),
        AnsweredContent::Text(text) => ApiResponse::text(Bytes::from(text)),
        AnsweredContent::Empty | AnsweredContent::File(_) | AnsweredContent::Stream { .. } => {
            Response::default().into()
        }
    };
    for (name, value) in answered.headers {
        let name = header::HeaderName::try_from(&name).map_err(|_| bad(format!("the header {name}")))?;
        let value = HeaderValue::try_from(value).map_err(|_| bad(format!("the header {name}")))?;
        reply.response.headers_mut().append(name, value);
    }
    Ok(ApiResponse { number: Some(answered.number), ..reply.with_status(status) })
}

/// The first of the endpoint's subprotocols that the client offers (RFC 6455, 4.2.2); of an endpoint that names none, the
/// client's first.
fn subprotocol(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<HeaderValue>, ApiError> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = values.flat_map(|value| value.split(',')).map(str::trim).filter(|text| is_token(text));
    let own = &endpoint.subprotocols;
    if own.is_empty() {
        return Ok(offered.next().and_then(|first| HeaderValue::from_str(first).ok()));
    }
    let offered: Vec<&str> = offered.collect();
    let chosen = own.iter().find(|one| offered.contains(&&***one));
    let chosen = chosen.ok_or_else(|| ApiError::NoSubprotocol(own.join(", ")))?;
    Ok(HeaderValue::from_str(chosen).ok())
}
