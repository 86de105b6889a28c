//! How long a client may take.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::http::limits::IDLE_TIMES;

/// Looks now and then whether a connection has got any further. So a request costs no timer of its own, which would be
/// 2 % of it; a client has up to twice the time that is meant.
pub(super) struct Patience {
    looks: Interval,
    /// Answers so far at the last look, and whether the next request had begun.
    seen: (u64, bool),
    /// Looks since then that found the same.
    same: u32,
}

impl Patience {
    /// With so much time for a request.
    pub(super) fn new(request: Duration) -> Self {
        let mut looks = interval_at(Instant::now() + request, request);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { looks, seen: (0, false), same: 0 }
    }

    /// Waits until the client, which has had so many answers and may have begun another request, has taken too long. Safe
    /// to cancel.
    pub(super) async fn run_out(&mut self, answered: u64, is_begun: bool) {
        let most = if is_begun { 1 } else { IDLE_TIMES };
        loop {
            self.looks.tick().await;
            let now = (answered, is_begun);
            self.same = if self.seen == now { self.same + 1 } else { 0 };
            self.seen = now;
            if self.same >= most {
                return;
            }
        }
    }
}
