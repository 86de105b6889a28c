//! APIs of any kind, from outside: declared answers, collections and streams.

mod bounds;
mod clients;
mod embedded;
mod examples;
mod lists;
mod messages;
mod reload;
mod requests;
mod seeds;
mod slow;
mod sockets;
mod state;
mod streams;
mod worlds;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Mockd, ScenarioFile};

/// Notes that can be read, changed and watched, and a price.
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

/// Runs a scenario whose clock stands still.
async fn paused(scenario: &str) -> Mockd {
    Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await
}

/// Runs an example whose clock stands still.
async fn example(name: &str) -> Mockd {
    Mockd::run_with(&Path::new("scenarios").join(name), &["--paused"]).await
}

/// Adds a note, and gives its id.
async fn add(mockd: &Mockd, prefix: &str, text: &str) -> Value {
    let answer = mockd.send("POST", &format!("{prefix}/notes"), Some(&json!({ "text": text }))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].clone()
}

/// The texts of the notes.
async fn texts(mockd: &Mockd, prefix: &str) -> Vec<String> {
    let notes = mockd.get(&format!("{prefix}/notes")).await.json();
    notes.as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

/// Lets time pass in the world below a prefix.
async fn pass(mockd: &Mockd, prefix: &str, time: &str) {
    mockd.control("POST", &format!("{prefix}/__mockd/clock"), json!({ "advance": time })).await;
}
