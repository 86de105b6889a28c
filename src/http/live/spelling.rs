//! The headers of a handshake as RFC 6455 spells them (4.2.2). Names are the same in any case (RFC 9110, 5.1), but there are clients
//! that look for these as they are spelt there, such as the Python client `gql`.

use std::convert::Infallible;
use std::future::ready;
use std::sync::OnceLock;

use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use poem::http::Extensions;
use tokio::io::{join, sink};

/// The names of the headers of a 101, in the head of a request. It asks for nothing that hyper would see to.
const HEAD: &[u8] =
    b"GET / HTTP/1.0\r\nConnection: \r\nUpgrade: \r\nSec-WebSocket-Accept: \r\nSec-WebSocket-Protocol: \r\n\r\n";

/// Extensions of a response that have hyper spell the names in this way.
///
/// hyper keeps the type of such an extension to itself, and puts one into each request that it reads with the names as they came.
/// To have it do so with all requests would cost each of them; one is enough.
pub(crate) fn handshake_spelling() -> Extensions {
    let spelling = OnceLock::new();
    let service = service_fn(|request: Request<Incoming>| {
        // There is one request.
        let _ = spelling.set(request.extensions().clone());
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let mut http = http1::Builder::new();
    http.preserve_header_case(true).header_read_timeout(None);
    // All of it is there already, and nobody waits for the answer.
    let _ = http.serve_connection(TokioIo::new(join(HEAD, sink())), service).now_or_never();
    spelling.into_inner().unwrap_or_default()
}
