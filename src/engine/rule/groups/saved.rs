//! Saving and restoring groups, with their numbers and in delivery order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DeliverySpec, Group, Groups, Inner};
use crate::engine::topics::Topic;

impl Groups {
    /// Returns all groups, including empty ones, in delivery order within each topic.
    pub(in crate::engine::rule) fn in_order(&self) -> Vec<(&Topic, u64, &Arc<DeliverySpec>)> {
        let mut topics: Vec<_> = self.0.by_topic.iter().collect();
        topics.sort_unstable_by_key(|(topic, _)| *topic);
        let groups = topics.into_iter().flat_map(|(topic, groups)| groups.iter().map(move |group| (topic, group)));
        groups.map(|(topic, (spec, group))| (topic, group.number, spec)).collect()
    }

    /// Returns the number of the last group.
    pub(in crate::engine::rule) fn last(&self) -> u64 {
        self.0.last
    }

    /// Returns the numbers of empty groups, in the order in which they will be removed.
    pub(in crate::engine::rule) fn emptied_numbers(&self) -> Vec<u64> {
        let groups = self.0.emptied.iter().filter_map(|(topic, spec)| self.0.by_topic.get(topic)?.get(spec));
        groups.filter(|group| group.members.is_empty()).map(|group| group.number).collect()
    }

    /// Creates groups with these numbers, in this order and without members.
    pub(in crate::engine::rule) fn restored(
        last: u64,
        groups: impl Iterator<Item = (Topic, u64, Arc<DeliverySpec>)>,
        emptied: &[u64],
    ) -> Self {
        let mut all = Inner { last, ..Inner::default() };
        let mut gone = vec![None; emptied.len()];
        for (topic, number, spec) in groups {
            for (place, _) in gone.iter_mut().zip(emptied).filter(|(_, one)| **one == number) {
                *place = Some((topic.clone(), spec.clone()));
            }
            let group = Arc::new(Group { number, members: BTreeMap::new() });
            all.by_topic.entry(topic).or_default().insert(spec, group);
        }
        all.emptied = gone.into_iter().flatten().collect();
        Self(Arc::new(all))
    }
}
