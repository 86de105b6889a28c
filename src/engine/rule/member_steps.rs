//! Steps that act on the member that owns the rule, a socket or a stream: reply, send, join, leave, close, and set its
//! memory.

use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::firing::Firing;
use super::guard::complete;
use super::origin::RuleOrigin;
use super::runs::RunOwner;
use crate::engine::codec::Disconnected;
use crate::engine::collections::json_len;
use crate::engine::command::Command;
use crate::engine::event::{Closing, MemberEvent, fit_for_closing};
use crate::engine::frame::Frame;
use crate::engine::members::Membership;
use crate::engine::refusal::{MAX_MEMORY_BYTES, MAX_TOPICS, Refusal};
use crate::engine::values::part;
use crate::expression::{Template, plain_text};
use crate::scenario::{CLOSE_CODES, CONN, Join, is_close_code};

/// The close code for a normal end (RFC 6455, 7.4.1).
const NORMAL: u16 = 1000;

impl Firing<'_> {
    /// Returns the member that owns the rule.
    ///
    /// # Errors
    /// [`Refusal::NoMember`] if the world owns it.
    pub(super) fn member(&self) -> Result<u64, Refusal> {
        self.owner.member().ok_or(Refusal::NoMember)
    }

    /// Emits an event for the member that owns the rule.
    pub(super) fn notify(&mut self, what: MemberEvent) -> Result<(), Refusal> {
        let member = self.member()?;
        self.engine.notify(member, what, self.events);
        Ok(())
    }

    /// Sends a frame to the member, as its protocol encodes it.
    pub(super) fn reply(&mut self, frame: &Template, context: &Context) -> Result<(), Refusal> {
        let member = self.member()?;
        let value = self.required(frame, context)?;
        if !self.engine.has_protocol(member) {
            return self.notify(MemberEvent::Reply(Frame::of(value)));
        }
        let socket = self.engine.members.socket_mut(member).ok_or(Refusal::NoMember)?;
        let frames = socket.session.reply(context.get("msg"), value)?;
        self.engine.reply_frames(member, frames, self.events);
        self.engine.follow_session(member, self.events);
        Ok(())
    }

    /// Sends a frame to topics, or without any to all sockets of the rule's endpoint.
    pub(super) fn send(
        &mut self,
        to: Option<&Template>,
        frame: &Template,
        others: bool,
        context: &Context,
    ) -> Result<(), Refusal> {
        let topics = to.map(|to| self.render_topics(to, context)).transpose()?;
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

    /// Starts a membership, unless there is an identical one. Replaces a different membership with the same name.
    pub(super) fn join(&mut self, join: &Arc<Join>, context: &Context) -> Result<(), Refusal> {
        let member = self.member()?;
        let topics = self.render_topics(&join.to, context)?;
        let condition = join.condition.as_ref().map(|condition| complete(condition, self, context)).transpose()?;
        let name = join.name.as_ref().map(|name| self.render_id(name, context)).transpose()?.map(Arc::from);
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
        let topics = to.map(|to| self.render_topics(to, context)).transpose()?;
        let name = name.map(|name| self.render_id(name, context)).transpose()?;
        let memberships = self.engine.members.memberships_of(member).to_vec();
        let address = self.engine.address_at(member, context);
        let is_selected = |one: &Membership| {
            name.as_ref().is_none_or(|name| one.name.as_deref() == Some(name))
                && !one.address().is_other_namespace(&address)
        };
        for membership in memberships.iter().filter(|one| is_selected(one)) {
            self.engine.leave_topics(member, membership, topics.as_deref(), self.events);
        }
        if let Some(name) = name {
            self.engine.notify_left(member, &name, self.events);
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
        let closing = Closing::new(code, fit_for_closing(reason));
        self.engine.close_member(member, Some(closing), self.events);
        Ok(())
    }

    /// Disconnects a client from the namespace of its message. Returns `false` if the whole socket has to be closed as
    /// well.
    fn disconnect(&mut self, member: u64, context: &Context) -> bool {
        let address = self.engine.address_at(member, context);
        let socket = self.engine.members.socket_mut(member).filter(|socket| !socket.is_closing());
        let Some(socket) = socket else { return false };
        let Disconnected { frames, is_last } = socket.session.disconnect(context.get("msg"));
        self.engine.reply_frames(member, frames, self.events);
        if !is_last {
            self.engine.end_address(member, &address, self.events);
            self.engine.follow_session(member, self.events);
        }
        !is_last
    }

    /// Sets part of the socket's memory, which expressions read as `conn`.
    pub(super) fn set_conn(
        &mut self,
        keys: &[Arc<str>],
        template: &Template,
        context: &Context,
    ) -> Result<(), Refusal> {
        let member = self.member()?;
        let value = self.required(template, context)?;
        let socket = self.engine.members.socket_mut(member).ok_or(Refusal::NoMember)?;
        let mut memory = socket.memory();
        *part(&mut memory, CONN, keys)? = value;
        if json_len(&memory) > MAX_MEMORY_BYTES {
            return Err(Refusal::MemoryTooLarge);
        }
        socket.memory = Some(Arc::new(memory));
        Ok(())
    }
}

fn close_code(value: &Value) -> Result<u16, Refusal> {
    let code = value.as_u64().filter(|code| is_close_code(*code)).and_then(|code| u16::try_from(code).ok());
    code.ok_or_else(|| Refusal::wrong_value("a close code", CLOSE_CODES, value))
}
