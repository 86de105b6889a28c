//! Server-sent events, read by a client that is not ours.

use std::collections::VecDeque;

use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::{Mockd, soon};

/// An answer that streams.
pub(crate) struct EventStream {
    response: Response,
    /// What has come of the next events.
    pending: VecDeque<u8>,
}

impl EventStream {
    /// Opens one with a GET.
    pub(crate) async fn open(mockd: &Mockd, path: &str) -> Self {
        Self::request(mockd, "GET", path, &[], "").await
    }

    /// Opens one with any request.
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

    /// The lines of the next event; `None` at the end of the stream, and an error where it breaks off. Comments are left out.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            let Some(block) = soon("an event or the end of the stream", self.block()).await? else { return Ok(None) };
            let lines: Vec<&str> = block.lines().filter(|line| !line.is_empty() && !line.starts_with(':')).collect();
            if !lines.is_empty() {
                return Ok(Some(lines.join("\n")));
            }
        }
    }

    /// As [`EventStream::next`], of a stream that does not break off.
    pub(crate) async fn event(&mut self) -> Option<String> {
        self.next().await.expect("the stream goes on or ends")
    }

    /// The next events, of which there are so many.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<String> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.event().await.expect("the stream has ended"));
        }
        events
    }

    /// The next heartbeats, of which there are so many, with nothing between them.
    pub(crate) async fn heartbeats(&mut self, count: usize) {
        for _ in 0..count {
            assert_eq!(soon("a heartbeat", self.block()).await.unwrap().as_deref(), Some(":\n\n"));
        }
    }

    /// What the next event says as its data.
    pub(crate) async fn text(&mut self) -> String {
        let event = self.event().await.expect("the stream has ended");
        event.lines().filter_map(|line| line.strip_prefix("data: ")).collect::<Vec<_>>().join("\n")
    }

    /// As [`EventStream::text`], of JSON.
    pub(crate) async fn data(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    }

    /// All events up to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events
    }

    /// What is before the next empty line.
    async fn block(&mut self) -> Result<Option<String>, String> {
        loop {
            let bytes = self.pending.make_contiguous();
            if let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.pending.drain(..end + 2).collect();
                return Ok(Some(String::from_utf8(block).unwrap()));
            }
            match self.response.chunk().await.map_err(|error| format!("the stream broke off: {error}"))? {
                Some(chunk) => self.pending.extend(chunk),
                // An event that is not complete at the end is none (HTML, 9.2.6).
                None => return Ok(None),
            }
        }
    }
}
