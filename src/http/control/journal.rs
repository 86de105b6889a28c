//! `/__mockd/journal`, `/__mockd/verify` and `/__mockd/transcript`: what happened, and whether it is what a test expects.

use bytes::Bytes;
use poem::http::{HeaderMap, Uri};
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{DoneAnswer, EntryShape, json};
use super::input::{self, Time, wrong};
use crate::http::error::ApiError;
use crate::world::{Brief, Dropped, Entry, Expectation, Kind, RuleName, World, WorldError};

/// The longest that a wait may take.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_mins(10);

/// Characters of a body or frame in brief if nothing is said.
const USUAL_TEXT: usize = 200;

/// How long a wait takes if nothing is said.
const USUAL_WAIT: Time = Time(std::time::Duration::from_secs(5));

/// Which entries to list: all that have what is given.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct JournalQuery {
    /// The kind of entry.
    kind: Option<Kind>,
    /// A request's method.
    method: Option<String>,
    /// A request's path below the world's prefix; `*` stands for anything. With the kind `opened`, that of a stream or of a
    /// socket of `websocket`; with `received`, that of the socket. A socket is also meant by the key of its endpoint.
    path: Option<String>,
    /// The key of the route that answered a request, such as `GET /todos/{id}`.
    route: Option<String>,
    /// The status code of a request's answer.
    status: Option<u16>,
    /// A socket's number.
    socket: Option<u64>,
    /// The category that a socket was opened with.
    #[serde(rename = "category")]
    collection: Option<String>,
    /// The close code that a socket ended with.
    code: Option<u16>,
    /// The number of the rule that fits a message, from 1, or what a rule is called that failed, such as `triggers/orders` or
    /// `websocket /rooms/{room}, rule 2`.
    rule: Option<String>,
    /// Why a rule failed; `*` stands for anything.
    why: Option<String>,
    /// Text in the body of a request or in a frame.
    body_contains: Option<String>,
    /// Only entries after that number.
    after: Option<u64>,
    /// So many entries at the most, the first of them.
    limit: Option<usize>,
    /// `true` for what a list shows: without headers, with the beginning of bodies and frames as `text`, and of several
    /// sockets only the `count`.
    brief: Option<bool>,
    /// Characters of a body or frame in brief; 200 without it.
    text: Option<usize>,
}

/// Entries of a journal.
#[derive(Serialize, JsonSchema)]
pub(super) struct JournalAnswer<E = Entry> {
    /// In order.
    #[schemars(with = "Vec<EntryShape>")]
    entries: Vec<E>,
    /// How many entries are gone because the journal is bounded.
    dropped: Dropped,
}

/// What to expect of the journal.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyRequest {
    /// Each has to hold.
    #[serde(deserialize_with = "input::objects")]
    expect: Vec<Expectation>,
    /// Whether the entries of each have to come after those of the one before.
    #[serde(default)]
    ordered: bool,
}

/// What to wait for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitRequest {
    /// Entries, also such as are in the journal already; `after` leaves these out.
    #[serde(rename = "for", deserialize_with = "input::object")]
    expectation: Expectation,
    /// How long, by the machine's time; 5 seconds if nothing is said, 10 minutes at the most.
    #[serde(default = "usual_wait")]
    timeout: Time,
}

fn usual_wait() -> Time {
    USUAL_WAIT
}

/// The entries that were asked for.
#[handler]
pub(super) fn get_journal(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let query: JournalQuery = input::query(uri)?;
    let limit = query.limit.unwrap_or(usize::MAX);
    let wanted = Expectation {
        kind: query.kind,
        method: query.method,
        path: query.path,
        route: query.route,
        status: query.status,
        socket: query.socket,
        collection: query.collection,
        code: query.code,
        rule: query.rule.map(RuleName::from),
        why: query.why,
        body_contains: query.body_contains,
        after: query.after,
        ..Expectation::default()
    };
    let (entries, dropped) = world.journal(query.after.unwrap_or(0));
    let entries = entries.into_iter().filter(|entry| wanted.matches(entry)).take(limit);
    Ok(if query.brief == Some(true) {
        let shown = query.text.unwrap_or(USUAL_TEXT);
        json(&JournalAnswer { entries: entries.map(|entry| Brief { entry, shown }).collect(), dropped })
    } else {
        json(&JournalAnswer { entries: entries.collect::<Vec<Entry>>(), dropped })
    })
}

/// Empties the journal.
#[handler]
pub(super) fn clear_journal(Data(world): Data<&World>) -> Response {
    world.clear_journal();
    DoneAnswer::answer()
}

/// Holds the journal against expectations.
#[handler]
pub(super) async fn verify(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let VerifyRequest { expect, ordered } = input::read(headers, body).await?;
    let verdict = world.verify(&expect, ordered).map_err(|error| match error {
        WorldError::Expectation { index, error } => wrong(&format!("expect[{index}]"), error),
        other => other.into(),
    })?;
    Ok(json(&verdict))
}

/// Waits until the journal is as expected.
#[handler]
pub(super) async fn wait(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    let WaitRequest { expectation, timeout: Time(timeout) } = input::read(headers, body).await?;
    if timeout > LONGEST_WAIT {
        return Err(wrong("timeout", "is longer than 10m").into());
    }
    let verdict = world.wait_for(&expectation, timeout).await.map_err(|error| match error {
        WorldError::Wait(error) => wrong("for", error),
        other => other.into(),
    })?;
    Ok(json(&verdict))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TranscriptQuery {
    after: u64,
}

/// Every event since the start or reset, one JSON object a line.
#[handler]
pub(super) async fn get_transcript(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let TranscriptQuery { after } = input::query(uri)?;
    let transcript = world.transcript().await.map_err(ApiError::from)?;
    let mut lines = Vec::new();
    for event in transcript.events().filter(|event| event.sequence > after) {
        // An event is text and numbers, which always become JSON, and a vector takes whatever is written.
        let _ = serde_json::to_writer(&mut lines, event);
        lines.push(b'\n');
    }
    // The type's own suggestion (github.com/ndjson/ndjson-spec).
    let response = Response::builder().content_type("application/x-ndjson");
    let response = response.header("x-mockd-dropped", transcript.dropped_after(after));
    Ok(response.body(Body::from_bytes(Bytes::from(lines))))
}
