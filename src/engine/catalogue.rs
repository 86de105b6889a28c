//! What is on sale at the moment: categories with their products, ready to be answered.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::event::Refusal;
use crate::scenario::{Category, Product, Scenario, product_number};

/// The categories in declared order. Cheap to clone: whoever reads it shares it.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    listings: Arc<IndexMap<Arc<str>, Arc<Listing>>>,
}

/// One category's products.
#[derive(Debug)]
pub struct Listing {
    declared: Category,
    products: Vec<Arc<Product>>,
    /// The highest number that an id of this category ever had; numbers are not used twice.
    highest: u64,
    json: OnceLock<Bytes>,
}

impl Catalogue {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let listings = scenario.categories().iter().map(|category| {
            let products = category.products().to_vec();
            (category.name().clone(), Arc::new(Listing::new(category.clone(), products, 0)))
        });
        Self { listings: Arc::new(listings.collect()) }
    }

    /// The categories in declared order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Listing)> {
        self.listings.iter().map(|(name, listing)| (name, &**listing))
    }

    /// The category of that name.
    #[must_use]
    pub fn get(&self, category: &str) -> Option<&Listing> {
        self.listings.get(category).map(|listing| &**listing)
    }

    /// The name of a category, as all share it.
    pub(crate) fn name(&self, category: &str) -> Option<&Arc<str>> {
        self.listings.get_key_value(category).map(|(name, _)| name)
    }

    /// Makes the JSON of those categories whose JSON was asked for in another catalogue.
    pub(super) fn prepare_as(&self, other: &Self) {
        let is_asked_for =
            |name: &Arc<str>| other.listings.get(name).is_some_and(|listing| listing.json.get().is_some());
        self.listings.iter().filter(|(name, _)| is_asked_for(name)).for_each(|(_, listing)| drop(listing.json()));
    }

    /// Whether any category has the product.
    #[must_use]
    pub fn has_product(&self, id: &str) -> bool {
        self.listings.values().any(|listing| listing.products.iter().any(|product| &**product.id() == id))
    }

    pub(super) fn put(&mut self, name: Arc<str>, listing: Listing) {
        Arc::make_mut(&mut self.listings).insert(name, Arc::new(listing));
    }

    /// Numbers up to this one are not used again in the category.
    pub(super) fn keep_numbers(&mut self, category: &str, highest: u64) {
        let Some(listing) = self.listings.get(category).filter(|listing| listing.highest < highest) else { return };
        let listing = Listing::new(listing.declared.clone(), listing.products.clone(), highest);
        self.put(category.into(), listing);
    }

    /// Changes the products of a category. Readers of the old state keep it.
    pub(super) fn change(&mut self, category: &str, change: impl FnOnce(&mut Vec<Arc<Product>>)) {
        if let Some(listing) = Arc::make_mut(&mut self.listings).get_mut(category) {
            let mut products = listing.products.clone();
            change(&mut products);
            *listing = Arc::new(Listing::new(listing.declared.clone(), products, listing.highest));
        }
    }
}

impl Listing {
    pub(super) fn new(declared: Category, products: Vec<Arc<Product>>, highest: u64) -> Self {
        let numbers = products.iter().filter_map(|product| product_number(declared.prefix(), product.id()));
        let highest = numbers.max().unwrap_or(0).max(highest);
        Self { declared, products, highest, json: OnceLock::new() }
    }

    /// The products in order: declared ones, then added ones.
    #[must_use]
    pub fn products(&self) -> &[Arc<Product>] {
        &self.products
    }

    /// The same category with other products.
    pub(super) fn with_products(&self, products: Vec<Arc<Product>>) -> Self {
        Self::new(self.declared.clone(), products, self.highest)
    }

    pub(super) fn by_id(&self) -> HashMap<&str, &Arc<Product>> {
        self.products.iter().map(|product| (&**product.id(), product)).collect()
    }

    /// What ids of added products start with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.declared.prefix()
    }

    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// The products as a JSON array, made on first use and then shared.
    #[must_use]
    pub fn json(&self) -> Bytes {
        // Serialising strings, numbers and maps with string keys into memory cannot fail.
        self.json.get_or_init(|| serde_json::to_vec(&self.products).unwrap_or_default().into()).clone()
    }

    /// The ids that this category would give next.
    pub(super) fn next_ids(&self) -> impl Iterator<Item = Arc<str>> {
        (self.highest.saturating_add(1)..).map(|number| format!("{}{number}", self.prefix()).into())
    }

    /// Checks a product that a client sends against the declared fields.
    pub(super) fn accept(&self, own: &Map<String, Value>) -> Result<(), Refusal> {
        for (field, rule) in self.declared.fields() {
            let fits = own.get(field).map_or(rule.optional(), |value| rule.allows(value));
            if !fits {
                return Err(Refusal::Field { field: field.clone(), expected: rule.describe() });
            }
        }
        Ok(())
    }
}
