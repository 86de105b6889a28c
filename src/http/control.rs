//! `/__mockd/…`: what tools and the browser app ask about the mock itself.

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, handler};
use serde_json::json;

use super::App;
use super::body::answer;

/// The scenario's name, the seed, and the categories in declared order.
#[handler]
pub(super) fn state(Data(app): Data<&Arc<App>>) -> Response {
    let snapshot = app.world.snapshot();
    let categories = snapshot.catalogue.iter().map(
        |(name, listing)| json!({ "name": &**name, "prefix": listing.prefix(), "products": listing.products().len() }),
    );
    let state = json!({
        "scenario": snapshot.scenario.name(),
        "seed": snapshot.seed,
        "categories": categories.collect::<Vec<_>>(),
    });
    answer(state.to_string())
}
