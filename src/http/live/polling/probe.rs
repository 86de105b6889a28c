//! A WebSocket that tries to take over a polling session, until it succeeds or fails.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;
use tungstenite::Message;

use super::session::UpgradeAttempt;
use crate::http::App;
use crate::http::live::connection::Connection;
use crate::http::live::serve;
use crate::http::upgrade::{Upgrade, Upgraded};
use crate::http::wire::write_all;
use crate::websocket::{Encoded, Reader};

/// How long the client may take to probe and to switch over.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of bytes per read from a client.
const READ_SIZE: usize = 512;

/// A connection that no session uses yet.
pub(in crate::http::live) struct Probe {
    pub(in crate::http::live) stream: Arc<TcpStream>,
    pub(in crate::http::live) reader: Reader,
    /// The permit that counts the connection towards the limit.
    pub(in crate::http::live) permit: Arc<OwnedSemaphorePermit>,
}

/// Waits for the connection, which takes over the session when its client requests the upgrade.
pub(super) async fn run(upgrade: Upgrade, attempt: UpgradeAttempt, app: Arc<App>) {
    let Some(Upgraded { stream, buffered, permit }) = upgrade.connection().await else { return };
    let mut reader = Reader::new(app.limits.message);
    reader.push(&buffered);
    let mut probe = Probe { stream, reader, permit };
    let is_requested = tokio::select! {
        is_requested = tokio::time::timeout(UPGRADE_TIMEOUT, probe.is_requested(&attempt)) => is_requested == Ok(true),
        () = attempt.over() => false,
        () = app.shutdown.cancelled() => false,
    };
    let handover = if is_requested { attempt.hand_over(probe.stream.clone()).await } else { None };
    drop(attempt);
    if let Some(handover) = handover {
        let tasks = app.tasks.clone();
        tasks.spawn(serve(Box::new(Connection::taking_over(probe, handover, app))));
    } else {
        debug!("the upgrade of a polling session was not completed");
        probe.close();
    }
}

impl Probe {
    /// Answers the client's probe, and returns whether the client then requests the upgrade.
    async fn is_requested(&mut self, attempt: &UpgradeAttempt) -> bool {
        loop {
            let answer = match self.reader.message() {
                Ok(Some(Message::Text(packet))) if packet.as_str() == "2probe" => {
                    attempt.probed();
                    Some(Encoded::text("3probe"))
                }
                Ok(Some(Message::Text(packet))) => return packet.as_str() == "5",
                Ok(Some(Message::Ping(bytes))) => Some(Encoded::message(&Message::Pong(bytes))),
                Ok(Some(Message::Pong(_))) => None,
                Ok(None) if self.read().await.is_ok() => None,
                Ok(_) | Err(_) => return false,
            };
            if let Some(frame) = answer
                && write_all(&self.stream, frame.frame()).await.is_err()
            {
                return false;
            }
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.stream.readable().await?;
        let mut buffer = [0; READ_SIZE];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.reader.push(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Closes a connection that did not take over.
    fn close(self) {
        let frame: Bytes = Encoded::close(None).into_frame();
        // The few bytes fit into the send buffer; a client that is gone does not need them.
        let _ = self.stream.try_write(&frame);
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
    }
}
