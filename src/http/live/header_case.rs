//! The header names of a handshake in the letter case of RFC 6455 (4.2.2). Header names are case-insensitive (RFC 9110,
//! 5.1), but some clients, such as the Python client `gql`, look for exactly this case.

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

/// The head of a request with the header names of a 101. It requests nothing that hyper would act on.
const HEAD: &[u8] =
    b"GET / HTTP/1.0\r\nConnection: \r\nUpgrade: \r\nSec-WebSocket-Accept: \r\nSec-WebSocket-Protocol: \r\n\r\n";

/// Returns the extensions of a response that make hyper write the names in this case.
///
/// The type of the extension is private to hyper, which adds one to each request that it reads with the case preserved.
/// Preserving the case of all requests would slow each of them down, so this reads a single one.
pub(crate) fn handshake_header_case() -> Extensions {
    let header_case = OnceLock::new();
    let service = service_fn(|request: Request<Incoming>| {
        // There is only one request.
        let _ = header_case.set(request.extensions().clone());
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let mut http = http1::Builder::new();
    http.preserve_header_case(true).header_read_timeout(None);
    // The whole request is in memory and the answer is discarded, so there is nothing to wait for.
    let _ = http.serve_connection(TokioIo::new(join(HEAD, sink())), service).now_or_never();
    header_case.into_inner().unwrap_or_default()
}
