//! The short way for the two requests that a mock gets by the thousand: `GET /{category}` and `POST /orders/{id}`.
//!
//! On their way through hyper, poem and the routes they take about twice the CPU time that they take here (15 against 8 µs
//! for a GET, the kernel's part included). What they do is the same, and so is every byte of the answer. A request that is
//! in any way unusual (another path, a header that changes what is meant, a body that is no order) is left unread to the
//! routes, and with it the rest of its connection.

mod call;
mod output;
mod patience;
mod products;
#[cfg_attr(not(target_os = "linux"), path = "express/no_splice.rs")]
mod splice;

use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use poem::error::ResponseError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing::debug;

use super::App;
use super::body::Kept;
use super::error::ApiError;
use crate::scenario::Cors;
use crate::world::{Answer, Exchange, Payload, Place};
use call::{Asked, Call, Read};
use output::Output;
use patience::Patience;
use products::Products;
use splice::Pipes;

/// Bytes that are read from a client at once, if so many are there.
const READ_AT_ONCE: usize = 4096;

/// Room for as much as a browser's request has, so that it takes one read. Without that, what earlier requests leave of a
/// buffer ends in the middle of every other request.
const READ_AT_LEAST: usize = 1024;

/// Serves connections for as long as their requests are of these kinds.
pub(crate) struct Express {
    app: Arc<App>,
    /// Whether every origin may read the answers; otherwise none may.
    is_open: bool,
    pipes: Arc<Pipes>,
}

impl Express {
    /// `None` if answers depend on who asks.
    pub(super) fn new(app: Arc<App>) -> Option<Self> {
        let is_open = match &app.cors {
            Cors::Any => true,
            Cors::Off => false,
            Cors::Origins(_) => return None,
        };
        Some(Self { app, is_open, pipes: Arc::default() })
    }

    /// Answers requests until one comes that is for the routes, and gives what was read of it; `None` if the connection
    /// is at its end.
    pub(super) async fn serve(&self, stream: &mut TcpStream) -> Option<Bytes> {
        let shutdown = &self.app.shutdown;
        let mut shutting_down = pin!(shutdown.cancelled());
        let (mut input, mut output) = (BytesMut::new(), Output::new(self.is_open, self.pipes.clone()));
        let (mut patience, mut answered) = (Patience::new(self.app.limits.request), 0_u64);
        loop {
            while !input.is_empty() {
                let call = match Read::new(&input, &self.app) {
                    Read::Call(call) => call,
                    Read::Incomplete if input.len() < READ_AT_ONCE => break,
                    Read::Incomplete | Read::Unusual => {
                        output.flush(stream).await.ok()?;
                        return Some(input.freeze());
                    }
                };
                self.answer(&call, &mut output).await;
                answered += 1;
                let length = call.length;
                input.advance(length);
                if output.is_large() {
                    output.flush(stream).await.ok()?;
                }
            }
            output.flush(stream).await.ok()?;
            if shutdown.is_cancelled() {
                return None;
            }
            let is_begun = !input.is_empty();
            input.reserve(READ_AT_LEAST);
            let mut room = (&mut input).limit(READ_AT_ONCE);
            tokio::select! {
                biased;
                read = stream.read_buf(&mut room) => if read.ok()? == 0 { return None },
                () = &mut shutting_down => return None,
                () = patience.run_out(answered, is_begun) => {
                    if is_begun {
                        turn_away(stream, &ApiError::SlowRequest, &self.app.cors).await.ok()?;
                    }
                    return None;
                }
            }
        }
    }

    async fn answer(&self, call: &Call<'_>, output: &mut Output) {
        let status = match &call.asked {
            Asked::Products(listing) => {
                let products = Products::of(listing).await;
                journal(call, Some(Answer { status: 200, body: Some(products.payload()) }));
                output.products(&products);
                200
            }
            Asked::Order { id, amount } => {
                let place = journal(call, None);
                let outcome = call.world.order(id, *amount).await;
                let (status, json) = match outcome {
                    Ok(()) => (200, Bytes::from_static(br#"{"ok":true}"#)),
                    Err(error) => refusal(&error.into()),
                };
                if let Some(place) = place {
                    call.world.answered(place, answer(status, json.clone()));
                }
                output.json(status, &json);
                status
            }
        };
        debug!(method = call.method, uri = call.target, status, "request");
    }
}

/// Says why a connection is closed, as the last thing on it. Pages of listed origins cannot read it, since nobody knows whether
/// it is one of them that asks.
///
/// # Errors
/// Those of the connection.
pub(super) async fn turn_away(stream: &mut TcpStream, why: &ApiError, cors: &Cors) -> io::Result<()> {
    let (status, json) = refusal(why);
    let mut output = Output::new(matches!(cors, Cors::Any), Arc::default());
    output.last(status, &json);
    output.flush(stream).await?;
    stream.shutdown().await
}

fn answer(status: u16, json: Bytes) -> Answer {
    Answer { status, body: Some(Payload::new(json)) }
}

/// The status and the JSON of an error.
fn refusal(error: &ApiError) -> (u16, Bytes) {
    let mut response = error.as_response();
    let body = response.extensions_mut().remove::<Kept>().map(|Kept(body)| body);
    (response.status().as_u16(), body.unwrap_or_default())
}

fn journal(call: &Call<'_>, answer: Option<Answer>) -> Option<Place> {
    let head = call.head.clone()?;
    let body = (!call.body.is_empty()).then(|| Payload::new(Bytes::copy_from_slice(call.body)));
    let answer = answer.map_or_else(OnceLock::new, OnceLock::from);
    Some(call.world.requested(Exchange { head, body, faults: Vec::new(), answer }))
}
