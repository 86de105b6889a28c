//! Only Linux passes memory on to connections.

use std::io::{self, ErrorKind};

use tokio::net::TcpStream;

/// There are none.
pub(super) enum Pages {}

#[derive(Default)]
pub(super) struct Pipes;

impl Pages {
    pub(super) fn of(_: &[u8]) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Pipes {
    #[expect(clippy::unused_async, reason = "as on Linux")]
    pub(super) async fn send(&self, _: &mut TcpStream, _: &[u8], pages: &Pages) -> io::Result<()> {
        match *pages {}
    }
}
