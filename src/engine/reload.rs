//! A new scenario for a running engine: what changes, and what goes on.
//!
//! [`Comparison`] holds what differs between the declarations of two scenarios. A [`ReloadPlan`] makes it once for all engines
//! that play the old one, also for those in which products came or went; [`Engine::reload`] applies the plan to one.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::catalogue::{Catalogue, Listing};
use super::change::{Change, Pairing, carry_on};
use super::event::Event;
use super::ledger::{AccountView, Ledger, Rebuild, TotalChange};
use super::random::GeneratorRun;
use super::script::ScriptRun;
use super::{Engine, account};
use crate::scenario::{Category, Feed, Generator, Product, Scenario, Script};

/// What a new scenario did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reload {
    /// What changed; see [`Engine::changes`].
    pub changes: Vec<Change>,
    /// The totals that changed or are new.
    pub events: Vec<Event>,
}

/// The way from the start of one scenario to that of the next.
#[derive(Debug)]
pub struct ReloadPlan {
    old: Engine,
    new: Engine,
    changes: Vec<Change>,
    comparison: Comparison,
}

impl ReloadPlan {
    /// From one engine at its start to another at its own. It takes as long as the scenarios are large.
    #[must_use]
    pub fn new(old: Engine, new: Engine) -> Self {
        let comparison = Comparison::of(&old.scenario, &new.scenario);
        let changes = old.compare(&new.scenario, old.seed, &comparison);
        Self { old, new, changes, comparison }
    }

    /// The engine at the start of the new scenario.
    #[must_use]
    pub fn start(&self) -> &Engine {
        &self.new
    }
}

impl Engine {
    /// The changes that [`Engine::replace`] would make, in the order of the new scenario. Empty if there is nothing to do.
    #[must_use]
    pub fn changes(&self, new: &Scenario, seed: u64) -> Vec<Change> {
        self.compare(new, seed, &Comparison::of(&self.scenario, new))
    }

    /// Goes on with another scenario. Running totals stay where the seed total did not change, products added at
    /// run time stay, and scripts and generators whose declaration did not change carry on where they were.
    pub fn replace(&mut self, scenario: &Arc<Scenario>, seed: u64) -> Reload {
        let comparison = Comparison::of(&self.scenario, scenario);
        self.replace_compared(scenario, seed, &comparison)
    }

    /// As [`Engine::replace`] with the scenario that the plan leads to. An engine in which no product came or went at run
    /// time shares the products of the new start from then on.
    pub fn reload(&mut self, plan: &ReloadPlan, seed: u64) -> Reload {
        let ReloadPlan { old, new, changes, comparison } = plan;
        if !Arc::ptr_eq(&self.scenario, &old.scenario) {
            return self.replace(&new.scenario, seed);
        }
        if !self.ledger.shares_accounts_with(&old.ledger) {
            return self.replace_compared(&new.scenario, seed, comparison);
        }
        let changes = self.as_seen_here(changes, seed);
        self.scenario = new.scenario.clone();
        let before = std::mem::replace(&mut self.catalogue, new.catalogue.clone());
        for (name, listing) in before.iter() {
            self.catalogue.keep_numbers(name, Listing::highest(listing));
        }
        self.ledger = Ledger::carried_over(&new.ledger, &self.ledger);
        let events = self.follow(&changes, comparison, seed);
        Reload { changes, events }
    }

    fn replace_compared(&mut self, scenario: &Arc<Scenario>, seed: u64, comparison: &Comparison) -> Reload {
        let changes = self.compare(scenario, seed, comparison);
        self.scenario = scenario.clone();
        self.replace_products(&comparison.products, &changes);
        let events = self.follow(&changes, comparison, seed);
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

    fn follow(&mut self, changes: &[Change], comparison: &Comparison, seed: u64) -> Vec<Event> {
        let mut events = self.replace_timelines(comparison, seed);
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
    fn replace_products(&mut self, edits: &ProductEdits, changes: &[Change]) {
        let new = self.scenario.clone();
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
        self.scripts =
            scenario.scripts().iter().map(|script| ScriptRun::new(script.clone(), self.now, self.seed)).collect();
        self.generators = scenario.generators().iter().map(|generator| self.start_generator(generator)).collect();
    }

    fn start_generator(&mut self, declared: &Generator) -> GeneratorRun {
        self.streams += 1;
        GeneratorRun::new(Arc::new(declared.clone()), self.now, self.seed, self.streams - 1)
    }

    /// Gives what became of faults.
    fn replace_timelines(&mut self, comparison: &Comparison, seed: u64) -> Vec<Event> {
        let scenario = self.scenario.clone();
        if seed != self.seed {
            self.generators.iter_mut().for_each(|run| run.reseed(seed));
            self.scripts.iter_mut().for_each(|run| run.reseed(seed));
            self.seed = seed;
        }
        let now = self.now;
        let runs = std::mem::take(&mut self.scripts);
        let start = |script: &Script| ScriptRun::new(script.clone(), now, seed);
        self.scripts = carry_on(runs, &comparison.scripts, scenario.scripts(), start);
        let runs = std::mem::take(&mut self.generators);
        let start = |generator: &Generator| self.start_generator(generator);
        self.generators = carry_on(runs, &comparison.generators, scenario.generators(), start);
        self.replace_faults(&comparison.faults)
    }
}

/// What changes.
impl Engine {
    /// The changes that a new scenario makes to this engine.
    fn compare(&self, new: &Scenario, seed: u64, comparison: &Comparison) -> Vec<Change> {
        let mut changes = Vec::new();
        self.compare_settings(new, seed, &mut changes);
        self.compare_categories(new, &mut changes);
        self.compare_products(new, &comparison.products, &mut changes);
        let old = &self.scenario;
        changes.extend(comparison.scripts.changes(old.scripts(), new.scripts()));
        changes.extend(comparison.generators.changes(old.generators(), new.generators()));
        changes.extend(comparison.faults.changes(old.faults(), new.faults()));
        changes
    }

    fn compare_settings(&self, new: &Scenario, seed: u64, changes: &mut Vec<Change>) {
        let old = &self.scenario;
        if old.name() != new.name() {
            changes.push(Change::Name { from: old.name().to_owned(), to: new.name().to_owned() });
        }
        if seed != self.seed {
            changes.push(Change::Seed { from: self.seed, to: seed });
        }
        if old.feed() != new.feed() {
            changes.push(Change::Feed { to: new.feed() });
        }
        let keys = new.server().differing_keys(&self.started_with);
        if !keys.is_empty() {
            changes.push(Change::NeedsRestart { keys });
        }
    }

    fn compare_categories(&self, new: &Scenario, changes: &mut Vec<Change>) {
        let (before, after) = (by_name(&self.scenario), by_name(new));
        for category in new.categories() {
            let name = category.name().clone();
            match before.get(&*name) {
                None => changes.push(Change::CategoryAdded { category: name }),
                Some(old) => {
                    let keys = category.differing_keys(old);
                    if !keys.is_empty() {
                        changes.push(Change::CategoryChanged { category: name.clone(), keys });
                    }
                    if self.is_reordered(category) {
                        changes.push(Change::Reordered { category: name });
                    }
                }
            }
        }
        let gone = self.scenario.categories().iter().map(Category::name).filter(|name| !after.contains_key(&***name));
        changes.extend(gone.map(|name| Change::CategoryRemoved { category: name.clone() }));
    }

    /// Whether products that were declared in the category and still are stand in another order.
    fn is_reordered(&self, category: &Category) -> bool {
        let before = self.catalogue.get(category.name()).map(Listing::products).unwrap_or_default();
        if before.iter().map(id).eq(category.products().iter().map(id)) {
            return false;
        }
        let is_declared =
            |product: &&Arc<Product>| self.ledger.get(product.id()).is_some_and(|account| account.account.declared);
        let before = before.iter().filter(is_declared);
        let places: HashMap<&str, usize> = before.zip(0..).map(|(product, at)| (&**product.id(), at)).collect();
        !category.products().iter().filter_map(|product| places.get(&**product.id())).is_sorted()
    }

    fn compare_products(&self, new: &Scenario, edits: &ProductEdits, changes: &mut Vec<Change>) {
        let all = self.catalogue.iter().flat_map(|(_, listing)| listing.products());
        let current: HashMap<&str, &Arc<Product>> =
            all.filter(|product| edits.made.contains_key(id(product))).map(|product| (id(product), product)).collect();
        for (category, product) in edits.made.values() {
            let (id, to) = (product.id().clone(), category.clone());
            let Some(account) = self.ledger.get(&id) else {
                changes.push(Change::ProductAdded { id, category: to, total: product.total() });
                continue;
            };
            let keys = current.get(&*id).map(|before| product.differing_keys(before)).unwrap_or_default();
            if !account.account.declared && !keys.is_empty() {
                changes.push(Change::ProductReplaced { id, category: to, total: product.total() });
                continue;
            }
            if account.account.category != to {
                changes.push(Change::ProductMoved { id: id.clone(), from: account.account.category.clone(), to });
            }
            if !keys.is_empty() {
                changes.push(Change::ProductChanged { id: id.clone(), keys });
            }
            if account.account.seed_total != product.total() {
                changes.push(Change::TotalReset { id, from: account.total, to: product.total() });
            }
        }
        let categories = by_name(new);
        let gone = self.ledger.iter().filter(|(id, account)| {
            if account.account.declared {
                return edits.gone.contains(&***id);
            }
            // It was added at run time, and stays as long as its category.
            !edits.made.contains_key(&***id) && !categories.contains_key(&*account.account.category)
        });
        let removed = |(id, account): (&Arc<str>, AccountView<'_>)| Change::ProductRemoved {
            id: id.clone(),
            category: account.account.category.clone(),
        };
        changes.extend(gone.map(removed));
    }
}

fn by_name(scenario: &Scenario) -> HashMap<&str, &Category> {
    scenario.categories().iter().map(|category| (&**category.name(), category)).collect()
}

fn id(product: &Arc<Product>) -> &str {
    product.id()
}

/// How the declarations of two scenarios differ, whatever has become of them in an engine. Comparing scripts of a million
/// steps takes a while: it is done once per reload.
#[derive(Debug)]
struct Comparison {
    products: ProductEdits,
    scripts: Pairing,
    generators: Pairing,
    faults: Pairing,
}

impl Comparison {
    fn of(old: &Scenario, new: &Scenario) -> Self {
        Self {
            products: ProductEdits::between(old, new),
            scripts: Pairing::of(old.scripts(), new.scripts()),
            generators: Pairing::of(old.generators(), new.generators()),
            faults: Pairing::of(old.faults(), new.faults()),
        }
    }
}

/// What the user edited: a product that is declared as before stays as it is, wherever scripts have put it.
#[derive(Debug)]
struct ProductEdits {
    /// New products, and those that are declared otherwise than before, each with its category, in the order of the new
    /// scenario.
    made: IndexMap<Arc<str>, (Arc<str>, Arc<Product>)>,
    /// The ids of products that are no longer declared.
    gone: HashSet<Arc<str>>,
}

/// A product as a scenario declares it.
type Declared<'s> = (&'s Category, &'s Arc<Product>);

impl ProductEdits {
    /// Looks closely only at what lies between the first and the last difference: of 100,000 products mostly one has changed.
    fn between(old: &Scenario, new: &Scenario) -> Self {
        let (mut before, mut after): (Vec<Declared>, Vec<Declared>) =
            (old.products().collect(), new.products().collect());
        let same = before.iter().zip(&after).take_while(|(one, other)| is_same(one, other)).count();
        (before, after) = (before.split_off(same), after.split_off(same));
        let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| is_same(one, other)).count();
        before.truncate(before.len() - same);
        after.truncate(after.len() - same);
        let old: HashMap<&str, Declared> = before.iter().map(|declared| (id(declared.1), *declared)).collect();
        let kept: HashSet<&str> = after.iter().map(|declared| id(declared.1)).collect();
        let gone = before.iter().filter(|declared| !kept.contains(id(declared.1)));
        let made = after.iter().filter(|declared| old.get(id(declared.1)).is_none_or(|old| !is_same(old, declared)));
        Self {
            gone: gone.map(|(_, product)| product.id().clone()).collect(),
            made: made
                .map(|(category, product)| (product.id().clone(), (category.name().clone(), Arc::clone(product))))
                .collect(),
        }
    }
}

fn is_same((category, product): &Declared, (other_category, other): &Declared) -> bool {
    category.name() == other_category.name() && (Arc::ptr_eq(product, other) || product == other)
}
