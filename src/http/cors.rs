//! CORS: which web pages may read a response (Fetch standard, "CORS protocol").
//!
//! A page that sends credentials (cookies, HTTP authentication) may read the response only if its origin is named,
//! because the wildcard `*` excludes requests with credentials. Origins of this machine, where frontends are developed,
//! and origins listed in the scenario are named. If the API is open to all, other origins may read it without
//! credentials.

use poem::Response;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::access::is_local_origin;
use crate::scenario::Cors;

/// The methods of the mock API, except for paths that declare their methods.
pub(super) const METHODS: &str = "GET,HEAD,POST";

/// The methods of the control API.
pub(super) const CONTROL_METHODS: &str = "GET,HEAD,POST,PUT,PATCH,DELETE";

/// The response headers that are exposed to pages in addition to those that the Fetch standard always exposes
/// ("CORS-safelisted response-header name"). They are listed because `*` is not a wildcard for requests with
/// credentials.
const EXPOSED: [HeaderName; 7] = [
    header::ACCEPT_ENCODING,
    header::ACCEPT_RANGES,
    header::CONTENT_RANGE,
    header::ETAG,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("x-mockd-dropped"),
];

/// Headers that need not be exposed, because pages can always read them, or never ("forbidden response-header name").
const NOT_EXPOSED: [HeaderName; 8] = [
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
    header::SET_COOKIE,
];

/// The names of the headers that the scenario sets on a response, stored in the response's extensions. They are exposed
/// to pages.
#[derive(Debug, Clone)]
pub(super) struct ScenarioHeaders(pub(super) Vec<HeaderName>);

// Private Network Access (WICG draft): Chromium asks a server on this machine or in the local network whether pages
// from outside may reach it.
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The pages that may read a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readers {
    /// Only pages of the server itself.
    Nobody,
    /// All pages, without credentials.
    All,
    /// Pages of this origin, also with credentials.
    Origin(HeaderValue),
}

impl Readers {
    /// Returns the pages that may read the mock API's response to a request.
    pub(super) fn of(cors: &Cors, request: &HeaderMap) -> Self {
        let origin = request.get(header::ORIGIN);
        match (cors, origin) {
            (Cors::Off, _) | (Cors::Origins(_), None) => Self::Nobody,
            (Cors::Any, None) => Self::All,
            (Cors::Any, Some(origin)) => Self::of_public(origin),
            (Cors::Origins(allowed), Some(origin)) => {
                let is_listed = allowed.iter().any(|one| one.as_bytes() == origin.as_bytes());
                if is_listed { Self::Origin(origin.clone()) } else { Self::Nobody }
            }
        }
    }

    /// Returns the readers of a public response that a page of this origin requests.
    pub(super) fn of_public(origin: &HeaderValue) -> Self {
        let is_local = origin.to_str().is_ok_and(is_local_origin);
        if is_local { Self::Origin(origin.clone()) } else { Self::All }
    }

    /// Adds the CORS headers for the readers to a response. `varies` is whether the response depends on the origin (RFC
    /// 9110, 12.5.5).
    pub(super) fn mark(self, response: &mut Response, varies: bool) {
        let headers = response.headers_mut();
        if varies {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        let origin = match self {
            Self::Nobody => return,
            Self::All => HeaderValue::from_static("*"),
            Self::Origin(origin) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
                origin
            }
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let own = response.extensions().get::<ScenarioHeaders>();
        if let Some(exposed) = exposed(response.headers(), own) {
            response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// Returns the names of the headers to expose to pages, or `None` if there are none.
fn exposed(headers: &HeaderMap, own: Option<&ScenarioHeaders>) -> Option<HeaderValue> {
    let is_own =
        |name: &HeaderName| own.is_some_and(|ScenarioHeaders(own)| own.contains(name) && !NOT_EXPOSED.contains(name));
    let is_exposed = |name: &&HeaderName| EXPOSED.contains(*name) || is_own(name);
    let mut names = headers.keys().filter(is_exposed).map(HeaderName::as_str);
    let first = names.next()?;
    let all = names.fold(first.to_owned(), |all, name| all + "," + name);
    HeaderValue::try_from(all).ok()
}

/// Whether a response already has CORS headers.
pub(super) fn is_marked(response: &Response) -> bool {
    response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
}

/// Whether responses of the mock API depend on the origin.
pub(super) fn varies(cors: &Cors) -> bool {
    *cors != Cors::Off
}

/// Whether a page may open a socket. CORS does not apply to sockets (RFC 6455, 10.2), so the server checks the origin:
/// a page that may not read the API must not receive live values either.
pub(super) fn allows_socket(cors: &Cors, request: &HeaderMap) -> bool {
    let Some(origin) = request.get(header::ORIGIN) else { return true };
    let is_own = || {
        let (origin, host) = (origin.to_str().ok()?, request.get(header::HOST)?.to_str().ok()?);
        Some(origin.split_once("://")?.1 == host)
    };
    Readers::of(cors, request) != Readers::Nobody || is_own() == Some(true)
}

/// Answers a preflight with a 204 that allows the requested headers and the existing methods. The requested method is
/// always allowed, so that the page can read the response to the request itself, which explains that the method does
/// not exist.
pub(super) fn preflight(request: &HeaderMap, readers: &Readers, methods: &str) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, with_requested_method(methods, request))
        .header(header::ALLOW, methods)
        .header(header::VARY, "Access-Control-Request-Method, Access-Control-Request-Headers");
    if let Some(requested) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response = response.header(header::ACCESS_CONTROL_ALLOW_HEADERS, requested);
    }
    if *readers != Readers::Nobody && request.get(REQUEST_PRIVATE_NETWORK) == Some(&TRUE) {
        response = response.header(ALLOW_PRIVATE_NETWORK, TRUE);
    }
    response.finish()
}

fn with_requested_method(methods: &str, request: &HeaderMap) -> String {
    let requested = request.get(header::ACCESS_CONTROL_REQUEST_METHOD).map(HeaderValue::as_bytes);
    match requested.and_then(|requested| Method::from_bytes(requested).ok()) {
        Some(requested) if !methods.split(',').any(|method| method == requested.as_str()) => {
            format!("{methods},{requested}")
        }
        _ => methods.to_owned(),
    }
}
