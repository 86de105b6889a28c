//! `/__mockd/journal`, `/__mockd/verify` and `/__mockd/transcript`: what happened, and whether it meets a test's
//! expectations.

use bytes::Bytes;
use poem::http::{HeaderMap, Uri};
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{DoneAnswer, EntryShape, json};
use super::input::{self, Time, field_error};
use crate::http::error::ApiError;
use crate::world::{Brief, Dropped, Entry, Expectation, Kind, RuleName, World, WorldError};

/// The longest timeout of a wait.
const MAX_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(10);

/// The default number of characters of a body or frame in a brief entry.
const DEFAULT_TEXT: usize = 200;

/// The default timeout of a wait.
const DEFAULT_TIMEOUT: Time = Time(std::time::Duration::from_secs(5));

/// Which entries to list. An entry has to match every parameter given.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct JournalQuery {
    /// The kind of entry.
    kind: Option<Kind>,
    /// The method of a request.
    method: Option<String>,
    /// The path of a request below the world's prefix; `*` matches anything. If `kind` is `opened`, `closed` or `sent`,
    /// the path of a stream or a `websocket` socket; if it is `received`, the path of the socket. The key of an endpoint
    /// matches all of its sockets.
    path: Option<String>,
    /// The key of the route that answered a request, such as `GET /todos/{id}`.
    route: Option<String>,
    /// The status code of the answer to a request.
    status: Option<u16>,
    /// The number of a socket.
    socket: Option<u64>,
    /// The category that a socket was opened with.
    #[serde(rename = "category")]
    collection: Option<String>,
    /// The close code that a socket ended with.
    code: Option<u16>,
    /// A topic that a frame was sent to; `*` matches anything.
    topic: Option<String>,
    /// The fault that hit a socket or a frame; `*` matches anything.
    fault: Option<String>,
    /// The number of the rule that matches a message, from 1, or the name of a rule that failed, such as
    /// `triggers/orders` or `websocket /rooms/{room}, rule 2`.
    rule: Option<String>,
    /// Why a rule failed; `*` matches anything.
    why: Option<String>,
    /// Text that the body of a request, or a frame, contains.
    body_contains: Option<String>,
    /// Only entries after this number.
    after: Option<u64>,
    /// The maximum number of entries, counted from the first.
    limit: Option<usize>,
    /// `true` for brief entries, as a list shows them: without headers, with only the beginning of bodies and frames as
    /// `text`, and with a `count` in place of several sockets.
    brief: Option<bool>,
    /// The number of characters of a body or frame in a brief entry; 200 by default.
    text: Option<usize>,
}

/// Entries of a journal.
#[derive(Serialize, JsonSchema)]
pub(super) struct JournalAnswer<E = Entry> {
    /// The entries in order.
    #[schemars(with = "Vec<EntryShape>")]
    entries: Vec<E>,
    /// The number of entries that were dropped because the journal is bounded.
    dropped: Dropped,
}

/// Expectations to check the journal against.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyRequest {
    /// The expectations, all of which have to be met.
    #[serde(deserialize_with = "input::objects")]
    expect: Vec<Expectation>,
    /// Whether the entries of each expectation have to come after those of the previous one.
    #[serde(default)]
    ordered: bool,
}

/// Entries to wait for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitRequest {
    /// The expected entries. Entries that are already in the journal count, unless `after` excludes them.
    #[serde(rename = "for", deserialize_with = "input::object")]
    expectation: Expectation,
    /// The timeout, in real time; 5 seconds by default, at most 10 minutes.
    #[serde(default = "default_timeout")]
    timeout: Time,
}

fn default_timeout() -> Time {
    DEFAULT_TIMEOUT
}

/// Returns the entries that match the query.
#[handler]
pub(super) fn get_journal(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let query: JournalQuery = input::query(uri)?;
    let limit = query.limit.unwrap_or(usize::MAX);
    let filter = Expectation {
        kind: query.kind,
        method: query.method,
        path: query.path,
        route: query.route,
        status: query.status,
        socket: query.socket,
        collection: query.collection,
        code: query.code,
        topic: query.topic,
        fault: query.fault,
        rule: query.rule.map(RuleName::from),
        why: query.why,
        body_contains: query.body_contains,
        after: query.after,
        ..Expectation::default()
    };
    let (entries, dropped) = world.journal(query.after.unwrap_or(0));
    let entries = entries.into_iter().filter(|entry| filter.matches(entry)).take(limit);
    Ok(if query.brief == Some(true) {
        let max_chars = query.text.unwrap_or(DEFAULT_TEXT);
        json(&JournalAnswer { entries: entries.map(|entry| Brief { entry, max_chars }).collect(), dropped })
    } else {
        json(&JournalAnswer { entries: entries.collect::<Vec<Entry>>(), dropped })
    })
}

/// Clears the journal.
#[handler]
pub(super) fn clear_journal(Data(world): Data<&World>) -> Response {
    world.clear_journal();
    DoneAnswer::answer()
}

/// Checks the journal against expectations.
#[handler]
pub(super) async fn verify(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let VerifyRequest { expect, ordered } = input::read(headers, body).await?;
    let verdict = world.verify(&expect, ordered).map_err(|error| match error {
        WorldError::Expectation { index, error } => field_error(&format!("expect[{index}]"), error),
        other => other.into(),
    })?;
    Ok(json(&verdict))
}

/// Waits until the journal meets an expectation.
#[handler]
pub(super) async fn wait(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let WaitRequest { expectation, timeout: Time(timeout) } = input::read(headers, body).await?;
    if timeout > MAX_TIMEOUT {
        return Err(field_error("timeout", "is longer than 10m").into());
    }
    let verdict = world.wait_for(&expectation, timeout).await.map_err(|error| match error {
        WorldError::Wait(error) => field_error("for", error),
        other => other.into(),
    })?;
    Ok(json(&verdict))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TranscriptQuery {
    after: u64,
}

/// Returns every event since the start or the last reset, one JSON object per line.
#[handler]
pub(super) async fn get_transcript(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let TranscriptQuery { after } = input::query(uri)?;
    let transcript = world.transcript().await.map_err(ApiError::from)?;
    let mut lines = Vec::new();
    for event in transcript.events().filter(|event| event.sequence > after) {
        // Neither serializing an event, which is text and numbers, nor writing to a vector can fail.
        let _ = serde_json::to_writer(&mut lines, event);
        lines.push(b'\n');
    }
    // The media type that the specification suggests (github.com/ndjson/ndjson-spec).
    let response = Response::builder().content_type("application/x-ndjson");
    let response = response.header("x-mockd-dropped", transcript.dropped_after(after));
    Ok(response.body(Body::from_bytes(Bytes::from(lines))))
}
