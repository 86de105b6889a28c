//! What a member gets in place of events that it has missed.

use std::iter;
use std::sync::Arc;

use super::groups::{Values, Wanted};
use crate::engine::Engine;
use crate::engine::event::{Event, MemberEvent};
use crate::engine::topics::Topic;

/// What a member has missed ends what it is about: nobody can tell it of the end later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedEnd;

impl Engine {
    /// Whether rules have had anybody join a topic.
    #[must_use]
    pub fn has_memberships(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether anybody has joined a topic.
    #[must_use]
    pub fn is_joined(&self, topic: &Topic) -> bool {
        self.groups.has(topic) || self.topics.members(topic).len() > 0
    }

    /// The topics by which a member gets something, each perhaps twice.
    #[must_use]
    pub fn topics_of(&self, member: u64) -> Vec<Topic> {
        let memberships = self.members.memberships_of(member).iter().flat_map(|one| &one.topics);
        memberships.chain(self.topics.joined(member)).cloned().collect()
    }

    /// What a member is told of changes of rows and values, as its memberships want it: replies, and failures of its frames.
    ///
    /// It changes nothing: what these frames draw, the next frames of others draw again. So it does not depend on the pace of
    /// a client what others get.
    ///
    /// # Errors
    /// [`MissedEnd`] if one of the frames ends an operation.
    pub fn told_of(&self, member: u64, events: &[Event]) -> Result<Vec<MemberEvent>, MissedEnd> {
        let mut engine = self.clone();
        let memberships = self.members.memberships_of(member);
        let mut told = Vec::new();
        for event in events {
            let Some(payload) = event.payload().map(Arc::new) else { continue };
            let mut made: Vec<(Topic, &Wanted)> = Vec::new();
            for topic in event.topics() {
                for wanted in memberships.iter().filter(|one| one.topics.contains(&topic)).map(|one| &*one.wanted) {
                    let is_made = |(of, other): &(Topic, &Wanted)| {
                        other.gives_the_same(wanted) || *of == topic && *other == wanted
                    };
                    if !wanted.takes(&payload) || made.iter().any(is_made) {
                        continue;
                    }
                    made.push((topic.clone(), wanted));
                    match engine.shaped(wanted, &topic, &payload, event, &mut Values::new()) {
                        Ok(shaped) if shaped.ends => return Err(MissedEnd),
                        Ok(shaped) => told.extend(shaped.frames.into_iter().map(MemberEvent::Reply)),
                        Err(refusal) => {
                            let rule = self.rule_of(wanted, iter::once(member));
                            told.push(MemberEvent::Failed { rule, refusal });
                        }
                    }
                }
            }
        }
        Ok(told)
    }
}
