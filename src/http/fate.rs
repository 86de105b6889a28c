//! What faults make of a request: before it is carried out, after it, and on the wire.

mod spoiled;

use std::time::Duration;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, Response};
use serde_json::json;

use super::body::{JSON, Kept};
use super::live::asks_for_socket;
use super::record::asked_method;
use crate::engine::Hit;
use crate::scenario::{Effect, ResponseOverride, format_duration};
use crate::world::{FaultMark, World};
pub(super) use spoiled::Spoiled;

/// The faults that hit a request.
pub(super) struct Fate {
    hits: Vec<Hit>,
    world: World,
}

impl Fate {
    /// `None` if nothing hits it. Costs next to nothing while there is no fault.
    pub(super) async fn of(request: &Request, world: &World) -> Option<Self> {
        if !world.has_request_faults() {
            return None;
        }
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let method = asked_method(request);
        let is_handshake = method == Method::GET && path.starts_with("/orders/") && asks_for_socket(request.headers());
        let hits = world.hits(method.as_str(), &path, is_handshake).await.ok()?;
        (!hits.is_empty()).then(|| Self { hits, world: world.clone() })
    }

    /// What the faults do, for the journal.
    pub(super) fn marks(&self) -> Vec<FaultMark> {
        let mark = |hit: &Hit| FaultMark { fault: hit.label.clone(), did: did(hit) };
        self.hits.iter().map(mark).collect()
    }

    fn is_carried_out(&self) -> bool {
        !self.hits.iter().any(|hit| hit.fault.effect().is_in_place_of_answer())
    }

    /// The answer of one that is not carried out.
    pub(super) async fn before(&self) -> Option<Response> {
        let is_carried_out = self.is_carried_out();
        for hit in &self.hits {
            match hit.fault.effect() {
                Effect::AnswerLate(_) if is_carried_out => {}
                Effect::AnswerLate(_) | Effect::ConnectLate(_) => self.world.pass(Some(hit.delay), hit.run).await,
                Effect::Answer(refusal) | Effect::Refuse(refusal) => return Some(refuse(refusal, &hit.label)),
                Effect::Storm(closed) => {
                    let refusal = ResponseOverride { status: 503, body: None, retry_after: Some(*closed) };
                    return Some(refuse(&refusal, &hit.label));
                }
                Effect::ResetRequest { after: None } => {
                    return Some(Spoiled::Reset { after: 0 }.mark(Response::default()));
                }
                Effect::Empty => return Some(Spoiled::Closed.mark(Response::default())),
                Effect::Timeout(time) => {
                    self.world.pass(*time, hit.run).await;
                    return Some(Spoiled::Closed.mark(Response::default()));
                }
                _ => {}
            }
        }
        None
    }

    /// What becomes of the answer of one that is carried out.
    pub(super) async fn after(&self, mut response: Response) -> Response {
        if !self.is_carried_out() {
            return response;
        }
        for hit in &self.hits {
            response = match *hit.fault.effect() {
                Effect::AnswerLate(_) => {
                    self.world.pass(Some(hit.delay), hit.run).await;
                    response
                }
                Effect::Malformed => break_off(response).await,
                Effect::ResetRequest { after: Some(after) } => Spoiled::Reset { after }.mark(response),
                Effect::Bandwidth(rate) => {
                    Spoiled::Slow { rate, world: self.world.clone(), run: hit.run }.mark(response)
                }
                Effect::ContentLength(off) => Spoiled::Length { off }.mark(response),
                _ => response,
            };
        }
        response
    }
}

fn did(hit: &Hit) -> String {
    match hit.fault.effect() {
        Effect::AnswerLate(_) => format!("answered {} later", format_duration(hit.delay)),
        Effect::ConnectLate(_) => format!("handshake answered {} later", format_duration(hit.delay)),
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

fn refuse(refusal: &ResponseOverride, fault: &str) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let body = refusal.body.clone().unwrap_or_else(|| {
        let (code, error) = (status.as_u16(), status.canonical_reason().unwrap_or("Error"));
        json!({ "statusCode": code, "error": error, "message": format!("The fault {fault} is in force") })
    });
    let body = Bytes::from(body.to_string());
    let mut response = Response::builder().status(status).content_type(JSON).body(Body::from_bytes(body.clone()));
    if let Some(after) = refusal.retry_after {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(after)));
        // Pages of other origins would not see it (Fetch, "CORS-safelisted response-header name").
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    response.extensions_mut().insert(Kept(body));
    response
}

/// Whole seconds, and not too few of them.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The first half of a body.
async fn break_off(mut response: Response) -> Response {
    // A body that was made here can be read.
    let bytes = response.take_body().into_bytes().await.unwrap_or_default();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.set_body(Body::from_bytes(bytes.slice(..bytes.len() / 2)));
    response
}
