//! Operations on the server: its health, what it serves, its last reload, its scenario files (`/__mockd/scenarios`) and
//! its worlds (`/__mockd/worlds`).

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, Uri};
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{DoneAnswer, json};
use super::input::{self, Time, field_error};
use crate::engine::{Change, RowSet};
use crate::http::App;
use crate::http::error::ApiError;
use crate::reloads::LastReload;
use crate::scenario::describe;
use crate::selector::Candidate;
use crate::world::{View, World};
use crate::worlds::WorldsError;

/// The health of the server.
#[derive(Serialize, JsonSchema)]
pub(super) struct HealthAnswer {
    /// `ok`, or `degraded` if the server cannot reach its store. A degraded server
    /// answers with what it has, but refuses changes.
    status: Health,
    /// The version of mockd.
    version: &'static str,
    /// Why the store cannot be reached; omitted if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// The status of a server.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    Ok,
    Degraded,
}

/// The scenario that is served.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "CategoriesAnswer")]
pub(super) struct CollectionsAnswer {
    /// The name of the scenario.
    scenario: String,
    /// The categories in declared order.
    #[serde(rename = "categories")]
    collections: Vec<CollectionAnswer>,
}

/// A category.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "CategoryAnswer")]
pub(super) struct CollectionAnswer {
    /// The name of the category, which is also its path.
    name: Arc<str>,
    /// The prefix of the ids of added products.
    prefix: String,
    /// The number of products.
    #[serde(rename = "products")]
    rows: usize,
}

/// The result of the last save of the scenario file.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReloadAnswer {
    /// Whether mockd serves the current content of the file.
    ok: bool,
    /// The number of saves that were applied since the start.
    count: u64,
    /// What the last applied save changed in the default world: objects with `kind`, `text`, and fields of that kind.
    changes: Vec<Map<String, Value>>,
    /// The number of changes that are not listed because of `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
    /// The warnings about a valid file, as `mockd check` prints them.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<String>,
    /// Why the content of the file could not be applied; omitted if it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The problems of the file, as `mockd check --format json` prints them.
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Value>,
}

/// How much of a reload to return.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReloadQuery {
    /// The maximum number of changes, counted from the first.
    limit: Option<usize>,
}

impl ReloadAnswer {
    pub(super) fn new(last: &LastReload, limit: usize) -> Self {
        Self {
            ok: last.error.is_none(),
            count: last.count,
            changes: last.changes.iter().take(limit).map(to_json).collect(),
            more: last.changes.len().checked_sub(limit).filter(|more| *more > 0),
            warnings: last.warnings.as_ref().map(ToString::to_string),
            error: last.error.as_ref().map(ToString::to_string),
            problems: last.error.as_ref().map(describe),
        }
    }
}

fn to_json(change: &Change) -> Map<String, Value> {
    // A change is plain data with text keys, which always serializes to a JSON object.
    let mut object = match serde_json::to_value(change) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    };
    object.insert("text".into(), change.to_string().into());
    object
}

impl CollectionAnswer {
    pub(super) fn all(view: &View) -> Vec<Self> {
        let collection = |(name, row_set): (&Arc<str>, &RowSet)| Self {
            name: name.clone(),
            prefix: row_set.prefix().to_owned(),
            rows: row_set.rows().len(),
        };
        view.collections.counted().map(collection).collect()
    }
}

/// Returns the health of the server.
#[handler]
pub(super) fn health(Data(app): Data<&Arc<App>>) -> Response {
    let trouble = app.worlds.store_error();
    let status = if trouble.is_none() { Health::Ok } else { Health::Degraded };
    json(&HealthAnswer { status, version: env!("CARGO_PKG_VERSION"), trouble })
}

/// Returns the scenario's name and its collections, which the browser app shows.
#[handler]
pub(super) fn list_collections(Data(world): Data<&World>) -> Response {
    let view = world.view();
    json(&CollectionsAnswer { scenario: view.scenario.name().to_owned(), collections: CollectionAnswer::all(&view) })
}

/// Returns what the last reload changed, and the errors of the file if it could not be applied since.
#[handler]
pub(super) fn reload(uri: &Uri, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let ReloadQuery { limit } = input::query(uri)?;
    Ok(json(&ReloadAnswer::new(&app.reloads.last(), limit.unwrap_or(usize::MAX))))
}

/// The scenario files that mockd was started with. Folders are read again each time.
#[derive(Serialize, JsonSchema)]
pub(super) struct ScenariosAnswer {
    /// The files in the order in which they were given; those of a folder are sorted by name.
    scenarios: Vec<ScenarioAnswer>,
}

/// A scenario file.
#[derive(Serialize, JsonSchema)]
pub(super) struct ScenarioAnswer {
    /// The path as it was given; for a file of a folder, the path of the folder and the name of the file.
    file: String,
    /// Whether this file is served.
    serving: bool,
}

/// The scenario file to serve.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchRequest {
    /// The path of the file, as `GET /__mockd/scenarios` lists it.
    file: String,
}

impl From<Candidate> for ScenarioAnswer {
    fn from(Candidate { file, serving }: Candidate) -> Self {
        Self { file: file.to_string_lossy().into_owned(), serving }
    }
}

/// Returns the scenario files.
#[handler]
pub(super) async fn list_scenarios(Data(app): Data<&Arc<App>>) -> Response {
    let scenarios = app.selector.list().await.into_iter().map(ScenarioAnswer::from).collect();
    json(&ScenariosAnswer { scenarios })
}

/// Switches to another scenario file.
#[handler]
pub(super) async fn switch_scenario(
    headers: &HeaderMap,
    body: Body,
    Data(app): Data<&Arc<App>>,
) -> poem::Result<Response> {
    let SwitchRequest { file } = input::read(headers, body).await?;
    let last = app.selector.switch(&file).await.map_err(ApiError::from)?;
    Ok(json(&ReloadAnswer::new(&last, usize::MAX)))
}

/// A world to create.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorldRequest {
    /// The name of the world: 1 to 64 letters, digits, dots, dashes, underscores or tildes.
    name: String,
    /// The seed of the world; by default that of the server.
    seed: Option<u64>,
    /// Whether the clock is paused at first; by default as the server was started.
    paused: Option<bool>,
    /// The speed of the clock as a multiple of real time; by default as the server was started.
    #[schemars(range(min = 0.001, max = 100_000))]
    speed: Option<f64>,
}

/// All worlds.
#[derive(Serialize, JsonSchema)]
pub(super) struct WorldsAnswer {
    /// The default world, then the others sorted by name.
    worlds: Vec<WorldAnswer>,
}

/// A world.
#[derive(Serialize, JsonSchema)]
pub(super) struct WorldAnswer {
    /// The name of the world.
    name: Arc<str>,
    /// The prefix of the paths of its API.
    path: String,
    /// The seed of all random choices.
    seed: u64,
    /// The world's time.
    at: Time,
    /// Whether the clock is paused.
    paused: bool,
    /// The speed of the clock as a multiple of real time.
    speed: f64,
    /// The number of open sockets and streams.
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

/// Returns all worlds.
#[handler]
pub(super) async fn list_worlds(Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    app.worlds.join_all().await.map_err(ApiError::from)?;
    let worlds = app.worlds.all();
    let worlds = worlds.iter().enumerate().map(|(index, world)| WorldAnswer::new(world, index == 0)).collect();
    Ok(json(&WorldsAnswer { worlds }))
}

/// Returns one world.
#[handler]
pub(super) async fn get_world(Path(name): Path<String>, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let world = app.worlds.find(&name, false).await.map_err(ApiError::from)?;
    let is_default = world.name() == app.worlds.default_world().name();
    Ok(json(&WorldAnswer::new(&world, is_default)))
}

/// Creates a world.
#[handler]
pub(super) async fn create_world(
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
        WorldsError::BadName(_) => field_error("name", error),
        other => other.into(),
    })?;
    let mut response = json(&WorldAnswer::new(&world, false));
    response.set_status(StatusCode::CREATED);
    Ok(response)
}

/// Removes a world.
#[handler]
pub(super) async fn remove_world(Path(name): Path<String>, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    app.worlds.remove(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}
