//! `/__mockd/…`: what tools and the browser app ask about the mock itself.

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, handler};
use serde_json::json;

use super::App;
use super::body::answer;
use crate::scenario::describe;

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

/// What the last reload changed, and what is wrong with the file if it could not be applied since.
#[handler]
pub(super) fn reload(Data(app): Data<&Arc<App>>) -> Response {
    let last = app.reloads.last();
    let changes = last.changes.iter().map(|change| {
        // A change is plain data with text keys, which always becomes JSON.
        let mut described = serde_json::to_value(change).unwrap_or_default();
        described["text"] = change.to_string().into();
        described
    });
    let mut reload = json!({
        "ok": last.error.is_none(),
        "count": last.count,
        "changes": changes.collect::<Vec<_>>(),
    });
    if let Some(error) = &last.error {
        reload["error"] = error.to_string().into();
        reload["problems"] = describe(error);
    }
    answer(reload.to_string())
}
