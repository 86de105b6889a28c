//! Accepts connections: without Nagle's delay, and without spinning when the process is out of file descriptors.

use std::io;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

/// How long to wait before accepting again when the system refuses; connections wait in the kernel meanwhile.
const BACKOFF: Duration = Duration::from_millis(100);

/// A TCP acceptor whose connections send each write at once (RFC 1122, 4.2.3.4, switched off).
pub(crate) struct NoDelayAcceptor {
    listener: TcpListener,
    local: LocalAddr,
}

impl NoDelayAcceptor {
    /// Takes over a bound listener.
    ///
    /// # Errors
    /// If the system does not tell the listener's address.
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        Ok(Self { listener, local })
    }
}

impl Acceptor for NoDelayAcceptor {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        match self.listener.accept().await {
            Ok((stream, peer)) => {
                stream.set_nodelay(true)?;
                Ok((stream, self.local.clone(), RemoteAddr(peer.into()), Scheme::HTTP))
            }
            Err(error) => {
                // A peer that was gone before it was accepted is its own affair; anything else is a shortage.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    warn!(%error, "cannot accept connections, trying again");
                    tokio::time::sleep(BACKOFF).await;
                }
                Err(error)
            }
        }
    }
}
