//! Accepts connections and serves HTTP/1.1 on each.
//!
//! poem has a server of its own. This one differs in what a mock needs: a request whose client is gone is given up (a
//! wait, an advance), writes are not delayed, no more connections are served than may be, running out of file descriptors
//! is waited out instead of spun on, and who takes too long over a request, or is gone without a word, is let go.

mod front;

use std::convert::Infallible;
use std::io::{self, Cursor};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::http::{Request, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::io::{AsyncReadExt, Chain, Join};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::App;
use super::error::ApiError;
use super::express::{Express, turn_away};
use super::fate::Spoiled;
use super::limits::MAX_HEAD;
use super::seats::{Seat, Seats};
use super::wire::Wire;
use front::{Arrived, Begun, Fronts, front};

/// A connection of which something was read already.
type Stream = Join<Chain<Cursor<Bytes>, Wire>, Wire>;

/// How long to wait before accepting again when the system refuses; connections wait in the kernel meanwhile.
const BACKOFF: Duration = Duration::from_millis(100);

/// How many are told at a time that there is no place for them; others are closed without a word.
pub(crate) const TOLD_AT_ONCE: usize = 64;

/// How long those may take to hear it.
const TELLING_TIME: Duration = Duration::from_millis(500);

/// Serves until the shutdown. Then no connection is accepted any more, and requests in flight may take as long as the
/// grace.
pub(crate) async fn serve<E>(listener: TcpListener, service: (Option<Express>, E), app: Arc<App>, grace: Duration)
where
    E: Endpoint<Output = Response> + 'static,
{
    let (express, routes) = service;
    let (routes, connections, abort) = (Arc::new(routes), TaskTracker::new(), CancellationToken::new());
    let (seats, told) = (Seats::new(app.limits.connections), Seats::new(TOLD_AT_ONCE));
    let give_away = {
        let (app, connections, abort) = (app.clone(), connections.clone(), abort.clone());
        move |begun| {
            let rest = through_routes(begun, routes.clone(), app.clone());
            connections.spawn(abort.clone().run_until_cancelled_owned(rest));
        }
    };
    let mut fronts = express.map(Arc::new).map(|express| {
        Fronts::open(|arrivals| {
            let front = front(express.clone(), arrivals, give_away.clone());
            connections.spawn(abort.clone().run_until_cancelled_owned(front));
        })
    });
    let mut acceptor = Acceptor { listener, peer_time: app.limits.peer, is_short: false };
    while let Some(accepted) = app.shutdown.run_until_cancelled(acceptor.accept()).await {
        let Some((stream, peer)) = accepted else { continue };
        if let Some(seat) = seats.take() {
            let arrived = Arrived { stream, peer, seat: Arc::new(seat) };
            match &mut fronts {
                Some(fronts) => fronts.admit(arrived).await,
                None => give_away(Begun { bytes: Bytes::new(), arrived }),
            }
        } else if let Some(seat) = told.take() {
            connections.spawn(refuse(stream, app.clone(), seat));
        }
    }
    drop((acceptor, fronts));
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        abort.cancel();
        connections.wait().await;
    }
}

/// Says that there is no place, and leaves.
async fn refuse(mut stream: TcpStream, app: Arc<App>, _told: Seat) {
    let telling = async {
        turn_away(&mut stream, &ApiError::TooManyConnections(app.limits.connections), &app.cors).await?;
        // To close on unread bytes would reset the connection, and the client would not see why.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    // One that does not want to hear it has to do without.
    let _ = tokio::time::timeout(TELLING_TIME, telling).await;
}

struct Acceptor {
    listener: TcpListener,
    /// See [`Limits::peer`](super::Limits::peer).
    peer_time: Duration,
    /// Whether the system refused the last time.
    is_short: bool,
}

impl Acceptor {
    /// The next connection, if the system gives one.
    async fn accept(&mut self) -> Option<(TcpStream, SocketAddr)> {
        match self.listener.accept().await {
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
    // Of a peer that vanished the system would try to reach nothing for a quarter of an hour (RFC 5482).
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(peer_time).filter(|time| !time.is_zero()));
    #[cfg(not(target_os = "linux"))]
    let _ = peer_time;
}

/// Serves what is left of a connection. What is in flight when the client leaves is dropped.
async fn through_routes<E>(begun: Begun, routes: Arc<E>, app: Arc<App>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let Begun { bytes: begun, arrived: Arrived { stream, peer, seat } } = begun;
    // A socket that cannot say where it is has ended.
    let Ok(local) = stream.local_addr() else { return };
    let wire = Wire::new(stream);
    let stream: Stream = tokio::io::join(Cursor::new(begun).chain(wire.clone()), wire.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, seat, wire) = (routes.clone(), seat.clone(), wire.clone());
        async move {
            let mut request = request;
            if request.headers().contains_key(header::UPGRADE) {
                let upgrade = hyper::upgrade::on(&mut request);
                request.extensions_mut().insert(Upgrade { upgrade, seat });
            }
            let whole = (request, LocalAddr(local.into()), RemoteAddr(peer.into()), Scheme::HTTP);
            let mut response = routes.get_response(whole.into()).await;
            if let Some(spoiled) = Spoiled::take(&mut response) {
                response = spoiled.carry_out(response, &wire).await;
            }
            Ok::<_, Infallible>(hyper::Response::from(response))
        }
    });
    let mut http = http1::Builder::new();
    http.max_buf_size(MAX_HEAD).timer(TokioTimer::new()).header_read_timeout(3 * app.limits.request);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        () = app.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        debug!(%peer, %error, "connection broke off");
    }
}

/// A request's wish to speak another protocol from then on. poem has one too, but gives a stream behind a lock.
#[derive(Clone)]
pub(super) struct Upgrade {
    upgrade: OnUpgrade,
    seat: Arc<Seat>,
}

/// What a connection is made of that speaks another protocol.
pub(super) struct Upgraded {
    pub(super) stream: Arc<TcpStream>,
    /// What was read of it already.
    pub(super) begun: Bytes,
    /// Its place among the connections.
    pub(super) seat: Arc<Seat>,
}

impl Upgrade {
    /// The connection, once the request is answered with a 101.
    pub(super) async fn connection(self) -> Option<Upgraded> {
        // A peer that leaves in the middle of the handshake is no one's problem.
        let Parts { io, read_buf, .. } = self.upgrade.await.ok()?.downcast::<TokioIo<Stream>>().ok()?;
        // hyper has read all that had come before: its first read takes 8 KiB.
        let (_, wire) = io.into_inner().into_inner();
        Some(Upgraded { stream: wire.into_stream(), begun: read_buf, seat: self.seat })
    }
}
