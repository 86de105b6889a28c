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

    /// The lines of the next event; `None` at the end of the stream. Comments are left out.
    pub(crate) async fn event(&mut self) -> Option<String> {
        loop {
            let block = soon("an event or the end of the stream", self.block()).await?;
            let lines: Vec<&str> = block.lines().filter(|line| !line.is_empty() && !line.starts_with(':')).collect();
            if !lines.is_empty() {
                return Some(lines.join("\n"));
            }
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
    async fn block(&mut self) -> Option<String> {
        loop {
            let bytes = self.pending.make_contiguous();
            if let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.pending.drain(..end + 2).collect();
                return Some(String::from_utf8(block).unwrap());
            }
            let Some(chunk) = self.response.chunk().await.expect("the stream was broken off") else {
                assert!(self.pending.is_empty(), "half an event at the end of the stream");
                return None;
            };
            self.pending.extend(chunk);
        }
    }
}
