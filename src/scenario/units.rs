//! Durations, rates, dates and the range of totals, in the notation of the language.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::friendly::{Spacing, SpanPrinter};
use serde_json::Value;
use thiserror::Error;

/// The largest total, 2^53 - 1: up to which JavaScript numbers represent all integers exactly (ECMA-262, 21.1.2.6).
pub const MAX_TOTAL: i64 = (1 << 53) - 1;

/// The longest duration in the language, 1,000 days. Sums of a few durations stay far from overflow.
pub(crate) const MAX_DURATION: Duration = Duration::from_hours(24_000);

/// The shortest time between two orders of one generator or script: a million per second.
pub(crate) const MIN_PERIOD: Duration = Duration::from_micros(1);

/// The maximum number of orders of one step at one moment.
pub(crate) const MAX_AT_ONCE: u64 = 1_000_000;

/// Returns an integer in any notation (`3`, `3.0`, `1e2`). An integer outside the range of totals is clamped to a value
/// outside that range, so that validation reports it.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    const BEYOND: i64 = 4 * MAX_TOTAL;
    let number = value.as_number()?;
    if let Some(integer) = number.as_i64() {
        return Some(integer.clamp(-BEYOND, BEYOND));
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "casts from float saturate, and the result is clamped")]
    Some((float as i64).clamp(-BEYOND, BEYOND))
}

/// Multiplies a duration, without the 32-bit limit of `Duration`'s own operator; saturates at [`Duration::MAX`].
pub(crate) fn times(duration: Duration, count: u64) -> Duration {
    const NANOS: u128 = 1_000_000_000;
    let total = duration.as_nanos().saturating_mul(count.into());
    match (u64::try_from(total / NANOS), u32::try_from(total % NANOS)) {
        (Ok(seconds), Ok(nanos)) => Duration::new(seconds, nanos),
        _ => Duration::MAX,
    }
}

/// The reason why a duration, a rate, a share or a moment is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitError {
    /// Not a duration.
    #[error("`{0}` is not a duration")]
    Duration(String),
    /// A duration of more than 24,000 hours.
    #[error("`{0}` is longer than 24000h")]
    TooLong(String),
    /// Not a rate.
    #[error("`{0}` is not a rate")]
    Rate(String),
    /// Not a share.
    #[error("`{0}` is not a percentage from 0% to 100%")]
    Share(String),
    /// Not a moment.
    #[error("`{0}` is not a date and time")]
    Moment(String),
    /// A rate that is too low or too high.
    #[error("the rate `{0}` is not between 0.001/h and 1000000/s")]
    RateOutOfRange(String),
}

impl UnitError {
    /// Returns what is expected instead.
    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Self::Duration(text) if text.chars().all(|c| c.is_ascii_digit() || c == '.') => {
                "expected a number with a unit, such as 500ms, 5s or 1m30s"
            }
            Self::Duration(text) if text.chars().any(|c| c.is_ascii_digit()) => {
                "expected a duration such as 500ms, 5s or 1m30s: units are h, m, s, ms, us, ns, in this order, and only the \
                 last number may have a fraction"
            }
            Self::Duration(_) | Self::TooLong(_) => "expected a duration such as 500ms, 5s or 1m30s",
            Self::Moment(text) if text.parse::<jiff::civil::Date>().is_ok() && !text.contains(['T', 't', ' ']) => {
                "expected a time after the date, such as T09:30:00Z"
            }
            Self::Moment(_) => "expected a date and time with its offset (RFC 3339), such as 2026-01-01T09:30:00Z",
            Self::Share(_) => "expected a percentage such as 20% or 0.5%",
            Self::Rate(_) | Self::RateOutOfRange(_) => "expected a rate such as 20/s, 90/m or 0.5/h",
        }
    }
}

/// Parses a duration such as `250ms`, `1.5s`, `2m` or `1h30m`.
///
/// # Errors
/// [`UnitError`] if it is not a duration, negative, or longer than 24,000 hours.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let error = || UnitError::Duration(text.to_owned());
    // jiff accepts more notations (ISO 8601, words, signs); the language has only one.
    let is_allowed = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'h' | 'm' | 's' | 'u' | 'µ' | 'n');
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(is_allowed) {
        return Err(error());
    }
    let parsed: SignedDuration = text.parse().map_err(|_| error())?;
    let duration = Duration::try_from(parsed).map_err(|_| error())?;
    if duration > MAX_DURATION { Err(UnitError::TooLong(text.to_owned())) } else { Ok(duration) }
}

/// Formats a duration in the notation of [`parse_duration`], such as `1s500ms`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    SpanPrinter::new().spacing(Spacing::None).unsigned_duration_to_string(&duration)
}

/// Parses a moment (RFC 3339), and returns it in milliseconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// [`UnitError`] if it is not a date and time.
pub(crate) fn parse_moment(text: &str) -> Result<i64, UnitError> {
    let error = |_| UnitError::Moment(text.to_owned());
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(error)
}

/// Formats a moment in UTC, in the notation of [`parse_moment`].
#[must_use]
pub(crate) fn format_moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|moment| moment.to_string()).unwrap_or_default()
}

/// Parses a rate such as `20/s`, and returns the mean time between two events.
///
/// # Errors
/// [`UnitError`] if it is not a rate, or not between one event in 1,000 hours and one per microsecond.
pub fn parse_rate(text: &str) -> Result<Duration, UnitError> {
    let error = || UnitError::Rate(text.to_owned());
    let (count, unit) = text.split_once('/').ok_or_else(error)?;
    let seconds = match unit.trim_start_matches(' ') {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(error()),
    };
    let count = count.trim_end_matches(' ');
    // Rust accepts more notations (signs, exponents, words); the language has only one.
    if count.contains(|c: char| !c.is_ascii_digit() && c != '.') {
        return Err(error());
    }
    let count: f64 = count.parse().map_err(|_| error())?;
    let gap = seconds / count;
    if !(1e-6..=3.6e6).contains(&gap) {
        return Err(UnitError::RateOutOfRange(text.to_owned()));
    }
    Duration::try_from_secs_f64(gap).map_err(|_| error())
}
