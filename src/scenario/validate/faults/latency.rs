//! Checks the latencies of faults.

use std::time::Duration;

use crate::scenario::fault::Latency;
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::{RawLatency, RawSpread};
use crate::scenario::source::Span;
use crate::scenario::validate::{Validator, given};
use crate::scenario::yaml::Spanned;

/// The maximum `sigma` of a lognormal distribution. At this value, one in six delays is
/// more than 148 times the median.
const MAX_SIGMA: f64 = 5.0;

/// Checks a fixed or random delay.
pub(super) fn latency(raw: Option<&Spanned<RawLatency>>, check: &mut Validator<'_>) -> Option<Latency> {
    let (latency, span) = given(raw)?;
    match latency {
        RawLatency::Fixed(duration) => check.parsed(&duration.0, span).map(Latency::Fixed),
        RawLatency::Spread(spread) => self::spread(spread, span, check),
    }
}

/// Checks a random delay. The pair of keys selects the distribution.
fn spread(raw: &RawSpread, span: Span, check: &mut Validator<'_>) -> Option<Latency> {
    let given_keys = [
        raw.min.is_some(),
        raw.max.is_some(),
        raw.mean.is_some(),
        raw.jitter.is_some(),
        raw.deviation.is_some(),
        raw.median.is_some(),
        raw.sigma.is_some(),
    ];
    let mut time = |value| check.duration(value).map(|(time, _): (Duration, Span)| time);
    match given_keys {
        [true, true, false, false, false, false, false] => {
            let (min, max) = (time(raw.min.as_ref())?, time(raw.max.as_ref())?);
            if min > max {
                let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
                check.report(ProblemKind::EmptyRange { min: millis(min), max: millis(max) }, span);
            }
            Some(Latency::Uniform { min, max })
        }
        [false, false, true, true, false, false, false] => {
            let (mean, jitter) = (time(raw.mean.as_ref())?, time(raw.jitter.as_ref())?);
            Some(Latency::Uniform { min: mean.saturating_sub(jitter), max: mean.saturating_add(jitter) })
        }
        [false, false, true, false, true, false, false] => {
            let (mean, deviation) = (time(raw.mean.as_ref())?, time(raw.deviation.as_ref())?);
            Some(Latency::Normal { mean, deviation })
        }
        [false, false, false, false, false, true, true] => {
            let median = time(raw.median.as_ref());
            let sigma = sigma(raw, check);
            Some(Latency::LogNormal { median: median?, sigma: sigma? })
        }
        _ => {
            let expected = "`min` and `max`, `mean` and `jitter`, `mean` and `deviation`, or `median` and `sigma`";
            check.report(ProblemKind::WrongType { expected: expected.into(), found: "other keys".into() }, span);
            None
        }
    }
}

/// Returns `sigma` in thousandths.
fn sigma(raw: &RawSpread, check: &mut Validator<'_>) -> Option<u32> {
    let (sigma, span) = given(raw.sigma.as_ref())?;
    if !(0.0..=MAX_SIGMA).contains(sigma) {
        let found = format!("the number {sigma}");
        check.report(ProblemKind::WrongType { expected: "a number from 0 to 5".into(), found }, span);
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 5,000")]
    Some((sigma * 1000.0).round() as u32)
}
