//! A new scenario for a running engine: what stays, what changes, and a list that says so.

use std::sync::Arc;

use indexmap::IndexMap;

use super::catalogue::{Catalogue, Listing};
use super::change::Change;
use super::event::Event;
use super::ledger::{Account, Entry};
use super::random::GeneratorRun;
use super::script::ScriptRun;
use super::{Engine, account};
use crate::scenario::{Feed, Generator, Product, Scenario, Script};

/// What a new scenario did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reload {
    /// What changed, in the order of the new scenario.
    pub changes: Vec<Change>,
    /// The totals that changed or are new.
    pub events: Vec<Event>,
}

impl Engine {
    /// Goes on with another scenario. Running totals stay where the seed total did not change, products added at
    /// run time stay, and scripts and generators whose declaration did not change carry on where they were.
    pub fn replace(&mut self, scenario: &Arc<Scenario>, seed: u64) -> Reload {
        let old = std::mem::replace(&mut self.scenario, scenario.clone());
        let mut reload = Reload::default();
        let changes = &mut reload.changes;
        if seed != self.seed {
            changes.push(Change::Seed { from: self.seed, to: seed });
        }
        self.compare_settings(&old, changes);
        let told = self.replace_products(&old, changes);
        self.replace_timelines(seed, changes);
        for (id, total) in told {
            // The account was just made, and a seed total is in range.
            reload.events.extend(self.post(&id, Entry::Set(total)));
        }
        reload
    }

    fn compare_settings(&self, old: &Scenario, changes: &mut Vec<Change>) {
        let new = &self.scenario;
        if old.name() != new.name() {
            changes.push(Change::Name);
        }
        if old.feed() != new.feed() {
            changes.push(Change::Feed);
        }
        let keys = new.server().differing_keys(old.server());
        if !keys.is_empty() {
            changes.push(Change::NeedsRestart(keys));
        }
    }

    /// Makes ledger and catalogue anew; gives the totals that have to be told to the sockets.
    fn replace_products(&mut self, old: &Scenario, changes: &mut Vec<Change>) -> Vec<(Arc<str>, i64)> {
        let new = self.scenario.clone();
        let before: IndexMap<&str, &Product> =
            old.products().map(|(_, product)| (&**product.id(), &**product)).collect();
        let mut accounts: IndexMap<Arc<str>, Account> = IndexMap::new();
        let mut told = Vec::new();
        for (category, product) in new.products() {
            let id = product.id();
            let declared_before = before.get(&**id).copied();
            let Some(account) = self.ledger.get(id) else {
                // Not there although declared before: a script took it out, and saving the file brings it back
                // only if what is said about it is new.
                if declared_before != Some(&**product) {
                    changes.push(Change::ProductAdded(id.clone()));
                    told.push((id.clone(), product.total()));
                    accounts.insert(id.clone(), self::account(category.name().clone(), product, true));
                }
                continue;
            };
            let mut account = account.clone();
            if account.category != *category.name() {
                changes.push(Change::ProductMoved { id: id.clone(), to: category.name().clone() });
            } else if declared_before
                .is_none_or(|before| before.own() != product.own() || before.order() != product.order())
            {
                changes.push(Change::ProductChanged(id.clone()));
            }
            if account.seed_total != product.total() {
                changes.push(Change::TotalReset { id: id.clone(), from: account.total, to: product.total() });
                told.push((id.clone(), product.total()));
            } else if account.category != *category.name() && new.feed() == Feed::Category {
                // The sockets of the new category have not heard of it yet.
                told.push((id.clone(), account.total));
            }
            account.category = category.name().clone();
            account.seed_total = product.total();
            account.declared = true;
            accounts.insert(id.clone(), account);
        }
        self.replace_catalogue(old, &mut accounts, changes);
        self.ledger.renew(accounts);
        told
    }

    /// Declared products first, then those added at run time to categories that are still there.
    fn replace_catalogue(
        &mut self,
        old: &Scenario,
        accounts: &mut IndexMap<Arc<str>, Account>,
        changes: &mut Vec<Change>,
    ) {
        let new = self.scenario.clone();
        let mut catalogue = Catalogue::default();
        for category in new.categories() {
            let name = category.name();
            let listing = self.catalogue.get(name);
            let present = category.products().iter().filter(|product| accounts.contains_key(product.id()));
            let mut products: Vec<Arc<Product>> = present.cloned().collect();
            for product in listing.map(Listing::products).unwrap_or_default() {
                let account = self.ledger.get(product.id());
                if let Some(account) =
                    account.filter(|account| !account.declared && !accounts.contains_key(product.id()))
                {
                    accounts.insert(product.id().clone(), account.clone());
                    products.push(product.clone());
                }
            }
            if listing.is_none() {
                changes.push(Change::CategoryAdded(name.clone()));
            } else if reordered(listing.map(Listing::products).unwrap_or_default(), &products) {
                changes.push(Change::Reordered(name.clone()));
            }
            let highest = listing.map_or(0, Listing::highest);
            catalogue.put(name.clone(), Listing::new(category.clone(), products, highest));
        }
        let gone =
            old.categories().iter().map(crate::scenario::Category::name).filter(|name| catalogue.get(name).is_none());
        changes.extend(gone.map(|name| Change::CategoryRemoved(name.clone())));
        let gone = self.ledger.iter().map(|(id, _)| id).filter(|id| !accounts.contains_key(*id));
        changes.extend(gone.map(|id| Change::ProductRemoved(id.clone())));
        self.catalogue = catalogue;
    }

    /// Starts all scripts and generators of the scenario.
    pub(super) fn renew_timelines(&mut self) {
        self.replace_timelines(self.seed, &mut Vec::new());
    }

    fn replace_timelines(&mut self, seed: u64, changes: &mut Vec<Change>) {
        let scenario = self.scenario.clone();
        let now = self.now;
        if seed != self.seed {
            self.generators.iter_mut().for_each(|run| run.reseed(seed));
            self.seed = seed;
        }
        let start = |script: &Script| ScriptRun::new(script.clone(), now);
        let scripts = carry_on(&mut self.scripts, scenario.scripts(), |run| &run.declared, start);
        changes.extend(scripts.counted(Change::ScriptsStarted, Change::ScriptsStopped));
        let streams = &mut self.streams;
        let start = |generator: &Generator| {
            *streams += 1;
            GeneratorRun::new(generator.clone(), now, seed, *streams - 1)
        };
        let generators = carry_on(&mut self.generators, scenario.generators(), |run| &run.declared, start);
        changes.extend(generators.counted(Change::GeneratorsStarted, Change::GeneratorsStopped));
    }
}

/// Whether products that are in both lists stand in another order.
fn reordered(before: &[Arc<Product>], after: &[Arc<Product>]) -> bool {
    let places: IndexMap<&str, usize> = before.iter().enumerate().map(|(at, product)| (&**product.id(), at)).collect();
    let kept = after.iter().filter_map(|product| places.get(&**product.id()));
    !kept.is_sorted()
}

struct Turnover {
    started: usize,
    stopped: usize,
}

impl Turnover {
    fn counted(&self, started: fn(usize) -> Change, stopped: fn(usize) -> Change) -> impl Iterator<Item = Change> {
        let started = (self.started > 0).then(|| started(self.started));
        started.into_iter().chain((self.stopped > 0).then(|| stopped(self.stopped)))
    }
}

/// Keeps the runs whose declaration is still there, each for one declaration, and starts the others.
fn carry_on<R, D: PartialEq>(
    runs: &mut Vec<R>,
    declared: &[D],
    declaration: impl Fn(&R) -> &D,
    mut start: impl FnMut(&D) -> R,
) -> Turnover {
    let mut old: Vec<Option<R>> = runs.drain(..).map(Some).collect();
    let mut started = 0;
    for one in declared {
        let same = old.iter_mut().find(|run| run.as_ref().is_some_and(|run| declaration(run) == one));
        runs.push(same.and_then(Option::take).unwrap_or_else(|| {
            started += 1;
            start(one)
        }));
    }
    Turnover { started, stopped: old.iter().flatten().count() }
}
