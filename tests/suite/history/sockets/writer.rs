//! A client that writes at random over REST.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::membership::{MAX_ID, ROOMS};
use crate::support::{Connection, Mockd};

pub(super) struct Writer {
    connection: Connection,
    host: String,
    name: String,
    written: u64,
}

impl Writer {
    pub(super) async fn open(mockd: &Mockd, name: String) -> Self {
        let (connection, host) = (Connection::open(mockd).await, mockd.address().to_owned());
        Self { connection, host, name, written: 0 }
    }

    /// Adds, changes or removes a random row. This may fail because the row exists already or does not exist.
    pub(super) async fn write(&mut self, random: &mut ChaCha8Rng) {
        self.written += 1;
        let text = format!("{} of {}", self.written, self.name);
        let (id, room) = (random.random_range(1..=MAX_ID), ROOMS[random.random_range(0..ROOMS.len())]);
        let row = format!("/rows/{id}");
        let (method, path, body) = match random.random_range(0..10) {
            0..4 => ("POST", "/rows", Some(json!({ "id": id, "room": room, "text": text }))),
            4..6 => ("PATCH", &*row, Some(json!({ "text": text }))),
            6 => ("PATCH", &*row, Some(json!({ "room": room, "text": text }))),
            7 => ("PUT", &*row, Some(json!({ "room": room, "text": text }))),
            _ => ("DELETE", &*row, None),
        };
        let request = self.request(method, path, body.as_ref());
        let (head, answer) = self.connection.request(request.as_bytes()).await;
        let status = head.split(' ').nth(1).unwrap_or_default();
        let is_expected = matches!(status, "200" | "201" | "204" | "404" | "409");
        assert!(is_expected, "{method} {path} was answered with {status} {answer}");
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        let start = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        let Some(body) = body.map(Value::to_string) else { return format!("{start}\r\n") };
        let length = body.len();
        format!("{start}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
    }
}
