//! Members whom rules have join topics: sockets of endpoints, and streams.
//!
//! What they have joined is kept twice, by member here and by topic in [`Topics`](super::topics::Topics) and
//! [`Groups`](super::rule::Groups), which say the same. Undoing what a rule did is putting its member back to what it was.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::codec::{Address, Session};
use super::rule::{Context, Wanted};
use super::topics::Topic;

/// The first number of a member of a world that several servers play. All of them know it by that number, which JavaScript
/// holds exactly; sockets that one server alone has are numbered below.
pub const FIRST_SHARED_MEMBER: u64 = 1 << 40;

/// All of them, by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    by_number: HashMap<u64, Arc<Member>>,
    /// Memberships so far: each has a number of its own.
    memberships: u64,
    /// When protocols want something next.
    due: BTreeSet<(Duration, u64)>,
    /// Members with the addresses that the operation at work has sent what ends them.
    ended: Vec<(u64, Address)>,
}

/// A member. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    /// What it is a socket of; `None` for a stream.
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
    /// What expressions know of its handshake.
    pub(super) handshake: Context,
    /// The rest of the handshake, as JSON, for a reload that brings expressions which ask for it; `None` if nothing is left.
    pub(super) rest: Option<Arc<str>>,
    /// What steps have set of `conn`, an object.
    pub(super) memory: Arc<Value>,
    pub(super) session: Session,
    /// Whether it is to be closed: nothing more is received.
    pub(super) is_closing: bool,
    /// When its protocol wants something next, as it is noted.
    pub(super) due: Option<Duration>,
    /// Messages in answer to which something was joined that is left now. The protocol is told once the rule is at its end.
    pub(super) unsettled: Vec<Arc<Value>>,
}

/// What a member has joined by one step.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) number: u64,
    /// Its `as`.
    pub(super) name: Option<Arc<str>>,
    pub(super) topics: Vec<Topic>,
    pub(super) wanted: Arc<Wanted>,
    /// Whether it has the frame of its endpoint, if that has one.
    pub(super) follows_frame: bool,
    /// The message in answer to which it was joined.
    pub(super) message: Option<Arc<Value>>,
}

impl Member {
    /// Whether a step or its protocol has closed it: nothing more happens for it.
    pub(super) fn is_closing(&self) -> bool {
        self.is_over || self.socket.as_ref().is_some_and(|socket| socket.is_closing)
    }
}

impl SocketMember {
    /// Whether it speaks a protocol above WebSocket, which is to hear what becomes of messages.
    pub(super) fn has_protocol(&self) -> bool {
        self.session != Session::Plain
    }
}

impl Membership {
    /// How what is sent to it is written.
    pub(super) fn address(&self) -> &Address {
        &self.wanted.address
    }
}

impl Members {
    /// These, by their numbers, after so many memberships.
    pub(super) fn restored(memberships: u64, members: Vec<(u64, Member)>) -> Self {
        let mut restored = Self { memberships, ..Self::default() };
        for (number, member) in members {
            restored.put_back(number, Some(Arc::new(member)));
        }
        restored
    }

    /// All of them, in any order.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Arc<Member>)> {
        self.by_number.iter().map(|(number, member)| (*number, member))
    }

    /// How many memberships there have been.
    pub(super) fn memberships_so_far(&self) -> u64 {
        self.memberships
    }

    pub(super) fn get(&self, member: u64) -> Option<&Arc<Member>> {
        self.by_number.get(&member)
    }

    /// What a member has joined.
    pub(super) fn memberships_of(&self, member: u64) -> &[Arc<Membership>] {
        self.get(member).map(|member| &*member.memberships).unwrap_or_default()
    }

    /// Whether a member is to be closed, or is a stream that is to end.
    pub(super) fn is_closing(&self, member: u64) -> bool {
        self.get(member).is_some_and(|member| member.is_closing())
    }

    pub(super) fn socket(&self, member: u64) -> Option<&SocketMember> {
        self.get(member)?.socket.as_ref()
    }

    pub(super) fn socket_mut(&mut self, member: u64) -> Option<&mut SocketMember> {
        Arc::make_mut(self.by_number.get_mut(&member)?).socket.as_mut()
    }

    /// Puts a member back to what it was; `None` for not there.
    pub(super) fn put_back(&mut self, number: u64, before: Option<Arc<Member>>) {
        self.remove(number);
        if let Some(member) = before {
            self.due.extend(member.socket.as_ref().and_then(|socket| Some((socket.due?, number))));
            self.by_number.insert(number, member);
        }
    }

    /// The member, made if it is not there.
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

    /// Notes when the protocol of a socket wants something next.
    pub(super) fn reschedule(&mut self, member: u64) {
        let Some(socket) = self.socket(member) else { return };
        let due = socket.session.due().filter(|_| !socket.is_closing);
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

    /// When a protocol wants something next.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The member whose protocol wants something first by then.
    pub(super) fn first_due(&self, by: Duration) -> Option<u64> {
        self.due.first().filter(|(due, _)| *due <= by).map(|(_, member)| *member)
    }

    /// Notes that a member was sent what ends an address. It ends with the operation at work, unless that is undone.
    pub(super) fn note_ended(&mut self, member: u64, address: &Address) {
        self.ended.push((member, address.clone()));
    }

    /// Whether the operation at work has ended an address of a member.
    pub(super) fn is_ended(&self, member: u64, address: &Address) -> bool {
        self.ended.iter().any(|(one, ended)| *one == member && ended == address)
    }

    /// How many addresses the operation at work has ended.
    pub(super) fn ended(&self) -> usize {
        self.ended.len()
    }

    /// Takes back all ends but the first ones.
    pub(super) fn undo_ended(&mut self, kept: usize) {
        self.ended.truncate(kept);
    }

    /// The ends that are to be carried out.
    pub(super) fn take_ended(&mut self) -> Vec<(u64, Address)> {
        std::mem::take(&mut self.ended)
    }

    /// The number of the next membership.
    pub(super) fn next_membership(&mut self) -> u64 {
        self.memberships += 1;
        self.memberships
    }

    /// All memberships, with their members.
    pub(super) fn memberships(&self) -> impl Iterator<Item = (u64, &Arc<Membership>)> {
        self.by_number.iter().flat_map(|(number, member)| member.memberships.iter().map(move |one| (*number, one)))
    }

    /// Expects that what is noted of sockets is so, and that nothing is left of the operation that was at work.
    #[cfg(test)]
    pub(super) fn expect_settled(&self) {
        let mut due = BTreeSet::new();
        for (number, socket) in self.sockets() {
            let wanted = socket.session.due().filter(|_| !socket.is_closing);
            assert_eq!(socket.due, wanted, "when the protocol of {number} wants something");
            due.extend(wanted.map(|due| (due, number)));
            assert!(socket.unsettled.is_empty(), "{number} has messages that are not settled");
        }
        assert_eq!((&self.due, &*self.ended), (&due, &[][..]));
        let mut numbers = BTreeSet::new();
        for (_, membership) in self.memberships() {
            assert!(membership.number <= self.memberships && numbers.insert(membership.number));
        }
    }

    /// The sockets, by their numbers.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (u64, &SocketMember)> {
        self.by_number.iter().filter_map(|(number, member)| Some((*number, member.socket.as_ref()?)))
    }
}
