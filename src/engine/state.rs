//! An engine's state as data: written down by one process, taken up by another that has the same scenario.
//!
//! What the scenario declares is not in it, only what has become of that. What faults have hit is not in it either: that is
//! about the sockets and requests of one process.

mod products;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::products::Products;
use super::Engine;
use super::fault::FaultRunState;
use super::random::GeneratorRunState;
use super::script::ScriptRunState;
use super::totals::Running;

/// The state of an engine. It is for the same version of mockd.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    now: Duration,
    sequence: u64,
    seed: u64,
    era: u32,
    streams: u64,
    fault_ids: u64,
    /// What is not as declared, if products came or went.
    products: Option<Products>,
    /// The highest number of an id in each category.
    highest: Vec<u64>,
    /// The totals that have moved, each with the number of its last change.
    totals: Vec<(Arc<str>, i64, u64)>,
    scripts: Vec<ScriptRunState>,
    generators: Vec<GeneratorRunState>,
    faults: Vec<FaultRunState>,
}

/// Why a state cannot be taken up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// It is of a scenario that declares something else.
    #[error("the state does not fit the scenario: {0}")]
    Misfit(&'static str),
    /// It has a fault that cannot be read.
    #[error("the state has a fault that cannot be read: {0}")]
    Fault(String),
}

impl Engine {
    /// The state. `start` is an engine of the same scenario at time 0; the products that both share are not written down.
    #[must_use]
    pub fn save(&self, start: &Self) -> EngineState {
        let products = (!self.ledger.has_holders_of(&start.ledger)).then(|| Products::of(self, start));
        let moved = self.ledger.moved();
        EngineState {
            now: self.now,
            sequence: self.sequence,
            seed: self.seed,
            era: self.era,
            streams: self.streams,
            fault_ids: self.fault_ids,
            products,
            highest: self.catalogue.iter().map(|(_, listing)| listing.highest()).collect(),
            totals: moved.map(|(id, account)| (id.clone(), account.total, account.changed)).collect(),
            scripts: self.scripts.iter().map(ScriptRunState::of).collect(),
            generators: self.generators.iter().map(GeneratorRunState::of).collect(),
            faults: self.faults.iter().map(|run| FaultRunState::of(run, self)).collect(),
        }
    }

    /// The engine that was written down. `start` is an engine of the same scenario at time 0.
    ///
    /// # Errors
    /// [`StateError`] if the state is of another scenario.
    pub fn restored(start: &Self, state: EngineState) -> Result<Self, StateError> {
        let mut engine = start.clone();
        (engine.now, engine.sequence, engine.seed, engine.era) = (state.now, state.sequence, state.seed, state.era);
        (engine.streams, engine.fault_ids) = (state.streams, state.fault_ids);
        if let Some(products) = state.products {
            products.put_in(&mut engine, start)?;
        }
        engine.keep_numbers(&state.highest)?;
        for (id, total, changed) in state.totals {
            let moved = engine.ledger.put(&id, Running { total, changed });
            moved.ok_or(StateError::Misfit("it has a total of an unknown product"))?;
        }
        engine.scripts = resumed(&start.scripts, state.scripts, |run, state| state.resume(run))?;
        let seed = engine.seed;
        engine.generators = resumed(&start.generators, state.generators, |run, state| Some(state.resume(run, seed)))?;
        engine.faults = state.faults.into_iter().map(|fault| fault.resume(start)).collect::<Result<_, _>>()?;
        Ok(engine)
    }

    fn keep_numbers(&mut self, highest: &[u64]) -> Result<(), StateError> {
        let names: Vec<Arc<str>> = self.catalogue.iter().map(|(name, _)| name.clone()).collect();
        if names.len() != highest.len() {
            return Err(StateError::Misfit("it has other categories"));
        }
        names.iter().zip(highest).for_each(|(name, highest)| self.catalogue.keep_numbers(name, *highest));
        Ok(())
    }
}

/// The runs of a scenario's timelines, each where its state says.
fn resumed<R, S>(runs: &[R], states: Vec<S>, resume: impl Fn(&R, S) -> Option<R>) -> Result<Vec<R>, StateError> {
    if runs.len() != states.len() {
        return Err(StateError::Misfit("it has other scripts or generators"));
    }
    let resumed: Option<Vec<R>> = runs.iter().zip(states).map(|(run, state)| resume(run, state)).collect();
    resumed.ok_or(StateError::Misfit("it has a script with fewer steps"))
}
