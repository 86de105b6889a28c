//! What every answer goes through: whether the request is for this server, HEAD, errors as JSON, CORS headers, a log line.

use std::sync::Arc;

use poem::http::{HeaderValue, Method, header};
use poem::{Body, Endpoint, IntoResponse, Request, Response};
use tracing::debug;

use super::error::ApiError;
use super::{App, cors, error};

/// The method that the client asked with, where handlers see another.
#[derive(Clone)]
pub(super) struct AskedMethod(pub(super) Method);

/// Wraps the routes.
pub(super) struct Envelope<E> {
    pub(super) inner: E,
    pub(super) app: Arc<App>,
}

impl<E: Endpoint> Endpoint for Envelope<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let (method, uri) = (request.method().clone(), request.original_uri().clone());
        let origin = cors::allowed_origin(&self.app.cors, request.headers());
        let is_for_us = self.app.hosts.take_request(&uri, request.headers());
        if method == Method::HEAD {
            request.set_method(Method::GET);
            request.set_data(AskedMethod(Method::HEAD));
            // Only a GET can become a WebSocket (RFC 6455, 4.2.1).
            request.headers_mut().remove(header::UPGRADE);
        }
        let outcome = if is_for_us { self.inner.call(request).await } else { Err(ApiError::ForeignHost.into()) };
        let mut response = match outcome {
            Ok(response) => response.into_response(),
            Err(error) => error::answer(error, &method, &uri),
        };
        if method == Method::HEAD {
            response = headers_only(response).await;
        }
        cors::mark(&mut response, &self.app.cors, origin);
        debug!(%method, %uri, status = response.status().as_u16(), "request");
        Ok(response)
    }
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
