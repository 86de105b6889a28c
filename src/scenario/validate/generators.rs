//! Checks random generators.

use std::sync::Arc;
use std::time::Duration;

use super::{Check, Known, given};
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::{RawAmount, RawArrivals, RawDraw, RawDrawBy, RawGenerator};
use crate::scenario::source::Span;
use crate::scenario::units::parse_rate;
use crate::scenario::yaml::{Entries, Spanned};
use crate::scenario::{Amount, Arrivals, Draw, Generator};

pub(super) fn generators(list: &[Spanned<RawGenerator>], known: &Known<'_>, check: &mut Check) -> Vec<Generator> {
    list.iter().filter_map(Spanned::get).filter_map(|(raw, span)| generator(raw, span, known, check)).collect()
}

fn generator(raw: &RawGenerator, span: Span, known: &Known<'_>, check: &mut Check) -> Option<Generator> {
    let arrivals = arrivals(raw, span, check);
    let jitter = check.duration(raw.jitter.as_ref());
    if let (Some(Arrivals::Every(every)), Some((jitter, span))) = (arrivals, jitter)
        && jitter > every
    {
        check.note(ProblemKind::JitterTooLong, span);
    }
    if let (Some(Arrivals::Poisson(_)), Some((_, span))) = (arrivals, jitter) {
        check.note(ProblemKind::Exclusive("jitter", "arrivals: poisson"), span);
    }
    let amount = given(raw.amount.as_ref()).map_or(Some(1..=1), |(amount, span)| self::amount(amount, span, check));
    let products =
        given(raw.products.as_ref()).map_or(Some(Draw::All), |(draw, span)| self::draw(draw, span, known, check));
    let from = check.duration(raw.from.as_ref()).map(|(from, _)| from).unwrap_or_default();
    let until = check.duration(raw.until.as_ref());
    if let Some((_, span)) = until.filter(|(until, _)| *until <= from) {
        check.note(ProblemKind::UntilBeforeFrom, span);
    }
    Some(Generator {
        arrivals: arrivals?,
        jitter: jitter.map(|(jitter, _)| jitter).unwrap_or_default(),
        amount: amount?,
        products: products?,
        from,
        until: until.map(|(until, _)| until),
    })
}

fn arrivals(raw: &RawGenerator, span: Span, check: &mut Check) -> Option<Arrivals> {
    let poisson = given(raw.arrivals.as_ref()).is_some_and(|(arrivals, _)| *arrivals == RawArrivals::Poisson);
    let gap: Duration = match (&raw.every, &raw.rate) {
        (Some(_), Some(rate)) => {
            check.note(ProblemKind::Exclusive("every", "rate"), rate.span);
            return None;
        }
        (None, None) => {
            check.note(ProblemKind::NotExactlyOne { owner: "a generator", choices: "`every` and `rate`" }, span);
            return None;
        }
        (every, None) => check.period("every", every.as_ref())?.0,
        (None, Some(rate)) => {
            let (text, span) = rate.get()?;
            parse_rate(&text.0).map_err(|error| check.note(error.into(), span)).ok()?
        }
    };
    Some(if poisson { Arrivals::Poisson(gap) } else { Arrivals::Every(gap) })
}

fn amount(raw: &RawAmount, span: Span, check: &mut Check) -> Option<Amount> {
    let range = match raw {
        RawAmount::Fixed(amount) => {
            let amount = check.total(*amount, span);
            return Some(amount..=amount);
        }
        RawAmount::Range(range) => range,
    };
    let min = check.required(range.min.as_ref(), "an amount", "min", span);
    let max = check.required(range.max.as_ref(), "an amount", "max", span);
    let (min, max) = (min?, max?);
    let (min, max) = (check.total(*min.0, min.1), check.total(*max.0, max.1));
    if min > max {
        check.note(ProblemKind::EmptyRange { min, max }, span);
    }
    Some(min..=max)
}

fn draw(raw: &RawDraw, span: Span, known: &Known<'_>, check: &mut Check) -> Option<Draw> {
    match raw {
        RawDraw::All => Some(Draw::All),
        RawDraw::Ids(list) => {
            if list.is_empty() {
                check.note(ProblemKind::EmptyList("`products`"), span);
            }
            let ids = list.iter().filter_map(Spanned::get);
            Some(Draw::Ids(ids.map(|(id, span)| check.product(id, span, known)).collect()))
        }
        RawDraw::By(RawDrawBy { category: Some(name), weights: None }) => {
            let (name, span) = name.get()?;
            Some(Draw::Category(check.category(name, span, known)))
        }
        RawDraw::By(RawDrawBy { category: None, weights: Some(entries) }) => {
            let (entries, span) = entries.get()?;
            Some(Draw::Weights(weights(entries, span, known, check)))
        }
        RawDraw::By(_) => {
            let choices = "`category` and `weights`";
            check.note(ProblemKind::NotExactlyOne { owner: "`products`", choices }, span);
            None
        }
    }
}

fn weights(entries: &Entries<i64>, span: Span, known: &Known<'_>, check: &mut Check) -> Vec<(Arc<str>, u32)> {
    let mut weights = Vec::with_capacity(entries.0.len());
    for (id, weight) in &entries.0 {
        let (Some((id, id_span)), Some((weight, weight_span))) = (id.get(), weight.get()) else { continue };
        let id = check.product(id, id_span, known);
        match u32::try_from(*weight) {
            Ok(0) => {}
            Ok(weight) => weights.push((id, weight)),
            Err(_) => {
                let found = format!("the number {weight}");
                let expected = "a weight from 0 to 4294967295".into();
                check.note(ProblemKind::WrongType { expected, found }, weight_span);
            }
        }
    }
    if entries.0.iter().all(|(_, weight)| weight.value.is_some_and(|weight| weight == 0)) {
        check.note(ProblemKind::EmptyList("`weights`"), span);
    }
    weights
}
