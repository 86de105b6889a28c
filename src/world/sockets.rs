//! The open sockets of a world: who they are, how far they are, and which of them are to be closed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::socket::{Socket, SocketClose, lock};

/// How long a socket may write nothing before nobody waits for it any more.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Which sockets get a frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    All,
    Collection(Arc<str>),
}

/// All open sockets of a world, in the order in which they were opened.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Mutex<OpenSockets>,
    /// Told when a socket has written or is gone, as long as somebody waits for that.
    progress: Notify,
    /// How many wait.
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct OpenSockets {
    last_id: u64,
    sockets: BTreeMap<u64, Arc<Socket>>,
    /// Made on demand, void when a socket comes, goes or switches.
    audiences: HashMap<Audience, Arc<[u64]>>,
}

/// Somebody who waits for progress, until it is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn on(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sockets {
    pub(super) fn open(&self, collection: Arc<str>, opened: Duration, position: u64) -> Arc<Socket> {
        let mut open = lock(&self.open);
        open.last_id += 1;
        let socket = Arc::new(Socket::new(open.last_id, collection, opened, position));
        let id = socket.id;
        open.sockets.insert(id, socket.clone());
        open.audiences.clear();
        socket
    }

    pub(super) fn switch(&self, socket: &Socket, collection: Arc<str>) {
        socket.set_collection(collection);
        lock(&self.open).audiences.clear();
    }

    pub(super) fn leave(&self, socket: &Socket) {
        let mut open = lock(&self.open);
        open.sockets.remove(&socket.id);
        open.audiences.clear();
        drop(open);
        socket.gone.store(true, Ordering::SeqCst);
        self.progress.notify_waiters();
    }

    pub(super) fn all(&self) -> Vec<Arc<Socket>> {
        lock(&self.open).sockets.values().cloned().collect()
    }

    /// Those after a number, so many at the most, put into a list.
    pub(super) fn after(&self, last: u64, most: usize, into: &mut Vec<Arc<Socket>>) {
        let open = lock(&self.open);
        let after = open.sockets.range((Bound::Excluded(last), Bound::Unbounded));
        into.extend(after.take(most).map(|(_, socket)| socket.clone()));
    }

    pub(super) fn get(&self, id: u64) -> Option<Arc<Socket>> {
        lock(&self.open).sockets.get(&id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.open).sockets.len()
    }

    /// The ids of those who get a frame, as the journal has them: without the sockets that it leaves out.
    pub(super) fn audience(&self, audience: &Audience) -> Arc<[u64]> {
        let mut open = lock(&self.open);
        if let Some(ids) = open.audiences.get(audience) {
            return ids.clone();
        }
        let is_in = |socket: &&Arc<Socket>| match audience {
            Audience::All => socket.is_recorded(),
            Audience::Collection(collection) => socket.collection() == *collection,
        };
        let ids: Arc<[u64]> = open.sockets.values().filter(is_in).map(|socket| socket.id).collect();
        open.audiences.insert(audience.clone(), ids.clone());
        ids
    }

    /// Closes one socket, or all, after what is published up to that position; gives those that it closes.
    pub(super) fn close(&self, id: Option<u64>, close: &SocketClose, end: u64) -> Vec<Arc<Socket>> {
        let closed: Vec<_> = self.all().into_iter().filter(|socket| id.is_none_or(|id| id == socket.id)).collect();
        for socket in &closed {
            socket.close(close.clone(), end);
        }
        closed
    }

    /// Resets one socket after what is published up to that position.
    pub(super) fn reset(&self, id: u64, end: u64) {
        if let Some(socket) = self.get(id) {
            socket.reset(end);
        }
    }

    /// Wakes every socket's task.
    pub(super) fn wake_all(&self) {
        lock(&self.open).sockets.values().for_each(|socket| socket.wake.notify_one());
    }

    /// What a socket has written up to that position of the feed.
    pub(super) fn wrote(&self, socket: &Socket, messages: u64, position: u64) {
        socket.sent.fetch_add(messages, Ordering::Relaxed);
        socket.position.store(position, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.progress.notify_waiters();
        }
    }

    /// Waits until every open socket has written everything up to the position, but not for those that have written
    /// nothing for as long as `lagging` allows. Cancel safe: what was seen of them is kept there.
    pub(super) async fn written(&self, position: u64, lagging: &mut LaggingSockets) {
        let _waits = Waits::on(&self.waiting);
        let sockets = self.all();
        lagging.keep_only(&sockets);
        let behind: Vec<_> = sockets.iter().filter(|socket| lagging.is_lagging(socket, position)).collect();
        for socket in behind {
            loop {
                let progress = self.progress.notified();
                if !lagging.is_lagging(socket, position) {
                    break;
                }
                let Some(give_up) = lagging.give_up(socket) else { break };
                // Others may go on meanwhile; only this one is waited for here.
                let _ = tokio::time::timeout_at(give_up, progress).await;
            }
        }
    }

    /// Those that have not written everything up to the position.
    pub(super) fn behind(&self, position: u64) -> Vec<u64> {
        let behind = |socket: &&Arc<Socket>| socket.is_behind(position);
        self.all().iter().filter(behind).map(|socket| socket.id).collect()
    }

    /// Waits until none of these is open any more.
    pub(super) async fn gone(&self, sockets: &[Arc<Socket>]) {
        loop {
            let progress = self.progress.notified();
            if sockets.iter().all(|socket| socket.gone.load(Ordering::SeqCst)) {
                return;
            }
            progress.await;
        }
    }
}

/// Sockets that lag: where each was seen last, and since when it is there.
#[derive(Debug, Default)]
pub(super) struct LaggingSockets(HashMap<u64, (u64, Instant)>);

impl LaggingSockets {
    /// Whether there is something to wait for; remembers where it is, if so.
    pub(super) fn is_lagging(&mut self, socket: &Socket, position: u64) -> bool {
        let written = socket.position.load(Ordering::SeqCst);
        if !socket.is_behind(position) || socket.gone.load(Ordering::SeqCst) || socket.is_frozen() {
            self.0.remove(&socket.id);
            return false;
        }
        let seen = self.0.entry(socket.id).or_insert_with(|| (written, Instant::now()));
        if seen.0 != written {
            *seen = (written, Instant::now());
        }
        true
    }

    /// Forgets about sockets that are not open any more.
    pub(super) fn keep_only(&mut self, sockets: &[Arc<Socket>]) {
        if !self.0.is_empty() {
            let open: HashSet<u64> = sockets.iter().map(|socket| socket.id).collect();
            self.0.retain(|id, _| open.contains(id));
        }
    }

    /// Until when to wait for it; `None` if it has been still for too long.
    pub(super) fn give_up(&self, socket: &Socket) -> Option<Instant> {
        let (_, since) = self.0.get(&socket.id)?;
        Some(*since + WRITE_TIMEOUT).filter(|give_up| *give_up > Instant::now())
    }
}
