//! The delivery of an event to the members of its topics: the recipients, their frames, and the operations that end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::{DeliverySpec, Group, Shape};
use crate::engine::Engine;
use crate::engine::codec::Address;
use crate::engine::event::{Event, EventKind, MemberEvent};
use crate::engine::frame::Frame;
use crate::engine::refusal::Refusal;
use crate::engine::rule::draws::Draws;
use crate::engine::rule::firing::resolve;
use crate::engine::rule::origin::RuleOrigin;
use crate::engine::topics::Topic;
use crate::scenario::CONN;

/// Groups that receive the same frames for an event. A member of several groups receives them once.
struct Delivery {
    spec: Arc<DeliverySpec>,
    /// The first topic that the event arrives by.
    topic: Topic,
    /// The topics that the event arrives by, each with a group that receives it.
    groups: Vec<(Topic, Arc<Group>)>,
}

/// The frames that an event produces.
pub(in crate::engine::rule) struct EventFrames {
    pub(in crate::engine::rule) frames: Vec<Frame>,
    /// Whether the frames end an operation, as an error does in GraphQL.
    pub(in crate::engine::rule) ends: bool,
}

/// The rendered frames for an event, by shape, and by topic if the frame uses it. Each is rendered once, regardless of
/// the number of addresses, unless it is specific to a member.
pub(in crate::engine::rule) type Values<'d> = IndexMap<(&'d Shape, Option<&'d Topic>), Result<Arc<Value>, Refusal>>;

impl Delivery {
    fn members(&self) -> impl Iterator<Item = u64> {
        self.groups.iter().flat_map(|(_, group)| group.members.keys().copied())
    }

    /// Converts the delivery to events.
    fn into_kinds(self, event_frames: Result<EventFrames, MemberEvent>, except: Option<u64>) -> Vec<EventKind> {
        match event_frames {
            Ok(event_frames) => {
                let groups: Vec<u64> = self.groups.iter().map(|(_, group)| group.number).collect();
                let topics: Arc<[Topic]> = self.groups.into_iter().map(|(topic, _)| topic).collect();
                let delivered =
                    |frame| EventKind::Delivered { groups: groups.clone(), topics: topics.clone(), frame, except };
                event_frames.frames.into_iter().map(delivered).collect()
            }
            Err(what) => vec![EventKind::Member { member: self.members().next().unwrap_or_default(), what }],
        }
    }
}

impl Engine {
    /// Inserts the deliveries for the events from index `from` on, each right after its event.
    pub(in crate::engine) fn deliver(&mut self, events: &mut Vec<Event>, from: usize) {
        if self.groups.is_empty() || events.len() == from {
            return;
        }
        let fresh = events.split_off(from);
        for event in fresh {
            let deliveries = self.deliveries(&event);
            events.push(event);
            events.extend(deliveries);
        }
    }

    fn deliveries(&mut self, event: &Event) -> Vec<Event> {
        let topics: Vec<Topic> =
            event.topics().into_iter().filter(|topic| self.groups.0.by_topic.contains_key(topic)).collect();
        let payload = if topics.is_empty() { None } else { event.payload() };
        let Some(payload) = payload.map(Arc::new) else { return Vec::new() };
        let except = if let EventKind::Sent { except, .. } = event.kind { except } else { None };
        let deliveries = self.plan_deliveries(&topics, &payload, except);
        let event_frames = self.make_each(&deliveries, &payload, event);
        let mut kinds = Vec::with_capacity(deliveries.len());
        for (delivery, event_frames) in deliveries.into_iter().zip(event_frames) {
            if event_frames.as_ref().is_ok_and(|event_frames| event_frames.ends) {
                for member in delivery.members().filter(|member| Some(*member) != except) {
                    self.members.note_ended(member, &delivery.spec.address);
                }
            }
            kinds.extend(delivery.into_kinds(event_frames, except));
        }
        kinds.into_iter().map(|kind| Event { sequence: event.sequence, at: event.at, kind }).collect()
    }

    /// Returns the deliveries for an event, before their frames are made.
    fn plan_deliveries(&self, topics: &[Topic], payload: &Value, except: Option<u64>) -> Vec<Delivery> {
        let mut deliveries: Vec<Delivery> = Vec::new();
        // The deliveries to each member that may be in several groups.
        let mut reached: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for topic in topics {
            let Some(groups) = self.groups.0.by_topic.get(topic) else { continue };
            for (spec, group) in groups.accepting(payload) {
                let is_skipped = |member: u64| Some(member) == except || self.members.is_ended(member, &spec.address);
                if group.members.keys().all(|member| is_skipped(*member)) {
                    continue;
                }
                let several: Vec<u64> = self.groups.in_several(group).collect();
                let earlier = several.iter().filter_map(|member| reached.get(member)).flatten().copied();
                let same: BTreeSet<usize> = earlier.filter(|at| deliveries[*at].spec.makes_same_frames(spec)).collect();
                let at = same.first().copied().unwrap_or(deliveries.len());
                if same.is_empty() {
                    deliveries.push(Delivery { spec: spec.clone(), topic: topic.clone(), groups: Vec::new() });
                }
                // Members of this group already receive the same through several deliveries, which are merged.
                for other in same.into_iter().skip(1) {
                    let groups = std::mem::take(&mut deliveries[other].groups);
                    deliveries[at].groups.extend(groups);
                    reached.values_mut().flatten().filter(|one| **one == other).for_each(|one| *one = at);
                }
                deliveries[at].groups.push((topic.clone(), group.clone()));
                for member in several {
                    reached.entry(member).or_default().push(at);
                }
            }
        }
        deliveries.retain(|delivery| !delivery.groups.is_empty());
        deliveries
    }

    /// Makes the frames of each delivery, or the event for its failure.
    fn make_each(
        &mut self,
        deliveries: &[Delivery],
        payload: &Arc<Value>,
        event: &Event,
    ) -> Vec<Result<EventFrames, MemberEvent>> {
        let mut values = Values::new();
        let event_frames = deliveries.iter().map(|delivery| {
            let event_frames = self.make_frames(&delivery.spec, &delivery.topic, payload, event, &mut values);
            event_frames.map_err(|refusal| {
                let rule = self.rule_of(&delivery.spec, delivery.members());
                MemberEvent::Failed { rule, refusal }
            })
        });
        event_frames.collect()
    }

    /// Makes the frames that a membership receives for an event.
    pub(in crate::engine::rule) fn make_frames<'d>(
        &mut self,
        spec: &'d DeliverySpec,
        topic: &'d Topic,
        payload: &Arc<Value>,
        event: &Event,
        values: &mut Values<'d>,
    ) -> Result<EventFrames, Refusal> {
        let Some(shape) = &spec.shape else {
            // The event is passed on unchanged.
            let frames = match (&spec.address, &event.kind) {
                (Address::Plain, EventKind::Sent { frame, .. }) => vec![frame.clone()],
                (Address::Plain, _) => vec![Frame::Json(payload.clone())],
                (address, _) => address.frames(payload)?,
            };
            return Ok(EventFrames { frames, ends: spec.address.is_ended_by(payload) });
        };
        let key = (shape, shape.names_topic().then_some(topic));
        let value = if let Some(member) = shape.member {
            let conn = self.conn_at(member, Some(&spec.address));
            self.value(shape, conn, topic, payload).map(Arc::new)
        } else if let Some(value) = values.get(&key) {
            value.clone()
        } else {
            let value = self.value(shape, None, topic, payload).map(Arc::new);
            values.insert(key, value.clone());
            value
        };
        let value = value?;
        Ok(EventFrames { frames: spec.address.frames(&value)?, ends: spec.address.is_ended_by(&value) })
    }

    /// Renders a frame for an event.
    fn value(
        &mut self,
        shape: &Shape,
        conn: Option<Value>,
        topic: &Topic,
        payload: &Arc<Value>,
    ) -> Result<Value, Refusal> {
        let mut context =
            shape.context.clone().with("event", payload.clone()).with("topic", Value::from(topic.to_string()));
        if let Some(conn) = conn {
            context.set(CONN, conn);
        }
        let mut draws = Draws::of_frames(self);
        draws.set_topics(Some(self.topics.clone()));
        let reading = self.reading();
        let value = shape.frame.render_required(&|name| resolve(&context, &reading, name), &mut draws)?;
        self.drawn = draws.drawn();
        Ok(value)
    }

    /// Returns the name of the rule through which these members have joined.
    pub(in crate::engine::rule) fn rule_of(&self, spec: &DeliverySpec, members: impl Iterator<Item = u64>) -> Arc<str> {
        if let Some(shape) = &spec.shape {
            return shape.origin.name_of_frame(&self.scenario, &shape.frame);
        }
        // Without a shape, only the protocol of a socket can fail.
        let mut sockets = members.filter_map(|member| self.members.socket(member));
        RuleOrigin::Endpoint(sockets.next().map(|socket| socket.endpoint.clone()).unwrap_or_default()).key()
    }
}
