//! Steps that act on the rule's member: reply, join, leave, close, and set its memory.

use std::sync::Arc;

use serde_json::{Value, json};

use super::context::Context;
use super::firing::Firing;
use super::groups::{DeliverySpec, Shape};
use super::guard::complete;
use super::origin::RuleOrigin;
use super::runs::RunOwner;
use crate::engine::Engine;
use crate::engine::codec::{Address, Disconnected};
use crate::engine::collections::json_len;
use crate::engine::command::Command;
use crate::engine::event::{Closing, Event, EventKind, MemberEvent, fit_for_closing};
use crate::engine::frame::Frame;
use crate::engine::members::{Member, Membership, SocketMember};
use crate::engine::refusal::{MAX_MEMORY_BYTES, MAX_TOPICS, Refusal};
use crate::engine::topics::{Topic, Topics};
use crate::engine::values::part;
use crate::expression::{Template, plain_text};
use crate::scenario::{CLOSE_CODES, CONN, Join, is_close_code};

/// The close code of a connection that has fulfilled its purpose (RFC 6455, 7.4.1).
const NORMAL: u16 = 1000;

impl Firing<'_> {
    /// Returns the member that owns the rule.
    pub(super) fn member(&self) -> Result<u64, Refusal> {
        self.owner.member().ok_or(Refusal::NoMember)
    }

    /// Emits an event for the member that owns the rule.
    pub(super) fn notify(&mut self, what: MemberEvent) -> Result<(), Refusal> {
        let member = self.member()?;
        self.engine.notify(member, what, self.events);
        Ok(())
    }

    pub(super) fn reply(&mut self, frame: &Template, context: &Context) -> Result<(), Refusal> {
        let member = self.member()?;
        let value = self.required(frame, context)?;
        let has_protocol = self.engine.members.socket(member).is_some_and(SocketMember::has_protocol);
        let frames = match self.engine.members.socket_mut(member).filter(|_| has_protocol) {
            Some(socket) => socket.session.reply(context.get("msg"), value)?,
            None => vec![Frame::of(value)],
        };
        self.engine.reply_frames(member, frames, self.events);
        self.engine.follow_session(member, self.events);
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        to: Option<&Template>,
        frame: &Template,
        others: bool,
        context: &Context,
    ) -> Result<(), Refusal> {
        let topics = to.map(|to| self.topics(to, context)).transpose()?;
        let value = self.required(frame, context)?;
        let topics = match (topics, &self.origin) {
            (Some(topics), _) => topics,
            (None, RuleOrigin::Endpoint(key)) => vec![self.engine.broadcast_topic(key, context.get("msg"), &value)?],
            (None, _) => return Err(Refusal::NoMember),
        };
        let frame = Frame::of(value);
        let except = self.owner.member().filter(|_| others);
        self.command(Command::Send { to: topics, frame, except })
    }

    /// Joins topics. An identical membership is kept. A different membership with the same name is replaced.
    pub(super) fn join(&mut self, join: &Arc<Join>, context: &Context) -> Result<(), Refusal> {
        let member = self.member()?;
        let topics = self.topics(&join.to, context)?;
        let condition = join.condition.as_ref().map(|condition| complete(condition, self, context)).transpose()?;
        let name = join.name.as_ref().map(|name| self.id(name, context)).transpose()?.map(Arc::from);
        let spec =
            self.engine.delivery_spec(member, join.frame.as_ref(), condition, name.as_deref(), context, &self.origin);
        let spec = self.engine.groups.shared(&topics, spec);
        let memberships = self.engine.members.memberships_of(member);
        if memberships.iter().any(|one| one.name == name && one.spec == spec && one.topics == topics) {
            return Ok(());
        }
        let is_same_namespace = |one: &Membership| !one.address().is_other_namespace(&spec.address);
        let same_name =
            memberships.iter().find(|one| name.is_some() && one.name == name && is_same_namespace(one)).cloned();
        if memberships.len() - usize::from(same_name.is_some()) >= MAX_TOPICS {
            return Err(Refusal::TooManyMemberships);
        }
        if let Some(same_name) = same_name {
            self.engine.end_membership(member, &same_name, self.events);
        }
        self.command(Command::Join { member, topics: topics.clone() })?;
        let number = self.engine.members.next_membership();
        let message = context.shared("msg").cloned();
        let follows_frame = join.frame.is_none();
        let membership = Membership { number, name, topics, spec, follows_frame, message };
        self.engine.start_membership(member, membership, self.events);
        if let Some(steps) = &join.steps {
            let owner = std::mem::replace(&mut self.owner, RunOwner::Membership { member, number });
            let started = self.run_list(steps, &mut context.clone());
            self.owner = owner;
            started?;
        }
        Ok(())
    }

    /// Leaves topics in the named membership, or in all memberships.
    pub(super) fn leave(
        &mut self,
        to: Option<&Template>,
        name: Option<&Template>,
        context: &Context,
    ) -> Result<(), Refusal> {
        let member = self.member()?;
        let topics = to.map(|to| self.topics(to, context)).transpose()?;
        let name = name.map(|name| self.id(name, context)).transpose()?;
        let memberships = self.engine.members.memberships_of(member).to_vec();
        let here = self.engine.address_at(member, context);
        let is_selected = |one: &Membership| {
            name.as_ref().is_none_or(|name| one.name.as_deref() == Some(name))
                && !one.address().is_other_namespace(&here)
        };
        for membership in memberships.iter().filter(|one| is_selected(one)) {
            self.engine.leave_topics(member, membership, topics.as_deref(), self.events);
        }
        if let Some(name) = name {
            self.engine.leave_name(member, &name, self.events);
        }
        Ok(())
    }

    pub(super) fn close(
        &mut self,
        code: Option<&Template>,
        reason: Option<&Template>,
        context: &Context,
    ) -> Result<(), Refusal> {
        let member = self.member()?;
        if self.engine.members.socket(member).is_none() {
            self.engine.end_stream(member, self.events);
            return Ok(());
        }
        if code.is_none() && self.disconnect(member, context) {
            return Ok(());
        }
        let code = code.map(|code| self.required(code, context)).transpose()?;
        let code = code.map_or(Ok(NORMAL), |code| close_code(&code))?;
        let reason = reason.map(|reason| self.required(reason, context)).transpose()?;
        let reason = reason.map(|reason| plain_text(&reason)).unwrap_or_default();
        let closing = Closing { code, reason: fit_for_closing(reason).into() };
        self.engine.close_member(member, closing, self.events);
        Ok(())
    }

    /// Disconnects a client from the namespace of its message. Returns `false` if the whole socket has to be closed as
    /// well.
    fn disconnect(&mut self, member: u64, context: &Context) -> bool {
        let address = self.engine.address_at(member, context);
        let socket = self.engine.members.socket_mut(member).filter(|socket| !socket.is_closing);
        let Some(socket) = socket else { return false };
        let Disconnected { frames, is_last } = socket.session.disconnect(context.get("msg"));
        self.engine.reply_frames(member, frames, self.events);
        if !is_last {
            self.engine.end_address(member, &address, self.events);
            self.engine.follow_session(member, self.events);
        }
        !is_last
    }

    /// Sets part of the socket's memory.
    pub(super) fn set_conn(
        &mut self,
        keys: &[Arc<str>],
        template: &Template,
        context: &Context,
    ) -> Result<(), Refusal> {
        let member = self.member()?;
        let value = self.required(template, context)?;
        let socket = self.engine.members.socket_mut(member).ok_or(Refusal::NoMember)?;
        let mut memory = Value::clone(&socket.memory);
        *part(&mut memory, CONN, keys)? = value;
        if json_len(&memory) > MAX_MEMORY_BYTES {
            return Err(Refusal::MemoryTooLarge);
        }
        socket.memory = Arc::new(memory);
        Ok(())
    }
}

fn close_code(value: &Value) -> Result<u16, Refusal> {
    let code = value.as_u64().filter(|code| is_close_code(*code)).and_then(|code| u16::try_from(code).ok());
    code.ok_or_else(|| Refusal::wrong_value("a close code", CLOSE_CODES, value))
}

/// Returns whether the same event may reach a member through several groups.
pub(super) fn is_in_several(memberships: &[Arc<Membership>]) -> bool {
    memberships.len() > 1 || memberships.iter().any(|one| one.topics.len() > 1)
}

/// Changes to memberships.
impl Engine {
    /// Emits an event for a member.
    pub(super) fn notify(&self, member: u64, what: MemberEvent, events: &mut Vec<Event>) {
        events.push(Event { sequence: self.sequence, at: self.now, kind: EventKind::Member { member, what } });
    }

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

    /// Returns `conn` for steps that run after the socket has closed.
    pub(super) fn conn(&self, member: u64) -> Option<Value> {
        self.conn_at(member, None)
    }

    /// Returns `conn` for the expressions of a rule.
    pub(super) fn conn_in(&self, member: u64, context: &Context) -> Option<Value> {
        self.conn_at(member, Some(&self.address_at(member, context)))
    }

    /// Returns `conn` at an address of the client. `None` if the member is not a socket.
    pub(super) fn conn_at(&self, member: u64, address: Option<&Address>) -> Option<Value> {
        let socket = self.members.socket(member)?;
        let topics = self.topics.joined(member).filter(|topic| matches!(topic, Topic::Named(_)));
        let topics: Vec<String> = topics.map(ToString::to_string).collect();
        let mut conn = Value::clone(&socket.memory);
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

    /// Starts a membership whose topics the member has already joined.
    pub(super) fn start_membership(&mut self, member: u64, membership: Membership, events: &mut Vec<Event>) {
        let groups = self.groups.join(member, &membership.topics, &membership.spec);
        let memberships = &mut self.members.entry(member).memberships;
        memberships.push(Arc::new(membership));
        let is_in_several = is_in_several(memberships);
        self.groups.note_several(member, is_in_several);
        for group in groups {
            self.notify(member, MemberEvent::Joined(group), events);
        }
    }

    /// Leaves topics of a membership. `None` stands for all of them, except broadcasts to an endpoint's sockets.
    fn leave_topics(
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
        if let Some(place) = memberships.iter_mut().find(|one| one.number == membership.number) {
            *place = Arc::new(rest);
        }
        let is_in_several = is_in_several(memberships);
        self.groups.note_several(member, is_in_several);
        self.leave_groups(member, &leaving, &membership.spec, events);
    }

    /// Notifies the protocol that a named membership has ended, unless the member is still in some of its topics.
    fn leave_name(&mut self, member: u64, name: &str, events: &mut Vec<Event>) {
        let is_in = |member: &Arc<Member>| member.memberships.iter().any(|one| one.name.as_deref() == Some(name));
        if self.members.get(member).is_none_or(is_in) {
            return;
        }
        let frames = self.members.socket_mut(member).map(|socket| socket.session.left(name));
        self.reply_frames(member, frames.unwrap_or_default(), events);
        self.follow_session(member, events);
    }

    /// Ends a membership and the steps it owns.
    pub(super) fn end_membership(&mut self, member: u64, membership: &Arc<Membership>, events: &mut Vec<Event>) {
        let of = self.members.entry(member);
        of.memberships.retain(|one| one.number != membership.number);
        if let Some(socket) = of.socket.as_mut().filter(|socket| socket.has_protocol()) {
            socket.unsettled.extend(membership.message.clone());
        }
        let is_in_several = is_in_several(&of.memberships);
        self.groups.note_several(member, is_in_several);
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

    /// Ends all memberships and steps of a member that is gone. Emits no events.
    pub(in crate::engine) fn leave_all(&mut self, member: u64) {
        self.topics.leave_all(member);
        self.end_runs_of(member);
        let Some(gone) = self.members.get(member).cloned() else { return };
        for membership in &gone.memberships {
            self.groups.leave(member, &membership.topics, &membership.spec);
        }
        self.groups.note_several(member, false);
        self.groups.sweep();
        if gone.socket.is_some() {
            self.members.entry(member).memberships = Vec::new();
        } else {
            self.members.remove(member);
        }
    }

    /// Restores a member and its memberships. The changes being undone were never published.
    pub(super) fn restore_member(&mut self, member: u64, before: Option<Arc<Member>>) {
        let now = self.members.get(member).cloned();
        let memberships = |of: Option<&Arc<Member>>| of.map(|member| member.memberships.clone()).unwrap_or_default();
        let (old, new) = (memberships(before.as_ref()), memberships(now.as_ref()));
        let is_in = |list: &[Arc<Membership>], one: &Arc<Membership>| list.iter().any(|other| Arc::ptr_eq(other, one));
        if now.as_ref().map(Arc::as_ptr) != before.as_ref().map(Arc::as_ptr) {
            self.members.restore(member, before);
        }
        for membership in new.iter().filter(|one| !is_in(&old, one)) {
            self.groups.leave(member, &membership.topics, &membership.spec);
            for topic in &membership.topics {
                self.topics.leave(member, topic);
            }
        }
        for membership in old.iter().filter(|one| !is_in(&new, one)) {
            self.groups.join(member, &membership.topics, &membership.spec);
        }
        for topic in old.iter().flat_map(|one| &one.topics).filter(|topic| matches!(topic, Topic::Named(_))) {
            self.topics.join(member, topic);
        }
        self.groups.note_several(member, is_in_several(&old));
    }

    /// Returns the topics with only the members that joined without a rule.
    pub(in crate::engine) fn topics_without_rules(&self) -> Topics {
        let mut topics = self.topics.clone();
        for (member, membership) in self.members.memberships() {
            membership.topics.iter().for_each(|topic| topics.leave(member, topic));
        }
        topics
    }

    /// Ends a stream and its scheduled steps.
    fn end_stream(&mut self, member: u64, events: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.members.entry(member).is_over, true) {
            self.end_member_runs(member, |_| true);
            self.notify(member, MemberEvent::Closed(None), events);
        }
    }

    /// Closes a socket, and ends its scheduled steps.
    pub(super) fn close_member(&mut self, member: u64, closing: Closing, events: &mut Vec<Event>) {
        let Some(socket) = self.members.socket_mut(member) else { return };
        if std::mem::replace(&mut socket.is_closing, true) {
            return;
        }
        socket.session.close();
        self.end_member_runs(member, |_| true);
        self.members.reschedule(member);
        self.notify(member, MemberEvent::Closed(Some(closing)), events);
    }
}
