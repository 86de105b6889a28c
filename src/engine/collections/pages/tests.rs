#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Map;

use super::{PAGE, Rows};
use crate::scenario::Row;

fn row(id: &str) -> Arc<Row> {
    Arc::new(Row::new(id.into(), Map::new()))
}

fn numbered(id: usize) -> Arc<Row> {
    row(&id.to_string())
}

fn rows(declared: usize, added: usize) -> Rows {
    let added = (declared..declared + added).map(numbered).collect();
    Rows::new((0..declared).map(numbered).collect(), added)
}

#[derive(Debug, Clone)]
enum Change {
    Push,
    /// The index selects one of the current rows.
    Replace(prop::sample::Index),
    Remove(prop::sample::Index),
    /// Removes the given number of rows from the index on.
    RemoveRun(prop::sample::Index, usize),
    Find,
    Clone,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::Push),
        2 => any::<prop::sample::Index>().prop_map(Change::Replace),
        3 => any::<prop::sample::Index>().prop_map(Change::Remove),
        1 => (any::<prop::sample::Index>(), 1..3 * PAGE).prop_map(|(from, count)| Change::RemoveRun(from, count)),
        1 => Just(Change::Find),
        1 => Just(Change::Clone),
    ]
}

/// Asserts that rows equal a list whose first `declared` rows are declared, by every way to read them.
fn expect_same(rows: &Rows, list: &[Arc<Row>], declared: usize) {
    let is_same = |one: &Arc<Row>, other: &Arc<Row>| Arc::ptr_eq(one, other);
    assert_eq!((rows.len(), rows.iter().len(), rows.is_empty()), (list.len(), list.len(), list.is_empty()));
    assert!(rows.iter().zip(list).all(|(one, other)| is_same(one, other)) && rows.iter().count() == list.len());
    assert_eq!((rows.declared().count(), rows.added().count()), (declared, list.len() - declared));
    assert!(rows.added().zip(&list[declared..]).all(|(one, other)| is_same(one, other)));
    for index in (0..list.len()).step_by(37).chain([list.len().saturating_sub(1), list.len()]) {
        assert_eq!(rows.get(index), list.get(index));
        assert!(rows.iter().skip(index).eq(list.iter().skip(index)));
        let Some(row) = list.get(index) else { continue };
        assert!(rows.by_id(row.id()).is_some_and(|found| is_same(found, row)));
        assert_eq!(rows.is_declared(row.id()), index < declared);
    }
    assert_eq!(rows.last(), list.last());
    assert_eq!(rows.by_id("none"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rows_behave_like_a_list_with_an_index_by_id(
        (declared, added) in (0..2 * PAGE, 0..2 * PAGE),
        changes in prop::collection::vec(change(), 0..60),
    ) {
        let mut rows = rows(declared, added);
        let mut list: Vec<Arc<Row>> = rows.iter().cloned().collect();
        let (mut still_declared, mut next) = (declared, declared + added);
        let mut copies = Vec::new();
        for change in changes {
            match change {
                Change::Push => {
                    list.push(numbered(next));
                    rows.push(list.last().unwrap().clone());
                    next += 1;
                }
                Change::Replace(index) if !list.is_empty() => {
                    let index = index.index(list.len());
                    let other = row(list[index].id());
                    let before = std::mem::replace(&mut list[index], other);
                    prop_assert_eq!(rows.replace(list[index].clone()), Some(before));
                }
                Change::Remove(index) if !list.is_empty() => {
                    let index = index.index(list.len());
                    still_declared -= usize::from(index < still_declared);
                    let removed = list.remove(index);
                    prop_assert_eq!(rows.remove(removed.id()), Some(removed.clone()));
                    prop_assert_eq!(rows.remove(removed.id()), None);
                }
                Change::RemoveRun(index, count) if !list.is_empty() => {
                    let from = index.index(list.len());
                    let until = list.len().min(from + count);
                    still_declared -= still_declared.min(until).saturating_sub(from);
                    for removed in list.drain(from..until) {
                        prop_assert_eq!(rows.remove(removed.id()), Some(removed));
                    }
                }
                Change::Find => drop(rows.by_id("0")),
                Change::Clone => copies.push((rows.clone(), list.clone(), still_declared)),
                Change::Replace(_) | Change::Remove(_) | Change::RemoveRun(..) => {}
            }
        }
        copies.push((rows, list, still_declared));
        for (rows, list, declared) in copies {
            expect_same(&rows, &list, declared);
        }
    }
}

#[test]
fn a_change_copies_one_page_and_shares_the_others() {
    let mut rows = rows(4 * PAGE, 0);
    let before = rows.clone();
    rows.replace(numbered(PAGE));
    rows.push(row("new"));
    let shared = rows.pages.iter().zip(before.pages.iter()).map(|((_, one), (_, other))| Arc::ptr_eq(one, other));
    assert_eq!(shared.collect::<Vec<_>>(), [true, false, true, true]);
    assert_eq!((before.len(), before.last(), rows.pages.len()), (4 * PAGE, rows.get(4 * PAGE - 1), 5));
    assert!(rows.shares_all_with(&rows.clone()) && !rows.shares_all_with(&before));
}

#[test]
fn a_single_page_has_no_index_and_copies_share_an_index() {
    for (count, has_index) in [(PAGE, false), (PAGE + 1, true)] {
        let rows = rows(count, 0);
        assert!(rows.index.get().is_none());
        rows.by_id("1").unwrap();
        assert_eq!(rows.index.get().is_some(), has_index);
        assert_eq!(rows.clone().index.get().is_some(), has_index);
    }
}

#[test]
fn a_row_added_under_a_removed_id_is_not_declared() {
    for count in [3, 3 * PAGE] {
        let mut rows = rows(count, 0);
        (0..count).for_each(|id| drop(rows.remove(&id.to_string())));
        assert!(rows.is_empty() && rows.iter().next().is_none());
        rows.push(numbered(0));
        assert_eq!((rows.is_declared("0"), rows.declared().count(), rows.added().count()), (false, 0, 1));
    }
}
