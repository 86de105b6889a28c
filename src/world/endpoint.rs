//! Sockets of endpoints that a scenario declares: members like streams, whose clients say something, too.
//!
//! A frame from a client is one step of the world's task: what its rule does, and what everybody gets of it, has one place in
//! the order of all that happens. Where several servers play the world, it is an entry of their log, and has one place there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::World;
use super::error::WorldError;
use super::journal::{Payload, Record};
use super::member::MemberRequest;
use super::message::{Encode, Message};
use super::socket::{Socket, SocketKind};
use super::state::WorldState;
use super::subscription::Subscription;
use crate::engine::{Command, Frame, HeardMessage, MessageOutcome, RuleRequest};

/// Frames of one client that may wait for the world's task; a client that sends more waits itself.
const MOST_UNHEARD: u32 = 16;

/// What carries the frames of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Transport {
    /// Makes of a message what is written.
    pub encode: Encode,
    /// Whether the client polls by HTTP, and may go over to WebSocket.
    pub polling: bool,
    /// The most bytes that the client may send at once.
    pub max_payload: usize,
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
        let Transport { encode, polling, max_payload } = transport;
        let (endpoint, request) = (endpoint.clone(), Box::new(request));
        let request = MemberRequest::Socket { endpoint, request, polling, max_payload };
        let opened = self.open_member(SocketKind::Endpoint(path.into()), encode, request).await?;
        Ok(OpenedSocket { feed: opened.feed.ok_or(WorldError::Defect)?, sid: opened.sid })
    }

    /// Takes a frame from the client of a socket. Whatever comes of it comes through the feed.
    pub(super) async fn receive(&self, socket: &Socket, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        let member = socket.id;
        #[cfg(feature = "redis")]
        if let Some(replica) = &self.0.replica {
            let _in_use = self.in_use();
            return match replica.receive(member, frame, payload.clone(), self.now()).await {
                Err(WorldError::Store(error)) => {
                    self.lost_frame(socket, payload, &error);
                    Ok(())
                }
                received => received,
            };
        }
        self.ask(move |state| state.receive(member, frame, payload)).await
    }

    /// As [`World::receive`], but waits for the rules only if several frames wait for them already: a task that is woken once
    /// more costs about as much as the answer to a frame. What is asked of the world afterwards comes after it.
    pub(super) async fn hand_in(&self, socket: &Arc<Socket>, frame: Frame, payload: Payload) -> Result<(), WorldError> {
        if self.is_shared() || socket.unheard.load(Ordering::Relaxed) >= MOST_UNHEARD {
            return self.receive(socket, frame, payload).await;
        }
        socket.unheard.fetch_add(1, Ordering::Relaxed);
        let socket = socket.clone();
        self.tell(move |state| {
            socket.unheard.fetch_sub(1, Ordering::Relaxed);
            state.receive(socket.id, frame, payload);
        })
        .await
    }

    /// Waits until the rules have heard all frames from the client of a socket.
    pub(super) async fn heard(&self, socket: &Socket) -> Result<(), WorldError> {
        if socket.unheard.load(Ordering::Relaxed) > 0 { self.ask(|_| ()).await } else { Ok(()) }
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
        if self.is_shared() {
            // All servers hear of it, once it has left.
            return;
        }
        let member = socket.id;
        // A world that has ended hears of nothing.
        let _ = self.ask(move |state| state.close_member(member)).await;
    }

    /// Whether other servers play the world too, so that the log decides what comes after what.
    #[cfg(feature = "redis")]
    fn is_shared(&self) -> bool {
        self.0.replica.is_some()
    }

    /// No other server plays the world.
    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn is_shared(&self) -> bool {
        false
    }

    /// Closes a socket whose frame was not carried out, for all that is known here: its client must not take it for heard.
    #[cfg(feature = "redis")]
    fn lost_frame(&self, socket: &Socket, payload: Payload, error: &crate::store::StoreError) {
        use super::socket::SocketClose;

        /// The client is to connect again later (IANA, WebSocket Close Code Number Registry).
        const TRY_AGAIN_LATER: u16 = 1013;
        const REASON: &str = "try again later: the store that this world is shared by cannot be reached";

        let refused = MessageOutcome::Refused { rule: None, why: error.to_string() };
        let path = socket.endpoint_path();
        let outcomes = [refused].into();
        self.record(Record::Received { socket: socket.id, path, endpoint: None, payload, outcomes });
        socket.close(SocketClose { code: TRY_AGAIN_LATER, reason: REASON.into() }, self.shared().feed.end());
    }
}

impl WorldState {
    pub(super) fn receive(&mut self, member: u64, frame: Frame, payload: Payload) {
        self.settle();
        // A socket's commands are not refused: what its rule meets is told to it alone.
        let effects = self.engine.apply(Command::Receive { member, frame }).unwrap_or_default();
        for HeardMessage { outcome, .. } in &effects.messages {
            if let (MessageOutcome::Unmatched { nearest }, Some(endpoint)) = (outcome, self.engine.endpoint_of(member))
            {
                self.shared.warn_of_unmatched(endpoint, nearest.as_deref());
            }
        }
        self.record_received(member, payload, effects.messages);
        self.notify(&effects.events);
    }

    /// Records a frame; of a socket that speaks a protocol, the messages that came by it: what the protocol says for itself, such
    /// as heartbeats, is nothing that a test expects.
    fn record_received(&self, member: u64, payload: Payload, messages: Vec<HeardMessage>) {
        if !self.shared.journal.is_on() {
            return;
        }
        let path = self.shared.sockets.get(member).and_then(|socket| socket.endpoint_path());
        let endpoint = self.engine.endpoint_of(member);
        let record = |payload: Payload, outcomes: Box<[MessageOutcome]>| {
            let (path, endpoint) = (path.clone(), endpoint.cloned());
            self.shared.journal.record(
                self.shared.clock.now(),
                Record::Received { socket: member, path, endpoint, payload, outcomes },
            );
        };
        if self.engine.has_protocol(member) {
            for HeardMessage { message, outcome } in messages {
                record(Payload::of(&Message::json(&message)), [outcome].into());
            }
        } else {
            record(payload, messages.into_iter().map(|heard| heard.outcome).collect());
        }
    }
}
