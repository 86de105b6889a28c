//! One open socket: what its own task shares with the fan-out and the world's task.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use indexmap::IndexSet;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::audience::{Audience, Coverage, Memberships};
use super::changed_rows::Span;
use super::delegation::Delegation;
use super::feed::{Cursor, EncodedBatch, MAX_BATCH_ITEMS};
use super::unknown_collections::is_reserved_collection;
use crate::engine::{Closing, FaultMember, SocketFault};
use crate::scenario::Effect;

/// Where a socket's bytes go. There is a connection behind it; a world knows no network.
pub trait FrameSink: fmt::Debug + Send + Sync {
    /// Takes what it can without waiting, and gives how many bytes that is.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it can take nothing now; anything else if it never will again.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Whether it takes what keeps a quiet connection alive: a ping, or a heartbeat.
    fn takes_pings(&self) -> bool {
        true
    }
}

/// How the server closes a socket. A stream, which has no code, simply ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SocketClose {
    /// The close code (RFC 6455, 7.4).
    pub code: u16,
    /// The reason.
    pub reason: Arc<str>,
}

/// What a socket is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketKind {
    /// It gets the counters of a collection.
    Collection,
    /// It is an answer that goes on, to a request for that path.
    Stream(Arc<str>),
    /// It is of an endpoint that the scenario declares, by that path.
    Endpoint(Arc<str>),
}

impl SocketClose {
    /// How a rule closes it.
    pub(super) fn of(closing: Option<&Closing>) -> Self {
        closing.map_or_else(Self::default, |Closing { code, reason }| Self { code: *code, reason: reason.clone() })
    }
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Socket {
    /// The cursor, while its task has delegated it. The box is there for the few sockets that do not take everything.
    pub(super) delegation: Delegation<Cursor, Box<EncodedBatch>>,
    /// Where its bytes go, once its connection is there.
    pub(super) sink: OnceLock<Arc<dyn FrameSink>>,
    pub(super) id: u64,
    /// The position in the feed up to which everything was written, or further if the fan-out has the cursor: it passes by
    /// the socket where nothing is for it.
    position: AtomicU64,
    /// Up to where the fan-out has handed everything out, to all sockets.
    handed_out: Arc<AtomicU64>,
    pub(super) sent: AtomicU64,
    pub(super) gone: AtomicBool,
    /// Whether it has had a collection that is not reserved.
    recorded: AtomicBool,
    /// The world's time when it was opened.
    pub(super) opened: Duration,
    pub(super) since: Instant,
    collection: Mutex<Arc<str>>,
    memberships: Mutex<Memberships>,
    pub(super) received: AtomicU64,
    /// Frames from its client that wait for the world's task.
    pub(super) queued_frames: AtomicU32,
    pub(super) kind: SocketKind,
    /// The position in the feed after the last item that is for it alone, or for all whatever they have joined.
    direct: AtomicU64,
    /// The position in the feed from which its task has read last.
    read_from: AtomicU64,
    /// How often it was so far behind that it got current values instead.
    pub(super) caught_up: AtomicU64,
    /// What few sockets have.
    special: Mutex<Option<Box<Special>>>,
    /// Wakes its task: it is to be closed, or the fan-out could not write everything.
    pub(super) wake: Notify,
}

/// What is to become of a socket, and what goes wrong with it.
#[derive(Debug, Default)]
struct Special {
    closing: Option<SocketClose>,
    is_reset: bool,
    /// The position in the feed at which it is closed or reset: what comes from there on is not for it.
    end: Option<u64>,
    is_pinged: bool,
    /// Those that hit it, as its world has it.
    faults: Option<Arc<[SocketFault]>>,
    /// Changes of them that its task has not followed yet, in order.
    transitions: VecDeque<FaultTransition>,
}

/// Other faults hit a socket.
#[derive(Debug)]
struct FaultTransition {
    /// The position in the feed from which on they do.
    from: u64,
    faults: Arc<[SocketFault]>,
}

impl Special {
    /// Whether a fault hits the socket, or has until just now.
    fn is_faulted(&self) -> bool {
        self.faults.is_some() || !self.transitions.is_empty()
    }
}

impl Socket {
    /// One that is opened at that time, with everything written up to that position of the feed.
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
            special: Mutex::new(None),
            sink: OnceLock::new(),
            delegation: Delegation::new(),
            wake: Notify::new(),
        }
    }

    /// The same as another kind.
    pub(super) fn of_kind(self, kind: SocketKind) -> Self {
        Self { kind, ..self }
    }

    /// Whether it is an answer that goes on.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.kind, SocketKind::Stream(_))
    }

    /// Whether rules decide what it gets, so that there is no telling what its frames were made of.
    pub(super) fn is_of_rules(&self) -> bool {
        matches!(self.kind, SocketKind::Stream(_) | SocketKind::Endpoint(_))
    }

    /// The path that it was opened with, if it is of an endpoint that the scenario declares.
    pub(super) fn endpoint_path(&self) -> Option<Arc<str>> {
        if let SocketKind::Endpoint(path) = &self.kind { Some(path.clone()) } else { None }
    }

    pub(super) fn collection(&self) -> Arc<str> {
        lock(&self.collection).clone()
    }

    /// What faults look at.
    pub(super) fn fault_member(&self) -> FaultMember {
        match &self.kind {
            SocketKind::Stream(path) => FaultMember::Stream { path: path.clone() },
            SocketKind::Endpoint(path) => FaultMember::Endpoint { path: path.clone() },
            SocketKind::Collection => FaultMember::Socket { collection: self.collection() },
        }
    }

    pub(super) fn set_collection(&self, collection: Arc<str>) {
        if !is_reserved_collection(&collection) {
            self.recorded.store(true, Ordering::Relaxed);
        }
        *lock(&self.collection) = collection;
    }

    /// Whether the journal has entries of it: from the first collection on that is not reserved.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Relaxed)
    }

    /// How the server closes it, if it does.
    pub(super) fn closing(&self) -> Option<SocketClose> {
        lock(&self.special).as_ref()?.closing.clone()
    }

    /// Closes it after what is published up to that position of the feed.
    pub(super) fn close(&self, close: SocketClose, end: u64) {
        self.change_course(|special| {
            special.closing.get_or_insert(close);
            special.end.get_or_insert(end);
        });
    }

    /// Whether it is to be reset (RFC 9293, 3.5.2).
    pub(super) fn is_reset(&self) -> bool {
        lock(&self.special).as_ref().is_some_and(|special| special.is_reset)
    }

    /// Resets it after what is published up to that position of the feed.
    pub(super) fn reset(&self, end: u64) {
        self.change_course(|special| {
            special.is_reset = true;
            special.end.get_or_insert(end);
        });
    }

    /// The position in the feed at which it ends: what is published from there on is not for it.
    pub(super) fn end(&self) -> u64 {
        lock(&self.special).as_ref().and_then(|special| special.end).unwrap_or(u64::MAX)
    }

    /// Whether it has not written everything up to that position of the feed, as far as that is for it.
    pub(super) fn is_behind(&self, position: u64) -> bool {
        let written = self.written();
        written < position && written < self.end()
    }

    /// The position in the feed up to which it has everything.
    pub(super) fn written(&self) -> u64 {
        // Before the rest: to rest again after a pass that it was not part of, it has to have everything of that pass.
        let handed_out = self.handed_out.load(Ordering::SeqCst);
        let written = self.position.load(Ordering::SeqCst);
        if self.delegation.is_at_rest() { written.max(handed_out) } else { written }
    }

    /// Notes that it has everything up to that position.
    pub(super) fn set_written(&self, position: u64) {
        // It never goes back.
        self.position.fetch_max(position, Ordering::SeqCst);
    }

    /// Notes where in the feed the last item ends that is for it whatever it has joined.
    pub(super) fn note_direct(&self, position: u64) {
        self.direct.fetch_max(position, Ordering::SeqCst);
    }

    /// Whether something is for it in the feed from a position on that it gets whatever it has joined.
    pub(super) fn has_direct_from(&self, position: u64) -> bool {
        self.direct.load(Ordering::SeqCst) > position
    }

    /// Notes that its task reads the feed from that position on, or goes on there.
    pub(super) fn reads_from(&self, position: u64) {
        self.read_from.fetch_max(position, Ordering::SeqCst);
    }

    /// Where its cursor may be: its task and the fan-out read one batch at a time, from what is written or was read.
    pub(super) fn span(&self) -> Span {
        let from = self.written();
        let read_from = self.read_from.load(Ordering::SeqCst).max(from);
        Span { from, to: read_from + MAX_BATCH_ITEMS as u64 }
    }

    /// Takes its cursor back from the fan-out, with what that has not written; `None` if it is not delegated.
    pub(super) fn reclaim(&self) -> Option<(Cursor, Box<EncodedBatch>)> {
        self.delegation.reclaim(|cursor| self.advance(cursor))
    }

    /// What the fan-out has handed out without coming by was not for this socket.
    fn advance(&self, cursor: &mut Cursor) {
        cursor.position = cursor.position.max(self.handed_out.load(Ordering::SeqCst));
        self.set_written(cursor.position);
    }

    /// Changes what it has joined.
    pub(super) fn with_memberships<T>(&self, change: impl FnOnce(&mut Memberships) -> T) -> T {
        change(&mut lock(&self.memberships))
    }

    /// How much is for it of the items for an audience, from a position up to another.
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

    /// The indices of the audiences that it is in, from a position up to another. Gives whether it is in one of them for a
    /// part of that.
    pub(super) fn find_audiences(
        &self,
        audiences: &IndexSet<Audience>,
        from: u64,
        to: u64,
        into: &mut Vec<usize>,
    ) -> bool {
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

    /// The position in the feed from which on other faults hit it than those that its task has followed.
    pub(super) fn next_transition(&self) -> Option<u64> {
        Some(lock(&self.special).as_ref()?.transitions.front()?.from)
    }

    /// The faults that hit it from the next transition on; the transition counts as followed.
    pub(super) fn take_transition(&self) -> Option<Arc<[SocketFault]>> {
        Some(lock(&self.special).as_mut()?.transitions.pop_front()?.faults)
    }

    /// Has its task ping, if the fan-out cannot because a fault hits it.
    pub(super) fn ask_for_ping(&self) {
        if self.is_faulted() {
            self.change_special(|special| special.is_pinged = true);
        }
    }

    /// Whether its task is to ping, once.
    pub(super) fn takes_ping(&self) -> bool {
        lock(&self.special).as_mut().is_some_and(|special| std::mem::take(&mut special.is_pinged))
    }

    /// Whether it is to end, or a fault hits it.
    pub(super) fn is_special(&self) -> bool {
        let is_special = |special: &Special| special.end.is_some() || special.is_faulted();
        lock(&self.special).as_deref().is_some_and(is_special)
    }

    pub(super) fn is_faulted(&self) -> bool {
        lock(&self.special).as_deref().is_some_and(Special::is_faulted)
    }

    /// Whether a fault keeps it from writing anything.
    pub(super) fn is_frozen(&self) -> bool {
        let special = lock(&self.special);
        let faults = special.as_ref().and_then(|special| special.faults.as_deref()).unwrap_or_default();
        faults.iter().any(|fault| *fault.fault.effect() == Effect::Freeze)
    }

    /// Has these faults hit what is published from that position of the feed on.
    pub(super) fn set_faults(&self, faults: Arc<[SocketFault]>, from: u64) {
        let hit = Some(faults.clone()).filter(|faults| !faults.is_empty());
        let is_same = lock(&self.special).as_ref().map_or(hit.is_none(), |special| special.faults == hit);
        if !is_same {
            self.change_course(|special| {
                special.faults = hit;
                special.transitions.push_back(FaultTransition { from, faults });
            });
        }
    }

    /// Leaves to its task what the fan-out has not handed out to it yet.
    pub(super) fn leave_to_task(&self) {
        self.delegation.park(|cursor| self.advance(cursor));
        self.wake.notify_one();
    }

    /// Changes something, and wakes its task.
    fn change_special(&self, change: impl FnOnce(&mut Special)) {
        change(lock(&self.special).get_or_insert_default());
        self.wake.notify_one();
    }

    /// Changes what becomes of it from here on: nothing that is published later is left to the fan-out.
    fn change_course(&self, change: impl FnOnce(&mut Special)) {
        change(lock(&self.special).get_or_insert_default());
        self.leave_to_task();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
