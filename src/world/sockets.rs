//! The open sockets of a world: who they are, how far they are, and which of them are to be closed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tungstenite::protocol::frame::coding::CloseCode;

use super::socket::Socket;
use super::stalls::Stalls;

/// Which sockets get a frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    All,
    Category(Arc<str>),
}

/// All open sockets of a world, in the order in which they were opened.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Mutex<Open>,
    /// Told when a socket has written or is gone, as long as somebody waits for that.
    progress: Notify,
    /// How many wait.
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Open {
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
    pub(super) fn open(&self, category: Arc<str>, opened: Duration, position: u64) -> Arc<Socket> {
        let mut open = lock(&self.open);
        open.last_id += 1;
        let socket = Arc::new(Socket::new(open.last_id, category, opened, position));
        let id = socket.id;
        open.sockets.insert(id, socket.clone());
        open.audiences.clear();
        socket
    }

    pub(super) fn switch(&self, socket: &Socket, category: Arc<str>) {
        socket.set_category(category);
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

    /// The ids of those who get a frame.
    pub(super) fn audience(&self, audience: &Audience) -> Arc<[u64]> {
        let mut open = lock(&self.open);
        if let Some(ids) = open.audiences.get(audience) {
            return ids.clone();
        }
        let is_in = |socket: &&Arc<Socket>| match audience {
            Audience::All => true,
            Audience::Category(category) => socket.category() == *category,
        };
        let ids: Arc<[u64]> = open.sockets.values().filter(is_in).map(|socket| socket.id).collect();
        open.audiences.insert(audience.clone(), ids.clone());
        ids
    }

    /// Asks one socket, or all, to close with what was published up to that position; gives those that were asked.
    pub(super) fn close(&self, id: Option<u64>, code: CloseCode, reason: &str, end: u64) -> Vec<Arc<Socket>> {
        let asked: Vec<_> = self.all().into_iter().filter(|socket| id.is_none_or(|id| id == socket.id)).collect();
        for socket in &asked {
            socket.set_closing(code, reason, end);
        }
        asked
    }

    /// Has one socket be reset with what was published up to that position.
    pub(super) fn reset(&self, id: u64, end: u64) {
        if let Some(socket) = self.get(id) {
            socket.set_reset(end);
        }
    }

    /// Tells every socket's task to look whether it is at its end.
    pub(super) fn tell_all(&self) {
        lock(&self.open).sockets.values().for_each(|socket| socket.told.notify_one());
    }

    /// What a socket has written up to that position of the feed.
    pub(super) fn wrote(&self, socket: &Socket, frames: u64, position: u64) {
        socket.sent.fetch_add(frames, Ordering::Relaxed);
        socket.position.store(position, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.progress.notify_waiters();
        }
    }

    /// Waits until every open socket has written everything up to the position, but for those that stand still for as
    /// long as `stalls` allows. Safe to cancel: what was seen of them is kept there.
    pub(super) async fn written(&self, position: u64, stalls: &mut Stalls) {
        let _waits = Waits::on(&self.waiting);
        let sockets = self.all();
        stalls.keep_only(&sockets);
        let lagging: Vec<_> = sockets.iter().filter(|socket| stalls.is_lagging(socket, position)).collect();
        for socket in lagging {
            loop {
                let progress = self.progress.notified();
                if !stalls.is_lagging(socket, position) {
                    break;
                }
                let Some(give_up) = stalls.give_up(socket) else { break };
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
