//! WebSocket endpoints of general APIs: handshakes, messages, topics and timelines.

mod closing;
mod examples;
mod handshakes;
mod messages;
mod reload;
mod timelines;
mod topics;
mod worlds;

use serde_json::json;

use crate::support::{Mockd, ScenarioFile};

/// Runs a scenario with a paused clock.
async fn paused(scenario: &str) -> Mockd {
    Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await
}

/// Advances the clock of the default world.
async fn advance(mockd: &Mockd, time: &str) {
    mockd.control("POST", "/__mockd/clock", json!({ "advance": time })).await;
}
