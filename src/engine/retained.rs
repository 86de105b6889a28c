//! What reloads have taken away, kept so that a later one can bring it back as it was.
//!
//! A save may lack something for a moment only: it is commented out and in again, a collection moves to another file, a
//! writer is not done. A reset forgets all of it.
//!
//! Invariants:
//! - What is kept differs from a fresh start: a value that has moved, a row that was added, changed or taken out at run time,
//!   a timeline that has begun, a random stream, a fault that a client has removed. A row that nobody has counted leaves
//!   nothing here.
//! - Nothing refers to a scenario that is no longer played. Declarations are known by their [`Digest`]s, so that what is
//!   kept can be written down and taken up by another process.
//! - Each thing is in one place: what comes back is taken out, and what a scenario declares in another way is dropped.
//! - Collections without counters, and values, are kept as wholes, and come back if they are declared in the same way.
//! - There are at most [`MAX_ROWS`] rows of at most [`MAX_ROW_BYTES`], [`MAX_TIMELINES`] timelines and [`MAX_COLLECTIONS`]
//!   numbers of collections. The oldest are forgotten first.

mod data;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(super) use self::data::DataContent;
use self::data::RetainedData;
use super::collections::row_json_len;
use super::digest::Digest;
use super::fault::FaultProgress;
use super::generator::GeneratorRunState;
use super::rows::RowEdit;
use super::script::ScriptRunState;
use crate::scenario::Row;

/// The most rows that are kept.
const MAX_ROWS: usize = 100_000;

/// The most bytes of JSON of all rows that are kept. A client decides how much each of the rows it adds takes.
const MAX_ROW_BYTES: usize = 64 << 20;

/// The most timelines that are kept: scripts, generators and faults.
const MAX_TIMELINES: usize = 1_000;

/// The most collections whose numbers are kept.
const MAX_COLLECTIONS: usize = 1_000;

/// What reloads have taken away. A clone shares it until one of the two changes it, and nothing takes no memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Retained(Option<Arc<Kept>>);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// Oldest first, like the others.
    rows: Vec<RetainedRow>,
    /// The bytes of all rows; `None` until they are counted.
    #[serde(skip)]
    row_bytes: Option<usize>,
    timelines: Vec<RetainedTimeline>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    data: Vec<RetainedData>,
    /// The highest number of an id in collections that are gone.
    highest: Vec<(Arc<str>, u64)>,
}

/// A row that is gone, or what became of one before its seed was reset to 0.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RetainedRow {
    /// A scenario declared it.
    Declared {
        key: RowKey,
        seed: i64,
        state: RowState,
        /// What it was, if a merge or a replacement had made it other than it was declared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<ChangedRow>,
    },
    /// It was added at run time.
    Added(AddedRow),
}

/// What has become of a declared row at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RowState {
    /// It is there, with that value.
    Value(i64),
    /// It was taken out, and stays so as long as it says the same.
    TakenOut(Digest),
}

/// What a merge or a replacement made of a declared row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChangedRow {
    /// What was declared: it is of no use to a row that says something else.
    declared: Digest,
    #[serde(with = "super::state::whole_row")]
    row: Arc<Row>,
}

/// What a declared row is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RowKey {
    /// The id that it declared.
    Id(Arc<str>),
    /// Its content, in that collection: its id was made.
    Content(Arc<str>, Digest),
}

/// A row that was added at run time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AddedRow {
    pub(super) collection: Arc<str>,
    #[serde(with = "super::state::whole_row")]
    pub(super) row: Arc<Row>,
    /// Its running value.
    pub(super) value: i64,
    /// How many others that were added to the collection went before it.
    pub(super) place: usize,
}

/// A script, generator or fault that is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetainedTimeline {
    declared: Digest,
    /// The world's time at which it went.
    since: Duration,
    state: TimelineState,
}

/// Where a timeline was.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TimelineState {
    Script(ScriptRunState),
    Generator(GeneratorRunState),
    Fault(Box<FaultProgress>),
    /// A client had removed the fault.
    RemovedFault,
}

/// What a reload brings back of what is kept.
#[derive(Debug, Default)]
pub(super) struct RecalledRows {
    /// By the id that the new scenario gives them.
    declared: HashMap<Arc<str>, RowState>,
    /// What those of them were that are not as declared.
    changed: HashMap<Arc<str>, Arc<Row>>,
    /// Indices of rows that are kept no longer.
    used: HashSet<usize>,
}

impl RecalledRows {
    pub(super) fn get(&self, id: &str) -> Option<RowState> {
        self.declared.get(id).copied()
    }

    /// What a merge or a replacement had made of the row.
    pub(super) fn changed(&self, id: &str) -> Option<&Arc<Row>> {
        self.changed.get(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// Also takes this one, of those that were added.
    pub(super) fn take(&mut self, index: usize) {
        self.used.insert(index);
    }
}

impl Retained {
    /// What is kept of rows that a scenario declares again, or whose seed it declares again.
    pub(super) fn recall<'e>(&self, declared: impl Iterator<Item = &'e RowEdit>) -> RecalledRows {
        let mut recalled = RecalledRows::default();
        let (mut places, mut collections) = (HashMap::<&RowKey, VecDeque<usize>>::new(), HashSet::new());
        for (index, row) in self.rows().iter().enumerate() {
            if let RetainedRow::Declared { key, .. } = row {
                places.entry(key).or_default().push_back(index);
                if let RowKey::Content(collection, _) = key {
                    collections.insert(collection);
                }
            }
        }
        if places.is_empty() {
            return recalled;
        }
        for RowEdit { collection, row, .. } in declared {
            if row.has_made_id() && !collections.contains(collection) {
                continue;
            }
            let Some(places) = places.get_mut(&RowKey::of(collection, row)) else { continue };
            let found = places.iter().enumerate().find_map(|(at, index)| Some((at, self.rows()[*index].state(row)?)));
            // One that says something else than all that are kept replaces the oldest, unless it only lacks the seed.
            let replaced = || places.iter().position(|index| !self.rows()[*index].waits_for_seed_value(row));
            let Some(at) = found.map(|(at, _)| at).or_else(replaced) else { continue };
            let Some(index) = places.remove(at) else { continue };
            recalled.used.insert(index);
            if let Some((_, state)) = found {
                recalled.declared.insert(row.id().clone(), state);
                let changed = self.rows()[index].changed(row);
                recalled.changed.extend(changed.map(|changed| (row.id().clone(), changed.clone())));
            }
        }
        recalled
    }

    /// The rows that were added at run time, each with its index.
    pub(super) fn added(&self) -> impl Iterator<Item = (usize, &AddedRow)> {
        self.rows().iter().enumerate().filter_map(|(index, row)| match row {
            RetainedRow::Added(added) => Some((index, added)),
            RetainedRow::Declared { .. } => None,
        })
    }

    /// Replaces what came back by what went.
    pub(super) fn exchange_rows(&mut self, back: &RecalledRows, gone: Vec<RetainedRow>) {
        if back.used.is_empty() && gone.is_empty() {
            return;
        }
        self.change(|kept| {
            let mut bytes = kept.row_bytes.take().unwrap_or_else(|| bytes(&kept.rows));
            let mut index = 0..;
            let went = kept.rows.extract_if(.., |_| index.next().is_some_and(|index| back.used.contains(&index)));
            bytes -= went.map(|row| row.json_len()).sum::<usize>();
            bytes += self::bytes(&gone);
            kept.rows.extend(gone);
            let mut surplus = kept.rows.len().saturating_sub(MAX_ROWS);
            bytes -= self::bytes(&kept.rows[..surplus]);
            while bytes > MAX_ROW_BYTES {
                bytes -= kept.rows[surplus].json_len();
                surplus += 1;
            }
            kept.rows.drain(..surplus);
            kept.row_bytes = Some(bytes);
        });
    }

    /// Keeps the highest number of an id in a collection that is gone.
    pub(super) fn keep_number(&mut self, collection: Arc<str>, highest: u64) {
        self.change(|kept| {
            kept.highest.push((collection, highest));
            forget_oldest(&mut kept.highest, MAX_COLLECTIONS);
        });
    }

    /// Takes out the numbers of collections that are back.
    pub(super) fn take_numbers(&mut self, is_back: impl Fn(&str) -> bool) -> Vec<(Arc<str>, u64)> {
        if !self.0.iter().flat_map(|kept| &kept.highest).any(|(collection, _)| is_back(collection)) {
            return Vec::new();
        }
        self.change(|kept| kept.highest.extract_if(.., |(collection, _)| is_back(collection)).collect())
    }

    /// Keeps where a timeline is.
    pub(super) fn keep_timeline(&mut self, declared: Digest, since: Duration, state: TimelineState) {
        self.change(|kept| {
            kept.timelines.push(RetainedTimeline { declared, since, state });
            forget_oldest(&mut kept.timelines, MAX_TIMELINES);
        });
    }

    /// Takes out where a timeline was, and since when it is gone.
    pub(super) fn take_timeline(&mut self, declared: Digest) -> Option<(Duration, TimelineState)> {
        let index = self.0.as_ref()?.timelines.iter().position(|timeline| timeline.declared == declared)?;
        let RetainedTimeline { since, state, .. } = self.change(|kept| kept.timelines.remove(index));
        Some((since, state))
    }

    /// Has generators draw from the streams of another seed, from their beginning.
    pub(super) fn reseed(&mut self) {
        if self.0.as_ref().is_some_and(|kept| !kept.timelines.is_empty()) {
            self.change(|kept| {
                for timeline in &mut kept.timelines {
                    if let TimelineState::Generator(state) = &mut timeline.state {
                        state.reseed();
                    }
                }
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn rows(&self) -> &[RetainedRow] {
        self.0.as_ref().map_or(&[], |kept| &kept.rows)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Kept) -> T) -> T {
        let kept = Arc::make_mut(self.0.get_or_insert_default());
        let outcome = change(kept);
        if kept.rows.is_empty() && kept.timelines.is_empty() && kept.data.is_empty() && kept.highest.is_empty() {
            self.0 = None;
        }
        outcome
    }
}

fn bytes(rows: &[RetainedRow]) -> usize {
    rows.iter().map(RetainedRow::json_len).sum()
}

fn forget_oldest<T>(kept: &mut Vec<T>, most: usize) {
    kept.drain(..kept.len().saturating_sub(most));
}

impl RowKey {
    fn of(collection: &Arc<str>, row: &Row) -> Self {
        if row.has_made_id() {
            Self::Content(collection.clone(), Digest::of_row(row))
        } else {
            Self::Id(row.id().clone())
        }
    }
}

impl RetainedRow {
    /// A declared row with its value, or without one if it was taken out at run time; and what it was, if a merge or a
    /// replacement had changed it.
    pub(super) fn declared(collection: &Arc<str>, row: &Row, value: Option<i64>, changed: Option<&Arc<Row>>) -> Self {
        let state = value.map_or_else(|| RowState::TakenOut(Digest::of_row(row)), RowState::Value);
        let changed = changed.map(|changed| ChangedRow { declared: Digest::of_row(row), row: changed.clone() });
        Self::Declared { key: RowKey::of(collection, row), seed: row.value(), state, changed }
    }

    /// What a merge or a replacement had made of a declared row, if that holds for this row.
    fn changed(&self, row: &Row) -> Option<&Arc<Row>> {
        let Self::Declared { changed: Some(changed), .. } = self else { return None };
        (changed.declared == Digest::of_row(row)).then_some(&changed.row)
    }

    /// What has become of a declared row at run time, if that holds for this row.
    fn state(&self, row: &Row) -> Option<RowState> {
        let Self::Declared { seed, state, .. } = self else { return None };
        let is_of_row = match state {
            RowState::Value(_) => *seed == row.value(),
            RowState::TakenOut(content) => *content == Digest::of_row(row),
        };
        is_of_row.then_some(*state)
    }

    /// Whether it holds for this row once that has a seed again.
    fn waits_for_seed_value(&self, row: &Row) -> bool {
        matches!(self, Self::Declared { seed, state: RowState::Value(_), .. } if *seed != 0 && row.value() == 0)
    }

    /// The bytes that count towards [`MAX_ROW_BYTES`]. A row that is as declared has no content here.
    fn json_len(&self) -> usize {
        match self {
            Self::Declared { changed, .. } => changed.as_ref().map_or(0, |changed| row_json_len(&changed.row)),
            Self::Added(row) => row_json_len(&row.row),
        }
    }
}
