//! Errors of requests, and the single place that turns them into responses.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use poem::error::{ParsePathError, ResponseError};
use poem::http::{HeaderValue, Method, StatusCode, Uri, header};
use poem::{Error as PoemError, Response};
use serde_json::json;
use thiserror::Error;

use super::body::ApiResponse;
use super::host_name::is_host_name;
use super::live::polling::EngineIoError;
use crate::engine::{Refusal, RefusalKind};
use crate::request::FormError;
use crate::scenario::{Problems, describe};
use crate::selector::SwitchError;
use crate::words::joined;
use crate::world::{ClockError, SnapshotError, WorldError};
use crate::worlds::WorldsError;

/// An error response to a request. Its `Display` text is the response's message.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error("Route {method}:{uri} not found{}", .nearest.as_ref().map(|near| format!(", did you mean {near}?")).unwrap_or_default())]
    RouteNotFound { method: Method, uri: Box<Uri>, nearest: Option<String>, is_of_shop: bool },
    #[error("{method} is not a method of {path}, which has {}", joined_methods(.allowed))]
    MethodNotAllowed { method: Method, path: String, allowed: Vec<&'static str> },
    #[error("The answer cannot be sent: HTTP does not allow {0}")]
    BadAnswer(String),
    #[error("File {0} not found")]
    FileNotFound(String),
    #[error("File {0} is outside the directory of the scenario")]
    FileOutside(String),
    #[error("The range starts beyond the end of the file, which has {length} bytes")]
    NoSuchRange { length: u64 },
    #[error("Body cannot be empty, send a JSON object")]
    EmptyBody,
    #[error("Body is not valid JSON: {0}")]
    BadJson(serde_json::Error),
    #[error("Body cannot be read: {0}")]
    BrokenBody(Box<dyn std::error::Error + Send + Sync>),
    #[error("Body must be a JSON object, not {0}")]
    NotAnObject(&'static str),
    #[error("The id is made by the server, leave it out")]
    IdInBody,
    #[error("The total of a new product starts at 0, leave it out; POST /orders/{{id}} then adds to it")]
    ValueInBody,
    #[error("Supplied amount must be an integer")]
    AmountNotAnInteger,
    #[error("Unsupported Media Type, send content-type: application/json")]
    UnsupportedMediaType,
    #[error("Unsupported content-encoding {0}, send gzip or none")]
    UnsupportedCoding(String),
    #[error("Body is not valid gzip: {0}")]
    BadGzip(std::io::Error),
    #[error("Body is not a valid form: {0}")]
    BadForm(FormError),
    #[error("Body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("This path speaks WebSocket, connect with ws://")]
    UpgradeRequired,
    /// As [`ApiError::UpgradeRequired`], for a path that also has routes of other methods.
    #[error("This path speaks WebSocket, connect with ws://; over HTTP, it has {}", joined_methods(.methods))]
    UpgradeOrMethod { methods: Vec<&'static str> },
    #[error("This endpoint speaks only the WebSocket subprotocols {declared}; the client offers {}", or_none(.offered))]
    NoSubprotocol { declared: String, offered: String },
    #[error("{path} is not a WebSocket endpoint{}", nearest_endpoint(.nearest.as_deref()))]
    NoEndpoint { path: String, is_route: bool, nearest: Option<String> },
    #[error("WebSocket version 13 is required")]
    WebSocketVersion,
    #[error("Not a WebSocket handshake: {0}")]
    BadHandshake(&'static str),
    #[error("Exactly one valid Host header is required")]
    BadHost,
    #[error("Path is not valid: its percent-encoding is not UTF-8 text")]
    BadPath,
    #[error("{field}: {why}")]
    Field { field: String, why: String },
    #[error("The path and the x-mockd-world header name two worlds, leave one of them out")]
    TwoWorlds,
    #[error("The control API is off, because this mockd does not listen on loopback; start it with --control-token")]
    ControlOff,
    #[error("The control API needs the token that mockd was started with: authorization: Bearer …")]
    NoToken,
    #[error("mockd listens on loopback and accepts only requests to localhost{}", allow_host_hint(.0))]
    ForeignHost(String),
    #[error("This mock does not accept sockets from pages of other sites; allow them with `cors` in the scenario")]
    ForeignSocket,
    #[error("mockd already serves {0} connections; close some, or allow more with --max-connections")]
    TooManyConnections(usize),
    #[error("The request took too long to arrive")]
    SlowRequest,
    #[error("mockd failed to answer this request; it is a defect in mockd, please report it")]
    Defect,
    #[error("The fault is invalid\n{0}")]
    BadFault(Box<Problems>),
    /// Steps in a request that are invalid.
    #[error("the steps are invalid: {0}")]
    BadSteps(Box<Problems>),
    #[error("The control API does not accept requests from pages of other sites; allow them with --control-origin")]
    ForeignOrigin,
    /// A refusal of a rule's steps, or of its operation on a collection.
    #[error(transparent)]
    Refused(Refusal),
    /// An error that is reported to Engine.IO clients in Engine.IO's format.
    #[error(transparent)]
    EngineIo(#[from] EngineIoError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Worlds(#[from] WorldsError),
    #[error(transparent)]
    Switch(#[from] SwitchError),
    #[error("{1}")]
    Other(StatusCode, String),
}

impl ResponseError for ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::RouteNotFound { .. }
            | Self::NoEndpoint { is_route: false, .. }
            | Self::FileNotFound(_)
            | Self::FileOutside(_)
            | Self::Worlds(WorldsError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoSuchRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Refused(refusal) => status_of_refusal(refusal, StepsOf::Scenario),
            Self::UnsupportedMediaType | Self::UnsupportedCoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UpgradeRequired | Self::UpgradeOrMethod { .. } | Self::WebSocketVersion => {
                StatusCode::UPGRADE_REQUIRED
            }
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::ControlOff | Self::ForeignHost(_) | Self::ForeignOrigin | Self::ForeignSocket => {
                StatusCode::FORBIDDEN
            }
            Self::SlowRequest => StatusCode::REQUEST_TIMEOUT,
            Self::Defect | Self::BadAnswer(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::World(error) | Self::Worlds(WorldsError::World(error)) => status_of(error),
            Self::Worlds(WorldsError::Exists(_) | WorldsError::Default) => StatusCode::CONFLICT,
            Self::TooManyConnections(_) | Self::Worlds(WorldsError::TooMany(_)) => StatusCode::SERVICE_UNAVAILABLE,
            #[cfg(feature = "redis")]
            Self::Worlds(WorldsError::Store(_)) => StatusCode::SERVICE_UNAVAILABLE,
            #[cfg(feature = "redis")]
            Self::Worlds(WorldsError::OtherScenario { .. }) => StatusCode::BAD_REQUEST,
            Self::Switch(error) => status_of_switch(error),
            Self::Other(status, _) => *status,
            Self::EmptyBody
            | Self::BadJson(_)
            | Self::BrokenBody(_)
            | Self::BadGzip(_)
            | Self::BadForm(_)
            | Self::NotAnObject(_)
            | Self::IdInBody
            | Self::ValueInBody
            | Self::AmountNotAnInteger
            | Self::BadHandshake(_)
            | Self::NoSubprotocol { .. }
            | Self::NoEndpoint { is_route: true, .. }
            | Self::BadHost
            | Self::BadPath
            | Self::Field { .. }
            | Self::TwoWorlds
            | Self::EngineIo(_)
            | Self::BadFault(_)
            | Self::BadSteps(_)
            | Self::Worlds(WorldsError::BadName(_)) => StatusCode::BAD_REQUEST,
        }
    }

    fn as_response(&self) -> Response {
        self.to_response().response
    }
}

impl ApiError {
    /// Turns the error into a response.
    pub(super) fn to_response(&self) -> ApiResponse {
        let status = self.status();
        let (code, error, message) = (status.as_u16(), status.canonical_reason(), self.to_string());
        let json = match self {
            Self::Field { field, .. } => {
                json!({ "statusCode": code, "error": error, "message": message, "field": field })
            }
            Self::Switch(SwitchError::Broken { error: problem, .. }) => {
                json!({ "statusCode": code, "error": error, "message": message, "problems": describe(problem) })
            }
            Self::EngineIo(why) => json!({ "code": why.code(), "message": message }),
            // Fastify orders the keys differently for unknown routes, and clients of a shop compare bytes.
            Self::RouteNotFound { is_of_shop: true, .. } => {
                json!({ "message": message, "error": error, "statusCode": code })
            }
            _ => json!({ "statusCode": code, "error": error, "message": message }),
        };
        let mut response = ApiResponse::json(json.to_string()).with_status(status);
        let headers = response.response.headers_mut();
        match status {
            StatusCode::UPGRADE_REQUIRED => {
                // The required protocol (RFC 9110, 15.5.22) and version (RFC 6455, 4.4).
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                // In seconds (RFC 9110, 10.2.3).
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                // RFC 6750, 3.
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ if let Self::MethodNotAllowed { allowed, .. } = self => {
                // RFC 9110, 15.5.6.
                headers.extend(HeaderValue::try_from(allowed.join(",")).map(|allowed| (header::ALLOW, allowed)));
            }
            _ if let Self::NoSuchRange { length } = self => {
                // RFC 9110, 15.5.17.
                let range = HeaderValue::try_from(format!("bytes */{length}"));
                headers.extend(range.map(|range| (header::CONTENT_RANGE, range)));
            }
            // Distinguishes this 415 from the one for an unsupported content type (RFC 9110, 12.5.3).
            _ if matches!(self, Self::UnsupportedCoding(_)) => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            }
            _ => {}
        }
        response
    }

    /// Converts an error from poem, which may wrap an `ApiError`.
    pub(super) fn of(error: PoemError, method: &Method, uri: &Uri) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) if error.is::<ParsePathError>() => Self::BadPath,
            Err(error) => match error.status() {
                // A path that leads out of the site is reported as missing, so that the response does not reveal where
                // it led.
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN => {
                    Self::not_found(method, uri)
                }
                status => Self::Other(status, error.to_string()),
            },
        }
    }

    /// Returns the error for a route that does not exist.
    pub(super) fn not_found(method: &Method, uri: &Uri) -> Self {
        Self::RouteNotFound { method: method.clone(), uri: Box::new(uri.clone()), nearest: None, is_of_shop: true }
    }
}

/// Joins methods like `GET, HEAD and POST`.
fn joined_methods(methods: &[&str]) -> String {
    joined(&methods.iter().map(ToString::to_string).collect::<Vec<_>>(), "and")
}

fn or_none(list: &str) -> &str {
    if list.is_empty() { "none" } else { list }
}

/// Returns how to allow a host, or an empty text if its name is not valid for the flag.
fn allow_host_hint(host: &str) -> String {
    if is_host_name(host) { format!("; {host} is allowed with --allow-host {host}") } else { String::new() }
}

fn status_of_switch(error: &SwitchError) -> StatusCode {
    match error {
        SwitchError::Unknown(_) => StatusCode::NOT_FOUND,
        // The request is valid, but the file that it names is not.
        SwitchError::Broken { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        SwitchError::Defect { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        SwitchError::Fixed => StatusCode::CONFLICT,
        SwitchError::Ended => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn status_of(error: &WorldError) -> StatusCode {
    match error {
        WorldError::Ended | WorldError::Behind => StatusCode::SERVICE_UNAVAILABLE,
        #[cfg(feature = "redis")]
        WorldError::Store(_) | WorldError::Unplayable => StatusCode::SERVICE_UNAVAILABLE,
        WorldError::Defect => StatusCode::INTERNAL_SERVER_ERROR,
        WorldError::Refused(refusal) => status_of_refusal(refusal, StepsOf::Request),
        WorldError::Snapshot(SnapshotError::Unknown(_)) | WorldError::UnknownSocket(_) => StatusCode::NOT_FOUND,
        WorldError::Snapshot(SnapshotError::TooMany) | WorldError::Clock(ClockError::Overtaken) => StatusCode::CONFLICT,
        WorldError::Clock(ClockError::InThePast { .. })
        | WorldError::Expectation { .. }
        | WorldError::Wait(_)
        | WorldError::Unsendable { .. } => StatusCode::BAD_REQUEST,
    }
}

fn nearest_endpoint(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; the nearest is {nearest}")).unwrap_or_default()
}

/// The origin of refused steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepsOf {
    Scenario,
    Request,
}

fn status_of_refusal(refusal: &Refusal, steps: StepsOf) -> StatusCode {
    match refusal.kind() {
        RefusalKind::Missing => StatusCode::NOT_FOUND,
        RefusalKind::Taken => StatusCode::CONFLICT,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::Wrong => StatusCode::BAD_REQUEST,
        RefusalKind::Defect if steps == StepsOf::Request => StatusCode::BAD_REQUEST,
        RefusalKind::Defect | RefusalKind::Disagreement => StatusCode::INTERNAL_SERVER_ERROR,
        RefusalKind::Overload => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Isolates a handler: if it panics, its request gets a 500 and nothing else is affected.
///
/// # Errors
/// Those of the handler.
pub(super) async fn catch_panic<T>(handler: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or(Err(ApiError::Defect))
}

#[cfg(test)]
mod tests {
    use poem::error::ResponseError;
    use poem::http::StatusCode;

    use super::catch_panic;

    #[tokio::test]
    async fn a_panicking_handler_gives_500_and_does_not_affect_the_next() {
        for (fails, expected) in [(true, Err(StatusCode::INTERNAL_SERVER_ERROR)), (false, Ok("fine"))] {
            let handler = async { if fails { panic!("a defect") } else { Ok("fine") } };
            assert_eq!(catch_panic(handler).await.map_err(|error| error.status()), expected);
        }
    }
}
