//! What every answer goes through: preflights, HEAD, errors as JSON, CORS headers, and a log line.

use poem::error::ParsePathError;
use poem::http::{HeaderValue, Method, StatusCode, Uri, header};
use poem::{Body, Endpoint, Error, IntoResponse, Request, Response};
use tracing::debug;

use super::cors;
use super::error::ApiError;
use crate::scenario::Cors;

/// Wraps the routes.
pub(super) struct Envelope<E> {
    pub(super) inner: E,
    pub(super) cors: Cors,
}

impl<E: Endpoint> Endpoint for Envelope<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let (method, uri) = (request.method().clone(), request.original_uri().clone());
        let origin = cors::allowed_origin(&self.cors, request.headers());
        let mut response = if method == Method::OPTIONS {
            cors::preflight(request.headers())
        } else {
            if method == Method::HEAD {
                request.set_method(Method::GET);
                // Only a GET can become a WebSocket (RFC 6455, 4.2.1).
                request.headers_mut().remove(header::UPGRADE);
            }
            match self.inner.call(request).await {
                Ok(response) => response.into_response(),
                Err(error) => answer(error, &method, &uri),
            }
        };
        if method == Method::HEAD {
            response = headers_only(response).await;
        }
        cors::mark(&mut response, &self.cors, origin);
        debug!(%method, %uri, status = response.status().as_u16(), "request");
        Ok(response)
    }
}

/// An error as JSON, also one that did not come from a handler of ours.
fn answer(error: Error, method: &Method, uri: &Uri) -> Response {
    if error.is::<ParsePathError>() {
        return Error::from(ApiError::BadPath).into_response();
    }
    if error.is::<ApiError>() {
        return error.into_response();
    }
    let error = match error.status() {
        // A path that leads out of the site is as good as none, and the answer does not say where it led.
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN => {
            ApiError::RouteNotFound { method: method.clone(), uri: uri.clone() }
        }
        status => ApiError::Other(status, error.to_string()),
    };
    Error::from(error).into_response()
}

/// The answer to HEAD: that of GET with its length and no body (RFC 9110, 9.3.2).
async fn headers_only(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if !parts.headers.contains_key(header::CONTENT_LENGTH)
        && let Ok(bytes) = body.into_bytes().await
    {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    Response::from_parts(parts, Body::empty())
}
