//! The state of a world and changes to it: `/__mockd/state`, `/__mockd/orders`, `/__mockd/steps`, `/__mockd/products`,
//! `/__mockd/reset` and `/__mockd/snapshots`.

use std::sync::Arc;

use poem::http::{HeaderMap, Uri};
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{ClockAnswer, DoneAnswer, Happened, json};
use super::faults::FaultAnswer;
use super::input::{self, Time, field_error};
use super::server::CollectionAnswer;
use crate::engine::{Command, Refusal, RefusalKind, RowSet, StepsText};
use crate::http::body;
use crate::http::error::ApiError;
use crate::scenario::{Row, Source, integer, parse_steps};
use crate::world::{View, World, WorldError};

/// The maximum length of a snapshot's name, in characters.
const MAX_SNAPSHOT_NAME: usize = 100;

/// The state of a world at one moment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateAnswer {
    /// The name of the world; paths without a prefix belong to the world `default`.
    world: Arc<str>,
    /// The scenario's name.
    scenario: String,
    /// The seed of all random choices. A world or a mockd that starts with this seed makes the same choices again.
    seed: u64,
    #[serde(flatten)]
    clock: ClockAnswer,
    /// A number that grows with each reset and each restored snapshot. Events of different epochs do not form one
    /// sequence.
    epoch: u64,
    /// The number of the last event.
    sequence: u64,
    /// The categories in declared order.
    #[serde(rename = "categories")]
    collections: Vec<CollectionAnswer>,
    /// Order totals by product id: all of them, or only those changed `since`.
    #[serde(rename = "totals")]
    #[schemars(with = "std::collections::BTreeMap<String, i64>")]
    values: Map<String, Value>,
    /// The current `data` by name: values, and the rows of collections. Omitted with `since`, and if there is no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Map<String, Value>>,
    /// The active faults.
    faults: Vec<FaultAnswer>,
    /// The number of open sockets and streams.
    sockets: usize,
    /// The snapshots, sorted by name.
    snapshots: Vec<SnapshotAnswer>,
}

/// Which totals to return.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StateQuery {
    /// Only totals that changed after the event with this number, which is the `sequence` of an earlier answer. After a
    /// reset or a restored snapshot (a different `epoch` or a smaller `sequence`), or after a reload, request all
    /// totals.
    since: Option<u64>,
}

/// A saved state that can be restored.
#[derive(Serialize, JsonSchema)]
pub(super) struct SnapshotAnswer {
    /// The name of the snapshot.
    name: String,
    /// The world's time when it was saved.
    at: Time,
}

/// Totals or data to set: exactly one of the two.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PatchRequest {
    /// New totals by product id. Either all are set, or none.
    #[serde(rename = "totals")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, i64>>")]
    values: Option<Map<String, Value>>,
    /// New values by their names in `data`; for a collection, all of its rows. Either all are set, or none.
    data: Option<Map<String, Value>>,
}

/// How to reset a world.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResetRequest {
    /// A new seed, which the world keeps from then on.
    seed: Option<u64>,
}

/// Returns the current state of the world.
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

/// Runs steps, all or none. Delayed steps are scheduled in the world.
#[handler]
pub(super) async fn post_steps(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let bytes = input::bytes(body).await?;
    let bytes = body::expect_json(headers, &bytes)?;
    // The steps are parsed as YAML, so YAML that is not JSON has to be rejected first.
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

/// Sets counters or data.
#[handler]
pub(super) async fn patch_state(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let (values, data) = match input::read(headers, body).await? {
        PatchRequest { values: Some(values), data: None } => (values, None),
        PatchRequest { values: None, data: Some(data) } => (Map::new(), Some(data)),
        _ => return Err(field_error("totals", "set either `totals` or `data`, not both").into()),
    };
    if let Some(data) = data {
        let effects = world.apply(Command::SetData { data }).await.map_err(ApiError::from)?;
        return Ok(json(&Happened { events: effects.events }));
    }
    let value = |(id, value): (&String, &Value)| {
        let value = integer(value).ok_or_else(|| field_error(&format!("totals.{id}"), "is not an integer"))?;
        Ok((Arc::from(id.as_str()), value))
    };
    let changes: Result<Vec<_>, ApiError> = values.iter().map(value).collect();
    let effects = world.apply(Command::SetCounters { values: changes? }).await.map_err(|error| match error {
        WorldError::Refused(Refusal::At { index, refusal }) => {
            let id = values.keys().nth(index).map_or("", String::as_str);
            field_error(&format!("totals.{id}"), describe(&refusal))
        }
        other => other.into(),
    })?;
    Ok(json(&Happened { events: effects.events }))
}

/// Resets the world to the scenario's start. Sockets of a shop stay open, those of endpoints are closed, and streams
/// end.
#[handler]
pub(super) async fn reset(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let ResetRequest { seed } = input::read_if_any(headers, body).await?;
    world.reset(seed).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Orders to place one after the other, all or none.
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
    /// The id of the product.
    #[serde(deserialize_with = "input::id")]
    #[schemars(schema_with = "input::id_schema")]
    id: Arc<str>,
    /// The amount to add to the product's total.
    #[schemars(with = "i64")]
    amount: Value,
}

/// Adds amounts to counters, all or none.
#[handler]
pub(super) async fn count(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let request: CountRequest = input::read(headers, body).await?;
    let amount = |(index, request): (usize, &AmountRequest)| {
        let amount = integer(&request.amount);
        let amount = amount.ok_or_else(|| field_error(&format!("orders[{index}].amount"), "is not an integer"))?;
        Ok((request.id.clone(), amount))
    };
    let amounts: Result<Vec<_>, ApiError> = request.amounts.iter().enumerate().map(amount).collect();
    let effects = world.apply(Command::CountAll { amounts: amounts? }).await.map_err(|error| match error {
        WorldError::Refused(Refusal::At { index, refusal }) => {
            let is_missing = refusal.kind() == RefusalKind::Missing;
            let field = if is_missing { "id" } else { "amount" };
            field_error(&format!("orders[{index}].{field}"), describe(&refusal))
        }
        other => other.into(),
    })?;
    Ok(json(&Happened { events: effects.events }))
}

/// Describes why a counter cannot be changed, in the terms of the control API.
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
    /// The categories in declared order.
    #[serde(rename = "categories")]
    collections: Vec<ListingAnswer>,
}

/// A category with its products.
#[derive(Serialize, JsonSchema)]
struct ListingAnswer {
    /// The name of the category, which is also its path.
    name: Arc<str>,
    /// The products, as the category's path lists them.
    #[serde(rename = "products")]
    #[schemars(with = "Vec<Map<String, Value>>")]
    rows: Vec<Arc<Row>>,
}

/// Returns all collections with their rows, as the mock API lists them but without an entry in the journal.
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
    /// The snapshots, sorted by name.
    snapshots: Vec<SnapshotAnswer>,
}

/// A snapshot to save.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotRequest {
    /// The name of the snapshot. An existing snapshot with this name is replaced.
    name: String,
}

/// Returns all snapshots of the world.
#[handler]
pub(super) async fn list_snapshots(Data(world): Data<&World>) -> poem::Result<Response> {
    let state = world.state().await.map_err(ApiError::from)?;
    Ok(json(&SnapshotsAnswer { snapshots: SnapshotAnswer::all(state.snapshots) }))
}

/// Saves a snapshot of the current state.
#[handler]
pub(super) async fn save_snapshot(
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let SnapshotRequest { name } = input::read(headers, body).await?;
    if !(1..=MAX_SNAPSHOT_NAME).contains(&name.chars().count()) {
        return Err(field_error("name", format!("must have 1 to {MAX_SNAPSHOT_NAME} characters")).into());
    }
    world.save(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Restores a snapshot.
#[handler]
pub(super) async fn restore_snapshot(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.restore(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Deletes a snapshot.
#[handler]
pub(super) async fn delete_snapshot(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.forget(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}
