//! Declared APIs over the wire: answers, collections, streams and sockets.

mod bounds;
mod clients;
mod embedded;
mod examples;
mod lists;
mod messages;
mod reload;
mod requests;
mod rows;
mod seeds;
mod slow;
mod sockets;
mod state;
mod streams;
mod worlds;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Mockd, ScenarioFile};

/// A scenario with a price, and notes that clients can read, change and watch.
const NOTES: &str = "
data:
  notes:
    - { id: 1, text: one }
    - { id: 2, text: two }
  price: 10
http:
  /notes: { crud: notes }
  GET /price: { body: $price }
  PUT /price: { set: { price: $body } }
  GET /live: { stream: [{ reply: { event: price, data: $price } }, { join: notes }] }
";

/// Runs a scenario with a paused clock.
async fn paused(scenario: &str) -> Mockd {
    Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await
}

/// Runs an example with a paused clock.
async fn example(name: &str) -> Mockd {
    Mockd::run_with(&Path::new("scenarios").join(name), &["--paused"]).await
}

/// Adds a note and returns its id.
async fn add(mockd: &Mockd, prefix: &str, text: &str) -> Value {
    let answer = mockd.send("POST", &format!("{prefix}/notes"), Some(&json!({ "text": text }))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].clone()
}

/// Returns the texts of the notes.
async fn texts(mockd: &Mockd, prefix: &str) -> Vec<String> {
    let notes = mockd.get(&format!("{prefix}/notes")).await.json();
    notes.as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

/// Advances the clock of the world under `prefix`.
async fn advance(mockd: &Mockd, prefix: &str, time: &str) {
    mockd.control("POST", &format!("{prefix}/__mockd/clock"), json!({ "advance": time })).await;
}
