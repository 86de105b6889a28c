//! Wakes a world's task when something is due, to a tenth of a millisecond.
//!
//! The runtime's timers have steps of a millisecond, and the wait of its thread is rounded up by another: what is due every
//! millisecond came 1 ms late in the median and 2.5 ms at worst. The timers of Linux (`timerfd_create(2)`) have no steps.
//! Each takes a file descriptor, so that a world has one only while something is due within the next few milliseconds.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When the exact timer takes over: the runtime's comes up to 2 ms late.
const LEAD: Duration = Duration::from_millis(3);

/// A world's timer.
#[derive(Debug, Default)]
pub(super) struct Alarm(exact::Timer);

impl Alarm {
    /// Waits until that moment. Safe to cancel.
    pub(super) async fn wait_until(&mut self, moment: Instant) {
        if let Some(early) = moment.checked_sub(LEAD).filter(|early| *early > Instant::now()) {
            self.0 = exact::Timer::default();
            sleep_until(early).await;
        }
        // The runtime's as well: where there is no exact one, and in tests whose time stands still.
        tokio::select! {
            () = sleep_until(moment) => {}
            () = self.0.wait_until(moment) => {}
        }
    }
}

#[cfg(target_os = "linux")]
mod exact {
    use std::future::pending;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::io;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    /// Made when it is first needed; without descriptors to be had there is none.
    #[derive(Debug, Default)]
    pub(super) struct Timer(Option<AsyncFd<OwnedFd>>);

    impl Timer {
        /// Waits until that moment, or for ever if that cannot be done.
        pub(super) async fn wait_until(&mut self, moment: Instant) {
            if self.set(moment).is_none() {
                pending::<()>().await;
            }
            let Some(timer) = &self.0 else { return };
            if let Ok(mut ready) = timer.readable().await {
                ready.clear_ready();
            }
        }

        fn set(&mut self, moment: Instant) -> Option<()> {
            if self.0.is_none() {
                self.0 = watch(create().ok()?);
            }
            // 0 would switch it off.
            let left = moment.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
            let value = Timespec::try_from(left).ok()?;
            let once = Itimerspec { it_interval: Timespec::default(), it_value: value };
            timerfd_settime(self.0.as_ref()?.get_ref(), TimerfdTimerFlags::empty(), &once).ok().map(drop)
        }
    }

    #[expect(unsafe_code, reason = "there is no safe way to have the runtime watch a descriptor")]
    fn watch(timer: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
        // SAFETY: an `OwnedFd` is the same open descriptor for as long as it lives, and nobody can put another in its place.
        unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }.ok()
    }

    fn create() -> io::Result<OwnedFd> {
        timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)
    }
}

/// Elsewhere the runtime's timers have to do.
#[cfg(not(target_os = "linux"))]
mod exact {
    use tokio::time::Instant;

    #[derive(Debug, Default)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) async fn wait_until(&mut self, _: Instant) {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_at_its_moment_and_not_before_however_far_it_is_away() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        for micros in [0, 1, 250, 900, 1_700, 2_900, 3_100, 4_500, 12_345] {
            let moment = start + Duration::from_micros(micros);
            alarm.wait_until(moment).await;
            assert!(Instant::now() >= moment, "{micros} µs");
        }
    }

    #[tokio::test]
    async fn an_alarm_that_was_given_up_rings_at_the_next_moment_alone() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        for late in 1..50 {
            let (given_up, moment) =
                (start + Duration::from_micros(late * 100), start + Duration::from_micros(late * 200));
            tokio::select! {
                biased;
                () = alarm.wait_until(given_up) => {}
                () = tokio::task::yield_now() => {}
            }
            alarm.wait_until(moment).await;
            assert!(Instant::now() >= moment);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_follows_the_time_of_a_test_that_stands_still() {
        let (mut alarm, moment) = (Alarm::default(), Instant::now() + Duration::from_hours(1));
        alarm.wait_until(moment).await;
        assert_eq!(Instant::now(), moment);
    }
}
