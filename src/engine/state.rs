//! An engine's state as data: written down by one process, taken up by another that has the same scenario.
//!
//! What the scenario declares is not in it, only what has become of that. Members that rules have are in it with all that they
//! have joined. What faults have hit is not: that is about the sockets and requests of one process.

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

/// The state of an engine. It is for the same version of mockd.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    now: Duration,
    sequence: u64,
    seed: u64,
    epoch: u32,
    streams: u64,
    fault_ids: u64,
    /// What is not as declared, if rows with counters came, went or changed.
    rows: Option<RowsState>,
    /// What is not as declared of rows without counters and of values.
    #[serde(default, skip_serializing_if = "DataState::is_empty")]
    data: DataState,
    /// The highest number of an id in each collection.
    highest: Vec<u64>,
    /// The values that have moved, each with the number of its last change.
    values: Vec<(Arc<str>, i64, u64)>,
    scripts: Vec<ScriptRunState>,
    generators: Vec<GeneratorRunState>,
    faults: Vec<FaultRunState>,
    rules: RuleState,
    /// The members that rules have.
    #[serde(default, skip_serializing_if = "MembersState::is_empty")]
    members: MembersState,
    /// What reloads have taken away.
    retained: Retained,
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
    /// The state. `start` is an engine of the same scenario at time 0; the rows that both share are not written down.
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

    /// The engine that was written down. `start` is an engine of the same scenario at time 0.
    ///
    /// # Errors
    /// [`StateError`] if the state is of another scenario.
    pub fn restored(start: &Self, state: EngineState) -> Result<Self, StateError> {
        let mut engine = start.clone();
        (engine.now, engine.sequence, engine.seed, engine.epoch) = (state.now, state.sequence, state.seed, state.epoch);
        (engine.streams, engine.fault_ids, engine.retained) = (state.streams, state.fault_ids, state.retained);
        if let Some(rows) = state.rows {
            rows.put_in(&mut engine, start)?;
        }
        state.data.put_in(&mut engine)?;
        engine.keep_numbers(&state.highest)?;
        for (id, value, changed) in state.values {
            let moved = engine.counters.put(&id, Running { value, changed });
            moved.ok_or(StateError::Misfit("it has a value of an unknown counter"))?;
        }
        let seed = engine.seed;
        let scripts = resumed(start.timelines.scripts(), state.scripts, |run, state| {
            state.resume(run.declared.clone(), seed).map(Run::Script)
        })?;
        let generators = resumed(start.timelines.generators(), state.generators, |run, state| {
            Some(Run::Generator(Box::new(state.resume(run.declared.clone(), seed))))
        })?;
        engine.timelines = Timelines::of_world(scripts.into_iter().chain(generators));
        state.members.put_in(&mut engine);
        state.rules.put_in(&mut engine)?;
        engine.faults = state.faults.into_iter().map(|fault| fault.resume(start)).collect::<Result<_, _>>()?;
        Ok(engine)
    }

    fn keep_numbers(&mut self, highest: &[u64]) -> Result<(), StateError> {
        let names: Vec<Arc<str>> = self.collections.iter().map(|(name, _)| name.clone()).collect();
        if names.len() != highest.len() {
            return Err(StateError::Misfit("it has other collections"));
        }
        names.iter().zip(highest).for_each(|(name, highest)| self.collections.keep_numbers(name, *highest));
        Ok(())
    }
}

/// The runs of a scenario's timelines, each where its state says.
fn resumed<'r, R: 'r, S>(
    runs: impl Iterator<Item = &'r R>,
    states: Vec<S>,
    resume: impl Fn(&R, S) -> Option<Run>,
) -> Result<Vec<Run>, StateError> {
    let runs: Vec<&R> = runs.collect();
    if runs.len() != states.len() {
        return Err(StateError::Misfit("it has other scripts or generators"));
    }
    let resumed: Option<Vec<Run>> = runs.into_iter().zip(states).map(|(run, state)| resume(run, state)).collect();
    resumed.ok_or(StateError::Misfit("it has a script with fewer steps"))
}

/// The counters in their order, and the rows of each collection with counters in theirs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsState {
    by_row: Vec<DeclaredOr<CounterState>>,
    collections: Vec<Vec<DeclaredOr<WrittenRow>>>,
}

/// What the scenario declares, by its id, or something else.
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
struct WrittenRow {
    id: Arc<str>,
    has_number_id: bool,
    own: Map<String, Value>,
    #[serde(rename = "order")]
    framed: Map<String, Value>,
    value: i64,
}

/// As [`whole_row`], for several.
pub(super) mod whole_rows {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::WrittenRow;
    use crate::scenario::Row;

    pub(in crate::engine) fn serialize<S: Serializer>(rows: &[Arc<Row>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(rows.iter().map(|row| WrittenRow::of(row)))
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Arc<Row>>, D::Error> {
        let rows = Vec::<WrittenRow>::deserialize(deserializer)?;
        Ok(rows.into_iter().map(|row| Arc::new(row.into_row())).collect())
    }
}

impl WrittenRow {
    fn of(row: &Row) -> Self {
        let (id, (own, framed, value)) = (row.id().clone(), row.content());
        Self { id, has_number_id: row.has_number_id(), own: own.clone(), framed: framed.clone(), value }
    }

    fn into_row(self) -> Row {
        Row::written(self.id, self.own, self.framed, self.value).with_number_id(self.has_number_id)
    }
}

/// A row that no scenario declares, for serde's `with`.
pub(super) mod whole_row {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::WrittenRow;
    use crate::scenario::Row;

    pub(in crate::engine) fn serialize<S: Serializer>(row: &Row, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenRow::of(row).serialize(serializer)
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Row>, D::Error> {
        Ok(Arc::new(WrittenRow::deserialize(deserializer)?.into_row()))
    }
}

/// Writes rows down, those that are as declared by their ids.
fn written_beside(declared: &[Arc<Row>]) -> impl Fn(&Arc<Row>) -> DeclaredOr<WrittenRow> {
    let declared: HashMap<&str, &Arc<Row>> = declared.iter().map(|row| (&**row.id(), row)).collect();
    move |row| match declared.get(&**row.id()) {
        Some(same) if *same == row => DeclaredOr::Declared(row.id().clone()),
        _ => DeclaredOr::Other(WrittenRow::of(row)),
    }
}

/// Reads rows of a collection that were written down.
fn read_beside(start: &RowSet, rows: Vec<DeclaredOr<WrittenRow>>) -> Result<Vec<Arc<Row>>, StateError> {
    let declared = start.by_id();
    let row = |row: DeclaredOr<WrittenRow>| match row {
        DeclaredOr::Declared(id) => declared.get(&*id).map(|row| Arc::clone(row)),
        DeclaredOr::Other(state) => Some(Arc::new(state.into_row())),
    };
    let rows: Option<Vec<_>> = rows.into_iter().map(row).collect();
    rows.ok_or(StateError::Misfit("it has an unknown row"))
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
            row_set.rows().iter().map(written_beside(declared)).collect()
        });
        Self { by_row: engine.counters.iter().map(counter).collect(), collections: collections.collect() }
    }

    fn put_in(self, engine: &mut Engine, start: &Engine) -> Result<(), StateError> {
        if self.collections.len() != start.collections.counted().count() {
            return Err(StateError::Misfit("it has other collections"));
        }
        let added = self.by_row.iter().filter_map(|counter| match counter {
            DeclaredOr::Other(CounterState { id, declared: false, .. }) => Some(id.clone()),
            _ => None,
        });
        let added: HashSet<Arc<str>> = added.collect();
        let mut collections = start.collections.clone();
        for ((name, row_set), rows) in start.collections.counted().zip(self.collections) {
            let (added, declared) = read_beside(row_set, rows)?.into_iter().partition(|row| added.contains(row.id()));
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
                    let declared = start.counters.get(&id).ok_or(StateError::Misfit("it has an unknown counter"))?;
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

/// Where a fault is.
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

/// Where to find what was declared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FaultOrigin {
    /// It is that one of the scenario's faults.
    Declared(usize),
    /// That step of that script brings it.
    Step(usize, usize),
    /// It is in no scenario.
    Written(String),
}

impl FaultRunState {
    fn of(run: &FaultRun, engine: &Engine) -> Self {
        let is_it = |fault: &Arc<Fault>| Arc::ptr_eq(fault, &run.declared);
        let step = || {
            // Those at work: a script that goes on after a reload has the steps, and their faults, of before.
            let mut steps = engine.timelines.scripts().enumerate().flat_map(|(script, run)| {
                run.declared.steps().iter().enumerate().map(move |(step, declared)| (script, step, declared))
            });
            steps.find_map(|(script, step, declared)| match &declared.action {
                Action::Fault(fault) if is_it(fault) => Some(FaultOrigin::Step(script, step)),
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

    /// The run of that fault, which has hit nothing here yet.
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
        let declared = declared.ok_or(StateError::Misfit("it has an unknown fault"))?;
        let Self { id, run, source, declaration, origin, phase, .. } = self;
        let (matched, hit, rng, sockets) = (0, 0, None, HashMap::new());
        Ok(FaultRun { id, run, declared, source, declaration, origin, phase, matched, hit, rng, sockets })
    }
}
