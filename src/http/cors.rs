//! Which web origins may read the API (Fetch standard, "CORS protocol").

use poem::Response;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::scenario::Cors;

/// What the API takes, for preflights.
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST");

/// What the control API takes.
const CONTROL_METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE");

/// The answer to a preflight: 204 with the methods and the headers that were asked for.
pub(super) fn preflight(request: &HeaderMap, is_control: bool) -> Response {
    let methods = if is_control { CONTROL_METHODS } else { METHODS };
    let mut response = Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, methods.clone())
        .header(header::ALLOW, methods)
        .header(header::VARY, "Access-Control-Request-Headers");
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response = response.header(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    response.finish()
}

/// The value of `access-control-allow-origin`, if the origin may read the answer.
pub(super) fn allowed_origin(cors: &Cors, request: &HeaderMap) -> Option<HeaderValue> {
    match cors {
        Cors::Any => Some(HeaderValue::from_static("*")),
        Cors::Off => None,
        Cors::Origins(allowed) => {
            let origin = request.get(header::ORIGIN)?;
            allowed.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| origin.clone())
        }
    }
}

/// Whether a page may open a socket. Browsers ask nobody before they do (RFC 6455, 10.2), so that it is decided here: a page
/// that may not read the API gets no live orders either.
pub(super) fn allows_socket(cors: &Cors, request: &HeaderMap) -> bool {
    let Some(origin) = request.get(header::ORIGIN) else { return true };
    let is_own = || {
        let (origin, host) = (origin.to_str().ok()?, request.get(header::HOST)?.to_str().ok()?);
        Some(origin.split_once("://")?.1 == host)
    };
    allowed_origin(cors, request).is_some() || is_own() == Some(true)
}

/// Marks an answer of the control API for the page that may use it, if one may, whoever may use the mock API.
pub(super) fn mark_control(response: &mut Response, origin: Option<HeaderValue>) {
    let Some(origin) = origin else { return };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-mockd-dropped"));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

/// Marks an answer for the origins that may read it.
pub(super) fn mark(response: &mut Response, cors: &Cors, allowed: Option<HeaderValue>) {
    let headers = response.headers_mut();
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    if matches!(cors, Cors::Origins(_)) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}
