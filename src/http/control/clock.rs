//! `/__mockd/clock` and `/__mockd/timeline`: time that stands still, goes faster, or jumps, and what happens by itself in it.

use std::ops::Range;
use std::sync::Arc;

use poem::http::HeaderMap;
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{ClockAnswer, EventShape, json};
use super::input::{self, Time, wrong};
use crate::engine::{Event, GeneratorState, RuleScriptState, ScriptState, WaitingState};
use crate::http::error::ApiError;
use crate::scenario::{Generator, Repeat, Step};
use crate::world::{Advanced, ClockChange, ClockError, ClockState, Timelines, Until, World, WorldError};

/// What the clock is to do: it is advanced, and then goes on as it is told. A client that leaves before the answer stops
/// the advance where it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClockRequest {
    /// `true` stops the clock.
    pause: Option<bool>,
    /// `true` lets it go on.
    resume: Option<bool>,
    /// How many times as fast as the machine's it goes, from 0.001 to 100000.
    #[schemars(range(min = 0.001, max = 100_000))]
    speed: Option<f64>,
    /// Lets everything of the next while happen now.
    advance: Option<Time>,
    /// Lets everything until that time since the world's start happen now.
    #[serde(alias = "advanceTo")]
    advance_to: Option<Time>,
    /// Lets so many of the next things happen now: steps of scripts and rules, random orders, and what protocols of sockets send.
    #[schemars(range(min = 1, max = 1_000_000))]
    step: Option<u64>,
}

/// The clock, and what happened by an advance.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Advanced")]
#[serde(rename_all = "camelCase")]
pub(super) struct AdvanceAnswer {
    #[serde(flatten)]
    clock: ClockAnswer,
    /// How many events there were. What sockets and streams alone get or are closed by, such as replies and heartbeats, is no event:
    /// the journal has it.
    count: u64,
    /// The events, 10,000 at the most; the transcript has more.
    #[schemars(with = "Vec<EventShape>")]
    events: Vec<Event>,
    /// Sockets that wrote nothing for a second and may not have everything yet.
    left_behind: Vec<u64>,
}

/// The clock.
#[handler]
pub(super) async fn get_clock(Data(world): Data<&World>) -> poem::Result<Response> {
    let clock = world.clock().await.map_err(ApiError::from)?;
    Ok(json(&ClockAnswer::new(clock)))
}

/// Does what is asked, all of it or nothing, and answers when it has happened and sockets have written it.
#[handler]
pub(super) async fn set_clock(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let request: ClockRequest = input::read(headers, body).await?;
    Ok(request.carry_out(world).await?)
}

impl ClockRequest {
    async fn carry_out(self, world: &World) -> Result<Response, ApiError> {
        let until = self.check()?;
        let paused = self.pause.or(self.resume.map(|resume| !resume));
        let change = ClockChange { until, paused, speed: self.speed };
        let advanced = world.change_clock(change).await.map_err(|error| match error {
            WorldError::Clock(error @ ClockError::InThePast { .. }) => wrong("advance_to", error),
            other => other.into(),
        })?;
        let Advanced { now, pace, next_due, count, events, left_behind } = advanced;
        let clock = ClockAnswer::new(ClockState { now, pace, next_due });
        Ok(json(&AdvanceAnswer { clock, count, events, left_behind }))
    }

    /// How far time is to go.
    fn check(&self) -> Result<Until, ApiError> {
        for (field, value) in [("pause", self.pause), ("resume", self.resume)] {
            if value == Some(false) {
                return Err(wrong(field, "is true or left out; pause stops the clock, resume lets it go on"));
            }
        }
        if self.pause.is_some() && self.resume.is_some() {
            return Err(wrong("resume", "cannot stand beside pause"));
        }
        self.speed.map_or(Ok(()), input::expect_speed)?;
        if let Some(step) = self.step.filter(|step| !(1..=1_000_000).contains(step)) {
            return Err(wrong("step", format!("{step} is not between 1 and 1000000")));
        }
        let advances = [
            self.advance.map(|Time(by)| ("advance", Until::By(by))),
            self.advance_to.map(|Time(at)| ("advance_to", Until::At(at))),
            self.step.map(|steps| ("step", Until::Steps(steps))),
        ];
        let mut advances = advances.into_iter().flatten();
        match (advances.next(), advances.next()) {
            (Some((first, _)), Some((second, _))) => Err(wrong(second, format!("cannot stand beside {first}"))),
            (None, _) if self.pause.or(self.resume).is_none() && self.speed.is_none() => {
                Err(wrong("body", "says nothing to do; there is pause, resume, speed, advance, advance_to and step"))
            }
            (first, _) => Ok(first.map_or(Until::Now, |(_, until)| until)),
        }
    }
}

/// Steps of a script that are listed, and how many of them are behind the next one.
const LISTED: usize = 240;
const BEHIND: usize = 60;

/// What happens by itself.
#[derive(Serialize, JsonSchema)]
pub(super) struct TimelineAnswer {
    /// The world's time.
    at: Time,
    /// The scripts of orders, then those of general steps, each in declared order.
    scripts: Vec<ScriptAnswer>,
    /// The generators, in declared order.
    generators: Vec<GeneratorAnswer>,
    /// Scripts of general steps, and what rules do later: the first 100 that are due.
    waiting: Vec<WaitingAnswer>,
}

/// A script.
#[derive(Serialize, JsonSchema)]
struct ScriptAnswer {
    /// What messages call it: its name, or its place; of one of general steps, its key, such as `scripts/morning`.
    script: String,
    /// The world's time when the current repeat began or begins; null for one of general steps that is over.
    began: Option<Time>,
    /// How long a repeat takes; null for one of general steps, of which that is known only afterwards.
    length: Option<Time>,
    /// Which repeat this is, from 1.
    round: u64,
    /// How often it plays; null for ever.
    repeat: Option<u64>,
    /// How many steps it has.
    count: usize,
    /// How many of them have begun in this repeat; of one of general steps, how many are before the next.
    begun: usize,
    /// The world's time when it does something next; null once it is over.
    due: Option<Time>,
    /// How many steps there are before the first that is listed.
    first: usize,
    /// Its steps around the next one; of one of general steps, that one alone.
    steps: Vec<StepAnswer>,
}

/// A step.
#[derive(Serialize, JsonSchema)]
struct StepAnswer {
    /// The world's time when it happens or happened in this repeat.
    at: Time,
    /// What was declared, as in scenarios.
    #[schemars(with = "Map<String, Value>")]
    step: DeclaredStep,
}

/// A step as it was declared.
#[derive(Serialize)]
#[serde(untagged)]
enum DeclaredStep {
    Order(Step),
    General(Value),
}

/// A generator.
#[derive(Serialize, JsonSchema)]
struct GeneratorAnswer {
    /// What messages call it: its place; of one of general steps, its key, such as `random/crowd`.
    generator: String,
    /// The world's time when its own time began.
    began: Time,
    /// The world's time of its next order; null once it is over.
    due: Option<Time>,
    /// What was declared, as in scenarios.
    #[schemars(with = "Map<String, Value>")]
    declared: Generator,
}

/// Steps that wait for their time.
#[derive(Serialize, JsonSchema)]
struct WaitingAnswer {
    /// The key of their rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`; `steps` if they came from outside.
    rule: Arc<str>,
    /// The world's time of the next of them.
    due: Time,
}

/// What happens by itself, and how far it is.
#[handler]
pub(super) async fn get_timeline(Data(world): Data<&World>) -> poem::Result<Response> {
    let Timelines { now, scripts, rule_scripts, generators, waiting } =
        world.timelines().await.map_err(ApiError::from)?;
    let orders = scripts.into_iter().map(ScriptAnswer::from);
    Ok(json(&TimelineAnswer {
        at: Time(now),
        scripts: orders.chain(rule_scripts.into_iter().map(ScriptAnswer::from)).collect(),
        generators: generators.into_iter().map(GeneratorAnswer::from).collect(),
        waiting: waiting
            .into_iter()
            .map(|WaitingState { key, due }| WaitingAnswer { rule: key, due: Time(due) })
            .collect(),
    }))
}

impl From<ScriptState> for ScriptAnswer {
    fn from(state: ScriptState) -> Self {
        let ScriptState { label, script, origin, round, next, due } = state;
        let (steps, listed) = (script.steps(), listed(script.steps().len(), next));
        let step = |step: &Step| {
            let at = Time(origin.saturating_add(step.at));
            StepAnswer { at, step: DeclaredStep::Order(step.clone()) }
        };
        Self {
            script: label,
            began: Some(Time(origin)),
            length: Some(Time(script.length())),
            round: round + 1,
            repeat: times(script.repeat()),
            count: steps.len(),
            begun: next,
            due: due.map(Time),
            first: listed.start,
            steps: steps[listed].iter().map(step).collect(),
        }
    }
}

impl From<RuleScriptState> for ScriptAnswer {
    fn from(RuleScriptState { script, place }: RuleScriptState) -> Self {
        let (count, repeat) = (script.steps.steps().len(), times(script.repeat));
        let begun = place.map_or(count, |place| place.next);
        let next = place.and_then(|place| {
            let step = script.steps.written().get(place.next)?.clone();
            Some(StepAnswer { at: Time(place.due), step: DeclaredStep::General(step) })
        });
        Self {
            script: script.key.to_string(),
            began: place.map(|place| Time(place.origin)),
            length: None,
            round: place.map_or(repeat.unwrap_or(1), |place| place.round + 1),
            repeat,
            count,
            begun,
            due: place.map(|place| Time(place.due)),
            first: begun,
            steps: next.into_iter().collect(),
        }
    }
}

fn times(repeat: Repeat) -> Option<u64> {
    match repeat {
        Repeat::Times(times) => Some(times),
        Repeat::Forever => None,
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
