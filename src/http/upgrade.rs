//! A request's wish to speak another protocol from then on (RFC 9110, 7.8).

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use poem::http::{HeaderMap, HeaderName, Request, header};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::wire::Wire;

/// The wish, among the extensions of a request. poem has one too, but gives a stream behind a lock.
#[derive(Clone)]
pub(super) struct Upgrade {
    upgrade: OnUpgrade,
    permit: Arc<OwnedSemaphorePermit>,
}

/// What a connection is made of that speaks another protocol.
pub(super) struct Upgraded {
    pub(super) stream: Arc<TcpStream>,
    /// What was read of it already.
    pub(super) begun: Bytes,
    /// Its part of the connections that there may be.
    pub(super) permit: Arc<OwnedSemaphorePermit>,
}

impl Upgrade {
    /// Puts the wish among the extensions of a request that has one.
    pub(super) fn note(request: &mut Request<Incoming>, permit: &Arc<OwnedSemaphorePermit>) {
        if request.headers().contains_key(header::UPGRADE) {
            let upgrade = hyper::upgrade::on(&mut *request);
            request.extensions_mut().insert(Self { upgrade, permit: permit.clone() });
        }
    }

    /// The connection, once the request is answered with a 101.
    pub(super) async fn connection(self) -> Option<Upgraded> {
        // A peer that leaves in the middle of the handshake is no one's problem.
        let Parts { io, read_buf, .. } = self.upgrade.await.ok()?.downcast::<TokioIo<Wire>>().ok()?;
        Some(Upgraded { stream: io.into_inner().into_stream(), begun: read_buf, permit: self.permit })
    }
}

/// Whether a request is to become a socket, well or badly.
pub(super) fn asks_for_socket(headers: &HeaderMap) -> bool {
    lists(headers, &header::UPGRADE, "websocket")
}

/// Whether a comma-separated header lists the token, in any case.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
