//! The state of an open socket that its own task shares with the fan-out and the world's task.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::audience::{Audience, Audiences, Coverage, Memberships};
use super::changed_rows::Span;
use super::delegation::Delegation;
use super::feed::{Cursor, EncodedBatch, MAX_BATCH_ITEMS};
use super::journal::MemberPath;
use super::unknown_collections::is_reserved_collection;
use crate::engine::{Closing, FaultMember, SocketFault};
use crate::scenario::Effect;

/// The destination of a socket's bytes. A world is independent of the network; the connection is behind this trait.
pub trait FrameSink: fmt::Debug + Send + Sync {
    /// Writes as many bytes as it can without waiting, and returns their number.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing can be written now; any other error if nothing can be written ever
    /// again.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns whether the sink accepts pings or heartbeats, which keep a quiet connection alive.
    fn takes_pings(&self) -> bool {
        true
    }
}

/// How the server closes a socket. A stream has no close code and simply ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SocketClose {
    /// The close code (RFC 6455, 7.4).
    pub code: u16,
    /// The close reason.
    pub reason: Arc<str>,
}

/// The kind of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketKind {
    /// Receives the counters of a collection.
    Collection,
    /// A streaming response to a request for this path.
    Stream(Arc<str>),
    /// A socket of an endpoint that the scenario declares.
    Endpoint {
        /// The requested path.
        path: Arc<str>,
        /// The endpoint's key.
        endpoint: Arc<str>,
    },
}

impl SocketClose {
    /// Creates a close as a rule requests it.
    pub(super) fn of(closing: Option<&Closing>) -> Self {
        closing.map_or_else(Self::default, |Closing { code, reason, .. }| Self { code: *code, reason: reason.clone() })
    }
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Socket {
    /// The cursor, while the task has delegated it. The output is boxed because few sockets fail to take everything.
    pub(super) delegation: Delegation<Cursor, Box<EncodedBatch>>,
    /// The destination of the socket's bytes, once its connection is set up.
    pub(super) sink: OnceLock<Arc<dyn FrameSink>>,
    pub(super) id: u64,
    /// The feed position up to which everything is written. While the fan-out owns the cursor, the actual position may
    /// be further: the fan-out skips sockets that a batch is not for.
    position: AtomicU64,
    /// The feed position up to which the fan-out has handed out everything, to all sockets.
    handed_out: Arc<AtomicU64>,
    pub(super) sent: AtomicU64,
    pub(super) gone: AtomicBool,
    /// Whether the socket has ever had a collection that is not reserved.
    recorded: AtomicBool,
    /// Whether the journal has the socket's end.
    end_recorded: AtomicBool,
    /// When the socket was opened, in the world's time.
    pub(super) opened: Duration,
    pub(super) since: Instant,
    collection: Mutex<Arc<str>>,
    memberships: Mutex<Memberships>,
    pub(super) received: AtomicU64,
    /// Frames from the client that are queued for the world's task.
    pub(super) queued_frames: AtomicU32,
    pub(super) kind: SocketKind,
    /// The feed position after the last item that the socket receives whatever topics it has joined.
    direct: AtomicU64,
    /// The feed position from which the task has read last.
    read_from: AtomicU64,
    /// How often the socket was so far behind that it received current values instead.
    pub(super) caught_up: AtomicU64,
    /// State that only a few sockets need.
    special: OnceLock<Box<Mutex<Special>>>,
    /// Wakes the socket's task when the socket is to be closed, or when the fan-out could not write everything.
    pub(super) wake: Notify,
}

/// State of a socket that is to end, or that faults hit.
#[derive(Debug, Default)]
struct Special {
    closing: Option<SocketClose>,
    is_reset: bool,
    /// The feed position at which the socket is closed or reset; later items are not for it.
    end: Option<u64>,
    is_pinged: bool,
    /// The faults that hit the socket, as its world sees it.
    faults: Option<Arc<[SocketFault]>>,
    /// Changes of faults that the task has not followed yet, in order.
    transitions: VecDeque<FaultTransition>,
}

/// A change of the faults that hit a socket.
#[derive(Debug)]
struct FaultTransition {
    /// The feed position from which the faults apply.
    from: u64,
    faults: Arc<[SocketFault]>,
}

impl Special {
    /// Returns whether a fault hits the socket, or did until the latest transition.
    fn is_faulted(&self) -> bool {
        self.faults.is_some() || !self.transitions.is_empty()
    }
}

impl Socket {
    /// Creates a socket that is opened at this time and has reached this feed position.
    pub(super) fn new(
        id: u64,
        collection: Arc<str>,
        opened: Duration,
        position: u64,
        handed_out: Arc<AtomicU64>,
    ) -> Self {
        Self {
            id,
            recorded: AtomicBool::new(!is_reserved_collection(&collection)),
            end_recorded: AtomicBool::new(false),
            opened,
            since: Instant::now(),
            collection: Mutex::new(collection),
            memberships: Mutex::default(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            queued_frames: AtomicU32::new(0),
            kind: SocketKind::Collection,
            direct: AtomicU64::new(0),
            read_from: AtomicU64::new(position),
            caught_up: AtomicU64::new(0),
            position: AtomicU64::new(position),
            handed_out,
            gone: AtomicBool::new(false),
            special: OnceLock::new(),
            sink: OnceLock::new(),
            delegation: Delegation::new(),
            wake: Notify::new(),
        }
    }

    /// Returns the socket with another kind.
    pub(super) fn of_kind(self, kind: SocketKind) -> Self {
        Self { kind, ..self }
    }

    /// Returns whether the socket is a streaming response.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.kind, SocketKind::Stream(_))
    }

    /// Returns whether rules decide what the socket receives, in which case its frames cannot be reconstructed from the
    /// world's state.
    pub(super) fn is_rule_driven(&self) -> bool {
        matches!(self.kind, SocketKind::Stream(_) | SocketKind::Endpoint { .. })
    }

    /// Returns the path that the socket was opened at; `None` if it is not of an endpoint that the scenario declares.
    pub(super) fn endpoint_path(&self) -> Option<Arc<str>> {
        if let SocketKind::Endpoint { path, .. } = &self.kind { Some(path.clone()) } else { None }
    }

    /// Returns where the socket was opened; `None` for a socket of a collection.
    pub(super) fn member_path(&self) -> Option<MemberPath> {
        match &self.kind {
            SocketKind::Collection => None,
            SocketKind::Stream(path) => Some(MemberPath { path: path.clone(), endpoint: None }),
            SocketKind::Endpoint { path, endpoint } => {
                Some(MemberPath { path: path.clone(), endpoint: Some(endpoint.clone()) })
            }
        }
    }

    pub(super) fn collection(&self) -> Arc<str> {
        lock(&self.collection).clone()
    }

    /// Returns the properties that faults match.
    pub(super) fn fault_member(&self) -> FaultMember {
        match &self.kind {
            SocketKind::Stream(path) => FaultMember::Stream { path: path.clone() },
            SocketKind::Endpoint { path, .. } => FaultMember::Endpoint { path: path.clone() },
            SocketKind::Collection => FaultMember::Socket { collection: self.collection() },
        }
    }

    pub(super) fn set_collection(&self, collection: Arc<str>) {
        if !is_reserved_collection(&collection) {
            self.recorded.store(true, Ordering::Relaxed);
        }
        *lock(&self.collection) = collection;
    }

    /// Returns whether the journal records the socket: it does from the first collection on that is not reserved.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Returns whether the caller is the one to record the socket's end in the journal.
    pub(super) fn take_end_record(&self) -> bool {
        self.is_recorded() && !self.end_recorded.swap(true, Ordering::Relaxed)
    }

    /// Returns how the server closes the socket; `None` if it does not.
    pub(super) fn closing(&self) -> Option<SocketClose> {
        self.special()?.closing.clone()
    }

    /// Closes the socket after the items before this feed position.
    pub(super) fn close(&self, close: SocketClose, end: u64) {
        self.change_course(|special| {
            special.closing.get_or_insert(close);
            special.end.get_or_insert(end);
        });
    }

    /// Returns whether the socket is to be reset (RFC 9293, 3.5.2).
    pub(super) fn is_reset(&self) -> bool {
        self.special().is_some_and(|special| special.is_reset)
    }

    /// Resets the socket after the items before this feed position.
    pub(super) fn reset(&self, end: u64) {
        self.change_course(|special| {
            special.is_reset = true;
            special.end.get_or_insert(end);
        });
    }

    /// Returns the feed position at which the socket ends; later items are not for it.
    pub(super) fn end(&self) -> u64 {
        self.special().and_then(|special| special.end).unwrap_or(u64::MAX)
    }

    /// Returns whether the socket has yet to write an item before this feed position.
    pub(super) fn is_behind(&self, position: u64) -> bool {
        let written = self.written();
        written < position && written < self.end()
    }

    /// Returns the feed position up to which the socket has everything.
    pub(super) fn written(&self) -> u64 {
        // Load this before checking `is_at_rest`. A socket that a pass skipped can only come to rest again once it has
        // everything from that pass.
        let handed_out = self.handed_out.load(Ordering::SeqCst);
        let written = self.position.load(Ordering::SeqCst);
        if self.delegation.is_at_rest() { written.max(handed_out) } else { written }
    }

    /// Records that the socket has everything up to this feed position.
    pub(super) fn set_written(&self, position: u64) {
        // Never move back.
        self.position.fetch_max(position, Ordering::SeqCst);
    }

    /// Records the feed position after an item that the socket receives whatever topics it has joined.
    pub(super) fn note_direct(&self, position: u64) {
        self.direct.fetch_max(position, Ordering::SeqCst);
    }

    /// Returns whether, from this feed position on, there is an item that the socket receives whatever topics it has
    /// joined.
    pub(super) fn has_direct_from(&self, position: u64) -> bool {
        self.direct.load(Ordering::SeqCst) > position
    }

    /// Records that the task reads the feed from this position on.
    pub(super) fn reads_from(&self, position: u64) {
        self.read_from.fetch_max(position, Ordering::SeqCst);
    }

    /// Returns the range of feed positions that the cursor may be in: the task and the fan-out read one batch at a
    /// time, from the position that is written or was last read.
    pub(super) fn span(&self) -> Span {
        let from = self.written();
        let read_from = self.read_from.load(Ordering::SeqCst).max(from);
        Span { from, to: read_from + MAX_BATCH_ITEMS as u64 }
    }

    /// Reclaims the cursor and its unwritten output from the fan-out; `None` if the cursor is not delegated.
    pub(super) fn reclaim(&self) -> Option<(Cursor, Box<EncodedBatch>)> {
        self.delegation.reclaim(|cursor| self.advance(cursor))
    }

    /// Advances the cursor past the items that the fan-out has handed out; they were not for this socket.
    fn advance(&self, cursor: &mut Cursor) {
        cursor.position = cursor.position.max(self.handed_out.load(Ordering::SeqCst));
        self.set_written(cursor.position);
    }

    /// Gives `change` access to the memberships.
    pub(super) fn with_memberships<T>(&self, change: impl FnOnce(&mut Memberships) -> T) -> T {
        change(&mut lock(&self.memberships))
    }

    /// Returns how much of the range of feed positions `from..to` is for the socket, among items for this audience.
    pub(super) fn coverage(&self, audience: &Audience, from: u64, to: u64) -> Coverage {
        self.coverage_by(&lock(&self.memberships), audience, from, to)
    }

    fn coverage_by(&self, memberships: &Memberships, audience: &Audience, from: u64, to: u64) -> Coverage {
        match audience {
            Audience::All => Coverage::Everything,
            Audience::One(id) if *id == self.id => Coverage::Everything,
            Audience::One(_) => Coverage::Nothing,
            Audience::Without { except, .. } if *except == self.id => Coverage::Nothing,
            Audience::Topic(_) | Audience::AnyOf(_) | Audience::Without { .. } | Audience::State(_) => {
                memberships.coverage(audience, from, to)
            }
        }
    }

    /// Collects the indices of the audiences that the socket is in for the whole range of feed positions `from..to`.
    /// Returns whether it is in one of them for a part of the range.
    pub(super) fn find_audiences(&self, audiences: &Audiences, from: u64, to: u64, into: &mut Vec<usize>) -> bool {
        let memberships = lock(&self.memberships);
        for (index, audience) in audiences.iter().enumerate() {
            match self.coverage_by(&memberships, audience, from, to) {
                Coverage::Everything => into.push(index),
                Coverage::Nothing => {}
                Coverage::Part => return true,
            }
        }
        false
    }

    /// Returns the feed position of the next fault transition that the task has not followed yet.
    pub(super) fn next_transition(&self) -> Option<u64> {
        Some(self.special()?.transitions.front()?.from)
    }

    /// Takes the next fault transition and returns the faults that hit the socket from there on.
    pub(super) fn take_transition(&self) -> Option<Arc<[SocketFault]>> {
        Some(self.special()?.transitions.pop_front()?.faults)
    }

    /// Asks the socket's task to ping if a fault hits the socket, because the fan-out cannot do it then.
    pub(super) fn ask_for_ping(&self) {
        if self.is_faulted() {
            self.change_special(|special| special.is_pinged = true);
        }
    }

    /// Takes the request to ping, and returns whether there was one.
    pub(super) fn takes_ping(&self) -> bool {
        self.special().is_some_and(|mut special| std::mem::take(&mut special.is_pinged))
    }

    /// Returns whether the socket is to end, or a fault hits it.
    pub(super) fn is_special(&self) -> bool {
        self.special().is_some_and(|special| special.end.is_some() || special.is_faulted())
    }

    pub(super) fn is_faulted(&self) -> bool {
        self.special().is_some_and(|special| special.is_faulted())
    }

    /// Returns whether a fault keeps the socket from writing anything.
    pub(super) fn is_frozen(&self) -> bool {
        let is_freezing = |fault: &SocketFault| *fault.fault.effect() == Effect::Freeze;
        self.special().is_some_and(|special| special.faults.iter().flat_map(|faults| &**faults).any(is_freezing))
    }

    /// Sets the faults that hit items from this feed position on.
    pub(super) fn set_faults(&self, faults: Arc<[SocketFault]>, from: u64) {
        let hit = Some(faults.clone()).filter(|faults| !faults.is_empty());
        let is_same = self.special().map_or(hit.is_none(), |special| special.faults == hit);
        if !is_same {
            self.change_course(|special| {
                special.faults = hit;
                special.transitions.push_back(FaultTransition { from, faults });
            });
        }
    }

    /// Parks the socket: its task writes what the fan-out has not handed out to it yet.
    pub(super) fn leave_to_task(&self) {
        self.delegation.park(|cursor| self.advance(cursor));
        self.wake.notify_one();
    }

    /// Returns the special state, if the socket has ever had any.
    fn special(&self) -> Option<MutexGuard<'_, Special>> {
        self.special.get().map(|special| lock(special))
    }

    /// Changes the special state and wakes the task.
    fn change_special(&self, change: impl FnOnce(&mut Special)) {
        change(&mut lock(self.special.get_or_init(Box::default)));
        self.wake.notify_one();
    }

    /// Changes how the socket continues or ends; from here on, its own task writes rather than the fan-out.
    fn change_course(&self, change: impl FnOnce(&mut Special)) {
        change(&mut lock(self.special.get_or_init(Box::default)));
        self.leave_to_task();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
