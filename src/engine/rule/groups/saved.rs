//! Groups as they are written down and taken up again: with their numbers, and in the order in which they get what is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{All, Group, Groups, Wanted};
use crate::engine::topics::Topic;

impl Groups {
    /// All of them, those of a topic in their order; also those that are emptied.
    pub(in crate::engine::rule) fn in_order(&self) -> Vec<(&Topic, u64, &Arc<Wanted>)> {
        let mut topics: Vec<_> = self.0.by_topic.iter().collect();
        topics.sort_unstable_by_key(|(topic, _)| *topic);
        let groups = topics.into_iter().flat_map(|(topic, groups)| groups.iter().map(move |group| (topic, group)));
        groups.map(|(topic, (wanted, group))| (topic, group.number, wanted)).collect()
    }

    /// The number of the last one.
    pub(in crate::engine::rule) fn last(&self) -> u64 {
        self.0.last
    }

    /// The numbers of those that nobody is in any more, in the order in which they are to go.
    pub(in crate::engine::rule) fn emptied_numbers(&self) -> Vec<u64> {
        let groups = self.0.emptied.iter().filter_map(|(topic, wanted)| self.0.by_topic.get(topic)?.get(wanted));
        groups.filter(|group| group.members.is_empty()).map(|group| group.number).collect()
    }

    /// Those of these numbers, in that order, which nobody is in yet.
    pub(in crate::engine::rule) fn restored(
        last: u64,
        groups: impl Iterator<Item = (Topic, u64, Arc<Wanted>)>,
        emptied: &[u64],
    ) -> Self {
        let mut all = All { last, ..All::default() };
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
