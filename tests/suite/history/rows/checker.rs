//! Whether one order of changes explains what all clients of a collection got: a pure function.

use serde_json::Value;

use super::super::accounts::Dated;
use super::super::checker::in_time;
use super::super::order::Place;
use super::super::record::Span;

/// What clients did, and the changes as a stream told of them.
#[derive(Debug, Clone, Default)]
pub(super) struct RowHistory {
    /// The rows at the start.
    pub(super) start: Vec<Value>,
    /// The events of the collection in their order.
    pub(super) events: Vec<Value>,
    pub(super) done: Vec<Done>,
}

/// What a client asked and got.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) span: Span,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// The row that was added.
    Added(Value),
    /// The row after these fields were merged.
    Merged { fields: Value, row: Value },
    /// The row after a vote for it.
    Voted(Value),
    /// A row is gone.
    Removed(Value),
    /// All rows.
    Listed(Vec<Value>),
    /// There was no such row.
    Missing(Value),
}

/// How much there was to explain.
#[derive(Debug)]
pub(super) struct ExplainedRows {
    pub(super) changes: usize,
    pub(super) lists: usize,
    pub(super) missing: usize,
}

/// Looks for the one order; or says what contradicts it.
pub(super) fn check(history: &RowHistory) -> Result<ExplainedRows, String> {
    let states = states(history)?;
    let dated = settle(history, &states)?;
    in_time(&dated)?;
    let changes = dated.len();
    if changes != history.events.len() {
        return Err(format!("{changes} changes were answered, and there were {}", history.events.len()));
    }
    let (lists, missing) = read(history, &states, &dated)?;
    Ok(ExplainedRows { changes, lists, missing })
}

/// The rows before the first event and after each.
fn states(history: &RowHistory) -> Result<Vec<Vec<Value>>, String> {
    let mut states = vec![history.start.clone()];
    for event in &history.events {
        let mut rows = states.last().cloned().unwrap_or_default();
        let at = rows.iter().position(|row| *row == event["before"]);
        match (event["change"].as_str(), at) {
            (Some("added"), None) => rows.push(event["row"].clone()),
            (Some("merged" | "replaced"), Some(at)) => rows[at] = event["row"].clone(),
            (Some("removed"), Some(at)) => drop(rows.remove(at)),
            _ => return Err(format!("{event} does not go on from {rows:?}")),
        }
        states.push(rows);
    }
    Ok(states)
}

/// Finds the event of each change that was answered.
fn settle(history: &RowHistory, states: &[Vec<Value>]) -> Result<Vec<Dated>, String> {
    let mut dated = Vec::new();
    let mut is_taken = vec![false; history.events.len()];
    for Done { span, what } in &history.done {
        let is_its = |event: &Value| match what {
            What::Added(row) => event["change"] == "added" && event["row"] == *row,
            What::Merged { row, .. } | What::Voted(row) => event["change"] != "added" && event["row"] == *row,
            What::Removed(id) => event["change"] == "removed" && event["before"]["id"] == *id,
            What::Listed(_) | What::Missing(_) => false,
        };
        if matches!(what, What::Listed(_) | What::Missing(_)) {
            continue;
        }
        let found = history.events.iter().enumerate().position(|(index, event)| !is_taken[index] && is_its(event));
        let index = found.ok_or_else(|| format!("no event tells of {what:?}"))?;
        is_taken[index] = true;
        if let Some(expected) = outcome(what, &history.events[index]["before"])
            && !states[index + 1].contains(&expected)
        {
            return Err(format!("{what:?} was answered, and {expected} has to come of it"));
        }
        dated.push(Dated { place: Place { phase: 0, event: index + 1 }, span: *span });
    }
    dated.sort_by_key(|one| one.place);
    Ok(dated)
}

/// What a change makes of a row.
fn outcome(what: &What, before: &Value) -> Option<Value> {
    let mut row = before.clone();
    match what {
        What::Merged { fields, .. } => {
            for (name, value) in fields.as_object()? {
                row[name] = value.clone();
            }
        }
        What::Voted(_) => row["votes"] = (row["votes"].as_i64()? + 1).into(),
        _ => return None,
    }
    Some(row)
}

/// Explains what was read by moments of the one order: after all that was answered before it was asked, before all that was
/// asked after its answer, and in the order of other reads. Gives how many lists and how many misses there were.
fn read(history: &RowHistory, states: &[Vec<Value>], dated: &[Dated]) -> Result<(usize, usize), String> {
    let mut reads: Vec<&Done> =
        history.done.iter().filter(|done| matches!(done.what, What::Listed(_) | What::Missing(_))).collect();
    // The earliest moment that will do is the best for all that come later.
    reads.sort_by_key(|done| done.span.asked);
    let mut explained: Vec<(Span, usize)> = Vec::new();
    for Done { span, what } in &reads {
        let changes = dated.iter().map(|Dated { place, span }| (*span, place.event));
        let earlier = changes.clone().chain(explained.iter().copied());
        let first = earlier.filter(|(other, _)| other.answered < span.asked).map(|(_, at)| at).max().unwrap_or(0);
        let later = changes.filter(|(other, _)| other.asked > span.answered).map(|(_, at)| at);
        let end = later.min().unwrap_or(states.len());
        let fits = |rows: &Vec<Value>| match what {
            What::Listed(listed) => rows == listed,
            What::Missing(id) => rows.iter().all(|row| row["id"] != *id),
            _ => false,
        };
        let at = (first..end).find(|at| fits(&states[*at]));
        let at = at.ok_or_else(|| format!("no moment from {first} to before {end} explains {what:?}"))?;
        explained.push((*span, at));
    }
    let lists = reads.iter().filter(|done| matches!(done.what, What::Listed(_))).count();
    Ok((lists, reads.len() - lists))
}
