//! `/__mockd/faults`: what goes wrong on purpose, and to bring and to lift it.

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
    /// Those of the scenario first, in declared order.
    faults: Vec<FaultAnswer>,
}

/// A fault.
#[derive(Serialize, JsonSchema)]
pub(super) struct FaultAnswer {
    /// Its number, from 1 in each world.
    id: u64,
    /// What messages and the journal call it: its name, or its number.
    label: Arc<str>,
    /// Who brought it: `scenario`, `script` or `api`.
    source: &'static str,
    /// Whether it is in force: `waiting`, `active` or `over`.
    phase: &'static str,
    /// The world's time when it begins or began.
    from: Time,
    /// The world's time when it ends; null if it does not by itself.
    until: Option<Time>,
    /// Requests, handshakes or sockets that it could have hit so far.
    matched: u64,
    /// Those that it has hit.
    hit: u64,
    /// What was declared, as in scenarios.
    #[schemars(with = "FaultShape")]
    fault: Arc<Fault>,
    /// What is odd about one that was just brought, such as that it can never match.
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

/// The faults.
#[handler]
pub(super) async fn list_faults(Data(world): Data<&World>) -> poem::Result<Response> {
    let faults = FaultAnswer::all(world.faults().await.map_err(ApiError::from)?);
    Ok(json(&FaultsAnswer { faults }))
}

/// One fault, by number or name.
#[handler]
pub(super) async fn get_fault(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    Ok(json(&FaultAnswer::from(world.fault(&name).await.map_err(ApiError::from)?)))
}

/// Brings a fault.
#[handler]
pub(super) async fn add_fault(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let (fault, warnings) = read(headers, body, world).await?;
    let state = world.add_fault(fault).await.map_err(ApiError::from)?;
    Ok(json(&FaultAnswer { warnings, ..state.into() }))
}

/// Puts another in the place of a fault.
#[handler]
pub(super) async fn change_fault(
    Path(name): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let (fault, warnings) = read(headers, body, world).await?;
    let state = world.change_fault(&name, fault).await.map_err(ApiError::from)?;
    Ok(json(&FaultAnswer { warnings, ..state.into() }))
}

/// Lifts a fault for good.
#[handler]
pub(super) async fn remove_fault(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.remove_fault(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

/// Lifts all faults for good.
#[handler]
pub(super) async fn clear_faults(Data(world): Data<&World>) -> poem::Result<Response> {
    world.clear_faults().await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}

async fn read(headers: &HeaderMap, body: Body, world: &World) -> Result<(Fault, Vec<String>), ApiError> {
    let bytes = input::bytes(body).await?;
    let bytes = body::expect_json(headers, &bytes)?;
    // What is no JSON is said to be none, before it is read as the YAML that it could be.
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(ApiError::BadJson)?;
    if !json.is_object() {
        return Err(ApiError::NotAnObject(body::kind(&json)));
    }
    let source = Source::new("body", &String::from_utf8_lossy(bytes));
    parse_fault(&source, &world.view().scenario).map_err(ApiError::BadFault)
}
