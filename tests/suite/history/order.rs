//! The order of events. It comes from the transcripts and, for events after a transcript and before the reset, from the
//! witnesses.

use serde_json::Value;

use super::record::{History, ProductKey};
use super::shop::{self, CATEGORIES};

/// A product and its total at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) product: ProductKey,
    pub(super) total: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Total { id: String, total: i64 },
    Added(ProductKey),
}

/// The period from the start or a reset to the next reset.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) events: Vec<Event>,
    /// The rows before each event and after the last.
    pub(super) states: Vec<Vec<Row>>,
}

/// A place between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) phase: usize,
    /// The number of events of the phase before the place.
    pub(super) event: usize,
}

/// The frames of a witness in one phase.
struct Witnessed<'f> {
    current: &'f [String],
    live: &'f [String],
}

impl Row {
    /// Returns the frame of a current order, which looks like that of a live one.
    pub(super) fn frame(&self) -> String {
        format!(r#"{{"id":"{}","total":{}}}"#, self.product.id, self.total)
    }

    fn read(category: &str, frame: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(frame).map_err(|error| format!("{frame}: {error}"))?;
        let (id, total) = (text(&json, "id"), json["total"].as_i64());
        let total = total.ok_or_else(|| format!("{frame} has no total"))?;
        Ok(Self { product: ProductKey { category: category.into(), id }, total })
    }
}

impl Event {
    /// Returns the live frame, or `None` if sockets do not get one.
    pub(super) fn frame(&self) -> Option<String> {
        match self {
            Self::Total { id, total } => Some(format!(r#"{{"id":"{id}","total":{total}}}"#)),
            Self::Added(_) => None,
        }
    }

    /// Parses a line of a transcript, whose sequence number must be `number`.
    fn read(line: &str, number: usize) -> Result<Self, String> {
        let json: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        if json["sequence"] != number {
            return Err(format!("a transcript has {line} as event {number}"));
        }
        match (json["event"].as_str(), json["total"].as_i64()) {
            (Some("total"), Some(total)) => Ok(Self::Total { id: text(&json, "id"), total }),
            (Some("added"), None) => {
                Ok(Self::Added(ProductKey { category: text(&json, "category"), id: text(&json, "id") }))
            }
            _ => Err(format!("a transcript has the unexpected line {line}")),
        }
    }

    fn apply(&self, rows: &mut Vec<Row>) -> Result<(), String> {
        match self {
            Self::Total { id, total } => {
                let row = rows.iter_mut().find(|row| row.product.id == *id);
                row.ok_or_else(|| format!("{id} has a total but does not exist"))?.total = *total;
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

    /// Returns the current orders of a category after `event` events.
    pub(super) fn current(&self, event: usize, category: &str) -> Vec<String> {
        self.states[event].iter().filter(|row| row.product.category == category).map(Row::frame).collect()
    }

    /// Returns the total of a product after `event` events.
    pub(super) fn total(&self, event: usize, id: &str) -> Option<i64> {
        self.states[event].iter().find(|row| row.product.id == id).map(|row| row.total)
    }
}

/// Returns all phases, or the first disagreement between witnesses and transcripts.
pub(super) fn phases(history: &History) -> Result<Vec<Phase>, String> {
    let witnessed = witnessed(history)?;
    if (witnessed.len(), history.transcripts.len()) != (history.resets.len() + 1, history.resets.len() + 1) {
        return Err(snapshot_error(CATEGORIES[0], witnessed.len(), history));
    }
    witnessed.iter().enumerate().map(|(number, witnessed)| phase(history, witnessed, number)).collect()
}

fn snapshot_error(category: &str, times: usize, history: &History) -> String {
    format!("{category} got all current orders {times} times, but there were {} resets", history.resets.len())
}

/// Builds a phase from the frames of each witness.
fn phase(history: &History, witnessed: &[Witnessed], number: usize) -> Result<Phase, String> {
    let mut start = Vec::new();
    for (category, witnessed) in CATEGORIES.iter().zip(witnessed) {
        for frame in witnessed.current {
            start.push(Row::read(category, frame)?);
        }
    }
    Phase::new(start, events(history, witnessed[0].live, number)?)
}

/// Returns the events of a transcript, and the totals that the witnesses saw after them.
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

fn agree(subjects: &str, one: &[String], other: &[String]) -> Result<(), String> {
    let differs = (0..one.len().max(other.len())).find(|index| one.get(*index) != other.get(*index));
    differs.map_or(Ok(()), |index| {
        Err(format!("{subjects} differ at frame {index}: {:?} and {:?}", one.get(index), other.get(index)))
    })
}

/// Splits the frames of each witness into phases. A phase starts with the current orders of the category, which has
/// only declared products at that time. Frames follow that all witnesses share. Where those differ, a new phase starts.
fn witnessed(history: &History) -> Result<Vec<Vec<Witnessed<'_>>>, String> {
    let mut rest: Vec<&[String]> = history.witnesses.iter().map(|witness| witness.frames.as_slice()).collect();
    let mut phases: Vec<Vec<Witnessed>> = Vec::new();
    while phases.is_empty() || rest.iter().any(|frames| !frames.is_empty()) {
        if let Some(witnessed) = phases.last()
            && !starts_with_current(CATEGORIES[0], rest[0])
        {
            let place = format!("in phase {} differ at frame {}", phases.len() - 1, witnessed[0].live.len());
            let other = rest.iter().position(|frames| frames.first() != rest[0].first()).unwrap_or_default();
            return Err(format!("the witnesses of {} and {} {place}: {rest:?}", CATEGORIES[0], CATEGORIES[other]));
        }
        if let Some((category, _)) =
            CATEGORIES.iter().zip(&rest).find(|(category, frames)| !starts_with_current(category, frames))
        {
            return Err(snapshot_error(category, phases.len(), history));
        }
        let parts: Vec<_> =
            CATEGORIES.iter().zip(&rest).map(|(category, frames)| frames.split_at(declared_count(category))).collect();
        let same = |index: &usize| parts.iter().all(|(_, live)| live.get(*index) == parts[0].1.get(*index));
        let length = (0..parts[0].1.len()).take_while(same).count();
        phases.push(parts.iter().map(|(current, live)| Witnessed { current, live: &live[..length] }).collect());
        rest = parts.iter().map(|(_, live)| &live[length..]).collect();
    }
    Ok(phases)
}

/// Returns the number of products that the file declares in a category.
fn declared_count(category: &str) -> usize {
    shop::declared(category).len()
}

/// Whether the frames start with the current orders of the declared products.
fn starts_with_current(category: &str, frames: &[String]) -> bool {
    let is_of = |(frame, id): (&String, &&str)| frame.starts_with(&format!(r#"{{"id":"{id}","#));
    frames.len() >= declared_count(category) && frames.iter().zip(shop::declared(category)).all(is_of)
}
