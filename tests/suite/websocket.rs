//! Endpoints of any API, from outside: what sockets hear, say and are told when.

mod examples;
mod handshakes;
mod messages;
mod reload;
mod timelines;
mod topics;
mod worlds;

use serde_json::json;

use crate::support::{Mockd, ScenarioFile};

/// Runs a scenario whose clock stands still.
async fn paused(scenario: &str) -> Mockd {
    Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await
}

/// Lets time pass.
async fn pass(mockd: &Mockd, time: &str) {
    mockd.control("POST", "/__mockd/clock", json!({ "advance": time })).await;
}
