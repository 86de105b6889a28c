//! What is wrong with a request, and the one place that turns it into an answer.

use poem::error::ResponseError;
use poem::http::{Method, StatusCode, Uri, header};
use poem::{Body, Response};
use serde_json::json;
use thiserror::Error;

use super::body::JSON;
use crate::engine::Refusal;
use crate::world::WorldError;

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
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("{1}")]
    Other(StatusCode, String),
}

impl ResponseError for ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::RouteNotFound { .. } => StatusCode::NOT_FOUND,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UpgradeRequired | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::World(WorldError::Ended) => StatusCode::SERVICE_UNAVAILABLE,
            Self::World(WorldError::Refused(refusal)) => match refusal {
                Refusal::UnknownProduct(_) | Refusal::UnknownCategory(_) => StatusCode::NOT_FOUND,
                Refusal::DuplicateProduct(_) | Refusal::OutOfRange { .. } | Refusal::Field { .. } => {
                    StatusCode::BAD_REQUEST
                }
            },
            Self::Other(status, _) => *status,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn as_response(&self) -> Response {
        let status = self.status();
        let (code, error, message) = (status.as_u16(), status.canonical_reason(), self.to_string());
        let body = match self {
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
        response.body(Body::from_string(body.to_string()))
    }
}
