//! Host names.

use std::net::Ipv6Addr;

/// Whether a text is a host name without a port: a DNS name or an IP address.
pub(crate) fn is_host_name(text: &str) -> bool {
    const LONGEST: usize = 253;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_dns = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_allowed);
    is_dns || text.parse::<Ipv6Addr>().is_ok()
}
