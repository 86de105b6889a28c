//! Shapes that several answers have.

use poem::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::input::Time;
use crate::engine::Event;
use crate::http::body;
use crate::world::Pace;

/// A 200 with this as JSON.
pub(super) fn json(answer: &impl Serialize) -> Response {
    // Shapes of text, numbers and maps with text keys always become JSON.
    body::answer(serde_json::to_vec(answer).unwrap_or_default())
}

/// Something was done.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    ok: bool,
}

impl Done {
    pub(super) fn answer() -> Response {
        json(&Self { ok: true })
    }
}

/// What happened because of a request.
#[derive(Serialize, JsonSchema)]
pub(super) struct Happened {
    /// In order: objects with `at`, `sequence`, `event`, `id`, `category`, `total`, as in the transcript.
    #[schemars(with = "Vec<serde_json::Map<String, Value>>")]
    pub(super) events: Vec<Event>,
}

/// How a clock goes.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClockAnswer {
    /// The world's time since its start or reset.
    pub(super) at: Time,
    /// Whether it stands still.
    pub(super) paused: bool,
    /// How many seconds of the world pass in one of the machine's while it does not.
    pub(super) speed: f64,
    /// When the next script step or random order is due; null if nothing happens by itself any more.
    pub(super) next_due: Option<Time>,
}

impl ClockAnswer {
    pub(super) fn new(clock: crate::world::ClockState) -> Self {
        let Pace { paused, speed } = clock.pace;
        Self { at: Time(clock.now), paused, speed, next_due: clock.next_due.map(Time) }
    }
}

/// An error; `message` says what is wrong.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "the shape of what is made where errors become answers")]
pub(super) struct ErrorAnswer {
    /// The status code.
    status_code: u16,
    /// The status in words.
    error: String,
    /// What is wrong, and with which field.
    message: String,
    /// The field that is wrong, such as `orders[2].amount`.
    field: Option<String>,
}
