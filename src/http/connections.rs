//! Accepts connections and serves HTTP/1.1 on each.
//!
//! This replaces poem's server, because a mock has further requirements. Requests whose clients are gone are dropped,
//! even while they wait or advance the clock. Writes are not delayed. The number of connections is limited. A shortage
//! of file descriptors is waited out rather than retried in a busy loop. Connections of clients that send requests too
//! slowly, or that have vanished, are closed.

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

/// The maximum size of a request's line and headers, in bytes (RFC 9112, 3 and 5.4, recommend at least 8,000).
const MAX_HEAD: usize = 64 << 10;

/// The pause before accepting again after the system refused. Connections wait in the kernel meanwhile.
const BACKOFF: Duration = Duration::from_millis(100);

/// The maximum number of excess connections that get a 503 concurrently. Further connections are closed without a
/// response.
pub(crate) const MAX_REFUSALS: usize = 64;

/// The time limit for sending a final error response.
const REFUSAL_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until the shutdown. After that, no more connections are accepted, and requests in flight have `grace` to
/// finish. Sockets run in separate tasks.
pub(crate) async fn serve<E>(listeners: Listeners, service: E, app: Arc<App>, grace: Duration)
where
    E: Endpoint<Output = Response> + 'static,
{
    let (service, connections, abort) = (Arc::new(service), TaskTracker::new(), CancellationToken::new());
    let permits = Arc::new(Semaphore::new(app.limits.connections.min(Semaphore::MAX_PERMITS)));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let mut acceptor = Acceptor { listeners, peer_timeout: app.limits.peer, is_failing: false };
    while let Some(accepted) = app.shutdown.run_until_cancelled(acceptor.accept()).await {
        // The accept may win even if the shutdown has already happened.
        if app.shutdown.is_cancelled() {
            break;
        }
        let Some((stream, peer)) = accepted else { continue };
        if let Ok(permit) = permits.clone().try_acquire_owned() {
            // A stream without a local address is already closed.
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
    peer_timeout: Duration,
    /// Whether the last attempt failed.
    is_failing: bool,
}

impl Acceptor {
    /// Accepts the next connection. Returns `None` if that failed, after a pause if it should not be retried at once.
    async fn accept(&mut self) -> Option<(TcpStream, SocketAddr)> {
        match self.listeners.accept().await {
            Ok((stream, peer)) => {
                if std::mem::take(&mut self.is_failing) {
                    info!("accepting connections again");
                }
                set_up(&stream, self.peer_timeout);
                Some((stream, peer))
            }
            // The peer left before it was accepted. Any other error is a shortage of resources.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn!(%error, "cannot accept connections; retrying every {BACKOFF:?} while they wait");
                }
                tokio::time::sleep(BACKOFF).await;
                None
            }
        }
    }
}

/// Configures an accepted stream. Errors are ignored, because they mean that the connection is already gone.
fn set_up(stream: &TcpStream, peer_timeout: Duration) {
    // Send each write at once, without the Nagle algorithm (RFC 1122, 4.2.3.4).
    let _ = stream.set_nodelay(true);
    set_peer_timeout(stream, peer_timeout);
}

/// Sends a 503 to an excess connection and closes it.
async fn refuse(stream: TcpStream, app: Arc<App>, _permit: OwnedSemaphorePermit) {
    let wire = Wire::new(stream);
    let why = ApiError::TooManyConnections(app.limits.connections);
    // The connection is closed even if the response cannot be sent.
    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, send_final_error(&wire, &why, &app)).await;
}

/// Sends an error as the last response on a connection. Pages of listed origins cannot read it, because the origin of
/// the request is unknown.
async fn send_final_error(wire: &Wire, why: &ApiError, app: &App) -> io::Result<()> {
    let reply = why.to_response();
    let mut response = Response::default();
    response.set_status(reply.response.status());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().extend(reply.response.headers().clone());
    Readers::of(&app.cors, &HeaderMap::new()).mark(&mut response, cors::varies(&app.cors));
    response.set_body(reply.body.unwrap_or_default());
    let (head, body) = last_answer(response, 0).await;
    wire.write(&[head.as_bytes(), &body].concat()).await?;
    wire.end_writing();
    // Closing with unread bytes would reset the connection, and the client would not see the response.
    wire.drain().await
}

/// A connection being served.
struct ServedConnection<E> {
    service: Arc<E>,
    wire: Wire,
    permit: Arc<OwnedSemaphorePermit>,
    keep_alive: KeepAlive,
    local: LocalAddr,
    remote: RemoteAddr,
}

impl<E: Endpoint<Output = Response> + 'static> ServedConnection<E> {
    /// Serves the connection until it ends. If the client leaves, the request in flight is dropped.
    async fn serve(self, app: Arc<App>) {
        let (wire, peer, keep_alive) = (self.wire.clone(), self.remote.clone(), self.keep_alive.clone());
        let this = Arc::new(self);
        let service = service_fn(move |request| {
            let this = this.clone();
            async move { Ok::<_, Infallible>(this.answer(request).await.into()) as Result<hyper::Response<_>, _> }
        });
        let mut http = http1::Builder::new();
        // `Wire::expired` replaces hyper's timeout.
        http.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD).header_read_timeout(None);
        let mut connection = pin!(http.serve_connection(TokioIo::new(wire.clone()), service).with_upgrades());
        let outcome = tokio::select! {
            biased;
            outcome = connection.as_mut() => outcome,
            // hyper-util's `GracefulShutdown` does not support connections that may be upgraded.
            () = app.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            // An idle connection of a browser ends now, and so does one that was opened in advance, so that the browser's
            // next request uses a new one. Connections of other clients end with their next response, because some
            // clients, unlike browsers, fail if a connection ends just as they reuse it.
            () = keep_alive.suspended(|| wire.is_browser() || wire.is_unused()) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            expired = wire.expired(app.limits.request) => {
                if expired == Expired::Request {
                    // The client may already be gone.
                    let response = send_final_error(&wire, &ApiError::SlowRequest, &app);
                    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, response).await;
                }
                Ok(())
            }
        };
        if wire.is_tls() {
            app.misdirected.warn_of_tls();
        }
        if let Err(error) = outcome {
            if error.is_parse_version_h2() {
                app.misdirected.warn_of_http2();
            }
            debug!(%peer, %error, "connection broke off");
        }
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        if self.wire.start_request() == 0 && is_from_browser(request.headers()) {
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
        self.wire.finish_request();
        response
    }
}
