//! Which order, or which save, every change of a total comes from: each accepted order once, each other once at most.

use std::collections::BTreeMap;

use super::order::{Event, Phase, Place};
use super::record::{History, Order, Outcome, Span};
use super::shop::{DATED, SCRIPTED, SPACING, is_declared};

/// What is known of a place in the order, from those who asked for what happened there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dated {
    /// The place after it.
    pub(super) place: Place,
    pub(super) span: Span,
}

/// Finds the order of each change, and gives all places of which it is known when they were asked for.
pub(super) fn settle(history: &History, phases: &[Phase]) -> Result<Vec<Dated>, String> {
    let mut open: BTreeMap<(&str, i64), &Order> =
        history.orders.iter().map(|order| ((&*order.id, order.amount), order)).collect();
    let mut dated = Vec::new();
    let mut served = 0;
    for (number, phase) in phases.iter().enumerate() {
        if let Some(reset) = number.checked_sub(1).map(|reset| history.resets[reset]) {
            dated.push(Dated { place: Place { phase: number, event: 0 }, span: reset });
        }
        served = serves(history, phase, 0, served)?;
        for (index, event) in phase.events.iter().enumerate() {
            let Event::Total { id, total } = event else { continue };
            let change = total - phase.total(index, id).unwrap_or_default();
            match id.as_str() {
                SCRIPTED if change == 1 => {}
                id if is_declared(change) => served = reload(history, phase, (index, id), served)?,
                id => {
                    let span = take(&mut open, id, change)?;
                    dated.push(Dated { place: Place { phase: number, event: index + 1 }, span });
                }
            }
        }
    }
    if served + 1 != history.saves.len() {
        return Err(format!("save {served} is served at the end, and there are {}", history.saves.len()));
    }
    match open.values().find(|order| order.outcome == Outcome::Accepted) {
        Some(lost) => Err(format!("{lost:?} is lost")),
        None => Ok(dated),
    }
}

fn take<'h>(open: &mut BTreeMap<(&'h str, i64), &'h Order>, id: &'h str, amount: i64) -> Result<Span, String> {
    match open.remove(&(id, amount)) {
        Some(order) if order.outcome == Outcome::Refused => Err(format!("{order:?} has happened")),
        Some(order) => Ok(order.span),
        None => Err(format!("{id} changed by {amount}, which nobody ordered, or it happened before")),
    }
}

/// The save whose declared totals are the totals after so many events of a phase; not an older one than that before.
fn serves(history: &History, phase: &Phase, event: usize, before: usize) -> Result<usize, String> {
    let date = phase.total(event, DATED).unwrap_or_default() / SPACING;
    let save = usize::try_from(date).ok().filter(|save| *save >= before).and_then(|save| history.saves.get(save));
    let save = save.ok_or_else(|| format!("{DATED} begins with save {date} after save {before}"))?;
    match save.iter().find(|(id, total)| phase.total(event, id) != Some(**total)) {
        Some((id, total)) => Err(format!("{id} begins with {:?} instead of {total}", phase.total(event, id))),
        None => Ok(usize::try_from(date).unwrap_or_default()),
    }
}

/// A declared total of another save: that which tells the save comes first, the other one right after it, if it is
/// another than before.
fn reload(history: &History, phase: &Phase, change: (usize, &str), served: usize) -> Result<usize, String> {
    let (index, id) = change;
    let total = phase.total(index + 1, id).unwrap_or_default();
    if id != DATED {
        let follows = index > 0 && matches!(&phase.events[index - 1], Event::Total { id, .. } if id == DATED);
        let is_served = history.saves[served].get(id) == Some(&total);
        return if follows && is_served { Ok(served) } else { Err(format!("{id} is {total} in no save of the time")) };
    }
    let save = usize::try_from(total / SPACING).ok().filter(|save| *save > served && total % SPACING == 0);
    let save = save.filter(|save| *save < history.saves.len());
    let save = save.ok_or_else(|| format!("{id} is {total} in no save after save {served}"))?;
    for (id, declared) in history.saves[save].iter().filter(|(id, _)| *id != DATED) {
        let other = Event::Total { id: id.clone(), total: *declared };
        if history.saves[served][id] != *declared && phase.events.get(index + 1) != Some(&other) {
            return Err(format!("save {save} came without {id}"));
        }
    }
    Ok(save)
}
