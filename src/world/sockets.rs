//! The open sockets of a world: who they are, how far they are, and which of them are to be closed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tungstenite::Utf8Bytes;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use super::fanout::{Lent, Outlet};
use crate::engine::SocketFault;

/// An open socket. In the given order, so that what is needed to write to it is close together: with thousands of sockets,
/// every further line of memory is read anew each time, and adds 2 % to a delivery.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Socket {
    /// What the fan-out needs, while its task has lent that.
    lent: Mutex<Option<Lent>>,
    /// Where its bytes go, once its connection is there.
    pub(super) outlet: OnceLock<Arc<dyn Outlet>>,
    pub(super) id: u64,
    /// The position in the feed up to which everything was written.
    pub(super) position: AtomicU64,
    pub(super) sent: AtomicU64,
    gone: AtomicBool,
    /// The world's time when it was opened.
    pub(super) opened: Duration,
    pub(super) since: Instant,
    category: Mutex<Arc<str>>,
    pub(super) received: AtomicU64,
    /// How often it was so far behind that it got current totals instead.
    pub(super) caught_up: AtomicU64,
    /// What few sockets have.
    special: Mutex<Option<Box<Special>>>,
    /// Tells its task to see to it: it is to be closed, or the fan-out could not write everything.
    pub(super) told: Notify,
}

/// What is to become of a socket, and what goes wrong with it.
#[derive(Debug, Default)]
struct Special {
    closing: Option<CloseFrame>,
    is_reset: bool,
    is_pinged: bool,
    faults: Option<Arc<[SocketFault]>>,
}

impl Socket {
    pub(super) fn category(&self) -> Arc<str> {
        lock(&self.category).clone()
    }

    pub(super) fn set_category(&self, category: Arc<str>) {
        *lock(&self.category) = category;
    }

    /// The closing frame that it is to end with, if it is to.
    pub(super) fn closing(&self) -> Option<CloseFrame> {
        lock(&self.special).as_ref()?.closing.clone()
    }

    pub(super) fn set_closing(&self, code: CloseCode, reason: &str) {
        let close = || CloseFrame { code, reason: Utf8Bytes::from(reason) };
        self.with_special(|special| {
            special.closing.get_or_insert_with(close);
        });
    }

    /// Whether it is to be reset (RFC 9293, 3.5.2).
    pub(super) fn is_reset(&self) -> bool {
        lock(&self.special).as_ref().is_some_and(|special| special.is_reset)
    }

    pub(super) fn set_reset(&self) {
        self.with_special(|special| special.is_reset = true);
    }

    /// The faults that hit it.
    pub(super) fn faults(&self) -> Option<Arc<[SocketFault]>> {
        lock(&self.special).as_ref()?.faults.clone()
    }

    /// Has its task ping, if the fan-out cannot because a fault hits it.
    pub(super) fn ask_for_ping(&self) {
        if self.is_faulted() {
            self.with_special(|special| special.is_pinged = true);
        }
    }

    /// Whether its task is to ping, once.
    pub(super) fn takes_ping(&self) -> bool {
        lock(&self.special).as_mut().is_some_and(|special| std::mem::take(&mut special.is_pinged))
    }

    /// Whether it is to end, or a fault hits it.
    pub(super) fn is_special(&self) -> bool {
        let is_special = |special: &Special| special.closing.is_some() || special.is_reset || special.faults.is_some();
        lock(&self.special).as_deref().is_some_and(is_special)
    }

    pub(super) fn is_faulted(&self) -> bool {
        lock(&self.special).as_ref().is_some_and(|special| special.faults.is_some())
    }

    pub(super) fn set_faults(&self, faults: Arc<[SocketFault]>) {
        let faults = Some(faults).filter(|faults| !faults.is_empty());
        if faults != self.faults() {
            self.with_special(|special| special.faults = faults);
        }
    }

    /// Changes something, and tells its task of it.
    fn with_special(&self, change: impl FnOnce(&mut Special)) {
        change(lock(&self.special).get_or_insert_default());
        self.told.notify_one();
    }

    pub(super) fn lent(&self) -> MutexGuard<'_, Option<Lent>> {
        lock(&self.lent)
    }
}

/// How long a socket may write nothing before it is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where sockets that lag were seen last, and since when they stand there.
#[derive(Debug, Default)]
pub(super) struct Stalls(HashMap<u64, (u64, Instant)>);

impl Stalls {
    /// Whether there is something to wait for; remembers where it is, if so.
    fn is_lagging(&mut self, socket: &Socket, position: u64) -> bool {
        let written = socket.position.load(Ordering::SeqCst);
        // One that a fault hits is late on purpose.
        if written >= position || socket.gone.load(Ordering::SeqCst) || socket.is_faulted() {
            self.0.remove(&socket.id);
            return false;
        }
        let seen = self.0.entry(socket.id).or_insert_with(|| (written, Instant::now()));
        if seen.0 != written {
            *seen = (written, Instant::now());
        }
        true
    }

    /// Until when to wait for it; `None` if it stands still for too long already.
    fn give_up(&self, socket: &Socket) -> Option<Instant> {
        let (_, since) = self.0.get(&socket.id)?;
        Some(*since + PATIENCE).filter(|give_up| *give_up > Instant::now())
    }
}

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
    is_awaited: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    sockets: BTreeMap<u64, Arc<Socket>>,
    /// Made on demand, void when a socket comes, goes or switches.
    audiences: HashMap<Audience, Arc<[u64]>>,
}

impl Sockets {
    pub(super) fn open(&self, category: Arc<str>, opened: Duration, position: u64) -> Arc<Socket> {
        let mut open = lock(&self.open);
        open.last_id += 1;
        let socket = Arc::new(Socket {
            id: open.last_id,
            opened,
            since: Instant::now(),
            category: Mutex::new(category),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            caught_up: AtomicU64::new(0),
            position: AtomicU64::new(position),
            gone: AtomicBool::new(false),
            special: Mutex::new(None),
            outlet: OnceLock::new(),
            lent: Mutex::new(None),
            told: Notify::new(),
        });
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
            Audience::Category(category) => *lock(&socket.category) == *category,
        };
        let ids: Arc<[u64]> = open.sockets.values().filter(is_in).map(|socket| socket.id).collect();
        open.audiences.insert(audience.clone(), ids.clone());
        ids
    }

    /// Asks one socket, or all, to close; gives those that were asked.
    pub(super) fn close(&self, id: Option<u64>, code: CloseCode, reason: &str) -> Vec<Arc<Socket>> {
        let asked: Vec<_> = self.all().into_iter().filter(|socket| id.is_none_or(|id| id == socket.id)).collect();
        for socket in &asked {
            socket.set_closing(code, reason);
        }
        asked
    }

    /// Has one socket be reset.
    pub(super) fn reset(&self, id: u64) {
        if let Some(socket) = self.get(id) {
            socket.set_reset();
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
        if self.is_awaited.load(Ordering::SeqCst) {
            self.progress.notify_waiters();
        }
    }

    /// Waits until every open socket has written everything up to the position, but for those that stand still for as
    /// long as `stalls` allows. Safe to cancel: what was seen of them is kept there.
    pub(super) async fn written(&self, position: u64, stalls: &mut Stalls) {
        self.is_awaited.store(true, Ordering::SeqCst);
        let sockets = self.all();
        if !stalls.0.is_empty() {
            let open: HashSet<u64> = sockets.iter().map(|socket| socket.id).collect();
            stalls.0.retain(|id, _| open.contains(id));
        }
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
        self.is_awaited.store(false, Ordering::SeqCst);
    }

    /// Those that have not written everything up to the position.
    pub(super) fn behind(&self, position: u64) -> Vec<u64> {
        let behind = |socket: &&Arc<Socket>| socket.position.load(Ordering::SeqCst) < position;
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
