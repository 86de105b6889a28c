//! Types that several answers share.

use poem::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::input::Time;
use crate::engine::Event;
use crate::http::body::ApiResponse;
use crate::world::Pace;

/// Returns a 200 with `answer` as JSON.
pub(super) fn json(answer: &impl Serialize) -> Response {
    // Serializing text, numbers and maps with text keys cannot fail.
    ApiResponse::json(serde_json::to_vec(answer).unwrap_or_default()).response
}

/// A successful change.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Done")]
pub(super) struct DoneAnswer {
    /// Always `true`.
    ok: bool,
}

impl DoneAnswer {
    pub(super) fn answer() -> Response {
        json(&Self { ok: true })
    }
}

/// The events that a request caused.
#[derive(Serialize, JsonSchema)]
pub(super) struct Happened {
    /// The events in order, as in the transcript.
    #[schemars(with = "Vec<EventShape>")]
    pub(super) events: Vec<Event>,
}

/// An event.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only describes how events are serialized")]
pub(super) struct EventShape {
    /// The world's time of the event.
    at: Time,
    /// The number of the event, counted from 1 without gaps.
    sequence: u64,
    /// The kind of event.
    event: EventName,
    /// The id of the product, or of the row in a collection of `data`.
    id: Option<Value>,
    /// The product's category.
    category: Option<String>,
    /// The row's collection.
    collection: Option<String>,
    /// The row after the change.
    row: Option<Map<String, Value>>,
    /// The name of a value of `data`.
    name: Option<String>,
    /// The new value.
    value: Option<Value>,
    /// The topic that the frame was sent to.
    topic: Option<String>,
    /// The frame that was sent.
    frame: Option<Value>,
    /// The new total of the product.
    total: Option<i64>,
    /// The rule whose due step was skipped.
    rule: Option<String>,
    /// Why the due step was skipped.
    reason: Option<String>,
    /// The fault that started or ended.
    fault: Option<String>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "as above")]
enum EventName {
    Total,
    Added,
    Merged,
    Replaced,
    Removed,
    Set,
    Sent,
    Skipped,
    FaultBegan,
    FaultEnded,
}

/// An entry of the journal.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only describes how entries are serialized")]
pub(super) struct EntryShape {
    /// The number of the entry, counted from 1.
    sequence: u64,
    /// The world's time of the entry.
    at: Time,
    /// The name of the world; omitted in brief entries.
    world: Option<String>,
    /// The kind of entry.
    kind: crate::world::Kind,
    /// The method of a request.
    method: Option<String>,
    /// The decoded path of a request, or of a socket of a `websocket` endpoint, below the world's prefix. For a stream
    /// that was closed, and for a frame whose recipients all have the same path, that path.
    path: Option<String>,
    /// The query of a request.
    query: Option<String>,
    /// The key of the route that answered a request, such as `GET /todos/{id}`.
    route: Option<String>,
    /// The headers of a request, by lower-case name.
    headers: Option<std::collections::BTreeMap<String, String>>,
    /// The JSON of a request's body or of a frame. For a message from a socket with a `protocol`, the `msg` of its
    /// rules.
    body: Option<Value>,
    /// Whether a frame is binary; omitted otherwise. Rules and expectations see its content as `{ binary: BASE64 }`.
    binary: Option<bool>,
    /// The body or frame as text, if it is binary or not JSON; in a brief entry, the beginning of any text.
    text: Option<String>,
    /// The length of a body or frame that is not text, in bytes.
    bytes: Option<u64>,
    /// The full length in bytes, if only the beginning was kept.
    cut_from: Option<u64>,
    /// The answer to a request.
    answer: Option<AnswerShape>,
    /// The socket that was opened or closed, sent a message, fell behind, was hit by a fault, or whose rule failed.
    socket: Option<u64>,
    /// The sockets that a frame was sent to.
    sockets: Option<Vec<u64>>,
    /// The topics that a frame was sent to.
    topics: Option<Vec<String>>,
    /// In a brief entry, the number of sockets that a frame was sent to.
    count: Option<u64>,
    /// In a brief entry, the status code of the answer to a request.
    status: Option<u16>,
    /// In a brief entry, the position of the answer among the answers of its route, from 1; null if it is none of them.
    number: Option<u64>,
    /// The number of the event that a frame reports.
    event: Option<u64>,
    /// The category that a socket was opened with.
    category: Option<String>,
    /// The path of the request that a stream answers.
    stream: Option<String>,
    /// Why the rule that matches a message was refused.
    refused: Option<String>,
    /// The rule that came closest to matching a message, and why it does not match.
    nearest: Option<String>,
    /// The close code of a socket.
    code: Option<u16>,
    /// The side that closed a socket: `client` or `server`.
    by: Option<String>,
    /// The faults that hit a request.
    faults: Option<Vec<MarkShape>>,
    /// The fault that hit a socket or a frame; in a brief entry, also the first fault that hit a request.
    fault: Option<String>,
    /// What the fault did; or what happened to a stream or a `websocket` socket that fell behind: `caught up` or
    /// `closed`.
    did: Option<String>,
    /// The name of a rule that failed. For a message, the number of the rule that matches it, from 1; null if none
    /// does.
    rule: Option<crate::world::RuleName>,
    /// Why a rule failed, or why a stream or socket that fell behind was closed.
    why: Option<String>,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "as above")]
struct MarkShape {
    /// The name or number of the fault.
    fault: String,
    /// What the fault did.
    did: String,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "as above")]
struct AnswerShape {
    /// The position of the answer among the answers of its route, from 1.
    number: Option<u64>,
    /// The status code.
    status: u16,
    /// Hints at what may be wrong with the request.
    notes: Option<Vec<String>>,
    /// The JSON of the body.
    body: Option<Value>,
    /// The body as text, if it is not JSON.
    text: Option<String>,
    /// The length of a body that is not text, in bytes.
    bytes: Option<u64>,
    /// The full length in bytes, if only the beginning was kept.
    cut_from: Option<u64>,
}

/// The state of a clock.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClockAnswer {
    /// The world's time since its start or last reset.
    pub(super) at: Time,
    /// Whether the clock is paused.
    pub(super) paused: bool,
    /// The number of seconds that pass in the world per second of real time while the clock runs.
    pub(super) speed: f64,
    /// The world's time of the next scheduled item: a step of a script or a rule, a random order, or a timed message of
    /// a socket's protocol, such as a heartbeat. Null if nothing is scheduled.
    pub(super) next_due: Option<Time>,
}

impl ClockAnswer {
    pub(super) fn new(clock: crate::world::ClockState) -> Self {
        let Pace { paused, speed } = clock.pace;
        Self { at: Time(clock.now), paused, speed, next_due: clock.next_due.map(Time) }
    }
}

/// An error.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only describes how errors are serialized")]
pub(super) struct ErrorAnswer {
    /// The status code.
    status_code: u16,
    /// The status in words, such as `Not Found`.
    error: String,
    /// The error message, which names the field that is wrong.
    message: String,
    /// The field that is wrong, such as `orders[2].amount`.
    field: Option<String>,
    /// The problems of a scenario file that cannot be served, as `mockd check --format json` prints them.
    problems: Option<Value>,
}
