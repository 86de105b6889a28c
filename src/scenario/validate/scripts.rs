//! Checks the scripts of `orders` and their steps.

use std::sync::Arc;
use std::time::Duration;

use super::categories::product;
use super::faults::fault_at;
use super::references::{References, StepNumber};
use super::{Validator, given, removals};
use crate::scenario::problem::{ProblemKind, TimingMistake};
use crate::scenario::raw::{RawAdd, RawRepeat, RawScript, RawStep};
use crate::scenario::shop::{OrderScript, OrderStep, ShopAction, length};
use crate::scenario::source::Span;
use crate::scenario::units::{MAX_AT_ONCE, MAX_DURATION, MIN_PERIOD, times};
use crate::scenario::yaml::{Items, JsonNode, Spanned};
use crate::scenario::{NewRow, Repeat};

pub(super) fn scripts(
    list: &[Spanned<RawScript>],
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Vec<OrderScript> {
    let scripts = list.iter().enumerate().filter_map(|(number, script)| Some((number, script.get()?)));
    scripts.filter_map(|(number, (raw, span))| script(raw, span, number, references, check)).collect()
}

fn script(
    raw: &RawScript,
    span: Span,
    number: usize,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<OrderScript> {
    let (list, list_span) = check.required(raw.steps.as_ref(), "a script", "steps", span, span)?;
    if list.len() == 0 {
        check.report(ProblemKind::EmptyList("`steps`"), list_span);
    }
    let start = check.duration(raw.start.as_ref()).map(|(start, _)| start).unwrap_or_default();
    let repeat = match given(raw.repeat.as_ref()) {
        None => Some(Repeat::Times(1)),
        Some((RawRepeat::Forever, _)) => Some(Repeat::Forever),
        Some((RawRepeat::Times(times), span)) => check.count("repeat", *times, span).map(Repeat::Times),
    };
    let since = references.mark();
    let steps = steps(list, number, references, check);
    let length = length(&steps);
    references.convert_times(since, start, repeats(repeat, length));
    removals::record(list, &steps, number, references, check);
    if let (Some(raw), Some(repeat)) = (&raw.repeat, repeat)
        && length < MIN_PERIOD
        // An invalid step may take time, so the length is unknown.
        && steps.len() == list.len()
    {
        let at_once = steps.iter().fold(0_u64, |sum, step| sum.saturating_add(step.times));
        match repeat {
            Repeat::Forever => check.report(TimingMistake::InstantRepeat.into(), raw.span),
            Repeat::Times(count) if count > 1 && at_once.saturating_mul(count) > MAX_AT_ONCE => {
                check.report(TimingMistake::TooManyRepeatsAtOnce.into(), raw.span);
            }
            Repeat::Times(_) => {}
        }
    }
    let name = check.name(raw.name.as_ref(), "a script's name");
    Some(OrderScript { name, start, repeat: repeat?, steps })
}

/// Returns the time from the start of the first repeat to the start of the last.
fn repeats(repeat: Option<Repeat>, length: Duration) -> Duration {
    match repeat {
        // Each repeat comes after the previous one, even if neither takes any time.
        Some(Repeat::Times(count)) => times(length.max(Duration::from_nanos(1)), count - 1),
        Some(Repeat::Forever) | None => Duration::MAX,
    }
}

/// Checks the steps, in file order. Stops at the first step that is too late.
fn steps(
    list: &Items<RawStep>,
    script: usize,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Vec<OrderStep> {
    let document = check.document;
    let mut steps = Vec::with_capacity(list.len());
    let mut before = Duration::ZERO;
    for (number, item) in document.items(list).enumerate() {
        let Some((raw, span)) = item.get() else {
            references.add_any();
            continue;
        };
        let by = StepNumber { script, step: number };
        let Some(step) = step(raw, span, before, by, references, check) else { continue };
        before = step.end();
        if before > MAX_DURATION {
            check.report(TimingMistake::TooLate.into(), span);
            // Reported once, because all following steps would be even later.
            break;
        }
        steps.push(step);
    }
    steps
}

fn step(
    raw: &RawStep,
    span: Span,
    before: Duration,
    by: StepNumber,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<OrderStep> {
    let at = match (&raw.at, &raw.after) {
        (Some(_), Some(after)) => {
            check.report(ProblemKind::Exclusive("at", "after"), after.span);
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
        check.report(TimingMistake::TooManyAtOnce.into(), raw.span);
    }
    if let (Some(every), None) = (&raw.every, &raw.times) {
        check.report(ProblemKind::Needs { key: "every", needs: "times" }, every.span);
    }
    let every = every.map(|(every, _)| every).unwrap_or_default();
    // A step with an invalid time could run at any time.
    let last = at.zip(times).map_or(Duration::MAX, |(at, times)| last(at, times, every));
    let when = ActionTimes { first: at.unwrap_or_default(), last, by };
    let action = action(raw, span, when, references, check);
    Some(OrderStep { at: at?, times: times?, every, action: action? })
}

/// The first and the last time of an action, on its script's timeline.
#[derive(Clone, Copy)]
struct ActionTimes {
    first: Duration,
    last: Duration,
    by: StepNumber,
}

fn last(at: Duration, times: u64, every: Duration) -> Duration {
    at.saturating_add(self::times(every, times - 1))
}

fn action(
    raw: &RawStep,
    span: Span,
    when: ActionTimes,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<ShopAction> {
    let chosen =
        [raw.product.is_some(), raw.set.is_some(), raw.add.is_some(), raw.remove.is_some(), raw.fault.is_some()];
    if chosen.iter().filter(|chosen| **chosen).count() != 1 {
        check.needs_exactly_one("a step", &["product", "set", "add", "remove", "fault"], span);
        references.add_any();
        return None;
    }
    if let (Some(amount), None) = (&raw.amount, &raw.product) {
        check.report(ProblemKind::Needs { key: "amount", needs: "product" }, amount.span);
    }
    let mut reference = |id: &str, span: Span| references.product(id, span, when.last, Some(when.by));
    if let Some(id) = &raw.product {
        let product = id.get().map(|(id, span)| reference(id.of(check.document), span));
        let amount = check.required(raw.amount.as_ref(), "a step with `product`", "amount", span, span);
        let amount = amount.and_then(|(amount, span)| check.amount(amount, span));
        return Some(ShopAction::Order { product: product?, amount: amount? });
    }
    if let Some((set, span)) = given(raw.set.as_ref()) {
        let product = check.required(set.product.as_ref(), "`set`", "product", span, span);
        let total = check.required(set.total.as_ref(), "`set`", "total", span, span);
        let (product, total) = (product?, total?);
        return Some(ShopAction::Set {
            product: reference(&product.0.text, product.1),
            total: check.total(*total.0, total.1),
        });
    }
    if let Some((remove, span)) = given(raw.remove.as_ref()) {
        let (id, span) = check.required(remove.product.as_ref(), "`remove`", "product", span, span)?;
        return Some(ShopAction::Remove { product: reference(&id.text, span) });
    }
    if let Some((JsonNode(node), _)) = given(raw.fault.as_ref()) {
        return Some(ShopAction::Fault(Arc::new(fault_at(*node, references, check)?)));
    }
    let Some((raw, span)) = given(raw.add.as_ref()) else {
        references.add_any();
        return None;
    };
    add(raw, span, when, references, check)
}

fn add(
    raw: &RawAdd,
    span: Span,
    when: ActionTimes,
    references: &mut References<'_>,
    check: &mut Validator<'_>,
) -> Option<ShopAction> {
    let category = check.required(raw.category.as_ref(), "`add`", "category", span, span);
    let category = category.map(|(name, span)| references.category(name, span, check));
    let Some((raw, _)) = check.required(raw.product.as_ref(), "`add`", "product", span, span) else {
        references.add_any();
        return None;
    };
    let is_number = given(raw.id.as_ref()).is_some_and(|(id, _)| id.is_number);
    let id: Option<Arc<str>> = given(raw.id.as_ref()).map(|(id, span)| {
        if id.text.is_empty() {
            check.report(ProblemKind::EmptyName("a product's id"), span);
        }
        id.text.as_str().into()
    });
    let has_id = id.is_some();
    references.add(id.as_ref(), category.as_deref().unwrap_or_default(), when.first, when.by);
    let product = product(raw.clone(), id.unwrap_or_default(), check).with_number_id(is_number);
    let product = Arc::new(product);
    Some(ShopAction::Add(Box::new(NewRow { collection: category?, has_id, row: product })))
}
