//! The namespaces of a socket, and the client's state in each.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::packet::MAIN;

/// The maximum number of namespaces that a client may be connected to at a time.
pub const MAX_NAMESPACES: usize = 100;

/// The maximum number of acknowledgements remembered per namespace, so that none of them is sent twice.
const MAX_ANSWERED: usize = 100;

/// The maximum number of events per namespace that the client may be asked to acknowledge at a time. Those with lower
/// ids are forgotten, so that a client that never acknowledges takes up little memory.
const MAX_UNACKNOWLEDGED: usize = 1000;

/// All namespaces of a socket. Those that the client has left remain, with its ids, as long as there is room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Namespaces {
    by_name: BTreeMap<String, Namespace>,
    /// The number of connections so far. Each connection's id is derived from it.
    connections: u64,
    was_connected: bool,
}

/// The state of a client in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Namespace {
    /// The client's id in the namespace.
    sid: String,
    phase: Phase,
    /// The id of the next event that the client is asked to acknowledge.
    next_id: u64,
    /// The ids of the events that the client is asked to acknowledge and has not acknowledged yet.
    unacknowledged: BTreeSet<u64>,
    /// The ids of the client's events that were acknowledged most recently.
    answered: BTreeSet<u64>,
}

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// The client waits to be connected or refused.
    Pending,
    Connected,
    Left,
}

impl Namespaces {
    /// Returns the phase of the connection to a namespace; `None` if there is none or the client has left.
    pub(super) fn phase(&self, name: &str) -> Option<Phase> {
        self.by_name.get(name).map(|one| one.phase).filter(|phase| *phase != Phase::Left)
    }

    /// Returns the names of the namespaces that the client is connected to, or is connecting to.
    pub(super) fn open(&self) -> impl Iterator<Item = &str> {
        self.by_name.iter().filter(|(_, one)| one.phase != Phase::Left).map(|(name, _)| name.as_str())
    }

    pub(super) fn is_full(&self) -> bool {
        self.open().count() >= MAX_NAMESPACES
    }

    /// Returns whether the client was ever connected to a namespace.
    pub(super) fn was_connected(&self) -> bool {
        self.was_connected
    }

    /// Starts to connect the client of an Engine.IO session to a namespace.
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
        let (unacknowledged, answered) = (BTreeSet::new(), BTreeSet::new());
        let namespace = Namespace { sid, phase: Phase::Pending, next_id: 0, unacknowledged, answered };
        self.by_name.insert(name, namespace);
    }

    /// Connects a pending client and returns its id. `None` if it is not pending.
    pub(super) fn acknowledge(&mut self, name: &str) -> Option<&str> {
        let pending = self.by_name.get_mut(name).filter(|one| one.phase == Phase::Pending)?;
        pending.phase = Phase::Connected;
        self.was_connected = true;
        Some(&pending.sid)
    }

    /// Refuses a pending client. Returns whether it was pending.
    pub(super) fn refuse(&mut self, name: &str) -> bool {
        self.phase(name) == Some(Phase::Pending) && self.by_name.remove(name).is_some()
    }

    pub(super) fn leave(&mut self, name: &str) {
        if let Some(namespace) = self.by_name.get_mut(name) {
            namespace.phase = Phase::Left;
        }
    }

    pub(super) fn leave_all(&mut self) {
        for namespace in self.by_name.values_mut() {
            namespace.phase = Phase::Left;
        }
    }

    /// Returns the client's id in a namespace. Without a name, returns its id in `/`, or else in the first by name.
    pub(super) fn sid(&self, name: Option<&str>) -> Option<&str> {
        let named = self.by_name.get(name.unwrap_or(MAIN));
        let found = if name.is_some() { named } else { named.or_else(|| self.by_name.values().next()) };
        found.map(|one| one.sid.as_str())
    }

    /// Returns the id of the next event in a namespace that the client is asked to acknowledge.
    pub(super) fn next_id(&self, name: &str) -> u64 {
        self.by_name.get(name).map_or(0, |one| one.next_id)
    }

    /// Records that the client is asked to acknowledge the event with this id, so that no later event gets the id.
    pub(super) fn reserve_id(&mut self, name: &str, id: u64) {
        let Some(namespace) = self.by_name.get_mut(name) else { return };
        namespace.next_id = namespace.next_id.max(id.saturating_add(1));
        namespace.unacknowledged.insert(id);
        if namespace.unacknowledged.len() > MAX_UNACKNOWLEDGED {
            namespace.unacknowledged.pop_first();
        }
    }

    /// Takes the client's acknowledgement of the event with this id. Returns whether the client was asked for it and
    /// has not sent it before.
    pub(super) fn take_acknowledgement(&mut self, name: &str, id: u64) -> bool {
        self.by_name.get_mut(name).is_some_and(|one| one.unacknowledged.remove(&id))
    }

    /// Records that the client requests an acknowledgement of its event with this id, perhaps not for the first time.
    pub(super) fn request_ack(&mut self, name: &str, id: u64) {
        if let Some(namespace) = self.by_name.get_mut(name) {
            namespace.answered.remove(&id);
        }
    }

    /// Returns whether the client's event with this id is acknowledged.
    pub(super) fn is_acknowledged(&self, name: &str, id: u64) -> bool {
        self.by_name.get(name).is_some_and(|one| one.answered.contains(&id))
    }

    /// Records that the client's event with this id is acknowledged.
    pub(super) fn note_acknowledged(&mut self, name: &str, id: u64) {
        let Some(namespace) = self.by_name.get_mut(name) else { return };
        namespace.answered.insert(id);
        if namespace.answered.len() > MAX_ANSWERED {
            // Clients count up, so the lowest id is the oldest.
            namespace.answered.pop_first();
        }
    }
}
