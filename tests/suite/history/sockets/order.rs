//! The order of changes from the transcript, and the places of answers in it.

use serde_json::Value;

use super::checker::Violation;
use super::record::{Rows, SocketHistory, View, by_id};

/// A change of a row.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) sequence: u64,
    row: Option<Value>,
    before: Option<Value>,
    /// The moment of the change. A removal has none of its own and takes the previous one.
    moment: u64,
}

/// The order of changes. A place in it is the number of changes before.
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
    /// Returns the order, or the first inconsistent line of the transcript.
    pub(super) fn of(history: &SocketHistory) -> Result<Self, Violation> {
        let mut order = Self { changes: Vec::new(), states: vec![by_id(&history.start)] };
        for (index, line) in history.transcript.iter().enumerate() {
            let is_next = line["sequence"] == index + 1;
            if !is_next || (line["collection"] == "rows" && !order.append(line)) {
                return Err(Violation::Line(line.clone()));
            }
        }
        let (state, end) = (order.latest(), by_id(&history.end));
        if *state == end { Ok(order) } else { Err(Violation::End { state: state.clone(), end }) }
    }

    fn latest(&self) -> &Rows {
        &self.states[self.changes.len()]
    }

    /// Appends a change, and returns whether it is consistent with the rows before it.
    fn append(&mut self, line: &Value) -> bool {
        let (Some(sequence), Some(id)) = (line["sequence"].as_u64(), line["id"].as_u64()) else { return false };
        let (mut rows, row) = (self.latest().clone(), line.get("row").cloned());
        let before = match &row {
            Some(row) => rows.insert(id, row.clone()),
            None => rows.remove(&id),
        };
        let is_consistent = match line["event"].as_str() {
            Some("added") => row.is_some() && before.is_none(),
            Some("merged" | "replaced") => row.is_some() && before.is_some(),
            Some("removed") => row.is_none() && before.is_some(),
            _ => false,
        };
        let last = self.changes.last().map_or(0, |last| last.moment);
        let moment = row.as_ref().map_or(Some(last), |row| row["moment"].as_u64().filter(|moment| *moment > last));
        self.changes.push(Change { sequence, row, before, moment: moment.unwrap_or(last) });
        self.states.push(rows);
        is_consistent && moment.is_some()
    }

    /// Returns the place at which an answer reported these rows at a moment. Only removals lie between two moments, so
    /// the rows distinguish the places.
    pub(super) fn place(&self, moment: u64, rows: &Rows, view: &View) -> Option<usize> {
        let last = self.changes.partition_point(|change| change.moment < moment);
        let removals = self.changes[..last].iter().rev().take_while(|change| change.row.is_none()).count();
        (last - removals..=last).find(|place| view.answered(&self.states[*place]) == *rows)
    }

    /// Returns the first change from a place on that a view shows.
    pub(super) fn next(&self, place: usize, view: &View) -> Option<usize> {
        (place..self.changes.len()).find(|at| self.changes[*at].is_for(view))
    }

    /// Returns the index of the change with a sequence number.
    pub(super) fn find(&self, sequence: u64) -> Option<usize> {
        self.changes.binary_search_by_key(&sequence, |change| change.sequence).ok()
    }
}
