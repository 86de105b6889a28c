//! Audiences of messages: sockets join topics, and a message to a topic is delivered to the sockets that have joined
//! it.
//!
//! A topic has an id while it has members; a message to a topic without members is dropped. The index lists the current
//! members of each topic, so the cost of a delivery depends on the members alone, not on the number of other sockets. A
//! membership covers a range of feed positions, so a socket that reads the feed late receives exactly the messages that
//! were sent while it was a member.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::engine::Topic;

/// The id of a topic that has members. The id is free again once the last member has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TopicId(u32);

/// The recipients of a feed item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    /// Every open socket.
    All,
    /// The members of a topic.
    Topic(TopicId),
    /// Every member of at least one of these topics, once each.
    AnyOf(Arc<[TopicId]>),
    /// The members of these topics except one socket.
    Without {
        /// The topics.
        topics: Arc<[TopicId]>,
        /// The number of the excluded socket.
        except: u64,
    },
    /// The members of every topic whose state is the values of this collection.
    State(Arc<str>),
    /// The socket with this number.
    One(u64),
}

/// Distinct audiences, in the order in which they were added.
pub(super) type Audiences = IndexSet<Audience, FxBuildHasher>;

/// A topic, as a socket joins it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Join {
    pub(super) topic: Topic,
    /// The collection whose current values a member receives at the start, and again if it falls further behind than
    /// the feed reaches back.
    pub(super) state: Option<Arc<str>>,
}

#[derive(Debug)]
struct Membership {
    topic: TopicId,
    state: Option<Arc<str>>,
    /// The feed position of the first item for the member.
    from: u64,
    /// The feed position after the last item for the member.
    until: u64,
}

/// How much of a range of items is for a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    Nothing,
    /// Only a part of the range.
    Part,
    Everything,
}

/// The memberships of one socket.
#[derive(Debug, Default)]
pub(super) struct Memberships(Vec<Membership>);

impl Audience {
    /// Returns the members of these topics; `None` if there are no topics.
    pub(super) fn of(topics: Vec<TopicId>) -> Option<Self> {
        match topics[..] {
            [] => None,
            [topic] => Some(Self::Topic(topic)),
            _ => Some(Self::AnyOf(topics.into())),
        }
    }

    /// Returns this audience without one socket.
    pub(super) fn without(self, except: Option<u64>) -> Self {
        match (self, except) {
            (Self::Topic(topic), Some(except)) => Self::Without { topics: [topic].into(), except },
            (Self::AnyOf(topics), Some(except)) => Self::Without { topics, except },
            (audience, _) => audience,
        }
    }

    /// Returns the topics whose members make up the audience; `None` if it is not defined by topics.
    pub(super) fn topics(&self) -> Option<&[TopicId]> {
        match self {
            Self::Topic(topic) => Some(std::slice::from_ref(topic)),
            Self::AnyOf(topics) | Self::Without { topics, .. } => Some(topics),
            Self::All | Self::State(_) | Self::One(_) => None,
        }
    }
}

impl Memberships {
    /// Joins a topic from a feed position on. Joining a topic again changes nothing.
    pub(super) fn join(&mut self, topic: TopicId, state: Option<Arc<str>>, from: u64) {
        if self.current().all(|membership| membership.topic != topic) {
            // Most sockets join one topic.
            self.0.reserve_exact(1);
            self.0.push(Membership { topic, state, from, until: u64::MAX });
        }
    }

    /// Leaves a topic: items from this feed position on are not for the socket.
    pub(super) fn leave(&mut self, topic: TopicId, until: u64) {
        let left = self.0.iter_mut().find(|membership| membership.topic == topic && membership.until == u64::MAX);
        if let Some(membership) = left {
            membership.until = until;
        }
    }

    /// Removes the memberships that end at or before a feed position that the socket has reached.
    pub(super) fn forget_before(&mut self, position: u64) {
        self.0.retain(|membership| membership.until > position);
    }

    /// Returns whether a membership starts or ends after a feed position.
    pub(super) fn changes_from(&self, position: u64) -> bool {
        self.0.iter().any(|one| one.from > position || (position + 1..u64::MAX).contains(&one.until))
    }

    /// Returns the topics that the socket is a member of now.
    pub(super) fn topics(&self) -> Vec<TopicId> {
        self.current().map(|membership| membership.topic).collect()
    }

    fn current(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter().filter(|membership| membership.until == u64::MAX)
    }

    /// Returns how much of the range of feed positions `from..to` is for the socket, among items for an audience of
    /// many.
    pub(super) fn coverage(&self, audience: &Audience, from: u64, to: u64) -> Coverage {
        let covers_audience = |membership: &&Membership| match audience {
            Audience::Topic(topic) => membership.topic == *topic,
            Audience::AnyOf(topics) | Audience::Without { topics, .. } => topics.contains(&membership.topic),
            Audience::State(collection) => membership.state.as_ref() == Some(collection),
            Audience::All | Audience::One(_) => false,
        };
        let mut coverage = Coverage::Nothing;
        for membership in self.0.iter().filter(covers_audience) {
            if membership.from <= from && membership.until >= to {
                return Coverage::Everything;
            }
            if membership.from < to && membership.until > from {
                coverage = Coverage::Part;
            }
        }
        coverage
    }
}

/// An index of the current members of each topic. `M` is a member.
#[derive(Debug)]
pub(super) struct TopicIndex<M> {
    ids: HashMap<Topic, TopicId>,
    /// By topic id.
    members: Vec<TopicMembers<M>>,
    /// Ids that are not in use.
    free: Vec<TopicId>,
}

#[derive(Debug)]
struct TopicMembers<M> {
    topic: Topic,
    /// By member number.
    members: BTreeMap<u64, M>,
}

impl<M> Default for TopicIndex<M> {
    fn default() -> Self {
        Self { ids: HashMap::new(), members: Vec::new(), free: Vec::new() }
    }
}

impl<M: Clone> TopicIndex<M> {
    /// Returns the id of a topic; `None` if it has no members.
    pub(super) fn id(&self, topic: &Topic) -> Option<TopicId> {
        self.ids.get(topic).copied()
    }

    /// Returns the topic with an id; `None` if the id was never used.
    pub(super) fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.at(id).map(|members| &members.topic)
    }

    pub(super) fn join(&mut self, topic: &Topic, number: u64, member: M) -> TopicId {
        let id = self.id(topic).unwrap_or_else(|| self.intern(topic));
        if let Some(members) = self.at_mut(id) {
            members.members.insert(number, member);
        }
        id
    }

    pub(super) fn leave(&mut self, id: TopicId, number: u64) {
        let Some(members) = self.at_mut(id) else { return };
        let has_left = members.members.remove(&number).is_some();
        if has_left && members.members.is_empty() {
            let topic = members.topic.clone();
            self.ids.remove(&topic);
            self.free.push(id);
        }
    }

    /// Returns the members of a topic whose numbers are greater than `last`, in order.
    pub(super) fn after(&self, id: TopicId, last: u64) -> impl Iterator<Item = (u64, &M)> {
        let members = self.at(id).map(|members| members.members.range((Bound::Excluded(last), Bound::Unbounded)));
        members.into_iter().flatten().map(|(number, member)| (*number, member))
    }

    /// Returns the number of members of a topic.
    pub(super) fn len(&self, id: TopicId) -> usize {
        self.at(id).map_or(0, |members| members.members.len())
    }

    fn intern(&mut self, topic: &Topic) -> TopicId {
        let members = TopicMembers { topic: topic.clone(), members: BTreeMap::new() };
        // This cannot overflow: there are fewer topics than memberships, and each membership takes more than the four
        // bytes of an id.
        let id = self.free.pop().unwrap_or(TopicId(u32::try_from(self.members.len()).unwrap_or(u32::MAX)));
        match self.at_mut(id) {
            Some(place) => *place = members,
            None => self.members.push(members),
        }
        self.ids.insert(topic.clone(), id);
        id
    }

    fn at(&self, TopicId(number): TopicId) -> Option<&TopicMembers<M>> {
        self.members.get(number as usize)
    }

    fn at_mut(&mut self, TopicId(number): TopicId) -> Option<&mut TopicMembers<M>> {
        self.members.get_mut(number as usize)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn named(name: &str) -> Topic {
        Topic::Named(name.into())
    }

    #[test]
    fn a_membership_covers_a_range_of_feed_positions() {
        let (topic, other) = (TopicId(0), TopicId(1));
        let mut memberships = Memberships::default();
        memberships.join(topic, Some("toys".into()), 10);
        memberships.join(topic, None, 15);
        memberships.leave(topic, 20);
        memberships.leave(topic, 99);
        memberships.join(topic, Some("food".into()), 30);
        assert_eq!(memberships.topics(), [topic]);
        let of_topic = Audience::Topic(topic);
        for (audience, from, to, expected) in [
            (&of_topic, 10, 20, Coverage::Everything),
            (&of_topic, 12, 13, Coverage::Everything),
            (&of_topic, 9, 11, Coverage::Part),
            (&of_topic, 19, 21, Coverage::Part),
            (&of_topic, 9, 10, Coverage::Nothing),
            (&of_topic, 20, 30, Coverage::Nothing),
            (&of_topic, 0, 100, Coverage::Part),
            (&of_topic, 30, 1_000_000, Coverage::Everything),
            (&Audience::Topic(other), 10, 20, Coverage::Nothing),
            (&Audience::AnyOf([other, topic].into()), 10, 20, Coverage::Everything),
            (&Audience::State("toys".into()), 10, 20, Coverage::Everything),
            (&Audience::State("food".into()), 10, 20, Coverage::Nothing),
            (&Audience::State("food".into()), 30, 31, Coverage::Everything),
        ] {
            assert_eq!(memberships.coverage(audience, from, to), expected, "{audience:?} {from}..{to}");
        }
        memberships.forget_before(20);
        assert_eq!(memberships.coverage(&of_topic, 12, 13), Coverage::Nothing);
        assert_eq!(memberships.coverage(&of_topic, 30, 31), Coverage::Everything);
    }

    #[test]
    fn a_topic_has_an_id_while_it_has_members() {
        let mut index = TopicIndex::default();
        let news = index.join(&named("news"), 7, "seven");
        assert_eq!(index.join(&named("news"), 3, "three"), news);
        assert_eq!(index.join(&named("news"), 3, "three"), news);
        let chat = index.join(&named("chat"), 7, "seven");
        assert_ne!(chat, news);
        let members = |index: &TopicIndex<&str>, id, last| index.after(id, last).map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!((members(&index, news, 0), members(&index, news, 3), index.len(chat)), (vec![3, 7], vec![7], 1));
        index.leave(news, 3);
        index.leave(news, 3);
        assert_eq!(index.id(&named("news")), Some(news));
        index.leave(news, 7);
        assert_eq!((index.id(&named("news")), members(&index, news, 0)), (None, vec![]));
        assert_eq!(index.join(&named("other"), 1, "one"), news);
        assert_eq!((index.id(&named("other")), index.id(&named("news"))), (Some(news), None));
    }
}
