//! Replies that a member receives in place of the events it has missed.

use std::iter;
use std::sync::Arc;

use super::groups::{DeliverySpec, Values};
use crate::engine::Engine;
use crate::engine::event::{Event, MemberEvent};
use crate::engine::topics::Topic;

/// A missed frame ended an operation. The member cannot be notified of that end later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedEnd;

impl Engine {
    /// Returns whether any member has joined a topic through a rule.
    #[must_use]
    pub fn has_memberships(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Returns whether a topic has any members.
    #[must_use]
    pub fn is_joined(&self, topic: &Topic) -> bool {
        self.groups.has(topic) || self.topics.members(topic).len() > 0
    }

    /// Returns the topics that a member receives events from. A topic may be listed twice.
    #[must_use]
    pub fn topics_of(&self, member: u64) -> Vec<Topic> {
        let memberships = self.members.memberships_of(member).iter().flat_map(|one| &one.topics);
        memberships.chain(self.topics.joined(member)).cloned().collect()
    }

    /// Returns what a member's memberships make of changes to rows and values: replies, and failures of frames.
    ///
    /// The engine does not change: random values drawn by these frames are drawn again by the next frames of other
    /// members. What others receive therefore does not depend on the pace of one client.
    ///
    /// # Errors
    /// [`MissedEnd`] if one of the frames ends an operation.
    pub fn missed_replies(&self, member: u64, events: &[Event]) -> Result<Vec<MemberEvent>, MissedEnd> {
        let mut engine = self.clone();
        let memberships = self.members.memberships_of(member);
        let mut replies = Vec::new();
        for event in events {
            let Some(payload) = event.payload().map(Arc::new) else { continue };
            let mut covered: Vec<(Topic, &DeliverySpec)> = Vec::new();
            for topic in event.topics() {
                for spec in memberships.iter().filter(|one| one.topics.contains(&topic)).map(|one| &*one.spec) {
                    let is_covered = |(of, other): &(Topic, &DeliverySpec)| {
                        other.makes_same_frames(spec) || *of == topic && *other == spec
                    };
                    if !spec.accepts(&payload) || covered.iter().any(is_covered) {
                        continue;
                    }
                    covered.push((topic.clone(), spec));
                    match engine.make_frames(spec, &topic, &payload, event, &mut Values::new()) {
                        Ok(event_frames) if event_frames.ends => return Err(MissedEnd),
                        Ok(event_frames) => replies.extend(event_frames.frames.into_iter().map(MemberEvent::Reply)),
                        Err(refusal) => {
                            let rule = self.rule_of(spec, iter::once(member));
                            replies.push(MemberEvent::Failed { rule, refusal });
                        }
                    }
                }
            }
        }
        Ok(replies)
    }
}
