//! Socket messages that match no rule, and messages in the journal.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::paused;
use crate::support::{Mockd, Socket};

/// Returns the log lines about unmatched messages, up to the line that contains `last`.
async fn unmatched(mockd: &mut Mockd, last: &str) -> Vec<String> {
    let mut lines = mockd.log_until(last).await;
    lines.retain(|line| line.starts_with("no rule of"));
    lines
}

/// Returns the journal entries of the frames that clients have sent.
async fn received(mockd: &Mockd) -> Vec<Value> {
    let journal = mockd.get("/__mockd/journal?kind=received").await.json();
    journal["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_unmatched_message_is_logged_once_for_each_reason() {
    let mut mockd = paused(
        "
websocket:
  /rooms/{room}: { messages: [{ match: { type: say, to: all }, reply: said }, { match: { type: say }, reply: heard }] }
  /silent: {}
",
    )
    .await;
    let mut room = Socket::open(&format!("ws://{}/rooms/a", mockd.address())).await;
    for kind in ["syy", "say", "syy", "shout"] {
        room.send(json!({ "type": kind }).to_string()).await;
    }
    let line = |kind: &str| {
        format!(
            "no rule of websocket /rooms/{{room}} matches a message; the nearest is rule 2: msg.type is \"{kind}\" instead of \"say\""
        )
    };
    assert_eq!(unmatched(&mut mockd, "shout").await, [line("syy"), line("shout")]);
    assert_eq!(room.text().await, "heard");
    let mut silent = Socket::open(&format!("ws://{}/silent", mockd.address())).await;
    silent.send("hello").await;
    assert_eq!(unmatched(&mut mockd, "websocket /silent").await, ["no rule of websocket /silent matches a message"]);
    let long = "x".repeat(1_000);
    room.send(json!({ "type": long }).to_string()).await;
    let logged = unmatched(&mut mockd, "xxx").await.remove(0);
    assert!(logged.len() < 300 && logged.ends_with("x…"), "{logged}");
}

#[tokio::test]
async fn socket_io_protocol_packets_need_no_rule() {
    let mut mockd = paused(
        "
websocket:
  /socket.io: { protocol: socket.io, messages: [{ match: { event: chat }, reply: { event: echo, args: $msg.args } }] }
",
    )
    .await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", mockd.address());
    let mut client = Socket::open(&url).await;
    assert!(client.text().await.starts_with("0{"));
    // Connects, acknowledges, disconnects, reconnects, and sends an event without a rule and one with a rule.
    for packet in ["40", "431[]", "41", "40", "42[\"chatt\"]", "42[\"chat\",1]"] {
        client.send(packet).await;
    }
    assert_eq!(client.until("42[\"echo\",1]").await.len(), 2);
    let nearest = "rule 1: msg.event is \"chatt\" instead of \"chat\"";
    let line = format!("no rule of websocket /socket.io matches a message; the nearest is {nearest}");
    assert_eq!(unmatched(&mut mockd, "chatt").await, [line]);
    let entries = received(&mockd).await;
    let rules: Vec<_> = entries.iter().map(|entry| (entry.get("rule"), entry.get("nearest"))).collect();
    let (null, nearest, first) = (Value::Null, json!(nearest), json!(1));
    assert_eq!(rules, [(Some(&null), Some(&nearest)), (Some(&first), None)]);
}

/// Asserts that the journal meets these expectations.
async fn assert_journal(mockd: &Mockd, expected: Value) {
    let verdict = mockd.control("POST", "/__mockd/verify", json!({ "expect": expected })).await;
    assert_eq!(verdict["pass"], json!(true), "{verdict}");
}

#[tokio::test]
async fn the_journal_records_socket_io_events_as_rules_see_them() {
    let mockd = paused(
        "
websocket:
  /socket.io:
    protocol: socket.io
    messages: [{ match: { event: say }, reply: { ack: [ok] } }, { match: { event: file }, reply: { event: done } }]
",
    )
    .await;
    let mut client = Socket::open(&format!("ws://{}/socket.io/?EIO=4&transport=websocket", mockd.address())).await;
    assert!(client.text().await.starts_with("0{"));
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
    mockd.control("POST", "/__mockd/clock", json!({ "advance": "25s" })).await;
    assert_eq!(client.text().await, "2");
    client.send("3").await;
    client.send(r#"422["say","r1","hi"]"#).await;
    assert_eq!(client.text().await, r#"432["ok"]"#);
    client.send(r#"451-["file",{"_placeholder":true,"num":0}]"#).await;
    client.send(Message::binary(vec![0, 255])).await;
    assert_eq!(client.text().await, r#"42["done"]"#);
    let event = json!({ "namespace": "/", "event": "say", "args": ["r1", "hi"], "ack": 2 });
    let expected = json!([
        { "kind": "received", "exactly": 2 },
        { "kind": "received", "path": "/socket.io", "exactly": 2 },
        { "kind": "received", "path": "/socket.io/", "exactly": 2 },
        { "kind": "opened", "path": "/socket.io", "exactly": 1 },
        { "kind": "received", "body": { "event": "say" }, "rule": 1, "exactly": 1 },
        { "kind": "received", "bodyEquals": event, "exactly": 1 },
        { "kind": "received", "body": { "event": "file", "args": [{ "binary": "AP8=" }] }, "rule": 2, "exactly": 1 },
    ]);
    assert_journal(&mockd, expected).await;
}

#[tokio::test]
async fn the_journal_records_graphql_operations_as_rules_see_them() {
    let mockd = paused(
        "
websocket:
  /graphql:
    protocol: graphql-transport-ws
    messages: [{ match: { operationName: Now }, reply: { data: { now: 1 } } }]
",
    )
    .await;
    let url = format!("ws://{}/graphql", mockd.address());
    let mut client = Socket::open_with(&url, &[("sec-websocket-protocol", "graphql-transport-ws")]).await;
    client.send(r#"{"type":"connection_init"}"#).await;
    assert_eq!(client.json().await["type"], "connection_ack");
    client.send(r#"{"type":"ping"}"#).await;
    assert_eq!(client.json().await["type"], "pong");
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": "query Now { now }" } });
    client.send(subscribe.to_string()).await;
    assert_eq!(
        (client.json().await["type"].clone(), client.json().await["type"].clone()),
        (json!("next"), json!("complete"))
    );
    let seen = json!({ "id": "1", "operationName": "Now" });
    let expected = json!([
        { "kind": "received", "exactly": 1 },
        { "kind": "received", "path": "/graphql", "body": seen, "rule": 1, "exactly": 1 },
    ]);
    assert_journal(&mockd, expected).await;
}

#[tokio::test]
async fn a_packet_that_cannot_be_decoded_is_logged() {
    let mut mockd = paused("websocket: { /socket.io: { protocol: socket.io } }\n").await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", mockd.address());
    for (packet, why) in [
        (
            // The connect packet of `socket.io-msgpack-parser`.
            Message::binary(b"\x82\xa4type\x00\xa3nsp\xa1/".to_vec()),
            "an attachment without a packet; only the default parser of Socket.IO is supported",
        ),
        (Message::text("42[broken"), "invalid payload"),
    ] {
        let mut client = Socket::open(&url).await;
        assert!(client.text().await.starts_with("0{"));
        client.send(packet).await;
        assert_eq!(client.closed().await, (1002, why.to_owned()));
        let why = format!("The socket is closed, because its client violated the protocol: {why}");
        mockd.logged(&format!("`websocket /socket.io` fails: {why}")).await;
        let failed = mockd.get("/__mockd/journal?kind=failed").await.json();
        let last = failed["entries"].as_array().and_then(|entries| entries.last()).cloned().unwrap_or_default();
        assert_eq!((&last["rule"], &last["why"]), (&json!("websocket /socket.io"), &json!(why)));
    }
    // A client that leaves violates nothing.
    let mut client = Socket::open(&url).await;
    assert!(client.text().await.starts_with("0{"));
    client.send("1").await;
    assert_eq!(client.closed().await, (1000, String::new()));
    let failed = mockd.get("/__mockd/journal?kind=failed").await.json();
    assert_eq!(failed["entries"].as_array().map(Vec::len), Some(2));
}
