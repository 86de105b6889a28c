//! The server's side of the opening handshake (RFC 6455, 4.2).

use poem::Response;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use tungstenite::handshake::derive_accept_key;

use crate::http::error::ApiError;

/// Digits in base64 of a 16-byte nonce; `==` comes after them.
const KEY_DIGITS: usize = 22;

/// Checks a handshake and gives the value of `sec-websocket-accept`.
///
/// # Errors
/// 426 if it is no handshake or one of another version, 400 if it is a broken one.
pub(super) fn check(version: Version, headers: &HeaderMap) -> Result<String, ApiError> {
    if !asks_for_socket(headers) {
        return Err(ApiError::UpgradeRequired);
    }
    if version < Version::HTTP_11 {
        return Err(ApiError::BadHandshake("it takes HTTP/1.1"));
    }
    if !names(headers, &header::CONNECTION, "upgrade") {
        return Err(ApiError::BadHandshake("the connection header does not say upgrade"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(ApiError::WebSocketVersion);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(ApiError::BadHandshake("there has to be one sec-websocket-key"));
    };
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let digits = key.as_bytes().strip_suffix(b"==");
    if digits.is_none_or(|digits| digits.len() != KEY_DIGITS || !digits.iter().all(is_digit)) {
        return Err(ApiError::BadHandshake("sec-websocket-key is not 16 bytes in base64"));
    }
    Ok(derive_accept_key(key.as_bytes()))
}

/// The 101 that ends the handshake.
pub(super) fn switching_protocols(accept: &str, headers: &HeaderMap) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = first_protocol(headers) {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response.finish()
}

/// The client's favourite subprotocol: the first that is a token (RFC 9110, 5.6.2). Frames are the same in each, and
/// browsers end a connection whose offer is not answered.
fn first_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
    };
    let first = offered.split(',').map(str::trim).find(|text| is_token(text))?;
    HeaderValue::from_str(first).ok()
}

/// Whether a request is to become a socket, well or badly.
pub(in crate::http) fn asks_for_socket(headers: &HeaderMap) -> bool {
    names(headers, &header::UPGRADE, "websocket")
}

/// Whether a comma-separated header names the token, in any case.
fn names(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
