//! A port that the system gives to nobody else.

use tokio::net::TcpSocket;

/// A port of 127.0.0.1 that is a test's own, also while its server is gone: the clients of that server, which try again and
/// again, would otherwise meet the server of another test. Nobody listens on it yet; a server that is told the port can.
pub(crate) struct Port {
    number: u16,
    _held: TcpSocket,
}

impl Port {
    /// A free one.
    pub(crate) fn free() -> Self {
        Self::hold(0)
    }

    /// One whose server has just ended.
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
