//! The one order of events: from the transcripts, and where a reset took their end away, from the witnesses.

use serde_json::Value;

use super::record::{History, Named, Stream};
use super::shop::{CATEGORIES, MARK};

/// A product at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) product: Named,
    pub(super) total: i64,
    is_declared: bool,
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
    /// As a current order.
    pub(super) fn frame(&self) -> String {
        let mark = if self.is_declared { MARK } else { "" };
        format!(r#"{{"id":"{}","total":{}{mark}}}"#, self.product.id, self.total)
    }

    fn read(category: &str, frame: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(frame).map_err(|error| format!("{frame}: {error}"))?;
        let (id, total) = (text(&json, "id"), json["total"].as_i64());
        let total = total.ok_or_else(|| format!("{frame} has no total"))?;
        Ok(Self { product: Named { category: category.into(), id }, total, is_declared: frame.contains(MARK) })
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
            Self::Added(product) => rows.push(Row { product: product.clone(), total: 0, is_declared: false }),
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
    let seen: Vec<Vec<Seen>> = history.witnesses.iter().map(seen).collect();
    for (category, seen) in CATEGORIES.iter().zip(&seen) {
        if (seen.len(), history.transcripts.len()) != (history.resets.len() + 1, history.resets.len() + 1) {
            let resets = history.resets.len();
            return Err(format!("{category} got current orders of all {} times, with {resets} resets", seen.len()));
        }
    }
    (0..history.transcripts.len()).map(|number| phase(history, &seen, number)).collect()
}

fn phase(history: &History, seen: &[Vec<Seen>], number: usize) -> Result<Phase, String> {
    let mut start = Vec::new();
    for (category, seen) in CATEGORIES.iter().zip(seen) {
        for frame in seen[number].current {
            start.push(Row::read(category, frame)?);
        }
    }
    let live = seen[0][number].live;
    for (category, other) in CATEGORIES.iter().zip(seen) {
        agree(
            &format!("the witnesses of {} and {category} in phase {number}", CATEGORIES[0]),
            live,
            other[number].live,
        )?;
    }
    Phase::new(start, events(history, live, number)?)
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

/// What a witness got, from one time of current orders to the next. They are those of the declared products alone: when
/// it begins, and after each reset, there are no others.
fn seen(witness: &Stream) -> Vec<Seen<'_>> {
    let frames = &witness.frames;
    let id = |frame: &String| frame.split(',').next().map(str::to_owned);
    let first = frames.first().and_then(id);
    let begins = |index: &usize| frames[*index].contains(MARK) && id(&frames[*index]) == first;
    let starts: Vec<usize> = (0..frames.len()).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([frames.len()]);
    let part = |(start, end): (&usize, usize)| {
        let frames = &frames[*start..end];
        let current = frames.iter().take_while(|frame| frame.contains(MARK)).count();
        Seen { current: &frames[..current], live: &frames[current..] }
    };
    starts.iter().zip(ends).map(part).collect()
}
