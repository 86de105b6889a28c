//! The members of rules in a shared world, and the servers that they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::FIRST_SHARED_MEMBER;

/// The members of each server, identical on all servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::world) struct MemberTable {
    /// The highest number issued. Numbers up to it are never issued again, whatever happens to the world.
    last: u64,
    /// The members by server; a server without members has no entry.
    by_server: BTreeMap<Arc<str>, BTreeSet<u64>>,
}

impl MemberTable {
    /// Adds a member of a server and returns its number. The number is higher than `after`, the highest that the server
    /// has ever seen: even if the log has lost its end, it must not reuse the number of an open socket.
    pub(in crate::world) fn add(&mut self, server: &Arc<str>, after: u64) -> u64 {
        self.last = self.last.max(after).max(FIRST_SHARED_MEMBER - 1) + 1;
        self.by_server.entry(server.clone()).or_default().insert(self.last);
        self.last
    }

    /// Removes a member of a server. Returns whether it existed.
    pub(in crate::world) fn remove(&mut self, server: &str, member: u64) -> bool {
        let Some(members) = self.by_server.get_mut(server) else { return false };
        let was_there = members.remove(&member);
        if members.is_empty() {
            self.by_server.remove(server);
        }
        was_there
    }

    /// Removes the members of a server, and returns their numbers.
    pub(in crate::world) fn take(&mut self, server: &str) -> BTreeSet<u64> {
        self.by_server.remove(server).unwrap_or_default()
    }

    /// Removes all members.
    pub(in crate::world) fn clear(&mut self) {
        self.by_server.clear();
    }

    /// Returns whether a member belongs to a server.
    pub(in crate::world) fn owns(&self, server: &str, member: u64) -> bool {
        self.by_server.get(server).is_some_and(|members| members.contains(&member))
    }

    /// Returns the members of a server.
    pub(in crate::world) fn of(&self, server: &str) -> impl Iterator<Item = u64> {
        self.by_server.get(server).into_iter().flatten().copied()
    }

    /// Returns the highest number issued.
    pub(in crate::world) fn last(&self) -> u64 {
        self.last
    }

    /// Returns the servers that have members.
    pub(in crate::world) fn servers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_server.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_above_all_that_a_server_has_seen() {
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
    fn a_member_belongs_to_one_server_until_it_is_removed() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut table = MemberTable::default();
        let members = [table.add(&one, 0), table.add(&other, 0), table.add(&one, 0)];
        assert!(table.owns("one", members[0]) && !table.owns("other", members[0]));
        assert!(!table.remove("other", members[0]), "it belongs to another server");
        assert_eq!(table.of("one").collect::<Vec<_>>(), [members[0], members[2]]);
        assert_eq!(table.take("one"), [members[0], members[2]].into());
        assert!(!table.remove("one", members[0]), "it is gone");
        assert_eq!(table.servers().collect::<Vec<_>>(), [&other]);
        assert!(table.remove("other", members[1]));
        assert_eq!(table.servers().count(), 0);
    }
}
