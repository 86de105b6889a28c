//! The sockets on which a server listens.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::{debug, warn};

use crate::system::reuse_address;

/// Connections that the system keeps until they are accepted; of more at once, some would wait a second to try again.
const WAITING_CONNECTIONS: u32 = 4096;

/// How many free ports of the IPv4 address are tried until one is free on `::1` as well.
const TRIES: usize = 16;

/// One address, or one of IPv4 and `::1` on the same port.
pub(crate) struct Listeners {
    main: TcpListener,
    address: SocketAddr,
    /// On `::1`, beside an address of IPv4.
    ipv6: Option<TcpListener>,
}

impl Listeners {
    /// Listens on an address, and on `::1` as well if that is asked for.
    ///
    /// Without IPv6 on this machine, or where another program has the port on `::1`, the address alone remains. The log warns
    /// of the other program: browsers that open `localhost` may reach it instead.
    ///
    /// # Errors
    /// What the system says of the address.
    pub(crate) fn bind(address: SocketAddr, also_ipv6: bool) -> io::Result<Self> {
        let (mut main, mut bound) = listen(address)?;
        if !also_ipv6 {
            return Ok(Self { main, address: bound, ipv6: None });
        }
        // A port that the system chose for the one address may be taken on the other. The ones that are given up are held
        // meanwhile, so that the system does not choose them again.
        let mut given_up = Vec::new();
        loop {
            let ipv6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), bound.port());
            match listen(ipv6) {
                Ok((listener, _)) => return Ok(Self { main, address: bound, ipv6: Some(listener) }),
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    debug!(%error, "does not listen on {ipv6}");
                    break;
                }
                Err(_) => {
                    let may_try = address.port() == 0 && given_up.len() < TRIES;
                    let Some((other, at)) = may_try.then(|| listen(address).ok()).flatten() else {
                        warn_of_other_program(ipv6, bound);
                        break;
                    };
                    given_up.push(std::mem::replace(&mut main, other));
                    bound = at;
                }
            }
        }
        Ok(Self { main, address: bound, ipv6: None })
    }

    /// The address that was asked for, with the port that was taken.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. Cancel safe.
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
        "another program listens on {ipv6}; browsers that open http://localhost:{port} may reach it instead of mockd, so open \
         http://{ipv4}, or choose another port with --port",
        port = ipv6.port()
    );
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

/// Listens, also where an earlier server has just stopped. On `::`, it listens on every address of IPv4 as well.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Some systems have it so by default; one that cannot listens on IPv6 alone.
        let _ = SockRef::from(&socket).set_only_v6(false);
    }
    reuse_address(&socket)?;
    socket.bind(address)?;
    let listener = socket.listen(WAITING_CONNECTIONS)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}
