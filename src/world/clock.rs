//! A world's clock: the only place that tells its time.
//!
//! A world's time starts at 0, stops while the clock is paused, and otherwise runs at a multiple of the machine's
//! speed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The speeds that a clock may have, relative to the machine's.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;

/// A world's clock. Everyone may read it; only the world's task sets it.
#[derive(Debug)]
pub(super) struct Clock {
    state: RwLock<ClockSetting>,
    /// How often the clock was restarted.
    restarts: AtomicU64,
    /// Notified when the time or the pace is set.
    changed: Notify,
}

/// A time of `base` at the instant `since`, running at `pace` from then on.
#[derive(Debug, Clone, Copy)]
struct ClockSetting {
    base: Duration,
    since: Instant,
    pace: Pace,
}

/// The pace of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Whether the clock is paused.
    pub paused: bool,
    /// Seconds of world time per second of the machine's, while the clock is not paused.
    pub speed: f64,
}

/// A moment of a world, which is gone once the state of the world is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldMoment {
    restarts: u64,
    /// The world's time.
    pub(super) at: Duration,
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
        // Whole microseconds are short enough to read.
        Duration::new(now.as_secs(), now.subsec_micros() * 1000).max(self.base)
    }
}

impl Clock {
    pub(super) fn start(pace: Pace) -> Self {
        let speed = if pace.speed.is_nan() { 1.0 } else { pace.speed.clamp(*SPEEDS.start(), *SPEEDS.end()) };
        let pace = Pace { speed, ..pace };
        let state = RwLock::new(ClockSetting { base: Duration::ZERO, since: Instant::now(), pace });
        Self { state, restarts: AtomicU64::new(0), changed: Notify::new() }
    }

    pub(super) fn now(&self) -> Duration {
        self.read().now()
    }

    pub(super) fn pace(&self) -> Pace {
        self.read().pace
    }

    /// Sets the time and the pace.
    pub(super) fn set(&self, base: Duration, pace: Pace) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) =
            ClockSetting { base, since: Instant::now(), pace };
        self.changed.notify_waiters();
    }

    /// Sets the time and the pace for another state of the world, which waits for the previous one do not concern.
    pub(super) fn restart(&self, base: Duration, pace: Pace) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.set(base, pace);
    }

    /// Returns the current moment.
    pub(super) fn moment(&self) -> WorldMoment {
        WorldMoment { restarts: self.restarts.load(Ordering::Relaxed), at: self.now() }
    }

    /// Waits until the clock has been restarted since a moment.
    pub(super) async fn restarted_since(&self, moment: WorldMoment) {
        loop {
            let changed = self.changed.notified();
            if self.restarts.load(Ordering::Relaxed) != moment.restarts {
                return;
            }
            changed.await;
        }
    }

    /// Waits until the world's time is `due`, even if the clock is changed meanwhile.
    pub(super) async fn reached(&self, due: Duration) {
        loop {
            let changed = self.changed.notified();
            let state = self.read();
            if state.now() >= due {
                return;
            }
            let left = (!state.pace.paused).then(|| scale(due.saturating_sub(state.now()), 1.0 / state.pace.speed));
            match left.and_then(|left| Instant::now().checked_add(left)) {
                Some(instant) => drop(tokio::time::timeout_at(instant, changed).await),
                None => changed.await,
            }
        }
    }

    /// Waits until the world's time is `due`, at the current pace; never returns if `due` is `None` or the clock is
    /// paused.
    pub(super) async fn wait_until(&self, due: Option<Duration>) {
        let ClockSetting { base, since, pace } = self.read();
        let left = due.filter(|_| !pace.paused).map(|due| scale(due.saturating_sub(base), 1.0 / pace.speed));
        match left.and_then(|left| since.checked_add(left)) {
            // Yield to other tasks instead of setting a timer, which takes at least a millisecond.
            Some(instant) if instant <= Instant::now() => tokio::task::yield_now().await,
            Some(instant) => sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }

    fn read(&self) -> ClockSetting {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Multiplies a duration by a factor; exact for a factor of 1.
fn scale(duration: Duration, factor: f64) -> Duration {
    #[expect(clippy::float_cmp, reason = "compares with exactly the default speed")]
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
    async fn a_wait_ends_when_due_whatever_the_clock_does() {
        let pace = Pace { paused: true, ..Pace::default() };
        let (clock, at) = (Clock::start(pace), Duration::from_secs);
        let (mut wait, mut restart) = (pin!(clock.reached(at(2))), pin!(clock.restarted_since(clock.moment())));
        assert!(wait.as_mut().now_or_never().is_none() && restart.as_mut().now_or_never().is_none());
        clock.set(at(1), pace);
        assert!(wait.as_mut().now_or_never().is_none() && restart.as_mut().now_or_never().is_none());
        clock.restart(at(1), pace);
        assert!(wait.as_mut().now_or_never().is_none() && restart.now_or_never().is_some());
        clock.set(at(2), pace);
        assert!(wait.now_or_never().is_some());
    }
}
