//! Work that takes as long as a scenario is large, beside requests that must not wait for it.
//!
//! It is done on threads of its own, since the runtime's are for what is short. That is not enough where there are fewer
//! cores than threads with work: there a request finds all of them taken, and its thread waits until another's turn is over.
//! Linux gives turns of some milliseconds, from one tick to the next, unless the thread that wakes takes shorter ones than
//! the thread that runs (since 6.12, `sched(7)`). So what is done here asks for long turns: it gets as much of the time as
//! before, and whoever has a request does not wait (3.8 against 0.1 ms, where there are two for one core).

use tokio::task::{JoinHandle, spawn_blocking};

/// Does something in the background.
pub(crate) fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    spawn_blocking(move || {
        let _turns = turns::Long::take();
        work()
    })
}

#[cfg(target_os = "linux")]
mod turns {
    use std::time::Duration;

    /// What the system gives at most is 100 ms.
    pub(super) const LONG: Duration = Duration::from_millis(20);

    /// This thread takes long turns until this is dropped.
    pub(super) struct Long(Option<libc::sched_attr>);

    impl Long {
        pub(super) fn take() -> Self {
            let before = get().filter(|before| i64::from(before.sched_policy) == i64::from(libc::SCHED_OTHER));
            if let Some(before) = before {
                set(libc::sched_attr { sched_runtime: LONG.as_nanos().try_into().unwrap_or_default(), ..before });
            }
            Self(before)
        }
    }

    impl Drop for Long {
        fn drop(&mut self) {
            if let Some(before) = self.0 {
                set(before);
            }
        }
    }

    /// How this thread is scheduled (`sched_getattr(2)`).
    #[expect(unsafe_code, reason = "no library offers it")]
    pub(super) fn get() -> Option<libc::sched_attr> {
        let size = u32::try_from(size_of::<libc::sched_attr>()).ok()?;
        let mut found = libc::sched_attr {
            size,
            sched_policy: 0,
            sched_flags: 0,
            sched_nice: 0,
            sched_priority: 0,
            sched_runtime: 0,
            sched_deadline: 0,
            sched_period: 0,
        };
        // SAFETY: the system fills in what it is given, which is of that size and has no invalid values.
        let outcome = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut found, size, 0) };
        (outcome == 0).then_some(found)
    }

    /// That it cannot be set changes nothing but how long others wait.
    #[expect(unsafe_code, reason = "no library offers it")]
    fn set(attributes: libc::sched_attr) {
        // SAFETY: the system only reads what it is given, for the length that is written in it, and only this thread changes.
        unsafe {
            libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
        }
    }
}

/// Elsewhere turns are as the system gives them.
#[cfg(not(target_os = "linux"))]
mod turns {
    pub(super) struct Long;

    impl Long {
        pub(super) fn take() -> Self {
            Self
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::turns::{LONG, get};

    #[tokio::test]
    async fn work_in_the_background_takes_long_turns_and_leaves_its_thread_as_it_was() {
        let look = || get().map(|found| (found.sched_policy, found.sched_nice, u128::from(found.sched_runtime)));
        let before = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        let during = super::spawn(look).await.unwrap_or_default();
        let after = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        assert_eq!(before, after);
        // Systems without turns of one's own do not tell either.
        let expected = before.map(|(policy, nice, turn)| (policy, nice, if turn == 0 { 0 } else { LONG.as_nanos() }));
        assert_eq!(during, expected);
    }
}
