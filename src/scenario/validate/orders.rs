//! Checks generators and scripts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::categories::product;
use super::faults::fault;
use super::references::{References, StepNumber};
use super::{Validator, given, removals};
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::{
    RawAdd, RawAmount, RawArrivals, RawDraw, RawDrawBy, RawGenerator, RawRepeat, RawScript, RawStep,
};
use crate::scenario::source::Span;
use crate::scenario::units::{MAX_AT_ONCE, MAX_DURATION, MIN_PERIOD, times};
use crate::scenario::yaml::{Entries, Items, Spanned};
use crate::scenario::{Action, Amount, Arrivals, Draw, Fnv, Generator, NewRow, Repeat, Script, Step};

pub(super) fn generators(
    list: &[Spanned<RawGenerator>],
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Vec<Generator> {
    list.iter().filter_map(Spanned::get).filter_map(|(raw, span)| generator(raw, span, references, check)).collect()
}

fn generator(
    raw: &RawGenerator,
    span: Span,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<Generator> {
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
    let from = check.duration(raw.from.as_ref()).map(|(from, _)| from).unwrap_or_default();
    let until = check.duration(raw.until.as_ref());
    if let Some((_, span)) = until.filter(|(until, _)| *until <= from) {
        check.note(ProblemKind::UntilBeforeFrom, span);
    }
    let end = until.map_or(Duration::MAX, |(until, _)| until);
    let products =
        given(raw.products.as_ref()).map_or(Some(Draw::All), |(raw, span)| draw(raw, span, end, references, check));
    Some(Generator {
        arrivals: arrivals?,
        jitter: jitter.map(|(jitter, _)| jitter).unwrap_or_default(),
        amount: amount?,
        rows: products?,
        from,
        until: until.map(|(until, _)| until),
    })
}

fn arrivals(raw: &RawGenerator, span: Span, check: &mut Validator<'_>) -> Option<Arrivals> {
    let poisson = given(raw.arrivals.as_ref()).is_some_and(|(arrivals, _)| *arrivals == RawArrivals::Poisson);
    let gap: Duration = match (&raw.every, &raw.rate) {
        (Some(_), Some(rate)) => {
            check.note(ProblemKind::Exclusive("every", "rate"), rate.span);
            return None;
        }
        (None, None) => {
            check.exactly_one("a generator", &["every", "rate"], span);
            return None;
        }
        (every, None) => check.period("every", every.as_ref())?.0,
        (None, Some(rate)) => {
            let (gap, span) = rate.get()?;
            gap.0.clone().map_err(|error| check.note(error.into(), span)).ok()?
        }
    };
    Some(if poisson { Arrivals::Poisson(gap) } else { Arrivals::Every(gap) })
}

fn amount(raw: &RawAmount, span: Span, check: &mut Validator<'_>) -> Option<Amount> {
    let range = match raw {
        RawAmount::Fixed(amount) => {
            let amount = check.total(*amount, span);
            return Some(amount..=amount);
        }
        RawAmount::Range(range) => range,
    };
    let min = check.required(range.min.as_ref(), "an amount", "min", span, span);
    let max = check.required(range.max.as_ref(), "an amount", "max", span, span);
    let (min, max) = (min?, max?);
    let (min, max) = (check.total(*min.0, min.1), check.total(*max.0, max.1));
    if min > max {
        check.note(ProblemKind::EmptyRange { min, max }, span);
    }
    Some(min..=max)
}

fn draw(
    raw: &RawDraw,
    span: Span,
    until: Duration,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<Draw> {
    match raw {
        RawDraw::All => Some(Draw::All),
        RawDraw::Ids(list) => {
            if list.is_empty() {
                check.note(ProblemKind::EmptyList("`products`"), span);
            }
            let ids = list.iter().filter_map(Spanned::get);
            Some(Draw::Ids(ids.map(|(id, span)| references.product(&id.text, span, until, None)).collect()))
        }
        RawDraw::By(RawDrawBy { category: Some(name), weights: None }) => {
            let (name, span) = name.get()?;
            Some(Draw::Collection(references.category(name, span, check)))
        }
        RawDraw::By(RawDrawBy { category: None, weights: Some(entries) }) => {
            let (entries, span) = entries.get()?;
            Some(Draw::Weights(weights(entries, span, until, references, check)))
        }
        RawDraw::By(_) => {
            check.exactly_one("`products`", &["category", "weights"], span);
            None
        }
    }
}

fn weights(
    entries: &Entries<i64>,
    span: Span,
    until: Duration,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Vec<(Arc<str>, u32)> {
    let mut weights = Vec::with_capacity(entries.0.len());
    for (id, weight) in &entries.0 {
        let (Some((id, id_span)), Some((weight, weight_span))) = (id.get(), weight.get()) else { continue };
        let id = references.product(id, id_span, until, None);
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
    if entries.0.is_empty() {
        check.note(ProblemKind::EmptyList("`weights`"), span);
    } else if entries.0.iter().all(|(_, weight)| weight.value.is_some_and(|weight| weight == 0)) {
        check.note(ProblemKind::NoWeight, span);
    }
    weights
}

pub(super) fn scripts(
    list: &[Spanned<RawScript>],
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Vec<Script> {
    let scripts = list.iter().enumerate().filter_map(|(number, script)| Some((number, script.get()?)));
    let mut scripts: Vec<Script> =
        scripts.filter_map(|(number, (raw, span))| script(raw, span, number, references, check)).collect();
    // Scripts without names that draw the same have streams of their own.
    let mut equal: HashMap<u64, u64> = HashMap::new();
    for script in scripts.iter_mut().filter(|script| script.name.is_none()) {
        let Some(stream) = &mut script.stream else { continue };
        let count = equal.entry(*stream).or_default();
        *stream = SCRIPT_STREAMS | stream.wrapping_add(*count);
        *count += 1;
    }
    scripts
}

fn script(
    raw: &RawScript,
    span: Span,
    number: usize,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<Script> {
    let (list, list_span) = check.required(raw.steps.as_ref(), "a script", "steps", span, span)?;
    if list.len() == 0 {
        check.note(ProblemKind::EmptyList("`steps`"), list_span);
    }
    let start = check.duration(raw.start.as_ref()).map(|(start, _)| start).unwrap_or_default();
    let repeat = match given(raw.repeat.as_ref()) {
        None => Some(Repeat::Times(1)),
        Some((RawRepeat::Forever, _)) => Some(Repeat::Forever),
        Some((RawRepeat::Times(times), span)) => check.count("repeat", *times, span).map(Repeat::Times),
    };
    let since = references.mark();
    let (mut steps, length) = steps(list, number, references, check);
    references.place(since, start, repeats(repeat, length));
    removals::note(list, &steps, number, references, check);
    if let (Some(raw), Some(repeat)) = (&raw.repeat, repeat)
        && length < MIN_PERIOD
        // A step that is wrong may take time.
        && steps.len() == list.len()
    {
        let at_once = steps.iter().fold(0_u64, |sum, step| sum.saturating_add(step.times));
        match repeat {
            Repeat::Forever => check.note(ProblemKind::InstantRepeat, raw.span),
            Repeat::Times(count) if count > 1 && at_once.saturating_mul(count) > MAX_AT_ONCE => {
                check.note(ProblemKind::TooManyRepeatsAtOnce, raw.span);
            }
            Repeat::Times(_) => {}
        }
    }
    steps.sort_by_key(|step| step.at);
    let name = check.name(raw.name.as_ref(), "a script's name");
    let stream = stream(name.as_deref(), start, &steps);
    Some(Script { name, start, repeat: repeat?, steps: Arc::new(steps), length, stream })
}

/// Random streams of scripts have these two bits: generators count theirs from 0, and those of faults lack the second bit.
const SCRIPT_STREAMS: u64 = 0b11 << 62;

/// The random stream of a script that draws amounts. It follows from the script's name, or from its steps if it has none, so
/// that other scripts and generators may come and go.
fn stream(name: Option<&str>, start: Duration, steps: &[Step]) -> Option<u64> {
    let orders = steps.iter().filter_map(|step| match &step.action {
        Action::Count { row, amount } => Some((step, row, amount)),
        _ => None,
    });
    if orders.clone().all(|(_, _, amount)| amount.start() == amount.end()) {
        return None;
    }
    let mut hash = Fnv::default();
    if let Some(name) = name {
        hash.add(name.as_bytes());
        return Some(hash.value() | SCRIPT_STREAMS);
    }
    hash.add(&start.as_nanos().to_le_bytes());
    for (Step { at, times, every, .. }, product, amount) in orders {
        hash.add(&at.as_nanos().to_le_bytes());
        hash.add(&times.to_le_bytes());
        hash.add(&every.as_nanos().to_le_bytes());
        hash.add(product.as_bytes());
        hash.add(&amount.start().to_le_bytes());
        hash.add(&amount.end().to_le_bytes());
    }
    Some(hash.value() | SCRIPT_STREAMS)
}

/// From the start of the first repeat to that of the last.
fn repeats(repeat: Option<Repeat>, length: Duration) -> Duration {
    match repeat {
        // A repeat comes after the one before, also where both take no time.
        Some(Repeat::Times(count)) => times(length.max(Duration::from_nanos(1)), count - 1),
        Some(Repeat::Forever) | None => Duration::MAX,
    }
}

/// The steps in the order of the file, and when the last of their actions happens.
fn steps(
    list: &Items<RawStep>,
    script: usize,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> (Vec<Step>, Duration) {
    let document = check.document;
    let mut steps = Vec::with_capacity(list.len());
    let (mut before, mut length) = (Duration::ZERO, Duration::ZERO);
    for (number, item) in document.items(list).enumerate() {
        let Some((raw, span)) = item.get() else { continue };
        let by = StepNumber { script, step: number };
        let Some(step) = step(raw, span, before, by, references, check) else { continue };
        before = end(&step);
        if before > MAX_DURATION {
            check.note(ProblemKind::TooLate, span);
            // Once: what comes after it would be later still.
            break;
        }
        length = length.max(before);
        steps.push(step);
    }
    (steps, length)
}

fn step(
    raw: &RawStep,
    span: Span,
    before: Duration,
    by: StepNumber,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<Step> {
    let at = match (&raw.at, &raw.after) {
        (Some(_), Some(after)) => {
            check.note(ProblemKind::Exclusive("at", "after"), after.span);
            None
        }
        (None, None) => Some(before),
        (Some(at), None) => check.duration(Some(at)).map(|(at, _)| at),
        (None, after) => check.duration(after.as_ref()).map(|(after, _)| before.saturating_add(after)),
    };
    let times = match given(raw.times.as_ref()) {
        Some((times, span)) => check.count("times", *times, span),
        None => Some(1),
    };
    let every = check.period("every", raw.every.as_ref());
    if let (Some(times), None, Some(raw)) = (times, &raw.every, &raw.times)
        && times > MAX_AT_ONCE
    {
        check.note(ProblemKind::TooManyAtOnce, raw.span);
    }
    if let (Some(every), None) = (&raw.every, &raw.times) {
        check.note(ProblemKind::Needs { key: "every", needs: "times" }, every.span);
    }
    let every = every.map(|(every, _)| every).unwrap_or_default();
    // A step whose time is wrong could happen at any.
    let last = at.zip(times).map_or(Duration::MAX, |(at, times)| last(at, times, every));
    let when = When { first: at.unwrap_or_default(), last, by };
    let action = action(raw, span, when, references, check);
    Some(Step { at: at?, times: times?, every, action: action? })
}

/// When an action happens for the first and the last time, in its script's time.
#[derive(Clone, Copy)]
struct When {
    first: Duration,
    last: Duration,
    by: StepNumber,
}

/// When the last action of a step happens.
fn end(step: &Step) -> Duration {
    last(step.at, step.times, step.every)
}

fn last(at: Duration, times: u64, every: Duration) -> Duration {
    at.saturating_add(self::times(every, times - 1))
}

fn action(
    raw: &RawStep,
    span: Span,
    when: When,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<Action> {
    let chosen =
        [raw.product.is_some(), raw.set.is_some(), raw.add.is_some(), raw.remove.is_some(), raw.fault.is_some()];
    if chosen.iter().filter(|chosen| **chosen).count() != 1 {
        check.exactly_one("a step", &["product", "set", "add", "remove", "fault"], span);
        return None;
    }
    if let (Some(amount), None) = (&raw.amount, &raw.product) {
        check.note(ProblemKind::Needs { key: "amount", needs: "product" }, amount.span);
    }
    let mut wanted = |id: &str, span: Span| references.product(id, span, when.last, Some(when.by));
    if let Some(id) = &raw.product {
        let product = id.get().map(|(id, span)| wanted(id.of(check.document), span));
        let amount = check.required(raw.amount.as_ref(), "a step with `product`", "amount", span, span);
        let amount = amount.and_then(|(amount, span)| self::amount(amount, span, check));
        return Some(Action::Count { row: product?, amount: amount? });
    }
    if let Some((set, span)) = given(raw.set.as_ref()) {
        let product = check.required(set.product.as_ref(), "`set`", "product", span, span);
        let total = check.required(set.total.as_ref(), "`set`", "total", span, span);
        let (product, total) = (product?, total?);
        return Some(Action::Set { row: wanted(&product.0.text, product.1), value: check.total(*total.0, total.1) });
    }
    if let Some((remove, span)) = given(raw.remove.as_ref()) {
        let (id, span) = check.required(remove.product.as_ref(), "`remove`", "product", span, span)?;
        return Some(Action::Remove { row: wanted(&id.text, span) });
    }
    if let Some((raw, span)) = given(raw.fault.as_ref()) {
        return Some(Action::Fault(Arc::new(fault(raw, span, references, check)?)));
    }
    given(raw.add.as_ref()).and_then(|(raw, span)| add(raw, span, when, references, check))
}

fn add(
    raw: &RawAdd,
    span: Span,
    when: When,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<Action> {
    let category = check.required(raw.category.as_ref(), "`add`", "category", span, span);
    let category = category.map(|(name, span)| references.category(name, span, check));
    let (raw, _) = check.required(raw.product.as_ref(), "`add`", "product", span, span)?;
    let is_number = given(raw.id.as_ref()).is_some_and(|(id, _)| id.is_number);
    let id: Option<Arc<str>> = given(raw.id.as_ref()).map(|(id, span)| {
        if id.text.is_empty() {
            check.note(ProblemKind::EmptyName("a product's id"), span);
        }
        id.text.as_str().into()
    });
    let has_id = id.is_some();
    references.add(id.as_ref(), category.as_deref().unwrap_or_default(), when.first, when.by);
    let product = product(raw.clone(), id.unwrap_or_default(), check).with_number_id(is_number);
    let product = Arc::new(product);
    Some(Action::Add(Box::new(NewRow { collection: category?, has_id, row: product })))
}
