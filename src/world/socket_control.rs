//! What a world's handle does with its open sockets: they are listed, written to, pinged and closed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::fanout;
use super::message::Message;
use super::socket::{Socket, SocketClose, SocketKind};
use super::state::WorldState;
use super::{World, WorldError};
use crate::engine::{Topic, Unsendable};

/// An open socket.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketState {
    /// Its number, from 1 in each world; of a member that several servers know, from 2^40.
    pub socket: u64,
    /// The collection that it asked for last.
    pub collection: Arc<str>,
    /// What it is for.
    pub kind: SocketKind,
    /// The topics that it has joined, of those that the scenario names.
    pub topics: Vec<String>,
    /// The world's time when it was opened.
    pub opened: Duration,
    /// How long it is open, by the machine's time.
    pub age: Duration,
    /// Messages written to it.
    pub sent: u64,
    /// Messages that came from it.
    pub received: u64,
    /// Items of the feed that it has still to look at.
    pub backlog: u64,
    /// How often it was so far behind that it got current values instead of what it had missed.
    pub caught_up: u64,
}

impl World {
    /// The open sockets, in the order in which they were opened.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn open_sockets(&self) -> Result<Vec<SocketState>, WorldError> {
        self.ask(|state| {
            let (shared, topics) = (&state.shared, state.engine.topics());
            let end = shared.feed.end();
            let named = |socket: &Socket| {
                let joined = topics.joined(socket.id).filter(|topic| matches!(topic, Topic::Named(_)));
                joined.map(ToString::to_string).collect()
            };
            shared.sockets.all().iter().map(|socket| SocketState::of(socket, end, named(socket))).collect()
        })
        .await
    }

    /// Sends one socket, or all, a message that has nothing to do with the scenario.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn send(&self, socket: Option<u64>, message: Message) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |state| state.send(socket, message)).await
    }

    /// Sends one socket, or all, a value that has nothing to do with the scenario: as JSON, or as the frames that its protocol has
    /// for it. Of all, those get nothing whose clients are not connected to the namespace that it is for.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, its protocol has no frame for the value, or the world has ended.
    pub async fn send_json(&self, socket: Option<u64>, value: Value) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |state| state.send_json(socket, &value)).await?
    }

    /// Closes one socket, or all, once they have got everything up to now, and gives their numbers when they are closed.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn close_sockets(&self, socket: Option<u64>, close: SocketClose) -> Result<Vec<u64>, WorldError> {
        self.expect_open(socket)?;
        let closed = self.shared().sockets.close(socket, &close, self.shared().feed.end());
        self.shared().sockets.gone(&closed).await;
        Ok(closed.iter().map(|socket| socket.id).collect())
    }

    /// Writes a ping, as the sockets' transport encodes it, to every socket that has nothing else to write, and a heartbeat to
    /// every such stream. It is no event of the world and in no journal.
    pub(crate) async fn ping_sockets(&self, ping: Bytes, heartbeat: Bytes) {
        fanout::ping(self.0.shared.clone(), ping, heartbeat).await;
    }

    /// Wakes every socket's task, to look whether it is at its end.
    pub(crate) fn wake_sockets(&self) {
        self.shared().sockets.wake_all();
    }

    fn expect_open(&self, socket: Option<u64>) -> Result<(), WorldError> {
        match socket.filter(|id| self.shared().sockets.get(*id).is_none()) {
            Some(id) => Err(WorldError::UnknownSocket(id)),
            None => Ok(()),
        }
    }
}

impl WorldState {
    fn send_json(&mut self, socket: Option<u64>, value: &Value) -> Result<(), WorldError> {
        let all = || self.shared.sockets.all().iter().map(|socket| socket.id).collect();
        let numbers: Vec<u64> = socket.map_or_else(all, |socket| vec![socket]);
        let (mut plain, mut of_protocols) = (Vec::new(), Vec::new());
        for number in numbers {
            match self.engine.frames_for(number, value) {
                Ok(None) => plain.push(number),
                Ok(Some(frames)) => of_protocols.push((number, frames)),
                Err(Unsendable::NotConnected(_)) if socket.is_none() => of_protocols.push((number, Vec::new())),
                Err(why) => return Err(WorldError::Unsendable { socket: number, why }),
            }
        }
        let message = Message::json(value);
        if of_protocols.is_empty() {
            self.send(socket, message);
            return Ok(());
        }
        for number in plain {
            self.send(Some(number), message.clone());
        }
        for (number, frames) in of_protocols {
            for frame in &frames {
                self.send(Some(number), frame.into());
            }
        }
        Ok(())
    }
}

impl SocketState {
    fn of(socket: &Socket, end: u64, topics: Vec<String>) -> Self {
        Self {
            socket: socket.id,
            collection: socket.collection(),
            kind: socket.kind.clone(),
            topics,
            opened: socket.opened,
            age: socket.since.elapsed(),
            sent: socket.sent.load(Ordering::Relaxed),
            received: socket.received.load(Ordering::Relaxed),
            backlog: end.saturating_sub(socket.written()),
            caught_up: socket.caught_up.load(Ordering::Relaxed),
        }
    }
}
