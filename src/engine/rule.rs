//! Execution of a scenario's rules: answers, triggers, generators, scripts and sockets.

mod answer;
mod catch_up;
mod context;
mod crud;
mod draws;
mod firing;
mod groups;
mod guard;
mod member_steps;
mod membership;
mod nearest;
mod origin;
mod posted;
mod reading;
mod resumption;
mod rows;
mod runs;
mod schedule;
mod socket;
mod state;
mod steps;
#[cfg(test)]
mod tests;
mod trigger;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use catch_up::MissedEnd;
pub(in crate::engine) use context::Context;
pub(in crate::engine) use draws::Drawn;
use firing::Firing;
pub use firing::MAX_STEPS;
pub(in crate::engine) use groups::{DeliverySpec, Groups};
pub(in crate::engine) use origin::RuleOrigin;
pub use posted::StepsText;
pub use reading::{DataBodies, Reading};
pub use runs::MAX_SCHEDULED;
pub(in crate::engine) use runs::{RuleRun, RuleRuns, RunOwner};
pub use schedule::{RuleScriptState, ScheduledSteps, ScriptPlace};
pub use socket::{HandledMessage, MessageOutcome, Unsendable};
pub(in crate::engine) use state::{MembersState, RuleState};
pub use trigger::MAX_TRIGGERED;

use super::Engine;
use super::event::{Event, EventKind, MemberEvent};
use super::listing::QueryNote;
use super::refusal::Refusal;
use crate::scenario::{GeneratedRule, Repeat};

/// The parts of a request that rules can read. Parts that no expression of the route uses may be omitted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleRequest {
    /// The method, in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path and query, without the world's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The decoded path parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Map<String, Value>>,
    /// The query parameters. A repeated parameter is a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Map<String, Value>>,
    /// The headers by lower-case name. Repeated headers are joined with commas (RFC 9110, 5.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Map<String, Value>>,
    /// The cookies (RFC 6265, 4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookies: Option<Map<String, Value>>,
    /// The body: JSON as parsed, a form as a mapping, anything else as text. `None` if the request has no body.
    pub body: Option<Value>,
}

/// An answer with all of its expressions evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The position among the route's answers, from 1.
    pub number: usize,
    /// The status code, from 200 to 599.
    pub status: u16,
    /// The headers, with names in lower case. A name may be repeated.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub content: AnsweredContent,
    /// The delay before the answer is sent, on the world's clock.
    pub after: Duration,
    /// For a list: notes on query parameters that have no effect.
    pub query_notes: Vec<QueryNote>,
}

/// The content of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum AnsweredContent {
    /// No content.
    Empty,
    /// JSON.
    Json(Value),
    /// Encoded JSON.
    Encoded(Bytes),
    /// Plain text.
    Text(String),
    /// A file.
    File(PathBuf),
    /// A stream of server-sent events for the member that made the request.
    Stream,
}

/// The number of due steps that one list runs before other lists get a turn.
const STEPS_PER_TURN: usize = 1_000;

impl Engine {
    /// Returns the data that expressions see now.
    #[must_use]
    pub fn reading(&self) -> Reading<'_> {
        Reading::at(&self.collections, &self.values, self.start_date, self.now)
    }

    /// Returns the current date and time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn wall_clock(&self) -> i64 {
        reading::wall_clock(self.start_date, self.now)
    }

    /// Returns this engine with another date and time at world time 0, in milliseconds since the Unix epoch. A date
    /// that the scenario declares takes precedence.
    #[must_use]
    pub fn with_start_date(self, start_date: i64) -> Self {
        Self { start_date: self.scenario.starts().unwrap_or(start_date), ..self }
    }

    /// Runs the due steps of the list that comes first, if it is due by `due`.
    pub(super) fn run_scheduled(&mut self, due: Duration, events: &mut Vec<Event>) {
        let Some((number, run)) = self.rule_runs.take_due(due) else { return };
        let from = events.len();
        let run = self.run_due(run, events);
        self.reschedule_run(number, run, events);
        self.end_closed_sockets(events);
        self.react(events, from);
    }

    /// Runs the steps of a list that are due now.
    fn run_due(&mut self, mut run: RuleRun, events: &mut Vec<Event>) -> RuleRun {
        let mut firing = Firing::new(self, events, run.origin.clone(), run.owner);
        for _ in 0..STEPS_PER_TURN {
            // Steps after a fault transition may be subject to other faults.
            if run.due().is_none_or(|due| due > firing.engine.now) || Event::ends_at_fault_transition(firing.events) {
                break;
            }
            if !firing.engine.has_owner(run.owner) {
                break;
            }
            if let Err(refusal) = firing.step(&mut run) {
                firing.report_refusal(&run.steps, refusal);
            }
        }
        firing.finish();
        self.start_next_round(&mut run, events);
        run
    }

    /// Reschedules a list that has steps left and whose owner still exists.
    fn reschedule_run(&mut self, number: u64, run: RuleRun, events: &mut Vec<Event>) {
        let (member, message) = (run.owner.member(), run.context.shared("msg").cloned());
        let continues = !run.is_over() && self.has_owner(run.owner);
        if continues {
            self.rule_runs.reschedule(number, run);
        }
        let Some(member) = member else { return };
        if !continues {
            self.end_if_idle(member, events);
        }
        if let Some(message) = message.filter(|message| !continues || self.is_pending(member, message)) {
            self.settle_message(member, &message, events);
        }
        self.settle_left(member, events);
    }

    /// Starts the next round of a repeating script whose current round has ended.
    fn start_next_round(&mut self, run: &mut RuleRun, events: &mut Vec<Event>) {
        let Some(round) = &mut run.script else { return };
        let again = match round.declared.repeat {
            Repeat::Forever => true,
            Repeat::Times(times) => round.round + 1 < times,
        };
        if !run.strands.is_over() || !again {
            return;
        }
        if round.declared.repeat == Repeat::Forever && self.now <= round.origin {
            let refusal = Refusal::InstantRepeat(run.origin.key());
            let skipped = self.event(EventKind::Skipped { rule: Some(run.origin.key()), refusal });
            events.push(skipped);
            return;
        }
        (round.round, round.origin) = (round.round + 1, self.now);
        run.restart_at(self.now);
    }

    /// Ends a stream that can send nothing more.
    fn end_if_idle(&self, member: u64, events: &mut Vec<Event>) {
        let is_stream = self.members.socket(member).is_none() && !self.members.is_closing(member);
        if is_stream && self.topics.joined(member).next().is_none() && !self.has_scheduled(member, |_| true) {
            self.notify(member, MemberEvent::Closed(None), events);
        }
    }

    /// Returns whether steps of this owner may still run: its member is not closing, and its membership has not ended.
    fn has_owner(&self, owner: RunOwner) -> bool {
        if owner.member().is_some_and(|member| self.members.is_closing(member)) {
            return false;
        }
        let RunOwner::Membership { member, number } = owner else { return true };
        self.members.memberships_of(member).iter().any(|one| one.number == number)
    }

    /// Fires a generator's rule. `it` is the row that was drawn.
    pub(super) fn fire_generated(
        &mut self,
        rule: &GeneratedRule,
        it: Option<Value>,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let mut context = context::Context::default();
        if let Some(it) = it {
            context.set("it", it);
        }
        let origin = RuleOrigin::Generator(rule.key.clone());
        self.fire_rule(origin, RunOwner::World, events, |firing| firing.run_list(&rule.steps, &mut context))
    }
}
