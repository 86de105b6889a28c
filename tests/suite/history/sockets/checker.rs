//! Whether what sockets were told is what happened: a pure function.

use std::collections::BTreeSet;

use serde_json::Value;
use thiserror::Error;

use super::order::Order;
use super::record::{Ask, Rows, SocketHistory, SocketLog, Told, View, by_id};

/// What contradicts the order of changes, and where.
#[derive(Debug, Error)]
#[error("{place}: {what}")]
pub(super) struct Contradiction {
    place: String,
    pub(super) what: Violation,
}

/// What is wrong with what a socket was told. Events are named by their `sequence`.
#[derive(Debug, PartialEq, Error)]
pub(super) enum Violation {
    #[error("event {0} is missing")]
    Missing(u64),
    #[error("event {0} came twice")]
    Doubled(u64),
    #[error("event {event} came after event {after}")]
    OutOfOrder { event: u64, after: u64 },
    #[error("event {0} is from outside of the membership")]
    Foreign(u64),
    #[error("with event {event} the rows became {copy:?} instead of {state:?}")]
    Copy { event: u64, copy: Rows, state: Rows },
    #[error("the rows were never {rows:?} at moment {moment}")]
    Rows { moment: u64, rows: Rows },
    #[error("the answer to {ask} came where that to {expected} has to come")]
    Answer { ask: usize, expected: usize },
    #[error("{0} is neither an answer nor a change")]
    Unknown(Value),
    #[error("{answered} of {asked} were answered when everything was left and read")]
    Incomplete { answered: usize, asked: usize },
    #[error("{0} does not go on from what is before it")]
    Line(Value),
    #[error("the rows at the end are {end:?} instead of {state:?}")]
    End { state: Rows, end: Rows },
}

/// How much there was to explain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) changes: usize,
    pub(super) sockets: usize,
    /// From an answer to the next.
    pub(super) visits: usize,
    /// Those that ended because their client left.
    pub(super) cut: usize,
    /// Changes that sockets were told of.
    pub(super) told: usize,
}

impl Explained {
    /// Whether enough of everything happened.
    pub(super) fn is_worth_it(&self) -> bool {
        let Self { changes, visits, cut, told, .. } = *self;
        changes > 150 && visits > 60 && cut > 3 && told > 200
    }
}

/// Follows every socket through the one order; or says what contradicts it first.
pub(super) fn check(history: &SocketHistory) -> Result<Explained, Contradiction> {
    let of_transcript = |what| Contradiction { place: "the transcript".into(), what };
    let order = Order::of(history).map_err(of_transcript)?;
    let mut explained =
        Explained { changes: order.changes.len(), sockets: history.sockets.len(), ..Explained::default() };
    for log in &history.sockets {
        Follower { log, order: &order, answered: 0, moment: 0, visit: None }.follow(&mut explained)?;
    }
    Ok(explained)
}

/// A socket, as far as it was followed.
struct Follower<'h> {
    log: &'h SocketLog,
    order: &'h Order,
    answered: usize,
    /// That of the last answer.
    moment: u64,
    visit: Option<Visit<'h>>,
}

/// What a socket is told between two answers.
struct Visit<'h> {
    /// The number of what was asked.
    ask: usize,
    view: &'h View,
    /// Up to here it was told of everything.
    place: usize,
    /// The rows as its client knows them.
    copy: Rows,
    told: BTreeSet<u64>,
}

impl Follower<'_> {
    fn follow(mut self, explained: &mut Explained) -> Result<(), Contradiction> {
        let log = self.log;
        for (index, told) in log.told.iter().enumerate() {
            let followed = match told {
                Told::Answer { ask, moment, rows } => {
                    explained.visits += usize::from(self.visit.is_some());
                    self.answer(*ask, *moment, by_id(rows))
                }
                Told::Change { of, event } => {
                    explained.told += 1;
                    self.change(of.as_deref(), event, &log.told[index + 1..])
                }
            };
            followed.map_err(|what| Contradiction { place: format!("{}, frame {index}", log.name), what })?;
        }
        explained.cut += usize::from(self.visit.is_some());
        let (answered, asked) = (self.answered, log.asked.len());
        if log.is_complete && (answered < asked || self.visit.is_some()) {
            let what = Violation::Incomplete { answered, asked };
            return Err(Contradiction { place: format!("{}, at its end", log.name), what });
        }
        Ok(())
    }

    /// Ends the visit, if there is one, and begins another if that was asked for.
    fn answer(&mut self, ask: usize, moment: u64, rows: Rows) -> Result<(), Violation> {
        let before = self.visit.take();
        let out_of_turn = Violation::Answer { ask, expected: self.answered };
        let asked = self.log.asked.get(ask).filter(|_| ask == self.answered);
        let (view, goes_on) = match (asked, &before) {
            (Some(Ask::In(view)), _) => (view, true),
            (Some(Ask::Out), Some(visit)) => (visit.view, false),
            _ => return Err(out_of_turn),
        };
        let place = self.order.place(moment, &rows, view).filter(|_| moment > self.moment);
        let Some(place) = place else { return Err(Violation::Rows { moment, rows }) };
        (self.answered, self.moment) = (ask + 1, moment);
        if let Some(before) = before {
            before.end(self.order, place)?;
        }
        let begin = || Visit { ask, view, place, copy: view.of(&rows), told: BTreeSet::new() };
        self.visit = goes_on.then(begin);
        Ok(())
    }

    /// Takes a change, if it is the next of the visit. `rest` is what the socket was told after it.
    fn change(&mut self, of: Option<&str>, event: &Value, rest: &[Told]) -> Result<(), Violation> {
        let sequence = event["sequence"].as_u64().ok_or_else(|| Violation::Unknown(event.clone()))?;
        let id = self.log.id;
        let is_its = |visit: &&mut Visit| of.is_none_or(|of| of == format!("{id}/{}", visit.ask));
        let visit = self.visit.as_mut().filter(is_its).ok_or(Violation::Foreign(sequence))?;
        match self.order.next(visit.place, visit.view) {
            Some(next) if self.order.changes[next].sequence == sequence => visit.take(self.order, next, event),
            next => Err(visit.diagnose(self.order, sequence, next, rest)),
        }
    }
}

impl Visit<'_> {
    /// Applies a change to the copy, which has to become what the rows became.
    fn take(&mut self, order: &Order, at: usize, event: &Value) -> Result<(), Violation> {
        let sequence = order.changes[at].sequence;
        self.place = at + 1;
        self.told.insert(sequence);
        if let Some(id) = event["before"]["id"].as_u64() {
            self.copy.remove(&id);
        }
        let row = &event["row"];
        if let Some(id) = row["id"].as_u64().filter(|_| self.view.shows(row)) {
            self.copy.insert(id, row.clone());
        }
        let state = self.view.of(&order.states[self.place]);
        if self.copy == state {
            return Ok(());
        }
        Err(Violation::Copy { event: sequence, copy: self.copy.clone(), state })
    }

    /// What is wrong with an event that is not the next one.
    fn diagnose(&self, order: &Order, sequence: u64, next: Option<usize>, rest: &[Told]) -> Violation {
        if self.told.contains(&sequence) {
            return Violation::Doubled(sequence);
        }
        let is_to_come = |at: usize| at >= self.place && order.changes[at].is_for(self.view);
        let Some(next) = next.filter(|_| order.find(sequence).is_some_and(is_to_come)) else {
            return Violation::Foreign(sequence);
        };
        let next = order.changes[next].sequence;
        let mut of_visit = rest.iter().map_while(|told| match told {
            Told::Change { event, .. } => Some(event),
            Told::Answer { .. } => None,
        });
        if of_visit.any(|event| event["sequence"] == next) {
            Violation::OutOfOrder { event: next, after: sequence }
        } else {
            Violation::Missing(next)
        }
    }

    /// Ends it at a place: up to there it has to be told of everything, and of nothing from there on.
    fn end(&self, order: &Order, place: usize) -> Result<(), Violation> {
        if self.place > place {
            return Err(Violation::Foreign(order.changes[self.place - 1].sequence));
        }
        match order.next(self.place, self.view).filter(|next| *next < place) {
            Some(missing) => Err(Violation::Missing(order.changes[missing].sequence)),
            None => Ok(()),
        }
    }
}
