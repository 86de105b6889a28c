//! Members of a topic who want the same of what is sent there, so that it is made once for all of them.

mod saved;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::context::Context;
use super::draws::Draws;
use super::firing::root;
use super::origin::RuleOrigin;
use crate::engine::Engine;
use crate::engine::codec::Address;
use crate::engine::event::{Event, EventKind, MemberEvent};
use crate::engine::frame::Frame;
use crate::engine::refusal::Refusal;
use crate::engine::topics::Topic;
use crate::expression::Template;
use crate::matching;

/// The names that a frame may use without being made for one member alone.
const OF_EVENT: [&str; 2] = ["event", "topic"];

/// All groups. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Groups(Arc<All>);

#[derive(Debug, Clone, Default)]
struct All {
    by_topic: HashMap<Topic, IndexMap<Arc<Wanted>, Arc<Group>>>,
    /// Members that may be in several groups. Most are in one, and nobody has to look whether they get something twice.
    several: BTreeSet<u64>,
    /// Groups that nobody is in any more. They keep their numbers and places until the rule at work can no longer be undone.
    emptied: Vec<(Topic, Arc<Wanted>)>,
    last: u64,
}

/// Those who want the same of a topic, each with how many of its memberships do.
#[derive(Debug, Clone)]
struct Group {
    number: u64,
    members: BTreeMap<u64, u32>,
}

/// What a membership wants of a topic.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::engine) struct Wanted {
    /// What has to be contained in what is sent.
    pub(in crate::engine) condition: Option<Value>,
    /// What it gets in its place.
    pub(in crate::engine) shape: Option<Shape>,
    /// How that is written.
    pub(in crate::engine) address: Address,
}

/// A frame, with what it knows of the member. Two are equal if they say the same and know the same.
#[derive(Debug)]
pub(in crate::engine) struct Shape {
    pub(super) frame: Template,
    pub(super) context: Context,
    /// The member, if the frame uses its memory.
    pub(super) member: Option<u64>,
    /// The rule that first joined with it, which a failure names.
    pub(super) origin: RuleOrigin,
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.member == other.member && self.frame == other.frame && self.context == other.context
    }
}

impl Eq for Shape {}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Frames that differ but know the same are few.
        self.context.hash(state);
        self.member.hash(state);
    }
}

impl Shape {
    /// The frame of a member, for which it is made alone if it uses the member's memory.
    pub(super) fn new(frame: &Template, context: &Context, member: u64, origin: &RuleOrigin) -> Self {
        let own = frame.names().iter().filter(|name| !OF_EVENT.contains(&name.as_str()));
        let member = frame.names().contains("conn").then_some(member);
        Self { frame: frame.clone(), context: context.only(own), member, origin: origin.clone() }
    }

    /// Whether what members get differs by the topic that it comes by.
    fn names_topic(&self) -> bool {
        self.frame.names().contains("topic")
    }
}

impl Wanted {
    /// Whether it wants what is sent.
    pub(super) fn takes(&self, payload: &Value) -> bool {
        self.condition.as_ref().is_none_or(|condition| matching::contains(condition, payload))
    }

    /// Whether another membership gets the same of an event, by another topic of it or with another condition.
    pub(super) fn gives_the_same(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.address == other.address
            && other.shape.as_ref().is_none_or(|shape| !shape.names_topic())
    }
}

/// What groups get of an event. Members of several of them get it once.
struct Delivery {
    wanted: Arc<Wanted>,
    /// The topics by which it comes, each with those who get it.
    groups: Vec<(Topic, Arc<Group>)>,
    /// The frames, or that they could not be made.
    made: Result<Made, MemberEvent>,
}

/// What is made of an event.
pub(super) struct Made {
    pub(super) frames: Vec<Frame>,
    /// Whether it ends what it is about: an error of a GraphQL operation.
    pub(super) ends: bool,
}

impl Delivery {
    fn into_kinds(self, except: Option<u64>) -> Vec<EventKind> {
        let groups: Vec<u64> = self.groups.iter().map(|(_, group)| group.number).collect();
        let topics: Arc<[Topic]> = self.groups.iter().map(|(topic, _)| topic.clone()).collect();
        match self.made {
            Ok(made) => {
                let delivered =
                    |frame| EventKind::Delivered { groups: groups.clone(), topics: topics.clone(), frame, except };
                made.frames.into_iter().map(delivered).collect()
            }
            Err(what) => {
                let member = self.groups.first().and_then(|(_, group)| group.members.keys().next().copied());
                vec![EventKind::Member { member: member.unwrap_or_default(), what }]
            }
        }
    }
}

impl Groups {
    /// Has a member join topics once more, and gives the numbers of the groups that it was not in.
    pub(in crate::engine) fn join(&mut self, member: u64, topics: &[Topic], wanted: &Arc<Wanted>) -> Vec<u64> {
        let All { by_topic, last, .. } = Arc::make_mut(&mut self.0);
        let mut joined = Vec::new();
        for topic in topics {
            let group = by_topic.entry(topic.clone()).or_default().entry(wanted.clone()).or_insert_with(|| {
                *last += 1;
                Arc::new(Group { number: *last, members: BTreeMap::new() })
            });
            let times = Arc::make_mut(group).members.entry(member).or_default();
            *times += 1;
            if *times == 1 {
                joined.push(group.number);
            }
        }
        joined
    }

    /// What others of these topics want already, if it is the same: one place for all of them.
    pub(in crate::engine) fn shared(&self, topics: &[Topic], wanted: Wanted) -> Arc<Wanted> {
        let known = topics.iter().find_map(|topic| self.0.by_topic.get(topic)?.get_key_value(&wanted));
        known.map_or_else(|| Arc::new(wanted), |(known, _)| known.clone())
    }

    /// Has a member leave topics that it has joined so once, and gives the numbers of the groups that it is in no longer.
    pub(in crate::engine) fn leave(&mut self, member: u64, topics: &[Topic], wanted: &Arc<Wanted>) -> Vec<u64> {
        let All { by_topic, emptied, .. } = Arc::make_mut(&mut self.0);
        let mut left = Vec::new();
        for topic in topics {
            let Some(groups) = by_topic.get_mut(topic) else { continue };
            let Some(group) = groups.get_mut(wanted).map(Arc::make_mut) else { continue };
            let Some(times) = group.members.get_mut(&member) else { continue };
            *times -= 1;
            if *times > 0 {
                continue;
            }
            group.members.remove(&member);
            left.push(group.number);
            if group.members.is_empty() {
                emptied.push((topic.clone(), wanted.clone()));
            }
        }
        left
    }

    /// Removes the groups that nobody is in.
    pub(in crate::engine) fn sweep(&mut self) {
        if self.0.emptied.is_empty() {
            return;
        }
        let All { by_topic, emptied, .. } = Arc::make_mut(&mut self.0);
        for (topic, wanted) in emptied.drain(..) {
            let Some(groups) = by_topic.get_mut(&topic) else { continue };
            if groups.get(&wanted).is_some_and(|group| group.members.is_empty()) {
                groups.swap_remove(&wanted);
            }
            if groups.is_empty() {
                by_topic.remove(&topic);
            }
        }
    }

    /// Notes whether a member may be in several groups.
    pub(in crate::engine) fn note_several(&mut self, member: u64, is_in_several: bool) {
        if self.0.several.contains(&member) == is_in_several {
            return;
        }
        let several = &mut Arc::make_mut(&mut self.0).several;
        if is_in_several {
            several.insert(member);
        } else {
            several.remove(&member);
        }
    }

    /// Without any; the numbers of new ones go on.
    pub(in crate::engine) fn emptied(&self) -> Self {
        Self(Arc::new(All { last: self.0.last, ..All::default() }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.by_topic.is_empty()
    }

    /// Whether there is a group of a topic.
    pub(super) fn has(&self, topic: &Topic) -> bool {
        self.0.by_topic.contains_key(topic)
    }

    /// The members of a group who may be in several.
    fn in_several<'g>(&'g self, group: &'g Group) -> Box<dyn Iterator<Item = u64> + 'g> {
        let several = &self.0.several;
        if several.len() < group.members.len() {
            Box::new(several.iter().copied().filter(|member| group.members.contains_key(member)))
        } else {
            Box::new(group.members.keys().copied().filter(|member| several.contains(member)))
        }
    }
}

impl Engine {
    /// Makes what the members of topics get of the events from that index on, each behind its event.
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
        if topics.is_empty() {
            return Vec::new();
        }
        let Some(payload) = event.payload() else { return Vec::new() };
        let payload = Arc::new(payload);
        let except = if let EventKind::Sent { except, .. } = event.kind { except } else { None };
        let all = self.groups.clone();
        let mut deliveries: Vec<Delivery> = Vec::new();
        // Of members that may be in several groups: the deliveries that they get.
        let mut reached: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for topic in topics {
            for (wanted, group) in all.0.by_topic.get(&topic).into_iter().flatten() {
                if !wanted.takes(&payload) {
                    continue;
                }
                let is_passed_over =
                    |member: u64| Some(member) == except || self.members.is_ended(member, &wanted.address);
                if group.members.keys().all(|member| is_passed_over(*member)) {
                    continue;
                }
                let several: Vec<u64> = all.in_several(group).collect();
                let mut earlier = several.iter().filter_map(|member| reached.get(member)).flatten().copied();
                let same = earlier.find(|at| deliveries[*at].wanted.gives_the_same(wanted));
                for member in several {
                    reached.entry(member).or_default().push(same.unwrap_or(deliveries.len()));
                }
                if let Some(same) = same {
                    deliveries[same].groups.push((topic.clone(), group.clone()));
                } else {
                    let made = self.shaped(wanted, &topic, &payload, event);
                    let made = made.map_err(|refusal| {
                        let rule = self.rule_of(wanted, group.members.keys().copied());
                        MemberEvent::Failed { rule, refusal }
                    });
                    deliveries.push(Delivery {
                        wanted: wanted.clone(),
                        groups: vec![(topic.clone(), group.clone())],
                        made,
                    });
                }
            }
        }
        for delivery in deliveries.iter().filter(|one| one.made.as_ref().is_ok_and(|made| made.ends)) {
            let members = delivery.groups.iter().flat_map(|(_, group)| group.members.keys());
            for member in members.filter(|member| Some(**member) != except) {
                self.members.note_ended(*member, &delivery.wanted.address);
            }
        }
        let event = |kind| Event { sequence: event.sequence, at: event.at, kind };
        deliveries.into_iter().flat_map(|delivery| delivery.into_kinds(except)).map(event).collect()
    }

    /// The name of the rule by which these members want something.
    pub(super) fn rule_of(&self, wanted: &Wanted, members: impl Iterator<Item = u64>) -> Arc<str> {
        if let Some(shape) = &wanted.shape {
            return shape.origin.name_of_frame(&self.scenario, &shape.frame);
        }
        // What goes on as it is can only fail by the protocol of a socket.
        let mut sockets = members.filter_map(|member| self.members.socket(member));
        RuleOrigin::Endpoint(sockets.next().map(|socket| socket.endpoint.clone()).unwrap_or_default()).key()
    }

    /// What a membership gets of an event.
    pub(super) fn shaped(
        &mut self,
        wanted: &Wanted,
        topic: &Topic,
        payload: &Arc<Value>,
        event: &Event,
    ) -> Result<Made, Refusal> {
        let Some(shape) = &wanted.shape else {
            // What was sent goes on as it is.
            let frames = match (&wanted.address, &event.kind) {
                (Address::Plain, EventKind::Sent { frame, .. }) => vec![frame.clone()],
                (Address::Plain, _) => vec![Frame::Json(payload.clone())],
                (address, _) => address.frames(payload)?,
            };
            return Ok(Made { frames, ends: wanted.address.is_ended_by(payload) });
        };
        let mut context =
            shape.context.clone().with("event", payload.clone()).with("topic", Value::from(topic.to_string()));
        if let Some(conn) = shape.member.and_then(|member| self.conn_at(member, Some(&wanted.address))) {
            context.set("conn", conn);
        }
        let mut draws = Draws::of(self, "frames".into());
        draws.see(Some(self.topics.clone()));
        let reading = self.reading();
        let value = shape.frame.render_required(&|name| root(&context, &reading, name), &mut draws)?;
        self.drawn = draws.drawn();
        Ok(Made { frames: wanted.address.frames(&value)?, ends: wanted.address.is_ended_by(&value) })
    }
}

#[cfg(test)]
impl Groups {
    /// Those that somebody is in: topic, what is wanted, number, and the members with how many of their memberships want it.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Topic, &Arc<Wanted>, u64, &BTreeMap<u64, u32>)> {
        let all = self.0.by_topic.iter().flat_map(|(topic, groups)| groups.iter().map(move |group| (topic, group)));
        let all = all.map(|(topic, (wanted, group))| (topic, wanted, group.number, &group.members));
        all.filter(|(.., members)| !members.is_empty())
    }

    /// Members that may be in several groups.
    pub(super) fn several(&self) -> &BTreeSet<u64> {
        &self.0.several
    }
}
