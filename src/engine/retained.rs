//! What reloads have removed, retained so that a later reload can restore it.
//!
//! A declaration is often missing only for a moment: it is commented out and in again, a collection moves to another
//! file, or a save is incomplete. A reset discards everything retained.
//!
//! Invariants:
//! - Retained state differs from a fresh start: a counter that has changed; a row that was added, changed or removed at
//!   run time; a timeline that has started; a random stream; a fault that a client has removed. A row that was never
//!   counted leaves nothing here.
//! - Nothing refers to a scenario that is no longer running. Declarations are identified by their [`Digest`]s, so that
//!   retained state can be saved and restored by another process.
//! - Nothing is stored twice: restored state is taken out, and state whose declaration has changed is dropped.
//! - Collections without counters, and values, are retained as a whole and restored if their declaration is unchanged.
//! - At most [`MAX_ROWS`] rows of at most [`MAX_ROW_BYTES`] in total, [`MAX_TIMELINES`] timelines and the id numbers of
//!   [`MAX_COLLECTIONS`] collections are retained. The oldest are dropped first.

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

/// The maximum number of retained rows.
const MAX_ROWS: usize = 100_000;

/// The maximum size of all retained rows as JSON, in bytes. Clients decide how large the rows they add are.
const MAX_ROW_BYTES: usize = 64 << 20;

/// The maximum number of retained timelines: scripts, generators and faults.
const MAX_TIMELINES: usize = 1_000;

/// The maximum number of collections whose id numbers are retained.
const MAX_COLLECTIONS: usize = 1_000;

/// What reloads have removed. A clone shares the content until one of the two changes it; an empty value allocates
/// nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Retained(Option<Arc<Inner>>);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    /// Oldest first, like the others.
    rows: Vec<RetainedRow>,
    /// The size of all rows in bytes; `None` until it is computed.
    #[serde(skip)]
    row_bytes: Option<usize>,
    timelines: Vec<RetainedTimeline>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    data: Vec<RetainedData>,
    /// The highest number used in an id, for each removed collection.
    highest: Vec<(Arc<str>, u64)>,
}

/// A removed row, or the state of a row before its seed was reset to 0.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RetainedRow {
    /// A scenario declared it.
    Declared {
        key: RowKey,
        seed: i64,
        state: RowState,
        /// The row, if a merge or a replacement had changed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<ChangedRow>,
    },
    /// It was added at run time.
    Added(AddedRow),
}

/// The run-time state of a declared row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RowState {
    /// The row exists, with this value.
    Value(i64),
    /// The row was removed, and stays removed as long as its declaration is unchanged.
    TakenOut(Digest),
}

/// A declared row that a merge or a replacement has changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChangedRow {
    /// The digest of the declaration. The changes do not apply to a row with another declaration.
    declared: Digest,
    #[serde(with = "super::state::whole_row")]
    row: Arc<Row>,
}

/// The identity of a declared row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RowKey {
    /// The declared id.
    Id(Arc<str>),
    /// The collection and the content, for a row with a generated id.
    Content(Arc<str>, Digest),
}

/// A row that was added at run time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AddedRow {
    pub(super) collection: Arc<str>,
    #[serde(with = "super::state::whole_row")]
    pub(super) row: Arc<Row>,
    /// The counter's value.
    pub(super) value: i64,
    /// The number of earlier rows added to the same collection.
    pub(super) place: usize,
}

/// A removed script, generator or fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetainedTimeline {
    declared: Digest,
    /// The world's time at which the timeline was removed.
    since: Duration,
    state: TimelineState,
}

/// The state of a removed timeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TimelineState {
    Script(ScriptRunState),
    Generator(GeneratorRunState),
    Fault(Box<FaultProgress>),
    /// A fault that a client had removed.
    RemovedFault,
}

/// The retained rows that a reload restores.
#[derive(Debug, Default)]
pub(super) struct RecalledRows {
    /// Run-time states, by the id in the new scenario.
    declared: HashMap<Arc<str>, RowState>,
    /// Rows that differ from their declaration, by the same ids.
    changed: HashMap<Arc<str>, Arc<Row>>,
    /// The indices of rows that are no longer retained.
    used: HashSet<usize>,
}

impl RecalledRows {
    pub(super) fn get(&self, id: &str) -> Option<RowState> {
        self.declared.get(id).copied()
    }

    /// The row as a merge or a replacement had left it.
    pub(super) fn changed(&self, id: &str) -> Option<&Arc<Row>> {
        self.changed.get(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// Also marks the added row at `index` as restored.
    pub(super) fn take(&mut self, index: usize) {
        self.used.insert(index);
    }
}

impl Retained {
    /// Returns the retained state of rows that a scenario declares again, or whose seed it declares again.
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
            if row.has_assigned_id() && !collections.contains(collection) {
                continue;
            }
            let Some(places) = places.get_mut(&RowKey::of(collection, row)) else { continue };
            let found = places.iter().enumerate().find_map(|(at, index)| Some((at, self.rows()[*index].state(row)?)));
            // A row that differs from all retained ones replaces the oldest, unless it only lacks the seed.
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

    /// The retained rows that were added at run time, with their indices.
    pub(super) fn added(&self) -> impl Iterator<Item = (usize, &AddedRow)> {
        self.rows().iter().enumerate().filter_map(|(index, row)| match row {
            RetainedRow::Added(added) => Some((index, added)),
            RetainedRow::Declared { .. } => None,
        })
    }

    /// Drops the restored rows and adds the removed ones.
    pub(super) fn exchange_rows(&mut self, restored: &RecalledRows, removed: Vec<RetainedRow>) {
        if restored.used.is_empty() && removed.is_empty() {
            return;
        }
        self.change(|inner| {
            let mut bytes = inner.row_bytes.take().unwrap_or_else(|| bytes(&inner.rows));
            let mut index = 0..;
            let dropped =
                inner.rows.extract_if(.., |_| index.next().is_some_and(|index| restored.used.contains(&index)));
            bytes -= dropped.map(|row| row.json_len()).sum::<usize>();
            bytes += self::bytes(&removed);
            inner.rows.extend(removed);
            let mut surplus = inner.rows.len().saturating_sub(MAX_ROWS);
            bytes -= self::bytes(&inner.rows[..surplus]);
            while bytes > MAX_ROW_BYTES {
                bytes -= inner.rows[surplus].json_len();
                surplus += 1;
            }
            inner.rows.drain(..surplus);
            inner.row_bytes = Some(bytes);
        });
    }

    /// Retains the highest id number of a removed collection.
    pub(super) fn keep_number(&mut self, collection: Arc<str>, highest: u64) {
        self.change(|inner| {
            inner.highest.push((collection, highest));
            forget_oldest(&mut inner.highest, MAX_COLLECTIONS);
        });
    }

    /// Takes the id numbers of collections that exist again.
    pub(super) fn take_numbers(&mut self, is_declared: impl Fn(&str) -> bool) -> Vec<(Arc<str>, u64)> {
        if !self.0.iter().flat_map(|inner| &inner.highest).any(|(collection, _)| is_declared(collection)) {
            return Vec::new();
        }
        self.change(|inner| inner.highest.extract_if(.., |(collection, _)| is_declared(collection)).collect())
    }

    /// Retains the state of a timeline.
    pub(super) fn keep_timeline(&mut self, declared: Digest, since: Duration, state: TimelineState) {
        self.change(|inner| {
            inner.timelines.push(RetainedTimeline { declared, since, state });
            forget_oldest(&mut inner.timelines, MAX_TIMELINES);
        });
    }

    /// Takes the state of a timeline and the time at which it was removed.
    pub(super) fn take_timeline(&mut self, declared: Digest) -> Option<(Duration, TimelineState)> {
        let index = self.0.as_ref()?.timelines.iter().position(|timeline| timeline.declared == declared)?;
        let RetainedTimeline { since, state, .. } = self.change(|inner| inner.timelines.remove(index));
        Some((since, state))
    }

    /// Resets retained generators to the start of their random streams, for another seed.
    pub(super) fn reseed(&mut self) {
        if self.0.as_ref().is_some_and(|inner| !inner.timelines.is_empty()) {
            self.change(|inner| {
                for timeline in &mut inner.timelines {
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
        self.0.as_ref().map_or(&[], |inner| &inner.rows)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let inner = Arc::make_mut(self.0.get_or_insert_default());
        let outcome = change(inner);
        if inner.rows.is_empty() && inner.timelines.is_empty() && inner.data.is_empty() && inner.highest.is_empty() {
            self.0 = None;
        }
        outcome
    }
}

fn bytes(rows: &[RetainedRow]) -> usize {
    rows.iter().map(RetainedRow::json_len).sum()
}

fn forget_oldest<T>(items: &mut Vec<T>, max: usize) {
    items.drain(..items.len().saturating_sub(max));
}

impl RowKey {
    fn of(collection: &Arc<str>, row: &Row) -> Self {
        if row.has_assigned_id() {
            Self::Content(collection.clone(), Digest::of_row(row))
        } else {
            Self::Id(row.id().clone())
        }
    }
}

impl RetainedRow {
    /// Creates an entry for a declared row. `value` is `None` if the row was removed at run time; `changed` is the row
    /// if a merge or a replacement had changed it.
    pub(super) fn declared(collection: &Arc<str>, row: &Row, value: Option<i64>, changed: Option<&Arc<Row>>) -> Self {
        let state = value.map_or_else(|| RowState::TakenOut(Digest::of_row(row)), RowState::Value);
        let changed = changed.map(|changed| ChangedRow { declared: Digest::of_row(row), row: changed.clone() });
        Self::Declared { key: RowKey::of(collection, row), seed: row.value(), state, changed }
    }

    /// The row as a merge or a replacement had left it, if that applies to `row`.
    fn changed(&self, row: &Row) -> Option<&Arc<Row>> {
        let Self::Declared { changed: Some(changed), .. } = self else { return None };
        (changed.declared == Digest::of_row(row)).then_some(&changed.row)
    }

    /// The run-time state, if it applies to `row`.
    fn state(&self, row: &Row) -> Option<RowState> {
        let Self::Declared { seed, state, .. } = self else { return None };
        let is_of_row = match state {
            RowState::Value(_) => *seed == row.value(),
            RowState::TakenOut(content) => *content == Digest::of_row(row),
        };
        is_of_row.then_some(*state)
    }

    /// Whether the entry will apply to `row` once `row` has a seed again.
    fn waits_for_seed_value(&self, row: &Row) -> bool {
        matches!(self, Self::Declared { seed, state: RowState::Value(_), .. } if *seed != 0 && row.value() == 0)
    }

    /// The size that counts towards [`MAX_ROW_BYTES`]. A row that matches its declaration stores no content.
    fn json_len(&self) -> usize {
        match self {
            Self::Declared { changed, .. } => changed.as_ref().map_or(0, |changed| row_json_len(&changed.row)),
            Self::Added(row) => row_json_len(&row.row),
        }
    }
}
