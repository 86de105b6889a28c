//! Connections of a socket at the level of its protocol. `open` starts a connection and may refuse it, and the protocol
//! acknowledges it. Everything started in a connection ends with it.

use std::sync::Arc;

use serde_json::Value;

use crate::engine::Engine;
use crate::engine::codec::{Address, socket_io};
use crate::engine::event::Event;
use crate::engine::members::Membership;
use crate::engine::refusal::Refusal;
use crate::engine::rule::context::Context;
use crate::engine::rule::firing::Firing;
use crate::engine::rule::groups::DeliverySpec;
use crate::engine::rule::runs::{RuleRun, RunOwner};
use crate::engine::topics::Topic;
use crate::scenario::{Protocol, Verb};

impl Engine {
    /// Runs `open` for a client that connects. The client is not connected if `open` is refused.
    pub(super) fn opened(&mut self, member: u64, message: Value, events: &mut Vec<Event>) {
        let Some(socket) = self.members.socket(member).filter(|socket| !socket.is_closing()) else { return };
        let (key, mut context) = (socket.endpoint.clone(), socket.handshake.clone());
        let message = Arc::new(message);
        if !message.is_null() {
            context.set("msg", message.clone());
        }
        let scenario = self.scenario.clone();
        let declared = scenario.endpoints().get(&key);
        if declared.is_some_and(|endpoint| endpoint.sends_to_all) {
            self.join_broadcasts(member, &key, events);
        }
        if let Some(steps) = declared.and_then(|endpoint| endpoint.open.as_ref()) {
            let refused = self.fire_socket_steps(member, key, RunOwner::Member(member), steps, &mut context, events);
            if let Some(why) = refused {
                self.refuse(member, &message, &why, events);
            }
        }
        self.settle_message(member, &message, events);
    }

    /// Subscribes a socket to the broadcasts of its endpoint, at every address where its client is connected.
    pub(super) fn join_broadcasts(&mut self, member: u64, endpoint: &Arc<str>, events: &mut Vec<Event>) {
        let addresses = self.members.socket(member).map(|socket| socket.session.addresses());
        for address in addresses.unwrap_or_default() {
            let topics = vec![match &address {
                Address::SocketIo(namespace) => Topic::SocketsIn(endpoint.clone(), namespace.clone()),
                Address::Plain | Address::GraphqlWs(_) => Topic::SocketsOf(endpoint.clone()),
            }];
            if self.members.memberships_of(member).iter().any(|one| one.topics == topics) {
                continue;
            }
            let spec = self.groups.shared(&topics, DeliverySpec { condition: None, shape: None, address });
            let number = self.members.next_membership();
            let membership = Membership { number, name: None, topics, spec, follows_frame: false, message: None };
            self.start_membership(member, membership, events);
        }
    }

    /// Returns the topic of a broadcast to all sockets of an endpoint. With Socket.IO, the broadcast is limited to the
    /// namespace that the frame names or, by default, the namespace of the message.
    pub(in crate::engine::rule) fn broadcast_topic(
        &self,
        endpoint: &Arc<str>,
        message: Option<&Value>,
        value: &Value,
    ) -> Result<Topic, Refusal> {
        let declared = self.scenario.endpoints().get(endpoint);
        if declared.is_none_or(|endpoint| endpoint.protocol != Protocol::SocketIo) {
            return Ok(Topic::SocketsOf(endpoint.clone()));
        }
        let namespace = socket_io::namespace_for_all(message, value)?;
        Ok(Topic::SocketsIn(endpoint.clone(), namespace.into()))
    }

    /// Tells the client that its message was refused, which may end what the message started.
    pub(super) fn refuse(&mut self, member: u64, message: &Value, why: &str, events: &mut Vec<Event>) {
        let received = self.members.socket_mut(member).map(|socket| socket.session.refused(message, why));
        self.take_received(member, received.unwrap_or_default(), None, events);
    }

    /// Ends the memberships of an address, and the scheduled steps that respond to messages from it.
    pub(in crate::engine::rule) fn end_address(&mut self, member: u64, address: &Address, events: &mut Vec<Event>) {
        let memberships = self.members.memberships_of(member).to_vec();
        for membership in memberships.iter().filter(|one| one.address() == address) {
            self.end_membership(member, membership, events);
        }
        self.end_member_runs(member, |run| {
            run.context.get("msg").is_some_and(|message| address.is_address_of(message))
        });
    }

    /// Returns whether the client's connection is pending and a remaining step may refuse or acknowledge it.
    pub(super) fn decides_later(&self, member: u64, message: &Value) -> bool {
        let Some(socket) = self.members.socket(member).filter(|socket| socket.session.is_pending(message)) else {
            return false;
        };
        let session = &socket.session;
        let address = session.address(None, Some(message));
        let is_same = |other: &Value| session.is_pending(other) && session.address(None, Some(other)) == address;
        self.has_scheduled(member, |run| decides(run) && run.context.get("msg").is_some_and(is_same))
    }

    /// Connects a client that was waiting for steps that the scenario no longer declares.
    pub(super) fn settle_pending(&mut self, member: u64, events: &mut Vec<Event>) {
        let pending = self.members.socket(member).map(|socket| socket.session.pending());
        for message in pending.unwrap_or_default() {
            self.settle_message(member, &Arc::new(message), events);
        }
    }

    /// Returns whether the connection that a message requests is pending.
    pub(in crate::engine::rule) fn is_pending(&self, member: u64, message: &Value) -> bool {
        self.members.socket(member).is_some_and(|socket| socket.session.is_pending(message))
    }

    /// Returns whether a socket's client has yet to request a connection.
    #[must_use]
    pub fn awaits_client(&self, member: u64) -> bool {
        self.members.socket(member).is_some_and(|socket| !socket.is_closing() && socket.session.awaits_client())
    }

    /// Records that a client's time to connect is over by the machine's clock.
    pub(in crate::engine) fn connect_timeout_expired(&mut self, member: u64, events: &mut Vec<Event>) {
        let now = self.now;
        let socket = self.members.socket_mut(member).filter(|socket| !socket.is_closing());
        let received = socket.map(|socket| socket.session.connect_timeout_expired(now));
        self.take_received(member, received.unwrap_or_default(), None, events);
    }
}

impl Firing<'_> {
    /// Returns whether the connection that the rule answers in is over. A step has refused or left it, and the list
    /// ends.
    pub(in crate::engine::rule) fn is_disconnected(&self, context: &Context) -> bool {
        let socket = self.owner.member().and_then(|member| self.engine.members.socket(member));
        let message = context.get("msg");
        socket.zip(message).is_some_and(|(socket, message)| socket.session.is_disconnected(message))
    }
}

/// Returns whether the reply of a remaining step refuses or acknowledges a connection.
fn decides(run: &RuleRun) -> bool {
    let is_decisive = |verb: &Verb| match verb {
        // `ack` beside `event` requests an acknowledgement from the client.
        Verb::Reply(frame) => frame.has_key("error") || frame.has_key("ack") && !frame.has_key("event"),
        _ => false,
    };
    run.strands.remaining(run.steps.steps()).any(|step| step.has_verb(&is_decisive))
}
