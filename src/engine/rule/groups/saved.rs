//! Saving and restoring groups, with their numbers and in delivery order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Group, Groups, Inner, Wanted};
use crate::engine::topics::Topic;

impl Groups {
    /// Returns all groups, including empty ones, in delivery order within each topic.
    pub(in crate::engine::rule) fn in_order(&self) -> Vec<(&Topic, u64, &Arc<Wanted>)> {
        let mut topics: Vec<_> = self.0.by_topic.iter().collect();
        topics.sort_unstable_by_key(|(topic, _)| *topic);
        let groups = topics.into_iter().flat_map(|(topic, groups)| groups.iter().map(move |group| (topic, group)));
        groups.map(|(topic, (wanted, group))| (topic, group.number, wanted)).collect()
    }

    /// Returns the number of the last group.
    pub(in crate::engine::rule) fn last(&self) -> u64 {
        self.0.last
    }

    /// Returns the numbers of empty groups, in the order in which they will be removed.
    pub(in crate::engine::rule) fn emptied_numbers(&self) -> Vec<u64> {
        let groups = self.0.emptied.iter().filter_map(|(topic, wanted)| self.0.by_topic.get(topic)?.get(wanted));
        groups.filter(|group| group.members.is_empty()).map(|group| group.number).collect()
    }

    /// Creates groups with these numbers, in this order and without members.
    pub(in crate::engine::rule) fn restored(
        last: u64,
        groups: impl Iterator<Item = (Topic, u64, Arc<Wanted>)>,
        emptied: &[u64],
    ) -> Self {
        let mut all = Inner { last, ..Inner::default() };
        let mut gone = vec![None; emptied.len()];
        for (topic, number, wanted) in groups {
            for (place, _) in gone.iter_mut().zip(emptied).filter(|(_, one)| **one == number) {
                *place = Some((topic.clone(), wanted.clone()));
            }
            let group = Arc::new(Group { number, members: BTreeMap::new() });
            all.by_topic.entry(topic).or_default().insert(wanted, group);
        }
        all.emptied = gone.into_iter().flatten().collect();
        Self(Arc::new(all))
    }
}
