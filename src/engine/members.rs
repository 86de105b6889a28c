//! Members that rules join to topics: sockets of endpoints, and streams.
//!
//! Memberships are stored twice, by member here and by topic in [`Topics`](super::topics::Topics) and
//! [`Groups`](super::rule::Groups); both always agree. Undoing a rule restores its member to the previous value.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::codec::{Address, Session};
use super::rule::{Context, DeliverySpec};
use super::topics::Topic;

/// The first member number in a world that several servers share. Members from this number on have the same number on
/// every server; it is an integer that JavaScript represents exactly. Sockets that exist on a single server have lower
/// numbers.
pub const FIRST_SHARED_MEMBER: u64 = 1 << 40;

/// The members, by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    by_number: FxHashMap<u64, Arc<Member>>,
    /// The number of memberships so far. Each membership takes the next number.
    memberships: u64,
    /// The members whose protocols have scheduled work, by due time.
    due: BTreeSet<(Duration, u64)>,
    /// Members with the addresses that the current operation has ended by sending a frame.
    ended: Vec<(u64, Address)>,
    /// The sockets that the current operation has closed, in order, unless it is undone, with their `conn` at that
    /// moment.
    closing: VecDeque<(u64, Option<Value>)>,
}

/// A member. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    /// The member's socket; `None` for a stream.
    pub(super) socket: Option<SocketMember>,
    pub(super) memberships: Vec<Arc<Membership>>,
    /// Whether a step has closed this stream.
    pub(super) is_over: bool,
}

/// A socket of an endpoint.
#[derive(Debug, Clone)]
pub(super) struct SocketMember {
    /// The endpoint's key.
    pub(super) endpoint: Arc<str>,
    /// The handshake, as expressions see it.
    pub(super) handshake: Context,
    /// The rest of the handshake as JSON, for expressions that a reload may add; `None` if nothing is left.
    pub(super) rest: Option<Arc<str>>,
    /// The part of `conn` that steps have set, an object; `None` if they have set nothing.
    pub(super) memory: Option<Arc<Value>>,
    pub(super) session: Session,
    pub(super) phase: SocketPhase,
    /// When the protocol's next work is due, as recorded in [`Members`].
    pub(super) due: Option<Duration>,
    /// Messages whose memberships have ended since. The protocol is notified when the rule has ended.
    pub(super) unsettled: Vec<Arc<Value>>,
}

/// How far a socket is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SocketPhase {
    #[default]
    Open,
    /// A step, its protocol, a reload or the control API has closed it in the current operation. Further messages are
    /// ignored.
    Closing,
    /// It has left its topics, and its endpoint's `closed` steps have run. Its connection may still be open.
    Closed,
}

/// The topics that a member has joined by one step.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) number: u64,
    /// The `as` of the step.
    pub(super) name: Option<Arc<str>>,
    pub(super) topics: Vec<Topic>,
    pub(super) spec: Arc<DeliverySpec>,
    /// Whether it uses its endpoint's frame, if the endpoint has one.
    pub(super) follows_frame: bool,
    /// The message that the join responds to.
    pub(super) message: Option<Arc<Value>>,
}

impl Member {
    /// Whether a step or the protocol has closed the member: nothing more happens for it.
    pub(super) fn is_closing(&self) -> bool {
        self.is_over || self.socket.as_ref().is_some_and(SocketMember::is_closing)
    }
}

impl SocketMember {
    /// Whether something has closed the socket.
    pub(super) fn is_closing(&self) -> bool {
        self.phase != SocketPhase::Open
    }

    /// Whether the socket uses a protocol above WebSocket, which is notified of the outcome of messages.
    pub(super) fn has_protocol(&self) -> bool {
        self.session != Session::Plain
    }

    /// Returns the part of `conn` that steps have set, an object.
    pub(super) fn memory(&self) -> Value {
        self.memory.as_deref().cloned().unwrap_or_else(|| json!({}))
    }
}

impl Membership {
    /// The address that frames for this membership are encoded for.
    pub(super) fn address(&self) -> &Address {
        &self.spec.address
    }
}

impl Members {
    /// Restores the members. `memberships` is the number of memberships so far.
    pub(super) fn restored(memberships: u64, members: Vec<(u64, Member)>) -> Self {
        let mut restored = Self { memberships, ..Self::default() };
        for (number, member) in members {
            restored.restore(number, Some(Arc::new(member)));
        }
        restored
    }

    /// Iterates over the members, in any order.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Arc<Member>)> {
        self.by_number.iter().map(|(number, member)| (*number, member))
    }

    /// The number of memberships so far.
    pub(super) fn memberships_so_far(&self) -> u64 {
        self.memberships
    }

    pub(super) fn get(&self, member: u64) -> Option<&Arc<Member>> {
        self.by_number.get(&member)
    }

    /// The memberships of a member.
    pub(super) fn memberships_of(&self, member: u64) -> &[Arc<Membership>] {
        self.get(member).map(|member| &*member.memberships).unwrap_or_default()
    }

    /// Whether a member's socket is about to close or its stream about to end.
    pub(super) fn is_closing(&self, member: u64) -> bool {
        self.get(member).is_some_and(|member| member.is_closing())
    }

    pub(super) fn socket(&self, member: u64) -> Option<&SocketMember> {
        self.get(member)?.socket.as_ref()
    }

    pub(super) fn socket_mut(&mut self, member: u64) -> Option<&mut SocketMember> {
        Arc::make_mut(self.by_number.get_mut(&member)?).socket.as_mut()
    }

    /// Restores a member to its previous value; `None` removes it.
    pub(super) fn restore(&mut self, number: u64, before: Option<Arc<Member>>) {
        self.remove(number);
        if let Some(member) = before {
            self.due.extend(member.socket.as_ref().and_then(|socket| Some((socket.due?, number))));
            self.by_number.insert(number, member);
        }
    }

    /// Returns the member, creating it if necessary.
    pub(super) fn entry(&mut self, member: u64) -> &mut Member {
        Arc::make_mut(self.by_number.entry(member).or_default())
    }

    pub(super) fn remove(&mut self, member: u64) -> Option<Arc<Member>> {
        let gone = self.by_number.remove(&member)?;
        if let Some(due) = gone.socket.as_ref().and_then(|socket| socket.due) {
            self.due.remove(&(due, member));
        }
        Some(gone)
    }

    /// Records when the next work of a socket's protocol is due.
    pub(super) fn reschedule(&mut self, member: u64) {
        let Some(socket) = self.socket(member) else { return };
        let due = socket.session.due().filter(|_| !socket.is_closing());
        let before = socket.due;
        if due == before {
            return;
        }
        self.due.extend(due.map(|due| (due, member)));
        if let Some(before) = before {
            self.due.remove(&(before, member));
        }
        if let Some(socket) = self.socket_mut(member) {
            socket.due = due;
        }
    }

    /// When the next work of any protocol is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The member whose protocol is the first with work due at or before `by`.
    pub(super) fn first_due(&self, by: Duration) -> Option<u64> {
        self.due.first().filter(|(due, _)| *due <= by).map(|(_, member)| *member)
    }

    /// Records that a member was sent a frame that ends an address. The address ends with the current operation, unless
    /// that is undone.
    pub(super) fn note_ended(&mut self, member: u64, address: &Address) {
        self.ended.push((member, address.clone()));
    }

    /// Whether the current operation has ended an address of a member.
    pub(super) fn is_ended(&self, member: u64, address: &Address) -> bool {
        self.ended.iter().any(|(one, ended)| *one == member && ended == address)
    }

    /// The number of addresses that the current operation has ended.
    pub(super) fn ended(&self) -> usize {
        self.ended.len()
    }

    /// Undoes all recorded ends except the first `kept`.
    pub(super) fn undo_ended(&mut self, kept: usize) {
        self.ended.truncate(kept);
    }

    /// Takes the recorded ends, to carry them out.
    pub(super) fn take_ended(&mut self) -> Vec<(u64, Address)> {
        std::mem::take(&mut self.ended)
    }

    /// Closes a socket, whose `conn` is given. Returns `false` if it is closing already.
    pub(super) fn close(&mut self, member: u64, conn: Option<Value>) -> bool {
        let Some(socket) = self.socket_mut(member).filter(|socket| !socket.is_closing()) else { return false };
        socket.phase = SocketPhase::Closing;
        socket.session.close();
        self.closing.retain(|(undone, _)| *undone != member);
        self.closing.push_back((member, conn));
        true
    }

    /// Takes the next socket that the current operation has closed, with its `conn` at that moment.
    pub(super) fn take_closing(&mut self) -> Option<(u64, Option<Value>)> {
        loop {
            let (member, conn) = self.closing.pop_front()?;
            // The operation may have been undone.
            if let Some(socket) = self.socket_mut(member).filter(|socket| socket.phase == SocketPhase::Closing) {
                socket.phase = SocketPhase::Closed;
                return Some((member, conn));
            }
        }
    }

    /// Returns the number for a new membership.
    pub(super) fn next_membership(&mut self) -> u64 {
        self.memberships += 1;
        self.memberships
    }

    /// All memberships, with their members.
    pub(super) fn memberships(&self) -> impl Iterator<Item = (u64, &Arc<Membership>)> {
        self.by_number.iter().flat_map(|(number, member)| member.memberships.iter().map(move |one| (*number, one)))
    }

    /// Asserts that the records about sockets are consistent and that nothing is left over from the last operation.
    #[cfg(test)]
    pub(super) fn expect_settled(&self) {
        let mut due = BTreeSet::new();
        for (number, socket) in self.sockets() {
            assert_ne!(socket.phase, SocketPhase::Closing, "{number} has not run its `closed` steps");
            let expected = socket.session.due().filter(|_| !socket.is_closing());
            assert_eq!(socket.due, expected, "due time of the protocol of {number}");
            due.extend(expected.map(|due| (due, number)));
            assert!(socket.unsettled.is_empty(), "{number} has messages that are not settled");
        }
        assert_eq!((&self.due, &*self.ended), (&due, &[][..]));
        let mut numbers = BTreeSet::new();
        for (_, membership) in self.memberships() {
            assert!(membership.number <= self.memberships && numbers.insert(membership.number));
        }
    }

    /// The sockets, with their numbers.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (u64, &SocketMember)> {
        self.by_number.iter().filter_map(|(number, member)| Some((*number, member.socket.as_ref()?)))
    }
}
