//! Differences between operating systems, each variant beside the others.

#[cfg(feature = "cli")]
pub(crate) mod program;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

/// Lets a server listen on an address that an earlier one has just released (`SO_REUSEADDR`). Systems other than Unix
/// allow that anyway, and with the option they would let two servers share a port.
pub(crate) fn reuse_address(socket: &TcpSocket) -> io::Result<()> {
    if cfg!(unix) { socket.set_reuseaddr(true) } else { Ok(()) }
}

/// Returns the addresses from which this machine reaches others, for IPv4 and, if requested, IPv6: those that the
/// system selects for a destination that is reserved for documentation (RFC 5737, RFC 3849). Nothing is sent.
pub(crate) fn own_addresses(also_ipv6: bool) -> Vec<IpAddr> {
    const DISCARD: u16 = 9;
    let source = |from: IpAddr, to: IpAddr| -> io::Result<IpAddr> {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0))?;
        socket.connect(SocketAddr::new(to, DISCARD))?;
        Ok(socket.local_addr()?.ip())
    };
    let ipv4 = source(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let ipv6 =
        also_ipv6.then(|| source(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()));
    let found = ipv4.into_iter().chain(ipv6.into_iter().flatten());
    found.filter(|ip| !ip.is_loopback() && !ip.is_unspecified()).collect()
}

/// Ends a connection whose peer acknowledges nothing for this long (`TCP_USER_TIMEOUT`, RFC 5482). If it is 0, the
/// system decides, which may take a quarter of an hour.
#[cfg(target_os = "linux")]
pub(crate) fn set_peer_timeout(stream: &TcpStream, time: Duration) {
    // A connection that has already ended needs no timeout.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(time).filter(|time| !time.is_zero()));
}

/// Does nothing: other systems use their own timeouts.
#[cfg(not(target_os = "linux"))]
pub(crate) fn set_peer_timeout(_: &TcpStream, _: Duration) {}
