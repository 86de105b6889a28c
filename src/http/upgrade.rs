//! Requests to upgrade the connection to another protocol (RFC 9110, 7.8).

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use poem::http::{HeaderMap, HeaderName, Request, header};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::wire::Wire;

/// A pending upgrade, stored in a request's extensions. poem's own upgrade type is not used because it puts the stream
/// behind a lock.
#[derive(Clone)]
pub(super) struct Upgrade {
    upgrade: OnUpgrade,
    permit: Arc<OwnedSemaphorePermit>,
}

/// The parts of an upgraded connection.
pub(super) struct Upgraded {
    pub(super) stream: Arc<TcpStream>,
    /// The bytes already read from the stream.
    pub(super) buffered: Bytes,
    /// The permit that counts this connection towards the limit.
    pub(super) permit: Arc<OwnedSemaphorePermit>,
}

impl Upgrade {
    /// Adds a pending upgrade to the extensions of a request that has an `Upgrade` header.
    pub(super) fn note(request: &mut Request<Incoming>, permit: &Arc<OwnedSemaphorePermit>) {
        if request.headers().contains_key(header::UPGRADE) {
            let upgrade = hyper::upgrade::on(&mut *request);
            request.extensions_mut().insert(Self { upgrade, permit: permit.clone() });
        }
    }

    /// Waits for the 101 to be sent and returns the connection, or `None` if the peer has gone.
    pub(super) async fn connection(self) -> Option<Upgraded> {
        // A peer may leave during the handshake, which is not an error.
        let Parts { io, read_buf, .. } = self.upgrade.await.ok()?.downcast::<TokioIo<Wire>>().ok()?;
        Some(Upgraded { stream: io.into_inner().into_stream(), buffered: read_buf, permit: self.permit })
    }
}

/// Whether a request asks for a WebSocket, with a valid handshake or not.
pub(super) fn is_websocket_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket")
}

/// Whether a comma-separated header lists a token, ignoring case.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
