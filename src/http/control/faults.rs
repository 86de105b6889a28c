//! `/__mockd/faults`: listing, adding, replacing and removing faults.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{DoneAnswer, json};
use super::input::{self, Time};
use crate::engine::FaultState;
use crate::http::body;
use crate::http::error::ApiError;
use crate::scenario::{Fault, FaultShape, Source, parse_fault};
use crate::world::World;

/// All faults of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct FaultsAnswer {
    /// The faults. Those of the scenario come first, in declared order.
    faults: Vec<FaultAnswer>,
}

/// A fault.
#[derive(Serialize, JsonSchema)]
pub(super) struct FaultAnswer {
    /// The number of the fault, from 1 in each world.
    id: u64,
    /// The name or number of the fault, as shown in messages and in the journal.
    label: Arc<str>,
    /// Where the fault comes from: `scenario`, `script` or `api`.
    source: &'static str,
    /// The phase of the fault: `waiting`, `active` or `over`.
    phase: &'static str,
    /// The world's time when the fault starts or started.
    from: Time,
    /// The world's time when the fault ends; null if it does not end on its own.
    until: Option<Time>,
    /// The number of requests, handshakes or sockets that the fault could have hit so far.
    matched: u64,
    /// The number of those that the fault has hit.
    hit: u64,
    /// The fault as declared, in the scenario language.
    #[schemars(with = "FaultShape")]
    fault: Arc<Fault>,
    /// Warnings about a fault that was just added, such as that it can never match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    warnings: Vec<String>,
}

impl FaultAnswer {
    pub(super) fn all(faults: Vec<FaultState>) -> Vec<Self> {
        faults.into_iter().map(Self::from).collect()
    }
}

impl From<FaultState> for FaultAnswer {
    fn from(state: FaultState) -> Self {
        let FaultState { id, label, source, phase, from, until, matched, hit, fault } = state;
        let (source, phase) = (source.into(), phase.into());
        Self {
            id,
            label,
            source,
            phase,
            from: Time(from),
            until: until.map(Time),
            matched,
            hit,
            fault,
            warnings: Vec::new(),
        }
    }
}

/// Returns all faults of the world.
#[handler]
pub(super) async fn list_faults(Data(world): Data<&World>) -> poem::Result<Response> {
    let faults = FaultAnswer::all(world.faults().await.map_err(ApiError::from)?);
    Ok(json(&FaultsAnswer { faults }))
}

/// Returns one fault, by its number or name.
#[handler]
pub(super) async fn get_fault(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    Ok(json(&FaultAnswer::from(world.fault(&name).await.map_err(ApiError::from)?)))
}

/// Adds a fault.
#[handler]
pub(super) async fn add_fault(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let (fault, warnings) = read(headers, body, world).await?;
    let state = world.add_fault(fault).await.map_err(ApiError::from)?;
    Ok(json(&FaultAnswer { warnings, ..state.into() }))
}

/// Replaces a fault.
#[handler]
pub(super) async fn replace_fault(
    Path(name): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let (fault, warnings) = read(headers, body, world).await?;
    let state = world.change_fault(&name, fault).await.map_err(ApiError::from)?;
    Ok(json(&FaultAnswer { warnings, ..state.into() }))
}

/// Removes a fault.
#[handler]
pub(super) async fn remove_fault(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.remove_fault(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Removes all faults.
#[handler]
pub(super) async fn clear_faults(Data(world): Data<&World>) -> poem::Result<Response> {
    world.clear_faults().await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

async fn read(headers: &HeaderMap, body: Body, world: &World) -> Result<(Fault, Vec<String>), ApiError> {
    let bytes = input::bytes(body).await?;
    let bytes = body::expect_json(headers, &bytes)?;
    // The fault is parsed as YAML, so YAML that is not JSON has to be rejected first.
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(ApiError::BadJson)?;
    if !json.is_object() {
        return Err(ApiError::NotAnObject(body::kind(&json)));
    }
    let source = Source::new("body", &String::from_utf8_lossy(bytes));
    parse_fault(&source, &world.view().scenario).map_err(ApiError::BadFault)
}
