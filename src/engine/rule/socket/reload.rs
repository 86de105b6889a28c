//! Sockets of endpoints across a reload. A socket closes if its endpoint is gone or speaks another protocol. Otherwise
//! it follows its endpoint.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::event::{Closing, Event, MemberEvent, SERVICE_RESTART};
use crate::engine::members::Membership;
use crate::engine::rule::groups::{DeliverySpec, Shape};
use crate::engine::rule::origin::RuleOrigin;
use crate::expression::Template;
use crate::scenario::{Endpoint, Protocol};

/// The close code of a server that is going away (RFC 6455, 7.4.1).
const GOING_AWAY: u16 = 1001;

impl Engine {
    /// Adapts the sockets of endpoints after the engine has switched to another scenario.
    pub(in crate::engine) fn reload_sockets(&mut self, events: &mut Vec<Event>) {
        let open = self.members.sockets().filter(|(_, socket)| !socket.is_closing());
        let sockets = open.map(|(member, socket)| (member, socket.endpoint.clone()));
        let mut sockets: Vec<(u64, Arc<str>)> = sockets.collect();
        sockets.sort_unstable();
        let scenario = self.scenario.clone();
        for (member, endpoint) in sockets {
            match scenario.endpoints().get(&endpoint) {
                Some(endpoint) if !self.speaks(member, endpoint.protocol) => {
                    self.evict(member, SERVICE_RESTART, "the endpoint speaks another protocol", events);
                }
                Some(endpoint) => self.follow_endpoint(member, endpoint, events),
                None => self.evict(member, GOING_AWAY, "the endpoint is gone", events),
            }
        }
    }

    /// Returns whether a socket speaks this protocol, or its session has ended.
    fn speaks(&self, member: u64, protocol: Protocol) -> bool {
        let spoken = self.members.socket(member).and_then(|socket| socket.session.protocol());
        spoken.is_none_or(|spoken| spoken == protocol)
    }

    /// Closes a socket that can no longer be served. Its memberships end at once, so it receives nothing more.
    fn evict(&mut self, member: u64, code: u16, reason: &str, events: &mut Vec<Event>) {
        self.close_member(member, Some(Closing::new(code, reason)), events);
        self.leave_all(member);
        self.follow_session(member, events);
    }

    /// Applies the current names, broadcasts and frame of an endpoint to one of its sockets.
    fn follow_endpoint(&mut self, member: u64, endpoint: &Endpoint, events: &mut Vec<Event>) {
        if let Some(socket) = self.members.socket_mut(member) {
            socket.follow_names(&endpoint.names);
        }
        let memberships = self.members.memberships_of(member).to_vec();
        if endpoint.sends_to_all {
            self.join_broadcasts(member, &endpoint.key, events);
        }
        for membership in memberships.iter().filter(|one| one.follows_frame) {
            self.reframe(member, membership, endpoint.frame.as_ref(), events);
        }
        self.settle_pending(member, events);
    }

    /// Gives a membership another frame, if the frame differs.
    fn reframe(
        &mut self,
        member: u64,
        membership: &Arc<Membership>,
        frame: Option<&Template>,
        events: &mut Vec<Event>,
    ) {
        let Some(socket) = self.members.socket(member) else { return };
        let origin = RuleOrigin::Endpoint(socket.endpoint.clone());
        let shape = frame.map(|frame| Shape::new(frame, &socket.handshake, member, &origin));
        let Membership { number, topics, spec: before, .. } = &**membership;
        if shape == before.shape {
            return;
        }
        let spec = DeliverySpec { condition: before.condition.clone(), shape, address: before.address.clone() };
        let spec = self.groups.shared(topics, spec);
        for group in self.groups.leave(member, topics, before) {
            self.notify(member, MemberEvent::Left(group), events);
        }
        for group in self.groups.join(member, topics, &spec) {
            self.notify(member, MemberEvent::Joined(group), events);
        }
        let reframed = Membership { spec, ..Membership::clone(membership) };
        if let Some(place) = self.members.entry(member).memberships.iter_mut().find(|one| one.number == *number) {
            *place = Arc::new(reframed);
        }
    }
}
