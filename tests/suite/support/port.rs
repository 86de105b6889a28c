//! A port that the system assigns to no other process.

use tokio::net::TcpSocket;

/// A port of 127.0.0.1 that one test owns, also while its server is down: clients that reconnect would otherwise reach
/// the server of another test. Nothing listens on it until a server is started with this port.
pub(crate) struct Port {
    number: u16,
    _held: TcpSocket,
}

impl Port {
    /// Reserves a free port.
    pub(crate) fn free() -> Self {
        Self::hold(0)
    }

    /// Reserves the port of a server that has just ended.
    pub(crate) fn hold(number: u16) -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(([127, 0, 0, 1], number).into()).unwrap();
        Self { number: held.local_addr().unwrap().port(), _held: held }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}
