//! Impossible times and repeats of steps, scripts and generators.

use strum::IntoStaticStr;
use thiserror::Error;

use crate::scenario::units::MAX_AT_ONCE;

/// The reason why a time or a repeat is invalid. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum TimingMistake {
    /// `until` that is not after `from`.
    #[error("`until` is not after `from`")]
    UntilBeforeFrom,
    /// A `jitter` that could move an event before the previous one.
    #[error("`jitter` is longer than `every`")]
    JitterTooLong,
    /// A time on a step that runs at the same moment as others.
    #[error("`{0}` is not allowed in steps that run at the same moment")]
    TimeInMoment(&'static str),
    /// A step that repeats too many times at one moment.
    #[error("`times` above {MAX_AT_ONCE} needs `every`")]
    TooManyAtOnce,
    /// A script that repeats forever without taking any time.
    #[error("a script that repeats forever must take at least 1us")]
    InstantRepeat,
    /// A script that takes almost no time and repeats too many times.
    #[error("this script takes less than 1us, so its repeats make more than {MAX_AT_ONCE} actions at once")]
    TooManyRepeatsAtOnce,
    /// A step that ends later than the maximum time.
    #[error("the step ends later than 24000h")]
    TooLate,
}

impl TimingMistake {
    /// Returns advice on how to fix the time.
    pub(super) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::TimeInMoment(_) => {
                "the steps of a nested `do` run at the same moment; give the time to the step that contains them"
            }
            Self::InstantRepeat => "give a step an `at` or `after` of at least 1us",
            Self::TooManyRepeatsAtOnce => {
                "give a step an `at` or `after` of at least 1us, or repeat the script fewer times"
            }
            _ => return None,
        })
    }
}
