//! An engine's state as data: written down by one process, taken up by another that has the same scenario.
//!
//! What the scenario declares is not in it, only what has become of that. What faults have hit is not in it either: that is
//! about the sockets and requests of one process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::Engine;
use super::catalogue::{Catalogue, Listing};
use super::fault::{FaultPhase, FaultRun, FaultSource};
use super::ledger::{Account, AccountView, Ledger, Rebuild, Running};
use super::random::GeneratorRunState;
use super::retained::Retained;
use super::script::ScriptRunState;
use crate::scenario::{Action, Fault, Product, Source, parse_fault};

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
    /// What is not as declared, if products came or went.
    products: Option<ProductsState>,
    /// The highest number of an id in each category.
    highest: Vec<u64>,
    /// The totals that have moved, each with the number of its last change.
    totals: Vec<(Arc<str>, i64, u64)>,
    scripts: Vec<ScriptRunState>,
    generators: Vec<GeneratorRunState>,
    faults: Vec<FaultRunState>,
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
    /// The state. `start` is an engine of the same scenario at time 0; the products that both share are not written down.
    #[must_use]
    pub fn save(&self, start: &Self) -> EngineState {
        let products = (!self.ledger.shares_accounts_with(&start.ledger)).then(|| ProductsState::of(self, start));
        let moved = self.ledger.moved();
        EngineState {
            now: self.now,
            sequence: self.sequence,
            seed: self.seed,
            epoch: self.epoch,
            streams: self.streams,
            fault_ids: self.fault_ids,
            products,
            highest: self.catalogue.iter().map(|(_, listing)| listing.highest()).collect(),
            totals: moved.map(|(id, account)| (id.clone(), account.total, account.changed)).collect(),
            scripts: self.scripts.iter().map(ScriptRunState::of).collect(),
            generators: self.generators.iter().map(GeneratorRunState::of).collect(),
            faults: self.faults.iter().map(|run| FaultRunState::of(run, self)).collect(),
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
        if let Some(products) = state.products {
            products.put_in(&mut engine, start)?;
        }
        engine.keep_numbers(&state.highest)?;
        for (id, total, changed) in state.totals {
            let moved = engine.ledger.put(&id, Running { total, changed });
            moved.ok_or(StateError::Misfit("it has a total of an unknown product"))?;
        }
        let seed = engine.seed;
        engine.scripts = resumed(&start.scripts, state.scripts, |run, state| state.resume(run, seed))?;
        engine.generators =
            resumed(&start.generators, state.generators, |run, state| Some(state.resume(run.declared.clone(), seed)))?;
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

/// The accounts in their order, and the products of each category in theirs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductsState {
    accounts: Vec<DeclaredOr<AccountState>>,
    categories: Vec<Vec<DeclaredOr<ProductState>>>,
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
struct AccountState {
    id: Arc<str>,
    category: Arc<str>,
    seed_total: i64,
    declared: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductState {
    id: Arc<str>,
    has_number_id: bool,
    own: Map<String, Value>,
    order: Map<String, Value>,
    total: i64,
}

impl ProductState {
    fn of(product: &Product) -> Self {
        let (id, (own, order, total)) = (product.id().clone(), product.content());
        Self { id, has_number_id: product.has_number_id(), own: own.clone(), order: order.clone(), total }
    }

    fn into_product(self) -> Product {
        Product::written(self.id, self.own, self.order, self.total).with_number_id(self.has_number_id)
    }
}

/// A product that no scenario declares, for serde's `with`.
pub(super) mod whole_product {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::ProductState;
    use crate::scenario::Product;

    pub(in crate::engine) fn serialize<S: Serializer>(product: &Product, serializer: S) -> Result<S::Ok, S::Error> {
        ProductState::of(product).serialize(serializer)
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Product>, D::Error> {
        Ok(Arc::new(ProductState::deserialize(deserializer)?.into_product()))
    }
}

impl ProductsState {
    fn of(engine: &Engine, start: &Engine) -> Self {
        let account = |(id, account): (&Arc<str>, AccountView<'_>)| {
            let Account { category, seed_total, declared, .. } = account.account.clone();
            if start.ledger.get(id).is_some_and(|same| same.account == account.account) {
                DeclaredOr::Declared(id.clone())
            } else {
                DeclaredOr::Other(AccountState { id: id.clone(), category, seed_total, declared })
            }
        };
        let categories = engine.catalogue.iter().map(|(name, listing)| {
            let declared = start.catalogue.get(name).map(Listing::by_id).unwrap_or_default();
            let product = |product: &Arc<Product>| match declared.get(&**product.id()) {
                Some(same) if *same == product => DeclaredOr::Declared(product.id().clone()),
                _ => DeclaredOr::Other(ProductState::of(product)),
            };
            listing.products().iter().map(product).collect()
        });
        Self { accounts: engine.ledger.iter().map(account).collect(), categories: categories.collect() }
    }

    fn put_in(self, engine: &mut Engine, start: &Engine) -> Result<(), StateError> {
        if self.categories.len() != start.catalogue.iter().count() {
            return Err(StateError::Misfit("it has other categories"));
        }
        let mut catalogue = Catalogue::default();
        for ((name, listing), products) in start.catalogue.iter().zip(self.categories) {
            let declared = listing.by_id();
            let product = |product: DeclaredOr<ProductState>| match product {
                DeclaredOr::Declared(id) => declared.get(&*id).map(|product| Arc::clone(product)),
                DeclaredOr::Other(state) => Some(Arc::new(state.into_product())),
            };
            let products: Option<Vec<_>> = products.into_iter().map(product).collect();
            let products = products.ok_or(StateError::Misfit("it has an unknown product"))?;
            catalogue.put(name.clone(), listing.with_products(products));
        }
        let products = catalogue.iter().flat_map(|(_, listing)| listing.products());
        let own_frames: HashMap<&str, &Arc<Product>> =
            products.filter(|product| product.has_own_frames()).map(|product| (&**product.id(), product)).collect();
        let mut rebuild = Rebuild::default();
        for account in self.accounts {
            let (id, account) = match account {
                DeclaredOr::Other(AccountState { id, category, seed_total, declared }) => {
                    let product = own_frames.get(&*id).map(|product| Arc::clone(product));
                    (id, Account { category, seed_total, declared, product })
                }
                DeclaredOr::Declared(id) => {
                    let declared = start.ledger.get(&id).ok_or(StateError::Misfit("it has an unknown account"))?;
                    (id, declared.account.clone())
                }
            };
            let total = account.seed_total;
            rebuild.add(id, account, total, 0);
        }
        engine.catalogue = catalogue;
        let mut ledger = Ledger::default();
        ledger.replace_all(rebuild);
        engine.ledger = ledger;
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
            let mut steps = engine.scripts.iter().enumerate().flat_map(|(script, run)| {
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
        let step = |script: usize, step: usize| match &start.scripts.get(script)?.declared.steps().get(step)?.action {
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
