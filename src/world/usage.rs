//! Whether anybody uses a world: one that nobody uses for long is removed.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use tokio::time::Instant;

use super::World;

impl World {
    /// Notes that it is used.
    pub fn touch(&self) {
        *self.used() = Instant::now();
    }

    /// Since when nobody has used it; `None` while a socket is open or a request is at work.
    #[must_use]
    pub fn idle_since(&self) -> Option<Instant> {
        let is_unused = self.0.shared.users.load(Ordering::SeqCst) == 0 && self.sockets().len() == 0;
        is_unused.then(|| *self.used())
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.0.shared.end.is_cancelled()
    }

    /// It is in use for as long as this is held.
    pub(super) fn using(&self) -> Using<'_> {
        self.0.shared.users.fetch_add(1, Ordering::SeqCst);
        Using(self)
    }

    fn used(&self) -> MutexGuard<'_, Instant> {
        self.0.shared.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by whoever uses a world.
pub(super) struct Using<'w>(&'w World);

impl Drop for Using<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.0.shared.users.fetch_sub(1, Ordering::SeqCst);
    }
}
