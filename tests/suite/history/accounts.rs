//! Attributes every change of a total to an order or a save. An accepted order causes exactly one change, an order in
//! doubt at most one.

use std::collections::BTreeMap;

use super::order::{Event, Phase, Place};
use super::record::{History, Order, Outcome, Span};
use super::shop::{MARKER, SCRIPTED, SPACING, is_declared};

/// A place in the order, with the span of the request that led to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedPlace {
    /// The place right after the change.
    pub(super) place: Place,
    pub(super) span: Span,
}

/// Attributes each change to its cause. Returns the places whose requests are known.
pub(super) fn attribute_changes(history: &History, phases: &[Phase]) -> Result<Vec<TimedPlace>, String> {
    let mut open: BTreeMap<(&str, i64), &Order> =
        history.orders.iter().map(|order| ((&*order.id, order.amount), order)).collect();
    let mut timed = Vec::new();
    let mut served = 0;
    for (number, phase) in phases.iter().enumerate() {
        if let Some(reset) = number.checked_sub(1).map(|reset| history.resets[reset]) {
            timed.push(TimedPlace { place: Place { phase: number, event: 0 }, span: reset });
        }
        served = served_save(history, phase, 0, served)?;
        for (index, event) in phase.events.iter().enumerate() {
            let Event::Total { id, total } = event else { continue };
            let change = total - phase.total(index, id).unwrap_or_default();
            match id.as_str() {
                SCRIPTED if change == 1 => {}
                id if is_declared(change) => served = check_reload(history, phase, (index, id), served)?,
                id => {
                    let span = take_order(&mut open, id, change)?;
                    timed.push(TimedPlace { place: Place { phase: number, event: index + 1 }, span });
                }
            }
        }
    }
    if served + 1 != history.saves.len() {
        return Err(format!("save {served} is served at the end, but there are {} saves", history.saves.len()));
    }
    match open.values().find(|order| order.outcome == Outcome::Accepted) {
        Some(lost) => Err(format!("{lost:?} is lost")),
        None => Ok(timed),
    }
}

fn take_order<'h>(open: &mut BTreeMap<(&'h str, i64), &'h Order>, id: &'h str, amount: i64) -> Result<Span, String> {
    match open.remove(&(id, amount)) {
        Some(order) if order.outcome == Outcome::Refused => Err(format!("{order:?} was refused but took effect")),
        Some(order) => Ok(order.span),
        None => Err(format!("no open order explains the change of {id} by {amount}")),
    }
}

/// Returns the save whose declared totals apply after `event` events of a phase. It must not precede `before`.
fn served_save(history: &History, phase: &Phase, event: usize, before: usize) -> Result<usize, String> {
    let marker = phase.total(event, MARKER).unwrap_or_default() / SPACING;
    let save = usize::try_from(marker).ok().filter(|save| *save >= before).and_then(|save| history.saves.get(save));
    let save = save.ok_or_else(|| format!("{MARKER} starts at save {marker} after save {before}"))?;
    match save.iter().find(|(id, total)| phase.total(event, id) != Some(**total)) {
        Some((id, total)) => Err(format!("{id} starts at {:?} instead of {total}", phase.total(event, id))),
        None => Ok(usize::try_from(marker).unwrap_or_default()),
    }
}

/// Checks a change to a declared total, and returns the save that is served then. The marker changes first. The other
/// total follows immediately if it differs.
fn check_reload(history: &History, phase: &Phase, change: (usize, &str), served: usize) -> Result<usize, String> {
    let (index, id) = change;
    let total = phase.total(index + 1, id).unwrap_or_default();
    if id != MARKER {
        let follows = index > 0 && matches!(&phase.events[index - 1], Event::Total { id, .. } if id == MARKER);
        let is_served = history.saves[served].get(id) == Some(&total);
        return if follows && is_served {
            Ok(served)
        } else {
            Err(format!("the change of {id} to {total} does not follow a reload to save {served}"))
        };
    }
    let save = usize::try_from(total / SPACING).ok().filter(|save| *save > served && total % SPACING == 0);
    let save = save.filter(|save| *save < history.saves.len());
    let save = save.ok_or_else(|| format!("no save after save {served} declares {id} as {total}"))?;
    for (id, declared) in history.saves[save].iter().filter(|(id, _)| *id != MARKER) {
        let expected = Event::Total { id: id.clone(), total: *declared };
        if history.saves[served][id] != *declared && phase.events.get(index + 1) != Some(&expected) {
            return Err(format!("save {save} came without {id}"));
        }
    }
    Ok(save)
}
