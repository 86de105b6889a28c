//! JSON bodies, in and out.

use bytes::Bytes;
use poem::error::ReadBodyError;
use poem::http::{HeaderMap, header};
use poem::{Body, Response};
use serde_json::Value;

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

/// A body's bytes, read from the client.
///
/// # Errors
/// 413 over the limit, 408 if it takes too long, 400 if it breaks off.
pub(super) async fn receive(body: Body, limits: &Limits) -> Result<Bytes, ApiError> {
    let reading = tokio::time::timeout(limits.request, body.into_bytes_limit(limits.body));
    reading.await.map_err(|_| ApiError::SlowRequest)?.map_err(|error| match error {
        ReadBodyError::Io(error) => ApiError::BrokenBody(error),
        _ => ApiError::TooLarge(limits.body),
    })
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
