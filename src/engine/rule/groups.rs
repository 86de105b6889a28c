//! Members of a topic who want the same of what is sent there, so that it is made once for all of them.

mod by_leaf;
mod delivery;
mod saved;
mod topic;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;

pub(super) use self::delivery::Values;
use self::topic::TopicGroups;
use super::context::Context;
use super::origin::RuleOrigin;
use crate::engine::codec::Address;
use crate::engine::topics::Topic;
use crate::expression::Template;
use crate::matching;
use crate::scenario::{CONN, is_common_name};

/// All groups. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Groups(Arc<All>);

#[derive(Debug, Clone, Default)]
struct All {
    by_topic: HashMap<Topic, TopicGroups>,
    /// Members that may be in several groups. Most are in one, and nobody has to look whether they get something twice.
    several: BTreeSet<u64>,
    /// Groups that nobody is in any more. They keep their numbers and places until the rule at work can no longer be undone.
    emptied: Vec<(Topic, Arc<Wanted>)>,
    last: u64,
}

/// Those who want the same of a topic, each with how many of its memberships do.
#[derive(Debug, Clone)]
struct Group {
    number: u64,
    members: BTreeMap<u64, u32>,
}

/// What a membership wants of a topic.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::engine) struct Wanted {
    /// What has to be contained in what is sent.
    pub(in crate::engine) condition: Option<Value>,
    /// What it gets in its place.
    pub(in crate::engine) shape: Option<Shape>,
    /// How that is written.
    pub(in crate::engine) address: Address,
}

/// A frame, with what it knows of the member. Two are equal if they say the same and know the same.
#[derive(Debug)]
pub(in crate::engine) struct Shape {
    pub(super) frame: Template,
    pub(super) context: Context,
    /// The member, if the frame uses its memory.
    pub(super) member: Option<u64>,
    /// The rule that first joined with it, which a failure names.
    pub(super) origin: RuleOrigin,
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.member == other.member && self.frame == other.frame && self.context == other.context
    }
}

impl Eq for Shape {}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Frames that differ but know the same are few.
        self.context.hash(state);
        self.member.hash(state);
    }
}

impl Shape {
    /// The frame of a member, for which it is made alone if it uses the member's memory.
    pub(super) fn new(frame: &Template, context: &Context, member: u64, origin: &RuleOrigin) -> Self {
        let own = frame.names().iter().filter(|name| !is_common_name(name));
        let member = frame.names().contains(CONN).then_some(member);
        Self { frame: frame.clone(), context: context.only(own), member, origin: origin.clone() }
    }

    /// Whether what members get differs by the topic that it comes by.
    fn names_topic(&self) -> bool {
        self.frame.names().contains("topic")
    }
}

impl Wanted {
    /// Whether it wants what is sent.
    pub(super) fn takes(&self, payload: &Value) -> bool {
        self.condition.as_ref().is_none_or(|condition| matching::contains(condition, payload))
    }

    /// Whether another membership gets the same of an event, by another topic of it or with another condition.
    pub(super) fn gives_the_same(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.address == other.address
            && other.shape.as_ref().is_none_or(|shape| !shape.names_topic())
    }
}

impl Groups {
    /// Has a member join topics once more, and gives the numbers of the groups that it was not in.
    pub(in crate::engine) fn join(&mut self, member: u64, topics: &[Topic], wanted: &Arc<Wanted>) -> Vec<u64> {
        let All { by_topic, last, .. } = Arc::make_mut(&mut self.0);
        let mut joined = Vec::new();
        for topic in topics {
            let groups = by_topic.entry(topic.clone()).or_default();
            if groups.get(wanted).is_none() {
                *last += 1;
                groups.insert(wanted.clone(), Arc::new(Group { number: *last, members: BTreeMap::new() }));
            }
            let Some(group) = groups.get_mut(wanted) else { continue };
            let times = Arc::make_mut(group).members.entry(member).or_default();
            *times += 1;
            if *times == 1 {
                joined.push(group.number);
            }
        }
        joined
    }

    /// What others of these topics want already, if it is the same: one place for all of them.
    pub(in crate::engine) fn shared(&self, topics: &[Topic], wanted: Wanted) -> Arc<Wanted> {
        let known = topics.iter().find_map(|topic| self.0.by_topic.get(topic)?.shared(&wanted)).cloned();
        known.unwrap_or_else(|| Arc::new(wanted))
    }

    /// Has a member leave topics that it has joined so once, and gives the numbers of the groups that it is in no longer.
    pub(in crate::engine) fn leave(&mut self, member: u64, topics: &[Topic], wanted: &Arc<Wanted>) -> Vec<u64> {
        let All { by_topic, emptied, .. } = Arc::make_mut(&mut self.0);
        let mut left = Vec::new();
        for topic in topics {
            let Some(groups) = by_topic.get_mut(topic) else { continue };
            let Some(group) = groups.get_mut(wanted).map(Arc::make_mut) else { continue };
            let Some(times) = group.members.get_mut(&member) else { continue };
            *times -= 1;
            if *times > 0 {
                continue;
            }
            group.members.remove(&member);
            left.push(group.number);
            if group.members.is_empty() {
                emptied.push((topic.clone(), wanted.clone()));
            }
        }
        left
    }

    /// Removes the groups that nobody is in.
    pub(in crate::engine) fn sweep(&mut self) {
        if self.0.emptied.is_empty() {
            return;
        }
        let All { by_topic, emptied, .. } = Arc::make_mut(&mut self.0);
        for (topic, wanted) in emptied.drain(..) {
            let Some(groups) = by_topic.get_mut(&topic) else { continue };
            if groups.get(&wanted).is_some_and(|group| group.members.is_empty()) {
                groups.remove(&wanted);
            }
            if groups.is_empty() {
                by_topic.remove(&topic);
            }
        }
    }

    /// Notes whether a member may be in several groups.
    pub(in crate::engine) fn note_several(&mut self, member: u64, is_in_several: bool) {
        if self.0.several.contains(&member) == is_in_several {
            return;
        }
        let several = &mut Arc::make_mut(&mut self.0).several;
        if is_in_several {
            several.insert(member);
        } else {
            several.remove(&member);
        }
    }

    /// Without any; the numbers of new ones go on.
    pub(in crate::engine) fn emptied(&self) -> Self {
        Self(Arc::new(All { last: self.0.last, ..All::default() }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.by_topic.is_empty()
    }

    /// Whether there is a group of a topic.
    pub(super) fn has(&self, topic: &Topic) -> bool {
        self.0.by_topic.contains_key(topic)
    }

    /// The members of a group who may be in several.
    fn in_several<'g>(&'g self, group: &'g Group) -> Box<dyn Iterator<Item = u64> + 'g> {
        let several = &self.0.several;
        if several.len() < group.members.len() {
            Box::new(several.iter().copied().filter(|member| group.members.contains_key(member)))
        } else {
            Box::new(group.members.keys().copied().filter(|member| several.contains(member)))
        }
    }
}

#[cfg(test)]
impl Groups {
    /// Those that somebody is in: topic, what is wanted, number, and the members with how many of their memberships want it.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Topic, &Arc<Wanted>, u64, &BTreeMap<u64, u32>)> {
        let all = self.0.by_topic.iter().flat_map(|(topic, groups)| groups.iter().map(move |group| (topic, group)));
        let all = all.map(|(topic, (wanted, group))| (topic, wanted, group.number, &group.members));
        all.filter(|(.., members)| !members.is_empty())
    }

    /// Members that may be in several groups.
    pub(super) fn several(&self) -> &BTreeSet<u64> {
        &self.0.several
    }
}
