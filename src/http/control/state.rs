//! What is in a world, and changes to it: `/__mockd/state`, `/__mockd/orders`, `/__mockd/products`, `/__mockd/reset` and
//! `/__mockd/snapshots`.

use std::sync::Arc;

use poem::http::{HeaderMap, Uri};
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{ClockAnswer, DoneAnswer, Happened, json};
use super::faults::FaultAnswer;
use super::input::{self, Time, wrong};
use super::server::CollectionAnswer;
use crate::engine::{Command, Refusal, RefusalKind, RowSet, StepsText};
use crate::http::body;
use crate::http::error::ApiError;
use crate::scenario::{Row, Source, integer, parse_steps};
use crate::world::{View, World, WorldError};

/// The most characters of a snapshot's name.
const MAX_SNAPSHOT_NAME: usize = 100;

/// A world at one moment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateAnswer {
    /// The world's name; `default` is that of paths without a prefix.
    world: Arc<str>,
    /// The scenario's name.
    scenario: String,
    /// The seed of all that is random. A world, or a mockd, that starts with it does the same again.
    seed: u64,
    #[serde(flatten)]
    clock: ClockAnswer,
    /// Counts up with each reset and each restored snapshot. Events of different epochs do not continue each other.
    epoch: u64,
    /// The number of the last event.
    sequence: u64,
    /// The categories in declared order.
    #[serde(rename = "categories")]
    collections: Vec<CollectionAnswer>,
    /// Order totals by product id: all of them, or those that changed `since`.
    #[serde(rename = "totals")]
    #[schemars(with = "std::collections::BTreeMap<String, i64>")]
    values: Map<String, Value>,
    /// What `data` is now, by name: values, and the rows of collections. Left out with `since`, and if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Map<String, Value>>,
    /// The faults that are in force.
    faults: Vec<FaultAnswer>,
    /// How many sockets are open.
    sockets: usize,
    /// The snapshots.
    snapshots: Vec<SnapshotAnswer>,
}

/// Which totals to tell.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StateQuery {
    /// Only totals that changed after the event of that number, the `sequence` of an earlier answer. After a reset, a restored
    /// snapshot (another `epoch`, or a smaller `sequence`) or a reload, ask for all.
    since: Option<u64>,
}

/// A moment that can be gone back to.
#[derive(Serialize, JsonSchema)]
pub(super) struct SnapshotAnswer {
    /// Its name.
    name: String,
    /// The world's time in it.
    at: Time,
}

/// Totals and data to be set: one of the two.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PatchRequest {
    /// New totals by product id. All are set, or none.
    #[serde(rename = "totals")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, i64>>")]
    values: Option<Map<String, Value>>,
    /// New values by the names of `data`; of a collection, all of its rows. All are set, or none.
    data: Option<Map<String, Value>>,
}

/// How to start over.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResetRequest {
    /// Another seed, which the world keeps from then on.
    seed: Option<u64>,
}

/// The world at this moment.
#[handler]
pub(super) async fn get_state(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let StateQuery { since } = input::query(uri)?;
    let state = world.state_since(since).await.map_err(ApiError::from)?;
    Ok(json(&StateAnswer {
        world: world.name().clone(),
        scenario: state.view.scenario.name().to_owned(),
        seed: state.view.seed,
        clock: ClockAnswer::new(state.clock),
        epoch: state.epoch,
        sequence: state.sequence,
        collections: CollectionAnswer::all(&state.view),
        values: state.values.into_iter().map(|(id, value)| (id.to_string(), value.into())).collect(),
        data: Some(data(&state.view)).filter(|data| since.is_none() && !data.is_empty()),
        faults: FaultAnswer::all(state.faults),
        sockets: state.sockets,
        snapshots: SnapshotAnswer::all(state.snapshots),
    }))
}

fn data(view: &View) -> Map<String, Value> {
    let rows = |row_set: &RowSet| Value::Array(row_set.rows().iter().map(|row| row.to_json()).collect());
    let collections = view.collections.uncounted().map(|(name, row_set)| (name.to_string(), rows(row_set)));
    let values = view.values.iter().map(|(name, value)| (name.to_string(), Value::clone(value)));
    collections.chain(values).collect()
}

/// Steps that are carried out now, all or none. Later ones belong to the world.
#[handler]
pub(super) async fn post_steps(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let bytes = input::bytes(body).await?;
    let bytes = body::expect_json(headers, &bytes)?;
    // What is no JSON is said to be none, before it is read as the YAML that it could be.
    let written: Value = serde_json::from_slice(bytes).map_err(ApiError::BadJson)?;
    if !written.is_object() {
        return Err(ApiError::NotAnObject(body::kind(&written)).into());
    }
    let source = Source::new("body", &String::from_utf8_lossy(bytes));
    let steps = parse_steps(&source, &world.view().scenario).map_err(ApiError::BadSteps)?;
    let effects = world.apply(Command::Steps { steps: StepsText::Parsed(steps) }).await.map_err(ApiError::from)?;
    Ok(json(&Happened { events: effects.events }))
}

impl SnapshotAnswer {
    fn all(snapshots: Vec<(String, std::time::Duration)>) -> Vec<Self> {
        snapshots.into_iter().map(|(name, at)| Self { name, at: Time(at) }).collect()
    }
}

/// Sets counters, or data.
#[handler]
pub(super) async fn patch_state(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let (values, data) = match input::read(headers, body).await? {
        PatchRequest { values: Some(values), data: None } => (values, None),
        PatchRequest { values: None, data: Some(data) } => (Map::new(), Some(data)),
        _ => return Err(wrong("totals", "or `data` is needed, and not both").into()),
    };
    if let Some(data) = data {
        let effects = world.apply(Command::SetData { data }).await.map_err(ApiError::from)?;
        return Ok(json(&Happened { events: effects.events }));
    }
    let value = |(id, value): (&String, &Value)| {
        let value = integer(value).ok_or_else(|| wrong(&format!("totals.{id}"), "is not an integer"))?;
        Ok((Arc::from(id.as_str()), value))
    };
    let changes: Result<Vec<_>, ApiError> = values.iter().map(value).collect();
    let effects = world.apply(Command::SetCounters { values: changes? }).await.map_err(|error| match error {
        WorldError::Refused(Refusal::At { index, refusal }) => {
            let id = values.keys().nth(index).map_or("", String::as_str);
            wrong(&format!("totals.{id}"), describe(&refusal))
        }
        other => other.into(),
    })?;
    Ok(json(&Happened { events: effects.events }))
}

/// Goes back to the scenario's start. Sockets of a shop stay, those of endpoints are closed, and streams end.
#[handler]
pub(super) async fn reset(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let ResetRequest { seed } = input::read_if_any(headers, body).await?;
    world.reset(seed).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Orders, which are all carried out, in order, or none.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "OrdersRequest", deny_unknown_fields)]
pub(super) struct CountRequest {
    /// The orders.
    #[serde(rename = "orders", deserialize_with = "input::objects")]
    amounts: Vec<AmountRequest>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "OrderRequest", deny_unknown_fields)]
struct AmountRequest {
    /// The product.
    #[serde(deserialize_with = "input::id")]
    #[schemars(schema_with = "input::id_schema")]
    id: Arc<str>,
    /// What is added to its total.
    #[schemars(with = "i64")]
    amount: Value,
}

/// Adds all amounts to their counters, or none.
#[handler]
pub(super) async fn count(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let request: CountRequest = input::read(headers, body).await?;
    let amount = |(index, request): (usize, &AmountRequest)| {
        let amount = integer(&request.amount);
        let amount = amount.ok_or_else(|| wrong(&format!("orders[{index}].amount"), "is not an integer"))?;
        Ok((request.id.clone(), amount))
    };
    let amounts: Result<Vec<_>, ApiError> = request.amounts.iter().enumerate().map(amount).collect();
    let effects = world.apply(Command::CountAll { amounts: amounts? }).await.map_err(|error| match error {
        WorldError::Refused(Refusal::At { index, refusal }) => {
            let is_missing = refusal.kind() == RefusalKind::Missing;
            let field = if is_missing { "id" } else { "amount" };
            wrong(&format!("orders[{index}].{field}"), describe(&refusal))
        }
        other => other.into(),
    })?;
    Ok(json(&Happened { events: effects.events }))
}

/// Why a counter cannot be what is asked, in the control API's words.
fn describe(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownRow(row) => format!("there is no product {}", row.id),
        Refusal::OutOfRange { .. } => "would make a total outside of ±(2^53 - 1)".to_owned(),
        other => other.to_string(),
    }
}

/// All categories with their products.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "ProductsAnswer")]
pub(super) struct RowsAnswer {
    /// In declared order.
    #[serde(rename = "categories")]
    collections: Vec<ListingAnswer>,
}

/// A category with its products.
#[derive(Serialize, JsonSchema)]
struct ListingAnswer {
    /// Its name, which is its path.
    name: Arc<str>,
    /// Its products, as its path lists them.
    #[serde(rename = "products")]
    #[schemars(with = "Vec<Map<String, Value>>")]
    rows: Vec<Arc<Row>>,
}

/// All collections with their rows, as the mock API lists them; it leaves no trace in the journal.
#[handler]
pub(super) fn list_rows(Data(world): Data<&World>) -> Response {
    let view = world.view();
    let listing = |(name, row_set): (&Arc<str>, &RowSet)| ListingAnswer {
        name: name.clone(),
        rows: row_set.rows().iter().cloned().collect(),
    };
    json(&RowsAnswer { collections: view.collections.counted().map(listing).collect() })
}

/// All snapshots of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct SnapshotsAnswer {
    /// By name.
    snapshots: Vec<SnapshotAnswer>,
}

/// A snapshot to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotRequest {
    /// Its name; one that has it already is replaced.
    name: String,
}

/// The snapshots.
#[handler]
pub(super) async fn list_snapshots(Data(world): Data<&World>) -> poem::Result<Response> {
    let state = world.state().await.map_err(ApiError::from)?;
    Ok(json(&SnapshotsAnswer { snapshots: SnapshotAnswer::all(state.snapshots) }))
}

/// Keeps this moment.
#[handler]
pub(super) async fn save(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let SnapshotRequest { name } = input::read(headers, body).await?;
    if !(1..=MAX_SNAPSHOT_NAME).contains(&name.chars().count()) {
        return Err(wrong("name", format!("has to have 1 to {MAX_SNAPSHOT_NAME} characters")).into());
    }
    world.save(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Goes back to a snapshot.
#[handler]
pub(super) async fn restore(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.restore(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Drops a snapshot.
#[handler]
pub(super) async fn forget(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.forget(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}
