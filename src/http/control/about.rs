//! What is about the server: whether it is well, what it can do, what it serves, and its last reload.

use std::sync::Arc;

use poem::http::Uri;
use poem::web::Data;
use poem::{Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::json;
use super::input;
use super::openapi::document;
use crate::engine::Change;
use crate::http::App;
use crate::http::body::answer;
use crate::reloads::LastReload;
use crate::scenario::describe;
use crate::world::{View, World};

/// That the server is well.
#[derive(Serialize, JsonSchema)]
pub(super) struct HealthAnswer {
    /// A server that is not well does not answer; one that cannot reach its store answers what it knows, and refuses changes.
    status: Health,
    /// mockd's version.
    version: &'static str,
    /// Why the store cannot be reached, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// How a server is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    Ok,
    Degraded,
}

/// What is served.
#[derive(Serialize, JsonSchema)]
pub(super) struct CategoriesAnswer {
    /// The scenario's name.
    scenario: String,
    /// In declared order.
    categories: Vec<CategoryAnswer>,
}

/// A category.
#[derive(Serialize, JsonSchema)]
pub(super) struct CategoryAnswer {
    /// Its name, which is its path.
    name: Arc<str>,
    /// What ids of added products start with.
    prefix: String,
    /// How many products it has.
    products: usize,
}

/// What became of the last save.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReloadAnswer {
    /// Whether what is in the file is what is served.
    ok: bool,
    /// How often a saved scenario was applied since the start.
    count: u64,
    /// What the last of these changed in the default world: objects with `kind`, `text`, and the data of the kind.
    changes: Vec<Map<String, Value>>,
    /// How many changes are not listed because of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
    /// What is odd about what is in the file, if it is right, as `mockd check` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<String>,
    /// Why what is in the file could not be applied, if it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The problems of the file, as `mockd check --format json` prints them.
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Value>,
}

/// How much of a reload to tell.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReloadQuery {
    /// So many changes at the most, the first of them.
    limit: Option<usize>,
}

impl ReloadAnswer {
    pub(super) fn new(last: &LastReload, limit: usize) -> Self {
        Self {
            ok: last.error.is_none(),
            count: last.count,
            changes: last.changes.iter().take(limit).map(described).collect(),
            more: last.changes.len().checked_sub(limit).filter(|more| *more > 0),
            warnings: last.warnings.as_ref().map(ToString::to_string),
            error: last.error.as_ref().map(ToString::to_string),
            problems: last.error.as_ref().map(describe),
        }
    }
}

fn described(change: &Change) -> Map<String, Value> {
    // A change is plain data with text keys, which always becomes a JSON object.
    let mut described = match serde_json::to_value(change) {
        Ok(Value::Object(described)) => described,
        _ => Map::new(),
    };
    described.insert("text".into(), change.to_string().into());
    described
}

impl CategoryAnswer {
    pub(super) fn all(view: &View) -> Vec<Self> {
        let category = |(name, listing): (&Arc<str>, &crate::engine::Listing)| Self {
            name: name.clone(),
            prefix: listing.prefix().to_owned(),
            products: listing.products().len(),
        };
        view.catalogue.iter().map(category).collect()
    }
}

/// The server is well.
#[handler]
pub(in crate::http) fn health(Data(app): Data<&Arc<App>>) -> Response {
    let trouble = app.worlds.trouble();
    let status = if trouble.is_none() { Health::Ok } else { Health::Degraded };
    json(&HealthAnswer { status, version: env!("CARGO_PKG_VERSION"), trouble })
}

/// The document that describes the control API.
#[handler]
pub(in crate::http) fn get_openapi() -> Response {
    answer(document().to_string())
}

/// The scenario's name and its categories: what the browser app shows.
#[handler]
pub(in crate::http) fn categories(Data(world): Data<&World>) -> Response {
    let view = world.view();
    json(&CategoriesAnswer { scenario: view.scenario.name().to_owned(), categories: CategoryAnswer::all(&view) })
}

/// What the last reload changed, and what is wrong with the file if it could not be applied since.
#[handler]
pub(in crate::http) fn reload(uri: &Uri, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let ReloadQuery { limit } = input::query(uri)?;
    Ok(json(&ReloadAnswer::new(&app.reloads.last(), limit.unwrap_or(usize::MAX))))
}
