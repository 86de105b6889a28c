//! Errors in rules name their position, and no rule runs without bounds.

use serde_json::{Value, json};

use super::{advance, paused};
use crate::support::{Mockd, ScenarioFile};

async fn transcript(mockd: &Mockd) -> Vec<Value> {
    let lines = mockd.get("/__mockd/transcript").await.text;
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_undefined_expression_gets_500_with_its_position() {
    let mockd = paused(
        "data: { price: 10 }
http:
  GET /body: { body: '{{ price.of.nothing }}' }
  GET /text: { text: 'Hello {{ query.name }}' }
  POST /set: { do: [{ set: { price: 1 } }, { set: { price: '{{ body.price }}' } }] }
",
    )
    .await;
    for (method, path, expression, position) in [
        ("GET", "/body", "price.of.nothing", "shop.yaml:3:"),
        ("GET", "/text", "query.name", "shop.yaml:4:"),
        ("POST", "/set", "body.price", "shop.yaml:5:"),
    ] {
        let answer = mockd.send(method, path, None).await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 500, "{message}");
        assert!(message.contains(&format!("`{expression}` is undefined ({position}")), "{message}");
        let journal = mockd.get(&format!("/__mockd/journal?path={path}")).await.json();
        assert_eq!(journal["entries"][0]["answer"]["status"], 500);
        assert_eq!(journal["entries"][0]["answer"]["body"]["message"], message);
    }
    // The steps before the failed one are undone.
    assert_eq!(mockd.get("/__mockd/state").await.json()["data"]["price"], 10);
}

#[tokio::test]
async fn an_invalid_status_or_header_gets_500_with_its_position() {
    let mockd = paused(
        "http:
  GET /status: { status: $query.code }
  GET /header: { headers: { x-name: 'I am {{ query.name }}' }, body: 1 }
",
    )
    .await;
    for (path, message) in [
        (
            "/status?code=999",
            "`query.code` fails: the status must be an integer from 200 to 599, found \"999\" (shop.yaml:2:",
        ),
        (
            "/header?name=a%0Ab",
            "`query.name` fails: the header x-name must be text of one line, found \"I am a\\nb\" (shop.yaml:3:",
        ),
    ] {
        let answer = mockd.get(path).await;
        assert_eq!(answer.status, 500, "{}", answer.text);
        assert!(answer.json()["message"].as_str().unwrap().starts_with(message), "{}", answer.text);
    }
}

#[tokio::test]
async fn an_expression_that_takes_too_long_is_stopped() {
    let sorts = " | sort".repeat(20);
    let mockd = paused(&format!(
        "http:
  GET /endless: {{ body: '{{{{ range(100000){sorts} | length }}}}' }}
  GET /fine: {{ body: '{{{{ range(1000) | sort | length }}}}' }}
"
    ))
    .await;
    let stopped = mockd.get("/endless").await;
    assert_eq!(stopped.status, 500);
    assert!(stopped.text.contains("takes more than") && stopped.text.contains("shop.yaml:2:"), "{}", stopped.text);
    assert_eq!(mockd.get("/fine").await.json(), 1000);
}

#[tokio::test]
async fn triggers_that_set_each_other_off_are_stopped_and_named() {
    let mockd = paused(
        "
data: { fired: 0 }
http:
  POST /ping: { send: { to: ping, frame: 1 } }
  GET /fired: { body: $fired }
triggers:
  - { topic: ping, do: [{ set: { fired: '{{ fired + 1 }}' } }, { send: { to: pong, frame: 1 } }] }
  - { topic: pong, send: { to: ping, frame: 1 } }
",
    )
    .await;
    for round in 1..=2 {
        assert_eq!(mockd.send("POST", "/ping", None).await.status, 204);
        let fired = mockd.get("/fired").await.json();
        assert!(fired.as_u64().unwrap() <= round * 1_000 && fired != 0, "{fired}");
        let last = transcript(&mockd).await.pop().unwrap();
        let reason = last["reason"].as_str().unwrap();
        assert_eq!(last["event"], "skipped");
        assert!(reason.starts_with("More than 1000 triggers set each other off, the last one on topic `p"), "{reason}");
        // The journal names the trigger, too.
        let journal = mockd.get("/__mockd/journal?kind=failed").await.json();
        let failed = journal["entries"].as_array().unwrap();
        assert_eq!(failed.len() as u64, round);
        assert_eq!((&failed[0]["rule"], &failed[0]["why"]), (&last["rule"], &last["reason"]));
        assert!(["triggers/ping", "triggers/pong"].contains(&last["rule"].as_str().unwrap()), "{last}");
    }
}

#[tokio::test]
async fn skipped_steps_are_logged_once_with_their_rule() {
    let mut mockd = paused(
        "
data: { rows: [{ id: 1 }], n: 0 }
scripts:
  - { name: night, steps: [{ times: 3, every: 1s, merge: { rows: { id: 7, done: true } } }, { after: 1s, remove: { rows: 8 } }] }
random: [{ name: crowd, every: 1s, until: 5s, increment: { rows: { id: 9, n: 1 } } }]
triggers: [{ topic: n, do: [{ after: 1s, remove: { rows: 6 } }] }]
http: { PUT /n: { set: { n: $body } }, DELETE /rows: { remove: { rows: 5 } } }
",
    )
    .await;
    // An error that is the answer to a request is not logged.
    assert_eq!(mockd.send("DELETE", "/rows", None).await.status, 404);
    advance(&mockd, "", "10s").await;
    assert_eq!(mockd.send("PUT", "/n", Some(&json!(1))).await.status, 204);
    advance(&mockd, "", "10s").await;
    let mut logged = mockd.log_until("triggers/n").await;
    logged.retain(|line| line.contains("not found"));
    logged.sort();
    assert_eq!(
        logged,
        [
            "`random/crowd` skips a step: Row 9 not found in rows",
            "`scripts/night` skips a step: Row 7 not found in rows",
            "`scripts/night` skips a step: Row 8 not found in rows",
            "`triggers/n` skips a step: Row 6 not found in rows",
        ]
    );
    let events = transcript(&mockd).await;
    let skipped = |rule: &str, row: u8| {
        let reason = format!("Row {row} not found in rows");
        events.iter().filter(|event| event["rule"] == rule && event["reason"] == reason).count()
    };
    let night = (skipped("scripts/night", 7), skipped("scripts/night", 8));
    assert_eq!((skipped("triggers/n", 6), night), (1, (3, 1)));
    assert!(skipped("random/crowd", 9) > 1);
}

#[tokio::test]
async fn a_rule_that_takes_too_many_steps_is_refused_entirely() {
    let mockd = paused(
        "
data: { rows: [] }
http:
  POST /many: { do: [{ each: '{{ range(20000) }}', add: { rows: {} } }] }
  /rows: { crud: rows }
",
    )
    .await;
    let refused = mockd.send("POST", "/many", None).await;
    assert_eq!(refused.status, 500, "{}", refused.text);
    assert!(refused.text.contains("More than 10000 steps"), "{}", refused.text);
    assert_eq!(mockd.get("/rows").await.json(), json!([]));
}

#[tokio::test]
async fn the_limits_of_a_socket_are_enforced_and_named() {
    let scenario = "
websocket:
  /s:
    messages:
      - { match: { do: topics }, join: $msg.topics }
      - { match: { do: memberships }, do: [{ each: '{{ range(1025) }}', join: { to: t, as: '{{ index }}', frame: $topic } }] }
      - { match: { do: memory }, set: { conn.much: '{{ [range(100000) | list, range(100000) | list] }}' } }
";
    let mockd = Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused", "--max-message", "20000"]).await;
    let mut socket = mockd.socket("/s").await;
    let topics: Vec<String> = (0..1025).map(|number| format!("t{number}")).collect();
    for (message, rule, why) in [
        (json!({ "do": "topics", "topics": topics }), 1, "Already joined 1024 topics; leave one first"),
        (json!({ "do": "memberships" }), 2, "Already has 1024 memberships; leave one first"),
        (json!({ "do": "memory" }), 3, "`conn` would take more than 1048576 bytes"),
    ] {
        socket.send_json(message).await;
        let count = |journal: &Value| journal["entries"].as_array().is_some_and(|failed| failed.len() == rule);
        let journal = mockd.until("/__mockd/journal?kind=failed", count).await;
        let expected = (&json!(format!("websocket /s, rule {rule}")), &json!(why), &json!(1));
        let failed = &journal["entries"][rule - 1];
        assert_eq!((&failed["rule"], &failed["why"], &failed["socket"]), expected);
    }
    socket.send("x".repeat(20_000)).await;
    mockd.until("/__mockd/sockets", |answer| answer["sockets"][0]["received"] == 4).await;
    socket.send("x".repeat(20_001)).await;
    assert_eq!(
        socket.closed().await,
        (1009, "the message exceeds the 20000 bytes that --max-message allows".to_owned())
    );
    let closed = mockd.until("/__mockd/journal?kind=closed", |journal| journal["entries"] != json!([])).await;
    assert_eq!((&closed["entries"][0]["socket"], &closed["entries"][0]["code"]), (&json!(1), &json!(1009)));
}
