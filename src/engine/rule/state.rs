//! Rules as data: what waits, what was drawn, and when time 0 was.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Drawn;
use super::context::Context;
use super::runs::{RuleOrigin, RuleRun, RuleRuns, RunOwner, ScriptRound};
use super::steps::Strands;
use crate::engine::{Engine, StateError};

/// What becomes of rules. Members are those of one process, and so is what belongs to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct RuleState {
    started: i64,
    drawn: Drawn,
    waiting: Vec<WaitingState>,
}

/// A list of steps that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaitingState {
    origin: RuleOrigin,
    /// The list as the scenario writes it.
    steps: Arc<Value>,
    strands: Strands,
    context: Context,
    /// Of a script: rounds before the current one, and when that began.
    round: Option<(u64, Duration)>,
}

impl RuleState {
    pub(in crate::engine) fn of(engine: &Engine) -> Self {
        let waiting = engine.rule_runs.iter().filter(|run| run.owner == RunOwner::World).map(|run| WaitingState {
            origin: run.origin.clone(),
            steps: run.steps.written().clone(),
            strands: run.strands.clone(),
            context: run.context.clone(),
            round: run.script.as_ref().map(|script| (script.round, script.origin)),
        });
        Self { started: engine.started, drawn: engine.drawn.clone(), waiting: waiting.collect() }
    }

    /// Has an engine of the same scenario go on from there.
    pub(in crate::engine) fn put_in(self, engine: &mut Engine) -> Result<(), StateError> {
        let scenario = engine.scenario.clone();
        let mut runs = RuleRuns::default();
        for WaitingState { origin, steps, strands, context, round } in self.waiting {
            let unknown = StateError::Misfit("it waits for steps that the scenario does not have");
            let steps = origin.steps(&scenario, &steps).ok_or_else(|| unknown.clone())?;
            if !strands.fit(steps.steps()) {
                return Err(unknown);
            }
            let script = match (round, &origin) {
                (Some((round, origin)), RuleOrigin::Script(key)) => {
                    let declared = scenario.rule_scripts().iter().find(|script| script.key == *key);
                    Some(ScriptRound { declared: declared.ok_or(unknown)?.clone(), round, origin })
                }
                _ => None,
            };
            let run = RuleRun { origin, owner: RunOwner::World, steps, strands, context, script };
            runs.wait(run).map_err(|_| StateError::Misfit("it waits for more than may wait"))?;
        }
        (engine.started, engine.drawn, engine.rule_runs) = (self.started, self.drawn, runs);
        Ok(())
    }
}
