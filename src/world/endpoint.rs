//! Sockets of endpoints that a scenario declares: members like streams, whose clients say something, too.
//!
//! A frame from a client is one step of the world's task: what its rule does, and what everybody gets of it, has one place in
//! the order of all that happens. Where several servers play the world, its sockets are each server's own.

use std::sync::Arc;

use super::World;
use super::error::WorldError;
use super::journal::{OpenedBy, Payload, Record};
use super::message::Encode;
use super::socket::{Socket, SocketKind};
use super::state::WorldState;
use super::subscription::Subscription;
use crate::engine::codec::SessionOptions;
use crate::engine::{Command, Effects, Frame, MessageOutcome, Refusal, RuleRequest};

/// What carries the frames of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Transport {
    /// Makes of a message what is written.
    pub encode: Encode,
    /// Whether the client polls by HTTP, and may go over to WebSocket.
    pub polling: bool,
}

/// A socket of an endpoint that has just opened.
#[derive(Debug)]
pub struct OpenedSocket {
    /// What it is to get.
    pub feed: Subscription,
    /// The id of its session, for protocols that have one: each socket of a world has another.
    pub sid: String,
}

impl World {
    /// Opens a socket of the endpoint of that key; `path` is what was asked for.
    ///
    /// # Errors
    /// [`WorldError`] if the endpoint has gone since, or the world has ended.
    pub async fn open_socket(
        &self,
        endpoint: &Arc<str>,
        request: RuleRequest,
        path: &str,
        transport: Transport,
    ) -> Result<OpenedSocket, WorldError> {
        let (world, endpoint, path): (_, _, Arc<str>) = (self.clone(), endpoint.clone(), path.into());
        self.ask(move |state| state.open_socket(world, endpoint, request, path, transport)).await?
    }

    /// Takes a frame from the client of a socket. Whatever comes of it comes through the feed.
    pub(super) async fn receive(&self, socket: &Socket, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        let member = socket.id;
        self.ask(move |state| state.receive(member, frame, payload)).await
    }

    /// Says that the client of a socket has had its time to connect, by the machine's clock: see
    /// [`time_to_connect`](crate::engine::codec::time_to_connect).
    pub async fn socket_overdue(&self, member: u64) {
        if self.shared().sockets.get(member).is_none() {
            return;
        }
        // A world that has ended closes its sockets anyway.
        if self.ask(move |state| state.engine.awaits_client(member)).await.unwrap_or_default() {
            let _ = self.apply(Command::Overdue { member }).await;
        }
    }

    /// Has the endpoint of a socket hear that it is closed.
    pub(super) async fn socket_closed(&self, socket: &Socket) {
        let member = socket.id;
        // A world that has ended hears of nothing.
        let _ = self.ask(move |state| state.socket_closed(member)).await;
    }
}

impl WorldState {
    fn open_socket(
        &mut self,
        world: World,
        endpoint: Arc<str>,
        request: RuleRequest,
        path: Arc<str>,
        transport: Transport,
    ) -> Result<OpenedSocket, WorldError> {
        let (socket, joined) = self.open_of_rules(SocketKind::Endpoint(path.clone()));
        let sid = format!("{}-{}-{}", self.shared.name, self.epoch, socket.id);
        let options = SessionOptions { sid: sid.clone(), polling: transport.polling };
        let command = Command::Open { member: socket.id, endpoint, request: Box::new(request), options };
        let opened = self.apply_of_socket(command);
        let effects = opened.inspect_err(|_| self.shared.sockets.leave(&socket))?;
        self.hit(&socket, joined.position);
        self.shared.journal.record(joined.at, Record::Opened { socket: socket.id, by: OpenedBy::Socket { path } });
        self.notify(&effects.events);
        Ok(OpenedSocket { feed: Subscription::new(world, socket, transport.encode, &joined), sid })
    }

    fn receive(&mut self, member: u64, frame: Frame, payload: Payload) {
        // A socket's commands are not refused: what its rule meets is told to it alone.
        let effects = self.apply_of_socket(Command::Receive { member, frame }).unwrap_or_default();
        for outcome in &effects.messages {
            if let (MessageOutcome::Unmatched { nearest }, Some(endpoint)) = (outcome, self.engine.endpoint_of(member))
            {
                self.shared.warn_of_unmatched(endpoint, nearest.as_deref());
            }
        }
        let path = self.shared.sockets.get(member).and_then(|socket| match &socket.kind {
            SocketKind::Endpoint(path) => Some(path.clone()),
            SocketKind::Collection | SocketKind::Stream(_) => None,
        });
        let record = Record::Received { socket: member, path, payload, outcomes: effects.messages.into() };
        self.shared.journal.record(self.shared.clock.now(), record);
        self.notify(&effects.events);
    }

    fn socket_closed(&mut self, member: u64) {
        // Nor is this one.
        let effects = self.apply_of_socket(Command::Close { member }).unwrap_or_default();
        self.notify(&effects.events);
    }

    fn apply_of_socket(&mut self, command: Command) -> Result<Effects, Refusal> {
        if self.engine.is_played_by_several() {
            let now = self.now();
            return self.engine.apply_locally(command, now);
        }
        self.settle();
        self.engine.apply(command)
    }
}
