//! The one order of changes, from the transcript, and where in it something was answered.

use serde_json::Value;

use super::checker::Violation;
use super::record::{Rows, SocketHistory, View, by_id};

/// A change of a row.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) sequence: u64,
    row: Option<Value>,
    before: Option<Value>,
    /// That of the last change by then that has a moment: a removal has none.
    moment: u64,
}

/// A place in it is the number of changes that are before.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) changes: Vec<Change>,
    /// The rows at each place.
    pub(super) states: Vec<Rows>,
}

impl Change {
    pub(super) fn is_for(&self, view: &View) -> bool {
        self.row.iter().chain(&self.before).any(|row| view.shows(row))
    }
}

impl Order {
    /// The order; or what of the transcript does not go on from what is before it.
    pub(super) fn of(history: &SocketHistory) -> Result<Self, Violation> {
        let mut order = Self { changes: Vec::new(), states: vec![by_id(&history.start)] };
        for (index, line) in history.transcript.iter().enumerate() {
            let is_next = line["sequence"] == index + 1;
            if !is_next || (line["collection"] == "rows" && !order.goes_on(line)) {
                return Err(Violation::Line(line.clone()));
            }
        }
        let (state, end) = (order.now(), by_id(&history.end));
        if *state == end { Ok(order) } else { Err(Violation::End { state: state.clone(), end }) }
    }

    fn now(&self) -> &Rows {
        &self.states[self.changes.len()]
    }

    /// Adds a change, and says whether it fits what was before.
    fn goes_on(&mut self, line: &Value) -> bool {
        let (Some(sequence), Some(id)) = (line["sequence"].as_u64(), line["id"].as_u64()) else { return false };
        let (mut rows, row) = (self.now().clone(), line.get("row").cloned());
        let before = match &row {
            Some(row) => rows.insert(id, row.clone()),
            None => rows.remove(&id),
        };
        let fits = match line["event"].as_str() {
            Some("added") => row.is_some() && before.is_none(),
            Some("merged" | "replaced") => row.is_some() && before.is_some(),
            Some("removed") => row.is_none() && before.is_some(),
            _ => false,
        };
        let last = self.changes.last().map_or(0, |last| last.moment);
        let moment = row.as_ref().map_or(Some(last), |row| row["moment"].as_u64().filter(|moment| *moment > last));
        self.changes.push(Change { sequence, row, before, moment: moment.unwrap_or(last) });
        self.states.push(rows);
        fits && moment.is_some()
    }

    /// The place at which these rows were told at a moment. Between two moments there are only removals, so that the rows tell
    /// places apart.
    pub(super) fn place(&self, moment: u64, told: &Rows, view: &View) -> Option<usize> {
        let last = self.changes.partition_point(|change| change.moment < moment);
        let removals = self.changes[..last].iter().rev().take_while(|change| change.row.is_none()).count();
        (last - removals..=last).find(|place| view.told(&self.states[*place]) == *told)
    }

    /// The next change from a place on that a view shows.
    pub(super) fn next(&self, place: usize, view: &View) -> Option<usize> {
        (place..self.changes.len()).find(|at| self.changes[*at].is_for(view))
    }

    /// The change of that number.
    pub(super) fn find(&self, sequence: u64) -> Option<usize> {
        self.changes.binary_search_by_key(&sequence, |change| change.sequence).ok()
    }
}
