//! The cursor of a socket, which its task delegates to the fan-out and reclaims: at any moment one of the two has it, and only
//! that one writes to the socket.
//!
//! The fan-out passes by a socket for which there is nothing, so a delegated cursor may be behind what is handed out. Once it is
//! reclaimed or left to its task, it is advanced to there: what lies between was not for the socket.
//!
//! This file knows nothing of feeds and sockets, so that a model checker can run it as it is (`tests/model.rs`).

use super::sync::{Mutex, MutexGuard, PoisonError};

/// A cursor `C` and what the fan-out could not write, `P`, while the fan-out has them.
#[derive(Debug)]
pub(super) struct Delegation<C, P>(Mutex<Option<Delegated<C, P>>>);

#[derive(Debug)]
struct Delegated<C, P> {
    cursor: C,
    /// Set once the fan-out is to leave the socket to its task, with what it has not written.
    pending: Option<P>,
}

/// What the fan-out did for a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Everything is written.
    Done,
    /// Something is left to the socket's task, which has to be woken.
    Parked,
    /// Nothing: the socket's task has the cursor, or is about to reclaim it.
    Skipped {
        /// Whether the cursor is delegated.
        is_delegated: bool,
    },
}

impl<C, P: Default> Delegation<C, P> {
    /// A socket whose task has the cursor.
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Delegates the cursor unless something is left to do for the task, and gives it back then. What is left is looked at
    /// under the lock: whatever is published or asked for from there on finds the cursor delegated.
    pub(super) fn delegate(&self, cursor: C, is_up_to_date: impl FnOnce(&C) -> bool) -> Result<(), C> {
        let mut delegated = self.lock();
        if !is_up_to_date(&cursor) {
            return Err(cursor);
        }
        *delegated = Some(Delegated { cursor, pending: None });
        Ok(())
    }

    /// Takes the cursor back, with what the fan-out has not written; `None` if it is not delegated. `advance` has the cursor
    /// follow what is handed out.
    pub(super) fn reclaim(&self, advance: impl FnOnce(&mut C)) -> Option<(C, P)> {
        let mut delegated = self.lock();
        let Delegated { mut cursor, pending } = delegated.take()?;
        if pending.is_none() {
            // Under the lock: nothing is handed out to the socket meanwhile.
            advance(&mut cursor);
        }
        Some((cursor, pending.unwrap_or_default()))
    }

    /// Has the fan-out leave the socket to its task from here on. The task has to be woken. `advance` is as in
    /// [`Delegation::reclaim`].
    pub(super) fn park(&self, advance: impl FnOnce(&mut C)) {
        if let Some(Delegated { cursor, pending: pending @ None }) = self.lock().as_mut() {
            advance(cursor);
            *pending = Some(P::default());
        }
    }

    /// Whether the fan-out has the cursor, and nothing is left to the task.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(*self.lock(), Some(Delegated { pending: None, .. }))
    }

    /// Lets the fan-out write, if it has the cursor and nothing is left to the task. `write` gives what it could not write.
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
