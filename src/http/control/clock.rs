//! `/__mockd/clock`: time that stands still, goes faster, or jumps.

use poem::http::HeaderMap;
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{ClockAnswer, EventShape, json};
use super::input::{self, Time, wrong};
use crate::engine::Event;
use crate::http::error::ApiError;
use crate::world::{ClockChange, ClockError, Until, World, WorldError};

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
    /// Lets so many of the next things happen now: script steps and random orders.
    #[schemars(range(min = 1, max = 1_000_000))]
    step: Option<u64>,
}

/// The clock, and what happened by an advance.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Advanced {
    #[serde(flatten)]
    clock: ClockAnswer,
    /// How many events there were.
    count: u64,
    /// The events, 10,000 at the most; the transcript has more.
    #[schemars(with = "Vec<EventShape>")]
    events: Vec<Event>,
    /// Sockets that wrote nothing for a second and may not have everything yet.
    left_behind: Vec<u64>,
}

/// The clock.
#[handler]
pub(in crate::http) async fn get_clock(Data(world): Data<&World>) -> poem::Result<Response> {
    let clock = world.clock().await.map_err(ApiError::from)?;
    Ok(json(&ClockAnswer::new(clock)))
}

/// Does what is asked, all of it or nothing, and answers when it has happened and sockets have written it.
#[handler]
pub(in crate::http) async fn set_clock(
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
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
        let clock = ClockAnswer::new(world.clock().await?);
        let crate::world::Advanced { count, events, left_behind, .. } = advanced;
        Ok(json(&Advanced { clock, count, events, left_behind }))
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
