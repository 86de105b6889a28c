//! The only place that knows what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// A world's time: how long ago it started.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits until the world's time is `due`; for ever if there is nothing to wait for.
    pub(super) async fn wait_until(&self, due: Option<Duration>) {
        match due.and_then(|due| self.start.checked_add(due)) {
            // Others get their turn, but not the millisecond that a timer takes at the least.
            Some(instant) if instant <= Instant::now() => tokio::task::yield_now().await,
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}
