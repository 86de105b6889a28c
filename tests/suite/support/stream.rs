//! Server-sent events, read through an independent client.

use std::collections::VecDeque;

use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::{Mockd, soon};

/// A streamed answer.
pub(crate) struct EventStream {
    response: Response,
    /// The bytes received but not yet returned.
    pending: VecDeque<u8>,
}

impl EventStream {
    /// Opens a stream with a GET.
    pub(crate) async fn open(mockd: &Mockd, path: &str) -> Self {
        Self::request(mockd, "GET", path, &[], "").await
    }

    /// Opens a stream with any request.
    pub(crate) async fn request(mockd: &Mockd, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Client::new().request(method, format!("{}{path}", mockd.url())).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = soon("the head of a stream", request.send()).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream", "{path}");
        Self { response, pending: VecDeque::new() }
    }

    /// Returns the lines of the next event; `None` at the end of the stream. Skips comments. An error means that the
    /// connection broke.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            let Some(block) = soon("an event or the end of the stream", self.through(b"\n\n")).await? else {
                return Ok(None);
            };
            let lines: Vec<&str> = block.lines().filter(|line| !line.is_empty() && !line.starts_with(':')).collect();
            if !lines.is_empty() {
                return Ok(Some(lines.join("\n")));
            }
        }
    }

    /// Like [`EventStream::next`], but panics if the connection breaks.
    pub(crate) async fn event(&mut self) -> Option<String> {
        self.next().await.expect("the stream continues or ends")
    }

    /// Returns the next `count` events.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<String> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.event().await.expect("the stream has ended"));
        }
        events
    }

    /// Asserts that the next `count` lines are heartbeats: comments, without a blank line that would end an event.
    pub(crate) async fn heartbeats(&mut self, count: usize) {
        for _ in 0..count {
            assert_eq!(soon("a heartbeat", self.through(b"\n")).await.unwrap().as_deref(), Some(":\n"));
        }
    }

    /// Returns the data of the next event.
    pub(crate) async fn text(&mut self) -> String {
        let event = self.event().await.expect("the stream has ended");
        event.lines().filter_map(|line| line.strip_prefix("data: ")).collect::<Vec<_>>().join("\n")
    }

    /// Returns the data of the next event, which must be JSON.
    pub(crate) async fn data(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    }

    /// Returns all events up to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events
    }

    /// Returns the text up to and including the next `end`.
    async fn through(&mut self, end: &[u8]) -> Result<Option<String>, String> {
        loop {
            let bytes = self.pending.make_contiguous();
            if let Some(start) = bytes.windows(end.len()).position(|window| window == end) {
                let text: Vec<u8> = self.pending.drain(..start + end.len()).collect();
                return Ok(Some(String::from_utf8(text).unwrap()));
            }
            match self.response.chunk().await.map_err(|error| format!("the stream broke: {error}"))? {
                Some(chunk) => self.pending.extend(chunk),
                // An incomplete event at the end of the stream is discarded (HTML Standard, 9.2.6).
                None => return Ok(None),
            }
        }
    }
}
