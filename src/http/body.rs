//! JSON bodies, in and out.

use std::time::Duration;

use bytes::Bytes;
use poem::http::{HeaderMap, header};
use poem::{Body, Request, Response};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::error::ApiError;
use super::limits::Limits;

/// The content type of every JSON answer.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// The body of an answer, for the journal.
#[derive(Clone)]
pub(super) struct Kept(pub(super) Bytes);

/// A 200 with JSON that is encoded already.
pub(super) fn answer(json: impl Into<Bytes>) -> Response {
    let json = json.into();
    Response::builder().content_type(JSON).extension(Kept(json.clone())).body(Body::from_bytes(json))
}

/// How long a body that is too large is read all the same, to no end.
const LINGER: Duration = Duration::from_secs(1);

/// Receives a request's body from the client, for whoever reads it again. A safe method has none (RFC 9110, 9.2.1).
///
/// # Errors
/// 413 over the limit, 408 if it takes too long, 400 if it breaks off.
pub(super) async fn receive(request: &mut Request, limits: &Limits) -> Result<Bytes, ApiError> {
    if request.method().is_safe() {
        return Ok(Bytes::new());
    }
    let mut coming = request.take_body().into_async_read();
    let mut bytes = Vec::new();
    let mut enough = (&mut coming).take(limits.body as u64 + 1);
    let reading = tokio::time::timeout(limits.request, enough.read_to_end(&mut bytes));
    reading.await.map_err(|_| ApiError::SlowRequest)?.map_err(ApiError::BrokenBody)?;
    if bytes.len() > limits.body {
        drop(bytes);
        // To close on unread bytes would reset the connection, and a client that first sends all of it would not see why.
        let _ = tokio::time::timeout(LINGER, tokio::io::copy(&mut coming, &mut tokio::io::sink())).await;
        return Err(ApiError::TooLarge(limits.body));
    }
    let bytes = Bytes::from(bytes);
    request.set_body(Body::from_bytes(bytes.clone()));
    Ok(bytes)
}

/// The bytes of a body that was received before.
///
/// # Errors
/// 400, which cannot be.
pub(super) async fn bytes(body: Body) -> Result<Bytes, ApiError> {
    body.into_bytes().await.map_err(|error| ApiError::BrokenBody(std::io::Error::other(error)))
}

/// Reads a request's JSON.
///
/// # Errors
/// 415 for another content type, 400 for an empty body or one that is not JSON.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Value, ApiError> {
    serde_json::from_slice(&read_text(headers, body).await?).map_err(ApiError::BadJson)
}

/// Whether a content type is that of JSON, with parameters or without.
pub(super) fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Reads the text of a request's JSON.
///
/// # Errors
/// As [`read`], but for what is not JSON.
pub(super) async fn read_text(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let declared = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if declared.is_some_and(|declared| !is_json(declared)) {
        return Err(ApiError::UnsupportedMediaType);
    }
    let bytes = bytes(body).await?;
    match (bytes.is_empty(), declared) {
        (true, _) => Err(ApiError::EmptyBody),
        (false, None) => Err(ApiError::UnsupportedMediaType),
        (false, Some(_)) => Ok(bytes),
    }
}

/// What a JSON value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
