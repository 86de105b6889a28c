//! `/__mockd/data`: what `data` is now, in brief.

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

/// Which part of `data` to tell.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DataQuery {
    /// Only what has that name.
    name: Option<String>,
    /// So many rows of each collection at the most, the first of them; all of them without it.
    rows: Option<usize>,
}

/// What `data` is now.
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
        /// Its name.
        name: Arc<str>,
        /// How many rows it has.
        count: usize,
        /// The first of them.
        #[schemars(with = "Vec<Map<String, Value>>")]
        rows: Vec<Arc<Row>>,
    },
    Value {
        /// Its name.
        name: Arc<str>,
        /// What it is.
        #[schemars(with = "Value")]
        value: Arc<Value>,
    },
}

/// What `data` is now; it leaves no trace in the journal.
#[handler]
pub(super) fn get_data(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let DataQuery { name, rows } = input::query(uri)?;
    let is_wanted = |one: &Arc<str>| name.as_deref().is_none_or(|name| name == &**one);
    let shown = rows.unwrap_or(usize::MAX);
    let view = world.view();
    let collection = |(name, row_set): (&Arc<str>, &RowSet)| NamedDataAnswer::Collection {
        name: name.clone(),
        count: row_set.rows().len(),
        rows: row_set.rows().iter().take(shown).cloned().collect(),
    };
    let value =
        |(name, value): (&Arc<str>, &Arc<Value>)| NamedDataAnswer::Value { name: name.clone(), value: value.clone() };
    let collections = view.collections.uncounted().filter(|(name, _)| is_wanted(name)).map(collection);
    let values = view.values.iter().filter(|(name, _)| is_wanted(name)).map(value);
    Ok(json(&DataAnswer { data: collections.chain(values).collect() }))
}
