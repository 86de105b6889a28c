//! Groups of members that receive the same frames from a topic, so that each frame is made once.

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

/// All groups. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Groups(Arc<Inner>);

#[derive(Debug, Clone, Default)]
struct Inner {
    by_topic: HashMap<Topic, TopicGroups>,
    /// Members that may be in several groups. All others need no check for duplicates.
    several: BTreeSet<u64>,
    /// Groups that have become empty. They keep their numbers and positions until the current rule can no longer be
    /// rolled back.
    emptied: Vec<(Topic, Arc<DeliverySpec>)>,
    last: u64,
}

/// Members that receive the same frames from a topic, each with its number of such memberships.
#[derive(Debug, Clone)]
struct Group {
    number: u64,
    members: BTreeMap<u64, u32>,
}

/// What a membership receives from a topic, and in what form.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::engine) struct DeliverySpec {
    /// The value that an event must contain. `None` if any event is accepted.
    pub(in crate::engine) condition: Option<Value>,
    /// The frame that replaces the event. `None` if the event is passed on unchanged.
    pub(in crate::engine) shape: Option<Shape>,
    /// The encoding of frames for the client.
    pub(in crate::engine) address: Address,
}

/// A frame with its context. Equality ignores the origin.
#[derive(Debug)]
pub(in crate::engine) struct Shape {
    pub(super) frame: Template,
    pub(super) context: Context,
    /// The member, if the frame uses its memory.
    pub(super) member: Option<u64>,
    /// The rule that first joined with this frame. Failures name it.
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
        // Few different frames share a context, so the frame is not hashed.
        self.context.hash(state);
        self.member.hash(state);
    }
}

impl Shape {
    /// Creates the shape of a member's frame. It is specific to the member only if the frame uses the member's memory.
    pub(super) fn new(frame: &Template, context: &Context, member: u64, origin: &RuleOrigin) -> Self {
        let own = frame.names().iter().filter(|name| !is_common_name(name));
        let member = frame.names().contains(CONN).then_some(member);
        Self { frame: frame.clone(), context: context.only(own), member, origin: origin.clone() }
    }

    /// Returns whether the frame depends on the topic that an event arrives by.
    fn names_topic(&self) -> bool {
        self.frame.names().contains("topic")
    }
}

impl DeliverySpec {
    /// Returns whether an event satisfies the condition.
    pub(super) fn accepts(&self, payload: &Value) -> bool {
        self.condition.as_ref().is_none_or(|condition| matching::contains(condition, payload))
    }

    /// Returns whether both make the same frames from an event, even for different topics or conditions.
    pub(super) fn makes_same_frames(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.address == other.address
            && other.shape.as_ref().is_none_or(|shape| !shape.names_topic())
    }
}

impl Groups {
    /// Adds a membership in these topics. Returns the numbers of the groups that the member enters.
    pub(in crate::engine) fn join(&mut self, member: u64, topics: &[Topic], spec: &Arc<DeliverySpec>) -> Vec<u64> {
        let Inner { by_topic, last, .. } = Arc::make_mut(&mut self.0);
        let mut joined = Vec::new();
        for topic in topics {
            let groups = by_topic.entry(topic.clone()).or_default();
            if groups.get(spec).is_none() {
                *last += 1;
                groups.insert(spec.clone(), Arc::new(Group { number: *last, members: BTreeMap::new() }));
            }
            let Some(group) = groups.get_mut(spec) else { continue };
            let times = Arc::make_mut(group).members.entry(member).or_default();
            *times += 1;
            if *times == 1 {
                joined.push(group.number);
            }
        }
        joined
    }

    /// Returns the equal value that a group of these topics already holds, or a new one.
    pub(in crate::engine) fn shared(&self, topics: &[Topic], spec: DeliverySpec) -> Arc<DeliverySpec> {
        let known = topics.iter().find_map(|topic| self.0.by_topic.get(topic)?.shared(&spec)).cloned();
        known.unwrap_or_else(|| Arc::new(spec))
    }

    /// Removes a membership in these topics. Returns the numbers of the groups that the member leaves.
    pub(in crate::engine) fn leave(&mut self, member: u64, topics: &[Topic], spec: &Arc<DeliverySpec>) -> Vec<u64> {
        let Inner { by_topic, emptied, .. } = Arc::make_mut(&mut self.0);
        let mut left = Vec::new();
        for topic in topics {
            let Some(groups) = by_topic.get_mut(topic) else { continue };
            let Some(group) = groups.get_mut(spec).map(Arc::make_mut) else { continue };
            let Some(times) = group.members.get_mut(&member) else { continue };
            *times -= 1;
            if *times > 0 {
                continue;
            }
            group.members.remove(&member);
            left.push(group.number);
            if group.members.is_empty() {
                emptied.push((topic.clone(), spec.clone()));
            }
        }
        left
    }

    /// Removes empty groups.
    pub(in crate::engine) fn sweep(&mut self) {
        if self.0.emptied.is_empty() {
            return;
        }
        let Inner { by_topic, emptied, .. } = Arc::make_mut(&mut self.0);
        for (topic, spec) in emptied.drain(..) {
            let Some(groups) = by_topic.get_mut(&topic) else { continue };
            if groups.get(&spec).is_some_and(|group| group.members.is_empty()) {
                groups.remove(&spec);
            }
            if groups.is_empty() {
                by_topic.remove(&topic);
            }
        }
    }

    /// Records whether a member may be in several groups.
    pub(in crate::engine) fn set_in_several_groups(&mut self, member: u64, may_be_in_several_groups: bool) {
        if self.0.several.contains(&member) == may_be_in_several_groups {
            return;
        }
        let several = &mut Arc::make_mut(&mut self.0).several;
        if may_be_in_several_groups {
            several.insert(member);
        } else {
            several.remove(&member);
        }
    }

    /// Returns an empty set of groups that continues the numbering.
    pub(in crate::engine) fn without_members(&self) -> Self {
        Self(Arc::new(Inner { last: self.0.last, ..Inner::default() }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.by_topic.is_empty()
    }

    /// Returns whether a topic has groups.
    pub(super) fn has(&self, topic: &Topic) -> bool {
        self.0.by_topic.contains_key(topic)
    }

    /// Iterates over the members of a group that may also be in others.
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
    /// Iterates over the groups that are not empty: topic, [`DeliverySpec`], number, and members with their number of
    /// memberships.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Topic, &Arc<DeliverySpec>, u64, &BTreeMap<u64, u32>)> {
        let all = self.0.by_topic.iter().flat_map(|(topic, groups)| groups.iter().map(move |group| (topic, group)));
        let all = all.map(|(topic, (spec, group))| (topic, spec, group.number, &group.members));
        all.filter(|(.., members)| !members.is_empty())
    }

    /// Returns the members that may be in several groups.
    pub(super) fn several(&self) -> &BTreeSet<u64> {
        &self.0.several
    }
}
