//! Whether HTTP connections may carry more than one request (RFC 9112, 9.3).
//!
//! Browsers repeat a request by themselves if a connection that was kept alive ends in place of the answer, as some faults
//! have it: the page never sees the fault then, and the mock sees two requests. They do not repeat one that was the first of
//! its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// What all worlds of a server have a say in. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct KeepAlive(Arc<Suspensions>);

#[derive(Debug, Default)]
struct Suspensions {
    count: AtomicUsize,
    begun: Notify,
}

/// No connection is kept alive for as long as one of these is held.
#[derive(Debug)]
pub(super) struct Suspension(KeepAlive);

impl KeepAlive {
    /// Whether each request has to have a connection of its own.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.0.count.load(Ordering::SeqCst) > 0
    }

    /// Waits until a connection may not be kept alive any more. `is_concerned` says whether it is one of those that may not,
    /// and is asked each time.
    pub async fn suspended(&self, is_concerned: impl Fn() -> bool) {
        loop {
            let begun = self.0.begun.notified();
            if self.is_suspended() && is_concerned() {
                return;
            }
            begun.await;
        }
    }

    pub(super) fn suspend(&self) -> Suspension {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.begun.notify_waiters();
        Suspension(self.clone())
    }
}

impl Drop for Suspension {
    fn drop(&mut self) {
        self.0.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}
