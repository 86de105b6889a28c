//! The only place that knows what time it is.
//!
//! A world's time is its own: it starts at 0, stands still while it is paused, and goes as much faster or slower than
//! the machine's as its speed says.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The slowest and the fastest that a clock may go, in times the machine's.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;

/// A world's time. Everybody may read it; only the world's task sets it.
#[derive(Debug)]
pub(super) struct Clock {
    state: RwLock<ClockSetting>,
    /// Notified when it goes on in another way.
    changed: Notify,
}

/// From `base` at `since`, time goes on at `pace`.
#[derive(Debug, Clone, Copy)]
struct ClockSetting {
    base: Duration,
    since: Instant,
    pace: Pace,
}

/// How a clock goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Whether it stands still.
    pub paused: bool,
    /// How many seconds of the world pass in one of the machine's while it does not.
    pub speed: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { paused: false, speed: 1.0 }
    }
}

impl ClockSetting {
    fn now(&self) -> Duration {
        if self.pace.paused {
            return self.base;
        }
        let now = self.base.saturating_add(scale(self.since.elapsed(), self.pace.speed));
        // In whole microseconds, which are short enough to read.
        Duration::new(now.as_secs(), now.subsec_micros() * 1000).max(self.base)
    }
}

impl Clock {
    pub(super) fn start(pace: Pace) -> Self {
        let speed = if pace.speed.is_nan() { 1.0 } else { pace.speed.clamp(*SPEEDS.start(), *SPEEDS.end()) };
        let pace = Pace { speed, ..pace };
        let state = RwLock::new(ClockSetting { base: Duration::ZERO, since: Instant::now(), pace });
        Self { state, changed: Notify::new() }
    }

    pub(super) fn now(&self) -> Duration {
        self.read().now()
    }

    pub(super) fn pace(&self) -> Pace {
        self.read().pace
    }

    /// Goes on from another time, or in another way.
    pub(super) fn set(&self, base: Duration, pace: Pace) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) =
            ClockSetting { base, since: Instant::now(), pace };
        self.changed.notify_waiters();
    }

    /// Waits until the world's time is `due`, however its clock goes meanwhile.
    pub(super) async fn reached(&self, due: Duration) {
        self.passed(Duration::ZERO, due).await;
    }

    /// Waits until the world's time has gone from one to the other, or back before the first.
    pub(super) async fn passed(&self, from: Duration, due: Duration) {
        loop {
            let changed = self.changed.notified();
            let state = self.read();
            if state.now() >= due || state.now() < from {
                return;
            }
            let left = (!state.pace.paused).then(|| scale(due.saturating_sub(state.now()), 1.0 / state.pace.speed));
            match left.and_then(|left| Instant::now().checked_add(left)) {
                Some(instant) => drop(tokio::time::timeout_at(instant, changed).await),
                None => changed.await,
            }
        }
    }

    /// Waits until the world's time is `due`; for ever if there is nothing to wait for.
    pub(super) async fn wait_until(&self, due: Option<Duration>) {
        let ClockSetting { base, since, pace } = self.read();
        let left = due.filter(|_| !pace.paused).map(|due| scale(due.saturating_sub(base), 1.0 / pace.speed));
        match left.and_then(|left| since.checked_add(left)) {
            // Others get their turn, but not the millisecond that a timer takes at the least.
            Some(instant) if instant <= Instant::now() => tokio::task::yield_now().await,
            Some(instant) => sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }

    fn read(&self) -> ClockSetting {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A duration times a factor, exactly the same for 1.
fn scale(duration: Duration, factor: f64) -> Duration {
    #[expect(clippy::float_cmp, reason = "exactly the usual speed is meant")]
    if factor == 1.0 {
        return duration;
    }
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::{Clock, Pace};

    #[tokio::test]
    async fn a_wait_ends_at_its_time_or_if_time_goes_back() {
        let pace = Pace { paused: true, ..Pace::default() };
        let (clock, at) = (Clock::start(pace), Duration::from_secs);
        for (start, due, next, ends) in [(0, 2, 1, false), (0, 2, 2, true), (5, 9, 4, true), (5, 9, 5, false)] {
            clock.set(at(start), pace);
            let mut wait = pin!(clock.passed(at(start), at(due)));
            assert!(wait.as_mut().now_or_never().is_none(), "{start} to {due}");
            clock.set(at(next), pace);
            assert_eq!(wait.now_or_never().is_some(), ends, "{start} to {due}, at {next}");
        }
    }
}
