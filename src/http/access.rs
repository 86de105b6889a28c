//! Who may ask: under which names the server is reached, and who may control the mock.
//!
//! Whoever controls the mock reads what clients sent and changes what they see. On loopback, everybody on this machine may
//! do so, but no web page of another site: its browser says where it comes from (Fetch standard, `Origin` and
//! `Sec-Fetch-Site`). Elsewhere a token is needed.

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

/// What browsers alone send, and no page can set (Fetch Metadata): to servers on this machine, and to others over TLS.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The hosts that are answered.
///
/// A page of another site can have its own name resolve to 127.0.0.1 and so become, for its browser, a page of this server
/// (DNS rebinding): no CORS header is in its way then. What tells it apart is that name, which the browser says in `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// All of them: the server is meant to be reached from elsewhere, by whatever name.
    Any,
    /// Those that mean this machine, and these.
    Local {
        /// Names without a port, in lower case.
        also: Vec<String>,
    },
}

/// Who may control the mock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlAccess {
    /// Everybody on this machine, web pages only if they come from it or from one of these origins.
    Local {
        /// Origins such as `https://app.example`.
        origins: Vec<String>,
    },
    /// Who sends the token, from wherever.
    Token(ControlToken),
    /// Nobody.
    Off,
}

/// A secret that lets its bearer in (RFC 6750). It is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlToken(String);

/// Why a text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a token has at least 8 characters, and of these only letters, digits and -._~+/=")]
pub struct BadToken;

impl Hosts {
    /// The hosts of a server that listens there.
    #[must_use]
    pub fn new(listens: IpAddr, also: Vec<String>) -> Self {
        if listens.is_loopback() { Self::Local { also } } else { Self::Any }
    }

    /// Whether a request is for this server.
    ///
    /// # Errors
    /// 400 unless it has exactly one valid `Host` (RFC 9112, 3.2), which HTTP/1.0 may leave out; 403 if it is for another
    /// server.
    pub(super) fn check(&self, request: &Request) -> Result<(), ApiError> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (None, _) if request.version() < Version::HTTP_11 => None,
            (Some(host), None) => Some(host.to_str().ok().and_then(name_of).ok_or(ApiError::BadHost)?),
            _ => return Err(ApiError::BadHost),
        };
        let Self::Local { also } = self else { return Ok(()) };
        // RFC 9112, 3.2.2: the target's authority, if it has one, counts before the header.
        let name = match (request.uri().authority(), host) {
            (Some(authority), _) => name_of(authority.as_str()).unwrap_or_default(),
            (None, Some(name)) => name,
            // A request without a host comes from no browser.
            (None, None) => return Ok(()),
        };
        if is_named(&name, also) { Ok(()) } else { Err(ApiError::ForeignHost(name.into_owned())) }
    }
}

/// Whether a name means this machine, or is one of the others that are allowed.
fn is_named(name: &str, also: &[String]) -> bool {
    is_local(name) || also.iter().any(|one| one == name)
}

/// The name in a host, without its port and the brackets of IPv6, in lower case; empty if there is none.
fn name_of(host: &str) -> Option<Cow<'_, str>> {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    // Most hosts are written so that they need no further parsing.
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

/// Whether a name means this machine. RFC 6761, 6.3: names under `localhost` are always loopback.
fn is_local(name: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback() || address == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_loopback)
}

/// Whether the host of an origin means this machine.
pub(super) fn is_local_origin(origin: &str) -> bool {
    let uri: Option<Uri> = origin.parse().ok();
    let host = uri.as_ref().and_then(Uri::authority).map(Authority::as_str);
    host.and_then(name_of).is_some_and(|name| is_local(&name))
}

impl FromStr for ControlToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        const SHORTEST: usize = 8;
        // RFC 6750, 2.1: b64token.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let fits = text.len() >= SHORTEST && text.bytes().all(is_allowed);
        fits.then(|| Self(text.to_owned())).ok_or(BadToken)
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken(…)")
    }
}

impl ControlAccess {
    /// Who may control a server that listens there.
    #[must_use]
    pub fn new(host: IpAddr, token: Option<ControlToken>, origins: Vec<String>) -> Self {
        match token {
            Some(token) => Self::Token(token),
            None if host.is_loopback() => Self::Local { origins },
            None => Self::Off,
        }
    }

    /// Whether the request may control the mock.
    ///
    /// # Errors
    /// 401 without the right token, 403 for what comes from elsewhere.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match self {
            Self::Off => Err(ApiError::ControlOff),
            Self::Token(token) if is_borne(token, headers) => Ok(()),
            Self::Token(_) => Err(ApiError::NoToken),
            Self::Local { origins } if comes_from_elsewhere(headers, origins) => Err(ApiError::ForeignOrigin),
            Self::Local { .. } => Ok(()),
        }
    }

    /// The pages that may read an answer of the control API, independent of who may read the mock API.
    pub(super) fn readers(&self, headers: &HeaderMap) -> Readers {
        let Some(origin) = headers.get(header::ORIGIN) else { return Readers::Nobody };
        match self {
            Self::Off => Readers::Nobody,
            // The token is not among a browser's credentials: the page itself sends it.
            Self::Token(_) => Readers::of_everybody(origin),
            Self::Local { origins } if comes_from_elsewhere(headers, origins) => Readers::Nobody,
            Self::Local { .. } => Readers::Origin(origin.clone()),
        }
    }
}

fn is_borne(ControlToken(token): &ControlToken, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let borne = given.and_then(|value| value.split_at_checked(7));
    borne.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(given.ct_eq(token.as_bytes()))
    })
}

/// Whether a browser most likely sent the request. `Sec-Fetch-Site` alone does not tell: browsers send it only to origins that
/// are potentially trustworthy (Fetch Metadata, 2), so not over plain HTTP from another machine.
pub(super) fn is_from_browser(headers: &HeaderMap) -> bool {
    // Every browser's name begins so, for compatibility.
    let is_mozilla = |agent: &HeaderValue| agent.as_bytes().starts_with(b"Mozilla/");
    headers.contains_key(SEC_FETCH_SITE)
        || headers.contains_key(header::ORIGIN)
        || headers.get(header::USER_AGENT).is_some_and(is_mozilla)
}

fn comes_from_elsewhere(headers: &HeaderMap, allowed: &[String]) -> bool {
    match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) => !is_local_origin(origin) && !allowed.iter().any(|one| one == origin),
        None => headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site"),
    }
}
