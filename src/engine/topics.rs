//! Topics and their members.
//!
//! Memberships describe presence rather than history: no event reports them, and snapshots omit them. A reload keeps
//! them; a reset or a restore keeps only those that no rule has made. This module ignores the meaning of topics; the
//! world decides what to send to each.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A topic that members can join. A clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Every counter.
    Counters,
    /// The counters of one collection.
    CountersOf(Arc<str>),
    /// Notices from the world itself.
    Notices,
    /// A topic named by a scenario.
    Named(Arc<str>),
    /// The members of a topic that receive the same frames.
    Group(u64),
    /// The sockets of the endpoint with this key.
    SocketsOf(Arc<str>),
    /// The sockets of the endpoint with this key whose clients are connected to a namespace.
    SocketsIn(Arc<str>, Arc<str>),
}

/// The topic as shown in events. A topic named by a scenario is shown as its name; names with the prefix `__` are
/// reserved for the world.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counters => f.write_str("__counters"),
            Self::CountersOf(collection) => write!(f, "__counters/{collection}"),
            Self::Notices => f.write_str("__notices"),
            Self::Named(name) => f.write_str(name),
            Self::Group(number) => write!(f, "__group/{number}"),
            Self::SocketsOf(endpoint) => write!(f, "__sockets{endpoint}"),
            Self::SocketsIn(endpoint, namespace) => write!(f, "__sockets{endpoint} {namespace}"),
        }
    }
}

/// The memberships of all topics, by member number.
///
/// A clone shares everything until one of them changes.
#[derive(Debug, Clone, Default)]
pub struct Topics(Arc<Memberships>);

/// Both directions agree. Topics without members are not stored.
#[derive(Debug, Clone, Default)]
struct Memberships {
    members: HashMap<Arc<Topic>, BTreeSet<u64>>,
    joined: BTreeSet<(u64, Arc<Topic>)>,
}

impl Topics {
    /// Adds a member to a topic. Joining twice has no effect.
    pub fn join(&mut self, member: u64, topic: &Topic) {
        if self.has_joined(member, topic) {
            return;
        }
        let Memberships { members, joined } = Arc::make_mut(&mut self.0);
        let shared = members.get_key_value(topic).map_or_else(|| Arc::new(topic.clone()), |(topic, _)| topic.clone());
        joined.insert((member, shared.clone()));
        members.entry(shared).or_default().insert(member);
    }

    /// Removes a member from a topic, if it has joined.
    pub fn leave(&mut self, member: u64, topic: &Topic) {
        if self.has_joined(member, topic) {
            Arc::make_mut(&mut self.0).end(member, &Arc::new(topic.clone()));
        }
    }

    /// Removes a member from every topic.
    pub fn leave_all(&mut self, member: u64) {
        let all: Vec<Arc<Topic>> = self.0.joined(member).cloned().collect();
        if !all.is_empty() {
            let memberships = Arc::make_mut(&mut self.0);
            for topic in &all {
                memberships.end(member, topic);
            }
        }
    }

    /// Adds all memberships of `other`.
    pub(super) fn extend(&mut self, other: &Self) {
        for (member, topic) in &other.0.joined {
            self.join(*member, topic);
        }
    }

    /// The members of a topic, in ascending order.
    #[must_use]
    pub fn members<'t>(&'t self, topic: &Topic) -> impl ExactSizeIterator<Item = u64> + use<'t> {
        const NOBODY: &BTreeSet<u64> = &BTreeSet::new();
        self.0.members.get(topic).unwrap_or(NOBODY).iter().copied()
    }

    /// Whether a member has joined a topic.
    #[must_use]
    pub fn has_joined(&self, member: u64, topic: &Topic) -> bool {
        self.0.members.get(topic).is_some_and(|members| members.contains(&member))
    }

    /// The topics that a member has joined, in a deterministic order.
    pub fn joined(&self, member: u64) -> impl Iterator<Item = &Topic> {
        self.0.joined(member).map(|topic| &**topic)
    }
}

impl Memberships {
    fn joined(&self, member: u64) -> impl Iterator<Item = &Arc<Topic>> {
        // `Counters` is the smallest topic.
        let own = self.joined.range((member, Arc::new(Topic::Counters))..);
        own.take_while(move |(of, _)| *of == member).map(|(_, topic)| topic)
    }

    fn end(&mut self, member: u64, topic: &Arc<Topic>) {
        self.joined.remove(&(member, topic.clone()));
        if let Some(members) = self.members.get_mut(topic) {
            members.remove(&member);
            if members.is_empty() {
                self.members.remove(topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::Arc;

    use super::{Topic, Topics};

    fn named(name: &str) -> Topic {
        Topic::Named(name.into())
    }

    fn members(topics: &Topics, topic: &Topic) -> Vec<u64> {
        topics.members(topic).collect()
    }

    fn joined(topics: &Topics, member: u64) -> Vec<String> {
        topics.joined(member).map(ToString::to_string).collect()
    }

    #[test]
    fn members_have_joined_and_not_left() {
        enum Change {
            Join(u64, &'static str),
            Leave(u64, &'static str),
            LeaveAll(u64),
        }
        use Change::{Join, Leave, LeaveAll};
        let mut topics = Topics::default();
        for (change, a, b) in [
            (Leave(1, "a"), &[][..], &[][..]),
            (LeaveAll(1), &[], &[]),
            (Join(9, "a"), &[9], &[]),
            (Join(2, "a"), &[2, 9], &[]),
            (Join(2, "a"), &[2, 9], &[]),
            (Join(2, "b"), &[2, 9], &[2]),
            (Join(10, "b"), &[2, 9], &[2, 10]),
            // The second join did not add a second membership.
            (Leave(2, "a"), &[9], &[2, 10]),
            (Leave(2, "a"), &[9], &[2, 10]),
            (Leave(9, "b"), &[9], &[2, 10]),
            (Join(2, "a"), &[2, 9], &[2, 10]),
            (LeaveAll(2), &[9], &[10]),
            (LeaveAll(9), &[], &[10]),
            (LeaveAll(10), &[], &[]),
        ] {
            match change {
                Join(member, topic) => topics.join(member, &named(topic)),
                Leave(member, topic) => topics.leave(member, &named(topic)),
                LeaveAll(member) => topics.leave_all(member),
            }
            assert_eq!((members(&topics, &named("a")), members(&topics, &named("b"))), (a.to_vec(), b.to_vec()));
            for member in [1, 2, 9, 10] {
                let expected = [("a", a), ("b", b)].into_iter().filter(|(_, members)| members.contains(&member));
                assert_eq!(joined(&topics, member), expected.map(|(name, _)| name).collect::<Vec<_>>());
            }
        }
        assert!(topics.0.members.is_empty() && topics.0.joined.is_empty());
    }

    #[test]
    fn topics_of_different_kinds_differ_even_with_equal_names() {
        let all = [
            (Topic::Counters, "__counters", r#""counters""#),
            (Topic::CountersOf("toys".into()), "__counters/toys", r#"{"counters-of":"toys"}"#),
            (Topic::Notices, "__notices", r#""notices""#),
            (named("counters"), "counters", r#"{"named":"counters"}"#),
            (named("notices"), "notices", r#"{"named":"notices"}"#),
        ];
        let mut topics = Topics::default();
        for (member, (topic, text, json)) in (0..).zip(&all) {
            topics.join(member, topic);
            assert_eq!((topic.to_string(), serde_json::to_string(topic).unwrap()), ((*text).into(), (*json).into()));
            assert_eq!(serde_json::from_str::<Topic>(json).unwrap(), *topic);
        }
        for (member, (topic, ..)) in (0..).zip(&all) {
            assert_eq!(members(&topics, topic), [member]);
        }
    }

    #[test]
    fn a_clone_shares_everything_until_the_other_changes() {
        let mut topics = Topics::default();
        topics.join(1, &Topic::Counters);
        let kept = topics.clone();
        // A call without effect copies nothing.
        topics.join(1, &Topic::Counters);
        topics.leave(2, &Topic::Counters);
        topics.leave_all(2);
        assert!(Arc::ptr_eq(&kept.0, &topics.0));
        topics.leave_all(1);
        topics.join(2, &Topic::Counters);
        assert_eq!((members(&kept, &Topic::Counters), members(&topics, &Topic::Counters)), (vec![1], vec![2]));
    }
}
