//! Random values are reproducible with the same seed.

use std::path::Path;

use super::advance;
use crate::support::{Mockd, ScenarioFile};

const DICE: &str = "
data: { rolls: [] }
http:
  /rolls: { crud: rolls }
  GET /dice:
    body:
      dice: '{{ random(1, 1000000) }}'
      bell: '{{ normal(0, 1) }}'
      colour: \"{{ pick(['red', 'green', 'blue']) }}\"
      id: '{{ uuid() }}'
      name: \"{{ fake('name') }}\"
      number: \"{{ next('ticket') }}\"
random:
  - { rate: 2/s, arrivals: poisson, add: { rolls: { by: \"{{ fake('first') }}\", at: $now.iso } } }
";

/// Returns the answers to a fixed series of requests at fixed times.
async fn answers(path: &Path, seed: &str) -> Vec<String> {
    let mockd = Mockd::run_with(path, &["--paused", "--seed", seed]).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(mockd.get("/dice").await.text);
        advance(&mockd, "", "3s").await;
        answers.push(mockd.get("/rolls").await.text);
    }
    answers.push(mockd.get("/__mockd/transcript").await.text);
    answers
}

#[tokio::test]
async fn two_runs_with_the_same_seed_yield_the_same_bytes() {
    let file = ScenarioFile::new(DICE);
    let first = answers(file.path(), "7").await;
    assert!(first[0].contains(r#""number":1"#) && first[2].contains(r#""number":2"#), "{first:?}");
    assert_ne!(first[0], first[2]);
    assert_eq!(answers(file.path(), "7").await, first);
    let other = answers(file.path(), "8").await;
    assert_ne!((&other[0], &other[9]), (&first[0], &first[9]));
}

#[tokio::test]
async fn an_edit_of_one_route_does_not_affect_draws_of_another() {
    let first = answers(ScenarioFile::new(DICE).path(), "7").await;
    let edited = DICE.replace("http:\n", "http:\n  GET /first: { body: '{{ random(1, 6) }}' }\n");
    assert_eq!(answers(ScenarioFile::new(&edited).path(), "7").await, first);
}

#[tokio::test]
async fn a_reset_repeats_the_same_draws() {
    let mockd = Mockd::run_with(ScenarioFile::new(DICE).path(), &["--paused", "--seed", "7"]).await;
    let first = mockd.get("/dice").await.text;
    assert_ne!(mockd.get("/dice").await.text, first);
    mockd.control("POST", "/__mockd/reset", serde_json::json!({})).await;
    assert_eq!(mockd.get("/dice").await.text, first);
}
