//! The serializable state of rules: scheduled steps, random streams, the date of world time 0, and members.

mod members;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Drawn;
use super::context::Context;
use super::origin::RuleOrigin;
use super::runs::{RuleRun, RuleRuns, RunOwner, ScriptRound};
use super::steps::Strands;
use crate::engine::{Engine, StateError};
pub(in crate::engine) use members::MembersState;

/// The saved state of rules, without members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct RuleState {
    started: i64,
    drawn: Drawn,
    #[serde(rename = "waiting")]
    scheduled: Vec<SavedRun>,
}

/// A scheduled step list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRun {
    origin: RuleOrigin,
    #[serde(default, skip_serializing_if = "RunOwner::is_world")]
    owner: RunOwner,
    /// The list as written in the scenario.
    steps: Arc<Value>,
    strands: Strands,
    context: Context,
    /// For a script: the number of completed rounds, and the start of the current round.
    round: Option<(u64, Duration)>,
}

impl RuleState {
    pub(in crate::engine) fn of(engine: &Engine) -> Self {
        let scheduled = engine.rule_runs.iter().map(|run| SavedRun {
            origin: run.origin.clone(),
            owner: run.owner,
            steps: run.steps.source().clone(),
            strands: run.strands.clone(),
            context: run.context.clone(),
            round: run.script.as_ref().map(|script| (script.round, script.origin)),
        });
        Self { started: engine.start_date, drawn: engine.drawn.clone(), scheduled: scheduled.collect() }
    }

    /// Restores the state into an engine of the same scenario whose members are already restored.
    pub(in crate::engine) fn restore_into(self, engine: &mut Engine) -> Result<(), StateError> {
        let scenario = engine.scenario.clone();
        let mut runs = RuleRuns::default();
        for SavedRun { origin, owner, steps, strands, context, round } in self.scheduled {
            if !engine.has_owner(owner) {
                continue;
            }
            let unknown = StateError::Mismatch("it has scheduled steps that the scenario does not declare");
            let steps = origin.steps(&scenario, &steps).ok_or_else(|| unknown.clone())?;
            if !strands.fit_in(steps.steps()) {
                return Err(unknown);
            }
            let script = match (round, &origin) {
                (Some((round, origin)), RuleOrigin::Script(key)) => {
                    let declared = scenario.rule_scripts().iter().find(|script| script.key == *key);
                    Some(ScriptRound { declared: declared.ok_or(unknown)?.clone(), round, origin })
                }
                _ => None,
            };
            let run = RuleRun { origin, owner, steps, strands, context, script };
            runs.schedule(run).map_err(|_| StateError::Mismatch("it has too many scheduled step lists"))?;
        }
        (engine.start_date, engine.drawn, engine.rule_runs) = (self.started, self.drawn, runs);
        Ok(())
    }
}
