//! The one order of events: from the transcripts, and where a reset took their end away, from the witnesses.

use serde_json::Value;

use super::record::{History, Named};
use super::shop::{self, CATEGORIES};

/// A product at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) product: Named,
    pub(super) total: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Total { id: String, total: i64 },
    Added(Named),
}

/// From the start, or a reset, to the next one.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) events: Vec<Event>,
    /// What was before each event, and what was after the last.
    pub(super) states: Vec<Vec<Row>>,
}

/// A place between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) phase: usize,
    /// So many events of the phase are before it.
    pub(super) event: usize,
}

/// What a witness saw of a phase.
struct Seen<'f> {
    current: &'f [String],
    live: &'f [String],
}

impl Row {
    /// As a current order, which looks like a live one.
    pub(super) fn frame(&self) -> String {
        format!(r#"{{"id":"{}","total":{}}}"#, self.product.id, self.total)
    }

    fn read(category: &str, frame: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(frame).map_err(|error| format!("{frame}: {error}"))?;
        let (id, total) = (text(&json, "id"), json["total"].as_i64());
        let total = total.ok_or_else(|| format!("{frame} has no total"))?;
        Ok(Self { product: Named { category: category.into(), id }, total })
    }
}

impl Event {
    /// As a live frame, if sockets get one.
    pub(super) fn frame(&self) -> Option<String> {
        match self {
            Self::Total { id, total } => Some(format!(r#"{{"id":"{id}","total":{total}}}"#)),
            Self::Added(_) => None,
        }
    }

    /// A line of a transcript, which has to have this number.
    fn read(line: &str, number: usize) -> Result<Self, String> {
        let json: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        if json["sequence"] != number {
            return Err(format!("a transcript has {line} as event {number}"));
        }
        match (json["event"].as_str(), json["total"].as_i64()) {
            (Some("total"), Some(total)) => Ok(Self::Total { id: text(&json, "id"), total }),
            (Some("added"), None) => {
                Ok(Self::Added(Named { category: text(&json, "category"), id: text(&json, "id") }))
            }
            _ => Err(format!("a transcript has {line}, which nobody asked for")),
        }
    }

    fn apply(&self, rows: &mut Vec<Row>) -> Result<(), String> {
        match self {
            Self::Total { id, total } => {
                let row = rows.iter_mut().find(|row| row.product.id == *id);
                row.ok_or_else(|| format!("{id} has a total and is not there"))?.total = *total;
            }
            Self::Added(product) => rows.push(Row { product: product.clone(), total: 0 }),
        }
        Ok(())
    }
}

fn text(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap_or_default().to_owned()
}

impl Phase {
    fn new(start: Vec<Row>, events: Vec<Event>) -> Result<Self, String> {
        let mut states = vec![start];
        for event in &events {
            let mut rows = states[states.len() - 1].clone();
            event.apply(&mut rows)?;
            states.push(rows);
        }
        Ok(Self { events, states })
    }

    /// The current orders of a category at a place.
    pub(super) fn current(&self, event: usize, category: &str) -> Vec<String> {
        self.states[event].iter().filter(|row| row.product.category == category).map(Row::frame).collect()
    }

    /// The total of a product at a place.
    pub(super) fn total(&self, event: usize, id: &str) -> Option<i64> {
        self.states[event].iter().find(|row| row.product.id == id).map(|row| row.total)
    }
}

/// All phases; or what witnesses and transcripts do not agree about.
pub(super) fn phases(history: &History) -> Result<Vec<Phase>, String> {
    let seen = seen(history)?;
    if (seen.len(), history.transcripts.len()) != (history.resets.len() + 1, history.resets.len() + 1) {
        return Err(times(CATEGORIES[0], seen.len(), history));
    }
    seen.iter().enumerate().map(|(number, seen)| phase(history, seen, number)).collect()
}

fn times(category: &str, times: usize, history: &History) -> String {
    format!("{category} got current orders of all {times} times, with {} resets", history.resets.len())
}

/// A phase of which each witness saw this.
fn phase(history: &History, seen: &[Seen], number: usize) -> Result<Phase, String> {
    let mut start = Vec::new();
    for (category, seen) in CATEGORIES.iter().zip(seen) {
        for frame in seen.current {
            start.push(Row::read(category, frame)?);
        }
    }
    Phase::new(start, events(history, seen[0].live, number)?)
}

/// The events of a transcript, and the totals that the witnesses saw after them.
fn events(history: &History, live: &[String], number: usize) -> Result<Vec<Event>, String> {
    let lines = history.transcripts[number].lines().enumerate();
    let mut events = lines.map(|(line, event)| Event::read(event, line + 1)).collect::<Result<Vec<_>, _>>()?;
    let totals: Vec<String> = events.iter().filter_map(Event::frame).collect();
    let is_last = number + 1 == history.transcripts.len();
    let until = if is_last { live.len() } else { totals.len().min(live.len()) };
    agree(&format!("transcript and witnesses in phase {number}"), &totals, &live[..until])?;
    for frame in &live[until..] {
        let row = Row::read("", frame)?;
        events.push(Event::Total { id: row.product.id, total: row.total });
    }
    Ok(events)
}

fn agree(who: &str, one: &[String], other: &[String]) -> Result<(), String> {
    let differs = (0..one.len().max(other.len())).find(|index| one.get(*index) != other.get(*index));
    differs.map_or(Ok(()), |index| {
        Err(format!("{who} differ at frame {index}: {:?} and {:?}", one.get(index), other.get(index)))
    })
}

/// What each witness got in each phase: the current orders of its category, which are those of the declared products alone,
/// and then what all of them get. Where they differ, a new phase begins.
fn seen(history: &History) -> Result<Vec<Vec<Seen<'_>>>, String> {
    let mut rest: Vec<&[String]> = history.witnesses.iter().map(|witness| witness.frames.as_slice()).collect();
    let mut phases: Vec<Vec<Seen>> = Vec::new();
    while phases.is_empty() || rest.iter().any(|frames| !frames.is_empty()) {
        if let Some(seen) = phases.last()
            && !begins(CATEGORIES[0], rest[0])
        {
            let place = format!("in phase {} differ at frame {}", phases.len() - 1, seen[0].live.len());
            let other = rest.iter().position(|frames| frames.first() != rest[0].first()).unwrap_or_default();
            return Err(format!("the witnesses of {} and {} {place}: {rest:?}", CATEGORIES[0], CATEGORIES[other]));
        }
        if let Some((category, _)) = CATEGORIES.iter().zip(&rest).find(|(category, frames)| !begins(category, frames)) {
            return Err(times(category, phases.len(), history));
        }
        let parts: Vec<_> =
            CATEGORIES.iter().zip(&rest).map(|(category, frames)| frames.split_at(declared(category))).collect();
        let same = |index: &usize| parts.iter().all(|(_, live)| live.get(*index) == parts[0].1.get(*index));
        let length = (0..parts[0].1.len()).take_while(same).count();
        phases.push(parts.iter().map(|(current, live)| Seen { current, live: &live[..length] }).collect());
        rest = parts.iter().map(|(_, live)| &live[length..]).collect();
    }
    Ok(phases)
}

/// How many products the file declares in a category.
fn declared(category: &str) -> usize {
    shop::declared(category).len()
}

/// Whether these frames begin with the current orders of the declared products.
fn begins(category: &str, frames: &[String]) -> bool {
    let is_of = |(frame, id): (&String, &&str)| frame.starts_with(&format!(r#"{{"id":"{id}","#));
    frames.len() >= declared(category) && frames.iter().zip(shop::declared(category)).all(is_of)
}
