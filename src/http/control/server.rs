//! What is about the server: whether it is well, what it serves, its last reload, the scenario files that there are
//! (`/__mockd/scenarios`), and its worlds (`/__mockd/worlds`).

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, Uri};
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{DoneAnswer, json};
use super::input::{self, Time, wrong};
use crate::engine::{Change, RowSet};
use crate::http::App;
use crate::http::error::ApiError;
use crate::reloads::LastReload;
use crate::scenario::describe;
use crate::selector::Candidate;
use crate::world::{View, World};
use crate::worlds::WorldsError;

/// That the server is well.
#[derive(Serialize, JsonSchema)]
pub(super) struct HealthAnswer {
    /// A server that is not well does not answer; one that cannot reach its store answers what it knows, and refuses changes.
    status: Health,
    /// mockd's version.
    version: &'static str,
    /// Why the store cannot be reached, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// How a server is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    Ok,
    Degraded,
}

/// What is served.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "CategoriesAnswer")]
pub(super) struct CollectionsAnswer {
    /// The scenario's name.
    scenario: String,
    /// In declared order.
    #[serde(rename = "categories")]
    collections: Vec<CollectionAnswer>,
}

/// A category.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "CategoryAnswer")]
pub(super) struct CollectionAnswer {
    /// Its name, which is its path.
    name: Arc<str>,
    /// What ids of added products start with.
    prefix: String,
    /// How many products it has.
    #[serde(rename = "products")]
    rows: usize,
}

/// What became of the last save.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReloadAnswer {
    /// Whether what is in the file is what is served.
    ok: bool,
    /// How often a saved scenario was applied since the start.
    count: u64,
    /// What the last of these changed in the default world: objects with `kind`, `text`, and the data of the kind.
    changes: Vec<Map<String, Value>>,
    /// How many changes are not listed because of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
    /// What is odd about what is in the file, if it is right, as `mockd check` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<String>,
    /// Why what is in the file could not be applied, if it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The problems of the file, as `mockd check --format json` prints them.
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Value>,
}

/// How much of a reload to tell.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReloadQuery {
    /// So many changes at the most, the first of them.
    limit: Option<usize>,
}

impl ReloadAnswer {
    pub(super) fn new(last: &LastReload, limit: usize) -> Self {
        Self {
            ok: last.error.is_none(),
            count: last.count,
            changes: last.changes.iter().take(limit).map(described).collect(),
            more: last.changes.len().checked_sub(limit).filter(|more| *more > 0),
            warnings: last.warnings.as_ref().map(ToString::to_string),
            error: last.error.as_ref().map(ToString::to_string),
            problems: last.error.as_ref().map(describe),
        }
    }
}

fn described(change: &Change) -> Map<String, Value> {
    // A change is plain data with text keys, which always becomes a JSON object.
    let mut described = match serde_json::to_value(change) {
        Ok(Value::Object(described)) => described,
        _ => Map::new(),
    };
    described.insert("text".into(), change.to_string().into());
    described
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

/// The server is well.
#[handler]
pub(super) fn health(Data(app): Data<&Arc<App>>) -> Response {
    let trouble = app.worlds.trouble();
    let status = if trouble.is_none() { Health::Ok } else { Health::Degraded };
    json(&HealthAnswer { status, version: env!("CARGO_PKG_VERSION"), trouble })
}

/// The scenario's name and its collections: what the browser app shows.
#[handler]
pub(super) fn list_collections(Data(world): Data<&World>) -> Response {
    let view = world.view();
    json(&CollectionsAnswer { scenario: view.scenario.name().to_owned(), collections: CollectionAnswer::all(&view) })
}

/// What the last reload changed, and what is wrong with the file if it could not be applied since.
#[handler]
pub(super) fn reload(uri: &Uri, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let ReloadQuery { limit } = input::query(uri)?;
    Ok(json(&ReloadAnswer::new(&app.reloads.last(), limit.unwrap_or(usize::MAX))))
}

/// The scenario files that mockd was started with. Folders are looked at anew each time.
#[derive(Serialize, JsonSchema)]
pub(super) struct ScenariosAnswer {
    /// In the order in which they were given, those of a folder by name.
    scenarios: Vec<ScenarioAnswer>,
}

/// A scenario file.
#[derive(Serialize, JsonSchema)]
pub(super) struct ScenarioAnswer {
    /// Its path as it was given, or that of its folder and its name.
    file: String,
    /// Whether it is the one that is served.
    serving: bool,
}

/// The file to be served.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchRequest {
    /// As `GET /__mockd/scenarios` lists it.
    file: String,
}

impl From<Candidate> for ScenarioAnswer {
    fn from(Candidate { file, serving }: Candidate) -> Self {
        Self { file: file.to_string_lossy().into_owned(), serving }
    }
}

/// The scenario files.
#[handler]
pub(super) async fn list_scenarios(Data(app): Data<&Arc<App>>) -> Response {
    let scenarios = app.selector.list().await.into_iter().map(ScenarioAnswer::from).collect();
    json(&ScenariosAnswer { scenarios })
}

/// Serves another of them.
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
pub(super) async fn list_worlds(Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    app.worlds.join_all().await.map_err(ApiError::from)?;
    let worlds = app.worlds.all();
    let worlds = worlds.iter().enumerate().map(|(index, world)| WorldAnswer::new(world, index == 0)).collect();
    Ok(json(&WorldsAnswer { worlds }))
}

/// One world.
#[handler]
pub(super) async fn get_world(Path(name): Path<String>, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let world = app.worlds.find(&name, false).await.map_err(ApiError::from)?;
    let is_default = world.name() == app.worlds.default_world().name();
    Ok(json(&WorldAnswer::new(&world, is_default)))
}

/// Makes a world.
#[handler]
pub(super) async fn make_world(headers: &HeaderMap, body: Body, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
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
pub(super) async fn remove_world(Path(name): Path<String>, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    app.worlds.remove(&name).await.map_err(ApiError::from)?;
    Ok(DoneAnswer::answer())
}
