//! Members of rules in a shared world: sockets of endpoints, and streams.
//!
//! They are part of the world's state, so `members()` returns the same everywhere, and a rule that fires for one of
//! them may change anything in the world. The opening of a member, each frame from its client and its end are entries
//! of the log, which every server applies. Only the server that the client is connected to has a socket for the member.
//! It binds the socket to the member in the same step that applies the entry, and publishes there what is addressed to
//! that member alone.
//!
//! A new member gets its number from the [`MemberTable`], which also records its server. That server announces its
//! departure ([`departures`](super::departures)). A server that dies announces nothing: each server with members renews
//! its [presence](crate::store::Store::announce_presence), and the leader closes the members of a server that does not.
//! If that server comes back, it finds their end in the log and closes their sockets.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::log::LogEntry;
use super::member_table::MemberTable;
use super::{PendingReply, Replica};
use crate::engine::{Command, Frame, SERVICE_RESTART};
use crate::store::StoreError;
use crate::world::WorldError;
use crate::world::journal::Payload;
use crate::world::member::{LocalMember, MemberRequest, OpenedMember, is_open};
use crate::world::socket::SocketClose;
use crate::world::state::WorldState;

/// How long a server may be silent before its members are closed. A busy machine must not appear to be gone.
pub(super) const PRESENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// The members of rules from the point of view of one server.
#[derive(Debug)]
pub(in crate::world) struct SharedMembers {
    /// This server.
    server: Arc<str>,
    pub(in crate::world) table: MemberTable,
}

/// The opening of a member.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::world) struct MemberOpening {
    /// The server that the client is connected to.
    pub(super) server: Arc<str>,
    /// The highest member number that this server has seen.
    pub(super) after: u64,
    pub(super) request: MemberRequest,
}

impl SharedMembers {
    /// Creates the empty table of a server that has just started.
    pub(in crate::world) fn of(server: Arc<str>) -> Self {
        Self { server, table: MemberTable::default() }
    }

    /// Returns whether a member belongs to another server.
    pub(in crate::world) fn is_elsewhere(&self, member: u64) -> bool {
        !self.table.owns(&self.server, member) && self.table.servers().any(|server| self.table.owns(server, member))
    }
}

/// The requests of the server's own clients.
impl Replica {
    /// Opens a member on all servers; its client is connected to this one.
    pub(in crate::world) async fn open(
        &self,
        local: LocalMember,
        request: MemberRequest,
        now: Duration,
    ) -> Result<OpenedMember, WorldError> {
        self.ensure_presence().await?;
        let (reply, opened) = oneshot::channel();
        let after = self.highest_member.load(Ordering::Relaxed);
        let opening = MemberOpening { server: self.sharing.server.clone(), after, request };
        let entry = LogEntry::Open { at: now, opening };
        self.submit(&entry, now, PendingReply::Open(Box::new(local), reply), opened).await?
    }

    /// Handles a frame from a member's client on all servers.
    pub(in crate::world) async fn receive(
        &self,
        member: u64,
        frame: Frame,
        payload: Payload,
        now: Duration,
    ) -> Result<(), WorldError> {
        let (reply, received) = oneshot::channel();
        let entry = LogEntry::Do { at: now, command: Command::Receive { member, frame }.into() };
        self.submit(&entry, now, PendingReply::Receive(payload, reply), received).await?
    }

    /// Notes that a member number has been issued.
    fn note_member_number(&self, member: u64) {
        self.highest_member.fetch_max(member, Ordering::Relaxed);
    }

    /// Ensures that this server counts as present for a while: the leader closes the members of all others.
    async fn ensure_presence(&self) -> Result<(), StoreError> {
        let is_known = self.presence().is_some_and(|until| until > Instant::now() + PRESENCE_TIMEOUT / 2);
        if is_known { Ok(()) } else { self.renew_presence().await.map(drop) }
    }

    /// Announces this server's presence to the store, and returns the names of all present servers.
    pub(super) async fn renew_presence(&self) -> Result<Vec<String>, StoreError> {
        let until = Instant::now() + PRESENCE_TIMEOUT;
        let present = self.sharing.store.announce_presence(&self.world, &self.sharing.server, PRESENCE_TIMEOUT).await?;
        self.note_presence(until);
        Ok(present)
    }
}

/// Applies the opening of a member.
pub(super) fn open(replica: &Replica, state: &mut WorldState, opening: MemberOpening, reply: Option<PendingReply>) {
    let MemberOpening { server, after, request } = opening;
    let Some(member) = table(state).map(|table| table.add(&server, after)) else { return };
    replica.note_member_number(member);
    let has_opened = if let Some(PendingReply::Open(local, reply)) = reply {
        let opened = state.open_member(*local, request, Some(member));
        let has_opened = opened.as_ref().is_ok_and(|opened| opened.feed.is_some());
        // If the request is gone, the member departs with its socket.
        let _ = reply.send(opened);
        has_opened
    } else {
        let effects = state.apply_opening(request, member);
        let has_opened = effects.as_ref().is_ok_and(is_open);
        state.notify(&effects.unwrap_or_default().events);
        if has_opened && server == replica.sharing.server {
            // Nobody waits for the member any more.
            replica.departs(member);
        }
        has_opened
    };
    if !has_opened && let Some(table) = table(state) {
        table.remove(&server, member);
    }
}

/// Applies the departure of a server's members; those already gone are skipped.
pub(super) fn close(state: &mut WorldState, server: &str, members: Vec<u64>) {
    for member in members {
        if table(state).is_some_and(|table| table.owns(server, member)) {
            state.close_member(member);
            if let Some(table) = table(state) {
                table.remove(server, member);
            }
        }
    }
}

/// Applies the departure of a server with all of its members. If this is the server itself, which was away too long,
/// its clients must reconnect.
pub(super) fn close_all(replica: &Replica, state: &mut WorldState, server: &str) {
    let members = table(state).map(|table| table.take(server)).unwrap_or_default();
    if *server == *replica.sharing.server {
        let close = SocketClose { code: SERVICE_RESTART, reason: "the other servers went on without this one".into() };
        let end = state.shared.feed.end();
        for socket in members.iter().filter_map(|member| state.shared.sockets.get(*member)) {
            socket.close(close.clone(), end);
        }
    }
    for member in members {
        state.close_member(member);
    }
}

/// Announces the departure of members that belong to this server in the installed world but have no socket here.
pub(super) fn depart_orphans(replica: &Replica, state: &mut WorldState) {
    let Some(members) = &state.members else { return };
    replica.note_member_number(members.table.last());
    let own = members.table.of(&replica.sharing.server);
    let is_gone = |member: &u64| state.shared.sockets.get(*member).is_none();
    own.filter(is_gone).for_each(|member| replica.departs(member));
}

fn table(state: &mut WorldState) -> Option<&mut MemberTable> {
    state.members.as_mut().map(|members| &mut members.table)
}
