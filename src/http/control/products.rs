//! `/__mockd/products`: all that is on sale. As the mock API lists it, but it leaves no trace in the journal.

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, handler};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::json;
use crate::scenario::Product;
use crate::world::World;

/// All categories with their products.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProductsAnswer {
    /// In declared order.
    categories: Vec<ListingAnswer>,
}

/// A category with its products.
#[derive(Serialize, JsonSchema)]
struct ListingAnswer {
    /// Its name, which is its path.
    name: Arc<str>,
    /// Its products, as its path lists them.
    #[schemars(with = "Vec<Map<String, Value>>")]
    products: Vec<Arc<Product>>,
}

/// All categories with their products.
#[handler]
pub(in crate::http) fn list_products(Data(world): Data<&World>) -> Response {
    let view = world.view();
    let listing = |(name, listing): (&Arc<str>, &crate::engine::Listing)| ListingAnswer {
        name: name.clone(),
        products: listing.products().to_vec(),
    };
    json(&ProductsAnswer { categories: view.catalogue.iter().map(listing).collect() })
}
