//! Live sockets (RFC 6455): the handshake (4.2), and the task that serves one socket.

mod connection;
pub(super) mod endpoint;
mod header_case;
mod message;
pub(super) mod polling;

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use poem::{Request, Response};
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use super::error::ApiError;
use super::upgrade::{Upgrade, has_token, is_websocket_upgrade};
use super::{App, cors};
use crate::websocket::Encoded;
use crate::world::{Message, MessageKind, Subscription, World};
use connection::{Connection, SocketClosure};
pub(crate) use header_case::handshake_header_case;
pub use message::{ClientMessage, ClientMessageError};

/// The number of base64 digits of a 16-byte nonce, before the `==`.
const KEY_DIGITS: usize = 22;

/// Answers the handshake and starts the socket's task.
///
/// # Errors
/// 426 and 400 as for [`check`], 403 for a page that may not read the API, 503 if the world has ended.
pub(super) async fn open(
    app: &Arc<App>,
    world: &World,
    collection: &str,
    request: &Request,
) -> Result<Response, ApiError> {
    let accept = check(request.version(), request.headers())?;
    if !cors::allows_socket(&app.cors, request.headers()) {
        return Err(ApiError::ForeignSocket);
    }
    let upgrade = request.extensions().get::<Upgrade>().ok_or(ApiError::UpgradeRequired)?.clone();
    let notices = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "notices=1"));
    // Subscribing before answering ensures that a client that sees the socket open receives every value from then on.
    let feed = world.subscribe(collection, notices, encode).await?;
    app.tasks.spawn(start(upgrade, feed, app.clone()));
    Ok(switching_protocols(app, &accept, first_protocol(request.headers())))
}

/// Encodes a message as one frame.
fn encode(message: &Message) -> Bytes {
    match message.kind() {
        MessageKind::Text | MessageKind::Json => Encoded::text_of(message.payload()),
        MessageKind::Binary => Encoded::binary(message.payload()),
    }
    .into_frame()
}

/// Waits for the connection, and starts the socket's task. That is a separate task, because a task keeps the memory
/// that it needed at its start.
async fn start(upgrade: Upgrade, feed: Subscription, app: Arc<App>) {
    // Even during a shutdown, since a client whose handshake was answered should also receive a close frame.
    if let Some(upgraded) = upgrade.connection().await {
        let tasks = app.tasks.clone();
        tasks.spawn(serve(Box::new(Connection::new(upgraded, feed, app))));
    }
}

/// Serves one socket until it ends. Everything that this future holds, including its arguments, takes memory for each
/// idle socket.
async fn serve(mut connection: Box<Connection>) {
    debug!(collection = &*connection.feed.collection(), "socket opened");
    let Err(end) = connection.exchange().await;
    debug!(collection = &*connection.feed.collection(), ?end, "socket closed");
    // Boxed, so that open sockets do not hold the memory that closing takes.
    let closing = Box::pin(async move {
        match end {
            SocketClosure::Behind => connection.leave_behind().await,
            end => connection.close(end).await.finish().await,
        }
    });
    closing.await;
}

/// Checks a handshake, and returns the value of `sec-websocket-accept`.
///
/// # Errors
/// 426 if the request is not a handshake or is one of another version, 400 if the handshake is invalid.
fn check(version: Version, headers: &HeaderMap) -> Result<String, ApiError> {
    if !is_websocket_upgrade(headers) {
        return Err(ApiError::UpgradeRequired);
    }
    if version < Version::HTTP_11 {
        return Err(ApiError::BadHandshake("HTTP/1.1 is required"));
    }
    if !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(ApiError::BadHandshake("the Connection header does not contain `upgrade`"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(ApiError::WebSocketVersion);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(ApiError::BadHandshake("exactly one Sec-WebSocket-Key header is required"));
    };
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let digits = key.as_bytes().strip_suffix(b"==");
    if digits.is_none_or(|digits| digits.len() != KEY_DIGITS || !digits.iter().all(is_digit)) {
        return Err(ApiError::BadHandshake("the Sec-WebSocket-Key header is not 16 bytes in base64"));
    }
    Ok(derive_accept_key(key.as_bytes()))
}

/// Returns the 101 that completes the handshake.
fn switching_protocols(app: &App, accept: &str, subprotocol: Option<HeaderValue>) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = subprotocol {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let mut response = response.finish();
    response.extensions_mut().extend(app.handshake_header_case.clone());
    response
}

/// Returns the client's preferred subprotocol: the first one that is a token (RFC 9110, 5.6.2). Frames are the same in
/// all subprotocols, and browsers close a connection if the server selects none of those offered.
fn first_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let first = offered.split(',').map(str::trim).find(|text| is_token(text))?;
    HeaderValue::from_str(first).ok()
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
}
