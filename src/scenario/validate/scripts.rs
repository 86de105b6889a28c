//! Checks scripts and puts their steps on a timeline.

use std::sync::Arc;
use std::time::Duration;

use super::categories::product;
use super::{Check, Known, given};
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::{RawAdd, RawRepeat, RawScript, RawStep};
use crate::scenario::source::Span;
use crate::scenario::units::{MAX_AT_ONCE, MAX_DURATION, MIN_PERIOD};
use crate::scenario::yaml::Spanned;
use crate::scenario::{Action, NewProduct, Repeat, Script, Step};

/// Notes which products scripts could add, before any reference is judged.
pub(super) fn collect_added(scripts: &[Spanned<RawScript>], known: &mut Known<'_>) {
    let steps = scripts.iter().filter_map(|script| given(script.get()?.0.steps.as_ref())).flat_map(|(steps, _)| steps);
    for (add, _) in steps.filter_map(|step| given(step.get()?.0.add.as_ref())) {
        let id = given(add.product.as_ref()).and_then(|(product, _)| given(product.id.as_ref()));
        let category = given(add.category.as_ref()).and_then(|(name, _)| known.category(name));
        match (id, category) {
            (Some((id, _)), _) => drop(known.ids.insert(id.as_str().into())),
            (None, Some(category)) => known.growing.push(&category.prefix),
            (None, None) => {}
        }
    }
}

pub(super) fn scripts(list: &[Spanned<RawScript>], known: &Known<'_>, check: &mut Check) -> Vec<Script> {
    list.iter().filter_map(Spanned::get).filter_map(|(raw, span)| script(raw, span, known, check)).collect()
}

fn script(raw: &RawScript, span: Span, known: &Known<'_>, check: &mut Check) -> Option<Script> {
    let (list, list_span) = check.required(raw.steps.as_ref(), "a script", "steps", span)?;
    if list.is_empty() {
        check.note(ProblemKind::EmptyList("`steps`"), list_span);
    }
    let mut steps = Vec::with_capacity(list.len());
    let mut before = Duration::ZERO;
    for (raw, span) in list.iter().filter_map(Spanned::get) {
        let Some(step) = step(raw, span, before, known, check) else { continue };
        before = end(&step);
        if before > MAX_DURATION {
            check.note(ProblemKind::TooLate, span);
            return None;
        }
        steps.push(step);
    }
    let repeat = match given(raw.repeat.as_ref()) {
        None => Repeat::Times(1),
        Some((RawRepeat::Forever, _)) => Repeat::Forever,
        Some((RawRepeat::Times(times), span)) => Repeat::Times(check.count("repeat", *times, span)?),
    };
    let length = steps.iter().map(end).max().unwrap_or_default();
    if let Some(raw) = &raw.repeat
        && length < MIN_PERIOD
        && repeat != Repeat::Times(1)
    {
        check.note(ProblemKind::InstantRepeat, raw.span);
    }
    steps.sort_by_key(|step| step.at);
    Some(Script {
        name: check.name(raw.name.as_ref(), "a script's name"),
        start: check.duration(raw.start.as_ref()).map(|(start, _)| start).unwrap_or_default(),
        repeat,
        steps: steps.into(),
        length,
    })
}

/// When the last action of a step happens.
fn end(step: &Step) -> Duration {
    let repeats = u32::try_from(step.times - 1).unwrap_or(u32::MAX);
    step.at.saturating_add(step.every.saturating_mul(repeats))
}

fn step(raw: &RawStep, span: Span, before: Duration, known: &Known<'_>, check: &mut Check) -> Option<Step> {
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
    if let (Some(times), None, Some(raw)) = (times, every, &raw.times)
        && times > MAX_AT_ONCE
    {
        check.note(ProblemKind::TooManyAtOnce, raw.span);
    }
    if let (Some(every), None) = (&raw.every, &raw.times) {
        check.note(ProblemKind::Needs { key: "every", needs: "times" }, every.span);
    }
    let action = action(raw, span, known, check);
    let every = every.map(|(every, _)| every).unwrap_or_default();
    Some(Step { at: at?, times: times?, every, action: action? })
}

fn action(raw: &RawStep, span: Span, known: &Known<'_>, check: &mut Check) -> Option<Action> {
    let chosen = [raw.product.is_some(), raw.set.is_some(), raw.add.is_some(), raw.remove.is_some()];
    if chosen.iter().filter(|chosen| **chosen).count() != 1 {
        let choices = "`product`, `set`, `add` and `remove`";
        check.note(ProblemKind::NotExactlyOne { owner: "a step", choices }, span);
        return None;
    }
    if let (Some(amount), None) = (&raw.amount, &raw.product) {
        check.note(ProblemKind::Needs { key: "amount", needs: "product" }, amount.span);
    }
    if let Some(id) = &raw.product {
        let product = id.get().map(|(id, span)| check.product(id, span, known));
        let amount = check.required(raw.amount.as_ref(), "a step with `product`", "amount", span);
        let amount = amount.map(|(amount, span)| check.total(*amount, span));
        return Some(Action::Order { product: product?, amount: amount? });
    }
    if let Some((set, span)) = given(raw.set.as_ref()) {
        let product = check.required(set.product.as_ref(), "`set`", "product", span);
        let total = check.required(set.total.as_ref(), "`set`", "total", span);
        let (product, total) = (product?, total?);
        return Some(Action::Set {
            product: check.product(product.0, product.1, known),
            total: check.total(*total.0, total.1),
        });
    }
    if let Some((remove, span)) = given(raw.remove.as_ref()) {
        let (id, span) = check.required(remove.product.as_ref(), "`remove`", "product", span)?;
        return Some(Action::Remove { product: check.product(id, span, known) });
    }
    given(raw.add.as_ref()).and_then(|(raw, span)| add(raw, span, known, check))
}

fn add(raw: &RawAdd, span: Span, known: &Known<'_>, check: &mut Check) -> Option<Action> {
    let category = check.required(raw.category.as_ref(), "`add`", "category", span);
    let category = category.map(|(name, span)| check.category(name, span, known));
    let (raw, _) = check.required(raw.product.as_ref(), "`add`", "product", span)?;
    let id: Option<Arc<str>> = given(raw.id.as_ref()).map(|(id, _)| id.as_str().into());
    let has_id = id.is_some();
    let product = Arc::new(product(raw, id.unwrap_or_default(), check));
    Some(Action::Add(Box::new(NewProduct { category: category?, has_id, product })))
}
