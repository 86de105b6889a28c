//! What a new scenario makes of the rows of one engine: what has become of them at run time stays with them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::catalogue::{Catalogue, Listing};
use crate::engine::ledger::{Account, AccountView, Rebuild, Running};
use crate::engine::retained::{AddedRow, RecalledRows, RetainedRow, RowState};
use crate::engine::rows::{RowEdit, RowEdits};
use crate::engine::{Engine, account};
use crate::scenario::{Product, Scenario};

/// What becomes of the rows of one engine.
#[derive(Debug)]
pub(super) struct RowTransition {
    /// Of each edit, in order.
    pub(super) outcomes: Vec<RowOutcome>,
    /// The products that were added at run time, went, and are back.
    pub(super) back: Vec<AddedRow>,
    recalled: RecalledRows,
}

/// What becomes of the row of one edit.
#[derive(Debug)]
pub(super) struct RowOutcome {
    /// Its total; `None` if it is off sale.
    pub(super) running: Option<Running>,
    /// The keys in which it differs from the product that has had its id.
    pub(super) keys: Vec<String>,
    /// Whether it takes its id from a product that was added at run time.
    pub(super) displaces: bool,
}

impl RowTransition {
    /// Whether the engine has exactly the products that the new scenario declares, if it had those of the old one.
    pub(super) fn is_as_declared(&self) -> bool {
        self.back.is_empty() && self.outcomes.iter().all(|outcome| outcome.running.is_some())
    }

    /// Whether an earlier reload has a say in it.
    pub(super) fn is_recalled(&self) -> bool {
        !self.recalled.is_empty()
    }

    /// Whether the edits declare the id, and its row is on sale.
    pub(super) fn declares(&self, edits: &RowEdits, id: &str) -> bool {
        self.outcome(edits, id).is_some_and(|outcome| outcome.running.is_some())
    }

    fn outcome(&self, edits: &RowEdits, id: &str) -> Option<&RowOutcome> {
        self.outcomes.get(edits.made.get_index_of(id)?)
    }
}

impl RowEdit {
    /// Whether its total is that of its id, of the account that has had it.
    pub(super) fn is_of_its_id(&self, account: &AccountView<'_>) -> bool {
        self.keeps_id() || self.origin.is_none() && !account.account.declared
    }
}

impl Engine {
    /// What becomes of the rows of this engine. `start` is the same of an engine with the same products, if that is at hand.
    pub(super) fn row_transition(
        &self,
        new: &Scenario,
        edits: &RowEdits,
        start: Option<&RowTransition>,
    ) -> RowTransition {
        let recalled =
            self.retained.recall(edits.made.values().filter(|edit| edit.origin.is_none() || edit.gains_seed_total));
        let recall = |edit: &RowEdit| recalled.get(edit.product.id());
        let outcomes = if let Some(start) = start {
            let keys = start.outcomes.iter().map(|outcome| outcome.keys.clone());
            edits.made.values().zip(keys).map(|(edit, keys)| self.outcome(edit, keys, recall(edit))).collect()
        } else {
            let all = self.catalogue.iter().flat_map(|(_, listing)| listing.products());
            let edited = all.filter(|product| edits.made.contains_key(product.id()));
            let current: HashMap<&str, &Product> = edited.map(|product| (&**product.id(), &**product)).collect();
            let keys = |edit: &RowEdit| {
                let before = current.get(&**edit.product.id());
                before.map(|before| edit.product.differing_keys(before)).unwrap_or_default()
            };
            edits.made.values().map(|edit| self.outcome(edit, keys(edit), recall(edit))).collect()
        };
        let mut transition = RowTransition { outcomes, back: Vec::new(), recalled };
        self.recall_added(new, edits, &mut transition);
        transition
    }

    fn outcome(&self, edit: &RowEdit, keys: Vec<String>, recalled: Option<RowState>) -> RowOutcome {
        let fresh = Running { total: edit.product.total(), changed: 0 };
        let before = self.ledger.get(edit.product.id());
        let added = before.filter(|before| !before.account.declared);
        // A client's product that is declared as it is goes on as that.
        let continued = added.filter(|_| keys.is_empty() && (edit.origin.is_none() || edit.keeps_id()));
        let kept = |row: AccountView<'_>| if row.account.seed_total == fresh.total { running(row) } else { fresh };
        let running = match (&edit.origin, recalled) {
            (None, Some(RowState::Total(total))) => Some(Running { total, changed: 0 }),
            (None, Some(RowState::OffSale(_))) => None,
            (None, None) => Some(continued.map_or(fresh, kept)),
            (Some(origin), recalled) => match (self.ledger.get(origin), recalled) {
                (Some(row), Some(RowState::Total(total))) if row.account.declared => {
                    Some(Running { total, changed: 0 })
                }
                (Some(row), _) if row.account.declared => Some(kept(row)),
                // A script took it out, or took it out and put another in its place: that stays so until it is edited.
                _ if !edit.is_edited => None,
                _ => Some(continued.map_or(fresh, kept)),
            },
        };
        let displaces = running.is_some() && added.is_some() && (continued.is_none() || recalled.is_some());
        RowOutcome { running, keys, displaces }
    }

    /// Finds the products that were added at run time, went, and can come back: their category is declared, and no other
    /// product has their id.
    fn recall_added(&self, new: &Scenario, edits: &RowEdits, transition: &mut RowTransition) {
        let categories: HashSet<&str> = new.categories().iter().map(|category| &**category.name()).collect();
        let mut taken: HashSet<Arc<str>> = HashSet::new();
        for (index, row) in self.retained.added() {
            let id = row.product.id();
            let is_taken = transition.declares(edits, id)
                || self.ledger.get(id).is_some_and(|other| {
                    if other.account.declared {
                        !edits.gone.contains(id) && !edits.made.contains_key(id)
                    } else {
                        !edits.gone_categories.contains(&other.account.category)
                    }
                });
            if categories.contains(&*row.category) && !is_taken && taken.insert(id.clone()) {
                transition.recalled.take(index);
                transition.back.push(row.clone());
            }
        }
    }

    /// Keeps the rows that the new scenario does not go on with, and takes out what it brings back. The engine still plays the old one.
    pub(super) fn retain_rows(&mut self, gone: Vec<RetainedRow>, edits: &RowEdits, transition: &RowTransition) {
        for name in &edits.gone_categories {
            if let Some(listing) = self.catalogue.get(name).filter(|one| one.highest() > one.declared_highest()) {
                self.retained.keep_number(name.clone(), listing.highest());
            }
        }
        self.retained.exchange_rows(&transition.recalled, gone);
    }

    /// The products that were added at run time and lose their category, or their id to a declared one.
    pub(super) fn displaced_rows(&self, edits: &RowEdits, transition: &RowTransition) -> Vec<RetainedRow> {
        let mut displaced = Vec::new();
        for (name, listing) in self.catalogue.iter() {
            let account = |product: &Product| self.ledger.get(product.id()).filter(|row| !row.account.declared);
            let added = listing.products().iter().filter_map(|product| Some((product, account(product)?)));
            for (place, (product, account)) in added.enumerate() {
                let outcome = transition.outcome(edits, product.id()).filter(|outcome| outcome.running.is_some());
                if outcome.map_or(edits.gone_categories.contains(name), |outcome| outcome.displaces) {
                    let (category, product, total) = (name.clone(), product.clone(), account.total);
                    displaced.push(RetainedRow::Added(AddedRow { category, product, total, place }));
                }
            }
        }
        displaced
    }

    /// The declared rows that end, or lose their seed total, and are not as they were at the start. Of several whose
    /// content is the same, all: in order, they say which of them has which total.
    pub(super) fn ended_rows(&self, edits: &RowEdits) -> Vec<RetainedRow> {
        let total =
            |product: &Product| self.ledger.get(product.id()).filter(|row| row.account.declared).map(|row| row.total);
        let is_moved = |product: &Product| total(product) != Some(product.total());
        let moved = edits.ended.iter().filter(|(_, product)| product.has_made_id() && is_moved(product));
        let content: HashSet<_> = moved.map(|(category, product)| (category, product.content())).collect();
        let kept = edits.ended.iter().filter(|(category, product)| {
            if product.has_made_id() {
                !content.is_empty() && content.contains(&(category, product.content()))
            } else {
                is_moved(product)
            }
        });
        kept.map(|(category, product)| RetainedRow::declared(category, product, total(product))).collect()
    }

    /// Numbers of ids are not used twice, also in a category that was gone.
    pub(super) fn recall_numbers(&mut self) {
        let catalogue = self.catalogue.clone();
        for (category, highest) in self.retained.take_numbers(|category| catalogue.get(category).is_some()) {
            self.catalogue.keep_numbers(&category, highest);
        }
    }

    /// Rebuilds ledger and catalogue: declared products first, then those added at run time to categories that are
    /// still there.
    pub(super) fn replace_products(&mut self, edits: &RowEdits, transition: &RowTransition) {
        let new = self.scenario.clone();
        let mut rebuild = Rebuild::default();
        for (category, product) in new.products() {
            let (owner, running) = match transition.outcome(edits, product.id()) {
                Some(outcome) => match outcome.running {
                    Some(running) => (account(category.name().clone(), product, true), running),
                    None => continue,
                },
                None => match self.ledger.get(product.id()) {
                    Some(before) if before.account.declared => (before.account.clone(), running(before)),
                    // A script took it out, or took it out and put another in its place: that stays so.
                    _ => continue,
                },
            };
            rebuild.add(product.id().clone(), owner, running.total, running.changed);
        }
        let mut catalogue = Catalogue::default();
        for category in new.categories() {
            let name = category.name();
            let before = self.catalogue.get(name);
            let present = category.products().iter().filter(|product| rebuild.has(product.id()));
            let mut products: Vec<Arc<Product>> = present.cloned().collect();
            let stays = |product: &Arc<Product>| {
                let row = self.ledger.get(product.id()).filter(|row| !row.account.declared)?;
                (!rebuild.has(product.id())).then(|| (product.clone(), row.account.clone(), running(row)))
            };
            let there: Vec<_> = before.map(Listing::products).unwrap_or_default().iter().filter_map(stays).collect();
            let back = transition.back.iter().filter(|row| row.category == *name);
            for (product, owner, running) in merged(there, back.collect()) {
                rebuild.add(product.id().clone(), owner, running.total, running.changed);
                products.push(product);
            }
            catalogue.put(name.clone(), Listing::new(category.clone(), products, before.map_or(0, Listing::highest)));
        }
        self.catalogue = catalogue;
        self.ledger.replace_all(rebuild);
    }
}

/// A product that was added at run time.
type ListedRow = (Arc<Product>, Account, Running);

/// Products that were added at run time, with those that come back at their places.
fn merged(there: Vec<ListedRow>, mut back: Vec<&AddedRow>) -> Vec<ListedRow> {
    back.sort_by_key(|row| row.place);
    let mut merged = Vec::with_capacity(there.len() + back.len());
    let mut there = there.into_iter();
    for AddedRow { category, product, total, place } in back {
        merged.extend(there.by_ref().take(place.saturating_sub(merged.len())));
        let running = Running { total: *total, changed: 0 };
        merged.push((product.clone(), account(category.clone(), product, false), running));
    }
    merged.extend(there);
    merged
}

fn running(account: AccountView<'_>) -> Running {
    Running { total: account.total, changed: account.changed }
}
