//! Who may control the mock. Whoever may can read what clients sent and change what they see.
//!
//! On loopback, everybody on this machine may, but no web page of another site: its browser says where it comes from
//! (Fetch standard, `Origin` and `Sec-Fetch-Site`). Elsewhere a token is needed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::error::ApiError;
use super::hosts::is_local_origin;
use super::{App, body};
use crate::world::WorldError;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may control the mock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlAccess {
    /// Everybody on this machine, web pages only if they come from it or from one of these origins.
    Local {
        /// Origins such as `https://app.example`.
        origins: Vec<String>,
    },
    /// Who sends the token, from wherever.
    Token(Token),
    /// Nobody.
    Off,
}

/// A secret that lets its bearer in (RFC 6750). It is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a token has at least 8 characters, and of these only letters, digits and -._~+/=")]
pub struct BadToken;

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        const SHORTEST: usize = 8;
        // RFC 6750, 2.1: b64token.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let fits = text.len() >= SHORTEST && text.bytes().all(is_allowed);
        fits.then(|| Self(text.to_owned())).ok_or(BadToken)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl ControlAccess {
    /// Who may control a server that listens there.
    #[must_use]
    pub fn new(host: IpAddr, token: Option<Token>, origins: Vec<String>) -> Self {
        match token {
            Some(token) => Self::Token(token),
            None if host.is_loopback() => Self::Local { origins },
            None => Self::Off,
        }
    }
}

/// Lets only those to the handler who may control the mock.
pub(super) struct Guard<E> {
    pub(super) inner: E,
    pub(super) app: Arc<App>,
}

impl<E: Endpoint> Endpoint for Guard<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        check(&self.app.access, &request)?;
        body::receive(&mut request, &self.app.limits).await?;
        let answer = self.app.shutdown.run_until_cancelled(self.inner.call(request)).await;
        // What waits for something that will not come any more is not waited for at the end.
        answer.unwrap_or_else(|| Err(ApiError::from(WorldError::Ended).into())).map(IntoResponse::into_response)
    }
}

/// Whether the request may control the mock.
///
/// # Errors
/// 401 without the right token, 403 for what comes from elsewhere.
pub(super) fn check(access: &ControlAccess, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    match access {
        ControlAccess::Off => Err(ApiError::ControlOff),
        ControlAccess::Token(token) if is_borne(token, headers) => Ok(()),
        ControlAccess::Token(_) => Err(ApiError::NoToken),
        ControlAccess::Local { origins } => {
            if comes_from_elsewhere(headers, origins) {
                Err(ApiError::ForeignOrigin)
            } else {
                Ok(())
            }
        }
    }
}

/// Whether a request, whose path is below that of its world, is for the control API.
pub(super) fn is_control(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/__mockd" || path.starts_with("/__mockd/")
}

/// The origin of a page that may use the control API, to be told to its browser.
pub(super) fn allowed_origin(access: &ControlAccess, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    match access {
        ControlAccess::Off => None,
        ControlAccess::Token(_) => Some(origin.clone()),
        ControlAccess::Local { origins } => (!comes_from_elsewhere(headers, origins)).then(|| origin.clone()),
    }
}

fn is_borne(Token(token): &Token, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let borne = given.and_then(|value| value.split_at_checked(7));
    borne.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(given.ct_eq(token.as_bytes()))
    })
}

fn comes_from_elsewhere(headers: &HeaderMap, allowed: &[String]) -> bool {
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) => !is_local_origin(origin) && !allowed.iter().any(|one| one == origin),
        None => headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site"),
    }
}
