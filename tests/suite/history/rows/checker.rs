//! Checks whether one order of changes explains the replies to all clients of a collection, as a pure function.

use serde_json::Value;

use super::super::accounts::TimedPlace;
use super::super::checker::check_real_time;
use super::super::order::Place;
use super::super::record::Span;

/// The operations of clients, and the changes that a stream reported.
#[derive(Debug, Clone, Default)]
pub(super) struct RowHistory {
    /// The rows at the start.
    pub(super) start: Vec<Value>,
    /// The events of the collection in their order.
    pub(super) events: Vec<Value>,
    pub(super) operations: Vec<Operation>,
}

/// An operation of a client: when it was requested, and the reply.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) span: Span,
    pub(super) reply: Reply,
}

#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// The row that was added.
    Added(Value),
    /// The row after these fields were merged.
    Merged { fields: Value, row: Value },
    /// The row after a vote for it.
    Voted(Value),
    /// The id of the row that was removed.
    Removed(Value),
    /// All rows.
    Listed(Vec<Value>),
    /// The id of a row that did not exist.
    Missing(Value),
}

/// Statistics about an explained history.
#[derive(Debug)]
pub(super) struct ExplainedRows {
    pub(super) changes: usize,
    pub(super) lists: usize,
    pub(super) missing: usize,
}

/// Explains the history by the order of changes, or returns what contradicts it.
pub(super) fn check(history: &RowHistory) -> Result<ExplainedRows, String> {
    let states = states(history)?;
    let timed = attribute_changes(history, &states)?;
    check_real_time(&timed)?;
    let changes = timed.len();
    if changes != history.events.len() {
        return Err(format!("{changes} changes were answered, but there were {}", history.events.len()));
    }
    let (lists, missing) = read(history, &states, &timed)?;
    Ok(ExplainedRows { changes, lists, missing })
}

/// Returns the rows before the first event and after each event.
fn states(history: &RowHistory) -> Result<Vec<Vec<Value>>, String> {
    let mut states = vec![history.start.clone()];
    for event in &history.events {
        let mut rows = states.last().cloned().unwrap_or_default();
        let at = rows.iter().position(|row| *row == event["before"]);
        match (event["change"].as_str(), at) {
            (Some("added"), None) => rows.push(event["row"].clone()),
            (Some("merged" | "replaced"), Some(at)) => rows[at] = event["row"].clone(),
            (Some("removed"), Some(at)) => drop(rows.remove(at)),
            _ => return Err(format!("{event} does not apply to {rows:?}")),
        }
        states.push(rows);
    }
    Ok(states)
}

/// Finds the event of each change that was answered.
fn attribute_changes(history: &RowHistory, states: &[Vec<Value>]) -> Result<Vec<TimedPlace>, String> {
    let mut timed = Vec::new();
    let mut is_taken = vec![false; history.events.len()];
    for Operation { span, reply } in &history.operations {
        let matches = |event: &Value| match reply {
            Reply::Added(row) => event["change"] == "added" && event["row"] == *row,
            Reply::Merged { row, .. } | Reply::Voted(row) => event["change"] != "added" && event["row"] == *row,
            Reply::Removed(id) => event["change"] == "removed" && event["before"]["id"] == *id,
            Reply::Listed(_) | Reply::Missing(_) => false,
        };
        if matches!(reply, Reply::Listed(_) | Reply::Missing(_)) {
            continue;
        }
        let found = history.events.iter().enumerate().position(|(index, event)| !is_taken[index] && matches(event));
        let index = found.ok_or_else(|| format!("no event explains {reply:?}"))?;
        is_taken[index] = true;
        if let Some(expected) = outcome(reply, &history.events[index]["before"])
            && !states[index + 1].contains(&expected)
        {
            return Err(format!("{reply:?} was answered, but {expected} was expected"));
        }
        timed.push(TimedPlace { place: Place { phase: 0, event: index + 1 }, span: *span });
    }
    timed.sort_by_key(|timed| timed.place);
    Ok(timed)
}

/// Returns the row that a merge or a vote results in.
fn outcome(reply: &Reply, before: &Value) -> Option<Value> {
    let mut row = before.clone();
    match reply {
        Reply::Merged { fields, .. } => {
            for (name, value) in fields.as_object()? {
                row[name] = value.clone();
            }
        }
        Reply::Voted(_) => row["votes"] = (row["votes"].as_i64()? + 1).into(),
        _ => return None,
    }
    Some(row)
}

/// Finds a moment in the order that explains each read: after everything answered before the read was sent, before
/// everything sent after its answer, and consistent with the other reads. Returns the numbers of lists and misses.
fn read(history: &RowHistory, states: &[Vec<Value>], timed: &[TimedPlace]) -> Result<(usize, usize), String> {
    let mut reads: Vec<&Operation> =
        history.operations.iter().filter(|read| matches!(read.reply, Reply::Listed(_) | Reply::Missing(_))).collect();
    // The earliest possible moment leaves the most choice to later reads.
    reads.sort_by_key(|read| read.span.sent);
    let mut explained: Vec<(Span, usize)> = Vec::new();
    for Operation { span, reply } in &reads {
        let changes = timed.iter().map(|TimedPlace { place, span }| (*span, place.event));
        let earlier = changes.clone().chain(explained.iter().copied());
        let first = earlier.filter(|(other, _)| other.answered < span.sent).map(|(_, at)| at).max().unwrap_or(0);
        let later = changes.filter(|(other, _)| other.sent > span.answered).map(|(_, at)| at);
        let end = later.min().unwrap_or(states.len());
        let explains = |rows: &Vec<Value>| match reply {
            Reply::Listed(listed) => rows == listed,
            Reply::Missing(id) => rows.iter().all(|row| row["id"] != *id),
            _ => false,
        };
        let at = (first..end).find(|at| explains(&states[*at]));
        let at = at.ok_or_else(|| format!("no moment from {first} to before {end} explains {reply:?}"))?;
        explained.push((*span, at));
    }
    let lists = reads.iter().filter(|read| matches!(read.reply, Reply::Listed(_))).count();
    Ok((lists, reads.len() - lists))
}
