//! Frames in the journal: binary and text, and the times at which rules handled them.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{entries, paused, verify};
use crate::support::{Mockd, ScenarioFile, Socket};

const RULES: &str = r#"
http: { POST /notes: { status: 201 } }
websocket:
  /s:
    messages:
      - { text: "hello*", reply: got text }
      - { match: { t: 1 }, reply: got json }
      - { when: msg.binary == 'AP8=', reply: { binary: AAE= } }
  /any: { messages: [{ reply: { got: $msg } }] }
"#;

async fn run(arguments: &[&str]) -> Mockd {
    Mockd::run_with(ScenarioFile::new(RULES).path(), arguments).await
}

/// Asserts how many entries match each expectation.
async fn assert_counts(mockd: &Mockd, expected: &[(Value, u64)]) {
    for (expectation, count) in expected {
        let mut exactly = expectation.clone();
        exactly["exactly"] = json!(count);
        let verdict = verify(mockd, json!({ "expect": [exactly] })).await;
        assert_eq!(verdict["pass"], true, "{expectation} {verdict}");
    }
}

/// Returns the fields of an entry that describe its frame.
fn frame(entry: &Value) -> Value {
    let fields = ["binary", "body", "text", "bytes"].into_iter();
    fields.filter_map(|field| Some((field, entry.get(field)?.clone()))).collect()
}

#[tokio::test]
async fn binary_frames_are_marked_and_compared_as_rules_see_them() {
    let mockd = run(&["--paused"]).await;
    let mut socket = mockd.socket("/s").await;
    for bytes in [&b"hello"[..], br#"{"t":1}"#, &[0, 255]] {
        socket.send(Message::binary(bytes.to_vec())).await;
    }
    assert_eq!(socket.message().await, Message::binary(vec![0, 1]));
    let (received, sent) = (entries(&mockd, "?kind=received").await, entries(&mockd, "?kind=sent").await);
    let frames: Vec<Value> = received.iter().chain(&sent).map(frame).collect();
    let expected = [
        json!({ "binary": true, "text": "hello" }),
        json!({ "binary": true, "text": r#"{"t":1}"# }),
        json!({ "binary": true, "bytes": 2 }),
        json!({ "binary": true, "text": "\0\u{1}" }),
    ];
    assert_eq!(frames, expected);
    for entry in &received[..2] {
        let nearest = "rule 2: the message is binary; msg.t is null instead of 1";
        assert_eq!((&entry["rule"], &entry["nearest"]), (&Value::Null, &json!(nearest)));
    }
    assert_eq!((&received[2]["rule"], received[2].get("nearest")), (&json!(3), None));
    let brief = entries(&mockd, "?kind=received&brief=true").await;
    assert_eq!(frame(&brief[1]), expected[1]);
    let expected = [
        (json!({ "kind": "received", "body": { "t": 1 } }), 0),
        (json!({ "kind": "received", "body": "hello" }), 0),
        (json!({ "kind": "received", "body": { "binary": "aGVsbG8=" } }), 1),
        (json!({ "kind": "received", "bodyEquals": { "binary": "AP8=" }, "rule": 3 }), 1),
        (json!({ "kind": "received", "bodyContains": "ell" }), 1),
        (json!({ "kind": "sent", "body": { "binary": "AAE=" } }), 1),
    ];
    assert_counts(&mockd, &expected).await;
}

#[tokio::test]
async fn frames_that_are_not_binary_are_not_marked() {
    let mockd = run(&["--paused"]).await;
    let mut socket = mockd.socket("/s").await;
    for text in [r#"{"t":1}"#, "hello"] {
        socket.send(text).await;
    }
    assert_eq!([socket.text().await, socket.text().await], ["got json", "got text"]);
    let frames: Vec<Value> = entries(&mockd, "?kind=received").await.iter().map(frame).collect();
    assert_eq!(frames, [json!({ "body": { "t": 1 } }), json!({ "text": "hello" })]);
}

#[tokio::test]
async fn a_binary_command_of_a_shop_is_journalled_as_json() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    let command = json!({ "cmd": "update-category", "payload": { "category": "confectionery" } });
    live.send(Message::binary(command.to_string().into_bytes())).await;
    live.text().await;
    assert_eq!(frame(&entries(&mockd, "?kind=received").await[0]), json!({ "body": command }));
    assert_counts(&mockd, &[(json!({ "kind": "received", "bodyEquals": command }), 1)]).await;
}

#[tokio::test]
async fn the_attachment_of_a_socket_io_event_is_part_of_its_message() {
    let scenario = "
websocket: { /socket.io: { protocol: socket.io, messages: [{ match: { event: file }, reply: { event: done, args: $msg.args } }] } }
";
    let mockd = Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await;
    let mut client = Socket::open(&format!("ws://{}/socket.io/?EIO=4&transport=websocket", mockd.address())).await;
    assert!(client.text().await.starts_with("0{"));
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
    client.send(r#"451-["file",{"_placeholder":true,"num":0}]"#).await;
    client.send(Message::binary(b"hello".to_vec())).await;
    assert_eq!(client.text().await, r#"451-["done",{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.message().await, Message::binary(b"hello".to_vec()));
    let message = json!({ "namespace": "/", "event": "file", "args": [{ "binary": "aGVsbG8=" }], "ack": null });
    assert_eq!(frame(&entries(&mockd, "?kind=received").await[0]), json!({ "body": message }));
    // What is sent is recorded frame by frame.
    let sent = entries(&mockd, "?kind=sent").await;
    assert_eq!(sent.last().map(frame), Some(json!({ "binary": true, "text": "hello" })));
}

#[tokio::test]
async fn an_expected_string_matches_all_of_a_text() {
    let mockd = run(&["--paused"]).await;
    let mut socket = mockd.socket("/any").await;
    for text in ["SEND\nplain", r#""quoted""#, "7"] {
        socket.send(text).await;
        socket.text().await;
    }
    assert_eq!(mockd.post("/notes", "buy milk").await.status, 201);
    let received = |body: Value| json!({ "kind": "received", "body": body });
    let expected = [
        (received(json!("SEND\nplain")), 1),
        (json!({ "kind": "received", "bodyEquals": "SEND\nplain" }), 1),
        (received(json!("SEND")), 0),
        (received(json!("quoted")), 1),
        (received(json!("\"quoted\"")), 0),
        (received(json!("7")), 0),
        (received(json!(7)), 1),
        (json!({ "path": "/notes", "body": "buy milk" }), 1),
        (json!({ "path": "/notes", "bodyEquals": "buy" }), 0),
    ];
    assert_counts(&mockd, &expected).await;
    let verdict = verify(&mockd, json!({ "expect": [{ "path": "/notes", "body": "buy beer" }] })).await;
    let difference = json!({ "field": "body", "expected": "buy beer", "found": "buy milk" });
    assert_eq!(verdict["findings"][0]["nearest"][0]["differences"], json!([difference]));
}

#[tokio::test]
async fn a_message_has_the_time_of_its_reply() {
    let mockd = run(&[]).await;
    let mut socket = mockd.socket("/any").await;
    for number in 0..20 {
        socket.send(number.to_string()).await;
        socket.text().await;
    }
    let (received, sent) = (entries(&mockd, "?kind=received").await, entries(&mockd, "?kind=sent").await);
    let times = |all: &[Value]| all.iter().map(|entry| entry["at"].clone()).collect::<Vec<_>>();
    assert_eq!((received.len(), times(&received)), (20, times(&sent)));
}
