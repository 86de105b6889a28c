//! JSON bodies, in and out.

use bytes::Bytes;
use poem::error::ReadBodyError;
use poem::http::{HeaderMap, header};
use poem::{Body, Response};
use serde_json::Value;

use super::error::ApiError;

/// The content type of every JSON answer.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// The most bytes that a request body may have.
pub(super) const MAX_BODY: usize = 1 << 20;

/// A 200 with JSON that is encoded already.
pub(super) fn answer(json: impl Into<Bytes>) -> Response {
    Response::builder().content_type(JSON).body(Body::from_bytes(json.into()))
}

/// Reads a request's JSON.
///
/// # Errors
/// 415 for another content type, 413 over the limit, 400 for an empty body or one that is not JSON.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Value, ApiError> {
    let declared = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let media_type = declared.map(|value| value.split(';').next().unwrap_or_default().trim());
    if media_type.is_some_and(|media_type| !media_type.eq_ignore_ascii_case("application/json")) {
        return Err(ApiError::UnsupportedMediaType);
    }
    let bytes = body.into_bytes_limit(MAX_BODY).await.map_err(|error| match error {
        ReadBodyError::Io(error) => ApiError::BrokenBody(error),
        _ => ApiError::TooLarge(MAX_BODY),
    })?;
    match (bytes.is_empty(), media_type) {
        (true, _) => Err(ApiError::EmptyBody),
        (false, None) => Err(ApiError::UnsupportedMediaType),
        (false, Some(_)) => serde_json::from_slice(&bytes).map_err(ApiError::BadJson),
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
