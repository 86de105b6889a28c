//! Topics, and who has joined them.
//!
//! Memberships say who is there, not what happened: no event tells of them, and no moment that is kept to go back to holds
//! them. A reload keeps them; a reset and a restore keep those that no rule has made. Nothing here looks at what a topic is about; the world decides what it sends there.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What members can join. A clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Every counter.
    Counters,
    /// The counters of one collection.
    CountersOf(Arc<str>),
    /// Notices of the world itself.
    Notices,
    /// One that a scenario names.
    Named(Arc<str>),
    /// Members of a topic who want the same of it.
    Group(u64),
    /// The sockets of the endpoint of that key.
    SocketsOf(Arc<str>),
    /// Those of its sockets whose clients are connected to a namespace.
    SocketsIn(Arc<str>, Arc<str>),
}

/// The topic as events show it. One that a scenario names is its name; names that begin with `__` are the world's own.
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

/// Who has joined which topic, by the members' ids.
///
/// A clone shares everything until one of the two changes.
#[derive(Debug, Clone, Default)]
pub struct Topics(Arc<Memberships>);

/// Both directions say the same. A topic without members is not here.
#[derive(Debug, Clone, Default)]
struct Memberships {
    members: HashMap<Arc<Topic>, BTreeSet<u64>>,
    joined: BTreeSet<(u64, Arc<Topic>)>,
}

impl Topics {
    /// Has a member join a topic. A second join of the same changes nothing.
    pub fn join(&mut self, member: u64, topic: &Topic) {
        if self.has_joined(member, topic) {
            return;
        }
        let Memberships { members, joined } = Arc::make_mut(&mut self.0);
        let shared = members.get_key_value(topic).map_or_else(|| Arc::new(topic.clone()), |(topic, _)| topic.clone());
        joined.insert((member, shared.clone()));
        members.entry(shared).or_default().insert(member);
    }

    /// Has a member leave a topic, if it has joined it.
    pub fn leave(&mut self, member: u64, topic: &Topic) {
        if self.has_joined(member, topic) {
            Arc::make_mut(&mut self.0).end(member, &Arc::new(topic.clone()));
        }
    }

    /// Has a member leave every topic.
    pub fn leave_all(&mut self, member: u64) {
        let all: Vec<Arc<Topic>> = self.0.joined(member).cloned().collect();
        if !all.is_empty() {
            let memberships = Arc::make_mut(&mut self.0);
            for topic in &all {
                memberships.end(member, topic);
            }
        }
    }

    /// Has those who have joined topics elsewhere join them as well.
    pub(super) fn extend(&mut self, other: &Self) {
        for (member, topic) in &other.0.joined {
            self.join(*member, topic);
        }
    }

    /// The members of a topic, in the order of their ids.
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

    /// The topics that a member has joined, in an order that is always the same.
    pub fn joined(&self, member: u64) -> impl Iterator<Item = &Topic> {
        self.0.joined(member).map(|topic| &**topic)
    }
}

impl Memberships {
    fn joined(&self, member: u64) -> impl Iterator<Item = &Arc<Topic>> {
        // No topic goes before the first kind.
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
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

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
    fn members_are_those_who_joined_and_did_not_leave() {
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
            // A second join was no second membership.
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
    fn topics_of_different_kinds_are_different_whatever_the_name() {
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
    fn a_clone_shares_all_and_keeps_it_when_the_other_changes() {
        let mut topics = Topics::default();
        topics.join(1, &Topic::Counters);
        let kept = topics.clone();
        // What changes nothing copies nothing.
        topics.join(1, &Topic::Counters);
        topics.leave(2, &Topic::Counters);
        topics.leave_all(2);
        assert!(Arc::ptr_eq(&kept.0, &topics.0));
        topics.leave_all(1);
        topics.join(2, &Topic::Counters);
        assert_eq!((members(&kept, &Topic::Counters), members(&topics, &Topic::Counters)), (vec![1], vec![2]));
    }
}
