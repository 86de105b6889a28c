//! The products of an engine in which some came or went.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StateError;
use crate::engine::catalogue::{Catalogue, Listing};
use crate::engine::ledger::{Holder, Opening};
use crate::engine::{Engine, Ledger};
use crate::scenario::Product;

/// The accounts in their order, and the products of each category in theirs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Products {
    accounts: Vec<Or<Account>>,
    categories: Vec<Vec<Or<Written>>>,
}

/// What the scenario declares, by its id, or something else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Or<T> {
    Declared(Arc<str>),
    Other(T),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    id: Arc<str>,
    category: Arc<str>,
    seed_total: i64,
    declared: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Arc<str>,
    own: Map<String, Value>,
    order: Map<String, Value>,
    total: i64,
}

impl Products {
    pub(super) fn of(engine: &Engine, start: &Engine) -> Self {
        let account = |(id, account): (&Arc<str>, crate::engine::Account<'_>)| {
            let Holder { category, seed_total, declared } = account.holder.clone();
            if start.ledger.get(id).is_some_and(|same| same.holder == account.holder) {
                Or::Declared(id.clone())
            } else {
                Or::Other(Account { id: id.clone(), category, seed_total, declared })
            }
        };
        let categories = engine.catalogue.iter().map(|(name, listing)| {
            let declared = start.catalogue.get(name).map(Listing::by_id).unwrap_or_default();
            let product = |product: &Arc<Product>| match declared.get(&**product.id()) {
                Some(same) if *same == product => Or::Declared(product.id().clone()),
                _ => Or::Other(Written {
                    id: product.id().clone(),
                    own: product.own().clone(),
                    order: product.order().clone(),
                    total: product.total(),
                }),
            };
            listing.products().iter().map(product).collect()
        });
        Self { accounts: engine.ledger.iter().map(account).collect(), categories: categories.collect() }
    }

    pub(super) fn put_in(self, engine: &mut Engine, start: &Engine) -> Result<(), StateError> {
        if self.categories.len() != start.catalogue.iter().count() {
            return Err(StateError::Misfit("it has other categories"));
        }
        let mut opening = Opening::default();
        for account in self.accounts {
            let (id, holder) = match account {
                Or::Other(Account { id, category, seed_total, declared }) => {
                    (id, Holder { category, seed_total, declared })
                }
                Or::Declared(id) => {
                    let declared = start.ledger.get(&id).ok_or(StateError::Misfit("it has an unknown account"))?;
                    (id, declared.holder.clone())
                }
            };
            let total = holder.seed_total;
            opening.add(id, holder, total, 0);
        }
        let mut catalogue = Catalogue::default();
        for ((name, listing), products) in start.catalogue.iter().zip(self.categories) {
            let declared = listing.by_id();
            let product = |product| match product {
                Or::Declared(id) => declared.get(&*id).map(|product| Arc::clone(product)),
                Or::Other(Written { id, own, order, total }) => Some(Arc::new(Product::written(id, own, order, total))),
            };
            let products: Option<Vec<_>> = products.into_iter().map(product).collect();
            let products = products.ok_or(StateError::Misfit("it has an unknown product"))?;
            catalogue.put(name.clone(), listing.with_products(products));
        }
        engine.catalogue = catalogue;
        let mut ledger = Ledger::default();
        ledger.renew(opening);
        engine.ledger = ledger;
        Ok(())
    }
}
