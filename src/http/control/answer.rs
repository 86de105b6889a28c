//! Shapes that several answers have.

use poem::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::input::Time;
use crate::engine::Event;
use crate::http::body::ApiResponse;
use crate::world::Pace;

/// A 200 with this as JSON.
pub(super) fn json(answer: &impl Serialize) -> Response {
    // Shapes of text, numbers and maps with text keys always become JSON.
    ApiResponse::json(serde_json::to_vec(answer).unwrap_or_default()).response
}

/// Something was done.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Done")]
pub(super) struct DoneAnswer {
    ok: bool,
}

impl DoneAnswer {
    pub(super) fn answer() -> Response {
        json(&Self { ok: true })
    }
}

/// What happened because of a request.
#[derive(Serialize, JsonSchema)]
pub(super) struct Happened {
    /// In order, as in the transcript.
    #[schemars(with = "Vec<EventShape>")]
    pub(super) events: Vec<Event>,
}

/// What an event looks like.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "the shape of what events make of themselves")]
pub(super) struct EventShape {
    /// The world's time.
    at: Time,
    /// Counts up from 1, without gaps.
    sequence: u64,
    /// What happened.
    event: EventName,
    /// The product, or the row of a collection of `data`.
    id: Option<Value>,
    /// The product's category.
    category: Option<String>,
    /// The row's collection.
    collection: Option<String>,
    /// The row after the change.
    row: Option<Map<String, Value>>,
    /// The name of a value of `data`.
    name: Option<String>,
    /// That value.
    value: Option<Value>,
    /// The topic that something was sent to.
    topic: Option<String>,
    /// What was sent.
    frame: Option<Value>,
    /// Its new total.
    total: Option<i64>,
    /// The rule of which something that was due was skipped.
    rule: Option<String>,
    /// Why something that was due was skipped.
    reason: Option<String>,
    /// The fault that began or ended.
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

/// What an entry of the journal looks like.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "the shape of what entries make of themselves")]
pub(super) struct EntryShape {
    /// Counts up from 1.
    sequence: u64,
    /// The world's time.
    at: Time,
    /// The world's name; not in brief.
    world: Option<String>,
    /// What it is about.
    kind: crate::world::Kind,
    /// A request's method.
    method: Option<String>,
    /// A request's path below the world's prefix, decoded, or that of a socket of `websocket`.
    path: Option<String>,
    /// A request's query.
    query: Option<String>,
    /// The key of the route that answered a request, such as `GET /todos/{id}`.
    route: Option<String>,
    /// A request's headers by lower-case name.
    headers: Option<std::collections::BTreeMap<String, String>>,
    /// The JSON of a request's body, or of a frame. Of what a socket with a `protocol` sent, the `msg` of its rules.
    body: Option<Value>,
    /// What is not JSON.
    text: Option<String>,
    /// How many bytes there are that are not even text.
    bytes: Option<u64>,
    /// How long it was, if only its beginning was kept.
    cut_from: Option<u64>,
    /// A request's answer.
    answer: Option<AnswerShape>,
    /// The socket that was opened or closed, sent something or fell behind, or whose rule failed.
    socket: Option<u64>,
    /// The sockets that a frame was sent to.
    sockets: Option<Vec<u64>>,
    /// How many sockets a frame was sent to, in brief.
    count: Option<u64>,
    /// The status code of a request's answer, in brief.
    status: Option<u16>,
    /// Which of its route's answers a request got, from 1, in brief; null if it got none of them.
    number: Option<u64>,
    /// The number of the event that a frame tells of.
    event: Option<u64>,
    /// The category that a socket was opened with.
    category: Option<String>,
    /// The path of the request that a stream answers.
    stream: Option<String>,
    /// Why the rule that fits a message was refused.
    refused: Option<String>,
    /// Which rule came nearest to a message, and why it does not fit.
    nearest: Option<String>,
    /// The close code.
    code: Option<u16>,
    /// Who closed a socket.
    by: Option<String>,
    /// What faults did to a request.
    faults: Option<Vec<MarkShape>>,
    /// The fault that did something to a socket or a frame, or in brief to a request.
    fault: Option<String>,
    /// What it did; or what became of a stream, or of a socket of `websocket`, that fell behind: `caught up` or `closed`.
    did: Option<String>,
    /// What a rule is called that failed; of a message, the number of the rule that fits it, from 1, or null.
    rule: Option<crate::world::RuleName>,
    /// Why a rule failed, or why one that fell behind was closed.
    why: Option<String>,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "as above")]
struct MarkShape {
    fault: String,
    did: String,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "as above")]
struct AnswerShape {
    /// Which of its route's answers it is, from 1.
    number: Option<u64>,
    status: u16,
    /// What may be wrong with a request that was answered.
    notes: Option<Vec<String>>,
    body: Option<Value>,
    text: Option<String>,
    bytes: Option<u64>,
    cut_from: Option<u64>,
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
    /// When the next thing happens by itself: a step of a script or a rule, a random order, or what the protocol of a socket sends at
    /// its time, such as a heartbeat; null if nothing does any more.
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
    /// The problems of a scenario file that cannot be served, as `mockd check --format json` prints them.
    problems: Option<Value>,
}
