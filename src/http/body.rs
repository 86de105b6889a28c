//! Request bodies, which are received within limits, decoded and parsed as JSON, and responses with bodies built by
//! mockd.

use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{Body, Request, Response};
use serde_json::Value;

use super::error::ApiError;
use super::limits::Limits;

/// How long to keep reading and discarding a body that is too large.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The content type of JSON responses.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The content type of plain text.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A response, and the details that the journal records.
pub(super) struct ApiResponse {
    pub(super) response: Response,
    /// The body; `None` if mockd did not build it.
    pub(super) body: Option<Bytes>,
    /// The number of the route's answer, counted from 1; `None` if the response is not a declared answer.
    pub(super) number: Option<usize>,
    /// Notes about likely mistakes in the request.
    pub(super) notes: Vec<String>,
}

impl ApiResponse {
    /// Creates a 200 with encoded JSON.
    pub(super) fn json(json: impl Into<Bytes>) -> Self {
        let json = json.into();
        let mut response = Response::default();
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response.set_body(Body::from_bytes(json.clone()));
        Self { body: Some(json), ..Self::from(response) }
    }

    /// Creates a 200 with plain text.
    pub(super) fn text(text: Bytes) -> Self {
        let mut response = Response::default();
        response.headers_mut().insert(header::CONTENT_TYPE, TEXT);
        response.set_body(Body::from_bytes(text.clone()));
        Self { body: Some(text).filter(|text| !text.is_empty()), ..response.into() }
    }

    /// Replaces the status.
    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.response.set_status(status);
        self
    }
}

impl From<Response> for ApiResponse {
    fn from(response: Response) -> Self {
        Self { response, body: None, number: None, notes: Vec::new() }
    }
}

/// Receives a request's body and removes its content coding. The body of a safe method (RFC 9110, 9.2.1) is ignored.
///
/// # Errors
/// 413 if the body exceeds the limit before or after decoding, 408 if it takes too long, 400 if it is incomplete or
/// cannot be decoded, 415 for a coding other than gzip.
pub(super) async fn receive(request: &mut Request, limits: &Limits) -> Result<Bytes, ApiError> {
    if request.method().is_safe() {
        return Ok(Bytes::new());
    }
    let mut body: BoxBody<Bytes, io::Error> = request.take_body().into();
    let reading = Limited::new(&mut body, limits.body).collect();
    match tokio::time::timeout(limits.request, reading).await {
        Ok(Ok(whole)) => without_coding(request.headers(), whole.to_bytes(), limits.body),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // Closing with unread bytes would reset the connection. A client that sends the whole body before it reads
            // would then not see the response.
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            let _ = Box::pin(tokio::time::timeout(DRAIN_TIMEOUT, rest)).await;
            Err(ApiError::TooLarge(limits.body))
        }
        Ok(Err(error)) => Err(ApiError::BrokenBody(error)),
        Err(_) => Err(ApiError::SlowRequest),
    }
}

/// Removes the content coding that the headers declare (RFC 9110, 8.4). The result has at most `most` bytes.
fn without_coding(headers: &HeaderMap, body: Bytes, most: usize) -> Result<Bytes, ApiError> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let names = values.flat_map(|value| value.to_str().unwrap_or("\u{fffd}").split(',')).map(str::trim);
    let is = |name: &str, coding: &str| name.eq_ignore_ascii_case(coding);
    let codings: Vec<&str> = names.filter(|name| !name.is_empty() && !is(name, "identity")).collect();
    match codings[..] {
        _ if body.is_empty() => Ok(body),
        [] => Ok(body),
        [coding] if is(coding, "gzip") || is(coding, "x-gzip") => gunzip(&body, most),
        _ => Err(ApiError::UnsupportedCoding(codings.join(", "))),
    }
}

/// Decompresses gzip (RFC 1952), up to `most` bytes.
fn gunzip(body: &[u8], most: usize) -> Result<Bytes, ApiError> {
    let one_more = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut whole = Vec::new();
    MultiGzDecoder::new(body).take(one_more).read_to_end(&mut whole).map_err(ApiError::BadGzip)?;
    if whole.len() > most { Err(ApiError::TooLarge(most)) } else { Ok(whole.into()) }
}

/// Returns the content type that a request declares.
pub(super) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// Parses a request's JSON.
///
/// # Errors
/// 415 for another content type, 400 for an empty body or one that is not JSON.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(expect_json(headers, body)?).map_err(ApiError::BadJson)
}

/// Returns a request's JSON as text, without parsing it.
///
/// # Errors
/// Those of [`read`], except for invalid JSON.
pub(super) fn expect_json<'b>(headers: &HeaderMap, body: &'b [u8]) -> Result<&'b [u8], ApiError> {
    let declared = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if declared.is_some_and(|declared| !is_json(declared)) {
        return Err(ApiError::UnsupportedMediaType);
    }
    match (body.is_empty(), declared) {
        (true, _) => Err(ApiError::EmptyBody),
        (false, None) => Err(ApiError::UnsupportedMediaType),
        (false, Some(_)) => Ok(body),
    }
}

/// Whether a content type is `application/json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Returns the type of a JSON value in words.
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
