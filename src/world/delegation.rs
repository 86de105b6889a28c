//! Ownership of a socket's cursor. The socket's task delegates the cursor to the fan-out and reclaims it. At any moment
//! exactly one of the two owns the cursor, and only the owner writes to the socket.
//!
//! The fan-out skips sockets that a batch is not for, so a delegated cursor may lag behind the position that is handed
//! out. It is advanced to that position when it is reclaimed or parked: the skipped items were not for the socket.
//!
//! This file does not depend on feeds or sockets, so that a model checker can run it unchanged (`tests/model.rs`).

use super::sync::{Mutex, MutexGuard, PoisonError};

/// A cursor `C` and its unwritten output `P`, while the fan-out owns them.
#[derive(Debug)]
pub(super) struct Delegation<C, P>(Mutex<Option<Delegated<C, P>>>);

#[derive(Debug)]
struct Delegated<C, P> {
    cursor: C,
    /// Set once the socket is parked: the output that is left to the socket's task.
    pending: Option<P>,
}

/// The result of serving a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Everything was written.
    Done,
    /// Output is left to the socket's task, which has to be woken.
    Parked,
    /// Nothing was written: the socket's task owns the cursor, or is about to reclaim it.
    Skipped {
        /// Whether the cursor is delegated.
        is_delegated: bool,
    },
}

impl<C, P: Default> Delegation<C, P> {
    /// Creates a delegation whose cursor is owned by the socket's task.
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Delegates the cursor, or returns it if the task still has work to do. The check runs under the lock, so anything
    /// published or requested after it finds the cursor delegated.
    pub(super) fn delegate(&self, cursor: C, is_up_to_date: impl FnOnce(&C) -> bool) -> Result<(), C> {
        let mut delegated = self.lock();
        if !is_up_to_date(&cursor) {
            return Err(cursor);
        }
        *delegated = Some(Delegated { cursor, pending: None });
        Ok(())
    }

    /// Reclaims the cursor and its unwritten output; `None` if the cursor is not delegated. `advance` moves the cursor
    /// to the position that is handed out.
    pub(super) fn reclaim(&self, advance: impl FnOnce(&mut C)) -> Option<(C, P)> {
        let mut delegated = self.lock();
        let Delegated { mut cursor, pending } = delegated.take()?;
        if pending.is_none() {
            // Still under the lock, so nothing is handed out to the socket meanwhile.
            advance(&mut cursor);
        }
        Some((cursor, pending.unwrap_or_default()))
    }

    /// Parks the socket: the fan-out leaves it to its task from here on. The caller has to wake the task. `advance` is
    /// as in [`Delegation::reclaim`].
    pub(super) fn park(&self, advance: impl FnOnce(&mut C)) {
        if let Some(Delegated { cursor, pending: pending @ None }) = self.lock().as_mut() {
            advance(cursor);
            *pending = Some(P::default());
        }
    }

    /// Returns whether the cursor is delegated and nothing is left to the task.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(*self.lock(), Some(Delegated { pending: None, .. }))
    }

    /// Lets the fan-out write if it owns the cursor and the socket is not parked. `write` returns the output that it
    /// could not write.
    pub(super) fn serve(&self, write: impl FnOnce(&mut C) -> Option<P>) -> Served {
        match self.lock().as_mut() {
            None => Served::Skipped { is_delegated: false },
            Some(Delegated { pending: Some(_), .. }) => Served::Skipped { is_delegated: true },
            Some(Delegated { cursor, pending }) => {
                *pending = write(cursor);
                if pending.is_none() { Served::Done } else { Served::Parked }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Delegated<C, P>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
