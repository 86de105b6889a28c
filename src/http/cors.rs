//! Which web pages may read an answer (Fetch standard, "CORS protocol").
//!
//! A page may send its credentials along (cookies, HTTP authentication) and read the answer only if its origin is named: the
//! wildcard `*` does not do for those. Origins of this machine are named, because that is where frontends are developed,
//! and so are those that a scenario lists. Others read without credentials where the API is open to all.

use poem::Response;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::access::is_local_origin;
use crate::scenario::Cors;

/// The methods of the mock API, but for paths that say what they have.
pub(super) const METHODS: &str = "GET,HEAD,POST";

/// The methods of the control API.
pub(super) const CONTROL_METHODS: &str = "GET,HEAD,POST,PUT,PATCH,DELETE";

/// The headers that pages may read beyond those that the Fetch standard always lets them ("CORS-safelisted response-header
/// name"), of all that answers have. They are named, because `*` means no header of that kind with credentials.
const EXPOSED: [HeaderName; 7] = [
    header::ACCEPT_ENCODING,
    header::ACCEPT_RANGES,
    header::CONTENT_RANGE,
    header::ETAG,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("x-mockd-dropped"),
];

/// Of the others, those that pages see anyway, or never ("forbidden response-header name").
const SEEN: [HeaderName; 8] = [
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
    header::SET_COOKIE,
];

/// The headers that the scenario itself gives an answer, among the extensions of the response. Pages may read them.
#[derive(Debug, Clone)]
pub(super) struct OwnHeaders(pub(super) Vec<HeaderName>);

// Private Network Access (a draft of WICG): Chromium asks a server on this machine or in this network whether pages from outside
// may reach it.
const ASKS_FOR_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The pages that may read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readers {
    /// None but those of the server itself.
    Nobody,
    /// All, without credentials.
    All,
    /// Those of this origin, also with credentials.
    Origin(HeaderValue),
}

impl Readers {
    /// The pages that may read the answer of the mock API to a request.
    pub(super) fn of(cors: &Cors, request: &HeaderMap) -> Self {
        let origin = request.get(header::ORIGIN);
        match (cors, origin) {
            (Cors::Off, _) | (Cors::Origins(_), None) => Self::Nobody,
            (Cors::Any, None) => Self::All,
            (Cors::Any, Some(origin)) => Self::of_everybody(origin),
            (Cors::Origins(allowed), Some(origin)) => {
                let is_listed = allowed.iter().any(|one| one.as_bytes() == origin.as_bytes());
                if is_listed { Self::Origin(origin.clone()) } else { Self::Nobody }
            }
        }
    }

    /// The readers of what everybody may read, asked for by a page of this origin.
    pub(super) fn of_everybody(origin: &HeaderValue) -> Self {
        let is_local = origin.to_str().is_ok_and(is_local_origin);
        if is_local { Self::Origin(origin.clone()) } else { Self::All }
    }

    /// Marks an answer for its readers. `varies` says whether other origins get another answer (RFC 9110, 12.5.5).
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
        let own = response.extensions().get::<OwnHeaders>();
        if let Some(exposed) = exposed(response.headers(), own) {
            response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// The names of the headers that pages are to see, if there are any.
fn exposed(headers: &HeaderMap, own: Option<&OwnHeaders>) -> Option<HeaderValue> {
    let is_own = |name: &HeaderName| own.is_some_and(|OwnHeaders(own)| own.contains(name) && !SEEN.contains(name));
    let is_exposed = |name: &&HeaderName| EXPOSED.contains(*name) || is_own(name);
    let mut names = headers.keys().filter(is_exposed).map(HeaderName::as_str);
    let first = names.next()?;
    let all = names.fold(first.to_owned(), |all, name| all + "," + name);
    HeaderValue::try_from(all).ok()
}

/// Whether an answer is marked for its readers already.
pub(super) fn is_marked(response: &Response) -> bool {
    response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
}

/// Whether answers of the mock API depend on the origin.
pub(super) fn varies(cors: &Cors) -> bool {
    *cors != Cors::Off
}

/// Whether a page may open a socket. Browsers ask nobody before they do (RFC 6455, 10.2), so that it is decided here: a page
/// that may not read the API gets no live values either.
pub(super) fn allows_socket(cors: &Cors, request: &HeaderMap) -> bool {
    let Some(origin) = request.get(header::ORIGIN) else { return true };
    let is_own = || {
        let (origin, host) = (origin.to_str().ok()?, request.get(header::HOST)?.to_str().ok()?);
        Some(origin.split_once("://")?.1 == host)
    };
    Readers::of(cors, request) != Readers::Nobody || is_own() == Some(true)
}

/// The answer to a preflight: 204 with the headers that were asked for, and the methods that there are. The method that was asked
/// for is one of them, whatever it is: the page is to see the answer to the request itself, which says that there is none.
pub(super) fn preflight(request: &HeaderMap, readers: &Readers, methods: &str) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, with_asked_method(methods, request))
        .header(header::ALLOW, methods)
        .header(header::VARY, "Access-Control-Request-Method, Access-Control-Request-Headers");
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response = response.header(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    if *readers != Readers::Nobody && request.get(ASKS_FOR_PRIVATE_NETWORK) == Some(&TRUE) {
        response = response.header(ALLOWS_PRIVATE_NETWORK, TRUE);
    }
    response.finish()
}

fn with_asked_method(methods: &str, request: &HeaderMap) -> String {
    let asked = request.get(header::ACCESS_CONTROL_REQUEST_METHOD).map(HeaderValue::as_bytes);
    match asked.and_then(|asked| Method::from_bytes(asked).ok()) {
        Some(asked) if !methods.split(',').any(|method| method == asked.as_str()) => format!("{methods},{asked}"),
        _ => methods.to_owned(),
    }
}
