//! An engine's state as data: saved by one process, restored by another that has the same scenario.
//!
//! The state omits what the scenario declares and holds only the differences. It includes the members of rules with all
//! their memberships. It does not include which sockets and requests faults have hit, because those belong to one
//! process.

mod data;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use self::data::DataState;
use super::Engine;
use super::collections::RowSet;
use super::counters::{Counter, CounterView, Counters, Rebuild, Running};
use super::fault::{FaultPhase, FaultRun, FaultSource};
use super::generator::GeneratorRunState;
use super::retained::Retained;
use super::rule::{MembersState, RuleState};
use super::script::ScriptRunState;
use super::timeline::{Run, Timelines};
use crate::scenario::{Action, Fault, Row, Source, parse_fault};

/// The state of an engine. It can only be restored by the same version of mockd.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    now: Duration,
    sequence: u64,
    seed: u64,
    epoch: u32,
    streams: u64,
    fault_ids: u64,
    /// The rows with counters, if any were added, removed or changed.
    rows: Option<RowsState>,
    /// Rows without counters and values that differ from their declaration.
    #[serde(default, skip_serializing_if = "DataState::is_empty")]
    data: DataState,
    /// The highest number used in an id, for each collection.
    highest: Vec<u64>,
    /// The counter values that have changed, each with the sequence number of its last change.
    values: Vec<(Arc<str>, i64, u64)>,
    scripts: Vec<ScriptRunState>,
    generators: Vec<GeneratorRunState>,
    faults: Vec<FaultRunState>,
    rules: RuleState,
    /// The members of rules.
    #[serde(default, skip_serializing_if = "MembersState::is_empty")]
    members: MembersState,
    /// What reloads have removed.
    retained: Retained,
}

/// The reason a state cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// The state belongs to a different scenario.
    #[error("the state does not fit the scenario: {0}")]
    Mismatch(&'static str),
    /// A fault in the state cannot be parsed.
    #[error("the state has an invalid fault: {0}")]
    Fault(String),
}

impl Engine {
    /// Returns the state. `start` is an engine of the same scenario at time 0; rows shared with it are omitted.
    #[must_use]
    pub fn save(&self, start: &Self) -> EngineState {
        let rows = (!self.shares_rows_with(start)).then(|| RowsState::of(self, start));
        let moved = self.counters.moved();
        EngineState {
            now: self.now,
            sequence: self.sequence,
            seed: self.seed,
            epoch: self.epoch,
            streams: self.streams,
            fault_ids: self.fault_ids,
            rows,
            data: DataState::of(self, start),
            highest: self.collections.iter().map(|(_, row_set)| row_set.highest()).collect(),
            values: moved.map(|(id, counter)| (id.clone(), counter.value, counter.changed)).collect(),
            scripts: self.timelines.scripts().map(ScriptRunState::of).collect(),
            generators: self.timelines.generators().map(GeneratorRunState::of).collect(),
            faults: self.faults.iter().map(|run| FaultRunState::of(run, self)).collect(),
            rules: RuleState::of(self),
            members: MembersState::of(self),
            retained: self.retained.clone(),
        }
    }

    /// Restores an engine from its state. `start` is an engine of the same scenario at time 0.
    ///
    /// # Errors
    /// [`StateError`] if the state belongs to a different scenario.
    pub fn restored(start: &Self, state: EngineState) -> Result<Self, StateError> {
        let mut engine = start.clone();
        (engine.now, engine.sequence, engine.seed, engine.epoch) = (state.now, state.sequence, state.seed, state.epoch);
        (engine.streams, engine.fault_ids, engine.retained) = (state.streams, state.fault_ids, state.retained);
        if let Some(rows) = state.rows {
            rows.restore_into(&mut engine, start)?;
        }
        state.data.restore_into(&mut engine)?;
        engine.reserve_numbers(&state.highest)?;
        for (id, value, changed) in state.values {
            let moved = engine.counters.put(&id, Running { value, changed });
            moved.ok_or(StateError::Mismatch("unknown counter in the values"))?;
        }
        let seed = engine.seed;
        let scripts = resumed(start.timelines.scripts(), state.scripts, |run, state| {
            state.resume(run.declared.clone(), seed).map(Run::Script)
        })?;
        let generators = resumed(start.timelines.generators(), state.generators, |run, state| {
            Some(Run::Generator(Box::new(state.resume(run.declared.clone(), seed))))
        })?;
        engine.timelines = Timelines::of_world(scripts.into_iter().chain(generators));
        state.members.restore_into(&mut engine);
        state.rules.restore_into(&mut engine)?;
        engine.faults = state.faults.into_iter().map(|fault| fault.resume(start)).collect::<Result<_, _>>()?;
        Ok(engine)
    }

    fn reserve_numbers(&mut self, highest: &[u64]) -> Result<(), StateError> {
        let names: Vec<Arc<str>> = self.collections.iter().map(|(name, _)| name.clone()).collect();
        if names.len() != highest.len() {
            return Err(StateError::Mismatch("the collections differ"));
        }
        names.iter().zip(highest).for_each(|(name, highest)| self.collections.reserve_numbers(name, *highest));
        Ok(())
    }
}

/// Restores the runs of a scenario's timelines from their states.
fn resumed<'r, R: 'r, S>(
    runs: impl Iterator<Item = &'r R>,
    states: Vec<S>,
    resume: impl Fn(&R, S) -> Option<Run>,
) -> Result<Vec<Run>, StateError> {
    let runs: Vec<&R> = runs.collect();
    if runs.len() != states.len() {
        return Err(StateError::Mismatch("the scripts or generators differ"));
    }
    let resumed: Option<Vec<Run>> = runs.into_iter().zip(states).map(|(run, state)| resume(run, state)).collect();
    resumed.ok_or(StateError::Mismatch("a script has fewer steps"))
}

/// The counters, and the rows of each collection with counters, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsState {
    by_row: Vec<DeclaredOr<CounterState>>,
    collections: Vec<Vec<DeclaredOr<SavedRow>>>,
}

/// Either the id of something declared in the scenario, or the thing itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum DeclaredOr<T> {
    Declared(Arc<str>),
    Other(T),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CounterState {
    id: Arc<str>,
    collection: Arc<str>,
    seed: i64,
    declared: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRow {
    id: Arc<str>,
    has_number_id: bool,
    #[serde(rename = "own")]
    fields: Map<String, Value>,
    #[serde(rename = "order")]
    framed: Map<String, Value>,
    value: i64,
}

/// Like [`whole_row`], for several rows.
pub(super) mod whole_rows {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::SavedRow;
    use crate::scenario::Row;

    pub(in crate::engine) fn serialize<S: Serializer>(rows: &[Arc<Row>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(rows.iter().map(|row| SavedRow::of(row)))
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Arc<Row>>, D::Error> {
        let rows = Vec::<SavedRow>::deserialize(deserializer)?;
        Ok(rows.into_iter().map(|row| Arc::new(row.into_row())).collect())
    }
}

impl SavedRow {
    fn of(row: &Row) -> Self {
        let (id, (fields, framed, value)) = (row.id().clone(), row.content());
        Self { id, has_number_id: row.has_number_id(), fields: fields.clone(), framed: framed.clone(), value }
    }

    fn into_row(self) -> Row {
        Row::from_parts(self.id, self.fields, self.framed, self.value).with_number_id(self.has_number_id)
    }
}

/// A row in full, for serde's `with`.
pub(super) mod whole_row {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SavedRow;
    use crate::scenario::Row;

    pub(in crate::engine) fn serialize<S: Serializer>(row: &Row, serializer: S) -> Result<S::Ok, S::Error> {
        SavedRow::of(row).serialize(serializer)
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Row>, D::Error> {
        Ok(Arc::new(SavedRow::deserialize(deserializer)?.into_row()))
    }
}

/// Returns a function that saves rows. Rows that match their declaration are saved by id.
fn save_relative_to(declared: &[Arc<Row>]) -> impl Fn(&Arc<Row>) -> DeclaredOr<SavedRow> {
    let declared: HashMap<&str, &Arc<Row>> = declared.iter().map(|row| (&**row.id(), row)).collect();
    move |row| match declared.get(&**row.id()) {
        Some(same) if *same == row => DeclaredOr::Declared(row.id().clone()),
        _ => DeclaredOr::Other(SavedRow::of(row)),
    }
}

/// Restores the saved rows of a collection.
fn restore_relative_to(start: &RowSet, rows: Vec<DeclaredOr<SavedRow>>) -> Result<Vec<Arc<Row>>, StateError> {
    let declared = start.by_id();
    let row = |row: DeclaredOr<SavedRow>| match row {
        DeclaredOr::Declared(id) => declared.get(&*id).map(|row| Arc::clone(row)),
        DeclaredOr::Other(state) => Some(Arc::new(state.into_row())),
    };
    let rows: Option<Vec<_>> = rows.into_iter().map(row).collect();
    rows.ok_or(StateError::Mismatch("unknown row"))
}

impl RowsState {
    fn of(engine: &Engine, start: &Engine) -> Self {
        let counter = |(id, counter): (&Arc<str>, CounterView<'_>)| {
            let Counter { collection, seed, declared, .. } = counter.counter.clone();
            if start.counters.get(id).is_some_and(|same| same.counter == counter.counter) {
                DeclaredOr::Declared(id.clone())
            } else {
                DeclaredOr::Other(CounterState { id: id.clone(), collection, seed, declared })
            }
        };
        let collections = engine.collections.counted().map(|(name, row_set)| {
            let declared = start.collections.get(name).map_or(&[][..], RowSet::declared_rows);
            row_set.rows().iter().map(save_relative_to(declared)).collect()
        });
        Self { by_row: engine.counters.iter().map(counter).collect(), collections: collections.collect() }
    }

    fn restore_into(self, engine: &mut Engine, start: &Engine) -> Result<(), StateError> {
        if self.collections.len() != start.collections.counted().count() {
            return Err(StateError::Mismatch("the collections differ"));
        }
        let added = self.by_row.iter().filter_map(|counter| match counter {
            DeclaredOr::Other(CounterState { id, declared: false, .. }) => Some(id.clone()),
            _ => None,
        });
        let added: HashSet<Arc<str>> = added.collect();
        let mut collections = start.collections.clone();
        for ((name, row_set), rows) in start.collections.counted().zip(self.collections) {
            let (added, declared) =
                restore_relative_to(row_set, rows)?.into_iter().partition(|row| added.contains(row.id()));
            collections.put(name.clone(), row_set.with_rows(declared, added));
        }
        let rows = collections.counted().flat_map(|(_, row_set)| row_set.rows());
        let own_frames: HashMap<&str, &Arc<Row>> =
            rows.filter(|row| row.has_own_frames()).map(|row| (&**row.id(), row)).collect();
        let mut rebuild = Rebuild::default();
        for counter in self.by_row {
            let (id, counter) = match counter {
                DeclaredOr::Other(CounterState { id, collection, seed, declared }) => {
                    let row = own_frames.get(&*id).map(|row| Arc::clone(row));
                    (id, Counter { collection, seed, declared, row })
                }
                DeclaredOr::Declared(id) => {
                    let declared = start.counters.get(&id).ok_or(StateError::Mismatch("unknown counter"))?;
                    (id, declared.counter.clone())
                }
            };
            let value = counter.seed;
            rebuild.add(id, counter, value, 0);
        }
        engine.collections = collections;
        let mut counters = Counters::default();
        counters.replace_all(rebuild);
        engine.counters = counters;
        Ok(())
    }
}

/// The saved state of a fault's run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultRunState {
    id: u64,
    run: u64,
    fault: FaultOrigin,
    source: FaultSource,
    declaration: Option<usize>,
    origin: Duration,
    phase: FaultPhase,
}

/// Where to find a fault's declaration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FaultOrigin {
    /// The scenario's fault at this index.
    Declared(usize),
    /// The fault of a script's step: the script's index and the step's.
    Step(usize, usize),
    /// A fault outside the scenario, in full.
    Written(String),
}

impl FaultRunState {
    fn of(run: &FaultRun, engine: &Engine) -> Self {
        let is_declared = |fault: &Arc<Fault>| Arc::ptr_eq(fault, &run.declared);
        let step = || {
            // The running scripts rather than the scenario's: after a reload, a script that continues still has its old
            // steps, and their faults.
            let mut steps = engine.timelines.scripts().enumerate().flat_map(|(script, run)| {
                run.declared.steps().iter().enumerate().map(move |(step, declared)| (script, step, declared))
            });
            steps.find_map(|(script, step, declared)| match &declared.action {
                Action::Fault(fault) if is_declared(fault) => Some(FaultOrigin::Step(script, step)),
                _ => None,
            })
        };
        let declared = || engine.scenario.faults().iter().position(|fault| *fault == run.declared);
        let fault = match run.source {
            FaultSource::Scenario => declared().map(FaultOrigin::Declared),
            FaultSource::Script => step(),
            FaultSource::Api => None,
        };
        let written = || FaultOrigin::Written(serde_json::to_string(&run.declared).unwrap_or_default());
        let fault = fault.unwrap_or_else(written);
        Self {
            id: run.id,
            run: run.run,
            fault,
            source: run.source,
            declaration: run.declaration,
            origin: run.origin,
            phase: run.phase,
        }
    }

    /// Restores the run of the fault. It has not hit anything in this process yet.
    fn resume(self, start: &Engine) -> Result<FaultRun, StateError> {
        let scenario = &start.scenario;
        let step = |script: usize, step: usize| match &start
            .timelines
            .scripts()
            .nth(script)?
            .declared
            .steps()
            .get(step)?
            .action
        {
            Action::Fault(fault) => Some(fault.clone()),
            _ => None,
        };
        let declared = match self.fault {
            FaultOrigin::Declared(index) => scenario.faults().get(index).cloned(),
            FaultOrigin::Step(script, index) => step(script, index),
            FaultOrigin::Written(text) => match parse_fault(&Source::new("fault", &text), scenario) {
                Ok((fault, _)) => Some(Arc::new(fault)),
                Err(problems) => return Err(StateError::Fault(problems.to_string())),
            },
        };
        let declared = declared.ok_or(StateError::Mismatch("unknown fault"))?;
        let Self { id, run, source, declaration, origin, phase, .. } = self;
        let (matched, hit, rng, sockets) = (0, 0, None, HashMap::new());
        Ok(FaultRun { id, run, declared, source, declaration, origin, phase, matched, hit, rng, sockets })
    }
}
