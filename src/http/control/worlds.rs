//! `/__mockd/worlds`: isolated copies of the scenario.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode};
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Done, json};
use super::input::{self, Time, wrong};
use crate::http::App;
use crate::http::error::ApiError;
use crate::world::World;
use crate::worlds::WorldsError;

/// A world to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorldRequest {
    /// Its name: 1 to 64 letters, digits, dots, dashes, underscores or tildes.
    name: String,
    /// A seed of its own; the server's otherwise.
    seed: Option<u64>,
    /// Whether its clock stands still at first; as the server was started otherwise.
    paused: Option<bool>,
    /// How fast its clock goes; as the server was started otherwise.
    #[schemars(range(min = 0.001, max = 100_000))]
    speed: Option<f64>,
}

/// All worlds.
#[derive(Serialize, JsonSchema)]
pub(super) struct WorldsAnswer {
    /// The default one, then the others by name.
    worlds: Vec<WorldAnswer>,
}

/// A world.
#[derive(Serialize, JsonSchema)]
pub(super) struct WorldAnswer {
    /// Its name.
    name: Arc<str>,
    /// What the paths of its API begin with.
    path: String,
    /// The seed of all that is random in it.
    seed: u64,
    /// Its time.
    at: Time,
    /// Whether its clock stands still.
    paused: bool,
    /// How fast its clock goes.
    speed: f64,
    /// How many sockets are open in it.
    sockets: usize,
}

impl WorldAnswer {
    fn new(world: &World, is_default: bool) -> Self {
        let (name, pace) = (world.name().clone(), world.pace());
        Self {
            path: if is_default { "/".to_owned() } else { format!("/@{name}/") },
            name,
            seed: world.view().seed,
            at: Time(world.now()),
            paused: pace.paused,
            speed: pace.speed,
            sockets: world.socket_count(),
        }
    }
}

/// All worlds.
#[handler]
pub(in crate::http) async fn list_worlds(Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    app.worlds.join_all().await.map_err(ApiError::from)?;
    let worlds = app.worlds.all();
    let worlds = worlds.iter().enumerate().map(|(index, world)| WorldAnswer::new(world, index == 0)).collect();
    Ok(json(&WorldsAnswer { worlds }))
}

/// One world.
#[handler]
pub(in crate::http) async fn get_world(Path(name): Path<String>, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let world = app.worlds.find(&name, false).await.map_err(ApiError::from)?;
    let is_default = world.name() == app.worlds.default_world().name();
    Ok(json(&WorldAnswer::new(&world, is_default)))
}

/// Makes a world.
#[handler]
pub(in crate::http) async fn make_world(
    headers: &HeaderMap,
    body: Body,
    Data(app): Data<&Arc<App>>,
) -> poem::Result<Response> {
    let request: WorldRequest = input::read(headers, body).await?;
    let mut setup = app.worlds.setup();
    setup.seed = request.seed;
    setup.pace.paused = request.paused.unwrap_or(setup.pace.paused);
    if let Some(speed) = request.speed {
        input::expect_speed(speed)?;
        setup.pace.speed = speed;
    }
    let world = app.worlds.create(&request.name, &setup).await.map_err(|error| match error {
        WorldsError::BadName(_) => wrong("name", error),
        other => other.into(),
    })?;
    let mut response = json(&WorldAnswer::new(&world, false));
    response.set_status(StatusCode::CREATED);
    Ok(response)
}

/// Removes a world.
#[handler]
pub(in crate::http) async fn remove_world(
    Path(name): Path<String>,
    Data(app): Data<&Arc<App>>,
) -> poem::Result<Response> {
    app.worlds.remove(&name).await.map_err(ApiError::from)?;
    Ok(Done::answer())
}
