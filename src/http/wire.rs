//! A connection's stream, shared by hyper, which speaks HTTP on it, and code that closes it, writes to it directly or
//! detects that it is idle.

use std::fmt::Write;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut;
use poem::Response;
use poem::http::{StatusCode, header};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::stream::Streaming;

/// How many times the request timeout a connection may stay open without a request: two minutes by default.
const IDLE_TIMES: u32 = 12;

/// After this time without a request, a new connection counts as opened in advance. Other clients open one to use it.
const OPENED_IN_ADVANCE: Duration = Duration::from_millis(250);

/// The first byte that a TLS client sends (RFC 8446, 5.1: the content type `handshake`).
const TLS_HANDSHAKE: u8 = 22;

/// A shared stream. Clones share the stream. At most one task reads and one task writes at a time.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    stream: Arc<TcpStream>,
    opened: Instant,
    activity: Arc<Activity>,
}

/// The state of the HTTP exchange on a connection.
#[derive(Debug, Default)]
struct Activity {
    /// The number of requests received.
    requests: AtomicU64,
    /// Whether bytes have arrived since the last request.
    is_receiving: AtomicBool,
    /// Whether a request is waiting for its response, or a response for the client to read it.
    is_answering: AtomicBool,
    /// Whether the handler is running.
    is_handling: AtomicBool,
    /// Whether the client is a browser.
    is_browser: AtomicBool,
    /// Whether the client speaks TLS, which mockd does not support.
    is_tls: AtomicBool,
    /// The last streaming response.
    streaming: Mutex<Option<Streaming>>,
}

/// The reason why a connection expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// A request has started but not fully arrived.
    Request,
    /// No request has started for a long time.
    Idle,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream: Arc::new(stream), opened: Instant::now(), activity: Arc::default() }
    }

    pub(super) fn into_stream(self) -> Arc<TcpStream> {
        self.stream
    }

    /// Records that a request has arrived and its handler starts. Returns the number of earlier requests.
    pub(super) fn start_request(&self) -> u64 {
        let Activity { requests, is_receiving, is_answering, is_handling, .. } = &*self.activity;
        is_receiving.store(false, Ordering::Relaxed);
        is_answering.store(true, Ordering::Relaxed);
        is_handling.store(true, Ordering::Relaxed);
        requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Records that the client is a browser.
    pub(super) fn note_browser(&self) {
        self.activity.is_browser.store(true, Ordering::SeqCst);
    }

    /// Whether the connection has been open for a while, and no request has begun on it. Browsers open connections in
    /// advance.
    pub(super) fn is_unused(&self) -> bool {
        let Activity { requests, is_receiving, .. } = &*self.activity;
        let has_begun = requests.load(Ordering::Relaxed) > 0 || is_receiving.load(Ordering::Relaxed);
        !has_begun && self.opened.elapsed() >= OPENED_IN_ADVANCE
    }

    /// Whether the client is a browser.
    pub(super) fn is_browser(&self) -> bool {
        self.activity.is_browser.load(Ordering::SeqCst)
    }

    /// Records that the response to the last request is streaming.
    pub(super) fn note_streaming(&self, streaming: Streaming) {
        *self.activity.streaming.lock().unwrap_or_else(PoisonError::into_inner) = Some(streaming);
    }

    fn is_streaming(&self) -> bool {
        let streaming = self.activity.streaming.lock().unwrap_or_else(PoisonError::into_inner);
        streaming.as_ref().is_some_and(Streaming::is_open)
    }

    /// Whether the client speaks TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.activity.is_tls.load(Ordering::Relaxed)
    }

    /// Records that the handler has returned its response.
    pub(super) fn finish_request(&self) {
        self.activity.is_handling.store(false, Ordering::Relaxed);
    }

    /// Waits until the client takes longer than `time` to send the head of a request, or is silent for [`IDLE_TIMES`]
    /// times as long.
    ///
    /// The state is checked once per `time`, because a timer for each request would add 2 % to its cost. A head may
    /// therefore take up to twice `time`, and silence may last up to one `time` longer.
    pub(super) async fn expired(&self, time: Duration) -> Expired {
        let (mut seen, mut unchanged) = (None, 0);
        loop {
            sleep(time).await;
            let Activity { requests, is_receiving, is_answering, .. } = &*self.activity;
            let now = (requests.load(Ordering::Relaxed), is_receiving.load(Ordering::Relaxed));
            let is_quiet = seen == Some(now) && !is_answering.load(Ordering::Relaxed) && !self.is_streaming();
            unchanged = if is_quiet { unchanged + 1 } else { 0 };
            seen = Some(now);
            match now {
                (_, true) if unchanged >= 1 => return Expired::Request,
                (_, false) if unchanged >= IDLE_TIMES => return Expired::Idle,
                _ => {}
            }
        }
    }

    /// Writes bytes directly, bypassing hyper.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.stream, bytes).await
    }

    /// Reads and discards bytes until the client closes its side.
    pub(super) async fn drain(&self) -> io::Result<()> {
        let mut dropped = [0; 4096];
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut dropped) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }

    /// Shuts down the writing side.
    pub(super) fn end_writing(&self) {
        // Fails only if the connection is already gone.
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
    }

    /// Closes the connection gracefully, for all holders.
    pub(super) fn close(&self) {
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
    }

    /// Makes the connection reset (RFC 9293, 3.5.2) once the last holder drops it, and makes readers stop.
    pub(super) fn reset(&self) {
        let socket = SockRef::from(&*self.stream);
        let _ = socket.set_linger(Some(Duration::ZERO));
        let _ = socket.shutdown(Shutdown::Read);
    }
}

/// Returns the head and body of the last response on a connection, as hyper would write them, except that the declared
/// length differs from the real one by `off`.
pub(super) async fn last_answer(response: Response, off: i64) -> (String, Vec<u8>) {
    let (parts, body) = response.into_parts();
    let body = body.into_vec().await.unwrap_or_default();
    let length = i64::try_from(body.len()).unwrap_or(i64::MAX).saturating_add(off).max(0);
    let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", parts.status);
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
        // Writing to a `String` cannot fail.
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    // RFC 9110, 8.6: a 204 has no content length.
    if parts.status != StatusCode::NO_CONTENT {
        let _ = write!(head, "content-length: {length}\r\n");
    }
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let _ = write!(head, "date: {date}\r\n\r\n");
    (head, body)
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match read_available(&self.stream, buffer) {
                Ok(count) => {
                    if count > 0 && !self.activity.is_handling.load(Ordering::Relaxed) {
                        self.activity.is_receiving.store(true, Ordering::Relaxed);
                        // The head of a request never contains this byte (RFC 9110, 5.5).
                        let is_first = self.activity.requests.load(Ordering::Relaxed) == 0;
                        if is_first && buffer.filled().get(before) == Some(&TLS_HANDSHAKE) {
                            self.activity.is_tls.store(true, Ordering::Relaxed);
                            // hyper sees the end of the stream and closes the connection without a response.
                            buffer.set_filled(before);
                        }
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.activity.is_answering.store(true, Ordering::Relaxed);
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.activity.is_answering.store(true, Ordering::Relaxed);
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write_vectored(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes once it has written a whole response. Written bytes are already in the kernel.
        if !self.activity.is_handling.load(Ordering::Relaxed) {
            self.activity.is_answering.store(false, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.stream).shutdown(Shutdown::Write))
    }
}

/// Reads what has arrived, up to the length of the buffer, with one system call.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if nothing has arrived, and those of the connection.
pub(super) fn read_available(stream: &TcpStream, buffer: &mut impl BufMut) -> io::Result<usize> {
    let mut count = None;
    let read = stream.try_io(Interest::READABLE, || {
        let read = *count.insert(stream.try_read_buf(buffer)?);
        // A read that leaves room in the buffer has drained the socket. Reporting that here spares the second read with
        // which tokio would find out. Bytes that arrive from now on are a new event.
        let is_drained = read > 0 && buffer.has_remaining_mut();
        if is_drained { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(read) }
    });
    count.map_or(read, Ok)
}

/// Writes bytes to a shared stream.
///
/// # Errors
/// Those of the connection.
pub(super) async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
