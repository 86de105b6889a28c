//! How sockets and streams end: their `closed` steps, waiting steps and delayed frames.

use futures_util::future::join;
use serde_json::{Value, json};

use super::{advance, paused};
use crate::support::{EventStream, Mockd};

const LOG: &str = r#"
data: { gone: [] }
http: { GET /gone: { body: "{{ gone | map(attribute='text') | list }}" } }
websocket:
  /late: { open: [{ join: room }, { after: 3s, close: 4003 }], closed: &closed [{ add: { gone: { text: "{{ conn.id }} {{ conn.topics | join }} {{ now.iso[17:19] }}" } } }] }
  /early: { open: [{ after: 1s, close: 4001 }], closed: *closed }
  /open: { messages: [{ reply: pong }], closed: *closed }
"#;

async fn gone(mockd: &Mockd) -> Value {
    mockd.get("/gone").await.json()
}

/// Returns the socket, the time, the path and the code of each end in the journal.
async fn ends(mockd: &Mockd) -> Vec<Value> {
    let journal = mockd.get("/__mockd/journal?kind=closed").await.json();
    let entries = journal["entries"].as_array().unwrap().iter();
    entries.map(|end| json!([end["socket"], end["at"], end["path"], end["code"]])).collect()
}

#[tokio::test]
async fn closed_steps_run_in_the_order_in_which_sockets_close() {
    let mockd = paused(LOG).await;
    let (mut late, mut early) = (mockd.socket("/late").await, mockd.socket("/early").await);
    advance(&mockd, "10s").await;
    assert_eq!(gone(&mockd).await, json!(["2  01", "1 room 03"]));
    assert_eq!(ends(&mockd).await, [json!([2, "1s", "/early", 4001]), json!([1, "3s", "/late", 4003])]);
    assert_eq!((late.close_code().await, early.close_code().await), (4003, 4001));
    // They run once, and the ends are recorded once.
    mockd.until("/__mockd/sockets", |list| list["sockets"] == json!([])).await;
    assert_eq!((gone(&mockd).await.as_array().unwrap().len(), ends(&mockd).await.len()), (2, 2));
}

#[tokio::test]
async fn closed_steps_run_before_a_control_call_answers() {
    let mockd = paused(LOG).await;
    let mut socket = mockd.socket("/open").await;
    let closing = mockd.control("POST", "/__mockd/sockets/1/close", json!({ "code": 4009 }));
    let (_, code) = join(closing, socket.close_code()).await;
    assert_eq!((code, gone(&mockd).await), (4009, json!(["1  00"])));
    for effect in [json!({ "close": 4008 }), json!({ "reset": true })] {
        let mockd = paused(LOG).await;
        let _sockets = [mockd.socket("/open").await, mockd.socket("/open").await];
        let mut fault = effect.clone();
        fault["on"] = "websocket".into();
        mockd.control("POST", "/__mockd/faults", fault).await;
        assert_eq!(gone(&mockd).await, json!(["1  00", "2  00"]), "{effect}");
    }
}

#[tokio::test]
async fn a_restored_world_has_run_the_closed_steps() {
    let mockd = paused(LOG).await;
    let mut sockets = [mockd.socket("/open").await, mockd.socket("/open").await];
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "both" })).await;
    // The sockets are still open, so nothing has happened in the world itself.
    assert_eq!(gone(&mockd).await, json!([]));
    sockets[0].close().await;
    mockd.until("/gone", |gone| *gone == json!(["1  00"])).await;
    mockd.control("POST", "/__mockd/snapshots/both/restore", json!({})).await;
    assert_eq!(gone(&mockd).await, json!(["1  00", "2  00"]));
    let transcript = mockd.get("/__mockd/transcript").await.text;
    assert_eq!(transcript.lines().count(), 2, "{transcript}");
}

#[tokio::test]
async fn waiting_steps_of_a_stream_end_with_its_client() {
    let mockd = paused(
        "
data: { rows: [] }
http:
  GET /rows: { body: $rows }
  GET /ticks: { stream: [{ reply: hi }, { after: 1s, every: 1s, times: forever, add: { rows: {} } }] }
",
    )
    .await;
    for is_closed in [false, true] {
        let mut stream = EventStream::open(&mockd, "/ticks").await;
        assert_eq!(stream.event().await.unwrap(), "data: hi");
        assert_ne!(mockd.get("/__mockd/clock").await.json()["nextDue"], Value::Null);
        if is_closed {
            mockd.control("POST", "/__mockd/sockets/close", json!({})).await;
            assert_eq!(stream.rest().await, [""; 0]);
        } else {
            drop(stream);
        }
        mockd.until("/__mockd/clock", |clock| clock["nextDue"].is_null()).await;
        advance(&mockd, "5s").await;
        assert_eq!(mockd.get("/rows").await.json(), json!([]));
    }
}

#[tokio::test]
async fn delayed_frames_are_sent_before_a_close() {
    let mockd = paused(
        "
faults: [{ on: websocket, latency: 5s }, { on: stream, latency: 5s }]
http: { GET /bye: { stream: [{ reply: one }, { reply: two }, { close: {} }] } }
websocket: { /s: { messages: [{ do: [{ reply: one }, { reply: two }, { close: 4000 }] }] } }
",
    )
    .await;
    let mut socket = mockd.socket("/s").await;
    socket.send("bye").await;
    assert_eq!((socket.texts(2).await, socket.close_code().await), (vec!["one".into(), "two".into()], 4000));
    assert_eq!(EventStream::open(&mockd, "/bye").await.rest().await, ["data: one", "data: two"]);
}

#[tokio::test]
async fn frames_and_ends_are_verified_by_path_and_topic() {
    let mockd = paused(
        "
websocket:
  /rooms/{room}: { open: [{ join: \"room {{ path.room }}\" }], messages: [{ send: { to: $conn.topics, frame: $msg } }, { close: 4000 }] }
",
    )
    .await;
    let (mut a, mut b) = (mockd.socket("/rooms/a").await, mockd.socket("/rooms/b").await);
    a.send("hello").await;
    assert_eq!(a.text().await, "hello");
    b.close().await;
    mockd.until("/__mockd/journal?kind=closed", |journal| journal["entries"] != json!([])).await;
    for (expectation, count) in [
        (json!({ "kind": "sent", "path": "/rooms/a" }), 1),
        (json!({ "kind": "sent", "path": "/rooms/{room}" }), 1),
        (json!({ "kind": "sent", "path": "/rooms/b" }), 0),
        (json!({ "topic": "room *", "body": "hello" }), 1),
        (json!({ "topic": "room b" }), 0),
        (json!({ "kind": "closed", "path": "/rooms/b" }), 1),
        (json!({ "kind": "closed", "path": "/rooms/a" }), 0),
    ] {
        let mut exactly = expectation.clone();
        exactly["exactly"] = count.into();
        let verdict = mockd.control("POST", "/__mockd/verify", json!({ "expect": [exactly] })).await;
        assert_eq!(verdict["pass"], true, "{expectation} {verdict}");
    }
    let sent = mockd.get("/__mockd/journal?topic=room%20a").await.json()["entries"][0].clone();
    assert_eq!((&sent["path"], &sent["topics"]), (&json!("/rooms/a"), &json!(["room a"])));
}
