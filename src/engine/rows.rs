//! Pairs the rows of a new scenario with those of the old one.
//!
//! Here, a row is a declared row with a counter. A row with a declared id is identified by it. Other ids are generated
//! from the position, and so identify little: within its collection, such a row is identified by its content, and
//! otherwise by its position.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::scenario::{Collection, Row, Scenario};

/// The differences between the rows of two scenarios, regardless of their run-time state.
#[derive(Debug)]
pub(super) struct RowEdits {
    /// The rows of the new scenario that differ from the old one in any way, by id, in order.
    pub(super) by_id: IndexMap<Arc<str>, RowEdit>,
    /// The ids that are no longer declared.
    pub(super) removed: HashSet<Arc<str>>,
    /// The rows that no row of the new scenario continues, or only one without their seed, each with its collection, in
    /// the old order.
    pub(super) ended: Vec<(Arc<str>, Arc<Row>)>,
    /// The collections that are no longer declared.
    pub(super) removed_collections: IndexSet<Arc<str>>,
    /// Whether a value moves from one id to another, or an id starts over with another row.
    pub(super) is_renumbered: bool,
}

/// A row of the new scenario that is new, changed, or under another id.
#[derive(Debug)]
pub(super) struct RowEdit {
    pub(super) collection: Arc<str>,
    pub(super) row: Arc<Row>,
    /// The old id of the row that it continues.
    pub(super) origin: Option<Arc<str>>,
    /// Whether its content or its collection differs from that row's.
    pub(super) is_edited: bool,
    /// Whether it has a seed and that row does not.
    pub(super) gains_seed_value: bool,
}

impl RowEdit {
    /// Whether the row had the same id before.
    pub(super) fn keeps_id(&self) -> bool {
        self.origin.as_ref() == Some(self.row.id())
    }
}

/// A row as a scenario declares it.
pub(super) type Declared<'s> = (&'s Collection, &'s Arc<Row>);

impl RowEdits {
    /// Compares the rows of two scenarios. Only the part between the first and the last difference is examined in
    /// detail: usually one row of 100,000 has changed.
    pub(super) fn between<'s>(old: &'s Scenario, new: &'s Scenario) -> Self {
        let (mut before, mut after): (Vec<Declared>, Vec<Declared>) = (counted(old).collect(), counted(new).collect());
        let same = before.iter().zip(&after).take_while(|(one, other)| is_same(one, other)).count();
        (before, after) = (before.split_off(same), after.split_off(same));
        let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| is_same(one, other)).count();
        before.truncate(before.len() - same);
        after.truncate(after.len() - same);
        let by_id: HashMap<&str, usize> = before.iter().zip(0..).map(|((_, row), at)| (id(row), at)).collect();
        let origins = origins(&before, &after, &by_id);
        let mut ended = vec![true; before.len()];
        for (origin, (_, row)) in origins.iter().zip(&after) {
            if let Some(origin) = *origin {
                ended[origin] = has_seed_value(before[origin].1) && !has_seed_value(row);
            }
        }
        let mut edits = Self {
            by_id: IndexMap::new(),
            removed: HashSet::new(),
            ended: rows(&before, &ended).map(|(collection, row)| (collection.name().clone(), row.clone())).collect(),
            removed_collections: IndexSet::new(),
            is_renumbered: false,
        };
        for (row, origin) in after.iter().zip(origins) {
            let (collection, row) = *row;
            let is_edited = origin.is_none_or(|origin| {
                before[origin].0.name() != collection.name() || before[origin].1.content() != row.content()
            });
            let origin = origin.map(|origin| before[origin].1);
            let edit = RowEdit {
                collection: collection.name().clone(),
                row: row.clone(),
                origin: origin.map(|origin| origin.id().clone()),
                is_edited,
                gains_seed_value: has_seed_value(row) && origin.is_some_and(|origin| !has_seed_value(origin)),
            };
            if is_edited || !edit.keeps_id() {
                edits.is_renumbered |= !edit.keeps_id() && (edit.origin.is_some() || by_id.contains_key(id(row)));
                edits.by_id.insert(row.id().clone(), edit);
            }
        }
        let declared: HashSet<&str> = after.iter().map(|(_, row)| id(row)).collect();
        let removed = before.iter().filter(|(_, row)| !declared.contains(id(row)));
        edits.removed = removed.map(|(_, row)| row.id().clone()).collect();
        let collections =
            |of: &'s Scenario| of.collections().iter().filter(|one| one.is_counted()).map(Collection::name);
        let names: HashSet<&str> = collections(new).map(|name| &**name).collect();
        let collections = collections(old);
        edits.removed_collections = collections.filter(|name| !names.contains(&***name)).cloned().collect();
        edits
    }
}

/// The declared rows that have counters.
pub(super) fn counted(scenario: &Scenario) -> impl Iterator<Item = Declared<'_>> {
    scenario.rows().filter(|(collection, _)| collection.is_counted())
}

fn id(row: &Row) -> &str {
    row.id()
}

/// Whether the seed differs from the default of 0.
fn has_seed_value(row: &Row) -> bool {
    row.value() != 0
}

fn is_same((collection, row): &Declared, (other_collection, other): &Declared) -> bool {
    collection.name() == other_collection.name() && (Arc::ptr_eq(row, other) || row == other)
}

fn rows<'a, T: Copy>(all: &'a [T], wanted: &'a [bool]) -> impl Iterator<Item = T> + 'a {
    all.iter().zip(wanted).filter_map(|(row, is_wanted)| is_wanted.then_some(*row))
}

/// For each row of a collection, the index of the previously declared row that it continues.
pub(super) fn continued_rows(before: &Collection, after: &Collection) -> Vec<Option<usize>> {
    let is_same = |one: &Arc<Row>, other: &Arc<Row>| match (one.has_assigned_id(), other.has_assigned_id()) {
        (true, true) => one.content() == other.content(),
        (false, false) => one == other,
        _ => false,
    };
    let (old, new) = (before.rows(), after.rows());
    let head = old.iter().zip(new).take_while(|(one, other)| is_same(one, other)).count();
    let ends = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = ends.take_while(|(one, other)| is_same(one, other)).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let before: Vec<Declared> = old[head..old_end].iter().map(|row| (before, row)).collect();
    let after: Vec<Declared> = new[head..new_end].iter().map(|row| (after, row)).collect();
    let by_id: HashMap<&str, usize> = before.iter().zip(0..).map(|((_, row), at)| (id(row), at)).collect();
    let between = origins(&before, &after, &by_id);
    let shifted = between.into_iter().map(|origin| origin.map(|at| head + at));
    (0..head).map(Some).chain(shifted).chain((old_end..old.len()).map(Some)).collect()
}

/// For each new row, the index of the old row that it continues.
fn origins(before: &[Declared], after: &[Declared], by_id: &HashMap<&str, usize>) -> Vec<Option<usize>> {
    /// The rows of one collection with generated ids, by index.
    #[derive(Default)]
    struct Unnamed {
        old: Vec<usize>,
        new: Vec<usize>,
    }

    let mut collections: IndexMap<&str, Unnamed> = IndexMap::new();
    let unnamed = |rows: &[Declared], at: usize| rows[at].1.has_assigned_id();
    for at in (0..before.len()).filter(|at| unnamed(before, *at)) {
        collections.entry(before[at].0.name()).or_default().old.push(at);
    }
    for at in (0..after.len()).filter(|at| unnamed(after, *at)) {
        collections.entry(after[at].0.name()).or_default().new.push(at);
    }
    let mut origins = vec![None; after.len()];
    let mut free = vec![true; before.len()];
    for Unnamed { old, new } in collections.values() {
        let content = |rows: &[Declared], at: &usize| ByContent(Arc::clone(rows[*at].1));
        let old_content: Vec<ByContent> = old.iter().map(|at| content(before, at)).collect();
        let new_content: Vec<ByContent> = new.iter().map(|at| content(after, at)).collect();
        for (at, origin) in new.iter().zip(pair_equal(&old_content, &new_content)) {
            let Some(origin) = origin else { continue };
            origins[*at] = Some(old[origin]);
            free[old[origin]] = false;
        }
    }
    // By id, except two rows of one collection that both have generated ids.
    let by_id = |origins: &mut [Option<usize>], free: &mut [bool], may: &dyn Fn(Declared, Declared) -> bool| {
        for (at, row) in after.iter().enumerate().filter(|(_, row)| by_id.contains_key(id(row.1))) {
            let old = by_id[id(row.1)];
            if origins[at].is_none() && free[old] && may(before[old], *row) {
                origins[at] = Some(old);
                free[old] = false;
            }
        }
    };
    by_id(&mut origins, &mut free, &|old, new| !old.1.has_assigned_id() || !new.1.has_assigned_id());
    for Unnamed { old, new } in collections.values() {
        pair_neighbours(old, new, &mut origins, &mut free, |_, _| true);
    }
    by_id(&mut origins, &mut free, &|old, new| old.0.name() != new.0.name());
    origins
}

/// A row, compared by everything but its id.
struct ByContent(Arc<Row>);

impl PartialEq for ByContent {
    fn eq(&self, other: &Self) -> bool {
        self.0.content() == other.0.content()
    }
}

impl Eq for ByContent {}

impl Hash for ByContent {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.content().hash(state);
    }
}

/// For each new item, the index of an equal old item. Items that occur once are paired wherever they are. Equal items
/// are paired next to paired neighbours, then in order (Heckel, "A technique for isolating differences between files",
/// 1978). Takes linear time.
fn pair_equal<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Option<usize>> {
    let head = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let (old_middle, new_middle) = (head..old.len() - tail, head..new.len() - tail);
    let mut origins: Vec<Option<usize>> = (0..head).map(Some).collect();
    origins.resize(new_middle.end, None);
    origins.extend((old_middle.end..old.len()).map(Some));
    if old_middle.is_empty() || new_middle.is_empty() {
        return origins;
    }
    let mut free: Vec<bool> = (0..old.len()).map(|at| old_middle.contains(&at)).collect();
    let mut places: HashMap<&T, (VecDeque<usize>, usize)> = HashMap::new();
    for at in old_middle.clone() {
        places.entry(&old[at]).or_default().0.push_back(at);
    }
    for one in &new[new_middle.clone()] {
        if let Entry::Occupied(mut places) = places.entry(one) {
            places.get_mut().1 += 1;
        }
    }
    for at in new_middle.clone() {
        if let Some((places, 1)) = places.get(&new[at])
            && places.len() == 1
        {
            origins[at] = Some(places[0]);
            free[places[0]] = false;
        }
    }
    let (all_old, all_new): (Vec<usize>, Vec<usize>) = (old_middle.collect(), new_middle.clone().collect());
    pair_neighbours(&all_old, &all_new, &mut origins, &mut free, |one, other| old[one] == new[other]);
    for at in new_middle {
        if origins[at].is_some() {
            continue;
        }
        let Some((places, _)) = places.get_mut(&new[at]) else { continue };
        while let Some(place) = places.pop_front() {
            if std::mem::take(&mut free[place]) {
                origins[at] = Some(place);
                break;
            }
        }
    }
    origins
}

/// Pairs new items with free old items that follow, or precede, the origin of the same neighbour, if they `may` be
/// paired. The lists hold the indices of the old and new items, in order.
fn pair_neighbours(
    old: &[usize],
    new: &[usize],
    origins: &mut [Option<usize>],
    free: &mut [bool],
    may: impl Fn(usize, usize) -> bool,
) {
    let reversed = |list: &[usize]| -> Vec<usize> { list.iter().rev().copied().collect() };
    for (old, new) in [(old.to_vec(), new.to_vec()), (reversed(old), reversed(new))] {
        let places: HashMap<usize, usize> = old.iter().enumerate().map(|(place, at)| (*at, place)).collect();
        // The place after the origin of the previous item.
        let mut next = Some(0);
        for at in new {
            let follower = next.and_then(|next| old.get(next)).copied();
            if let Some(follower) = follower.filter(|one| origins[at].is_none() && free[*one] && may(*one, at)) {
                free[follower] = false;
                origins[at] = Some(follower);
            }
            next = origins[at].and_then(|origin| places.get(&origin)).map(|place| place + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::pair_equal;

    #[test]
    fn equal_items_are_paired_wherever_they_are() {
        for (old, new, expected) in [
            ("abc", "abc", "abc"),
            ("abc", "xabc", "_abc"),
            ("abc", "axbc", "a_bc"),
            ("abcd", "acd", "acd"),
            ("abc", "cab", "cab"),
            ("", "a", "_"),
            ("a", "", ""),
        ] {
            let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
            let origins = pair_equal(&old, &new);
            let paired: String = origins.iter().map(|origin| origin.map_or('_', |origin| old[origin])).collect();
            assert_eq!(paired, expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn neighbours_tell_equal_items_apart() {
        for (old, new, expected) in [
            // One is removed, at the end and between others.
            ("aaa", "aa", vec![Some(0), Some(1)]),
            ("xaya", "ya", vec![Some(2), Some(3)]),
            ("axaybz", "aybz", vec![Some(0), Some(3), Some(4), Some(5)]),
            // They have moved.
            ("pakaq", "kaqp", vec![Some(2), Some(3), Some(4), Some(0)]),
            // One is added.
            ("xaya", "xaaya", vec![Some(0), Some(1), None, Some(2), Some(3)]),
            ("aa", "baab", vec![None, Some(0), Some(1), None]),
            // Without neighbours to decide: in order.
            ("axa", "yaza", vec![None, Some(0), None, Some(2)]),
        ] {
            let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
            assert_eq!(pair_equal(&old, &new), expected, "{old:?} {new:?}");
        }
    }
}
