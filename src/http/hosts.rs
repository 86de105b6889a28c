//! Which names of this server a request may be meant for.
//!
//! A page of another site can have its own name resolve to 127.0.0.1 and so become, for its browser, a page of this server
//! (DNS rebinding): no CORS header is in its way then. What tells it apart is that name, which the browser says in `Host`.

use std::net::{IpAddr, Ipv4Addr};

use poem::http::uri::Authority;
use poem::http::{HeaderMap, HeaderValue, Uri, header};

/// The hosts that are answered.
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

impl Hosts {
    /// The hosts of a server that listens there.
    #[must_use]
    pub fn new(listens: IpAddr, also: Vec<String>) -> Self {
        if listens.is_loopback() { Self::Local { also } } else { Self::Any }
    }

    /// Whether a request with that `Host` is for this server. One without a host comes from no browser.
    pub(super) fn take(&self, host: Option<&[u8]>) -> bool {
        let (Self::Local { also }, Some(host)) = (self, host) else { return true };
        let name = std::str::from_utf8(host).ok().and_then(name_of);
        name.is_some_and(|name| is_local(&name) || also.contains(&name))
    }

    /// As [`Hosts::take`], for a request as it came.
    pub(super) fn take_request(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        // RFC 9112, 3.2.2: the target's authority, if it has one, counts before the header.
        match uri.authority() {
            Some(authority) => self.take(Some(authority.as_str().as_bytes())),
            None => self.take(headers.get(header::HOST).map(HeaderValue::as_bytes)),
        }
    }
}

/// The name in an authority, without its port and the brackets of IPv6, in lower case.
fn name_of(authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok().filter(|_| !authority.contains('@'))?;
    Some(authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase())
}

/// Whether a name means this machine. RFC 6761, 6.3: names under `localhost` are always loopback.
pub(super) fn is_local(name: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback() || address == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_loopback)
}

/// Whether the host of an origin means this machine.
pub(super) fn is_local_origin(origin: &str) -> bool {
    let uri: Option<Uri> = origin.parse().ok();
    uri.as_ref().and_then(Uri::authority).and_then(|host| name_of(host.as_str())).is_some_and(|name| is_local(&name))
}
