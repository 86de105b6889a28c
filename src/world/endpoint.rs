//! Sockets of the endpoints that a scenario declares: members like streams, but their clients send messages too.
//!
//! A frame from a client is one step of the world's task, so the effects of its rule, and everything that other clients
//! receive because of it, have one place in the order of events. In a shared world, the frame is an entry of the log,
//! which sets the order.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::World;
use super::error::WorldError;
use super::journal::{Payload, Record};
use super::member::MemberRequest;
use super::message::{Encode, Message};
use super::socket::{Socket, SocketKind};
use super::state::WorldState;
use super::subscription::Subscription;
use crate::engine::{Command, Frame, HandledMessage, MessageOutcome, RuleRequest};

/// Frames of one client that may queue for the world's task before that client has to wait.
const MAX_QUEUED_FRAMES: u32 = 16;

/// The transport of a socket's frames.
#[derive(Debug, Clone, Copy)]
pub struct Transport {
    /// Encodes a message as the bytes that are written.
    pub encode: Encode,
    /// Whether the client polls over HTTP and may upgrade to WebSocket.
    pub polling: bool,
    /// The maximum number of bytes that the client may send at once.
    pub max_payload: usize,
}

/// A frame in the queue of the world's task. It is counted until the rules have handled it, or cannot any more: once
/// none is counted, the journal is complete.
struct QueuedFrame(Arc<Socket>);

impl QueuedFrame {
    fn of(socket: &Arc<Socket>) -> Self {
        socket.queued_frames.fetch_add(1, Ordering::Relaxed);
        Self(socket.clone())
    }
}

impl Drop for QueuedFrame {
    fn drop(&mut self) {
        self.0.queued_frames.fetch_sub(1, Ordering::Release);
    }
}

/// A newly opened socket of an endpoint.
#[derive(Debug)]
pub struct OpenedSocket {
    /// The socket's subscription.
    pub feed: Subscription,
    /// The session id, for protocols that have one; unique within a world.
    pub sid: String,
}

impl World {
    /// Opens a socket of the endpoint with this key; `path` is the requested path.
    ///
    /// # Errors
    /// [`WorldError`] if the endpoint no longer exists, or the world has ended.
    pub async fn open_socket(
        &self,
        endpoint: &Arc<str>,
        request: RuleRequest,
        path: &str,
        transport: Transport,
    ) -> Result<OpenedSocket, WorldError> {
        let Transport { encode, polling, max_payload } = transport;
        let (endpoint, request) = (endpoint.clone(), Box::new(request));
        let kind = SocketKind::Endpoint { path: path.into(), endpoint: endpoint.clone() };
        let request = MemberRequest::Socket { endpoint, request, polling, max_payload };
        let opened = self.open_member(kind, encode, request).await?;
        Ok(OpenedSocket { feed: opened.feed.ok_or(WorldError::Defect)?, sid: opened.sid })
    }

    /// Handles a frame from the client of a socket. All effects arrive through the feed.
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

    /// Like [`World::receive`], but waits for the rules only if several frames are queued already, since an extra
    /// wake-up of a task costs about as much as the reply to a frame. Later requests to the world come after this
    /// frame.
    pub(super) async fn enqueue_frame(
        &self,
        socket: &Arc<Socket>,
        frame: Frame,
        payload: Payload,
    ) -> Result<(), WorldError> {
        if self.is_shared() || socket.queued_frames.load(Ordering::Relaxed) >= MAX_QUEUED_FRAMES {
            return Box::pin(self.receive(socket, frame, payload)).await;
        }
        let queued = QueuedFrame::of(socket);
        self.enqueue(move |state| {
            state.receive(queued.0.id, frame, payload);
            drop(queued);
        })
        .await
    }

    /// Waits until the rules have handled all frames from the client of a socket.
    pub(super) async fn flush_frames(&self, socket: &Socket) -> Result<(), WorldError> {
        if socket.queued_frames.load(Ordering::Acquire) > 0 { self.ask(|_| ()).await } else { Ok(()) }
    }

    /// Reports that the client of a socket has used up its time to connect, by the machine's clock; see
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

    /// Notifies the rules of a socket or stream that its connection has ended.
    pub(super) async fn member_gone(&self, socket: &Socket) {
        if self.is_shared() {
            // In a shared world, all servers are notified once the member has left.
            return;
        }
        let member = socket.id;
        // This fails only if the world has ended, and then no rule is left to run.
        let _ = self.ask(move |state| state.close_member(member)).await;
    }

    /// Returns whether other servers run the world too, so that the log sets the order of events.
    #[cfg(feature = "redis")]
    fn is_shared(&self) -> bool {
        self.0.replica.is_some()
    }

    /// Always false: sharing needs the feature `redis`.
    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "same signature as with the feature")]
    fn is_shared(&self) -> bool {
        false
    }

    /// Closes a socket whose frame may not have been handled, so that its client does not assume that it was.
    #[cfg(feature = "redis")]
    fn lost_frame(&self, socket: &Socket, payload: Payload, error: &crate::store::StoreError) {
        use super::socket::SocketClose;

        /// The client should connect again later (IANA, WebSocket Close Code Number Registry).
        const TRY_AGAIN_LATER: u16 = 1013;
        const REASON: &str = "try again later: the store of this shared world cannot be reached";

        let refused = MessageOutcome::Refused { rule: None, why: error.to_string() };
        let path = socket.endpoint_path();
        let outcome = Some(refused);
        self.record(Record::Received { socket: socket.id, path, endpoint: None, payload, outcome });
        socket.close(SocketClose { code: TRY_AGAIN_LATER, reason: REASON.into() }, self.shared().feed.end());
    }
}

impl WorldState {
    pub(super) fn receive(&mut self, member: u64, frame: Frame, payload: Payload) {
        self.settle();
        let at = self.engine.now();
        // The command is not refused: a failure of the rule is reported to the socket alone.
        let effects = self.engine.apply(Command::Receive { member, frame }).unwrap_or_default();
        for HandledMessage { outcome, .. } in &effects.messages {
            if let (MessageOutcome::Unmatched { nearest }, Some(endpoint)) = (outcome, self.engine.endpoint_of(member))
            {
                self.shared.warn_of_unmatched(endpoint, nearest.as_deref());
            }
        }
        self.record_received(member, at, payload, effects.messages);
        self.notify(&effects.events);
    }

    /// Records a frame, or, for a socket that speaks a protocol, the messages in it, at the time at which its rules ran.
    /// Frames of the protocol itself, such as heartbeats, are left out because no test expects them.
    fn record_received(&self, member: u64, at: Duration, payload: Payload, messages: Vec<HandledMessage>) {
        if !self.shared.journal.is_enabled() {
            return;
        }
        let path = self.shared.sockets.get(member).and_then(|socket| socket.endpoint_path());
        let endpoint = self.engine.endpoint_of(member);
        let record = |payload: Payload, outcome: Option<MessageOutcome>| {
            let (path, endpoint) = (path.clone(), endpoint.cloned());
            self.shared.journal.record(at, Record::Received { socket: member, path, endpoint, payload, outcome });
        };
        if self.engine.has_protocol(member) {
            for HandledMessage { message, outcome } in messages {
                record(Payload::of(&Message::json(&message)), Some(outcome));
            }
        } else {
            // Without a protocol, a frame is at most one message.
            record(payload, messages.into_iter().next().map(|message| message.outcome));
        }
    }
}
