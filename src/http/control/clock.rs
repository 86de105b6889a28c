//! `/__mockd/clock` and `/__mockd/timeline`: pausing, speeding up and advancing time, and the work that is scheduled in
//! it.

use std::ops::Range;
use std::sync::Arc;

use poem::http::HeaderMap;
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{ClockAnswer, EventShape, json};
use super::input::{self, Time, field_error};
use crate::engine::{Event, GeneratorState, RuleScriptState, ScheduledSteps, ScriptState};
use crate::http::error::ApiError;
use crate::scenario::{Generator, Repeat, Step};
use crate::world::{Advanced, ClockChange, ClockError, ClockState, Timelines, Until, World, WorldError};

/// A change to the clock, which first advances and then continues at the new pace. A client that disconnects before the
/// answer stops the advance where it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClockRequest {
    /// `true` pauses the clock.
    pause: Option<bool>,
    /// `true` resumes the clock.
    resume: Option<bool>,
    /// The speed of the clock as a multiple of real time, from 0.001 to 100000.
    #[schemars(range(min = 0.001, max = 100_000))]
    speed: Option<f64>,
    /// Advances by this duration, and runs everything due in that time.
    advance: Option<Time>,
    /// Advances to this time since the world's start, and runs everything due until then.
    #[serde(alias = "advanceTo")]
    advance_to: Option<Time>,
    /// Runs this many of the next scheduled items: steps of scripts and rules, random orders, and timed
    /// messages of socket protocols.
    #[schemars(range(min = 1, max = 1_000_000))]
    step: Option<u64>,
}

/// The clock, and what happened during the advance.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Advanced")]
#[serde(rename_all = "camelCase")]
pub(super) struct AdvanceAnswer {
    #[serde(flatten)]
    clock: ClockAnswer,
    /// The number of events. Replies, heartbeats, closes and whatever else concerns only single sockets or streams are
    /// not events; the journal records them.
    count: u64,
    /// The events, at most 10,000; the transcript has more.
    #[schemars(with = "Vec<EventShape>")]
    events: Vec<Event>,
    /// The sockets that made no progress for a second and whose clients may not have received everything yet.
    left_behind: Vec<u64>,
}

/// Returns the clock.
#[handler]
pub(super) async fn get_clock(Data(world): Data<&World>) -> poem::Result<Response> {
    let clock = world.clock().await.map_err(ApiError::from)?;
    Ok(json(&ClockAnswer::new(clock)))
}

/// Applies the whole request or none of it. Answers once everything due has happened and the sockets have written it.
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
            WorldError::Clock(error @ ClockError::InThePast { .. }) => field_error("advance_to", error),
            other => other.into(),
        })?;
        let Advanced { now, pace, next_due, count, events, left_behind } = advanced;
        let clock = ClockAnswer::new(ClockState { now, pace, next_due });
        Ok(json(&AdvanceAnswer { clock, count, events, left_behind }))
    }

    /// Validates the request, and returns how far to advance.
    fn check(&self) -> Result<Until, ApiError> {
        for (field, value) in [("pause", self.pause), ("resume", self.resume)] {
            if value == Some(false) {
                return Err(field_error(
                    field,
                    "must be true or left out; pause stops the clock, resume starts it again",
                ));
            }
        }
        if self.pause.is_some() && self.resume.is_some() {
            return Err(field_error("resume", "cannot be combined with pause"));
        }
        self.speed.map_or(Ok(()), input::expect_speed)?;
        if let Some(step) = self.step.filter(|step| !(1..=1_000_000).contains(step)) {
            return Err(field_error("step", format!("{step} is not between 1 and 1000000")));
        }
        let advances = [
            self.advance.map(|Time(by)| ("advance", Until::By(by))),
            self.advance_to.map(|Time(at)| ("advance_to", Until::At(at))),
            self.step.map(|steps| ("step", Until::Steps(steps))),
        ];
        let mut advances = advances.into_iter().flatten();
        match (advances.next(), advances.next()) {
            (Some((first, _)), Some((second, _))) => {
                Err(field_error(second, format!("cannot be combined with {first}")))
            }
            (None, _) if self.pause.or(self.resume).is_none() && self.speed.is_none() => {
                Err(field_error("body", "nothing to do: set pause, resume, speed, advance, advance_to or step"))
            }
            (first, _) => Ok(first.map_or(Until::Now, |(_, until)| until)),
        }
    }
}

/// The maximum number of steps that are listed of a script.
const MAX_LISTED: usize = 240;

/// The maximum number of listed steps that come before the next one.
const MAX_LISTED_BEFORE: usize = 60;

/// The scheduled work of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct TimelineAnswer {
    /// The world's time.
    at: Time,
    /// The scripts of orders, then the scripts of general steps, both in declared order.
    scripts: Vec<ScriptAnswer>,
    /// The generators, in declared order.
    generators: Vec<GeneratorAnswer>,
    /// Scripts of general steps and delayed steps of rules: the first 100 by due time.
    waiting: Vec<WaitingAnswer>,
}

/// A script.
#[derive(Serialize, JsonSchema)]
struct ScriptAnswer {
    /// The name or place of the script, as shown in messages; for a script of general steps its key, such as
    /// `scripts/morning`.
    script: String,
    /// The world's time when the current repeat started or starts; null for a script of general steps that is over.
    began: Option<Time>,
    /// The duration of a repeat; null for a script of general steps, whose duration is only known afterwards.
    length: Option<Time>,
    /// The number of the current repeat, from 1.
    round: u64,
    /// The number of repeats; null if the script repeats forever.
    repeat: Option<u64>,
    /// The number of steps.
    count: usize,
    /// The number of steps that have started in this repeat; for a script of general steps, the number before the next
    /// one.
    begun: usize,
    /// The world's time of the next action; null once the script is over.
    due: Option<Time>,
    /// The number of steps before the first listed one.
    first: usize,
    /// The steps around the next one; for a script of general steps, only the next one.
    steps: Vec<StepAnswer>,
}

/// A step of a script.
#[derive(Serialize, JsonSchema)]
struct StepAnswer {
    /// The world's time of the step in this repeat.
    at: Time,
    /// The step as declared, in the scenario language.
    #[schemars(with = "Map<String, Value>")]
    step: DeclaredStep,
}

/// A step as declared.
#[derive(Serialize)]
#[serde(untagged)]
enum DeclaredStep {
    Order(Step),
    General(Value),
}

/// A generator.
#[derive(Serialize, JsonSchema)]
struct GeneratorAnswer {
    /// The place of the generator, as shown in messages; for a generator of general steps its key, such as
    /// `random/crowd`.
    generator: String,
    /// The world's time when the generator started.
    began: Time,
    /// The world's time of the next order or step; null once the generator is over.
    due: Option<Time>,
    /// The generator as declared, in the scenario language.
    #[schemars(with = "Map<String, Value>")]
    declared: Generator,
}

/// Scheduled steps of a rule.
#[derive(Serialize, JsonSchema)]
struct WaitingAnswer {
    /// The key of the rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`; `steps` if the steps come
    /// from outside the scenario.
    rule: Arc<str>,
    /// The world's time of the next step.
    due: Time,
}

/// Returns the scheduled work of the world, with its progress.
#[handler]
pub(super) async fn get_timeline(Data(world): Data<&World>) -> poem::Result<Response> {
    let Timelines { now, scripts, rule_scripts, generators, scheduled } =
        world.timelines().await.map_err(ApiError::from)?;
    let orders = scripts.into_iter().map(ScriptAnswer::from);
    Ok(json(&TimelineAnswer {
        at: Time(now),
        scripts: orders.chain(rule_scripts.into_iter().map(ScriptAnswer::from)).collect(),
        generators: generators.into_iter().map(GeneratorAnswer::from).collect(),
        waiting: scheduled
            .into_iter()
            .map(|ScheduledSteps { key, due }| WaitingAnswer { rule: key, due: Time(due) })
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
            let step = script.steps.source().get(place.next)?.clone();
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

/// Returns which of `count` steps to list, around the next one.
fn listed(count: usize, next: usize) -> Range<usize> {
    let first = next.saturating_sub(MAX_LISTED_BEFORE).min(count.saturating_sub(MAX_LISTED));
    first..count.min(first + MAX_LISTED)
}

impl From<GeneratorState> for GeneratorAnswer {
    fn from(GeneratorState { label, generator, origin, due }: GeneratorState) -> Self {
        Self { generator: label, began: Time(origin), due: due.map(Time), declared: Generator::clone(&generator) }
    }
}
