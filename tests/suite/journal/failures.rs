//! Failures of rules that no answer to a request reports.

use serde_json::{Value, json};

use super::{entries, verify, wait_for};
use crate::support::{EventStream, Mockd, ScenarioFile, Socket};

const RULES: &str = "\
data: { rows: [{ id: 1 }] }
scripts: [{ name: night, steps: [{ at: 1s, merge: { rows: { id: 7, n: 1 } } }] }]
triggers: [{ topic: news, send: { to: other, frame: $event.nope } }]
http:
  POST /news: { send: { to: news, frame: {} } }
  POST /late: { do: [{ after: 1s, remove: { rows: 9 } }] }
  GET /live: { stream: [{ reply: one }, { after: 2s, reply: $query.name }] }
websocket:
  /rooms/{room}:
    open: [{ reply: $path.room }, { after: 3s, reply: $query.name }]
    messages:
      - { match: { type: join }, do: [{ join: { to: talk, frame: $event.nope } }, { reply: joined }] }
      - { match: { type: say }, reply: $msg.text }
      - { match: { type: late }, do: [{ after: 1s, merge: { rows: { id: $msg.id, n: 1 } } }] }
    closed: [{ remove: { rows: 6 } }]
";

async fn run(scenario: &str) -> Mockd {
    Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await
}

async fn advance(mockd: &Mockd, time: &str) {
    mockd.control("POST", "/__mockd/clock", json!({ "advance": time })).await;
}

async fn room(mockd: &Mockd) -> Socket {
    let mut room = Socket::open(&format!("ws://{}/rooms/a", mockd.address())).await;
    assert_eq!(room.text().await, "a");
    room
}

/// Asserts that the entries are these failures, each with its rule, its socket and the start of its reason.
fn assert_failures(entries: &[Value], expected: &[(&str, Value, &str)]) {
    assert_eq!(entries.len(), expected.len(), "{entries:#?}");
    for (entry, (rule, socket, why)) in entries.iter().zip(expected) {
        assert_eq!((&entry["rule"], &entry["socket"]), (&json!(rule), socket), "{entry}");
        assert!(entry["why"].as_str().unwrap().starts_with(why), "{entry}");
    }
}

#[tokio::test]
async fn failures_of_world_rules_are_journalled() {
    let mockd = run(RULES).await;
    for path in ["/news", "/late"] {
        assert_eq!(mockd.send("POST", path, None).await.status, 204);
    }
    advance(&mockd, "5s").await;
    let expected = [
        ("triggers/news", Value::Null, "`event.nope` is undefined (shop.yaml:3:"),
        ("scripts/night", Value::Null, "Row 7 not found in rows"),
        ("POST /late", Value::Null, "Row 9 not found in rows"),
    ];
    assert_failures(&entries(&mockd, "?kind=failed").await, &expected);
    let brief = entries(&mockd, "?kind=failed&brief=true").await;
    assert_failures(&brief, &expected);
    assert_eq!((&brief[1]["at"], brief[1].get("text")), (&json!("1s"), None));
    // A failure that answers a request is recorded in the request's entry.
    assert_eq!(entries(&mockd, "?kind=request").await.len(), 2);
}

#[tokio::test]
async fn failures_of_socket_rules_have_the_rule_number() {
    let mut mockd = run(RULES).await;
    let mut room = room(&mockd).await;
    for message in [json!({ "type": "say" }), json!({ "type": "late", "id": 8 }), json!({ "type": "join" })] {
        room.send(message.to_string()).await;
    }
    assert_eq!(room.text().await, "joined");
    let sent = json!({ "do": [{ "send": { "to": "talk", "frame": {} } }] });
    mockd.control("POST", "/__mockd/steps", sent).await;
    advance(&mockd, "5s").await;
    let rule = |number: u8| format!("websocket /rooms/{{room}}, rule {number}");
    let expected = [
        (&*rule(2), json!(1), "`msg.text` is undefined (shop.yaml:13:"),
        (&*rule(1), json!(1), "`event.nope` is undefined (shop.yaml:12:"),
        (&*rule(3), json!(1), "Row 8 not found in rows"),
        ("websocket /rooms/{room}", json!(1), "`query.name` is undefined (shop.yaml:10:"),
    ];
    assert_failures(&entries(&mockd, "?kind=failed&socket=1").await, &expected);
    // The entry of a message names its rule only by number.
    for (rule, count) in [(1, 1), (2, 1), (3, 1), (4, 0)] {
        assert_eq!(entries(&mockd, &format!("?rule={rule}")).await.len(), count, "{rule}");
        let expected = json!({ "kind": "received", "rule": rule, "exactly": count });
        let verdict = verify(&mockd, json!({ "expect": [expected] })).await;
        assert_eq!(verdict["pass"], true, "{verdict}");
    }
    room.close().await;
    wait_for(&mockd, json!({ "rule": "websocket /rooms/{room}", "why": "Row 6 *" })).await;
    // The log reports the failures too.
    let log = mockd.log_until("Row 6").await;
    for (rule, _, why) in expected {
        let start = format!("`{rule}` fails: {why}");
        assert_eq!(log.iter().filter(|line| line.starts_with(&start)).count(), 1, "{start} {log:#?}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_a_failure_records_the_reason() {
    let mockd = run(RULES).await;
    let mut live = EventStream::open(&mockd, "/live").await;
    assert_eq!(live.text().await, "one");
    advance(&mockd, "5s").await;
    assert_eq!(live.rest().await, [""; 0]);
    wait_for(&mockd, json!({ "kind": "closed" })).await;
    let failed = entries(&mockd, "?kind=failed&socket=1").await;
    assert_failures(&failed, &[("GET /live", json!(1), "`query.name` is undefined (shop.yaml:7:")]);
    let closed = entries(&mockd, "?kind=closed").await;
    assert!(closed[0]["sequence"].as_u64() > failed[0]["sequence"].as_u64(), "{closed:?} {failed:?}");
}

#[tokio::test]
async fn a_repeated_failure_is_recorded_ten_times() {
    let mockd = run("\
data: { rows: [] }
scripts: [{ name: s, repeat: forever, steps: [{ after: 1s, remove: { rows: 9 } }] }]
random: [{ name: r, every: 1s, remove: { rows: \"{{ now.ms }}\" } }]
")
    .await;
    for _ in 0..2 {
        advance(&mockd, "1m").await;
        for (rule, why) in [("scripts/s", "Row 9 *"), ("random/r", "Row * not found in rows")] {
            let expected = json!({ "kind": "failed", "rule": rule, "why": why, "exactly": 10 });
            let verdict = verify(&mockd, json!({ "expect": [expected] })).await;
            assert_eq!(verdict["pass"], true, "{verdict}");
        }
        mockd.control("DELETE", "/__mockd/journal", Value::Null).await;
    }
}

#[tokio::test]
async fn failures_can_be_verified_by_rule_and_reason() {
    let mockd = run(RULES).await;
    advance(&mockd, "1s").await;
    for (expectation, pass) in [
        (json!({ "rule": "scripts/night" }), true),
        (json!({ "rule": "scripts/*" }), false),
        (json!({ "why": "*not found*" }), true),
        (json!({ "rule": "scripts/night", "why": "Row 8 *" }), false),
        (json!({ "kind": "failed", "exactly": 0 }), false),
        (json!({ "kind": "failed", "rule": "triggers/news", "exactly": 0 }), true),
    ] {
        let verdict = verify(&mockd, json!({ "expect": [expectation] })).await;
        assert_eq!(verdict["pass"], pass, "{expectation} {verdict}");
    }
    let mixed = json!({ "expect": [{ "rule": "scripts/night", "status": 200 }] });
    let refused = mockd.send("POST", "/__mockd/verify", Some(&mixed)).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("belong to different kinds of entries"), "{}", refused.text);
}
