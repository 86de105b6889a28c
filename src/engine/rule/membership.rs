//! The memberships of sockets and streams: what a member has joined, and what it receives for it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::context::Context;
use super::groups::{DeliverySpec, Shape};
use super::origin::RuleOrigin;
use super::runs::RunOwner;
use crate::engine::Engine;
use crate::engine::codec::Address;
use crate::engine::event::{Closing, Event, EventKind, MemberEvent};
use crate::engine::frame::Frame;
use crate::engine::members::{Member, Membership};
use crate::engine::topics::{Topic, Topics};
use crate::expression::Template;

/// Returns whether a member with these memberships may receive the same event through several groups.
pub(super) fn may_be_in_several_groups(memberships: &[Arc<Membership>]) -> bool {
    memberships.len() > 1 || memberships.iter().any(|one| one.topics.len() > 1)
}

impl Engine {
    /// Emits an event for a member.
    pub(super) fn notify(&self, member: u64, what: MemberEvent, events: &mut Vec<Event>) {
        events.push(Event { sequence: self.sequence, at: self.now, kind: EventKind::Member { member, what } });
    }

    /// Emits an event for each frame to a member.
    pub(super) fn reply_frames(&self, member: u64, frames: Vec<Frame>, events: &mut Vec<Event>) {
        for frame in frames {
            self.notify(member, MemberEvent::Reply(frame), events);
        }
    }

    /// Returns the address of the message that a rule answers.
    pub(super) fn address_at(&self, member: u64, context: &Context) -> Address {
        let socket = self.members.socket(member);
        socket.map_or(Address::Plain, |socket| socket.session.address(None, context.get("msg")))
    }

    /// Returns `conn` for the `closed` steps of a socket that is about to close.
    pub(super) fn conn_at_close(&self, member: u64) -> Option<Value> {
        self.conn_at(member, None)
    }

    /// Returns `conn` for the expressions of a rule that runs in this context.
    pub(super) fn conn_in(&self, member: u64, context: &Context) -> Option<Value> {
        self.conn_at(member, Some(&self.address_at(member, context)))
    }

    /// Returns `conn` with the client's id at an address. `None` if the member is not a socket.
    pub(super) fn conn_at(&self, member: u64, address: Option<&Address>) -> Option<Value> {
        let socket = self.members.socket(member)?;
        let topics = self.topics.joined(member).filter(|topic| matches!(topic, Topic::Named(_)));
        let topics: Vec<String> = topics.map(ToString::to_string).collect();
        let mut conn = socket.memory();
        if let Some(fields) = conn.as_object_mut() {
            fields.insert("id".into(), member.into());
            fields.extend(socket.session.sid(address).map(|sid| ("sid".to_owned(), sid.into())));
            fields.insert("topics".into(), json!(topics));
        }
        Some(conn)
    }

    /// Returns what a membership receives. Its frame defaults to the endpoint's.
    pub(super) fn delivery_spec(
        &self,
        member: u64,
        frame: Option<&Template>,
        condition: Option<Value>,
        name: Option<&str>,
        context: &Context,
        origin: &RuleOrigin,
    ) -> DeliverySpec {
        let socket = self.members.socket(member);
        let endpoint = socket.and_then(|socket| self.scenario.endpoints().get(&socket.endpoint));
        let frame = frame.or_else(|| endpoint?.frame.as_ref());
        DeliverySpec {
            condition,
            shape: frame.map(|frame| Shape::new(frame, context, member, origin)),
            address: socket.map_or(Address::Plain, |socket| socket.session.address(name, context.get("msg"))),
        }
    }

    /// Starts a membership. The member must have joined its topics.
    pub(super) fn start_membership(&mut self, member: u64, membership: Membership, events: &mut Vec<Event>) {
        let groups = self.groups.join(member, &membership.topics, &membership.spec);
        let memberships = &mut self.members.entry(member).memberships;
        memberships.push(Arc::new(membership));
        let may_be_in_several_groups = may_be_in_several_groups(memberships);
        self.groups.set_in_several_groups(member, may_be_in_several_groups);
        for group in groups {
            self.notify(member, MemberEvent::Joined(group), events);
        }
    }

    /// Leaves topics of a membership; `None` leaves all, except those that reach every socket of an endpoint. Ends a
    /// membership that has no topics left.
    pub(super) fn leave_topics(
        &mut self,
        member: u64,
        membership: &Arc<Membership>,
        topics: Option<&[Topic]>,
        events: &mut Vec<Event>,
    ) {
        let stays = |topic: &&Topic| match topics {
            None => matches!(topic, Topic::SocketsOf(_) | Topic::SocketsIn(..)),
            Some(topics) => !topics.contains(topic),
        };
        let staying: Vec<Topic> = membership.topics.iter().filter(stays).cloned().collect();
        if staying.len() == membership.topics.len() {
            return;
        }
        if staying.is_empty() {
            return self.end_membership(member, membership, events);
        }
        let leaving: Vec<Topic> = membership.topics.iter().filter(|topic| !staying.contains(topic)).cloned().collect();
        let rest = Membership { topics: staying, ..Membership::clone(membership) };
        let memberships = &mut self.members.entry(member).memberships;
        if let Some(slot) = memberships.iter_mut().find(|one| one.number == membership.number) {
            *slot = Arc::new(rest);
        }
        let may_be_in_several_groups = may_be_in_several_groups(memberships);
        self.groups.set_in_several_groups(member, may_be_in_several_groups);
        self.leave_groups(member, &leaving, &membership.spec, events);
    }

    /// Notifies the protocol that a named membership has ended, unless the member still has one with this name.
    pub(super) fn notify_left(&mut self, member: u64, name: &str, events: &mut Vec<Event>) {
        let has_name = |member: &Arc<Member>| member.memberships.iter().any(|one| one.name.as_deref() == Some(name));
        if self.members.get(member).is_none_or(has_name) {
            return;
        }
        let frames = self.members.socket_mut(member).map(|socket| socket.session.left(name));
        self.reply_frames(member, frames.unwrap_or_default(), events);
        self.follow_session(member, events);
    }

    /// Ends a membership and the steps it owns.
    pub(super) fn end_membership(&mut self, member: u64, membership: &Arc<Membership>, events: &mut Vec<Event>) {
        let entry = self.members.entry(member);
        entry.memberships.retain(|one| one.number != membership.number);
        if let Some(socket) = entry.socket.as_mut().filter(|socket| socket.has_protocol()) {
            socket.unsettled.extend(membership.message.clone());
        }
        let may_be_in_several_groups = may_be_in_several_groups(&entry.memberships);
        self.groups.set_in_several_groups(member, may_be_in_several_groups);
        let owner = RunOwner::Membership { member, number: membership.number };
        self.end_member_runs(member, |run| run.owner == owner);
        self.leave_groups(member, &membership.topics, &membership.spec, events);
    }

    /// Leaves groups, and the topics that no remaining membership includes.
    fn leave_groups(&mut self, member: u64, topics: &[Topic], spec: &Arc<DeliverySpec>, events: &mut Vec<Event>) {
        for group in self.groups.leave(member, topics, spec) {
            self.notify(member, MemberEvent::Left(group), events);
        }
        let memberships = self.members.memberships_of(member);
        let is_left = |topic: &&Topic| !memberships.iter().any(|one| one.topics.contains(topic));
        let left: Vec<Topic> = topics.iter().filter(is_left).cloned().collect();
        for topic in left {
            self.topics.leave(member, &topic);
        }
    }

    /// Ends all memberships and steps of a member that has left. Emits no events.
    pub(in crate::engine) fn leave_all(&mut self, member: u64) {
        self.topics.leave_all(member);
        self.end_runs_of(member);
        let Some(gone) = self.members.get(member).cloned() else { return };
        for membership in &gone.memberships {
            self.groups.leave(member, &membership.topics, &membership.spec);
        }
        self.groups.set_in_several_groups(member, false);
        self.groups.sweep();
        if gone.socket.is_some() {
            self.members.entry(member).memberships = Vec::new();
        } else {
            self.members.remove(member);
        }
    }

    /// Restores a member and its memberships to an earlier state. Emits no events, because the changes that it undoes
    /// were never published.
    pub(super) fn restore_member(&mut self, member: u64, before: Option<Arc<Member>>) {
        let now = self.members.get(member).cloned();
        let memberships = |of: Option<&Arc<Member>>| of.map(|member| member.memberships.clone()).unwrap_or_default();
        let (old, new) = (memberships(before.as_ref()), memberships(now.as_ref()));
        let contains =
            |list: &[Arc<Membership>], one: &Arc<Membership>| list.iter().any(|other| Arc::ptr_eq(other, one));
        if now.as_ref().map(Arc::as_ptr) != before.as_ref().map(Arc::as_ptr) {
            self.members.restore(member, before);
        }
        for membership in new.iter().filter(|one| !contains(&old, one)) {
            self.groups.leave(member, &membership.topics, &membership.spec);
            for topic in &membership.topics {
                self.topics.leave(member, topic);
            }
        }
        for membership in old.iter().filter(|one| !contains(&new, one)) {
            self.groups.join(member, &membership.topics, &membership.spec);
        }
        for topic in old.iter().flat_map(|one| &one.topics).filter(|topic| matches!(topic, Topic::Named(_))) {
            self.topics.join(member, topic);
        }
        self.groups.set_in_several_groups(member, may_be_in_several_groups(&old));
    }

    /// Returns the topics with only those members that did not join by a rule.
    pub(in crate::engine) fn topics_without_rules(&self) -> Topics {
        let mut topics = self.topics.clone();
        for (member, membership) in self.members.memberships() {
            membership.topics.iter().for_each(|topic| topics.leave(member, topic));
        }
        topics
    }

    /// Ends a stream and its scheduled steps.
    pub(super) fn end_stream(&mut self, member: u64, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.members.entry(member).is_over, true) {
            self.end_member_runs(member, |_| true);
            self.notify(member, MemberEvent::Closed(None), events);
        }
    }

    /// Ends a stream from outside. Its connection may have ended already, so nothing is kept of it.
    pub(in crate::engine) fn disconnect_stream(&mut self, member: u64, events: &mut Vec<Event>) {
        self.leave_all(member);
        self.notify(member, MemberEvent::Closed(None), events);
    }

    /// Closes a socket, and ends its scheduled steps. Its `closed` steps run at the end of the operation. Without
    /// `closing`, its connection ends without a close frame.
    pub(in crate::engine) fn close_member(&mut self, member: u64, closing: Option<Closing>, events: &mut Vec<Event>) {
        // `conn` lists the topics that the socket leaves below.
        let conn = self.conn_at_close(member);
        if self.members.close(member, conn) {
            self.end_member_runs(member, |_| true);
            self.members.reschedule(member);
            self.notify(member, MemberEvent::Closed(closing), events);
        }
    }
}
