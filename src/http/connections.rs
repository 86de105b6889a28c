//! Accepts connections and serves HTTP/1.1 on each.
//!
//! poem has a server of its own. This one differs in what a mock needs: a request whose client is gone is given up (a
//! wait, an advance), writes are not delayed, no more connections are served than may be, running out of file descriptors
//! is waited out instead of spun on, and who takes too long over a request, or is gone without a word, is let go.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::http::uri::Scheme;
use poem::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::access::is_from_browser;
use super::cors::Readers;
use super::error::ApiError;
use super::faults::ResponseOverride;
use super::listeners::Listeners;
use super::stream::Streaming;
use super::upgrade::Upgrade;
use super::wire::{Expired, Wire, last_answer};
use super::{App, cors};
use crate::system::set_peer_timeout;
use crate::world::KeepAlive;

/// The most bytes of a request's head: its line and its headers (RFC 9112, 3 and 5.4, ask for 8,000 at the least).
const MAX_HEAD: usize = 64 << 10;

/// How long to wait before accepting again when the system refuses; connections wait in the kernel meanwhile.
const BACKOFF: Duration = Duration::from_millis(100);

/// How many are told at a time that there is no place for them; others are closed without a word.
pub(crate) const MAX_REFUSALS: usize = 64;

/// How long those may take to hear it.
const REFUSAL_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until the shutdown. Then no connection is accepted any more, and requests in flight may take as long as the
/// grace. Sockets are tasks of their own.
pub(crate) async fn serve<E>(listeners: Listeners, service: E, app: Arc<App>, grace: Duration)
where
    E: Endpoint<Output = Response> + 'static,
{
    let (service, connections, abort) = (Arc::new(service), TaskTracker::new(), CancellationToken::new());
    let permits = Arc::new(Semaphore::new(app.limits.connections.min(Semaphore::MAX_PERMITS)));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let mut acceptor = Acceptor { listeners, peer_time: app.limits.peer, is_short: false };
    while let Some(accepted) = app.shutdown.run_until_cancelled(acceptor.accept()).await {
        // A connection that waits is accepted even then.
        if app.shutdown.is_cancelled() {
            break;
        }
        let Some((stream, peer)) = accepted else { continue };
        if let Ok(permit) = permits.clone().try_acquire_owned() {
            // A socket that cannot say where it is has ended.
            let Ok(local) = stream.local_addr() else { continue };
            let connection = ServedConnection {
                service: service.clone(),
                wire: Wire::new(stream),
                permit: Arc::new(permit),
                keep_alive: app.worlds.keep_alive().clone(),
                local: LocalAddr(local.into()),
                remote: RemoteAddr(peer.into()),
            };
            connections.spawn(abort.clone().run_until_cancelled_owned(connection.serve(app.clone())));
        } else if let Ok(permit) = refusals.clone().try_acquire_owned() {
            connections.spawn(abort.clone().run_until_cancelled_owned(refuse(stream, app.clone(), permit)));
        }
    }
    drop(acceptor);
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        abort.cancel();
        connections.wait().await;
    }
}

struct Acceptor {
    listeners: Listeners,
    /// See [`Limits::peer`](super::Limits::peer).
    peer_time: Duration,
    /// Whether the system refused the last time.
    is_short: bool,
}

impl Acceptor {
    /// The next connection, if the system gives one.
    async fn accept(&mut self) -> Option<(TcpStream, SocketAddr)> {
        match self.listeners.accept().await {
            Ok((stream, peer)) => {
                if std::mem::take(&mut self.is_short) {
                    info!("connections are accepted again");
                }
                set_up(&stream, self.peer_time);
                Some((stream, peer))
            }
            // A peer that was gone before it was accepted is its own affair; anything else is a shortage.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(error) => {
                if !std::mem::replace(&mut self.is_short, true) {
                    warn!(%error, "cannot accept connections, trying again every {BACKOFF:?}; they wait meanwhile");
                }
                tokio::time::sleep(BACKOFF).await;
                None
            }
        }
    }
}

/// A connection that is gone already cannot be set up, and need not be.
fn set_up(stream: &TcpStream, peer_time: Duration) {
    // Each write is sent at once (RFC 1122, 4.2.3.4, switched off).
    let _ = stream.set_nodelay(true);
    set_peer_timeout(stream, peer_time);
}

/// Says that there is no place, and leaves.
async fn refuse(stream: TcpStream, app: Arc<App>, _permit: OwnedSemaphorePermit) {
    let wire = Wire::new(stream);
    let why = ApiError::TooManyConnections(app.limits.connections);
    let telling = turn_away(&wire, &why, &app);
    // One that does not want to hear it has to do without.
    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, telling).await;
}

/// Says why a connection is closed, as the last thing on it. Pages of listed origins cannot read it, since nobody knows whether
/// it is one of them that asks.
async fn turn_away(wire: &Wire, why: &ApiError, app: &App) -> io::Result<()> {
    let reply = why.reply();
    let mut response = Response::default();
    response.set_status(reply.response.status());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().extend(reply.response.headers().clone());
    Readers::of(&app.cors, &HeaderMap::new()).mark(&mut response, cors::varies(&app.cors));
    response.set_body(reply.body.unwrap_or_default());
    let (head, body) = last_answer(response, 0).await;
    wire.write(&[head.as_bytes(), &body].concat()).await?;
    wire.end_writing();
    // To close on unread bytes would reset the connection, and the client would not see why.
    wire.drain().await
}

/// A connection that is served.
struct ServedConnection<E> {
    service: Arc<E>,
    wire: Wire,
    permit: Arc<OwnedSemaphorePermit>,
    keep_alive: KeepAlive,
    local: LocalAddr,
    remote: RemoteAddr,
}

impl<E: Endpoint<Output = Response> + 'static> ServedConnection<E> {
    /// Serves it to its end. What is in flight when the client leaves is dropped.
    async fn serve(self, app: Arc<App>) {
        let (wire, peer, keep_alive) = (self.wire.clone(), self.remote.clone(), self.keep_alive.clone());
        let this = Arc::new(self);
        let service = service_fn(move |request| {
            let this = this.clone();
            async move { Ok::<_, Infallible>(this.answer(request).await.into()) as Result<hyper::Response<_>, _> }
        });
        let mut http = http1::Builder::new();
        // The wire has a timeout of its own.
        http.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD).header_read_timeout(None);
        let mut connection = pin!(http.serve_connection(TokioIo::new(wire.clone()), service).with_upgrades());
        let outcome = tokio::select! {
            biased;
            outcome = connection.as_mut() => outcome,
            // hyper-util's `GracefulShutdown` does not take connections that may be upgraded.
            () = app.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            // One that is idle ends now, so that what the browser asks next comes on another. Those of other clients end with their
            // next answer: unlike browsers, some fail if a connection ends while they begin to use it again.
            () = keep_alive.suspended(|| wire.is_browser()) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            expired = wire.expired(app.limits.request) => {
                if expired == Expired::Request {
                    // A client that is gone needs no answer.
                    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, turn_away(&wire, &ApiError::SlowRequest, &app)).await;
                }
                Ok(())
            }
        };
        if wire.is_tls() {
            app.misdirected.spoke_tls();
        }
        if let Err(error) = outcome {
            if error.is_parse_version_h2() {
                app.misdirected.spoke_http2();
            }
            debug!(%peer, %error, "connection broke off");
        }
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        if self.wire.begin() == 0 && is_from_browser(request.headers()) {
            self.wire.note_browser();
        }
        Upgrade::note(&mut request, &self.permit);
        let whole = (request, self.local.clone(), self.remote.clone(), Scheme::HTTP);
        let mut response = self.service.get_response(whole.into()).await;
        if let Some(override_) = ResponseOverride::take(&mut response) {
            response = Box::pin(override_.carry_out(response, &self.wire)).await;
        }
        if let Some(streaming) = response.extensions_mut().remove::<Streaming>() {
            self.wire.note_streaming(streaming);
        }
        if self.keep_alive.is_suspended() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().append(header::CONNECTION, HeaderValue::from_static("close"));
        }
        self.wire.end();
        response
    }
}
