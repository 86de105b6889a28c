//! Read-only views of scheduled steps and scripts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::scenario::RuleScript;

/// A scheduled step list: a rule script, or the delayed steps of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledSteps {
    /// The key of the rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`.
    pub key: Arc<str>,
    /// The world time at which the next step is due.
    pub due: Duration,
}

/// A rule script and its position.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleScriptState {
    /// The declared script.
    pub script: Arc<RuleScript>,
    /// The position. `None` if the script has ended.
    pub place: Option<ScriptPlace>,
}

/// The position of a rule script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptPlace {
    /// The number of completed rounds.
    pub round: u64,
    /// The world time at time 0 of the current round.
    pub origin: Duration,
    /// The index of the next step.
    pub next: usize,
    /// The world time at which the next step is due.
    pub due: Duration,
}

impl Engine {
    /// Iterates over scheduled step lists, soonest first.
    pub fn scheduled_steps(&self) -> impl Iterator<Item = ScheduledSteps> {
        self.rule_runs.soonest_first().map(|(due, run)| ScheduledSteps { key: run.origin.key(), due })
    }

    /// Iterates over rule scripts in declaration order.
    pub fn rule_script_states(&self) -> impl Iterator<Item = RuleScriptState> {
        let places = self.rule_runs.soonest_first().filter_map(|(due, run)| {
            let script = run.script.as_ref()?;
            let next = run.strands.next(run.steps.steps())?.step;
            let place = ScriptPlace { round: script.round, origin: script.origin, next, due };
            Some((script.declared.key.clone(), place))
        });
        let places: HashMap<Arc<str>, ScriptPlace> = places.collect();
        let scripts = self.scenario.rule_scripts().iter();
        scripts.map(move |script| RuleScriptState { script: script.clone(), place: places.get(&script.key).copied() })
    }
}
