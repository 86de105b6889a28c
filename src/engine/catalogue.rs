//! What is on sale at the moment: categories with their products.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, OnceLock};

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
#[derive(Debug, Clone)]
pub struct Listing {
    declared: Category,
    products: Vec<Arc<Product>>,
    /// The highest number that an id of this category ever had; numbers are not used twice.
    highest: u64,
    /// Bytes of the products as JSON, each with what separates it from the next. Counted when a client first adds a product.
    bytes: OnceLock<usize>,
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

    /// Whether it is a clone of the other, and neither has changed since.
    pub(crate) fn shares_listings_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.listings, &other.listings)
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
        if self.get(category).is_some_and(|listing| listing.highest < highest) {
            self.change(category, |listing| Listing { highest, ..listing.clone() });
        }
    }

    /// Adds a product to a category, after the others.
    pub(super) fn add(&mut self, category: &str, product: Arc<Product>) {
        self.change(category, |listing| listing.with(product));
    }

    /// Removes a product from a category.
    pub(super) fn remove(&mut self, category: &str, id: &str) {
        self.change(category, |listing| listing.without(id));
    }

    /// Replaces a category's listing. Readers of the old one keep it.
    fn change(&mut self, category: &str, change: impl FnOnce(&Listing) -> Listing) {
        if let Some(listing) = Arc::make_mut(&mut self.listings).get_mut(category) {
            *listing = Arc::new(change(listing));
        }
    }
}

impl Listing {
    pub(super) fn new(declared: Category, products: Vec<Arc<Product>>, highest: u64) -> Self {
        let highest = highest_number(declared.prefix(), &products).max(highest);
        Self { declared, products, highest, bytes: OnceLock::new() }
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

    /// The highest number of an id that the scenario declares.
    pub(super) fn declared_highest(&self) -> u64 {
        highest_number(self.prefix(), self.declared.products())
    }

    /// Bytes of the products as a JSON array.
    pub(super) fn json_len(&self) -> usize {
        let bytes = self.bytes.get_or_init(|| self.products.iter().map(|product| json_len(product)).sum());
        // `[`, and a comma or `]` after each.
        (1 + bytes).max("[]".len())
    }

    /// The same category with another product, after the others.
    fn with(&self, product: Arc<Product>) -> Self {
        let bytes = self.bytes.get().map(|bytes| bytes + json_len(&product)).map(OnceLock::from).unwrap_or_default();
        let number = product_number(self.prefix(), product.id()).unwrap_or_default();
        let products = self.products.iter().cloned().chain([product]).collect();
        Self { declared: self.declared.clone(), products, highest: self.highest.max(number), bytes }
    }

    /// The same category without a product.
    fn without(&self, id: &str) -> Self {
        let (removed, products): (Vec<_>, Vec<_>) =
            self.products.iter().cloned().partition(|product| &**product.id() == id);
        let removed = || removed.iter().map(|product| json_len(product)).sum::<usize>();
        let bytes = self.bytes.get().map(|bytes| bytes - removed()).map(OnceLock::from).unwrap_or_default();
        Self { declared: self.declared.clone(), products, highest: self.highest, bytes }
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

fn highest_number(prefix: &str, products: &[Arc<Product>]) -> u64 {
    products.iter().filter_map(|product| product_number(prefix, product.id())).max().unwrap_or(0)
}

/// Bytes of a product as JSON in an array, with the comma or bracket after it.
pub(super) fn json_len(product: &Product) -> usize {
    /// Counts what is written.
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(1);
    // Serialising strings, numbers and maps with string keys cannot fail, and counting cannot either.
    let _ = serde_json::to_writer(&mut count, product);
    count.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use super::*;
    use crate::scenario::{Source, parse};

    #[test]
    fn bytes_are_those_of_the_json_as_products_come_and_go() {
        let text = "categories: { toys: { prefix: T, products: [{ id: T1, name: \"ü\" }, { id: T2 }] } }";
        let mut catalogue = Catalogue::new(&parse(&Source::new("toys.yaml", text)).unwrap());
        let expect_counted = |catalogue: &Catalogue| {
            let listing = catalogue.get("toys").unwrap();
            assert_eq!(listing.json_len(), serde_json::to_string(listing.products()).unwrap().len());
        };
        expect_counted(&catalogue);
        let own = Map::from_iter([("name".to_owned(), Value::from("\u{1f600}\n"))]);
        catalogue.add("toys", Arc::new(Product::new("T3".into(), own)));
        expect_counted(&catalogue);
        for id in ["T2", "T1", "T3"] {
            catalogue.remove("toys", id);
            expect_counted(&catalogue);
        }
    }
}
