//! `/__mockd/timeline`: what happens by itself, and how far it is. For a picture of it: of a long script only the steps
//! around the next one.

use std::ops::Range;

use poem::web::Data;
use poem::{Response, handler};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::json;
use super::input::Time;
use crate::engine::{GeneratorState, ScriptState};
use crate::http::error::ApiError;
use crate::scenario::{Generator, Repeat, Step};
use crate::world::{Timelines, World};

/// Steps of a script that are listed, and how many of them are behind the next one.
const LISTED: usize = 240;
const BEHIND: usize = 60;

/// What happens by itself.
#[derive(Serialize, JsonSchema)]
pub(super) struct TimelineAnswer {
    /// The world's time.
    at: Time,
    /// The scripts, in declared order.
    scripts: Vec<ScriptAnswer>,
    /// The generators, in declared order.
    generators: Vec<GeneratorAnswer>,
}

/// A script.
#[derive(Serialize, JsonSchema)]
struct ScriptAnswer {
    /// What messages call it: its name, or its place.
    script: String,
    /// The world's time when the current repeat began or begins.
    began: Time,
    /// How long a repeat takes.
    length: Time,
    /// Which repeat this is, from 1.
    round: u64,
    /// How often it plays; null for ever.
    repeat: Option<u64>,
    /// How many steps it has.
    count: usize,
    /// How many of them have begun in this repeat.
    begun: usize,
    /// The world's time when it does something next; null once it is over.
    due: Option<Time>,
    /// How many steps there are before the first that is listed.
    first: usize,
    /// Its steps around the next one.
    steps: Vec<StepAnswer>,
}

/// A step.
#[derive(Serialize, JsonSchema)]
struct StepAnswer {
    /// The world's time when it happens or happened in this repeat.
    at: Time,
    /// What was declared, as in scenarios.
    #[schemars(with = "Map<String, Value>")]
    step: Step,
}

/// A generator.
#[derive(Serialize, JsonSchema)]
struct GeneratorAnswer {
    /// What messages call it: its place.
    generator: String,
    /// The world's time when its own time began.
    began: Time,
    /// The world's time of its next order; null once it is over.
    due: Option<Time>,
    /// What was declared, as in scenarios.
    #[schemars(with = "Map<String, Value>")]
    declared: Generator,
}

/// What happens by itself, and how far it is.
#[handler]
pub(in crate::http) async fn get_timeline(Data(world): Data<&World>) -> poem::Result<Response> {
    let Timelines { now, scripts, generators } = world.timelines().await.map_err(ApiError::from)?;
    Ok(json(&TimelineAnswer {
        at: Time(now),
        scripts: scripts.into_iter().map(ScriptAnswer::from).collect(),
        generators: generators.into_iter().map(GeneratorAnswer::from).collect(),
    }))
}

impl From<ScriptState> for ScriptAnswer {
    fn from(state: ScriptState) -> Self {
        let ScriptState { label, script, origin, round, next, due } = state;
        let (steps, listed) = (script.steps(), listed(script.steps().len(), next));
        let step = |step: &Step| StepAnswer { at: Time(origin.saturating_add(step.at)), step: step.clone() };
        Self {
            script: label,
            began: Time(origin),
            length: Time(script.length()),
            round: round + 1,
            repeat: match script.repeat() {
                Repeat::Times(times) => Some(times),
                Repeat::Forever => None,
            },
            count: steps.len(),
            begun: next,
            due: due.map(Time),
            first: listed.start,
            steps: steps[listed].iter().map(step).collect(),
        }
    }
}

/// The steps to list of so many, around the next one.
fn listed(count: usize, next: usize) -> Range<usize> {
    let first = next.saturating_sub(BEHIND).min(count.saturating_sub(LISTED));
    first..count.min(first + LISTED)
}

impl From<GeneratorState> for GeneratorAnswer {
    fn from(GeneratorState { label, generator, origin, due }: GeneratorState) -> Self {
        Self { generator: label, began: Time(origin), due: due.map(Time), declared: Generator::clone(&generator) }
    }
}
