//! Delayed steps of sockets, on the world's clock.

use serde_json::{Value, json};

use super::{advance, paused};
use crate::support::{Mockd, Socket};

const CLOCK: &str = r#"
data: { open: true }
http:
  GET /open: { body: $open }
  PUT /open: { set: { open: $body } }
websocket:
  /clock:
    open:
      - reply: now
      - { after: 1s, reply: one }
      - { after: 1s, times: 3, every: 500ms, reply: "at {{ now.s % 60 }}" }
      - { at: 10s, each: [x, y, z], every: 2s, reply: "{{ index }} {{ item }}" }
      - { at: 10s, when: open, reply: open at ten }
      - { at: 11s, when: conn.quiet, reply: quiet }
      - { at: 20s, times: forever, every: 20s, reply: beat }
      - { at: 45s, close: { code: 4008, reason: time is up } }
    messages:
      - { match: { do: later }, do: [{ reply: soon }, { after: 3s, reply: "later {{ msg.n }}" }] }
      - match: { do: count }
        do:
          - { each: "{{ range(msg.n) }}", every: 1s, with: { double: "{{ item * 2 }}" }, reply: "twice {{ double }}" }
          - reply: done
      - { match: { do: quiet }, do: [{ set: { conn.quiet: true } }, { reply: set }] }
      - { text: ping, reply: pong }
    closed:
      - { after: 1s, set: { open: closed } }
"#;

async fn open_clock(mockd: &Mockd) -> Socket {
    let mut socket = mockd.socket("/clock").await;
    assert_eq!(socket.text().await, "now");
    socket
}

/// Advances the clock, and returns the frames that the socket receives.
async fn after(mockd: &Mockd, socket: &mut Socket, time: &str) -> Vec<String> {
    advance(mockd, time).await;
    socket.send("ping").await;
    socket.until("pong").await
}

#[tokio::test]
async fn steps_run_exactly_at_their_times() {
    let mockd = paused(CLOCK).await;
    let mut socket = open_clock(&mockd).await;
    for (time, expected) in [
        ("999ms", &[][..]),
        ("1ms", &["one"]),
        ("1s", &["at 2"]),
        ("500ms", &["at 2"]),
        ("500ms", &["at 3"]),
        ("6999ms", &[]),
        ("1ms", &["0 x", "open at ten"]),
        ("1s999ms", &[]),
        ("1ms", &["1 y"]),
        ("8s", &["2 z", "beat"]),
        ("24s", &["beat"]),
    ] {
        assert_eq!(after(&mockd, &mut socket, time).await, expected, "{time}");
    }
    advance(&mockd, "1s").await;
    assert_eq!(socket.closed().await, (4008, "time is up".to_owned()));
}

#[tokio::test]
async fn steps_for_one_socket_are_due_but_are_not_events() {
    let mockd = paused(CLOCK).await;
    let mut socket = open_clock(&mockd).await;
    for (at, next, text) in [("1s", "2s", "one"), ("2s", "2s500ms", "at 2")] {
        assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], json!(at));
        let advanced = mockd.control("POST", "/__mockd/clock", json!({ "step": 1 })).await;
        assert_eq!((&advanced["at"], &advanced["nextDue"]), (&json!(at), &json!(next)));
        assert_eq!((&advanced["count"], &advanced["events"]), (&json!(0), &json!([])));
        assert_eq!(socket.text().await, text);
        let sent = mockd.get("/__mockd/journal?kind=sent").await.json();
        assert_eq!(sent["entries"].as_array().unwrap().last().unwrap()["text"], json!(text));
    }
}

#[tokio::test]
async fn steps_due_within_one_advance_run_in_order() {
    let mockd = paused(CLOCK).await;
    let mut socket = open_clock(&mockd).await;
    let expected = ["one", "at 2", "at 2", "at 3", "0 x", "open at ten", "1 y", "2 z", "beat", "beat"];
    assert_eq!(after(&mockd, &mut socket, "44s").await, expected);
}

#[tokio::test]
async fn conditions_are_evaluated_when_their_step_is_due() {
    let mockd = paused(CLOCK).await;
    let (mut socket, mut quiet) = (open_clock(&mockd).await, open_clock(&mockd).await);
    assert_eq!(mockd.send("PUT", "/open", Some(&json!(false))).await.status, 204);
    quiet.send_json(json!({ "do": "quiet" })).await;
    assert_eq!(quiet.text().await, "set");
    let first = ["one", "at 2", "at 2", "at 3", "0 x"];
    assert_eq!(after(&mockd, &mut socket, "11s").await, first);
    quiet.send("ping").await;
    assert_eq!(quiet.until("pong").await, [&first[..], &["quiet"]].concat());
}

#[tokio::test]
async fn each_message_starts_its_own_steps() {
    let mockd = paused(CLOCK).await;
    let mut socket = open_clock(&mockd).await;
    advance(&mockd, "13s").await;
    socket.send("ping").await;
    socket.until("pong").await;
    socket.send_json(json!({ "do": "later", "n": 1 })).await;
    assert_eq!(socket.text().await, "soon");
    socket.send_json(json!({ "do": "count", "n": 3 })).await;
    assert_eq!(socket.text().await, "twice 0");
    // Scheduled steps keep the message that started them.
    assert_eq!(after(&mockd, &mut socket, "1s").await, ["2 z", "twice 2"]);
    assert_eq!(after(&mockd, &mut socket, "1s").await, ["twice 4", "done"]);
    assert_eq!(after(&mockd, &mut socket, "1s").await, ["later 1"]);
    socket.send_json(json!({ "do": "count", "n": 0 })).await;
    assert_eq!(socket.text().await, "done");
}

#[tokio::test]
async fn steps_end_with_their_socket_except_closed_steps() {
    let mockd = paused(CLOCK).await;
    let mut socket = open_clock(&mockd).await;
    socket.send_json(json!({ "do": "later", "n": 1 })).await;
    assert_eq!(socket.text().await, "soon");
    assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], "1s");
    advance(&mockd, "500ms").await;
    socket.close().await;
    drop(socket);
    // One second after the socket has closed.
    mockd.until("/__mockd/clock", |clock| clock["nextDue"] == "1s500ms").await;
    assert_eq!(mockd.get("/open").await.json(), true);
    advance(&mockd, "1s").await;
    assert_eq!(mockd.get("/open").await.json(), "closed");
    assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], Value::Null);
}

#[tokio::test]
async fn two_runs_of_a_paused_world_send_the_same_bytes() {
    let scenario = r#"
seed: 7
data: { prices: [{ id: BTC, price: 100 }, { id: ETH, price: 10 }] }
websocket:
  /prices:
    open: [{ join: { to: prices, frame: "{{ event.row.id }} {{ event.row.price | fixed(3) }} {{ uuid() }}" } }]
    messages: [{ text: end, reply: end }, { reply: "{{ random(1, 1000000) }}" }]
random:
  - { every: 100ms, jitter: 50ms, pick: prices, merge: { prices: { id: $it.id, price: "{{ it.price + normal(0, 1) }}" } } }
"#;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mockd = paused(scenario).await;
        let mut socket = mockd.socket("/prices").await;
        let mut seen = Vec::new();
        for time in ["1s", "2s"] {
            socket.send("draw").await;
            seen.push(socket.text().await);
            advance(&mockd, time).await;
            socket.send("end").await;
            seen.extend(socket.until("end").await);
        }
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].len() > 20, "{:?}", runs[0]);
}
