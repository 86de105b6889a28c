//! Whether HTTP connections may carry more than one request (RFC 9112, 9.3).
//!
//! If a kept-alive connection closes before the response, as some faults make it do, browsers silently send the request
//! again: the page never sees the fault, and the mock sees two requests. Browsers do not repeat the first request of a
//! connection, unless they had opened it in advance.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A switch that all worlds of a server share. Clones refer to the same switch.
#[derive(Debug, Clone, Default)]
pub struct KeepAlive(Arc<Suspensions>);

#[derive(Debug, Default)]
struct Suspensions {
    count: AtomicUsize,
    started: Notify,
}

/// Keeps connections from being kept alive until it is dropped.
#[derive(Debug)]
pub(super) struct Suspension(KeepAlive);

impl KeepAlive {
    /// Returns whether each request needs its own connection.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.0.count.load(Ordering::SeqCst) > 0
    }

    /// Waits until a connection may no longer be kept alive. `applies` returns whether the suspension applies to
    /// this connection, and is called whenever one starts.
    pub async fn suspended(&self, applies: impl Fn() -> bool) {
        loop {
            let started = self.0.started.notified();
            if self.is_suspended() && applies() {
                return;
            }
            started.await;
        }
    }

    pub(super) fn suspend(&self) -> Suspension {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.started.notify_waiters();
        Suspension(self.clone())
    }
}

impl Drop for Suspension {
    fn drop(&mut self) {
        self.0.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}
