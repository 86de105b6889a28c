//! A new scenario for a running engine: what stays, and what follows from the list of changes.
//!
//! [`ReloadPlan`] works out what is the same for all engines; [`Engine::reload`] applies it to one. Declarations are compared
//! once: by the plan for an engine that still has the declared products, by the engine for any other.

mod change;
mod pairing;
mod plan;

use std::collections::HashSet;
use std::sync::Arc;

use super::catalogue::{Catalogue, Listing};
use super::event::Event;
use super::ledger::{Ledger, Rebuild, TotalChange};
use super::random::GeneratorRun;
use super::script::ScriptRun;
use super::{Engine, account};
use crate::scenario::{Feed, Generator, Product, Scenario, Script};
pub use change::Change;
use pairing::{Continuation, Pairings};
pub(super) use pairing::{Declaration, Pairing};
use plan::Edits;
pub use plan::ReloadPlan;

/// What a new scenario did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reload {
    /// What changed; see [`Engine::changes`].
    pub changes: Vec<Change>,
    /// The totals that changed or are new.
    pub events: Vec<Event>,
}

impl Engine {
    /// The changes that [`Engine::replace`] would make, in the order of the new scenario. Empty if there is nothing to do.
    #[must_use]
    pub fn changes(&self, new: &Scenario, seed: u64) -> Vec<Change> {
        self.compare(new, seed, &Pairings::of(&self.scenario, new))
    }

    /// Goes on with another scenario. Running totals stay where the seed total did not change, products added at
    /// run time stay, and scripts and generators whose declaration did not change carry on where they were.
    pub fn replace(&mut self, scenario: &Arc<Scenario>, seed: u64) -> Reload {
        let pairings = Pairings::of(&self.scenario, scenario);
        self.replace_paired(scenario, seed, &pairings)
    }

    /// As [`Engine::replace`] with the scenario that the plan leads to. An engine in which no product came or went at run
    /// time shares the products of the new start from then on.
    pub fn reload(&mut self, plan: &ReloadPlan, seed: u64) -> Reload {
        let ReloadPlan { old, new, changes, pairings } = plan;
        if !Arc::ptr_eq(&self.scenario, &old.scenario) {
            return self.replace(&new.scenario, seed);
        }
        if !self.ledger.shares_accounts_with(&old.ledger) {
            return self.replace_paired(&new.scenario, seed, pairings);
        }
        let changes = self.as_seen_here(changes, seed);
        self.scenario = new.scenario.clone();
        let before = std::mem::replace(&mut self.catalogue, new.catalogue.clone());
        for (name, listing) in before.iter() {
            self.catalogue.keep_numbers(name, Listing::highest(listing));
        }
        self.ledger = Ledger::carried_over(&new.ledger, &self.ledger);
        let events = self.follow(&changes, pairings, seed);
        Reload { changes, events }
    }

    fn replace_paired(&mut self, scenario: &Arc<Scenario>, seed: u64, pairings: &Pairings) -> Reload {
        let changes = self.compare(scenario, seed, pairings);
        let old = std::mem::replace(&mut self.scenario, scenario.clone());
        self.replace_products(&old, &changes);
        let events = self.follow(&changes, pairings, seed);
        Reload { changes, events }
    }

    /// The changes of a plan with this engine's totals and seed.
    fn as_seen_here(&self, changes: &[Change], seed: u64) -> Vec<Change> {
        let mut changes = changes.to_vec();
        for change in &mut changes {
            if let Change::TotalReset { id, from, .. } = change {
                *from = self.ledger.get(id).map_or(*from, |account| account.total);
            }
        }
        if seed != self.seed {
            let after_name = usize::from(matches!(changes.first(), Some(Change::Name { .. })));
            changes.insert(after_name, Change::Seed { from: self.seed, to: seed });
        }
        changes
    }

    fn follow(&mut self, changes: &[Change], pairings: &Pairings, seed: u64) -> Vec<Event> {
        let mut events = self.replace_timelines(pairings, seed);
        events.extend(changes.iter().filter_map(|change| self.total_after(change)));
        events
    }

    /// The event of the total that a change sets.
    fn total_after(&mut self, change: &Change) -> Option<Event> {
        let (id, total) = match change {
            Change::ProductAdded { id, total, .. } | Change::ProductReplaced { id, total, .. } => {
                (id, TotalChange::Set(*total))
            }
            Change::TotalReset { id, to, .. } => (id, TotalChange::Set(*to)),
            // The sockets of the new category have not heard of it yet.
            Change::ProductMoved { id, .. } if self.scenario.feed() == Feed::Category => (id, TotalChange::Add(0)),
            _ => return None,
        };
        // The product is there, and its total is in range: both were declared.
        self.change_total(id, total).ok()
    }

    /// Rebuilds ledger and catalogue: declared products first, then those added at run time to categories that are
    /// still there.
    fn replace_products(&mut self, old: &Scenario, changes: &[Change]) {
        let new = self.scenario.clone();
        let edits = Edits::between(old, &new);
        let replaced = |change: &Change| match change {
            Change::ProductReplaced { id, .. } => Some(id.clone()),
            _ => None,
        };
        let replaced: HashSet<Arc<str>> = changes.iter().filter_map(replaced).collect();
        let mut rebuild = Rebuild::default();
        for (category, product) in new.products() {
            let edited = edits.made.contains_key(&**product.id());
            let fresh = || account(category.name().clone(), product, true);
            let (owner, total, last_change) = match self.ledger.get(product.id()) {
                Some(_) if replaced.contains(product.id()) => (fresh(), product.total(), 0),
                Some(before) if edited => (fresh(), before.total, before.changed),
                Some(before) if before.account.declared => (before.account.clone(), before.total, before.changed),
                None if edited => (fresh(), product.total(), 0),
                // A script took it out, or took it out and put another in its place: that stays so.
                _ => continue,
            };
            rebuild.add(product.id().clone(), owner, total, last_change);
        }
        let mut catalogue = Catalogue::default();
        for category in new.categories() {
            let name = category.name();
            let before = self.catalogue.get(name);
            let present = category.products().iter().filter(|product| rebuild.has(product.id()));
            let mut products: Vec<Arc<Product>> = present.cloned().collect();
            for product in before.map(Listing::products).unwrap_or_default() {
                let account = self.ledger.get(product.id()).filter(|account| !account.account.declared);
                if let Some(account) = account.filter(|_| !rebuild.has(product.id())) {
                    rebuild.add(product.id().clone(), account.account.clone(), account.total, account.changed);
                    products.push(product.clone());
                }
            }
            catalogue.put(name.clone(), Listing::new(category.clone(), products, before.map_or(0, Listing::highest)));
        }
        self.catalogue = catalogue;
        self.ledger.replace_all(rebuild);
    }

    /// Starts all scripts and generators of the scenario.
    pub(super) fn start_timelines(&mut self) {
        let scenario = self.scenario.clone();
        self.scripts = scenario.scripts().iter().map(|script| ScriptRun::new(script.clone(), self.now)).collect();
        self.generators = scenario.generators().iter().map(|generator| self.start_generator(generator)).collect();
    }

    fn start_generator(&mut self, declared: &Generator) -> GeneratorRun {
        self.streams += 1;
        GeneratorRun::new(Arc::new(declared.clone()), self.now, self.seed, self.streams - 1)
    }

    /// Gives what became of faults.
    fn replace_timelines(&mut self, pairings: &Pairings, seed: u64) -> Vec<Event> {
        let scenario = self.scenario.clone();
        if seed != self.seed {
            self.generators.iter_mut().for_each(|run| run.reseed(seed));
            self.seed = seed;
        }
        let now = self.now;
        let runs = std::mem::take(&mut self.scripts);
        let start = |script: &Script| ScriptRun::new(script.clone(), now);
        self.scripts = carry_on(runs, &pairings.scripts, scenario.scripts(), start);
        let runs = std::mem::take(&mut self.generators);
        let start = |generator: &Generator| self.start_generator(generator);
        self.generators = carry_on(runs, &pairings.generators, scenario.generators(), start);
        self.replace_faults(&pairings.faults)
    }
}

/// Keeps the runs whose declaration stays, and starts the others. The runs are in the order of the old declarations.
pub(super) fn carry_on<R, D>(runs: Vec<R>, pairing: &Pairing, new: &[D], mut start: impl FnMut(&D) -> R) -> Vec<R> {
    let mut runs: Vec<Option<R>> = runs.into_iter().map(Some).collect();
    let run = |(continued, declared): (&Continuation, &D)| match continued {
        Continuation::Kept(index) => runs.get_mut(*index).and_then(Option::take).unwrap_or_else(|| start(declared)),
        Continuation::Changed(_) | Continuation::Added => start(declared),
    };
    pairing.new.iter().zip(new).map(run).collect()
}
