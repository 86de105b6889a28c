//! One open socket, as far as others than its own task have to do with it.

use std::collections::VecDeque;
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
use crate::scenario::Effect;

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
    pub(super) gone: AtomicBool,
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
    /// The position in the feed at which it is closed or reset: what comes from there on is not for it.
    end: Option<u64>,
    is_pinged: bool,
    /// Those that hit it, as its world has it.
    faults: Option<Arc<[SocketFault]>>,
    /// Changes of them that its task has not followed yet, in order.
    turns: VecDeque<Turn>,
}

/// Other faults hit a socket.
#[derive(Debug)]
struct Turn {
    /// The position in the feed from which on they do.
    from: u64,
    faults: Arc<[SocketFault]>,
}

impl Special {
    /// Whether a fault hits the socket, or has until just now.
    fn is_faulted(&self) -> bool {
        self.faults.is_some() || !self.turns.is_empty()
    }
}

impl Socket {
    /// One that is opened at that time, with everything written up to that position of the feed.
    pub(super) fn new(id: u64, category: Arc<str>, opened: Duration, position: u64) -> Self {
        Self {
            id,
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
        }
    }

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

    /// Has it be closed with what was published up to that position of the feed.
    pub(super) fn set_closing(&self, code: CloseCode, reason: &str, end: u64) {
        let close = || CloseFrame { code, reason: Utf8Bytes::from(reason) };
        self.turn(|special| {
            special.closing.get_or_insert_with(close);
            special.end.get_or_insert(end);
        });
    }

    /// Whether it is to be reset (RFC 9293, 3.5.2).
    pub(super) fn is_reset(&self) -> bool {
        lock(&self.special).as_ref().is_some_and(|special| special.is_reset)
    }

    /// Has it be reset with what was published up to that position of the feed.
    pub(super) fn set_reset(&self, end: u64) {
        self.turn(|special| {
            special.is_reset = true;
            special.end.get_or_insert(end);
        });
    }

    /// The position in the feed up to which it gets what is there.
    pub(super) fn end(&self) -> u64 {
        lock(&self.special).as_ref().and_then(|special| special.end).unwrap_or(u64::MAX)
    }

    /// Whether it has not written everything up to that position of the feed, as far as that is for it.
    pub(super) fn is_behind(&self, position: u64) -> bool {
        let written = self.position.load(Ordering::SeqCst);
        written < position && written < self.end()
    }

    /// The position in the feed from which on other faults hit it than those that its task has followed.
    pub(super) fn next_turn(&self) -> Option<u64> {
        Some(lock(&self.special).as_ref()?.turns.front()?.from)
    }

    /// The faults that hit it from the next turn on, which is followed by that.
    pub(super) fn take_turn(&self) -> Option<Arc<[SocketFault]>> {
        Some(lock(&self.special).as_mut()?.turns.pop_front()?.faults)
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
            self.turn(|special| {
                special.faults = hit;
                special.turns.push_back(Turn { from, faults });
            });
        }
    }

    /// Changes something, and tells its task of it.
    fn change_special(&self, change: impl FnOnce(&mut Special)) {
        change(lock(&self.special).get_or_insert_default());
        self.told.notify_one();
    }

    /// Changes what is to become of it from here on: nothing that is published later is left to the fan-out.
    fn turn(&self, change: impl FnOnce(&mut Special)) {
        self.change_special(change);
        if let Some(lent) = self.lent().as_mut() {
            lent.rest.get_or_insert_default();
        }
    }

    pub(super) fn lent(&self) -> MutexGuard<'_, Option<Lent>> {
        lock(&self.lent)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
