//! The members of rules in a shared world, and which server each of them is of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::FIRST_SHARED_MEMBER;

/// Whose members are whose: the same on all servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::world) struct MemberTable {
    /// The highest number that was given out; none of before is given out again, whatever becomes of the world.
    last: u64,
    /// By server; one without members is not here.
    by_server: BTreeMap<Arc<str>, BTreeSet<u64>>,
}

impl MemberTable {
    /// Gives a member of a server its number. It is higher than `after`, the highest that the server itself has ever seen: a
    /// log that has lost its end must not give a number again that a socket there still has.
    pub(in crate::world) fn add(&mut self, server: &Arc<str>, after: u64) -> u64 {
        self.last = self.last.max(after).max(FIRST_SHARED_MEMBER - 1) + 1;
        self.by_server.entry(server.clone()).or_default().insert(self.last);
        self.last
    }

    /// Forgets a member of a server. Gives whether it was there.
    pub(in crate::world) fn remove(&mut self, server: &str, member: u64) -> bool {
        let Some(members) = self.by_server.get_mut(server) else { return false };
        let was_there = members.remove(&member);
        if members.is_empty() {
            self.by_server.remove(server);
        }
        was_there
    }

    /// Forgets the members of a server, and gives their numbers.
    pub(in crate::world) fn take(&mut self, server: &str) -> BTreeSet<u64> {
        self.by_server.remove(server).unwrap_or_default()
    }

    /// Forgets all members.
    pub(in crate::world) fn clear(&mut self) {
        self.by_server.clear();
    }

    /// Whether a member is of a server.
    pub(in crate::world) fn is_of(&self, server: &str, member: u64) -> bool {
        self.by_server.get(server).is_some_and(|members| members.contains(&member))
    }

    /// The members of a server.
    pub(in crate::world) fn of(&self, server: &str) -> impl Iterator<Item = u64> {
        self.by_server.get(server).into_iter().flatten().copied()
    }

    /// The highest number that was given out.
    pub(in crate::world) fn last(&self) -> u64 {
        self.last
    }

    /// The servers that have members.
    pub(in crate::world) fn servers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_server.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_once_and_above_all_that_a_server_knows() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut table = MemberTable::default();
        assert_eq!(table.add(&one, 0), FIRST_SHARED_MEMBER);
        assert_eq!(table.add(&other, FIRST_SHARED_MEMBER + 7), FIRST_SHARED_MEMBER + 8);
        assert_eq!(table.add(&one, FIRST_SHARED_MEMBER), FIRST_SHARED_MEMBER + 9);
        assert!(table.remove("one", FIRST_SHARED_MEMBER + 9));
        assert_eq!(table.add(&one, 0), FIRST_SHARED_MEMBER + 10);
        table.clear();
        assert_eq!((table.servers().count(), table.add(&one, 0)), (0, FIRST_SHARED_MEMBER + 11));
    }

    #[test]
    fn a_member_is_of_one_server_until_it_is_forgotten() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut table = MemberTable::default();
        let members = [table.add(&one, 0), table.add(&other, 0), table.add(&one, 0)];
        assert!(table.is_of("one", members[0]) && !table.is_of("other", members[0]));
        assert!(!table.remove("other", members[0]), "it is of another server");
        assert_eq!(table.of("one").collect::<Vec<_>>(), [members[0], members[2]]);
        assert_eq!(table.take("one"), [members[0], members[2]].into());
        assert!(!table.remove("one", members[0]), "it is gone");
        assert_eq!(table.servers().collect::<Vec<_>>(), [&other]);
        assert!(table.remove("other", members[1]));
        assert_eq!(table.servers().count(), 0);
    }
}
