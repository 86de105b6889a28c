//! `/__mockd/snapshots`: moments that can be gone back to.

use poem::http::HeaderMap;
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Done, json};
use super::input::{self, wrong};
use super::state::SnapshotAnswer;
use crate::http::error::ApiError;
use crate::world::World;

/// The most characters of a snapshot's name.
const MAX_NAME: usize = 100;

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
pub(in crate::http) async fn list_snapshots(Data(world): Data<&World>) -> poem::Result<Response> {
    let state = world.state().await.map_err(ApiError::from)?;
    Ok(json(&SnapshotsAnswer { snapshots: SnapshotAnswer::all(state.snapshots) }))
}

/// Keeps this moment.
#[handler]
pub(in crate::http) async fn save(
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let SnapshotRequest { name } = input::read(headers, body).await?;
    if !(1..=MAX_NAME).contains(&name.chars().count()) {
        return Err(wrong("name", format!("has to have 1 to {MAX_NAME} characters")).into());
    }
    world.save(&name).await.map_err(ApiError::from)?;
    Ok(Done::answer())
}

/// Goes back to a snapshot.
#[handler]
pub(in crate::http) async fn restore(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.restore(&name).await.map_err(ApiError::from)?;
    Ok(Done::answer())
}

/// Drops a snapshot.
#[handler]
pub(in crate::http) async fn forget(Path(name): Path<String>, Data(world): Data<&World>) -> poem::Result<Response> {
    world.forget(&name).await.map_err(ApiError::from)?;
    Ok(Done::answer())
}
