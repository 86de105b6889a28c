//! What waits for its time, as it is told from outside.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::scenario::RuleScript;

/// A list of steps that waits for its next one: a general script, or what a rule does later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingState {
    /// The key of the rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`.
    pub key: Arc<str>,
    /// When its next step is due.
    pub due: Duration,
}

/// A script of general steps at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleScriptState {
    /// What was declared.
    pub script: Arc<RuleScript>,
    /// Where it is; `None` once it is over.
    pub place: Option<ScriptPlace>,
}

/// Where a script of general steps is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptPlace {
    /// Rounds before the current one.
    pub round: u64,
    /// The world's time at which the current round's time is 0.
    pub origin: Duration,
    /// The index of the step that comes next.
    pub next: usize,
    /// When that is due.
    pub due: Duration,
}

impl Engine {
    /// The lists of steps that wait, the soonest first.
    pub fn waiting_states(&self) -> impl Iterator<Item = WaitingState> {
        self.rule_runs.soonest_first().map(|(due, run)| WaitingState { key: run.origin.key(), due })
    }

    /// The scripts of general steps, in declared order.
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
