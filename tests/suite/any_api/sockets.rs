//! Sockets of endpoints: frames sent by control, faults by path and topic, and the journal.

use mockd::embed::Mockd as Embedded;
use mockd::engine::Frame;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::paused;
use crate::support::{Mockd, Socket};

const CHAT: &str = "
data: { log: [] }
websocket:
  /rooms/{room}:
    open: [{ reply: welcome }, { join: \"room/{{ path.room }}\" }]
    messages:
      - { match: { say: hi }, send: { to: \"room/{{ path.room }}\", frame: $msg } }
      - { text: ping, reply: pong }
      - { text: refused, remove: { log: 9 } }
  /other: { open: [{ reply: welcome }] }
";

async fn open(mockd: &Mockd, path: &str) -> Socket {
    let mut socket = Socket::open(&format!("ws://{}{path}", mockd.address())).await;
    assert_eq!(socket.text().await, "welcome");
    socket
}

#[tokio::test]
async fn a_frame_sent_by_control_reaches_the_members_of_a_topic() {
    let mockd = paused(CHAT).await;
    let (mut one, mut two) = (open(&mockd, "/rooms/7").await, open(&mockd, "/rooms/8").await);
    let send = async |topic: &str, frame: Value| {
        let answer = mockd.control("POST", &format!("/__mockd/topics/{topic}"), frame).await;
        answer["events"].as_array().unwrap().iter().map(|event| event["topic"].clone()).collect::<Vec<_>>()
    };
    // A slash may be left unescaped.
    assert_eq!(send("room/7", json!({ "text": "to 7" })).await, [json!("room/7")]);
    assert_eq!(send("room%2F7", json!({ "json": { "a": [1] } })).await, [json!("room/7")]);
    assert_eq!(send("room/7", json!({ "binary": "AP8=" })).await, [json!("room/7")]);
    assert_eq!(send("nobody%20here", json!({ "json": null })).await, [json!("nobody here")]);
    send("room/8", json!({ "text": "to 8" })).await;
    assert_eq!(one.texts(2).await, ["to 7", r#"{"a":[1]}"#]);
    assert_eq!(one.message().await, Message::binary(vec![0, 255]));
    assert_eq!(two.text().await, "to 8");
    for (topic, body, field) in [
        ("__sockets/rooms", json!({ "text": "x" }), "topic"),
        ("room/7", json!({}), "body"),
        ("room/7", json!({ "text": "x", "json": 1 }), "body"),
        ("room/7", json!({ "binary": "?" }), "binary"),
    ] {
        let answer = mockd.send("POST", &format!("/__mockd/topics/{topic}"), Some(&body)).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{}", answer.text);
    }
    one.send("ping").await;
    assert_eq!(one.text().await, "pong");
}

#[tokio::test]
async fn json_sent_by_control_is_framed_for_the_sockets_protocol() {
    let mockd = paused(
        "
websocket:
  /socket.io: { protocol: socket.io }
  /graphql: { protocol: graphql-transport-ws }
  /plain: {}
",
    )
    .await;
    let url = |path: &str| format!("ws://{}{path}", mockd.address());
    let mut io = Socket::open(&url("/socket.io/?EIO=4&transport=websocket")).await;
    assert!(io.text().await.starts_with('0'));
    io.send("40").await;
    assert!(io.text().await.starts_with("40{"));
    let mut plain = Socket::open(&url("/plain")).await;
    let event = json!({ "event": "news", "args": [1, { "a": 2 }] });
    for path in ["sockets/1/send", "sockets/send"] {
        mockd.control("POST", &format!("/__mockd/{path}"), json!({ "json": event })).await;
        assert_eq!(io.text().await, r#"42["news",1,{"a":2}]"#, "{path}");
    }
    assert_eq!(plain.json().await, event);
    // Text is sent unchanged.
    mockd.control("POST", "/__mockd/sockets/1/send", json!({ "text": r#"42["raw"]"# })).await;
    assert_eq!(io.text().await, r#"42["raw"]"#);
    let _graphql = Socket::open_with(&url("/graphql"), &[("sec-websocket-protocol", "graphql-transport-ws")]).await;
    for (path, json, why) in [
        ("sockets/1/send", json!({ "a": 1 }), "socket 1 cannot be sent this: a Socket.IO frame must be"),
        ("sockets/1/send", json!({ "event": "news", "namespace": "/chat" }), "not connected to the namespace `/chat`"),
        ("sockets/3/send", json!({ "data": {} }), "no operation to send this result to"),
        ("sockets/send", event, "socket 3 cannot be sent this"),
    ] {
        let answer = mockd.send("POST", &format!("/__mockd/{path}"), Some(&json!({ "json": json }))).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("json")), "{}", answer.text);
        for part in [why, "`{ event, args }`", "`POST /__mockd/topics/T`"] {
            assert!(answer.text.contains(part), "{part} in {}", answer.text);
        }
    }
    mockd.control("POST", "/__mockd/sockets/2/send", json!({ "json": "last" })).await;
    assert_eq!(plain.json().await, "last");
}

#[tokio::test]
async fn an_embedded_world_sends_to_a_topic() {
    let mockd = Embedded::builder().yaml(CHAT).paused().start().await.unwrap();
    let url = mockd.url().replace("http://", "ws://");
    let mut socket = Socket::open(&format!("{url}/rooms/7")).await;
    assert_eq!(socket.text().await, "welcome");
    let events = mockd.default_world().send_to("room/7", Frame::Text("hello".into())).await.unwrap();
    assert_eq!(
        (events.iter().filter(|event| !event.is_delivery()).count(), socket.text().await),
        (1, "hello".to_owned())
    );
    mockd.stop().await;
}

#[tokio::test]
async fn faults_hit_sockets_of_endpoints_by_their_path() {
    let mockd = paused(CHAT).await;
    let (mut seven, mut eight) = (open(&mockd, "/rooms/7").await, open(&mockd, "/rooms/8").await);
    let mut other = open(&mockd, "/other").await;
    let fault = json!({ "name": "lossy", "on": "websocket", "path": "/rooms/7", "drop": true });
    mockd.control("POST", "/__mockd/faults", fault).await;
    seven.send("ping").await;
    eight.send("ping").await;
    assert_eq!(eight.text().await, "pong");
    let faulted = json!({ "for": { "kind": "received", "path": "/rooms/7" } });
    assert_eq!(mockd.control("POST", "/__mockd/journal/wait", faulted).await["pass"], json!(true));
    mockd.control("DELETE", "/__mockd/faults/lossy", Value::Null).await;
    seven.send("ping").await;
    // The first reply was dropped.
    assert_eq!(seven.text().await, "pong");
    let dropped = mockd.get("/__mockd/journal?kind=faulted").await.json();
    assert_eq!(dropped["entries"].as_array().unwrap().len(), 1, "{dropped}");
    let fault = json!({ "on": "websocket", "path": "/rooms/*", "close": 4000 });
    mockd.control("POST", "/__mockd/faults", fault).await;
    assert_eq!((seven.close_code().await, eight.close_code().await), (4000, 4000));
    mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
    // The endpoint of another path is not affected.
    mockd.control("POST", "/__mockd/sockets/send", json!({ "text": "all" })).await;
    assert_eq!(other.text().await, "all");
    open(&mockd, "/other").await.close().await;
}

#[tokio::test]
async fn faults_hit_frames_sent_to_a_topic() {
    let mockd = paused(CHAT).await;
    let mut socket = open(&mockd, "/rooms/7").await;
    for (topic, is_hit) in [("room/*", true), ("room/7", true), ("room", false), ("log", false)] {
        let fault = json!({ "name": "lossy", "on": "websocket", "topic": topic, "drop": true });
        let added = mockd.control("POST", "/__mockd/faults", fault).await;
        assert_eq!(added["fault"]["topic"], json!(topic), "{added}");
        socket.send(r#"{"say":"hi"}"#).await;
        // A reply is not sent to a topic.
        socket.send("ping").await;
        let before = socket.until("pong").await;
        assert_eq!(before.len(), usize::from(!is_hit), "{topic} {before:?}");
        mockd.control("DELETE", "/__mockd/faults/lossy", Value::Null).await;
    }
    let by_path = json!({ "on": "websocket", "topic": "room/7", "path": "/rooms/8", "drop": true });
    mockd.control("POST", "/__mockd/faults", by_path).await;
    socket.send(r#"{"say":"hi"}"#).await;
    assert_eq!(socket.text().await, r#"{"say":"hi"}"#);
}

#[tokio::test]
async fn the_journal_finds_messages_by_path_and_rule() {
    let mockd = paused(CHAT).await;
    let (mut seven, mut eight) = (open(&mockd, "/rooms/7").await, open(&mockd, "/rooms/8").await);
    seven.send(json!({ "say": "hi" }).to_string()).await;
    assert_eq!(seven.text().await, r#"{"say":"hi"}"#);
    seven.send("refused").await;
    seven.send("?").await;
    eight.send("ping").await;
    assert_eq!(eight.text().await, "pong");
    let expected = json!({ "for": { "kind": "received", "exactly": 4 } });
    assert_eq!(mockd.control("POST", "/__mockd/journal/wait", expected).await["pass"], json!(true));
    for (filter, count) in [
        (json!({ "kind": "received", "path": "/rooms/*" }), 4),
        (json!({ "kind": "received", "path": "/rooms/7" }), 3),
        (json!({ "kind": "opened", "path": "/rooms/8" }), 1),
        (json!({ "rule": 1 }), 1),
        (json!({ "rule": 2 }), 1),
        (json!({ "rule": 3, "kind": "received", "path": "/rooms/7" }), 1),
        (json!({ "rule": 4 }), 0),
    ] {
        let mut expectation = filter.clone();
        expectation["exactly"] = json!(count);
        let verdict = mockd.control("POST", "/__mockd/verify", json!({ "expect": [expectation] })).await;
        assert_eq!(verdict["pass"], json!(true), "{filter} {verdict}");
    }
    let listed = mockd.get("/__mockd/journal?kind=received&path=/rooms/7&rule=3").await.json();
    let entry = &listed["entries"][0];
    assert_eq!((&entry["path"], &entry["rule"], &entry["text"]), (&json!("/rooms/7"), &json!(3), &json!("refused")));
    assert_eq!(entry["refused"], json!("Row 9 not found in log"));
    let unmatched = mockd.get("/__mockd/journal?kind=received&bodyContains=%3F").await.json();
    assert_eq!(unmatched["entries"][0]["rule"], Value::Null);
    assert!(unmatched["entries"][0]["nearest"].as_str().unwrap().starts_with("rule "), "{unmatched}");
}
