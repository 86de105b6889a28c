//! Checks whether a single order of events explains a whole history, as a pure function.

use std::collections::BTreeMap;
use std::fmt;

use super::accounts::{TimedPlace, attribute_changes};
use super::order::{Event, Phase, phases};
use super::record::{History, Outcome, ProductKey};
use super::views::{Window, follow};

/// Statistics about an explained history.
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
    /// Whether the run exercised everything.
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

/// Explains the history by a single order of events, or returns what contradicts it.
pub(super) fn check(history: &History) -> Result<Explained, String> {
    let phases = phases(history)?;
    let timed = attribute_changes(history, &phases)?;
    check_real_time(&timed)?;
    check_added(history, &phases)?;
    check_final_totals(history, &phases)?;
    for (number, stream) in history.witnesses.iter().chain(&history.streams).enumerate() {
        let window = Window::of(stream, &timed);
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

/// Checks that a request sent after the answer to another one also took effect after it.
pub(super) fn check_real_time(timed: &[TimedPlace]) -> Result<(), String> {
    let mut soonest = u64::MAX;
    for TimedPlace { place, span } in timed.iter().rev() {
        if soonest < span.sent {
            return Err(format!("{span:?} is at {place:?}, before a request that had already been answered"));
        }
        soonest = soonest.min(span.answered);
    }
    Ok(())
}

/// Checks that the events add each product that an answer names once, and others only where the answer is inconclusive.
fn check_added(history: &History, phases: &[Phase]) -> Result<(), String> {
    let added = |event: &Event| match event {
        Event::Added(product) => Some(product.clone()),
        Event::Total { .. } => None,
    };
    let mut happened: Vec<ProductKey> = phases.iter().flat_map(|phase| &phase.events).filter_map(added).collect();
    let mut answered = history.added.clone();
    happened.sort();
    answered.sort();
    let mut in_doubt = history.maybe_added.clone();
    let mut answers = answered.iter().peekable();
    for product in &happened {
        let is_answered = answers.next_if(|answer| *answer == product).is_some();
        let doubtful = in_doubt.iter().position(|category| *category == product.category);
        match doubtful {
            _ if is_answered => {}
            Some(doubtful) => drop(in_doubt.swap_remove(doubtful)),
            None => return Err(format!("{answered:?} were added, but the events add {happened:?}")),
        }
    }
    match answers.next() {
        None => Ok(()),
        Some(_) => Err(format!("{answered:?} were added, but the events add {happened:?}")),
    }
}

/// Checks that the totals reported at the end are those after the last event.
fn check_final_totals(history: &History, phases: &[Phase]) -> Result<(), String> {
    let rows = phases.last().and_then(|phase| phase.states.last()).map(Vec::as_slice).unwrap_or_default();
    let totals: BTreeMap<String, i64> = rows.iter().map(|row| (row.product.id.clone(), row.total)).collect();
    if totals == history.totals {
        Ok(())
    } else {
        Err(format!("{totals:?} at the end, but {:?} were reported", history.totals))
    }
}
