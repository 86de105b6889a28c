//! The listening sockets of a server.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::{debug, warn};

use crate::system::reuse_address;

/// The backlog of connections not yet accepted. Beyond the backlog, clients would retry only after a second.
const BACKLOG: u32 = 4096;

/// The maximum number of free IPv4 ports to try until one is also free on `::1`.
const MAX_ATTEMPTS: usize = 16;

/// A listener on one address, or on an IPv4 address and `::1` with the same port.
pub(crate) struct Listeners {
    main: TcpListener,
    address: SocketAddr,
    /// The additional listener on `::1`.
    ipv6: Option<TcpListener>,
}

impl Listeners {
    /// Listens on an address, and also on `::1` if `also_ipv6` is set.
    ///
    /// Listens only on the address if this machine has no IPv6, or if another program uses the port on `::1`. The log
    /// warns of the other program, because browsers that open `localhost` may reach it instead.
    ///
    /// # Errors
    /// The system's error for the address.
    pub(crate) fn bind(address: SocketAddr, also_ipv6: bool) -> io::Result<Self> {
        let (mut main, mut bound) = listen(address)?;
        if !also_ipv6 {
            return Ok(Self { main, address: bound, ipv6: None });
        }
        // A port that the system chose for one address may be taken on the other. Rejected ports stay bound for now, so
        // that the system does not choose them again.
        let mut rejected = Vec::new();
        loop {
            let ipv6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), bound.port());
            match listen(ipv6) {
                Ok((listener, _)) => return Ok(Self { main, address: bound, ipv6: Some(listener) }),
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    debug!(%error, "cannot listen on {ipv6}");
                    break;
                }
                Err(_) => {
                    let may_retry = address.port() == 0 && rejected.len() < MAX_ATTEMPTS;
                    let Some((other, at)) = may_retry.then(|| listen(address).ok()).flatten() else {
                        warn_of_other_program(ipv6, bound);
                        break;
                    };
                    rejected.push(std::mem::replace(&mut main, other));
                    bound = at;
                }
            }
        }
        Ok(Self { main, address: bound, ipv6: None })
    }

    /// Returns the requested address with its actual port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts the next connection. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        tokio::select! {
            accepted = self.main.accept() => accepted,
            accepted = accept(self.ipv6.as_ref()) => accepted,
        }
    }
}

fn warn_of_other_program(ipv6: SocketAddr, mut ipv4: SocketAddr) {
    if ipv4.ip().is_unspecified() {
        ipv4.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    warn!(
        "another program listens on {ipv6}; browsers that open http://localhost:{port} may reach it instead of mockd, so \
         open http://{ipv4}, or choose another port with --port",
        port = ipv6.port()
    );
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

/// Listens on an address, even if an earlier server has just stopped there. `::` includes all IPv4 addresses.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // This is the default on some systems. Systems that do not support it listen only on IPv6.
        let _ = SockRef::from(&socket).set_only_v6(false);
    }
    reuse_address(&socket)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}
