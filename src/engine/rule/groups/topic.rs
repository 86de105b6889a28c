//! The groups of one topic, indexed by number, by [`Wanted`], and by their `where`.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::by_leaf::ByLeaf;
use super::{Group, Wanted};

/// Groups in delivery order. Removing a group does not change the order of the others.
#[derive(Debug, Clone, Default)]
pub(super) struct TopicGroups {
    by_number: BTreeMap<u64, (Arc<Wanted>, Arc<Group>)>,
    numbers: IndexMap<Arc<Wanted>, u64>,
    by_leaf: ByLeaf,
}

impl TopicGroups {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<Wanted>, &Arc<Group>)> {
        self.by_number.values().map(|(wanted, group)| (wanted, group))
    }

    /// Iterates over the groups whose `where` an event contains.
    pub(super) fn accepting<'g>(&'g self, event: &'g Value) -> impl Iterator<Item = (&'g Arc<Wanted>, &'g Arc<Group>)> {
        let candidates = self.by_leaf.candidates(event);
        let all = candidates.is_none().then(|| self.iter());
        let found = candidates.into_iter().flatten().filter_map(move |number| self.by_number.get(&number));
        let found = found.map(|(wanted, group)| (wanted, group));
        all.into_iter().flatten().chain(found).filter(move |(wanted, _)| wanted.accepts(event))
    }

    /// Returns the group with this `wanted`.
    pub(super) fn get(&self, wanted: &Wanted) -> Option<&Arc<Group>> {
        self.by_number.get(self.numbers.get(wanted)?).map(|(_, group)| group)
    }

    pub(super) fn get_mut(&mut self, wanted: &Wanted) -> Option<&mut Arc<Group>> {
        self.by_number.get_mut(self.numbers.get(wanted)?).map(|(_, group)| group)
    }

    /// Returns the equal value that a group already holds.
    pub(super) fn shared(&self, wanted: &Wanted) -> Option<&Arc<Wanted>> {
        self.numbers.get_key_value(wanted).map(|(shared, _)| shared)
    }

    /// Adds a group with a new number and a `wanted` that no other group has.
    pub(super) fn insert(&mut self, wanted: Arc<Wanted>, group: Arc<Group>) {
        self.by_leaf.insert(wanted.condition.as_ref(), group.number);
        self.numbers.insert(wanted.clone(), group.number);
        self.by_number.insert(group.number, (wanted, group));
    }

    pub(super) fn remove(&mut self, wanted: &Wanted) {
        if let Some(number) = self.numbers.swap_remove(wanted) {
            self.by_number.remove(&number);
            self.by_leaf.remove(wanted.condition.as_ref(), number);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }
}
