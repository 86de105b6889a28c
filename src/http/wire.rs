//! A connection's stream that several hold: hyper, which speaks HTTP on it, and code that breaks it off, writes past
//! hyper or lets it go when nothing happens on it.

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
use tokio::time::sleep;

use super::stream::Streaming;

/// How many times the time of a request a connection may stay open without one: two minutes by default.
const IDLE_TIMES: u32 = 12;

/// What a client that speaks TLS begins with (RFC 8446, 5.1: the content type `handshake`).
const TLS_HANDSHAKE: u8 = 22;

/// A clone is the same stream. One reads at a time, and one writes.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    stream: Arc<TcpStream>,
    activity: Arc<Activity>,
}

/// How far a connection is in what is said on it.
#[derive(Debug, Default)]
struct Activity {
    /// Requests that have arrived.
    requests: AtomicU64,
    /// Whether something came since the last request.
    is_receiving: AtomicBool,
    /// Whether a request waits for its answer, or an answer for the client to take it.
    is_answering: AtomicBool,
    /// Whether the handler is at work.
    is_handling: AtomicBool,
    /// Whether the client is a browser.
    is_browser: AtomicBool,
    /// Whether the client speaks TLS, and nothing that is for here.
    is_tls: AtomicBool,
    /// The last answer that streams.
    streaming: Mutex<Option<Streaming>>,
}

/// Why a connection is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// A request has begun and does not come.
    Request,
    /// There was none for long.
    Idle,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream: Arc::new(stream), activity: Arc::default() }
    }

    pub(super) fn into_stream(self) -> Arc<TcpStream> {
        self.stream
    }

    /// A request has arrived, and its handler begins. Gives how many there were before.
    pub(super) fn begin(&self) -> u64 {
        let Activity { requests, is_receiving, is_answering, is_handling, .. } = &*self.activity;
        is_receiving.store(false, Ordering::Relaxed);
        is_answering.store(true, Ordering::Relaxed);
        is_handling.store(true, Ordering::Relaxed);
        requests.fetch_add(1, Ordering::Relaxed)
    }

    /// The client is a browser.
    pub(super) fn note_browser(&self) {
        self.activity.is_browser.store(true, Ordering::SeqCst);
    }

    /// Whether the client is a browser.
    pub(super) fn is_browser(&self) -> bool {
        self.activity.is_browser.load(Ordering::SeqCst)
    }

    /// The answer to the last request goes on for as long as that says.
    pub(super) fn note_streaming(&self, streaming: Streaming) {
        *self.activity.streaming.lock().unwrap_or_else(PoisonError::into_inner) = Some(streaming);
    }

    fn is_streaming(&self) -> bool {
        let streaming = self.activity.streaming.lock().unwrap_or_else(PoisonError::into_inner);
        streaming.as_ref().is_some_and(Streaming::goes_on)
    }

    /// Whether the client speaks TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.activity.is_tls.load(Ordering::Relaxed)
    }

    /// The handler has its answer.
    pub(super) fn end(&self) {
        self.activity.is_handling.store(false, Ordering::Relaxed);
    }

    /// Waits until the client takes longer than that over the head of a request, or is silent for [`IDLE_TIMES`] as long. It
    /// looks once in that time, since a timer for each request would be 2 % of its cost: a head may take up to twice the time,
    /// and silence may last up to one time more.
    pub(super) async fn expired(&self, time: Duration) -> Expired {
        let (mut seen, mut same) = (None, 0);
        loop {
            sleep(time).await;
            let Activity { requests, is_receiving, is_answering, .. } = &*self.activity;
            let now = (requests.load(Ordering::Relaxed), is_receiving.load(Ordering::Relaxed));
            let is_quiet = seen == Some(now) && !is_answering.load(Ordering::Relaxed) && !self.is_streaming();
            same = if is_quiet { same + 1 } else { 0 };
            seen = Some(now);
            match now {
                (_, true) if same >= 1 => return Expired::Request,
                (_, false) if same >= IDLE_TIMES => return Expired::Idle,
                _ => {}
            }
        }
    }

    /// Writes bytes past whoever else writes.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.stream, bytes).await
    }

    /// Reads and drops what comes until the client ends.
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

    /// Ends what is written, as the last thing on the connection.
    pub(super) fn end_writing(&self) {
        // One that is gone already needs no end.
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
    }

    /// Ends the connection in order, for all who hold it.
    pub(super) fn close(&self) {
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
    }

    /// Has the connection be reset (RFC 9293, 3.5.2) as soon as nobody holds it, and those who read let go of it.
    pub(super) fn reset(&self) {
        let socket = SockRef::from(&*self.stream);
        let _ = socket.set_linger(Some(Duration::ZERO));
        let _ = socket.shutdown(Shutdown::Read);
    }
}

/// The last answer of a connection, head and body, as hyper would write it but for its length, which is that far off.
pub(super) async fn last_answer(response: Response, off: i64) -> (String, Vec<u8>) {
    let (parts, body) = response.into_parts();
    let body = body.into_vec().await.unwrap_or_default();
    let length = i64::try_from(body.len()).unwrap_or(i64::MAX).saturating_add(off).max(0);
    let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", parts.status);
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
        // Writing to a string cannot fail.
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    // RFC 9110, 8.6: an answer of that status has none.
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
                        // No head of a request has such a byte in it (RFC 9110, 5.5).
                        let is_first = self.activity.requests.load(Ordering::Relaxed) == 0;
                        if is_first && buffer.filled().get(before) == Some(&TLS_HANDSHAKE) {
                            self.activity.is_tls.store(true, Ordering::Relaxed);
                            // For hyper, nothing came and nothing more will: it closes the connection without a word.
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
        // hyper flushes when it has written all of an answer. What is written is with the kernel.
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

/// Writes bytes to a stream that others hold as well.
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
