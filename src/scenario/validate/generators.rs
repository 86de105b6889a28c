//! Checks generators of random orders.

use std::sync::Arc;
use std::time::Duration;

use super::references::References;
use super::{Validator, given};
use crate::scenario::Arrivals;
use crate::scenario::problem::{ProblemKind, TimingMistake};
use crate::scenario::raw::{RawArrivals, RawDraw, RawDrawBy, RawDuration, RawGenerator, RawRate};
use crate::scenario::shop::{OrderGenerator, OrderedProducts};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, Spanned};

pub(super) fn generators(
    list: &[Spanned<RawGenerator>],
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Vec<OrderGenerator> {
    list.iter().filter_map(Spanned::get).filter_map(|(raw, span)| generator(raw, span, references, check)).collect()
}

fn generator(
    raw: &RawGenerator,
    span: Span,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<OrderGenerator> {
    let timing = Timing {
        every: raw.every.as_ref(),
        rate: raw.rate.as_ref(),
        arrivals: raw.arrivals.as_ref(),
        jitter: raw.jitter.as_ref(),
        from: raw.from.as_ref(),
        until: raw.until.as_ref(),
    };
    let until = given(raw.until.as_ref()).and_then(|(until, _)| until.0.as_ref().ok().copied());
    let timing = timing.check(span, check);
    let amount = given(raw.amount.as_ref()).map_or(Some(1..=1), |(amount, span)| check.amount(amount, span));
    let end = until.unwrap_or(Duration::MAX);
    let products = given(raw.products.as_ref())
        .map_or(Some(OrderedProducts::All), |(raw, span)| self::products(raw, span, end, references, check));
    let CheckedTiming { arrivals, jitter, from, until } = timing?;
    Some(OrderGenerator { arrivals, jitter, amount: amount?, products: products?, from, until })
}

/// The timing of a generator's events, as written.
pub(super) struct Timing<'r> {
    pub(super) every: Option<&'r Spanned<RawDuration>>,
    pub(super) rate: Option<&'r Spanned<RawRate>>,
    pub(super) arrivals: Option<&'r Spanned<RawArrivals>>,
    pub(super) jitter: Option<&'r Spanned<RawDuration>>,
    pub(super) from: Option<&'r Spanned<RawDuration>>,
    pub(super) until: Option<&'r Spanned<RawDuration>>,
}

/// The checked timing of a generator's events.
pub(super) struct CheckedTiming {
    pub(super) arrivals: Arrivals,
    pub(super) jitter: Duration,
    pub(super) from: Duration,
    pub(super) until: Option<Duration>,
}

impl Timing<'_> {
    pub(super) fn check(&self, span: Span, check: &mut Validator<'_>) -> Option<CheckedTiming> {
        let arrivals = self.arrivals(span, check);
        let jitter = check.duration(self.jitter);
        if let (Some(Arrivals::Every(every)), Some((jitter, span))) = (arrivals, jitter)
            && jitter > every
        {
            check.report(TimingMistake::JitterTooLong.into(), span);
        }
        if let (Some(Arrivals::Poisson(_)), Some((_, span))) = (arrivals, jitter) {
            check.report(ProblemKind::Exclusive("jitter", "arrivals: poisson"), span);
        }
        let from = check.duration(self.from).map(|(from, _)| from).unwrap_or_default();
        let until = check.duration(self.until);
        if let Some((_, span)) = until.filter(|(until, _)| *until <= from) {
            check.report(TimingMistake::UntilBeforeFrom.into(), span);
        }
        let jitter = jitter.map(|(jitter, _)| jitter).unwrap_or_default();
        Some(CheckedTiming { arrivals: arrivals?, jitter, from, until: until.map(|(until, _)| until) })
    }

    fn arrivals(&self, span: Span, check: &mut Validator<'_>) -> Option<Arrivals> {
        let poisson = given(self.arrivals).is_some_and(|(arrivals, _)| *arrivals == RawArrivals::Poisson);
        let gap: Duration = match (self.every, self.rate) {
            (Some(_), Some(rate)) => {
                check.report(ProblemKind::Exclusive("every", "rate"), rate.span);
                return None;
            }
            (None, None) => {
                check.needs_exactly_one("a generator", &["every", "rate"], span);
                return None;
            }
            (every, None) => check.period("every", every)?.0,
            (None, Some(rate)) => {
                let (gap, span) = rate.get()?;
                gap.0.clone().map_err(|error| check.report(error.into(), span)).ok()?
            }
        };
        Some(if poisson { Arrivals::Poisson(gap) } else { Arrivals::Every(gap) })
    }
}

fn products(
    raw: &RawDraw,
    span: Span,
    until: Duration,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<OrderedProducts> {
    match raw {
        RawDraw::All => Some(OrderedProducts::All),
        RawDraw::Ids(list) => {
            if list.is_empty() {
                check.report(ProblemKind::EmptyList("`products`"), span);
            }
            let ids = list.iter().filter_map(Spanned::get);
            Some(OrderedProducts::Ids(ids.map(|(id, span)| references.product(&id.text, span, until, None)).collect()))
        }
        RawDraw::By(RawDrawBy { category: Some(name), weights: None }) => {
            let (name, span) = name.get()?;
            Some(OrderedProducts::Category(references.category(name, span, check)))
        }
        RawDraw::By(RawDrawBy { category: None, weights: Some(entries) }) => {
            let (entries, span) = entries.get()?;
            let mut product = |id: &str, span| references.product(id, span, until, None);
            Some(OrderedProducts::Weights(weights(entries, span, &mut product, check)))
        }
        RawDraw::By(_) => {
            check.needs_exactly_one("`products`", &["category", "weights"], span);
            None
        }
    }
}

/// Checks weights. Returns the ids whose weights are above 0.
pub(super) fn weights(
    entries: &Entries<i64>,
    span: Span,
    id_of: &mut dyn FnMut(&str, Span) -> Arc<str>,
    check: &mut Validator<'_>,
) -> Vec<(Arc<str>, u32)> {
    let mut weights = Vec::with_capacity(entries.0.len());
    for (id, weight) in &entries.0 {
        let (Some((id, id_span)), Some((weight, weight_span))) = (id.get(), weight.get()) else { continue };
        let id = id_of(id, id_span);
        match u32::try_from(*weight) {
            Ok(0) => {}
            Ok(weight) => weights.push((id, weight)),
            Err(_) => {
                let found = format!("the number {weight}");
                let expected = "a weight from 0 to 4294967295".into();
                check.report(ProblemKind::WrongType { expected, found }, weight_span);
            }
        }
    }
    if entries.0.is_empty() {
        check.report(ProblemKind::EmptyList("`weights`"), span);
    } else if entries.0.iter().all(|(_, weight)| weight.value.is_some_and(|weight| weight == 0)) {
        check.report(ProblemKind::NoWeight, span);
    }
    weights
}
