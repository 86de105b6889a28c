//! Extracts the parts of a request that rules can read.

use std::borrow::Cow;

use bytes::Bytes;
use poem::http::{HeaderMap, HeaderName, header};
use serde_json::{Map, Value, json};

use super::RuleCall;
use super::forms;
use crate::engine::RuleRequest;
use crate::http::error::ApiError;
use crate::http::target::{RequestTarget, decoded};
use crate::scenario::{Answer, CrudOperation, EndpointMatch, RequestMatch};

impl RuleCall<'_> {
    /// Extracts the parts of a request that the rules of its route read. All other parts are left empty.
    ///
    /// # Errors
    /// 400 if a path parameter is not UTF-8, or the body does not match its content type.
    pub(super) fn read(&self, headers: &HeaderMap, body: &Bytes) -> Result<RuleRequest, ApiError> {
        let is_named = |name: &str| self.answers.names.contains(name);
        let is_crud = self.crud.is_some();
        let has_url = is_crud || is_named("url");
        let has_query = is_crud || is_named("query") || self.matches(|matches| matches.query.is_some());
        let has_headers = is_named("headers") || self.matches(|matches| matches.headers.is_some());
        let has_body =
            self.crud.is_some_and(takes_body) || is_named("body") || self.matches(|matches| matches.body.is_some());
        Ok(RuleRequest {
            method: is_named("method").then(|| self.target.method.to_string()),
            url: has_url.then(|| url(self.target)),
            path: if is_crud || is_named("path") { Some(self.path()?) } else { None },
            query: has_query.then(|| query(self.target)),
            headers: has_headers.then(|| self::headers(headers)),
            cookies: is_named("cookies").then(|| cookies(headers)),
            body: if has_body { self::body(headers, body)? } else { None },
        })
    }

    fn matches(&self, predicate: impl Fn(&RequestMatch) -> bool) -> bool {
        self.answers.list.iter().any(|Answer { matches, .. }| matches.as_ref().is_some_and(&predicate))
    }

    fn path(&self) -> Result<Map<String, Value>, ApiError> {
        let parameters = self.route.path().parameters();
        parameters.map(|one| Ok((one.name().to_string(), decoded(self.routes.parameter(one))?.into()))).collect()
    }
}

/// Extracts all parts of a handshake for the rules of its endpoint, because a reload may add rules that read other
/// parts.
///
/// # Errors
/// 400 if a path parameter is not UTF-8.
pub(in crate::http) fn handshake_request(
    target: &RequestTarget<'_>,
    found: &EndpointMatch<'_, '_>,
    headers: &HeaderMap,
) -> Result<RuleRequest, ApiError> {
    let parameters = found.endpoint().path.parameters();
    let path = parameters.map(|one| Ok((one.name().to_string(), decoded(found.parameter(one))?.into())));
    Ok(RuleRequest {
        method: Some(target.method.to_string()),
        url: Some(url(target)),
        path: Some(path.collect::<Result<_, ApiError>>()?),
        query: Some(query(target)),
        headers: Some(self::headers(headers)),
        cookies: Some(cookies(headers)),
        body: None,
    })
}

/// Returns the path and query, without the world's prefix.
fn url(target: &RequestTarget<'_>) -> String {
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", target.path)
}

fn query(target: &RequestTarget<'_>) -> Map<String, Value> {
    let mut query = Map::new();
    for (name, value) in form_urlencoded::parse(target.query().unwrap_or_default().as_bytes()) {
        forms::add(&mut query, name, value.into());
    }
    query
}

fn takes_body(operation: CrudOperation) -> bool {
    matches!(operation, CrudOperation::Add | CrudOperation::Replace | CrudOperation::Merge)
}

/// Joins the values of a header.
fn joined(headers: &HeaderMap, name: &HeaderName, separator: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<Cow<'_, str>>>().join(separator)
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    headers.keys().map(|name| (name.as_str().to_owned(), joined(headers, name, ", ").into())).collect()
}

/// Parses the cookies. The first of several cookies with the same name wins, because browsers send the one with the
/// longest path first (RFC 6265, 5.4).
fn cookies(headers: &HeaderMap) -> Map<String, Value> {
    let mut cookies = Map::new();
    for pair in joined(headers, &header::COOKIE, ";").split(';') {
        let Some((name, value)) = pair.trim().split_once('=') else { continue };
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        cookies.entry(name.trim()).or_insert_with(|| quoted.unwrap_or(value.trim()).into());
    }
    cookies
}

/// Parses the body according to its content type: JSON, a form or text. Without a content type, the body is JSON if it
/// parses as JSON, otherwise text.
fn body(headers: &HeaderMap, body: &Bytes) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(declared) = declared else {
        return Ok(Some(serde_json::from_slice(body).unwrap_or_else(|_| text(None, body))));
    };
    let kind = forms::media_type(declared);
    if kind == "application/json" || kind.ends_with("+json") {
        return serde_json::from_slice(body).map(Some).map_err(ApiError::BadJson);
    }
    // By default, curl declares JSON as a form.
    if let Some(json) = Some(body).filter(|_| kind == forms::URL_ENCODED).and_then(|body| object_or_array(body)) {
        return Ok(Some(json));
    }
    let fields = forms::read(declared, body.clone()).map_err(ApiError::BadForm)?;
    Ok(Some(fields.map_or_else(|| text(Some(declared), body), Value::from)))
}

/// Parses a body that is a JSON object or array, regardless of its content type.
fn object_or_array(body: &[u8]) -> Option<Value> {
    let is_like_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    is_like_json.then(|| serde_json::from_slice(body).ok()).flatten()
}

/// Returns the body as text, or its type and size if it is not UTF-8.
fn text(kind: Option<&str>, body: &[u8]) -> Value {
    std::str::from_utf8(body)
        .map_or_else(|_| json!({ "type": kind.unwrap_or("application/octet-stream"), "size": body.len() }), Value::from)
}
