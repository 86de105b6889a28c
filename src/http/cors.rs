//! Which web origins may read the API (Fetch standard, "CORS protocol").

use poem::Response;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::scenario::Cors;

/// What the API takes, for preflights.
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST");

/// The answer to a preflight: 204 with the methods and the headers that were asked for.
pub(super) fn preflight(request: &HeaderMap) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)
        .header(header::ALLOW, METHODS)
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

/// Marks an answer for the origins that may read it.
pub(super) fn mark(response: &mut Response, cors: &Cors, allowed: Option<HeaderValue>) {
    let headers = response.headers_mut();
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    if matches!(cors, Cors::Origins(_)) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}
