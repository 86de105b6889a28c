//! Operations on the open sockets of a world: listing, sending, pinging and closing.

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
use crate::engine::{Closing, Command, Topic, Unsendable};

/// The state of an open socket.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketState {
    /// The number of the socket: from 1 in each world, and from 2^40 for members that several servers share.
    pub socket: u64,
    /// The collection that it subscribed to last.
    pub collection: Arc<str>,
    /// The kind of the socket.
    pub kind: SocketKind,
    /// The named topics that it has joined.
    pub topics: Vec<String>,
    /// When it was opened, in the world's time.
    pub opened: Duration,
    /// How long it has been open, by the machine's clock.
    pub age: Duration,
    /// The number of messages written to it.
    pub sent: u64,
    /// The number of messages received from it.
    pub received: u64,
    /// The number of feed items that it has yet to read.
    pub backlog: u64,
    /// How often it was so far behind that it received current values instead of the items that it missed.
    pub caught_up: u64,
}

impl World {
    /// Returns the open sockets in the order in which they were opened.
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

    /// Sends a message that does not come from the scenario to one socket, or to all.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn send(&self, socket: Option<u64>, message: Message) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |state| state.send(socket, message)).await
    }

    /// Sends a value that does not come from the scenario to one socket, or to all: as JSON, or as frames of the
    /// socket's protocol. When sending to all, clients that are not connected to the value's namespace are skipped.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, its protocol has no frame for the value, or the world has ended.
    pub async fn send_json(&self, socket: Option<u64>, value: Value) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |state| state.send_json(socket, &value)).await?
    }

    /// Closes one socket, or all, once they have received everything up to now. Returns their numbers after they have
    /// closed.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn close_sockets(&self, socket: Option<u64>, close: SocketClose) -> Result<Vec<u64>, WorldError> {
        self.expect_open(socket)?;
        let sockets = self.shared().sockets.all();
        let closed: Vec<_> = sockets.into_iter().filter(|one| socket.is_none_or(|id| id == one.id)).collect();
        // Rules have to run for their members.
        let (of_rules, others): (Vec<_>, Vec<_>) = closed.iter().partition(|socket| socket.is_rule_driven());
        let members: Vec<u64> = of_rules.iter().map(|socket| socket.id).collect();
        if !members.is_empty() {
            let closing = Some(Closing::new(close.code, close.reason.clone()));
            self.apply(Command::Disconnect { members, closing }).await?;
        }
        for socket in others {
            socket.close(close.clone(), self.shared().feed.end());
        }
        self.shared().sockets.wait_closed(&closed).await;
        Ok(closed.iter().map(|socket| socket.id).collect())
    }

    /// Writes a ping, encoded for the sockets' transport, to every socket that has nothing else to write, and a
    /// heartbeat to every such stream. This is not an event, and no journal records it.
    pub(crate) async fn ping_sockets(&self, ping: Bytes, heartbeat: Bytes) {
        fanout::ping(self.0.shared.clone(), ping, heartbeat).await;
    }

    /// Wakes every socket's task, so that it checks whether the socket is to end.
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
