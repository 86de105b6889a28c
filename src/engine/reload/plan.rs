//! From one scenario to the next: what changes, worked out once for all engines that play the old one. Nothing is
//! changed here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::change::Change;
use super::pairing::Pairings;
use crate::engine::ledger::AccountView;
use crate::engine::{Engine, Listing};
use crate::scenario::{Category, Product, Scenario};

/// The way from the start of one scenario to that of the next.
#[derive(Debug)]
pub struct ReloadPlan {
    pub(super) old: Engine,
    pub(super) new: Engine,
    pub(super) changes: Vec<Change>,
    pub(super) pairings: Pairings,
}

impl ReloadPlan {
    /// From one engine at its start to another at its own. It takes as long as the scenarios are large; what clients ask
    /// for next is prepared as well.
    #[must_use]
    pub fn new(old: Engine, new: Engine) -> Self {
        new.catalogue.prepare_as(&old.catalogue);
        let pairings = Pairings::of(&old.scenario, &new.scenario);
        let changes = old.compare(&new.scenario, old.seed, &pairings);
        Self { old, new, changes, pairings }
    }

    /// The engine at the start of the new scenario.
    #[must_use]
    pub fn start(&self) -> &Engine {
        &self.new
    }
}

impl Engine {
    /// The changes that a new scenario makes to this engine.
    pub(super) fn compare(&self, new: &Scenario, seed: u64, pairings: &Pairings) -> Vec<Change> {
        let mut changes = Vec::new();
        self.compare_settings(new, seed, &mut changes);
        self.compare_categories(new, &mut changes);
        self.compare_products(new, &mut changes);
        let old = &self.scenario;
        changes.extend(pairings.scripts.changes(old.scripts(), new.scripts()));
        changes.extend(pairings.generators.changes(old.generators(), new.generators()));
        changes.extend(pairings.faults.changes(old.faults(), new.faults()));
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

    fn compare_products(&self, new: &Scenario, changes: &mut Vec<Change>) {
        let edits = Edits::between(&self.scenario, new);
        let all = self.catalogue.iter().flat_map(|(_, listing)| listing.products());
        let current: HashMap<&str, &Arc<Product>> =
            all.filter(|product| edits.made.contains_key(id(product))).map(|product| (id(product), product)).collect();
        for (category, product) in edits.made.values() {
            let (id, to) = (product.id().clone(), category.name().clone());
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

/// A product as a scenario declares it.
type Declared<'s> = (&'s Category, &'s Arc<Product>);

/// What the user edited: a product about which nothing new is said stays as it is, wherever scripts have put it.
pub(super) struct Edits<'s> {
    /// New products, and those of which something else is said than before, in the order of the new scenario.
    pub(super) made: IndexMap<&'s str, Declared<'s>>,
    /// The ids of products that are declared no more.
    gone: HashSet<&'s str>,
}

impl<'s> Edits<'s> {
    /// Only what lies between the first and the last difference is looked at closely: of 100,000 products mostly one has
    /// changed.
    pub(super) fn between(old: &'s Scenario, new: &'s Scenario) -> Self {
        let (mut before, mut after): (Vec<Declared>, Vec<Declared>) =
            (old.products().collect(), new.products().collect());
        let same = before.iter().zip(&after).take_while(|(one, other)| is_same(one, other)).count();
        (before, after) = (before.split_off(same), after.split_off(same));
        let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| is_same(one, other)).count();
        before.truncate(before.len() - same);
        after.truncate(after.len() - same);
        let old: HashMap<&str, Declared> = before.iter().map(|declared| (id(declared.1), *declared)).collect();
        let is_edited = |declared: &&Declared| old.get(id(declared.1)).is_none_or(|old| !is_same(old, declared));
        let made = after.iter().filter(is_edited).map(|declared| (id(declared.1), *declared)).collect();
        let kept: HashSet<&str> = after.iter().map(|declared| id(declared.1)).collect();
        Self { made, gone: old.into_keys().filter(|id| !kept.contains(id)).collect() }
    }
}

fn is_same((category, product): &Declared, (other_category, other): &Declared) -> bool {
    category.name() == other_category.name() && (Arc::ptr_eq(product, other) || product == other)
}
