//! What a test sees of open sockets, and does to them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use super::socket::Socket;
use super::{World, WorldError, fanout};
use crate::websocket::Encoded;

/// An open socket.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketState {
    /// Its number, from 1 in each world.
    pub socket: u64,
    /// The category that it asked for last.
    pub category: Arc<str>,
    /// The world's time when it was opened.
    pub opened: Duration,
    /// How long it is open, by the machine's time.
    pub age: Duration,
    /// Frames written to it.
    pub sent: u64,
    /// Frames that came from it.
    pub received: u64,
    /// Frames of the feed that it has still to look at.
    pub backlog: u64,
    /// How often it was so far behind that it got current totals instead of what it had missed.
    pub caught_up: u64,
}

impl World {
    /// The open sockets, in the order in which they were opened.
    #[must_use]
    pub fn open_sockets(&self) -> Vec<SocketState> {
        let end = self.feed().end();
        self.sockets().all().iter().map(|socket| SocketState::of(socket, end)).collect()
    }

    /// Sends a frame to one socket, or to all, that has nothing to do with the scenario.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn send(&self, socket: Option<u64>, message: Message) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |play| play.send(socket, &message)).await
    }

    /// Closes one socket, or all, once they have got everything up to now, and gives their numbers when they are closed.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn close_sockets(
        &self,
        socket: Option<u64>,
        code: CloseCode,
        reason: &str,
    ) -> Result<Vec<u64>, WorldError> {
        self.expect_open(socket)?;
        let asked = self.sockets().close(socket, code, reason, self.feed().end());
        self.sockets().gone(&asked).await;
        Ok(asked.iter().map(|socket| socket.id).collect())
    }

    /// Pings every socket that has nothing to write (RFC 6455, 5.5.2). Not an event of the world: it is in no journal.
    pub(crate) async fn ping_sockets(&self) {
        let ping = Encoded::message(&Message::Ping(Bytes::new()));
        fanout::ping(self.0.shared.clone(), ping.frame().clone()).await;
    }

    /// Tells every socket's task to look whether it is at its end.
    pub(crate) fn tell_sockets(&self) {
        self.sockets().tell_all();
    }

    fn expect_open(&self, socket: Option<u64>) -> Result<(), WorldError> {
        match socket.filter(|id| self.sockets().get(*id).is_none()) {
            Some(id) => Err(WorldError::UnknownSocket(id)),
            None => Ok(()),
        }
    }
}

impl SocketState {
    fn of(socket: &Socket, end: u64) -> Self {
        Self {
            socket: socket.id,
            category: socket.category(),
            opened: socket.opened,
            age: socket.since.elapsed(),
            sent: socket.sent.load(Ordering::Relaxed),
            received: socket.received.load(Ordering::Relaxed),
            backlog: end.saturating_sub(socket.position.load(Ordering::Relaxed)),
            caught_up: socket.caught_up.load(Ordering::Relaxed),
        }
    }
}
