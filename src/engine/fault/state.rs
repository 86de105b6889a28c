//! A fault's state as data; see [`crate::engine::EngineState`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FaultPhase, FaultRun, FaultSource};
use crate::engine::Engine;
use crate::engine::state::StateError;
use crate::scenario::{Action, Fault, Source, parse_fault};

/// Where a fault is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct FaultRunState {
    id: u64,
    run: u64,
    fault: Brought,
    source: FaultSource,
    origin: Duration,
    phase: FaultPhase,
}

/// Where to find what was declared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Brought {
    /// It is that one of the scenario's faults.
    Declared(usize),
    /// That step of that script brings it.
    Step(usize, usize),
    /// It is in no scenario.
    Written(String),
}

impl FaultRunState {
    pub(in crate::engine) fn of(run: &FaultRun, engine: &Engine) -> Self {
        let is_it = |fault: &Arc<Fault>| Arc::ptr_eq(fault, &run.declared);
        let step = || {
            // Those at work: a script that goes on after a reload has the steps, and their faults, of before.
            let mut steps = engine.scripts.iter().enumerate().flat_map(|(script, run)| {
                run.declared.steps().iter().enumerate().map(move |(step, declared)| (script, step, declared))
            });
            steps.find_map(|(script, step, declared)| match &declared.action {
                Action::Fault(fault) if is_it(fault) => Some(Brought::Step(script, step)),
                _ => None,
            })
        };
        let declared = || engine.scenario.faults().iter().position(|fault| *fault == run.declared);
        let fault = match run.source {
            FaultSource::Scenario => declared().map(Brought::Declared),
            FaultSource::Script => step(),
            FaultSource::Api => None,
        };
        let written = || Brought::Written(serde_json::to_string(&run.declared).unwrap_or_default());
        let fault = fault.unwrap_or_else(written);
        Self { id: run.id, run: run.run, fault, source: run.source, origin: run.origin, phase: run.phase }
    }

    /// The run of that fault, which has hit nothing here yet.
    pub(in crate::engine) fn resume(self, start: &Engine) -> Result<FaultRun, StateError> {
        let scenario = &start.scenario;
        let step = |script: usize, step: usize| match &start.scripts.get(script)?.declared.steps().get(step)?.action {
            Action::Fault(fault) => Some(fault.clone()),
            _ => None,
        };
        let declared = match self.fault {
            Brought::Declared(index) => scenario.faults().get(index).cloned(),
            Brought::Step(script, index) => step(script, index),
            Brought::Written(text) => match parse_fault(&Source::new("fault", &text), scenario) {
                Ok((fault, _)) => Some(Arc::new(fault)),
                Err(problems) => return Err(StateError::Fault(problems.to_string())),
            },
        };
        let declared = declared.ok_or(StateError::Misfit("it has an unknown fault"))?;
        let Self { id, run, source, origin, phase, .. } = self;
        let (matched, hit, rng, sockets) = (0, 0, None, HashMap::new());
        Ok(FaultRun { id, run, declared, source, origin, phase, matched, hit, rng, sockets })
    }
}
