//! Members of a topic who want the same of what is sent there, so that it is made once for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::draws::Draws;
use super::firing::root;
use crate::engine::Engine;
use crate::engine::event::{Event, EventKind, MemberEvent};
use crate::engine::frame::Frame;
use crate::engine::refusal::Refusal;
use crate::engine::topics::Topic;
use crate::matching;
use crate::scenario::Join;

/// The names that a frame may use without being made for one member alone.
const OF_EVENT: [&str; 2] = ["event", "topic"];

/// All groups. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Groups(Arc<All>);

#[derive(Debug, Clone, Default)]
struct All {
    by_topic: BTreeMap<Topic, Vec<Arc<Group>>>,
    /// Members that may be in several groups. Most are in one, and nobody has to look whether they get something twice.
    several: BTreeSet<u64>,
    last: u64,
}

/// Those who want the same of a topic.
#[derive(Debug, Clone)]
struct Group {
    number: u64,
    /// What has to be contained in what is sent.
    condition: Option<Value>,
    /// What they get in its place.
    shape: Option<Shape>,
    members: BTreeSet<u64>,
}

/// A frame of a join, with what it knows of the one who joined.
#[derive(Debug, Clone)]
struct Shape {
    join: Arc<Join>,
    context: Context,
}

impl Shape {
    fn of(join: &Arc<Join>, context: &Context) -> Option<Self> {
        let frame = join.frame.as_ref()?;
        let own = frame.names().iter().filter(|name| !OF_EVENT.contains(&name.as_str()));
        Some(Self { join: join.clone(), context: context.only(own) })
    }

    /// Whether what members get differs by the topic that it comes by.
    fn names_topic(&self) -> bool {
        self.join.frame.as_ref().is_some_and(|frame| frame.names().contains("topic"))
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.join, &other.join) && self.context == other.context
    }
}

/// What groups get of an event. Members of several of them get it once.
struct Delivery {
    groups: Vec<Arc<Group>>,
    made: Result<Frame, Refusal>,
}

impl Delivery {
    /// Whether it is the same for another group, of another topic of the event or with another condition.
    fn is_for(&self, group: &Group) -> bool {
        self.groups.first().is_some_and(|first| first.shape == group.shape)
            && group.shape.as_ref().is_none_or(|shape| !shape.names_topic())
    }

    fn into_kind(self) -> EventKind {
        match self.made {
            Ok(frame) => EventKind::Delivered { groups: self.groups.iter().map(|group| group.number).collect(), frame },
            Err(refusal) => {
                let member = self.groups.first().and_then(|group| group.members.first().copied()).unwrap_or_default();
                EventKind::Member { member, what: MemberEvent::Failed(refusal) }
            }
        }
    }
}

impl Groups {
    /// Has a member join topics, and gives the numbers of the groups that it was not in. `is_first` says that it has joined
    /// nothing before.
    pub(super) fn join(
        &mut self,
        (member, is_first): (u64, bool),
        topics: &[Topic],
        condition: Option<&Value>,
        join: &Arc<Join>,
        context: &Context,
    ) -> Vec<u64> {
        let shape = Shape::of(join, context);
        let All { by_topic, several, last } = Arc::make_mut(&mut self.0);
        if !is_first || topics.len() > 1 {
            several.insert(member);
        }
        let mut joined = Vec::new();
        for topic in topics {
            let groups = by_topic.entry(topic.clone()).or_default();
            let same = |group: &&mut Arc<Group>| group.condition.as_ref() == condition && group.shape == shape;
            let found = groups.iter_mut().find(same).map(Arc::make_mut);
            if let Some(group) = found {
                if group.members.insert(member) {
                    joined.push(group.number);
                }
                continue;
            }
            *last += 1;
            let (condition, shape) = (condition.cloned(), shape.clone());
            groups.push(Arc::new(Group { number: *last, condition, shape, members: BTreeSet::from([member]) }));
            joined.push(*last);
        }
        joined
    }

    /// Has a member leave topics, and gives the numbers of the groups that it was in.
    pub(super) fn leave(&mut self, member: u64, topics: &[Topic]) -> Vec<u64> {
        let mut left = Vec::new();
        for topic in topics {
            let Some(groups) = self.0.by_topic.get(topic) else { continue };
            if !groups.iter().any(|group| group.members.contains(&member)) {
                continue;
            }
            let by_topic = &mut Arc::make_mut(&mut self.0).by_topic;
            if let Some(groups) = by_topic.get_mut(topic) {
                for group in groups.iter_mut().filter(|group| group.members.contains(&member)) {
                    Arc::make_mut(group).members.remove(&member);
                    left.push(group.number);
                }
                groups.retain(|group| !group.members.is_empty());
                if groups.is_empty() {
                    by_topic.remove(topic);
                }
            }
        }
        left
    }

    /// Has a member leave every topic.
    pub(in crate::engine) fn leave_all(&mut self, member: u64) {
        let has = |groups: &[Arc<Group>]| groups.iter().any(|group| group.members.contains(&member));
        let joined = self.0.by_topic.iter().filter(|(_, groups)| has(groups)).map(|(topic, _)| topic.clone());
        let joined: Vec<Topic> = joined.collect();
        self.leave(member, &joined);
        if self.0.several.contains(&member) {
            Arc::make_mut(&mut self.0).several.remove(&member);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.by_topic.is_empty()
    }

    fn of(&self, topic: &Topic) -> Vec<Arc<Group>> {
        self.0.by_topic.get(topic).cloned().unwrap_or_default()
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
        let Some(payload) = event.payload() else { return Vec::new() };
        let payload = Arc::new(payload);
        let groups = self.groups.clone();
        let mut deliveries: Vec<Delivery> = Vec::new();
        // Of members that may be in several groups: the deliveries that they get.
        let mut reached: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for topic in event.topics() {
            for group in groups.of(&topic) {
                if group.condition.as_ref().is_some_and(|condition| !matching::contains(condition, &payload)) {
                    continue;
                }
                let several: Vec<u64> = groups.0.several.intersection(&group.members).copied().collect();
                let mut earlier = several.iter().filter_map(|member| reached.get(member)).flatten().copied();
                let same = earlier.find(|at| deliveries[*at].is_for(&group));
                for member in several {
                    reached.entry(member).or_default().push(same.unwrap_or(deliveries.len()));
                }
                if let Some(same) = same {
                    deliveries[same].groups.push(group);
                } else {
                    let made = self.shaped(&group, &topic, &payload, event);
                    deliveries.push(Delivery { groups: vec![group], made });
                }
            }
        }
        let event = |kind| Event { sequence: event.sequence, at: event.at, kind };
        deliveries.into_iter().map(|delivery| event(delivery.into_kind())).collect()
    }

    fn shaped(&mut self, group: &Group, topic: &Topic, payload: &Arc<Value>, event: &Event) -> Result<Frame, Refusal> {
        let Some((shape, template)) = group.shape.as_ref().and_then(|shape| Some((shape, shape.join.frame.as_ref()?)))
        else {
            // What was sent goes on as it is.
            return Ok(match &event.kind {
                EventKind::Sent { frame, .. } => frame.clone(),
                _ => Frame::Json(payload.clone()),
            });
        };
        let context =
            shape.context.clone().with("event", payload.clone()).with("topic", Value::from(topic.to_string()));
        let mut draws = Draws::of(self, "frames".into(), self.drawn(self.local.is_some()));
        draws.see(self.visible_topics(true));
        let reading = self.reading();
        let frame = template.render_required(&|name| root(&context, &reading, name), &mut draws)?;
        self.keep_drawn(draws.drawn(), self.local.is_some());
        Ok(Frame::of(frame))
    }
}
