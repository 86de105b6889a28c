//! What is wrong with a request, and the one place that turns it into an answer.

use bytes::Bytes;
use poem::error::{ParsePathError, ResponseError};
use poem::http::{Method, StatusCode, Uri, header};
use poem::{Body, Error as PoemError, Response};
use serde_json::json;
use thiserror::Error;

use super::body::{JSON, Kept};
use crate::engine::Refusal;
use crate::scenario::{Problems, describe};
use crate::selector::SwitchError;
use crate::world::{ClockError, SnapshotError, WorldError};
use crate::worlds::WorldsError;

/// A request that is answered with an error; `Display` is the answer's message.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error("Route {method}:{uri} not found")]
    RouteNotFound { method: Method, uri: Uri },
    #[error("Body cannot be empty, send a JSON object")]
    EmptyBody,
    #[error("Body is not valid JSON: {0}")]
    BadJson(serde_json::Error),
    #[error("Body cannot be read: {0}")]
    BrokenBody(std::io::Error),
    #[error("Body must be a JSON object, not {0}")]
    NotAnObject(&'static str),
    #[error("The id is made by the server, leave it out")]
    IdInBody,
    #[error("Supplied amount must be an integer")]
    AmountNotAnInteger,
    #[error("Unsupported Media Type, send content-type: application/json")]
    UnsupportedMediaType,
    #[error("Body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("This path speaks WebSocket, connect with ws://")]
    UpgradeRequired,
    #[error("WebSocket version 13 is required")]
    WebSocketVersion,
    #[error("Not a WebSocket handshake: {0}")]
    BadHandshake(&'static str),
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
    #[error(
        "mockd listens on loopback and takes requests to localhost only; another name is allowed with --allow-host"
    )]
    ForeignHost,
    #[error("This mock takes no sockets from pages of other sites; allow them with `cors` in the scenario")]
    ForeignSocket,
    #[error("mockd serves {0} connections already; close some, or allow more with --max-connections")]
    TooManyConnections(usize),
    #[error("The request took too long to arrive")]
    SlowRequest,
    #[error("mockd has failed to answer this; it is a defect in mockd, please report it")]
    Defect,
    #[error("The fault is wrong\n{0}")]
    BadFault(Box<Problems>),
    #[error("The control API takes no requests from pages of other sites; allow them with --control-origin")]
    ForeignOrigin,
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
            Self::RouteNotFound { .. } | Self::Worlds(WorldsError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UpgradeRequired | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::ControlOff | Self::ForeignHost | Self::ForeignOrigin | Self::ForeignSocket => StatusCode::FORBIDDEN,
            Self::SlowRequest => StatusCode::REQUEST_TIMEOUT,
            Self::Defect => StatusCode::INTERNAL_SERVER_ERROR,
            Self::World(error) | Self::Worlds(WorldsError::World(error)) => status_of(error),
            Self::Worlds(WorldsError::Exists(_) | WorldsError::Default) => StatusCode::CONFLICT,
            Self::TooManyConnections(_) | Self::Worlds(WorldsError::TooMany(_)) => StatusCode::SERVICE_UNAVAILABLE,
            #[cfg(feature = "redis")]
            Self::Worlds(WorldsError::Store(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Switch(error) => status_of_switch(error),
            Self::Other(status, _) => *status,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn as_response(&self) -> Response {
        let status = self.status();
        let (code, error, message) = (status.as_u16(), status.canonical_reason(), self.to_string());
        let body = match self {
            Self::Field { field, .. } => {
                json!({ "statusCode": code, "error": error, "message": message, "field": field })
            }
            Self::Switch(SwitchError::Broken { error: problem, .. }) => {
                json!({ "statusCode": code, "error": error, "message": message, "problems": describe(problem) })
            }
            // Fastify answers unknown routes with its keys in another order, and clients compare bytes.
            Self::RouteNotFound { .. } => json!({ "message": message, "error": error, "statusCode": code }),
            _ => json!({ "statusCode": code, "error": error, "message": message }),
        };
        let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, JSON);
        if status == StatusCode::UPGRADE_REQUIRED {
            // RFC 9110, 15.5.22: says which protocol; RFC 6455, 4.4: and which version.
            response = response.header(header::UPGRADE, "websocket").header(header::CONNECTION, "upgrade");
            response = response.header(header::SEC_WEBSOCKET_VERSION, "13");
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // RFC 9110, 10.2.3, in seconds.
            response = response.header(header::RETRY_AFTER, "1");
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750, 3.
            response = response.header(header::WWW_AUTHENTICATE, "Bearer");
        }
        let body = Bytes::from(body.to_string());
        response.extension(Kept(body.clone())).body(Body::from_bytes(body))
    }
}

fn status_of_switch(error: &SwitchError) -> StatusCode {
    match error {
        SwitchError::Unknown(_) => StatusCode::NOT_FOUND,
        // The request is right; what it is about is not.
        SwitchError::Broken { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        SwitchError::Defect { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        SwitchError::Fixed => StatusCode::CONFLICT,
        SwitchError::Ended => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn status_of(error: &WorldError) -> StatusCode {
    match error {
        WorldError::Ended => StatusCode::SERVICE_UNAVAILABLE,
        #[cfg(feature = "redis")]
        WorldError::Store(_) | WorldError::Unplayable => StatusCode::SERVICE_UNAVAILABLE,
        WorldError::Defect => StatusCode::INTERNAL_SERVER_ERROR,
        WorldError::Refused(refusal) => status_of_refusal(refusal),
        WorldError::Snapshot(SnapshotError::Unknown(_)) | WorldError::UnknownSocket(_) => StatusCode::NOT_FOUND,
        WorldError::Snapshot(SnapshotError::TooMany) | WorldError::Clock(ClockError::Overtaken) => StatusCode::CONFLICT,
        WorldError::Clock(ClockError::InThePast { .. }) | WorldError::Expectation { .. } | WorldError::Wait(_) => {
            StatusCode::BAD_REQUEST
        }
    }
}

fn status_of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Full { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::UnknownProduct(_) | Refusal::UnknownCategory(_) | Refusal::UnknownFault(_) => StatusCode::NOT_FOUND,
        Refusal::TooManyFaults | Refusal::FaultExists(_) => StatusCode::CONFLICT,
        Refusal::UnreadableFault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Refusal::DuplicateProduct(_) | Refusal::OutOfRange { .. } | Refusal::Field { .. } | Refusal::At { .. } => {
            StatusCode::BAD_REQUEST
        }
    }
}

/// An error as JSON, also one that did not come from a handler of ours.
pub(super) fn answer(error: PoemError, method: &Method, uri: &Uri) -> Response {
    let error = match error.downcast::<ApiError>() {
        Ok(error) => error,
        Err(error) if error.is::<ParsePathError>() => ApiError::BadPath,
        Err(error) => match error.status() {
            // A path that leads out of the site is as good as none, and the answer does not say where it led.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN => {
                ApiError::RouteNotFound { method: method.clone(), uri: uri.clone() }
            }
            status => ApiError::Other(status, error.to_string()),
        },
    };
    error.as_response()
}
