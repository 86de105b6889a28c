//! The socket examples with client libraries for their protocols, in paused worlds. The scripts in `live_clients`
//! connect, subscribe, are refused, reconnect, and print what they received.

use std::path::Path;

use serde_json::{Map, Value, json};
use tokio::process::Command;

use crate::support::{Mockd, ScenarioFile, Tool, needs, soon};

async fn example(name: &str) -> Mockd {
    Mockd::run_with(&Path::new("scenarios").join(name), &["--paused"]).await
}

/// Runs a client with the mock's URL, and returns the JSON that it prints.
async fn run_client(mut client: Command, mockd: &Mockd) -> Map<String, Value> {
    let output = soon("the end of the client", client.arg(mockd.url()).kill_on_drop(true).output()).await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn node(script: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(Path::new("tests/suite/live_clients").join(script)).arg(Tool::LiveClients.path());
    node
}

/// Compares what the client received part by part, so that a failure names the part that differs.
fn assert_seen<const N: usize>(mut seen: Map<String, Value>, expected: [(&str, Value); N]) {
    for (part, expected) in expected {
        assert_eq!(seen.remove(part), Some(expected), "{part}");
    }
    assert!(seen.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn the_socket_io_client_works_over_each_transport() {
    needs!(LiveClients);
    let message =
        |id: u64, from: &str, text: &str| json!(["message", { "id": id, "room": "lobby", "from": from, "text": text }]);
    let (hello, by_rest) = (message(1, "bob", "Hello"), message(2, "rest", "By REST"));
    let expected = [
        ("welcome", json!(["welcome", { "online": 1 }])),
        ("connected", json!(true)),
        ("transport", json!(true)),
        ("joined", json!({ "ok": true, "messages": [] })),
        ("other", json!(["joined", "bob"])),
        ("said", json!(1)),
        ("heard", json!([hello, hello])),
        ("pushed", json!([by_rest, by_rest])),
        ("quiz", json!([["question", "What is 6 times 7?"], ["result", "right"]])),
        ("photo", json!({ "saved": true, "bytes": "0001feff", "other": ["photo", "bytes 0001feff"] })),
        ("refused", json!({ "message": "not authorized", "data": { "hint": "the token is secret" }, "active": false })),
        ("announced", json!({ "reached": 2 })),
        ("announcement", json!([["announcement", "Closing soon"], ["announcement", "Closing soon"]])),
        ("afterPing", json!(true)),
        ("left", json!(["left", "bob"])),
        ("reconnected", json!("welcome")),
    ];
    for (transports, closed) in
        [("websocket", "transport close"), ("polling", "transport error"), ("polling,websocket", "transport close")]
    {
        let mockd = example("socketio.yaml").await;
        let mut client = node("socketio.mjs");
        client.env("TRANSPORTS", transports);
        let mut seen = run_client(client, &mockd).await;
        assert_eq!(seen.remove("closed"), Some(json!(closed)), "{transports}");
        assert_seen(seen, expected.clone());
    }
}

/// Namespaces with a ticker, one that fails to open, one that disconnects, and messages on which the server closes.
const NAMESPACES: &str = "
data: { log: [] }
websocket:
  /socket.io:
    protocol: socket.io
    open:
      - { when: msg.namespace == '/closed', remove: { log: 9 } }
      - { when: msg.namespace == '/out', close: {} }
      - { times: forever, every: 200ms, reply: { event: tick } }
    messages:
      - { match: { event: who }, reply: { ack: [$conn.sid] } }
      - { match: { event: kick }, close: {} }
      - { match: { event: crash }, do: [{ reply: { event: last } }, { close: 1011 }] }
";

#[tokio::test]
async fn the_socket_io_client_leaves_and_rejoins_namespaces() {
    needs!(LiveClients);
    let mockd = Mockd::run_with(ScenarioFile::new(NAMESPACES).path(), &["--paused"]).await;
    let expected = [
        ("ids", json!(3)),
        ("known", json!([true, true])),
        ("ticks", json!(5)),
        ("refused", json!("Row 9 not found in log")),
        ("kicked", json!("io server disconnect")),
        ("stays", json!(true)),
        ("last", json!("io server disconnect")),
        ("out", json!(["connect", "io server disconnect", false])),
        ("websocket", json!(["last", "transport close", "io client disconnect"])),
        ("polling", json!(["last", "transport close", "io client disconnect"])),
    ];
    assert_seen(run_client(node("namespaces.mjs"), &mockd).await, expected);
}

#[tokio::test]
async fn the_graphql_ws_client_works() {
    needs!(LiveClients);
    let mockd = example("graphql.yaml").await;
    let row = |id: u64, room: &str, from: &str, text: &str| json!({ "id": id, "__typename": "Message", "room": room, "from": from, "text": text });
    let welcome = row(1, "lobby", "mockd", "Welcome!");
    let (hello, by_rest) = (row(3, "lobby", "ada", "Hello"), row(4, "lobby", "rest", "By REST"));
    let added = |row: &Value| json!({ "data": { "messageAdded": row } });
    let counted = |number: u64| json!({ "data": { "countdown": number } });
    let unknown = "no rule of this endpoint answers the operation `Nothing`; the nearest is rule 1: \
                   msg.operationName is \"Nothing\" instead of \"Messages\"";
    let all = json!([welcome, row(2, "kitchen", "ada", "Not for the lobby"), hello, by_rest]);
    let expected = [
        ("connected", json!({ "payload": { "user": "ada" }, "wasRetry": false })),
        ("query", json!([{ "data": { "messages": [welcome] } }, "complete"])),
        ("mutation", json!([{ "data": { "say": hello } }, "complete"])),
        ("subscribed", json!([added(&hello), added(&by_rest)])),
        ("wrong", json!({ "errors": [{ "message": "A message has a text." }] })),
        ("unknown", json!({ "errors": [{ "message": unknown }] })),
        ("rest", json!({ "data": { "messages": all } })),
        ("countdown", json!([counted(3), counted(2), counted(1), "complete"])),
        ("pongs", json!(["pong", "pong"])),
        ("refused", json!({ "code": 4403, "reason": "Forbidden" })),
        ("joined", json!([["messages"]])),
        ("reconnected", json!({ "payload": { "user": "ada" }, "wasRetry": true })),
        ("again", added(&row(5, "lobby", "rest", "Still there?"))),
        ("completed", json!("complete")),
        ("left", json!([])),
    ];
    assert_seen(run_client(node("graphql.mjs"), &mockd).await, expected);
}

#[tokio::test]
async fn the_phoenix_client_works() {
    needs!(LiveClients);
    let mockd = example("phoenix.yaml").await;
    let row = |id: u64, user: &str, body: &str| json!({ "id": id, "room": "room:lobby", "user": user, "body": body });
    let message = |id: u64, user: &str, body: &str| json!(["new_msg", row(id, user, body)]);
    let (hello, by_rest) = (message(2, "ada", "Hello"), message(3, "rest", "By REST"));
    let error = |reason: &str| json!({ "status": "error", "response": { "reason": reason } });
    let expected = [
        ("joined", json!({ "status": "ok", "response": { "messages": [row(1, "mockd", "Welcome!")] } })),
        ("other", json!(["user_joined", { "user": "bob" }])),
        ("pushed", json!({ "status": "ok", "response": { "id": 2 } })),
        ("broadcast", json!([hello, hello])),
        ("rest", json!([by_rest, by_rest])),
        ("unknown", error("no answer to dance")),
        ("heartbeats", json!([["phx_reply", "ok"], ["phx_reply", "ok"]])),
        ("refused", error("unauthorized")),
        ("allowed", json!("ok")),
        ("left", json!({ "status": "ok", "response": {} })),
        ("rejoined", json!(["Welcome!", "Hello", "By REST", "Without Bob"])),
        ("banned", json!("Unexpected server response: 403")),
        ("closed", json!([1012, "as told"])),
        ("again", message(5, "rest", "Still there?")),
    ];
    assert_seen(run_client(node("phoenix.mjs"), &mockd).await, expected);
}

#[tokio::test]
async fn the_ws_client_gets_the_streams_it_names() {
    needs!(LiveClients);
    let mockd = example("ticker.yaml").await;
    let answer = |id: Value, result: Value| json!({ "result": result, "id": id });
    let wrong = json!({ "error": { "code": 2, "msg": "Invalid request: unknown variant `DANCE`" }, "id": 5 });
    let answers = json!([
        answer(json!(1), Value::Null),
        answer(json!(2), json!(["btcusdt@trade", "ethusdt@trade"])),
        answer(json!(3), Value::Null),
        answer(json!("four"), json!(["btcusdt@trade"])),
        wrong,
    ]);
    let trade =
        json!({ "fields": "e E s t p q T m", "symbol": "BTCUSDT", "price": "1.50", "time": 1_767_225_600_000_u64 });
    let expected = [
        ("trade", trade),
        ("combined", json!({ "stream": "btcusdt@trade", "isSame": true })),
        ("answers", answers),
        ("subscribed", json!("2.00")),
        ("summary", json!({ "event": "24hrMiniTicker", "symbol": "ETHUSDT", "open": "3000.00", "isPrice": true })),
        ("pong", json!("hello")),
        ("refused", json!(404)),
        ("closed", json!([1012, "as told"])),
        ("again", json!("3.00")),
    ];
    assert_seen(run_client(node("ticker.mjs"), &mockd).await, expected);
}

#[tokio::test]
async fn the_python_websockets_client_works() {
    needs!(Websockets);
    let mockd = example("chat.yaml").await;
    let mut python = Command::new(Tool::Websockets.path().with_file_name("python"));
    python.arg("tests/suite/live_clients/chat.py");
    let row = |id: u64, from: &str, text: &str| json!({ "id": id, "room": "lobby", "from": from, "text": text, "at": "2026-01-01T00:00:00.000Z" });
    let message = |row: &Value| json!({ "type": "message", "message": row });
    let (hello, by_rest) = (row(2, "bob", "Hello"), row(3, "rest", "By REST"));
    let welcome = json!({ "id": 1, "room": "lobby", "from": "mockd", "text": "Welcome!" });
    let empty = json!({ "type": "history", "here": 1, "messages": [] });
    let renamed = json!({ "type": "renamed", "from": "bob", "to": "robert" });
    let no_answer = |id: u64| {
        let error = format!("There is no answer to {{\"type\":\"dance\",\"id\":{id}}}.");
        json!({ "type": "error", "id": id, "error": error })
    };
    let ack = json!({ "type": "ack", "id": "b-1", "message": 2 });
    let expected = [
        ("history", json!([{ "type": "history", "here": 1, "messages": [welcome] }])),
        ("joined", json!([{ "type": "joined", "name": "bob" }])),
        ("said", json!([[message(&hello), ack], [message(&hello)]])),
        ("posted", by_rest.clone()),
        ("pushed", json!([[message(&by_rest)], [message(&by_rest)]])),
        ("typing", json!([{ "type": "typing", "name": "bob" }])),
        ("renamed", json!([[renamed], [renamed]])),
        ("unknown", json!([no_answer(7)])),
        ("pong", json!("pong")),
        ("kitchen", json!([empty, no_answer(8)])),
        ("left", json!([{ "type": "left", "name": "robert" }])),
        ("heartbeat", json!({ "type": "heartbeat", "at": "2026-01-01T00:00:30.000Z" })),
        ("refused", json!([401, { "error": "Say who you are: ?name=ada" }])),
        ("connections", json!([empty, empty])),
        ("closed", json!([1012, "as told"])),
        ("again", json!("Still there?")),
    ];
    assert_seen(run_client(python, &mockd).await, expected);
}
