//! A session that polls: its task is a member of the world's feed, and does what requests ask of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use super::outbox::{Outbox, OutboxEnd, Polled};
use super::packets;
use super::query::EngineIoError;
use crate::engine::Frame;
use crate::http::App;
use crate::http::live;
use crate::http::member::{BufferedMember, MemberEnd};
use crate::world::{EncodedBatch, EndedBy, OpenedSocket, Payload, SocketEnd, Subscription, WorldError};

/// How long a client may neither poll nor post before it counts as gone, in the machine's time.
const SILENCE: Duration = Duration::from_secs(45);

/// How long the client of a session that the server has ended may take to hear of it.
const LINGER: Duration = Duration::from_secs(30);

/// Requests that may wait for a session's task.
const WAITING_REQUESTS: usize = 16;

/// The sessions of a server that poll, by world and id.
#[derive(Debug, Default)]
pub(crate) struct PollingSessions(Mutex<HashMap<Key, Arc<Session>>>);

type Key = (Arc<str>, String);

impl PollingSessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// The session of that world and id.
    pub(super) fn get(&self, world: &Arc<str>, sid: &str) -> Option<Arc<Session>> {
        self.lock().get(&(world.clone(), sid.to_owned())).cloned()
    }

    fn add(&self, key: Key, session: Arc<Session>) {
        self.lock().insert(key, session);
    }

    /// Removes a session, but not another that has got its id since: in a world of the same name, made anew.
    fn remove(&self, key: &Key, session: &Arc<Session>) {
        let mut sessions = self.lock();
        if sessions.get(key).is_some_and(|found| Arc::ptr_eq(found, session)) {
            sessions.remove(key);
        }
    }
}

/// What requests have of a session.
#[derive(Debug)]
pub(super) struct Session {
    outbox: Arc<Outbox>,
    requests: mpsc::Sender<SessionRequest>,
}

/// What a session's task is asked to do.
#[derive(Debug)]
enum SessionRequest {
    /// To pass frames on to the rules of the endpoint.
    Receive { frames: Vec<Frame>, done: oneshot::Sender<()> },
    /// To hand over to a WebSocket.
    Upgrade { stream: Arc<TcpStream>, reply: oneshot::Sender<Handover> },
}

/// What a WebSocket takes over.
#[derive(Debug)]
pub(in crate::http::live) struct Handover {
    pub(in crate::http::live) feed: Subscription,
    /// The frames that no poll has taken.
    pub(in crate::http::live) output: Bytes,
    /// How many of them the feed does not count as written yet.
    pub(in crate::http::live) frames: u64,
}

impl Session {
    /// Starts the task of a session.
    pub(super) fn start(app: &Arc<App>, world: &Arc<str>, opened: OpenedSocket) -> Arc<Self> {
        let OpenedSocket { feed, sid } = opened;
        let outbox = Arc::new(Outbox::new());
        let (requests, inbox) = mpsc::channel(WAITING_REQUESTS);
        let session = Arc::new(Self { outbox: outbox.clone(), requests });
        let key = (world.clone(), sid);
        app.polling.add(key.clone(), session.clone());
        let member = BufferedMember::new(feed, outbox.clone(), app.clone());
        app.tasks.spawn(serve(SessionTask { outbox, member, inbox }, app.clone(), key, session.clone()));
        session
    }

    /// Waits until there is something for the client; see [`Outbox::poll`].
    pub(super) async fn poll(&self) -> Result<Polled, EngineIoError> {
        self.outbox.poll().await
    }

    /// Passes the client's frames on, in order.
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

    /// Ends the session because its client has broken the protocol.
    pub(super) fn fail(&self) {
        self.outbox.end(OutboxEnd::Close, false);
    }

    /// A WebSocket wants to take over; `None` if it may not.
    pub(super) fn begin_upgrade(self: &Arc<Self>) -> Option<UpgradeAttempt> {
        self.outbox.begin_upgrade().then(|| UpgradeAttempt(self.clone()))
    }
}

/// A WebSocket that wants to take over. Until it has, the client polls.
#[derive(Debug)]
pub(super) struct UpgradeAttempt(Arc<Session>);

impl UpgradeAttempt {
    /// The WebSocket has probed.
    pub(super) fn probed(&self) {
        self.0.outbox.probed();
    }

    /// Waits until the session is over.
    pub(super) async fn over(&self) {
        self.0.outbox.over().await;
    }

    /// What the WebSocket takes over; `None` if the session is over.
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
    /// The client has closed the session.
    Closed,
    /// A WebSocket goes on, with these packets that no poll has taken.
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

/// One session to its end.
async fn serve(mut task: SessionTask, app: Arc<App>, key: Key, session: Arc<Session>) {
    debug!(sid = key.1, "polling session opened");
    let exit = task.run().await;
    let SessionTask { outbox, member, inbox } = task;
    // What is asked from here on hears that the session is over.
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
            let (is_gone, is_reset) = (end == MemberEnd::Gone, end == MemberEnd::Reset);
            outbox.end(if is_reset { OutboxEnd::Reset } else { OutboxEnd::Close }, !is_gone);
            finish(feed, if is_gone { EndedBy::Client } else { EndedBy::Server }).await;
            !is_gone
        }
    };
    if lingers {
        let telling = tokio::time::timeout(LINGER, outbox.told());
        let _ = app.shutdown.run_until_cancelled(telling).await;
    }
    app.polling.remove(&key, &session);
}

/// Ends the member of a session.
async fn finish(mut feed: Subscription, by: EndedBy) {
    feed.ends(SocketEnd { code: None, by });
    feed.finish().await;
}

/// Hands a session over to a WebSocket.
async fn upgrade(mut feed: Subscription, packets: &[u8], rest: &EncodedBatch, reply: oneshot::Sender<Handover>) {
    feed.set_encode(live::encode);
    let output = packets::frames(&[packets, &rest.bytes].concat());
    if let Err(Handover { feed, .. }) = reply.send(Handover { feed, output, frames: rest.messages }) {
        // The WebSocket was broken off meanwhile.
        finish(feed, EndedBy::Client).await;
    }
}

impl SessionTask {
    async fn run(&mut self) -> SessionExit {
        loop {
            if let Err(end) = self.member.put_out().await {
                return end.into();
            }
            let is_listening = !self.member.feed.is_frozen();
            tokio::select! {
                () = self.outbox.over() => return MemberEnd::Gone.into(),
                () = self.outbox.expired(SILENCE) => return MemberEnd::Gone.into(),
                () = self.outbox.has_room(), if self.member.has_output() => {}
                () = self.member.woken() => {}
                Some(request) = self.inbox.recv(), if is_listening => {
                    if let Some(exit) = self.carry_out(request).await {
                        return exit;
                    }
                }
            }
        }
    }

    /// Does what a request asks; gives how the session ends if it does by that.
    async fn carry_out(&mut self, request: SessionRequest) -> Option<SessionExit> {
        match request {
            SessionRequest::Receive { frames, done } => {
                for frame in frames {
                    // A session is closed by the packet `1`.
                    let is_last = matches!(&frame, Frame::Text(packet) if packet.starts_with('1'));
                    if let Err(error) = self.take(frame).await {
                        return Some(MemberEnd::from(error).into());
                    }
                    if is_last {
                        // The request may be given up by now.
                        let _ = done.send(());
                        return Some(SessionExit::Closed);
                    }
                }
                let _ = done.send(());
                None
            }
            SessionRequest::Upgrade { reply, .. } if reply.is_closed() => None,
            SessionRequest::Upgrade { stream, reply } => {
                // Before packets may go into the WebSocket: those that wait go first.
                self.member.reclaim();
                let packets = self.outbox.upgrade(stream)?;
                Some(SessionExit::Upgraded { packets, reply })
            }
        }
    }

    /// Has the rules of the endpoint take a frame.
    async fn take(&self, frame: Frame) -> Result<(), WorldError> {
        let feed = &self.member.feed;
        let payload = Payload::new(match &frame {
            Frame::Binary(bytes) => Bytes::copy_from_slice(bytes),
            Frame::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
            Frame::Json(value) => value.to_string().into(),
        });
        if feed.ignores() {
            feed.received(payload);
            return Ok(());
        }
        feed.take(frame, payload).await
    }
}
