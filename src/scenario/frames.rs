//! How often the frames of memberships are encoded: once for all members, or separately for some of them.

use super::{Answers, Content, Endpoint, Scenario, StepList, Verb};
use crate::expression::Template;

/// The name of a socket's own memory in expressions.
pub(crate) const CONN: &str = "conn";

/// Returns whether a frame that uses this name, which is not one of `data`, can be encoded once for all members.
pub(crate) fn is_common_name(name: &str) -> bool {
    ["event", "topic", "now"].contains(&name)
}

/// The `frame` of a membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFrame {
    /// The key of its rule, and the part of that rule.
    pub place: String,
    /// How often it is encoded.
    pub encoding: FrameEncoding,
}

/// How often a frame is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameEncoding {
    /// Once for all members: it depends only on the event, the time and data.
    Once,
    /// Once for all members for whom these names have the same values.
    PerValue(Vec<String>),
    /// Once for each member, because it uses the member's `conn`.
    PerMember,
}

impl Scenario {
    /// Returns the frames of memberships of endpoints and streams.
    #[must_use]
    pub fn member_frames(&self) -> Vec<MemberFrame> {
        let mut found = Vec::new();
        for answers in self.routes().all_answers() {
            self.frames_of_route(answers, &mut found);
        }
        for endpoint in self.endpoints().iter() {
            self.frames_of_endpoint(endpoint, &mut found);
        }
        found
    }

    fn frames_of_route(&self, answers: &Answers, found: &mut Vec<MemberFrame>) {
        for (number, answer) in (1..).zip(&answers.list) {
            if let Content::Stream(steps) = &answer.content {
                self.frames_of_steps(steps, &format!("{}, answer {number}", answers.key), found);
            }
        }
    }

    fn frames_of_endpoint(&self, endpoint: &Endpoint, found: &mut Vec<MemberFrame>) {
        let key = &endpoint.key;
        found.extend(endpoint.frame.as_ref().map(|frame| self.member_frame(frame, key)));
        if let Some(open) = &endpoint.open {
            self.frames_of_steps(open, &format!("{key}, open"), found);
        }
        for (number, rule) in (1..).zip(&endpoint.messages) {
            self.frames_of_steps(&rule.steps, &format!("{key}, rule {number}"), found);
        }
    }

    fn frames_of_steps(&self, steps: &StepList, place: &str, found: &mut Vec<MemberFrame>) {
        for step in steps.steps() {
            if let Verb::Join(join) = &step.verb {
                found.extend(join.frame.as_ref().map(|frame| self.member_frame(frame, place)));
            }
            if let Some(inside) = step.verb.steps() {
                self.frames_of_steps(inside, place, found);
            }
        }
    }

    fn member_frame(&self, frame: &Template, place: &str) -> MemberFrame {
        let is_data = |name: &str| {
            self.values().contains_key(name) || self.collections().iter().any(|collection| **collection.name() == *name)
        };
        let names = frame.names().iter().filter(|name| !is_common_name(name) && !is_data(name));
        let names: Vec<String> = names.cloned().collect();
        let encoding = match &names[..] {
            [] => FrameEncoding::Once,
            names if names.iter().any(|name| name == CONN) => FrameEncoding::PerMember,
            _ => FrameEncoding::PerValue(names),
        };
        MemberFrame { place: place.to_owned(), encoding }
    }
}
