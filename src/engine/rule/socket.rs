//! Sockets of endpoints: opening, messages and closing.

mod connecting;
mod handshake;
mod reload;
mod sent;

use std::sync::Arc;
use std::time::Duration;

pub use sent::Unsendable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RuleRequest;
use super::context::Context;
use super::firing::Firing;
use super::guard::{Expected, applies};
use super::nearest::{Likeness, Mismatch, Nearest};
use super::origin::RuleOrigin;
use super::runs::RunOwner;
use crate::engine::Engine;
use crate::engine::codec::{Received, Session, SessionOptions};
use crate::engine::command::Effects;
use crate::engine::event::{Closing, Event, MemberEvent};
use crate::engine::frame::{Frame, bytes_of};
use crate::engine::members::{Membership, SocketMember, SocketPhase};
use crate::engine::refusal::Refusal;
use crate::engine::wildcard::matches_wildcard;
use crate::expression::Condition;
use crate::scenario::{CONN, MessageRule, StepList};

/// The outcome of an endpoint's rules for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageOutcome {
    /// The rule with this number, counted from 1, fired.
    Fired(usize),
    /// A rule was refused: it matched and its steps were refused, or its conditions failed to evaluate.
    Refused {
        /// The rule's number, counted from 1. `None` if the endpoint has no rules.
        rule: Option<usize>,
        /// The reason.
        why: String,
    },
    /// No rule matches.
    Unmatched {
        /// The nearest rule and why it does not match. `None` if the endpoint has no rules.
        nearest: Option<String>,
    },
}

/// A client's message and its outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct HandledMessage {
    /// The message as rules see it: their `msg`.
    pub message: Arc<Value>,
    /// The outcome of the endpoint's rules.
    pub outcome: MessageOutcome,
}

impl Engine {
    /// Opens a socket of an endpoint.
    ///
    /// # Errors
    /// [`Refusal::UnknownEndpoint`] if the scenario does not declare the endpoint.
    pub(in crate::engine) fn open_socket(
        &mut self,
        member: u64,
        endpoint: &Arc<str>,
        request: RuleRequest,
        options: SessionOptions,
        events: &mut Vec<Event>,
    ) -> Result<Effects, Refusal> {
        let scenario = self.scenario.clone();
        let unknown = || Refusal::UnknownEndpoint(endpoint.clone());
        let declared = scenario.endpoints().get(endpoint).ok_or_else(unknown)?;
        let (handshake, rest) = handshake::split(&Context::from(request), &declared.names);
        let socket = SocketMember {
            endpoint: endpoint.clone(),
            handshake,
            rest,
            memory: None,
            session: Session::new(declared.protocol, options),
            phase: SocketPhase::Open,
            due: None,
            unsettled: Vec::new(),
        };
        self.members.entry(member).socket = Some(socket);
        let now = self.now;
        let received = self.members.socket_mut(member).map(|socket| socket.session.opened(now));
        let messages = self.take_received(member, received.unwrap_or_default(), None, events);
        Ok(Effects { messages, ..Effects::default() })
    }

    /// Handles a frame from a socket's client.
    pub(in crate::engine) fn receive(&mut self, member: u64, frame: Frame, events: &mut Vec<Event>) -> Effects {
        let Some(socket) = self.members.socket_mut(member).filter(|socket| !socket.is_closing()) else {
            return Effects::default();
        };
        let sent = socket.session.text_of_message(&frame);
        let mut received = socket.session.receive(frame);
        // A client that closes its session gets no reason.
        let violation = received.pop_if(|last| matches!(last, Received::Close { reason, .. } if !reason.is_empty()));
        let mut messages = Vec::new();
        // With nothing received but a violation, its memberships last until it is closed.
        if violation.is_none() || !received.is_empty() {
            messages = self.take_received(member, received, sent.as_deref(), events);
        }
        if let Some(Received::Close { code, reason }) = violation {
            let rule = RuleOrigin::Endpoint(self.endpoint_of(member).cloned().unwrap_or_default()).key();
            self.notify(member, MemberEvent::Failed { rule, refusal: Refusal::Violation(reason.clone()) }, events);
            messages.extend(self.take_received(member, vec![Received::Close { code, reason }], None, events));
        }
        Effects { messages, ..Effects::default() }
    }

    /// Ends the sockets that the operation has closed, in order: each leaves its topics, and then its endpoint's `closed`
    /// steps run.
    pub(in crate::engine) fn end_closed_sockets(&mut self, events: &mut Vec<Event>) {
        while let Some((member, conn)) = self.members.take_closing() {
            self.end_socket(member, conn, events);
        }
    }

    /// Ends all sockets, in the order in which they were opened, as if their connections had ended. Returns the events.
    pub fn end_all_sockets(&mut self) -> Vec<Event> {
        let mut sockets: Vec<u64> = self.members.sockets().map(|(member, _)| member).collect();
        sockets.sort_unstable();
        let mut events = Vec::new();
        for member in sockets {
            let from = events.len();
            self.remove_member(member, &mut events);
            self.react(&mut events, from);
        }
        events
    }

    /// Removes a member whose connection has ended. A socket that nothing has closed before ends as well.
    pub(in crate::engine) fn remove_member(&mut self, member: u64, events: &mut Vec<Event>) {
        if self.members.socket(member).is_some_and(|socket| !socket.is_closing()) {
            let conn = self.conn_at_close(member);
            self.end_socket(member, conn, events);
        } else {
            self.leave_all(member);
        }
        self.members.remove(member);
    }

    /// Removes a socket from its topics, then runs the `closed` steps of its endpoint with this `conn`.
    fn end_socket(&mut self, member: u64, conn: Option<Value>, events: &mut Vec<Event>) {
        self.leave_all(member);
        let ended = self.members.socket(member).filter(|socket| socket.session.was_connected());
        let Some((socket, conn)) = ended.zip(conn) else { return };
        let (endpoint, mut context) = (socket.endpoint.clone(), socket.handshake.clone().with(CONN, conn));
        let scenario = self.scenario.clone();
        let closed = scenario.endpoints().get(&endpoint).and_then(|endpoint| endpoint.closed.as_ref());
        if let Some(steps) = closed {
            self.fire_socket_steps(member, endpoint, RunOwner::World, steps, &mut context, events);
        }
    }

    /// Runs the `open` or `closed` steps of an endpoint. If they are refused, notifies the member and returns the
    /// reason.
    fn fire_socket_steps(
        &mut self,
        member: u64,
        endpoint: Arc<str>,
        owner: RunOwner,
        steps: &StepList,
        context: &mut Context,
        events: &mut Vec<Event>,
    ) -> Option<String> {
        let origin = RuleOrigin::Endpoint(endpoint);
        let rule = origin.key();
        let done = self.fire_rule(origin, owner, events, |firing| firing.run_list(steps, context));
        let refusal = done.err()?;
        let why = refusal.to_string();
        self.notify(member, MemberEvent::Failed { rule, refusal }, events);
        Some(why)
    }

    /// Returns whether a member is a socket with a protocol on top of WebSocket, where not every frame is a message.
    #[must_use]
    pub fn has_protocol(&self, member: u64) -> bool {
        self.members.socket(member).is_some_and(SocketMember::has_protocol)
    }

    /// Returns the key of a socket's endpoint. `None` if the member is not a socket of an endpoint.
    #[must_use]
    pub fn endpoint_of(&self, member: u64) -> Option<&Arc<str>> {
        self.members.socket(member).map(|socket| &socket.endpoint)
    }

    /// Runs the first protocol action due by `due`, while time advances to `to`.
    pub(in crate::engine) fn elapse_session(&mut self, due: Duration, to: Duration, events: &mut Vec<Event>) {
        let Some(member) = self.members.first_due(due) else { return };
        let received = self.members.socket_mut(member).map(|socket| socket.session.elapse(due, to));
        self.take_received(member, received.unwrap_or_default(), None, events);
    }

    /// Handles what the protocol has received. `sent` is the text of the message as the client sent it; see
    /// [`Session::text_of_message`].
    fn take_received(
        &mut self,
        member: u64,
        received: Vec<Received>,
        sent: Option<&str>,
        events: &mut Vec<Event>,
    ) -> Vec<HandledMessage> {
        let mut messages = Vec::new();
        for one in received {
            match one {
                Received::Opened(message) => self.opened(member, message, events),
                Received::Message(message) => messages.extend(self.message(member, message, sent, events)),
                Received::Notice(message) => {
                    let notice = self.message(member, message, None, events);
                    messages.extend(notice.filter(|one| !matches!(one.outcome, MessageOutcome::Unmatched { .. })));
                }
                Received::Reply(frame) => self.notify(member, MemberEvent::Reply(frame), events),
                Received::Ended(address) => self.end_address(member, &address, events),
                Received::Close { code, reason } => {
                    // A client that closes its session gets no reason.
                    let by_client = reason.is_empty();
                    self.close_member(member, Some(Closing { by_client, ..Closing::new(code, reason) }), events);
                }
            }
        }
        self.follow_session(member, events);
        self.settle_left(member, events);
        messages
    }

    fn message(
        &mut self,
        member: u64,
        message: Value,
        sent: Option<&str>,
        events: &mut Vec<Event>,
    ) -> Option<HandledMessage> {
        let socket = self.members.socket(member).filter(|socket| !socket.is_closing())?;
        let (key, message) = (socket.endpoint.clone(), Arc::new(message));
        let context = socket.handshake.clone().with("msg", message.clone());
        let scenario = self.scenario.clone();
        let rules = scenario.endpoints().get(&key).map(|endpoint| &*endpoint.messages).unwrap_or_default();
        let origin = RuleOrigin::Endpoint(key);
        let (mut checked, mut nearest) = (None, None);
        let fired = self.fire_rule(origin.clone(), RunOwner::Member(member), events, |firing| {
            match choose(rules, sent, firing, &context, &mut checked)? {
                Ok((steps, mut context)) => firing.run_list(steps, &mut context),
                Err(why) => {
                    nearest = why;
                    Ok(())
                }
            }
        });
        let outcome = match (fired, checked) {
            (Ok(()), Some(number)) => MessageOutcome::Fired(number),
            (Ok(()), None) => MessageOutcome::Unmatched { nearest },
            (Err(refusal), rule) => {
                let why = refusal.to_string();
                self.notify(member, MemberEvent::Failed { rule: origin.name(rule), refusal }, events);
                MessageOutcome::Refused { rule, why }
            }
        };
        match &outcome {
            MessageOutcome::Fired(_) => {}
            MessageOutcome::Unmatched { nearest } => {
                let session = self.members.socket_mut(member).map(|socket| &mut socket.session);
                let frames = session.map(|session| session.unmatched(&message, nearest.as_deref()));
                self.reply_frames(member, frames.unwrap_or_default(), events);
            }
            MessageOutcome::Refused { why, .. } => self.refuse(member, &message, why, events),
        }
        self.settle_message(member, &message, events);
        Some(HandledMessage { message, outcome })
    }

    /// Notifies the protocol that a rule has finished with a message, and whether memberships or scheduled steps still
    /// respond to it. Does nothing while the connection that the message requests is undecided.
    pub(super) fn settle_message(&mut self, member: u64, message: &Arc<Value>, events: &mut Vec<Event>) {
        let listens = |socket: &SocketMember| socket.has_protocol() && !socket.is_closing();
        if !self.members.socket(member).is_some_and(listens) || self.decides_later(member, message) {
            return;
        }
        let memberships = self.members.memberships_of(member);
        let continues = memberships.iter().any(|one| one.message.as_ref() == Some(message))
            || self.has_scheduled(member, |run| run.context.get("msg") == Some(message));
        let frames = self.members.socket_mut(member).map(|socket| socket.session.finished(message, continues));
        let frames = frames.unwrap_or_default();
        if !frames.is_empty() {
            self.reply_frames(member, frames, events);
            self.follow_session(member, events);
        }
    }

    /// Settles the messages whose memberships have ended.
    pub(super) fn settle_left(&mut self, member: u64, events: &mut Vec<Event>) {
        while self.members.socket(member).is_some_and(|socket| !socket.unsettled.is_empty()) {
            let unsettled = self.members.socket_mut(member).map(|socket| std::mem::take(&mut socket.unsettled));
            for message in unsettled.unwrap_or_default() {
                self.settle_message(member, &message, events);
            }
        }
    }

    /// Ends the operations whose members were sent an error. After this, the rule can no longer be rolled back.
    pub(in crate::engine) fn end_operations(&mut self, events: &mut Vec<Event>) {
        for (member, address) in self.members.take_ended() {
            if let Some(socket) = self.members.socket_mut(member) {
                socket.session.end(&address);
                self.follow_session(member, events);
                self.settle_left(member, events);
            }
        }
        self.groups.sweep();
        self.rule_runs.forget_ended();
    }

    /// Ends the memberships whose frames the client no longer accepts, and reschedules the protocol's next action.
    pub(super) fn follow_session(&mut self, member: u64, events: &mut Vec<Event>) {
        let Some(socket) = self.members.socket(member).filter(|socket| socket.has_protocol()) else {
            return;
        };
        let is_lost = |one: &&Arc<Membership>| !socket.session.reaches(one.address());
        let memberships = self.members.memberships_of(member);
        let lost: Vec<Arc<Membership>> = memberships.iter().filter(is_lost).cloned().collect();
        for membership in lost {
            self.end_membership(member, &membership, events);
        }
        self.members.reschedule(member);
    }
}

/// Returns the steps and the context of the first rule that matches a message, or else describes the nearest rule.
/// `checked` is set to the number, counted from 1, of the rule that matches or fails, and to `None` if no rule matches.
fn choose<'r>(
    rules: &'r [MessageRule],
    sent: Option<&str>,
    firing: &mut Firing<'_>,
    context: &Context,
    checked: &mut Option<usize>,
) -> Result<Result<(&'r StepList, Context), Option<String>>, Refusal> {
    let mut nearest = Nearest::of("rule");
    for (number, rule) in (1..).zip(rules) {
        *checked = Some(number);
        let mut context = context.clone();
        match mismatch(rule, sent, firing, &mut context)? {
            Some(mismatch) => nearest.note(number, &mismatch),
            None => return Ok(Ok((&rule.steps, context))),
        }
    }
    *checked = None;
    Ok(Err(nearest.text()))
}

/// Returns why a rule does not match. `None` if it matches; `context` then includes its `with` names. `sent` is the text
/// of the message as the client sent it, if it is text.
fn mismatch(
    rule: &MessageRule,
    sent: Option<&str>,
    firing: &mut Firing<'_>,
    context: &mut Context,
) -> Result<Option<Mismatch>, Refusal> {
    let message = context.get("msg").unwrap_or(&Value::Null);
    let is_binary = || sent.is_none() && bytes_of(message).is_some();
    let expected = rule.matches.as_ref().map(|matches| Expected::of("msg", matches, firing, context)).transpose()?;
    let value = expected.as_ref().and_then(|expected| expected.value.as_deref());
    let mut differences = expected.as_ref().map(|expected| expected.differences(message)).unwrap_or_default();
    let expects_bytes = value.is_some_and(|value| value.get("binary").is_some());
    if !differences.is_empty() && !expects_bytes && is_binary() {
        differences.insert(0, "the message is binary".to_owned());
    }
    if let Some(text) = &rule.text
        && !sent.into_iter().chain(message.as_str()).any(|message| matches_wildcard(text, message))
    {
        let what = match message {
            Value::String(_) => "msg is",
            _ if is_binary() => "the message is binary,",
            _ if sent.is_some() => "the message as it was sent is",
            _ => "msg is",
        };
        differences.push(format!("{what} not the text \"{text}\""));
    }
    if !differences.is_empty() {
        let likeness = Likeness::of((message, sent), value, rule.text.as_deref());
        return Ok(Some(Mismatch::Differs { differences, likeness }));
    }
    if applies(&rule.with, rule.when.as_ref(), firing, context)? {
        return Ok(None);
    }
    let source = rule.when.as_ref().map_or("", Condition::source);
    Ok(Some(Mismatch::of_when(source, rule.matches.is_some() || rule.text.is_some())))
}
