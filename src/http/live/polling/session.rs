//! A polling session, whose task is a member of the world's feed and handles the requests of the client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tracing::debug;
use tungstenite::protocol::frame::coding::CloseCode;

use super::outbox::{Outbox, OutboxEnd, Polled};
use super::packets;
use super::query::EngineIoError;
use crate::engine::Frame;
use crate::http::App;
use crate::http::live;
use crate::http::member::{BufferedMember, MemberEnd};
use crate::world::{EncodedBatch, EndedBy, OpenedSocket, Payload, SocketEnd, Subscription, WorldError};

/// How long a client may neither poll nor post before it counts as gone, in real time.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(45);

/// How long a session that the server has ended waits for a poll to report the end.
const LINGER: Duration = Duration::from_secs(30);

/// The number of requests that may wait for a session's task.
const MAX_WAITING_REQUESTS: usize = 16;

/// The polling sessions of a server, by world and id.
#[derive(Debug, Default)]
pub(crate) struct PollingSessions(Mutex<HashMap<Key, Arc<Session>>>);

type Key = (Arc<str>, String);

impl PollingSessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of sessions.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Returns the session with this world and id.
    pub(super) fn get(&self, world: &Arc<str>, sid: &str) -> Option<Arc<Session>> {
        self.lock().get(&(world.clone(), sid.to_owned())).cloned()
    }

    fn add(&self, key: Key, session: Arc<Session>) {
        self.lock().insert(key, session);
    }

    /// Removes a session, but not a later one with the same id, which can exist if the world was removed and created
    /// again.
    fn remove(&self, key: &Key, session: &Arc<Session>) {
        let mut sessions = self.lock();
        if sessions.get(key).is_some_and(|found| Arc::ptr_eq(found, session)) {
            sessions.remove(key);
        }
    }
}

/// The handle of a session, which requests use.
#[derive(Debug)]
pub(super) struct Session {
    outbox: Arc<Outbox>,
    requests: mpsc::Sender<SessionRequest>,
}

/// A request to the task of a session.
#[derive(Debug)]
enum SessionRequest {
    /// Applies the rules of the endpoint to frames.
    Receive { frames: Vec<Frame>, done: oneshot::Sender<()> },
    /// Hands the session over to a WebSocket.
    Upgrade { stream: Arc<TcpStream>, reply: oneshot::Sender<Handover> },
}

/// What a WebSocket takes over.
#[derive(Debug)]
pub(in crate::http::live) struct Handover {
    pub(in crate::http::live) feed: Subscription,
    /// The frames that no poll has taken.
    pub(in crate::http::live) output: Bytes,
    /// The number of these frames that the feed does not count as written yet.
    pub(in crate::http::live) frames: u64,
}

impl Session {
    /// Starts the task of a session.
    pub(super) fn start(app: &Arc<App>, world: &Arc<str>, opened: OpenedSocket) -> Arc<Self> {
        let OpenedSocket { feed, sid } = opened;
        let outbox = Arc::new(Outbox::new());
        let (requests, inbox) = mpsc::channel(MAX_WAITING_REQUESTS);
        let session = Arc::new(Self { outbox: outbox.clone(), requests });
        let key = (world.clone(), sid);
        app.polling.add(key.clone(), session.clone());
        let member = BufferedMember::new(feed, outbox.clone(), app.clone());
        app.tasks.spawn(serve(SessionTask { outbox, member, inbox }, app.clone(), key, session.clone()));
        session
    }

    /// Waits until there are packets for the client; see [`Outbox::poll`].
    pub(super) async fn poll(&self) -> Result<Polled, EngineIoError> {
        self.outbox.poll().await
    }

    /// Passes the client's frames to the session's task, in order.
    ///
    /// # Errors
    /// [`EngineIoError`] if the session is over.
    pub(super) async fn receive(&self, frames: Vec<Frame>) -> Result<(), EngineIoError> {
        self.outbox.touch()?;
        let (done, is_done) = oneshot::channel();
        let request = SessionRequest::Receive { frames, done };
        self.requests.send(request).await.map_err(|_| EngineIoError::UnknownSession)?;
        is_done.await.map_err(|_| EngineIoError::UnknownSession)
    }

    /// Ends the session because the client violated the protocol.
    pub(super) fn fail(&self) {
        self.outbox.end(OutboxEnd::Close, false);
    }

    /// Lets a WebSocket try to take over; `None` if it may not.
    pub(super) fn start_upgrade(self: &Arc<Self>) -> Option<UpgradeAttempt> {
        self.outbox.start_upgrade().then(|| UpgradeAttempt(self.clone()))
    }
}

/// A WebSocket's attempt to take over. Until it succeeds, the client polls.
#[derive(Debug)]
pub(super) struct UpgradeAttempt(Arc<Session>);

impl UpgradeAttempt {
    /// Records that the WebSocket has probed.
    pub(super) fn probed(&self) {
        self.0.outbox.probed();
    }

    /// Waits until the session is over.
    pub(super) async fn over(&self) {
        self.0.outbox.over().await;
    }

    /// Hands the session over to the WebSocket; `None` if the session is over.
    pub(super) async fn hand_over(&self, stream: Arc<TcpStream>) -> Option<Handover> {
        let (reply, handover) = oneshot::channel();
        self.0.requests.send(SessionRequest::Upgrade { stream, reply }).await.ok()?;
        handover.await.ok()
    }
}

impl Drop for UpgradeAttempt {
    fn drop(&mut self) {
        self.0.outbox.end_upgrade();
    }
}

/// How a session's task ends.
enum SessionExit {
    Member(MemberEnd),
    /// The client closed the session.
    Closed,
    /// A WebSocket takes over, with these packets that no poll has taken.
    Upgraded {
        packets: Bytes,
        reply: oneshot::Sender<Handover>,
    },
}

impl From<MemberEnd> for SessionExit {
    fn from(end: MemberEnd) -> Self {
        Self::Member(end)
    }
}

struct SessionTask {
    outbox: Arc<Outbox>,
    member: BufferedMember,
    inbox: mpsc::Receiver<SessionRequest>,
}

/// Serves one session until it ends.
async fn serve(mut task: SessionTask, app: Arc<App>, key: Key, session: Arc<Session>) {
    debug!(sid = key.1, "polling session opened");
    let exit = task.run().await;
    let SessionTask { outbox, member, inbox } = task;
    // Later requests fail because the session is over.
    drop(inbox);
    let (feed, rest) = member.into_parts();
    let lingers = match exit {
        SessionExit::Upgraded { packets, reply } => {
            debug!(sid = key.1, "polling session upgraded");
            upgrade(feed, &packets, &rest, reply).await;
            false
        }
        SessionExit::Closed => {
            outbox.end(OutboxEnd::Noop, false);
            finish(feed, EndedBy::Client).await;
            false
        }
        SessionExit::Member(end) => {
            debug!(sid = key.1, ?end, "polling session ended");
            let is_gone = end == MemberEnd::Gone;
            outbox.end(outbox_end(end, &feed), !is_gone);
            finish(feed, if is_gone { EndedBy::Client } else { EndedBy::Server }).await;
            !is_gone
        }
    };
    if lingers {
        let reported = tokio::time::timeout(LINGER, outbox.end_reported());
        let _ = app.shutdown.run_until_cancelled(reported).await;
    }
    app.polling.remove(&key, &session);
}

/// Returns how polls report the end of a member.
fn outbox_end(end: MemberEnd, feed: &Subscription) -> OutboxEnd {
    match end {
        MemberEnd::Reset => OutboxEnd::Reset,
        MemberEnd::Ended => OutboxEnd::Lost,
        MemberEnd::Done if feed.closing().is_some_and(|close| asks_to_reconnect(close.code)) => OutboxEnd::Lost,
        MemberEnd::Done | MemberEnd::Gone => OutboxEnd::Close,
    }
}

/// Returns whether a close code tells that the server, or another one, accepts the client again (RFC 6455, 7.4.1, and
/// IANA, WebSocket Close Code Number Registry).
fn asks_to_reconnect(code: u16) -> bool {
    matches!(CloseCode::from(code), CloseCode::Away | CloseCode::Restart | CloseCode::Again)
}

/// Ends the member of a session.
async fn finish(mut feed: Subscription, by: EndedBy) {
    feed.set_end(SocketEnd { code: None, by });
    feed.finish().await;
}

/// Hands a session over to a WebSocket.
async fn upgrade(mut feed: Subscription, packets: &[u8], rest: &EncodedBatch, reply: oneshot::Sender<Handover>) {
    feed.set_encode(live::encode);
    let output = packets::frames(&[packets, &rest.bytes].concat());
    if let Err(Handover { feed, .. }) = reply.send(Handover { feed, output, frames: rest.messages }) {
        // The WebSocket has failed in the meantime.
        finish(feed, EndedBy::Client).await;
    }
}

impl SessionTask {
    async fn run(&mut self) -> SessionExit {
        loop {
            if let Err(end) = self.member.write_pending().await {
                return end.into();
            }
            let is_listening = !self.member.feed.is_frozen();
            tokio::select! {
                () = self.outbox.over() => return MemberEnd::Gone.into(),
                () = self.outbox.expired(CLIENT_TIMEOUT) => return MemberEnd::Gone.into(),
                () = self.outbox.has_room(), if self.member.has_output() => {}
                () = self.member.ready() => {}
                Some(request) = self.inbox.recv(), if is_listening => {
                    if let Some(exit) = self.carry_out(request).await {
                        return exit;
                    }
                }
            }
        }
    }

    /// Carries out a request. Returns how the session ends if the request ends it.
    async fn carry_out(&mut self, request: SessionRequest) -> Option<SessionExit> {
        match request {
            SessionRequest::Receive { frames, done } => {
                for frame in frames {
                    // The packet `1` closes the session.
                    let is_last = matches!(&frame, Frame::Text(packet) if packet.starts_with('1'));
                    if let Err(error) = self.apply_rules(frame).await {
                        return Some(MemberEnd::from(error).into());
                    }
                    if is_last {
                        // The client may have cancelled the request by now.
                        let _ = done.send(());
                        return Some(SessionExit::Closed);
                    }
                }
                let _ = done.send(());
                None
            }
            SessionRequest::Upgrade { reply, .. } if reply.is_closed() => None,
            SessionRequest::Upgrade { stream, reply } => {
                // Reclaims before packets may go into the WebSocket, so that pending ones go first.
                self.member.reclaim();
                let packets = self.outbox.upgrade(stream)?;
                Some(SessionExit::Upgraded { packets, reply })
            }
        }
    }

    /// Applies the rules of the endpoint to a frame.
    async fn apply_rules(&self, frame: Frame) -> Result<(), WorldError> {
        let feed = &self.member.feed;
        let payload = match &frame {
            Frame::Binary(bytes) => Payload::binary(Bytes::copy_from_slice(bytes)),
            Frame::Text(text) => Payload::new(Bytes::copy_from_slice(text.as_bytes())),
            Frame::Json(value) => Payload::new(value.to_string().into()),
        };
        if feed.ignores_frame() {
            feed.received(payload);
            return Ok(());
        }
        feed.handle_frame(frame, payload).await
    }
}
