//! The same scenario, seed and requests yield the same frames, transcripts and journals on every run and platform.
//!
//! The expected bytes are in `tests/golden`. A change to these files changes what every user's tests see.
//! `UPDATE_GOLDEN=1` rewrites them.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Mockd, command, soon};

const SCENARIO: &str = "scenarios/flash-sale.yaml";

/// Asserts that a text equals the golden file `name`. The message shows the first line that differs.
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (number, (expected, found)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(found, expected, "{name}:{}", number + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "{name}");
}

async fn play(mockd: &Mockd, prefix: &str) -> (Vec<String>, String, Vec<Value>) {
    let mut live = mockd.live_in(prefix, "nothing").await;
    let category = mockd.get(&format!("{prefix}/__mockd/categories")).await.json();
    let category = category["categories"][0]["name"].as_str().unwrap().to_owned();
    live.update_category(&category).await;
    let switched = json!({ "for": { "kind": "sent", "exactly": 2 }, "timeout": "20s" });
    mockd.control("POST", &format!("{prefix}/__mockd/journal/wait"), switched).await;
    mockd.advance(prefix, "7s").await;
    let first = mockd.get(&format!("{prefix}/{category}")).await.json()[0]["id"].as_str().unwrap().to_owned();
    mockd.post(&format!("{prefix}/orders/{first}"), r#"{"amount":3}"#).await;
    mockd.post(&format!("{prefix}/{category}"), r#"{"name":"Late Entry"}"#).await;
    mockd.advance(prefix, "53s").await;
    mockd.control("POST", &format!("{prefix}/__mockd/sockets/send"), json!({ "text": "the end" })).await;
    let frames = live.until("the end").await;
    let transcript = mockd.get(&format!("{prefix}/__mockd/transcript")).await.text;
    let journal = mockd.get(&format!("{prefix}/__mockd/journal")).await.json()["entries"].clone();
    (frames, transcript, journal.as_array().unwrap().clone())
}

/// Formats an entry as a line, without the fields that depend on the client or the world.
fn line(mut entry: Value) -> String {
    let fields = entry.as_object_mut().unwrap();
    fields.remove("headers");
    fields.remove("world");
    entry.to_string()
}

#[tokio::test]
async fn the_same_requests_yield_the_same_frames_and_records() {
    let mockd = Mockd::run_with(Path::new(SCENARIO), &["--paused", "--seed", "42"]).await;
    for prefix in ["", "/@a", "/@b"] {
        let (frames, transcript, journal) = play(&mockd, prefix).await;
        assert_golden("flash-sale.frames", &frames.join("\n"));
        assert_golden("flash-sale.transcript", &transcript);
        let journal: Vec<String> = journal.into_iter().map(line).collect();
        assert_golden("flash-sale.journal", &journal.join("\n"));
    }
}

#[tokio::test]
async fn a_transcript_matches_play_however_time_is_advanced() {
    for scenario in ["scenarios/shop.yaml", "scenarios/flash-sale.yaml"] {
        let arguments = ["play", scenario, "--until", "1m", "--seed", "42"];
        let played = soon("play's exit", command(&arguments).output()).await.unwrap();
        let played = String::from_utf8(played.stdout).unwrap();
        let name = Path::new(scenario).file_stem().unwrap().to_str().unwrap();
        assert_golden(&format!("{name}.play"), &played);
        let mockd = Mockd::run_with(Path::new(scenario), &["--paused", "--seed", "42"]).await;
        mockd.advance("/@once", "1m").await;
        for _ in 0..60 {
            mockd.advance("/@seconds", "1s").await;
        }
        mockd.control("POST", "/@steps/__mockd/clock", json!({ "step": 1_000 })).await;
        for prefix in ["/@once", "/@seconds"] {
            assert_eq!(mockd.get(&format!("{prefix}/__mockd/transcript")).await.text, played, "{scenario} {prefix}");
        }
        let steps = mockd.get("/@steps/__mockd/transcript").await.text;
        assert!(steps.starts_with(&played) || played.starts_with(&steps), "{scenario}");
        let after = mockd.get("/@once/__mockd/transcript?after=3").await.text;
        assert_eq!(after, played.split_inclusive('\n').skip(3).collect::<String>());
        assert_eq!(mockd.get("/@once/__mockd/transcript?after=x").await.status, 400);
    }
}

#[tokio::test]
async fn a_random_seed_is_reported_and_repeats_the_run() {
    let scenario = crate::support::ScenarioFile::new(&format!(
        "{}orders: {{ random: [{{ rate: 20/s, arrivals: poisson, amount: {{ min: 1, max: 9 }} }}] }}\n",
        crate::support::SHOP
    ));
    let first = Mockd::run_with(scenario.path(), &["--paused"]).await;
    let seed = first.greeting()["seed"].as_u64().unwrap();
    assert_eq!(first.get("/__mockd/state").await.json()["seed"], seed);
    let second = Mockd::run_with(scenario.path(), &["--paused", "--seed", &seed.to_string()]).await;
    let advanced = first.advance("", "10s").await;
    assert!(advanced.len() > 100, "{}", advanced.len());
    assert_eq!(second.advance("", "10s").await, advanced);
}
