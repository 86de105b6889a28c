//! Access checks: the host names that requests may use, and the clients that may use the control API.
//!
//! Clients of the control API can read what other clients sent and change what they see. On loopback, anyone on this
//! machine may use it, except web pages of other sites, which their browsers identify (Fetch standard, `Origin` and
//! `Sec-Fetch-Site`). On other addresses, a token is required.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use poem::Request;
use poem::http::uri::Authority;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Uri, Version, header};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::cors::Readers;
use super::error::ApiError;

/// A header that only browsers send and pages cannot set (Fetch Metadata). Browsers send it to servers on this machine,
/// and to others over TLS.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The hosts for which requests are accepted.
///
/// A site can make its own name resolve to 127.0.0.1, so that browsers treat its pages as pages of this server and CORS
/// does not apply (DNS rebinding). Only the name in the `Host` header reveals such a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// All hosts, for a server that other machines reach by any name.
    Any,
    /// The names and addresses of this machine, and additional names.
    Local {
        /// The additional names, without a port, in lower case.
        also: Vec<String>,
    },
}

/// The clients that may use the control API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlAccess {
    /// Clients on this machine, including web pages served from this machine or from one of the origins.
    Local {
        /// Origins such as `https://app.example`.
        origins: Vec<String>,
    },
    /// Clients that send the token, from any machine.
    Token(ControlToken),
    /// No clients.
    Off,
}

/// A bearer token (RFC 6750). Its `Debug` output hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlToken(String);

/// The error for a text that is not a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a token needs at least 8 characters, which may be letters, digits and -._~+/=")]
pub struct InvalidToken;

impl Hosts {
    /// Returns the hosts of a server that listens on an address.
    #[must_use]
    pub fn new(listens: IpAddr, also: Vec<String>) -> Self {
        if listens.is_loopback() { Self::Local { also } } else { Self::Any }
    }

    /// Checks that a request is for this server.
    ///
    /// # Errors
    /// 400 unless the request has exactly one valid `Host` (RFC 9112, 3.2), which is optional in HTTP/1.0; 403 if it is
    /// for another server.
    pub(super) fn check(&self, request: &Request) -> Result<(), ApiError> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (None, _) if request.version() < Version::HTTP_11 => None,
            (Some(host), None) => Some(host.to_str().ok().and_then(name_of).ok_or(ApiError::BadHost)?),
            _ => return Err(ApiError::BadHost),
        };
        let Self::Local { also } = self else { return Ok(()) };
        // The authority of the request target, if present, overrides the header (RFC 9112, 3.2.2).
        let name = match (request.uri().authority(), host) {
            (Some(authority), _) => name_of(authority.as_str()).unwrap_or_default(),
            (None, Some(name)) => name,
            // Browsers always send a host, so this request does not come from a browser.
            (None, None) => return Ok(()),
        };
        if is_allowed_name(&name, also) { Ok(()) } else { Err(ApiError::ForeignHost(name.into_owned())) }
    }
}

/// Whether a name refers to this machine, or is one of the additional names.
fn is_allowed_name(name: &str, also: &[String]) -> bool {
    is_local(name) || also.iter().any(|one| one == name)
}

/// Returns the name in a host, in lower case and without the port or IPv6 brackets. Returns `None` if the host is
/// invalid, and an empty name if the host is empty.
fn name_of(host: &str) -> Option<Cow<'_, str>> {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    // Fast path: most hosts need no further parsing.
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if name.bytes().all(is_plain) && is_port(port) {
        return Some(name.trim_end_matches('.').into());
    }
    let authority: Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
    let port = host.strip_prefix(authority.host())?;
    let name = authority.host().trim_matches(['[', ']']).trim_end_matches('.');
    is_port(port.strip_prefix(':').unwrap_or(port)).then(|| name.to_ascii_lowercase().into())
}

/// Whether a name refers to this machine. Names under `localhost` are always loopback (RFC 6761, 6.3).
fn is_local(name: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback() || address == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_loopback)
}

/// Whether the host of an origin refers to this machine.
pub(super) fn is_local_origin(origin: &str) -> bool {
    let uri: Option<Uri> = origin.parse().ok();
    let host = uri.as_ref().and_then(Uri::authority).map(Authority::as_str);
    host.and_then(name_of).is_some_and(|name| is_local(&name))
}

impl FromStr for ControlToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        const SHORTEST: usize = 8;
        // RFC 6750, 2.1: b64token.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let fits = text.len() >= SHORTEST && text.bytes().all(is_allowed);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidToken)
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken(…)")
    }
}

impl ControlAccess {
    /// Returns the access to the control API of a server that listens on `host`.
    #[must_use]
    pub fn new(host: IpAddr, token: Option<ControlToken>, origins: Vec<String>) -> Self {
        match token {
            Some(token) => Self::Token(token),
            None if host.is_loopback() => Self::Local { origins },
            None => Self::Off,
        }
    }

    /// Checks that a request may use the control API.
    ///
    /// # Errors
    /// 401 without the correct token, 403 if the control API is off or the request comes from a page of another site.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match self {
            Self::Off => Err(ApiError::ControlOff),
            Self::Token(token) if has_token(headers, token) => Ok(()),
            Self::Token(_) => Err(ApiError::NoToken),
            Self::Local { origins } if is_cross_site(headers, origins) => Err(ApiError::ForeignOrigin),
            Self::Local { .. } => Ok(()),
        }
    }

    /// Returns the pages that may read a response of the control API. This does not depend on who may read the mock
    /// API.
    pub(super) fn readers(&self, headers: &HeaderMap) -> Readers {
        let Some(origin) = headers.get(header::ORIGIN) else { return Readers::Nobody };
        match self {
            Self::Off => Readers::Nobody,
            // The page itself sends the token, so browsers do not treat it as credentials.
            Self::Token(_) => Readers::of_public(origin),
            Self::Local { origins } if is_cross_site(headers, origins) => Readers::Nobody,
            Self::Local { .. } => Readers::Origin(origin.clone()),
        }
    }
}

fn has_token(headers: &HeaderMap, ControlToken(token): &ControlToken) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let borne = given.and_then(|value| value.split_at_checked(7));
    borne.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(given.ct_eq(token.as_bytes()))
    })
}

/// Whether a browser most likely sent the request. `Sec-Fetch-Site` is not sufficient, because browsers send it only to
/// potentially trustworthy origins (Fetch Metadata, 2), which excludes plain HTTP from another machine.
pub(super) fn is_from_browser(headers: &HeaderMap) -> bool {
    // Every browser's user agent starts with this, for compatibility.
    let is_mozilla = |agent: &HeaderValue| agent.as_bytes().starts_with(b"Mozilla/");
    headers.contains_key(SEC_FETCH_SITE)
        || headers.contains_key(header::ORIGIN)
        || headers.get(header::USER_AGENT).is_some_and(is_mozilla)
}

fn is_cross_site(headers: &HeaderMap, allowed: &[String]) -> bool {
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) => !is_local_origin(origin) && !allowed.iter().any(|one| one == origin),
        None => headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site"),
    }
}
