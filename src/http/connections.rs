//! Accepts connections and serves HTTP/1.1 on each.
//!
//! poem has a server of its own. This one differs in what a mock needs: a request whose client is gone is given up (a
//! wait, an advance), writes are not delayed, and running out of file descriptors is waited out instead of spun on.

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
use hyper_util::rt::TokioIo;
use poem::http::uri::Scheme;
use poem::http::{Request, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::io::{AsyncReadExt, Chain, Join};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::express::Express;

/// A connection of which something was read already.
type Stream = Join<Chain<Cursor<Bytes>, OwnedReadHalf>, OwnedWriteHalf>;

/// How long to wait before accepting again when the system refuses; connections wait in the kernel meanwhile.
const BACKOFF: Duration = Duration::from_millis(100);

/// Serves until the shutdown. Then no connection is accepted any more, and requests in flight may take as long as the
/// grace.
pub(crate) async fn serve<E>(
    listener: TcpListener,
    service: (Option<Express>, E),
    shutdown: CancellationToken,
    grace: Duration,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let (service, connections, abort) = (Arc::new(service), TaskTracker::new(), CancellationToken::new());
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener)).await {
        if let Some((stream, peer)) = accepted {
            let connection = connection(stream, peer, service.clone(), shutdown.clone());
            let abort = abort.clone();
            connections.spawn(async move { abort.run_until_cancelled(connection).await });
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        abort.cancel();
        connections.wait().await;
    }
}

/// The next connection, if the system gives one.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Each write is sent at once (RFC 1122, 4.2.3.4, switched off). One that is gone already cannot be told so.
            let _ = stream.set_nodelay(true);
            Some((stream, peer))
        }
        Err(error) => {
            // A peer that was gone before it was accepted is its own affair; anything else is a shortage.
            if error.kind() != io::ErrorKind::ConnectionAborted {
                warn!(%error, "cannot accept connections, trying again");
                tokio::time::sleep(BACKOFF).await;
            }
            None
        }
    }
}

/// Serves one connection to its end. What is in flight when the client leaves is dropped.
async fn connection<E>(
    mut stream: TcpStream,
    peer: SocketAddr,
    service: Arc<(Option<Express>, E)>,
    shutdown: CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let begun = match &service.0 {
        Some(express) => match express.serve(&mut stream, &shutdown).await {
            Some(begun) => begun,
            None => return,
        },
        None => Bytes::new(),
    };
    // In a box: most connections never come here.
    Box::pin(through_routes(begun, stream, peer, service, shutdown)).await;
}

/// Serves what is left of a connection, of which these bytes were read already.
async fn through_routes<E>(
    begun: Bytes,
    stream: TcpStream,
    peer: SocketAddr,
    service: Arc<(Option<Express>, E)>,
    shutdown: CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
{
    // A socket that cannot say where it is has ended.
    let Ok(local) = stream.local_addr() else { return };
    let (read, write) = stream.into_split();
    let stream: Stream = tokio::io::join(Cursor::new(begun).chain(read), write);
    let service = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move {
            let mut request = request;
            if request.headers().contains_key(header::UPGRADE) {
                let upgrade = hyper::upgrade::on(&mut request);
                request.extensions_mut().insert(Upgrade(upgrade));
            }
            let whole = (request, LocalAddr(local.into()), RemoteAddr(peer.into()), Scheme::HTTP);
            Ok::<_, Infallible>(hyper::Response::from(service.1.get_response(whole.into()).await))
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        () = shutdown.cancelled() => {
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
pub(super) struct Upgrade(OnUpgrade);

impl Upgrade {
    /// The stream, once the request is answered with a 101, and what was read of it already.
    pub(super) async fn stream(self) -> Option<(TcpStream, Bytes)> {
        // A peer that leaves in the middle of the handshake is no one's problem.
        let Parts { io, read_buf, .. } = self.0.await.ok()?.downcast::<TokioIo<Stream>>().ok()?;
        let (read, write) = io.into_inner().into_inner();
        // hyper has read all that had come before: its first read takes 8 KiB.
        let (_, read) = read.into_inner();
        Some((read.reunite(write).ok()?, read_buf))
    }
}
