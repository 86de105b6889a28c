//! One open socket, as far as others than its own task have to do with it.

use std::sync::atomic::{AtomicBool, AtomicU64};
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
    is_pinged: bool,
    faults: Option<Arc<[SocketFault]>>,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
