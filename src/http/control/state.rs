//! `/__mockd/state` and `/__mockd/reset`: a world at one moment, and back to its start.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::about::CategoryAnswer;
use super::answer::{ClockAnswer, Done, Happened, json};
use super::faults::FaultAnswer;
use super::input::{self, Time, wrong};
use super::orders::describe;
use crate::engine::Refusal;
use crate::http::error::ApiError;
use crate::http::orders::integer;
use crate::world::{World, WorldError};

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
    /// The number of the last event.
    sequence: u64,
    /// The categories in declared order.
    categories: Vec<CategoryAnswer>,
    /// Every product's order total by id.
    #[schemars(with = "std::collections::BTreeMap<String, i64>")]
    totals: Map<String, Value>,
    /// The faults that are in force.
    faults: Vec<FaultAnswer>,
    /// How many sockets are open.
    sockets: usize,
    /// The snapshots.
    snapshots: Vec<SnapshotAnswer>,
}

/// A moment that can be gone back to.
#[derive(Serialize, JsonSchema)]
pub(super) struct SnapshotAnswer {
    /// Its name.
    pub(super) name: String,
    /// The world's time in it.
    pub(super) at: Time,
}

/// Totals to be set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchRequest {
    /// New totals by product id. All are set, or none.
    #[schemars(with = "std::collections::BTreeMap<String, i64>")]
    totals: Map<String, Value>,
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
pub(in crate::http) async fn get_state(Data(world): Data<&World>) -> poem::Result<Response> {
    let state = world.state().await.map_err(ApiError::from)?;
    let view = world.view();
    Ok(json(&StateAnswer {
        world: world.name().clone(),
        scenario: view.scenario.name().to_owned(),
        seed: view.seed,
        clock: ClockAnswer::new(state.clock),
        sequence: state.sequence,
        categories: CategoryAnswer::all(&view),
        totals: state.totals.into_iter().map(|(id, total)| (id.to_string(), total.into())).collect(),
        faults: FaultAnswer::all(state.faults),
        sockets: world.socket_count(),
        snapshots: SnapshotAnswer::all(state.snapshots),
    }))
}

impl SnapshotAnswer {
    pub(super) fn all(snapshots: Vec<(String, std::time::Duration)>) -> Vec<Self> {
        snapshots.into_iter().map(|(name, at)| Self { name, at: Time(at) }).collect()
    }
}

/// Sets totals.
#[handler]
pub(in crate::http) async fn patch_state(
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let request: PatchRequest = input::read(headers, body).await?;
    let total = |(id, total): (&String, &Value)| {
        let total = integer(total).ok_or_else(|| wrong(&format!("totals.{id}"), "is not an integer"))?;
        Ok((Arc::from(id.as_str()), total))
    };
    let totals: Result<Vec<_>, ApiError> = request.totals.iter().map(total).collect();
    let events = world.set_totals(totals?).await.map_err(|error| match error {
        WorldError::Refused(Refusal::At { index, refusal }) => {
            let id = request.totals.keys().nth(index).map_or("", String::as_str);
            wrong(&format!("totals.{id}"), describe(&refusal))
        }
        other => other.into(),
    })?;
    Ok(json(&Happened { events }))
}

/// Goes back to the scenario's start; open sockets stay.
#[handler]
pub(in crate::http) async fn reset(
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let ResetRequest { seed } = input::read_if_any(headers, body).await?;
    world.reset(seed).await.map_err(ApiError::from)?;
    Ok(Done::answer())
}
