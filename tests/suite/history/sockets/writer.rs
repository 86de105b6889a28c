//! One who writes by REST: what it changes next is drawn by chance.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::membership::{MOST, ROOMS};
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

    /// Adds, changes or removes a row, which may fail because it is there already, or is not.
    pub(super) async fn write(&mut self, random: &mut ChaCha8Rng) {
        self.written += 1;
        let text = format!("{} of {}", self.written, self.name);
        let (id, room) = (random.random_range(1..=MOST), ROOMS[random.random_range(0..ROOMS.len())]);
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
