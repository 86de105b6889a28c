//! `/__mockd/data`: a summary of the current `data`.

use std::sync::Arc;

use poem::http::Uri;
use poem::web::Data;
use poem::{Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::json;
use super::input;
use crate::engine::RowSet;
use crate::scenario::Row;
use crate::world::World;

/// Which part of `data` to return.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DataQuery {
    /// Only the collection or value with this name.
    name: Option<String>,
    /// The maximum number of rows of each collection, counted from the first; all rows by default.
    rows: Option<usize>,
}

/// The current `data`.
#[derive(Serialize, JsonSchema)]
pub(super) struct DataAnswer {
    /// The collections in declared order, then the values.
    data: Vec<NamedDataAnswer>,
}

/// A collection or a value.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum NamedDataAnswer {
    Collection {
        /// The name of the collection.
        name: Arc<str>,
        /// The number of rows in the collection.
        count: usize,
        /// The first rows, or all of them.
        #[schemars(with = "Vec<Map<String, Value>>")]
        rows: Vec<Arc<Row>>,
    },
    Value {
        /// The name of the value.
        name: Arc<str>,
        /// The current value.
        #[schemars(with = "Value")]
        value: Arc<Value>,
    },
}

/// Returns the current `data`, without an entry in the journal.
#[handler]
pub(super) fn get_data(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let DataQuery { name, rows } = input::query(uri)?;
    let is_requested = |one: &Arc<str>| name.as_deref().is_none_or(|name| name == &**one);
    let shown = rows.unwrap_or(usize::MAX);
    let view = world.view();
    let collection = |(name, row_set): (&Arc<str>, &RowSet)| NamedDataAnswer::Collection {
        name: name.clone(),
        count: row_set.rows().len(),
        rows: row_set.rows().iter().take(shown).cloned().collect(),
    };
    let value =
        |(name, value): (&Arc<str>, &Arc<Value>)| NamedDataAnswer::Value { name: name.clone(), value: value.clone() };
    let collections = view.collections.uncounted().filter(|(name, _)| is_requested(name)).map(collection);
    let values = view.values.iter().filter(|(name, _)| is_requested(name)).map(value);
    Ok(json(&DataAnswer { data: collections.chain(values).collect() }))
}
