//! Who gets what: sockets join topics, and what is sent to a topic is for those who have joined it.
//!
//! A topic has a number while it has members; what is sent to a topic without members is dropped. The index lists the current
//! members of each topic, so that a delivery costs what its members cost, however many other sockets there are. A membership
//! holds from one position of the feed to another, so that a socket that reads the feed late gets what was sent while it was
//! a member, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use crate::engine::Topic;

/// A topic that somebody has joined. Its number is free again once the last member has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TopicId(u32);

/// Whom an item of the feed is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    /// Every open socket.
    All,
    /// The members of a topic.
    Topic(TopicId),
    /// Those who have joined one of these topics, once each.
    AnyOf(Arc<[TopicId]>),
    /// The same but for one of them.
    Without {
        /// The topics.
        topics: Arc<[TopicId]>,
        /// The number of the socket that gets nothing.
        except: u64,
    },
    /// The members of any topic whose state is that collection's values.
    State(Arc<str>),
    /// The socket of that number.
    One(u64),
}

/// A topic, as a socket joins it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Join {
    pub(super) topic: Topic,
    /// The collection whose current values a member begins with, and gets again where the feed does not lead on.
    pub(super) state: Option<Arc<str>>,
}

#[derive(Debug)]
struct Membership {
    topic: TopicId,
    state: Option<Arc<str>>,
    /// The position in the feed of the first item that is for the member.
    from: u64,
    /// The position after the last.
    until: u64,
}

/// How much of a run of items is for a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    Nothing,
    /// What is for the audience in the first part of the run, or in the last.
    Part,
    Everything,
}

/// What one socket has joined.
#[derive(Debug, Default)]
pub(super) struct Memberships(Vec<Membership>);

impl Audience {
    /// Those who have joined one of these topics; `None` for nobody.
    pub(super) fn of(topics: Vec<TopicId>) -> Option<Self> {
        match topics[..] {
            [] => None,
            [topic] => Some(Self::Topic(topic)),
            _ => Some(Self::AnyOf(topics.into())),
        }
    }

    /// The same but for one socket.
    pub(super) fn without(self, except: Option<u64>) -> Self {
        match (self, except) {
            (Self::Topic(topic), Some(except)) => Self::Without { topics: [topic].into(), except },
            (Self::AnyOf(topics), Some(except)) => Self::Without { topics, except },
            (audience, _) => audience,
        }
    }

    /// The topics whose members it is made of, if it is.
    pub(super) fn topics(&self) -> Option<&[TopicId]> {
        match self {
            Self::Topic(topic) => Some(std::slice::from_ref(topic)),
            Self::AnyOf(topics) | Self::Without { topics, .. } => Some(topics),
            Self::All | Self::State(_) | Self::One(_) => None,
        }
    }
}

impl Memberships {
    /// Joins a topic from that position of the feed on; a second time, that changes nothing.
    pub(super) fn join(&mut self, topic: TopicId, state: Option<Arc<str>>, from: u64) {
        if self.current().all(|membership| membership.topic != topic) {
            // Most sockets join one topic.
            self.0.reserve_exact(1);
            self.0.push(Membership { topic, state, from, until: u64::MAX });
        }
    }

    /// Leaves a topic: what comes from that position on is not for the socket.
    pub(super) fn leave(&mut self, topic: TopicId, until: u64) {
        let left = self.0.iter_mut().find(|membership| membership.topic == topic && membership.until == u64::MAX);
        if let Some(membership) = left {
            membership.until = until;
        }
    }

    /// Forgets the memberships that are over for a socket that has got everything up to that position.
    pub(super) fn forget_before(&mut self, position: u64) {
        self.0.retain(|membership| membership.until > position);
    }

    /// Whether one of them begins or ends after a position.
    pub(super) fn changes_from(&self, position: u64) -> bool {
        self.0.iter().any(|one| one.from > position || (position + 1..u64::MAX).contains(&one.until))
    }

    /// The topics that it has joined now.
    pub(super) fn topics(&self) -> Vec<TopicId> {
        self.current().map(|membership| membership.topic).collect()
    }

    fn current(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter().filter(|membership| membership.until == u64::MAX)
    }

    /// How much is for it of the items for an audience of many, from a position up to another.
    pub(super) fn coverage(&self, audience: &Audience, from: u64, to: u64) -> Coverage {
        let is_for = |membership: &&Membership| match audience {
            Audience::Topic(topic) => membership.topic == *topic,
            Audience::AnyOf(topics) | Audience::Without { topics, .. } => topics.contains(&membership.topic),
            Audience::State(collection) => membership.state.as_ref() == Some(collection),
            Audience::All | Audience::One(_) => false,
        };
        let mut coverage = Coverage::Nothing;
        for membership in self.0.iter().filter(is_for) {
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

/// Who has joined which topic now. `M` is a member.
#[derive(Debug)]
pub(super) struct TopicIndex<M> {
    ids: HashMap<Topic, TopicId>,
    /// By the number of their topic.
    members: Vec<TopicMembers<M>>,
    /// Numbers that no topic has.
    free: Vec<TopicId>,
}

#[derive(Debug)]
struct TopicMembers<M> {
    topic: Topic,
    /// By their own number.
    members: BTreeMap<u64, M>,
}

impl<M> Default for TopicIndex<M> {
    fn default() -> Self {
        Self { ids: HashMap::new(), members: Vec::new(), free: Vec::new() }
    }
}

impl<M: Clone> TopicIndex<M> {
    /// The number of a topic; `None` if nobody has joined it.
    pub(super) fn id(&self, topic: &Topic) -> Option<TopicId> {
        self.ids.get(topic).copied()
    }

    /// The topic of a number that a member has.
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

    /// The members of a topic after a number, in order.
    pub(super) fn after(&self, id: TopicId, last: u64) -> impl Iterator<Item = (u64, &M)> {
        let members = self.at(id).map(|members| members.members.range((Bound::Excluded(last), Bound::Unbounded)));
        members.into_iter().flatten().map(|(number, member)| (*number, member))
    }

    /// How many members a topic has.
    pub(super) fn len(&self, id: TopicId) -> usize {
        self.at(id).map_or(0, |members| members.members.len())
    }

    fn intern(&mut self, topic: &Topic) -> TopicId {
        let members = TopicMembers { topic: topic.clone(), members: BTreeMap::new() };
        // There are fewer topics than memberships, each of which takes more than the four bytes of a number.
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
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use super::*;

    fn named(name: &str) -> Topic {
        Topic::Named(name.into())
    }

    #[test]
    fn a_membership_holds_from_one_position_to_another() {
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
    fn a_topic_has_a_number_while_it_has_members() {
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
