//! Faults that hit requests: their effects in place of the handler, on its response, and on the wire.

use std::future::pending;
use std::io;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Response};
use serde_json::json;

use super::body::ApiResponse;
use super::rule;
use super::stream::is_stream;
use super::target::RequestTarget;
use super::wire::{Wire, last_answer};
use crate::engine::{FaultSubject, FaultTarget, Hit};
use crate::scenario::{Effect, FaultResponse, PathMatch, Plan, SocketEndpoint, format_duration};
use crate::world::{FaultMark, World};

/// The number of pieces per second in which a slow body is sent.
const PIECES_PER_SECOND: u32 = 10;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The faults that hit a request.
pub(super) struct RequestFaults {
    hits: Vec<Hit>,
    world: World,
}

/// A deviation from the response that hyper cannot produce. The response is written directly, bypassing hyper, and ends
/// the connection. Stored in the extensions of the response that it overrides.
#[derive(Debug, Clone)]
pub(super) enum ResponseOverride {
    /// The connection is closed in place of the response.
    Closed,
    /// The connection is reset after `after` bytes of the response.
    Reset { after: u64 },
    /// The body is sent at `rate` bytes per second on the world's clock.
    Slow { rate: u64, world: World, run: u64 },
    /// The declared length exceeds the real one by `off` bytes.
    Length { off: i64 },
}

impl RequestFaults {
    /// Returns the faults that hit a request, or `None` if there are none. `is_of_endpoint` is whether the scenario
    /// declares an endpoint for the path, and `is_handshake` whether the request opens a socket.
    pub(super) async fn of(
        target: &RequestTarget<'_>,
        routes: Option<&PathMatch<'_, '_>>,
        is_of_endpoint: bool,
        is_handshake: bool,
        world: &World,
    ) -> Option<Self> {
        let subject = match routes.map_or(FaultSubject::Other, |routes| subject(routes, is_handshake)) {
            FaultSubject::Other if is_of_endpoint => FaultSubject::Route,
            subject => subject,
        };
        let (method, path) = (target.method.to_string(), lossy(&target.path));
        let hits = world.hits(FaultTarget { method, path, is_handshake, subject }).await.ok()?;
        (!hits.is_empty()).then(|| Self { hits, world: world.clone() })
    }

    /// Returns descriptions of the faults, for the journal.
    pub(super) fn marks(&self) -> Vec<FaultMark> {
        let mark = |hit: &Hit| {
            let hits_streams = matches!(hit.fault.effect(), Effect::DelayAnswer(_));
            FaultMark { fault: hit.label.clone(), description: description(hit), hits_streams }
        };
        self.hits.iter().map(mark).collect()
    }

    /// Whether the handler runs.
    fn is_handled(&self) -> bool {
        !self.hits.iter().any(|hit| hit.fault.effect().replaces_answer())
    }

    /// Applies the faults that precede the handler. Returns the response that replaces the handler's, if any.
    pub(super) async fn before(&self) -> Option<ApiResponse> {
        let is_handled = self.is_handled();
        for hit in &self.hits {
            match hit.fault.effect() {
                Effect::DelayAnswer(_) if is_handled => {}
                Effect::DelayAnswer(_) | Effect::DelayHandshake(_) => self.world.pass(Some(hit.delay), hit.run).await,
                Effect::Answer(refusal) | Effect::Refuse(refusal) => return Some(refuse(refusal, hit)),
                Effect::Storm(closed) => {
                    let refusal = FaultResponse { status: 503, body: None, retry_after: Some(*closed) };
                    return Some(refuse(&refusal, hit));
                }
                Effect::ResetRequest { after: None } => {
                    return Some(ResponseOverride::Reset { after: 0 }.mark(Response::default()).into());
                }
                Effect::Empty => return Some(ResponseOverride::Closed.mark(Response::default()).into()),
                Effect::Timeout(time) => {
                    self.world.pass(*time, hit.run).await;
                    return Some(ResponseOverride::Closed.mark(Response::default()).into());
                }
                _ => {}
            }
        }
        None
    }

    /// Applies the faults to the handler's response. A stream can only be delayed, because its body has no end.
    pub(super) async fn after(&self, mut response: Response) -> Response {
        if !self.is_handled() {
            return response;
        }
        let is_stream = is_stream(&response);
        for hit in &self.hits {
            response = match *hit.fault.effect() {
                Effect::DelayAnswer(_) => {
                    self.world.pass(Some(hit.delay), hit.run).await;
                    response
                }
                _ if is_stream => response,
                Effect::Malformed => truncate(response).await,
                Effect::ResetRequest { after: Some(after) } => ResponseOverride::Reset { after }.mark(response),
                Effect::Bandwidth(rate) => {
                    ResponseOverride::Slow { rate, world: self.world.clone(), run: hit.run }.mark(response)
                }
                Effect::ContentLength(off) => ResponseOverride::Length { off }.mark(response),
                _ => response,
            };
        }
        response
    }
}

/// Returns the subject of a request, for which faults can be declared. All methods of a path share it. The collection
/// that a socket endpoint names is the subject of handshakes only.
fn subject(routes: &PathMatch<'_, '_>, is_handshake: bool) -> FaultSubject {
    let subject = |plan: &Plan| match plan {
        Plan::Endpoint(SocketEndpoint { collection, .. }) => {
            is_handshake.then(|| FaultSubject::Collection(lossy(routes.parameter(collection))))
        }
        _ if is_handshake => None,
        Plan::List { collection } | Plan::Add { collection } => Some(FaultSubject::Collection(collection.to_string())),
        Plan::Count { row } => Some(FaultSubject::Row(lossy(routes.parameter(row)))),
        Plan::Answer { answers, .. } => Some(match rule::collection(answers) {
            Some(collection) => FaultSubject::Collection(collection.to_string()),
            None => FaultSubject::Route,
        }),
    };
    let subjects = || routes.routes().filter_map(|route| subject(route.plan()));
    subjects()
        .find(|subject| *subject != FaultSubject::Route)
        .or_else(|| subjects().next())
        .unwrap_or(FaultSubject::Other)
}

/// Decodes a part of a path, replacing invalid UTF-8.
fn lossy(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn description(hit: &Hit) -> String {
    match hit.fault.effect() {
        Effect::DelayAnswer(_) => format!("answered {} later", format_duration(hit.delay)),
        Effect::DelayHandshake(_) => format!("handshake answered {} later", format_duration(hit.delay)),
        Effect::Answer(refusal) => format!("answered with {}", refusal.status),
        Effect::Refuse(refusal) => format!("handshake refused with {}", refusal.status),
        Effect::Storm(_) => "handshake refused with 503".into(),
        Effect::ResetRequest { after: None } => "connection reset".into(),
        Effect::ResetRequest { after: Some(after) } => format!("connection reset after {after} bytes"),
        Effect::Empty => "connection closed without an answer".into(),
        Effect::Timeout(Some(time)) => format!("not answered for {}", format_duration(*time)),
        Effect::Timeout(None) => "not answered".into(),
        Effect::Bandwidth(rate) => format!("answered at {rate} bytes a second"),
        Effect::Malformed => "JSON broken off".into(),
        Effect::ContentLength(off) => format!("content-length off by {off}"),
        _ => String::new(),
    }
}

fn refuse(refusal: &FaultResponse, hit: &Hit) -> ApiResponse {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let body = refusal.body.clone().unwrap_or_else(|| {
        let (code, error) = (status.as_u16(), status.canonical_reason().unwrap_or("Error"));
        // The label of an unnamed fault already contains "fault".
        let fault = hit.fault.name().map_or_else(|| hit.label.to_string(), |name| format!("fault {name}"));
        json!({ "statusCode": code, "error": error, "message": format!("The {fault} is in force") })
    });
    let mut reply = ApiResponse::json(body.to_string()).with_status(status);
    if let Some(after) = refusal.retry_after {
        reply.response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
    }
    reply
}

/// Returns a time in whole seconds, rounded up.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Truncates the body of a response to its first half.
async fn truncate(mut response: Response) -> Response {
    // Bodies built by mockd can always be read.
    let bytes = response.take_body().into_bytes().await.unwrap_or_default();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.set_body(Body::from_bytes(bytes.slice(..bytes.len() / 2)));
    response
}

impl ResponseOverride {
    /// Marks a response to be overridden after all other processing.
    pub(super) fn mark(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }

    /// Whether the override leaves no response at all.
    pub(super) fn leaves_no_response(response: &Response) -> bool {
        matches!(response.extensions().get(), Some(Self::Closed | Self::Reset { after: 0 }))
    }

    /// Removes the override from a response, if it has one.
    pub(super) fn take(response: &mut Response) -> Option<Self> {
        response.extensions_mut().remove()
    }

    /// Writes the response in place of hyper. Never returns: hyper drops the request when the connection ends.
    pub(super) async fn carry_out(self, response: Response, wire: &Wire) -> Response {
        let is_reset = matches!(self, Self::Reset { .. });
        // The client may already be gone.
        let _ = self.write(response, wire).await;
        if is_reset {
            wire.reset();
        } else {
            wire.close();
        }
        pending().await
    }

    async fn write(self, response: Response, wire: &Wire) -> io::Result<()> {
        let off = if let Self::Length { off } = self { off } else { 0 };
        let (head, body) = last_answer(response, off).await;
        match self {
            Self::Closed => Ok(()),
            Self::Reset { after } => {
                let whole = [head.as_bytes(), &body].concat();
                let sent = usize::try_from(after).unwrap_or(usize::MAX).min(whole.len());
                wire.write(&whole[..sent]).await
            }
            Self::Length { .. } => wire.write(&[head.as_bytes(), &body].concat()).await,
            Self::Slow { rate, world, run } => {
                wire.write(head.as_bytes()).await?;
                let piece = usize::try_from(rate / u64::from(PIECES_PER_SECOND)).unwrap_or(usize::MAX).max(1);
                let pause = Duration::from_nanos(NANOS_PER_SECOND.saturating_mul(piece as u64) / rate);
                for bytes in body.chunks(piece) {
                    world.pass(Some(pause), run).await;
                    wire.write(bytes).await?;
                }
                Ok(())
            }
        }
    }
}
