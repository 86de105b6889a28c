//! The counters: the row of each, and its current value.
//!
//! Copies are cheap, however many rows there are: they share counters and pages of values until one of them changes
//! something. Another world or a snapshot holds only the differences.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::event::{Event, EventKind};
use super::refusal::Refusal;
use crate::scenario::{MAX_TOTAL, Row};

/// The row that a counter belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) collection: Arc<str>,
    /// The initial value.
    pub(super) seed: i64,
    /// Whether the scenario declares the row; otherwise it was added at run time.
    pub(super) declared: bool,
    /// The row, if it has its own frames.
    pub(super) row: Option<Arc<Row>>,
}

/// The counter of one row and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct CounterView<'a> {
    pub(super) counter: &'a Counter,
    pub(super) value: i64,
    /// The sequence number of the last change; 0 if there was none.
    pub(super) changed: u64,
}

/// All counters: declared ones in declared order, then added ones in order of arrival.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    by_row: Arc<IndexMap<Arc<str>, Counter>>,
    values: Values,
    /// The number of times that counters were added or removed, which tells holders of an index when it is stale.
    generation: u64,
}

/// Counters that are being rebuilt, each with its value and the sequence number of its last change.
#[derive(Debug, Default)]
pub(super) struct Rebuild {
    by_row: IndexMap<Arc<str>, Counter>,
    values: Values,
}

impl Rebuild {
    pub(super) fn add(&mut self, id: Arc<str>, counter: Counter, value: i64, changed: u64) {
        let moved = (value != counter.seed || changed > 0).then_some(Running { value, changed });
        let (index, _) = self.by_row.insert_full(id, counter);
        if moved.is_some() {
            self.values.set(index, moved);
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.by_row.contains_key(id)
    }
}

impl Counters {
    /// Returns the counters of `new` with the changed values of `moved`, for the ids that are `kept`.
    pub(super) fn carried_over(new: &Self, moved: &Self, keeps: impl Fn(&str) -> bool) -> Self {
        let mut carried =
            Self { by_row: new.by_row.clone(), values: Values::default(), generation: moved.generation + 1 };
        for (id, CounterView { value, changed, .. }) in moved.moved() {
            if let Some(index) = carried.index_of(id).filter(|_| keeps(id)) {
                carried.values.set(index, Some(Running { value, changed }));
            }
        }
        carried
    }

    /// Whether one is a clone of the other and no counter was added or removed since.
    pub(super) fn shares_counters_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.by_row, &other.by_row)
    }

    pub(super) fn get(&self, id: &str) -> Option<CounterView<'_>> {
        let (index, _, counter) = self.by_row.get_full(id)?;
        Some(self.counter(index, counter))
    }

    pub(super) fn id_at(&self, index: usize) -> Option<&Arc<str>> {
        self.by_row.get_index(index).map(|(id, _)| id)
    }

    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        self.by_row.get_index_of(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, CounterView<'_>)> {
        self.by_row.iter().enumerate().map(|(index, (id, counter))| (id, self.counter(index, counter)))
    }

    /// The counters whose value has ever changed.
    pub(super) fn moved(&self) -> impl Iterator<Item = (&Arc<str>, CounterView<'_>)> {
        self.values.iter().filter_map(|(index, Running { value, changed })| {
            let (id, counter) = self.by_row.get_index(index)?;
            Some((id, CounterView { counter, value, changed }))
        })
    }

    pub(super) fn len(&self) -> usize {
        self.by_row.len()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn insert(&mut self, id: Arc<str>, counter: Counter) {
        Arc::make_mut(&mut self.by_row).insert(id, counter);
        self.generation += 1;
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Counter> {
        let (index, _, counter) = Arc::make_mut(&mut self.by_row).shift_remove_full(id)?;
        self.values.remove(index);
        self.generation += 1;
        Some(counter)
    }

    /// Replaces all counters.
    pub(super) fn replace_all(&mut self, Rebuild { by_row, values }: Rebuild) {
        self.by_row = Arc::new(by_row);
        self.values = values;
        self.generation += 1;
    }

    /// Restores a value and the sequence number of its last change; `None` if there is no such counter.
    pub(super) fn put(&mut self, id: &str, running: Running) -> Option<()> {
        let index = self.index_of(id)?;
        self.values.set(index, Some(running));
        Some(())
    }

    /// Adds to a value or sets it. `sequence` is the number of the change.
    pub(super) fn change(
        &mut self,
        id: &str,
        entry: CounterChange,
        sequence: u64,
    ) -> Result<ChangedCounter<'_>, Refusal> {
        let Some((index, id, counter)) = self.by_row.get_full(id) else {
            return Err(Refusal::UnknownRow(id.into()));
        };
        let before = self.values.get(index);
        let current = before.map_or(counter.seed, |running| running.value);
        let value = match entry {
            CounterChange::Add(amount) => current.checked_add(amount),
            CounterChange::Set(value) => Some(value),
        };
        let in_range = value.filter(|value| (-MAX_TOTAL..=MAX_TOTAL).contains(value));
        let value = in_range.ok_or_else(|| Refusal::OutOfRange { id: id.clone(), value: current })?;
        self.values.set(index, Some(Running { value, changed: sequence }));
        Ok(ChangedCounter { id, counter, value, applied: Applied { index, before } })
    }

    /// Reverts the latest change that was not reverted.
    pub(super) fn revert(&mut self, Applied { index, before }: Applied) {
        self.values.set(index, before);
    }

    fn counter<'a>(&self, index: usize, counter: &'a Counter) -> CounterView<'a> {
        let Running { value, changed } = self.values.get(index).unwrap_or(Running { value: counter.seed, changed: 0 });
        CounterView { counter, value, changed }
    }
}

/// A changed counter.
pub(super) struct ChangedCounter<'a> {
    id: &'a Arc<str>,
    counter: &'a Counter,
    value: i64,
    pub(super) applied: Applied,
}

impl ChangedCounter<'_> {
    /// The change as an event.
    pub(super) fn event(&self, sequence: u64, at: Duration) -> Event {
        let (id, collection) = (self.id.clone(), self.counter.collection.clone());
        let row = self.counter.row.clone();
        Event { sequence, at, kind: EventKind::Counted { id, collection, value: self.value, row } }
    }
}

/// A value before its change, to revert the change.
pub(super) struct Applied {
    index: usize,
    before: Option<Running>,
}

/// A change of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum CounterChange {
    Add(i64),
    Set(i64),
}

/// The number of values in a page of 1 KiB.
const PAGE: usize = 64;

/// The value of a counter that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) value: i64,
    /// The sequence number of the last change.
    pub(super) changed: u64,
}

type Page = [Option<Running>; PAGE];

/// The value of every counter, by index, in pages that copies share until one of them writes to a page. A counter that
/// never changed takes no memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// Enough pages for the highest changed index.
    pages: Vec<Option<Arc<Page>>>,
}

impl Values {
    /// The value of a counter; `None` if it never changed.
    pub(super) fn get(&self, index: usize) -> Option<Running> {
        self.pages.get(index / PAGE)?.as_ref()?[index % PAGE]
    }

    pub(super) fn set(&mut self, index: usize, running: Option<Running>) {
        let at = index / PAGE;
        if at >= self.pages.len() {
            self.pages.resize_with(at + 1, Option::default);
        }
        let page = self.pages[at].get_or_insert_with(|| Arc::new([None; PAGE]));
        Arc::make_mut(page)[index % PAGE] = running;
    }

    /// The changed values, by index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Running)> {
        let pages = self.pages.iter().enumerate().filter_map(|(at, page)| Some((at, page.as_ref()?)));
        pages.flat_map(|(at, page)| {
            page.iter().enumerate().filter_map(move |(offset, running)| Some((at * PAGE + offset, (*running)?)))
        })
    }

    /// Removes a counter. Later ones move up by one.
    pub(super) fn remove(&mut self, index: usize) {
        let last = self.pages.len() * PAGE;
        for at in index..last {
            let next = self.get(at + 1);
            if next != self.get(at) {
                self.set(at, next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Running, Values};

    fn running(value: i64) -> Running {
        Running { value, changed: 1 }
    }

    #[test]
    fn a_copy_keeps_its_values_when_the_original_changes() {
        let mut one = Values::default();
        one.set(PAGE + 3, Some(running(7)));
        let two = one.clone();
        one.set(PAGE + 3, Some(running(8)));
        one.set(0, Some(running(1)));
        assert_eq!((two.get(PAGE + 3), two.get(0)), (Some(running(7)), None));
        assert_eq!(one.iter().map(|(index, one)| (index, one.value)).collect::<Vec<_>>(), [(0, 1), (PAGE + 3, 8)]);
    }

    #[test]
    fn values_after_a_removed_counter_move_up_across_pages() {
        let mut values = Values::default();
        for index in 0..2 * PAGE {
            values.set(index, Some(running(i64::try_from(index).unwrap_or_default())));
        }
        values.remove(PAGE - 1);
        assert_eq!((values.get(PAGE - 2), values.get(PAGE - 1)), (Some(running(62)), Some(running(64))));
        assert_eq!((values.get(2 * PAGE - 2), values.get(2 * PAGE - 1)), (Some(running(127)), None));
    }
}
