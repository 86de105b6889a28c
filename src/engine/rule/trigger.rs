//! Triggers: rules that react to events.

use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::origin::RuleOrigin;
use super::runs::RunOwner;
use crate::engine::Engine;
use crate::engine::event::{Event, EventKind};
use crate::engine::refusal::Refusal;
use crate::engine::topics::Topic;
use crate::scenario::Trigger;

/// The maximum number of triggers that fire in one chain reaction.
pub const MAX_TRIGGERED: usize = 1_000;

impl Engine {
    /// Fires the triggers of the events from index `from` on, and the triggers of the events that those cause.
    pub(in crate::engine) fn react(&mut self, events: &mut Vec<Event>, from: usize) {
        if self.scenario.triggers().is_empty() {
            return;
        }
        let scenario = self.scenario.clone();
        let triggers = scenario.triggers();
        let (mut at, mut fired) = (from, 0);
        while let Some(event) = events.get(at) {
            let named = |topic| if let Topic::Named(name) = topic { Some(name) } else { None };
            let topics: Vec<Arc<str>> = event.topics().into_iter().filter_map(named).collect();
            let payload = if topics.is_empty() { None } else { event.payload().map(Arc::new) };
            at += 1;
            let Some(payload) = payload else { continue };
            for (index, topic) in topics.iter().enumerate() {
                // An event fires a trigger once, even if the trigger listens to several of its topics.
                let is_first = |trigger: &Trigger| !topics[..index].iter().any(|earlier| trigger.matches(earlier));
                for trigger in triggers.iter().filter(|trigger| trigger.matches(topic) && is_first(trigger)) {
                    fired += 1;
                    let refusal = if fired > MAX_TRIGGERED {
                        Some(Refusal::TooManyTriggers(topic.clone()))
                    } else {
                        self.trigger(trigger, topic, &payload, events).err()
                    };
                    if let Some(refusal) = refusal {
                        let rule = Some(trigger.key.clone());
                        let skipped = self.event(EventKind::Skipped { rule, refusal });
                        events.push(skipped);
                    }
                    if fired > MAX_TRIGGERED {
                        return;
                    }
                }
            }
        }
    }

    fn trigger(
        &mut self,
        trigger: &Trigger,
        topic: &str,
        payload: &Arc<Value>,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let mut context = Context::default().with("event", payload.clone()).with("topic", Value::from(topic));
        let origin = RuleOrigin::Trigger(trigger.key.clone());
        self.fire_rule(origin, RunOwner::World, events, |firing| {
            if let Some(when) = &trigger.when
                && !firing.holds(when, &context)?
            {
                return Ok(());
            }
            firing.run_list(&trigger.steps, &mut context)
        })
    }
}
