//! Answers on their way to the client, several in one write if it has asked for several.

use std::io;
use std::io::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Buf;
use poem::http::StatusCode;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::products::{LARGE, Large, Products};
use super::splice::Pipes;
use crate::http::body::JSON;

pub(super) struct Output {
    bytes: Vec<u8>,
    /// Goes after them.
    large: Option<Arc<Large>>,
    pipes: Arc<Pipes>,
    is_open: bool,
    date: Date,
}

/// The `date` header's value (RFC 9110, 5.6.7), made anew each second.
struct Date {
    second: u64,
    text: String,
}

impl Output {
    pub(super) fn new(is_open: bool, pipes: Arc<Pipes>) -> Self {
        Self { bytes: Vec::new(), large: None, pipes, is_open, date: Date { second: 0, text: String::new() } }
    }

    /// Puts products behind what waits; after large ones it is to be flushed.
    pub(super) fn products(&mut self, products: &Products) {
        match products {
            Products::Small(json) => self.json(200, json),
            Products::Large(large) => {
                self.put_head(200, "", large.json().len());
                self.large = Some(large.clone());
            }
        }
    }

    /// Puts an answer behind those that wait.
    pub(super) fn json(&mut self, status: u16, body: &[u8]) {
        let more = if status == StatusCode::SERVICE_UNAVAILABLE { "retry-after: 1\r\n" } else { "" };
        self.put(status, more, body);
    }

    /// Puts the last answer of a connection there, which may be tried again a second later.
    pub(super) fn last(&mut self, status: u16, body: &[u8]) {
        self.put(status, "connection: close\r\nretry-after: 1\r\n", body);
    }

    fn put(&mut self, status: u16, more: &str, body: &[u8]) {
        self.put_head(status, more, body.len());
        self.bytes.extend_from_slice(body);
    }

    fn put_head(&mut self, status: u16, more: &str, length: usize) {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        let cors = if self.is_open { "access-control-allow-origin: *\r\n" } else { "" };
        let date = self.date.now();
        // Writing to memory cannot fail.
        let _ = write!(
            self.bytes,
            "HTTP/1.1 {status} {reason}\r\n{more}content-type: {JSON}\r\n{cors}content-length: {length}\r\ndate: {date}\r\n\r\n"
        );
    }

    /// Whether it has to be flushed before the next answer.
    pub(super) fn is_large(&self) -> bool {
        self.large.is_some() || self.bytes.len() >= LARGE
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// Those of the connection, which is of no more use then.
    pub(super) async fn flush(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        match self.large.take() {
            None => stream.write_all(&self.bytes).await?,
            Some(large) => match large.pages().await {
                Some(pages) => self.pipes.send(stream, &self.bytes, pages).await?,
                None => stream.write_all_buf(&mut self.bytes.chain(large.json().clone())).await?,
            },
        }
        self.bytes.clear();
        Ok(())
    }
}

impl Date {
    fn now(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second != self.second || self.text.is_empty() {
            self.second = second;
            self.text = httpdate::fmt_http_date(now);
        }
        &self.text
    }
}
