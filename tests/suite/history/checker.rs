//! Whether one order of events explains a whole history: a pure function.

use std::collections::BTreeMap;
use std::fmt;

use super::accounts::{Dated, settle};
use super::order::{Event, Phase, phases};
use super::record::{History, Named, Outcome};
use super::views::{Window, follow};

/// How much there was to explain.
#[derive(Debug)]
pub(super) struct Explained {
    accepted: usize,
    in_doubt: usize,
    events: usize,
    phases: usize,
    saves: usize,
    sockets: usize,
    frames: usize,
}

impl Explained {
    /// Whether something of everything happened.
    pub(super) fn is_worth_it(&self) -> bool {
        let Self { accepted, in_doubt, phases, saves, sockets, frames, .. } = *self;
        accepted > 100 && in_doubt > 0 && phases > 1 && saves > 2 && sockets > 10 && frames > 1000
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { accepted, in_doubt, events, phases, saves, sockets, frames } = self;
        write!(out, "{accepted} orders accepted, {in_doubt} in doubt, {events} events, {} resets, ", phases - 1)?;
        write!(out, "{saves} saves, {frames} frames on {sockets} sockets: one order explains all of it")
    }
}

/// Looks for the one order of events; or says what contradicts it.
pub(super) fn check(history: &History) -> Result<Explained, String> {
    let phases = phases(history)?;
    let dated = settle(history, &phases)?;
    in_time(&dated)?;
    all_added(history, &phases)?;
    ends_as_told(history, &phases)?;
    for (number, stream) in history.witnesses.iter().chain(&history.streams).enumerate() {
        let window = Window::of(stream, &dated);
        follow(stream, &phases, &window).map_err(|error| format!("socket {number}: {error}"))?;
    }
    let with = |outcome| history.orders.iter().filter(|order| order.outcome == outcome).count();
    Ok(Explained {
        accepted: with(Outcome::Accepted),
        in_doubt: with(Outcome::InDoubt),
        events: phases.iter().map(|phase| phase.events.len()).sum(),
        phases: phases.len(),
        saves: history.saves.len(),
        sockets: history.frames().len(),
        frames: history.frames().into_iter().map(<[String]>::len).sum(),
    })
}

/// What was answered before something else was asked has happened before it.
pub(super) fn in_time(dated: &[Dated]) -> Result<(), String> {
    let mut soonest = u64::MAX;
    for Dated { place, span } in dated.iter().rev() {
        if soonest < span.asked {
            return Err(format!("{span:?} is at {place:?}, before what was answered when it was asked"));
        }
        soonest = soonest.min(span.answered);
    }
    Ok(())
}

/// Every product that an answer names was added once, and no other but those whose answer leaves it open.
fn all_added(history: &History, phases: &[Phase]) -> Result<(), String> {
    let of = |event: &Event| match event {
        Event::Added(product) => Some(product.clone()),
        Event::Total { .. } => None,
    };
    let mut happened: Vec<Named> = phases.iter().flat_map(|phase| &phase.events).filter_map(of).collect();
    let mut answered = history.added.clone();
    happened.sort();
    answered.sort();
    let mut perhaps = history.perhaps_added.clone();
    let mut answers = answered.iter().peekable();
    for product in &happened {
        let is_answered = answers.next_if(|answer| *answer == product).is_some();
        let open = perhaps.iter().position(|category| *category == product.category);
        match open {
            _ if is_answered => {}
            Some(open) => drop(perhaps.swap_remove(open)),
            None => return Err(format!("{answered:?} were added, and events tell of {happened:?}")),
        }
    }
    match answers.next() {
        None => Ok(()),
        Some(_) => Err(format!("{answered:?} were added, and events tell of {happened:?}")),
    }
}

/// The totals that were told at the end are those after the last event.
fn ends_as_told(history: &History, phases: &[Phase]) -> Result<(), String> {
    let rows = phases.last().and_then(|phase| phase.states.last()).map(Vec::as_slice).unwrap_or_default();
    let totals: BTreeMap<String, i64> = rows.iter().map(|row| (row.product.id.clone(), row.total)).collect();
    if totals == history.totals { Ok(()) } else { Err(format!("{totals:?} at the end, told was {:?}", history.totals)) }
}
