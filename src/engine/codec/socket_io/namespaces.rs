//! The namespaces of a socket, and what is remembered of the client in each.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::packet::MAIN;

/// The most namespaces that a client is connected to at a time.
pub const MAX_NAMESPACES: usize = 100;

/// The most acknowledgements that are remembered of a namespace, so that none of these is sent twice.
const MAX_ANSWERED: usize = 100;

/// All namespaces of a socket. Those that the client has left stay for their ids, as long as there is room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Namespaces {
    by_name: BTreeMap<String, Namespace>,
    /// Connections so far: each has an id of its own.
    connections: u64,
    was_connected: bool,
}

/// What is remembered of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Namespace {
    /// The id of the client there.
    sid: String,
    phase: Phase,
    /// The id of the next event that the client is to acknowledge.
    next_id: u64,
    /// The ids of the client's events that were acknowledged last.
    answered: BTreeSet<u64>,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// The client wants to connect.
    Waiting,
    Connected,
    Left,
}

impl Namespaces {
    /// How far the connection to a namespace is; `None` if there is none, or the client has left it.
    pub(super) fn phase(&self, name: &str) -> Option<Phase> {
        self.by_name.get(name).map(|one| one.phase).filter(|phase| *phase != Phase::Left)
    }

    /// The names of those that the client is connected to, or wants to be.
    pub(super) fn open(&self) -> impl Iterator<Item = &str> {
        self.by_name.iter().filter(|(_, one)| one.phase != Phase::Left).map(|(name, _)| name.as_str())
    }

    pub(super) fn is_full(&self) -> bool {
        self.open().count() >= MAX_NAMESPACES
    }

    /// Whether the client was ever connected to one.
    pub(super) fn was_connected(&self) -> bool {
        self.was_connected
    }

    /// The client of that session wants to connect.
    pub(super) fn connect(&mut self, name: String, session: &str) {
        if self.by_name.len() >= MAX_NAMESPACES {
            self.by_name.retain(|_, one| one.phase != Phase::Left);
        }
        self.connections += 1;
        let digest = Sha256::new()
            .chain_update(session)
            .chain_update([0])
            .chain_update(&name)
            .chain_update(self.connections.to_be_bytes());
        let mut sid = BASE64URL_NOPAD.encode(&digest.finalize());
        sid.truncate(20);
        self.by_name.insert(name, Namespace { sid, phase: Phase::Waiting, next_id: 0, answered: BTreeSet::new() });
    }

    /// Connects a client that waits, and gives its id.
    pub(super) fn acknowledge(&mut self, name: &str) -> Option<&str> {
        let waiting = self.by_name.get_mut(name).filter(|one| one.phase == Phase::Waiting)?;
        waiting.phase = Phase::Connected;
        self.was_connected = true;
        Some(&waiting.sid)
    }

    /// Refuses a client that waits. Says whether there was one.
    pub(super) fn refuse(&mut self, name: &str) -> bool {
        self.phase(name) == Some(Phase::Waiting) && self.by_name.remove(name).is_some()
    }

    pub(super) fn leave(&mut self, name: &str) {
        if let Some(namespace) = self.by_name.get_mut(name) {
            namespace.phase = Phase::Left;
        }
    }

    /// Leaves all of them, and gives the names of those that the client was connected to.
    pub(super) fn leave_all(&mut self) -> Vec<String> {
        let mut connected = Vec::new();
        for (name, namespace) in &mut self.by_name {
            if std::mem::replace(&mut namespace.phase, Phase::Left) == Phase::Connected {
                connected.push(name.clone());
            }
        }
        connected
    }

    /// The id of the client in a namespace; without a name, in `/`, or the first by its name.
    pub(super) fn sid(&self, name: Option<&str>) -> Option<&str> {
        let named = self.by_name.get(name.unwrap_or(MAIN));
        let found = if name.is_some() { named } else { named.or_else(|| self.by_name.values().next()) };
        found.map(|one| one.sid.as_str())
    }

    /// The id of the next event of a namespace that the client is to acknowledge.
    pub(super) fn next_id(&self, name: &str) -> u64 {
        self.by_name.get(name).map_or(0, |one| one.next_id)
    }

    /// The client is to acknowledge an event of that id.
    pub(super) fn asked(&mut self, name: &str, id: u64) {
        if let Some(namespace) = self.by_name.get_mut(name) {
            namespace.next_id = namespace.next_id.max(id.saturating_add(1));
        }
    }

    /// The client wants an event of that id to be acknowledged.
    pub(super) fn asks(&mut self, name: &str, id: u64) {
        if let Some(namespace) = self.by_name.get_mut(name) {
            namespace.answered.remove(&id);
        }
    }

    /// Whether the client's event of that id is acknowledged.
    pub(super) fn is_answered(&self, name: &str, id: u64) -> bool {
        self.by_name.get(name).is_some_and(|one| one.answered.contains(&id))
    }

    /// The client's event of that id is acknowledged from now on.
    pub(super) fn answered(&mut self, name: &str, id: u64) {
        let Some(namespace) = self.by_name.get_mut(name) else { return };
        namespace.answered.insert(id);
        if namespace.answered.len() > MAX_ANSWERED {
            // Clients count up: it is the oldest.
            namespace.answered.pop_first();
        }
    }
}
