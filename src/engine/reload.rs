//! A new scenario for a running engine: what stays, and what follows from the list of changes.

use std::collections::HashSet;
use std::sync::Arc;

use super::catalogue::{Catalogue, Listing};
use super::change::Change;
use super::compare::Edits;
use super::event::Event;
use super::ledger::{Entry, Opening};
use super::random::GeneratorRun;
use super::script::ScriptRun;
use super::timelines::{Origin, Pairing, Pairings};
use super::{Engine, holder};
use crate::scenario::{Feed, Generator, Product, Scenario, Script};

/// What a new scenario did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reload {
    /// What changed; see [`Engine::changes`].
    pub changes: Vec<Change>,
    /// The totals that changed or are new.
    pub events: Vec<Event>,
}

impl Engine {
    /// Goes on with another scenario. Running totals stay where the seed total did not change, products added at
    /// run time stay, and scripts and generators whose declaration did not change carry on where they were.
    pub fn replace(&mut self, scenario: &Arc<Scenario>, seed: u64) -> Reload {
        let pairings = Pairings::of(&self.scenario, scenario);
        let changes = self.compare(scenario, seed, &pairings);
        let old = std::mem::replace(&mut self.scenario, scenario.clone());
        self.replace_products(&old, &changes);
        let mut events = self.replace_timelines(&pairings, seed);
        events.extend(changes.iter().filter_map(|change| self.tell(change)));
        Reload { changes, events }
    }

    /// The total that sockets have to hear of because of a change.
    pub(super) fn tell(&mut self, change: &Change) -> Option<Event> {
        let (id, entry) = match change {
            Change::ProductAdded { id, total, .. } | Change::ProductReplaced { id, total, .. } => {
                (id, Entry::Set(*total))
            }
            Change::TotalReset { id, to, .. } => (id, Entry::Set(*to)),
            // The sockets of the new category have not heard of it yet.
            Change::ProductMoved { id, .. } if self.scenario.feed() == Feed::Category => (id, Entry::Add(0)),
            _ => return None,
        };
        // The product is there, and its total is in range: both were declared.
        self.post(id, entry).ok()
    }

    /// Makes ledger and catalogue anew: declared products first, then those added at run time to categories that are
    /// still there.
    fn replace_products(&mut self, old: &Scenario, changes: &[Change]) {
        let new = self.scenario.clone();
        let edits = Edits::between(old, &new);
        let replaced = |change: &Change| match change {
            Change::ProductReplaced { id, .. } => Some(id.clone()),
            _ => None,
        };
        let replaced: HashSet<Arc<str>> = changes.iter().filter_map(replaced).collect();
        let mut opening = Opening::default();
        for (category, product) in new.products() {
            let edited = edits.made.contains_key(&**product.id());
            let fresh = || holder(category.name().clone(), product, true);
            let (holder, total, last_change) = match self.ledger.get(product.id()) {
                Some(_) if replaced.contains(product.id()) => (fresh(), product.total(), 0),
                Some(before) if edited => (fresh(), before.total, before.changed),
                Some(before) if before.holder.declared => (before.holder.clone(), before.total, before.changed),
                None if edited => (fresh(), product.total(), 0),
                // A script took it out, or took it out and put another in its place: that stays so.
                _ => continue,
            };
            opening.add(product.id().clone(), holder, total, last_change);
        }
        let mut catalogue = Catalogue::default();
        for category in new.categories() {
            let name = category.name();
            let before = self.catalogue.get(name);
            let present = category.products().iter().filter(|product| opening.has(product.id()));
            let mut products: Vec<Arc<Product>> = present.cloned().collect();
            for product in before.map(Listing::products).unwrap_or_default() {
                let account = self.ledger.get(product.id()).filter(|account| !account.holder.declared);
                if let Some(account) = account.filter(|_| !opening.has(product.id())) {
                    opening.add(product.id().clone(), account.holder.clone(), account.total, account.changed);
                    products.push(product.clone());
                }
            }
            catalogue.put(name.clone(), Listing::new(category.clone(), products, before.map_or(0, Listing::highest)));
        }
        self.catalogue = catalogue;
        self.ledger.renew(opening);
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
    pub(super) fn replace_timelines(&mut self, pairings: &Pairings, seed: u64) -> Vec<Event> {
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
    let continued = |(origin, declared): (&Origin, &D)| match origin {
        Origin::Kept(index) => runs.get_mut(*index).and_then(Option::take).unwrap_or_else(|| start(declared)),
        Origin::Changed(_) | Origin::Added => start(declared),
    };
    pairing.new.iter().zip(new).map(continued).collect()
}
