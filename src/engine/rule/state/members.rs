//! The serializable state of members: their memberships and sockets. A server that joins a world restores members,
//! memberships and groups under their original numbers, so that its events refer to them as other servers' events do.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexSet;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::engine::Engine;
use crate::engine::codec::{Address, Session};
use crate::engine::members::{Member, Members, Membership, SocketMember, SocketPhase};
use crate::engine::rule::context::Context;
use crate::engine::rule::groups::{DeliverySpec, Groups, Shape};
use crate::engine::rule::membership::may_be_in_several_groups;
use crate::engine::rule::origin::RuleOrigin;
use crate::engine::topics::Topic;
use crate::scenario::Scenario;

/// The saved state of all members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct MembersState {
    /// The number of memberships created so far.
    memberships: u64,
    /// The number of the last group.
    last_group: u64,
    /// What memberships receive, without duplicates.
    #[serde(rename = "wanted")]
    specs: Vec<DeliverySpecState>,
    /// The groups, in order within each topic: topic, number, and index into `specs`.
    groups: Vec<(Topic, u64, usize)>,
    /// The numbers of empty groups, in the order in which they became empty.
    emptied: Vec<u64>,
    members: Vec<MemberState>,
}

/// The saved form of [`DeliverySpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliverySpecState {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    condition: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<ShapeState>,
    address: Address,
}

/// A frame as written in the scenario, with its context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapeState {
    frame: Arc<Value>,
    /// The names that the frame's expressions use.
    names: BTreeSet<String>,
    context: Context,
    member: Option<u64>,
    origin: RuleOrigin,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberState {
    number: u64,
    socket: Option<SocketState>,
    memberships: Vec<MembershipState>,
    is_over: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SocketState {
    endpoint: Arc<str>,
    handshake: Context,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Arc<Value>>,
    session: Session,
    #[serde(default)]
    phase: SocketPhase,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MembershipState {
    number: u64,
    name: Option<Arc<str>>,
    topics: Vec<Topic>,
    /// The index into `MembersState::specs`.
    #[serde(rename = "wanted")]
    spec: usize,
    follows_frame: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    message: Option<Arc<Value>>,
}

/// Deserializes a value that is present as `Some`, even if it is null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl MembersState {
    pub(in crate::engine) fn of(engine: &Engine) -> Self {
        let mut table: IndexSet<Arc<DeliverySpec>> = IndexSet::new();
        let groups = engine.groups.in_order().into_iter();
        let groups = groups.map(|(topic, number, spec)| (topic.clone(), number, table.insert_full(spec.clone()).0));
        let groups = groups.collect();
        let mut members: Vec<(u64, &Arc<Member>)> = engine.members.all().collect();
        members.sort_unstable_by_key(|(number, _)| *number);
        let members = members.into_iter().map(|(number, member)| MemberState {
            number,
            socket: member.socket.as_ref().map(SocketState::of),
            memberships: member.memberships.iter().map(|one| MembershipState::of(one, &mut table)).collect(),
            is_over: member.is_over,
        });
        let members = members.collect();
        Self {
            memberships: engine.members.memberships_so_far(),
            last_group: engine.groups.last(),
            specs: table.iter().map(|spec| DeliverySpecState::of(spec)).collect(),
            groups,
            emptied: engine.groups.emptied_numbers(),
            members,
        }
    }

    /// Returns whether there are no members and never were any.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Restores the members into an engine of the same scenario that has none. A membership whose frame can no longer
    /// be read is dropped.
    pub(in crate::engine) fn restore_into(self, engine: &mut Engine) {
        let scenario = engine.scenario.clone();
        let specs: Vec<Option<Arc<DeliverySpec>>> =
            self.specs.into_iter().map(|spec| spec.read(&scenario).map(Arc::new)).collect();
        let spec_at = |place: usize| specs.get(place).cloned().flatten();
        let groups = self.groups.into_iter();
        let groups = groups.filter_map(|(topic, number, place)| Some((topic, number, spec_at(place)?)));
        engine.groups = Groups::restored(self.last_group, groups, &self.emptied);
        let mut members = Vec::with_capacity(self.members.len());
        for MemberState { number, socket, memberships, is_over } in self.members {
            let memberships = memberships.into_iter().filter_map(|one| {
                let spec = spec_at(one.spec)?;
                Some(Arc::new(one.read(spec)))
            });
            let memberships: Vec<Arc<Membership>> = memberships.collect();
            for membership in &memberships {
                engine.groups.join(number, &membership.topics, &membership.spec);
                for topic in membership.topics.iter().filter(|topic| matches!(topic, Topic::Named(_))) {
                    engine.topics.join(number, topic);
                }
            }
            engine.groups.set_in_several_groups(number, may_be_in_several_groups(&memberships));
            members.push((number, Member { socket: socket.map(SocketState::read), memberships, is_over }));
        }
        engine.members = Members::restored(self.memberships, members);
    }
}

impl DeliverySpecState {
    fn of(spec: &DeliverySpec) -> Self {
        let shape = spec.shape.as_ref().map(|shape| ShapeState {
            frame: shape.frame.source().cloned().unwrap_or_default(),
            names: shape.frame.names().clone(),
            context: shape.context.clone(),
            member: shape.member,
            origin: shape.origin.clone(),
        });
        Self { condition: spec.condition.clone(), shape, address: spec.address.clone() }
    }

    fn read(self, scenario: &Scenario) -> Option<DeliverySpec> {
        let shape = match self.shape {
            Some(ShapeState { frame, names, context, member, origin }) => {
                let frame = origin.frame(scenario, &frame, &names)?;
                Some(Shape { frame, context, member, origin })
            }
            None => None,
        };
        Some(DeliverySpec { condition: self.condition, shape, address: self.address })
    }
}

impl SocketState {
    fn of(socket: &SocketMember) -> Self {
        Self {
            endpoint: socket.endpoint.clone(),
            handshake: socket.handshake.clone(),
            rest: socket.rest.clone(),
            memory: socket.memory.clone(),
            session: socket.session.clone(),
            phase: socket.phase,
        }
    }

    fn read(self) -> SocketMember {
        let Self { endpoint, handshake, rest, memory, session, phase } = self;
        let due = session.due().filter(|_| phase == SocketPhase::Open);
        SocketMember { endpoint, handshake, rest, memory, session, phase, due, unsettled: Vec::new() }
    }
}

impl MembershipState {
    fn of(membership: &Membership, table: &mut IndexSet<Arc<DeliverySpec>>) -> Self {
        Self {
            number: membership.number,
            name: membership.name.clone(),
            topics: membership.topics.clone(),
            spec: table.insert_full(membership.spec.clone()).0,
            follows_frame: membership.follows_frame,
            message: membership.message.clone(),
        }
    }

    fn read(self, spec: Arc<DeliverySpec>) -> Membership {
        let Self { number, name, topics, follows_frame, message, .. } = self;
        Membership { number, name, topics, spec, follows_frame, message }
    }
}
