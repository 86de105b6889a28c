//! The groups of one topic, indexed by number, by [`DeliverySpec`], and by their `where`.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::by_leaf::ByLeaf;
use super::{DeliverySpec, Group};

/// Groups in delivery order. Removing a group does not change the order of the others.
#[derive(Debug, Clone, Default)]
pub(super) struct TopicGroups {
    by_number: BTreeMap<u64, (Arc<DeliverySpec>, Arc<Group>)>,
    numbers: IndexMap<Arc<DeliverySpec>, u64>,
    by_leaf: ByLeaf,
}

impl TopicGroups {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<DeliverySpec>, &Arc<Group>)> {
        self.by_number.values().map(|(spec, group)| (spec, group))
    }

    /// Iterates over the groups whose `where` an event contains.
    pub(super) fn accepting<'g>(
        &'g self,
        event: &'g Value,
    ) -> impl Iterator<Item = (&'g Arc<DeliverySpec>, &'g Arc<Group>)> {
        let candidates = self.by_leaf.candidates(event);
        let all = candidates.is_none().then(|| self.iter());
        let found = candidates.into_iter().flatten().filter_map(move |number| self.by_number.get(&number));
        let found = found.map(|(spec, group)| (spec, group));
        all.into_iter().flatten().chain(found).filter(move |(spec, _)| spec.accepts(event))
    }

    /// Returns the group with this spec.
    pub(super) fn get(&self, spec: &DeliverySpec) -> Option<&Arc<Group>> {
        self.by_number.get(self.numbers.get(spec)?).map(|(_, group)| group)
    }

    pub(super) fn get_mut(&mut self, spec: &DeliverySpec) -> Option<&mut Arc<Group>> {
        self.by_number.get_mut(self.numbers.get(spec)?).map(|(_, group)| group)
    }

    /// Returns the equal value that a group already holds.
    pub(super) fn shared(&self, spec: &DeliverySpec) -> Option<&Arc<DeliverySpec>> {
        self.numbers.get_key_value(spec).map(|(shared, _)| shared)
    }

    /// Adds a group with a new number and a spec that no other group has.
    pub(super) fn insert(&mut self, spec: Arc<DeliverySpec>, group: Arc<Group>) {
        self.by_leaf.insert(spec.condition.as_ref(), group.number);
        self.numbers.insert(spec.clone(), group.number);
        self.by_number.insert(group.number, (spec, group));
    }

    pub(super) fn remove(&mut self, spec: &DeliverySpec) {
        if let Some(number) = self.numbers.swap_remove(spec) {
            self.by_number.remove(&number);
            self.by_leaf.remove(spec.condition.as_ref(), number);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }
}
