//! Checks the frames of sockets against the order of changes, as a pure function.

use std::collections::BTreeSet;

use serde_json::Value;
use thiserror::Error;

use super::order::Order;
use super::record::{Received, Request, Rows, SocketHistory, SocketLog, View, by_id};

/// A contradiction of the order of changes, and its place.
#[derive(Debug, Error)]
#[error("{place}: {violation}")]
pub(super) struct Contradiction {
    place: String,
    pub(super) violation: Violation,
}

/// An error in the frames of a socket. Events are named by their `sequence`.
#[derive(Debug, PartialEq, Error)]
pub(super) enum Violation {
    #[error("event {0} is missing")]
    Missing(u64),
    #[error("event {0} came twice")]
    Doubled(u64),
    #[error("event {event} came after event {after}")]
    OutOfOrder { event: u64, after: u64 },
    #[error("event {0} is from outside the membership")]
    Foreign(u64),
    #[error("event {event} changes the rows to {copy:?} instead of {state:?}")]
    Copy { event: u64, copy: Rows, state: Rows },
    #[error("the rows were never {rows:?} at moment {moment}")]
    Rows { moment: u64, rows: Rows },
    #[error("request {request} was answered instead of request {expected}")]
    Answer { request: usize, expected: usize },
    #[error("{0} is neither an answer nor a change")]
    Unknown(Value),
    #[error("{answered} of {requests} requests were answered at the end")]
    Incomplete { answered: usize, requests: usize },
    #[error("{0} does not follow from the lines before it")]
    Line(Value),
    #[error("the rows at the end are {end:?} instead of {state:?}")]
    End { state: Rows, end: Rows },
}

/// Statistics about an explained history.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) changes: usize,
    pub(super) sockets: usize,
    /// Periods from one answer to the next.
    pub(super) visits: usize,
    /// Visits that ended because the client disconnected.
    pub(super) interrupted: usize,
    /// Changes that sockets received.
    pub(super) received: usize,
}

impl Explained {
    /// Whether the run exercised everything often enough.
    pub(super) fn is_worth_it(&self) -> bool {
        let Self { changes, visits, interrupted, received, .. } = *self;
        changes > 150 && visits > 60 && interrupted > 3 && received > 200
    }
}

/// Follows every socket through the order, or returns the first contradiction.
pub(super) fn check(history: &SocketHistory) -> Result<Explained, Contradiction> {
    let in_transcript = |violation| Contradiction { place: "the transcript".into(), violation };
    let order = Order::of(history).map_err(in_transcript)?;
    let mut explained =
        Explained { changes: order.changes.len(), sockets: history.sockets.len(), ..Explained::default() };
    for log in &history.sockets {
        Follower { log, order: &order, answered: 0, moment: 0, visit: None }.follow(&mut explained)?;
    }
    Ok(explained)
}

/// A socket and the progress of following it.
struct Follower<'h> {
    log: &'h SocketLog,
    order: &'h Order,
    answered: usize,
    /// The moment of the last answer.
    moment: u64,
    visit: Option<Visit<'h>>,
}

/// The period between two answers in which a socket receives changes.
struct Visit<'h> {
    /// The number of the request.
    request: usize,
    view: &'h View,
    /// The socket has received every change before this place.
    place: usize,
    /// The client's copy of the rows.
    copy: Rows,
    received: BTreeSet<u64>,
}

impl Follower<'_> {
    fn follow(mut self, explained: &mut Explained) -> Result<(), Contradiction> {
        let log = self.log;
        for (index, frame) in log.received.iter().enumerate() {
            let followed = match frame {
                Received::Answer { request, moment, rows } => {
                    explained.visits += usize::from(self.visit.is_some());
                    self.answer(*request, *moment, by_id(rows))
                }
                Received::Change { of, event } => {
                    explained.received += 1;
                    self.change(of.as_deref(), event, &log.received[index + 1..])
                }
            };
            followed.map_err(|violation| Contradiction { place: format!("{}, frame {index}", log.name), violation })?;
        }
        explained.interrupted += usize::from(self.visit.is_some());
        let (answered, requests) = (self.answered, log.requests.len());
        if log.is_complete && (answered < requests || self.visit.is_some()) {
            let violation = Violation::Incomplete { answered, requests };
            return Err(Contradiction { place: format!("{}, at its end", log.name), violation });
        }
        Ok(())
    }

    /// Ends the current visit, if any, and starts another one if the request was to join.
    fn answer(&mut self, request: usize, moment: u64, rows: Rows) -> Result<(), Violation> {
        let before = self.visit.take();
        let misordered = Violation::Answer { request, expected: self.answered };
        let sent = self.log.requests.get(request).filter(|_| request == self.answered);
        let (view, is_join) = match (sent, &before) {
            (Some(Request::Join(view)), _) => (view, true),
            (Some(Request::Leave), Some(visit)) => (visit.view, false),
            _ => return Err(misordered),
        };
        let place = self.order.place(moment, &rows, view).filter(|_| moment > self.moment);
        let Some(place) = place else { return Err(Violation::Rows { moment, rows }) };
        (self.answered, self.moment) = (request + 1, moment);
        if let Some(before) = before {
            before.end(self.order, place)?;
        }
        let start = || Visit { request, view, place, copy: view.of(&rows), received: BTreeSet::new() };
        self.visit = is_join.then(start);
        Ok(())
    }

    /// Applies a change, which must be the next one of the visit. `rest` holds the frames after it.
    fn change(&mut self, of: Option<&str>, event: &Value, rest: &[Received]) -> Result<(), Violation> {
        let sequence = event["sequence"].as_u64().ok_or_else(|| Violation::Unknown(event.clone()))?;
        let id = self.log.id;
        let matches = |visit: &&mut Visit| of.is_none_or(|of| of == format!("{id}/{}", visit.request));
        let visit = self.visit.as_mut().filter(matches).ok_or(Violation::Foreign(sequence))?;
        match self.order.next(visit.place, visit.view) {
            Some(next) if self.order.changes[next].sequence == sequence => visit.apply(self.order, next, event),
            next => Err(visit.diagnose(self.order, sequence, next, rest)),
        }
    }
}

impl Visit<'_> {
    /// Applies a change to the copy, which must then equal the rows.
    fn apply(&mut self, order: &Order, at: usize, event: &Value) -> Result<(), Violation> {
        let sequence = order.changes[at].sequence;
        self.place = at + 1;
        self.received.insert(sequence);
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

    /// Returns the violation of an event that is not the next one.
    fn diagnose(&self, order: &Order, sequence: u64, next: Option<usize>, rest: &[Received]) -> Violation {
        if self.received.contains(&sequence) {
            return Violation::Doubled(sequence);
        }
        let is_upcoming = |at: usize| at >= self.place && order.changes[at].is_for(self.view);
        let Some(next) = next.filter(|_| order.find(sequence).is_some_and(is_upcoming)) else {
            return Violation::Foreign(sequence);
        };
        let next = order.changes[next].sequence;
        let mut upcoming = rest.iter().map_while(|frame| match frame {
            Received::Change { event, .. } => Some(event),
            Received::Answer { .. } => None,
        });
        if upcoming.any(|event| event["sequence"] == next) {
            Violation::OutOfOrder { event: next, after: sequence }
        } else {
            Violation::Missing(next)
        }
    }

    /// Ends the visit at a place. The socket must have received every change before the place, and none after it.
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
