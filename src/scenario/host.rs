//! The host that a server listens on.

use std::fmt;
use std::net::{AddrParseError, IpAddr, Ipv4Addr};
use std::str::FromStr;

/// The host that a server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Host {
    /// The name `localhost`: both `127.0.0.1` and `::1`, to which browsers resolve it (RFC 6761, section 6.3).
    #[default]
    Localhost,
    /// One IP address. An unspecified address, such as `0.0.0.0`, stands for every address of the machine.
    Address(IpAddr),
}

impl Host {
    /// Returns whether to listen on `::1` in addition to [`Host::ip`], so that a browser that opens `localhost` reaches
    /// the server.
    #[must_use]
    pub fn needs_ipv6_loopback(self) -> bool {
        matches!(self, Self::Localhost | Self::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// Returns the IP address; for `localhost`, the IPv4 address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        match self {
            Self::Localhost => Ipv4Addr::LOCALHOST.into(),
            Self::Address(address) => address,
        }
    }
}

/// Parses `localhost` or an IP address. An IPv6 address may be in brackets, as in a URL.
impl FromStr for Host {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if bare.eq_ignore_ascii_case("localhost") { Ok(Self::Localhost) } else { bare.parse().map(Self::Address) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Localhost => f.write_str("localhost"),
            Self::Address(address) => address.fmt(f),
        }
    }
}
