//! Waiting steps across a reload. A step goes on if the rule that it belongs to still has a step with the same text.
//! Steps that the list has lost end, steps that it has gained do not run for it, and the others keep their times.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::origin::RuleOrigin;
use super::runs::{RuleRun, RunOwner, RunUpdate};
use crate::engine::Engine;
use crate::engine::change::Change;
use crate::engine::event::Event;
use crate::scenario::{RuleScript, Scenario, StepList};

/// A member whose list has ended, and the message that the list responded to.
pub(in crate::engine) type EndedList = (u64, Option<Arc<Value>>);

/// The lists that continue under another scenario.
struct Resumption<'s> {
    scenario: &'s Scenario,
    /// Where each list continues, by its origin and the address of its source. Many sockets run the same list.
    found: RefCell<HashMap<(RuleOrigin, *const Value), Found>>,
}

/// Where a list continues, and with which steps.
type Found = Option<(RuleOrigin, StepList)>;

impl<'s> Resumption<'s> {
    fn under(scenario: &'s Scenario) -> Self {
        Self { scenario, found: RefCell::default() }
    }

    /// Returns what becomes of a list.
    fn of(&self, run: &RuleRun) -> RunUpdate {
        if let Some(round) = &run.script {
            let is_declared = self.scenario.rule_scripts().contains(&round.declared);
            return if is_declared { RunUpdate::Keep } else { RunUpdate::End };
        }
        let key = (run.origin.clone(), Arc::as_ptr(run.steps.source()));
        let find = || run.origin.resume(self.scenario, &run.steps);
        let found = self.found.borrow_mut().entry(key).or_insert_with(find).clone();
        let Some((origin, steps)) = found else { return RunUpdate::End };
        if origin == run.origin && steps == run.steps {
            return RunUpdate::Keep;
        }
        let run = RuleRun { origin, steps, ..run.clone() };
        if run.is_over() { RunUpdate::End } else { RunUpdate::Replace(Box::new(run)) }
    }

    /// Returns the number of waiting steps of a list that end.
    fn ended_steps(&self, run: &RuleRun) -> usize {
        let waiting = |run: &RuleRun| run.strands.active(run.steps.steps());
        match self.of(run) {
            RunUpdate::Keep => 0,
            RunUpdate::Replace(new) => waiting(run) - waiting(&new),
            RunUpdate::End => waiting(run),
        }
    }
}

impl Engine {
    /// Returns the waiting steps that end under another scenario. Those of scripts and of sockets that are closed are
    /// left out, because other changes report them.
    pub(in crate::engine) fn steps_that_end(&self, new: &Scenario) -> Vec<Change> {
        let resumption = Resumption::under(new);
        let is_reported = |run: &&RuleRun| match &run.origin {
            RuleOrigin::Script(_) => false,
            RuleOrigin::Endpoint(key) => run.owner == RunOwner::World || new.endpoints().get(key).is_some(),
            _ => true,
        };
        let mut ended: IndexMap<Arc<str>, usize> = IndexMap::new();
        for run in self.rule_runs.iter().filter(is_reported) {
            match resumption.ended_steps(run) {
                0 => {}
                steps => *ended.entry(run.origin.key()).or_default() += steps,
            }
        }
        ended.into_iter().map(|(rule, steps)| Change::StepsEnded { rule, steps }).collect()
    }

    /// Adapts scheduled lists to the engine's new scenario, and starts the scripts that are new. Returns the lists of
    /// members that have ended.
    pub(in crate::engine) fn reload_rule_runs(&mut self, before: &[Arc<RuleScript>]) -> Vec<EndedList> {
        let scenario = self.scenario.clone();
        let resumption = Resumption::under(&scenario);
        let ended = RefCell::new(Vec::new());
        self.rule_runs.update(|run| {
            let update = resumption.of(run);
            if let (RunUpdate::End, Some(member)) = (&update, run.owner.member()) {
                ended.borrow_mut().push((member, run.context.shared("msg").cloned()));
            }
            update
        });
        for script in scenario.rule_scripts().iter().filter(|script| !before.contains(script)) {
            // A scenario declares fewer than `MAX_SCHEDULED` scripts.
            let _ = self.rule_runs.schedule(RuleRun::script(script, self.now));
        }
        ended.into_inner()
    }

    /// Ends the streams that have nothing left to send after a reload, and settles the messages of ended lists.
    pub(in crate::engine) fn settle_ended_lists(&mut self, ended: Vec<EndedList>, events: &mut Vec<Event>) {
        for (member, message) in ended {
            self.end_if_idle(member, events);
            if let Some(message) = message {
                self.settle_message(member, &message, events);
            }
        }
    }
}
