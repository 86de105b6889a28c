//! `/__mockd/scenarios`: the scenario files that there are, and which of them is served.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::about::ReloadAnswer;
use super::answer::json;
use super::input;
use crate::http::App;
use crate::http::error::ApiError;
use crate::selector::Candidate;

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
pub(in crate::http) async fn list_scenarios(Data(app): Data<&Arc<App>>) -> Response {
    let scenarios = app.choice.list().await.into_iter().map(ScenarioAnswer::from).collect();
    json(&ScenariosAnswer { scenarios })
}

/// Serves another of them.
#[handler]
pub(in crate::http) async fn switch_scenario(
    headers: &HeaderMap,
    body: Body,
    Data(app): Data<&Arc<App>>,
) -> poem::Result<Response> {
    let SwitchRequest { file } = input::read(headers, body).await?;
    let last = app.choice.switch(&file).await.map_err(ApiError::from)?;
    Ok(json(&ReloadAnswer::new(&last, usize::MAX)))
}
