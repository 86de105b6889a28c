//! What the API answers with.

use bytes::Bytes;
use poem::http::{HeaderValue, header};
use poem::{Body, Response};

/// The content type of every JSON answer.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An answer.
pub(super) struct ApiResponse {
    pub(super) response: Response,
    /// Its body, if it was made here: for the journal.
    pub(super) body: Option<Bytes>,
}

impl ApiResponse {
    /// A 200 with JSON that is encoded already.
    pub(super) fn json(json: impl Into<Bytes>) -> Self {
        let json = json.into();
        let mut response = Response::default();
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response.set_body(Body::from_bytes(json.clone()));
        Self { response, body: Some(json) }
    }
}

impl From<Response> for ApiResponse {
    fn from(response: Response) -> Self {
        Self { response, body: None }
    }
}
