//! Extracts the parts of a request that rules can read.

use std::borrow::Cow;

use bytes::Bytes;
use poem::http::{HeaderMap, HeaderName, header};
use serde_json::{Map, Value};

use super::RuleCall;
use crate::engine::RuleRequest;
use crate::http::body::content_type;
use crate::http::error::ApiError;
use crate::http::target::{RequestTarget, decoded};
use crate::request::{self, BodyError};
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
    request::query(target.query().unwrap_or_default())
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

fn body(headers: &HeaderMap, body: &Bytes) -> Result<Option<Value>, ApiError> {
    request::body(content_type(headers), body).map_err(|error| match error {
        BodyError::Json(error) => ApiError::BadJson(error),
        BodyError::Form(error) => ApiError::BadForm(error),
    })
}
