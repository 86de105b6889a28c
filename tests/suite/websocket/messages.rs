//! Messages from clients, the rules that match them, and their effects.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::paused;
use crate::support::{Mockd, Socket};

const ECHO: &str = r#"
data: { rows: [{ id: 1, n: 0 }] }
http:
  GET /rows: { body: $rows }
websocket:
  /echo/{room}:
    open:
      - reply: { room: $path.room, from: $query.from, agent: $headers.x-agent, sid: $cookies.sid, url: $url, id: $conn.id }
    messages:
      - { match: { type: say, tags: [a, { deep: true }] }, reply: "tagged {{ msg.text }}" }
      - { match: { type: say }, reply: untagged }
      - { text: "hello *", reply: "{{ msg }} to you" }
      - { when: (msg.n or 0) > 3, reply: { more: "{{ msg.n + 1 }}" } }
      - { match: { type: name }, do: [{ set: { conn.user.name: $msg.name } }, { reply: $conn.user }] }
      - { match: { type: who }, reply: { who: $conn.user.name, id: $conn.id } }
      - match: { type: break }
        do:
          - increment: { rows: { id: 1, n: 1 } }
          - set: { conn.user.name: nobody }
          - reply: lost
          - merge: { rows: { id: 9 } }
      - { match: { type: echo }, reply: $msg.value }
      - { match: { type: bye }, close: { code: "{{ msg.code or 4000 }}", reason: "bye {{ msg.why or '' }}" } }
      - { match: { type: normal }, close: {} }
    closed:
      - add: { rows: { gone: "{{ conn.user.name or 'nobody' }}", from: $path.room } }
  /typed: { messages: [{ reply: { got: $msg } }] }
"#;

/// Opens a socket, and reads its first frame.
async fn echo(mockd: &Mockd) -> Socket {
    let mut socket = mockd.socket("/echo/lobby").await;
    assert_eq!(socket.json().await["room"], "lobby");
    socket
}

/// Asserts that the socket has no pending frames: the next frame is the answer to a message.
async fn assert_no_frames(socket: &mut Socket) {
    socket.send("hello now").await;
    assert_eq!(socket.text().await, "hello now to you");
}

#[tokio::test]
async fn open_steps_can_read_the_handshake() {
    let mockd = paused(ECHO).await;
    let url = format!("ws://{}/echo/a%20b?from=x", mockd.address());
    let mut socket = Socket::open_with(&url, &[("x-agent", "me"), ("cookie", "sid=7; other=8")]).await;
    let expected =
        json!({ "room": "a b", "from": "x", "agent": "me", "sid": "7", "url": "/echo/a%20b?from=x", "id": 1 });
    assert_eq!(socket.json().await, expected);
    // Undefined values are left out.
    assert_eq!(mockd.socket("/echo/c").await.json().await, json!({ "room": "c", "url": "/echo/c", "id": 2 }));
}

#[tokio::test]
async fn a_message_is_parsed_as_json_text_or_bytes() {
    let mockd = paused(ECHO).await;
    let mut socket = mockd.socket("/typed").await;
    for (message, got) in [
        (Message::text(r#"{"a":[1,null]}"#), json!({ "a": [1, null] })),
        (Message::text("7"), json!(7)),
        (Message::text("null"), json!(null)),
        (Message::text("hello"), json!("hello")),
        (Message::text(r#""quoted""#), json!("quoted")),
        (Message::text("{broken"), json!("{broken")),
        (Message::text(""), json!("")),
        (Message::binary(vec![0, 255]), json!({ "binary": "AP8=" })),
        (Message::binary(b"{}".to_vec()), json!({ "binary": "e30=" })),
    ] {
        socket.send(message.clone()).await;
        assert_eq!(socket.json().await, json!({ "got": got }), "{message:?}");
    }
}

#[tokio::test]
async fn a_reply_is_sent_as_json_text_or_bytes() {
    let mockd = paused(ECHO).await;
    let mut socket = echo(&mockd).await;
    for (value, frame) in [
        (json!(null), Message::text("null")),
        (json!(1.5), Message::text("1.5")),
        (json!([{ "a": 1 }]), Message::text(r#"[{"a":1}]"#)),
        (json!("text"), Message::text("text")),
        (json!({ "binary": "AP8=" }), Message::binary(vec![0, 255])),
        (json!({ "binary": 1 }), Message::text(r#"{"binary":1}"#)),
    ] {
        socket.send_json(json!({ "type": "echo", "value": value })).await;
        assert_eq!(socket.message().await, frame, "{value}");
    }
}

#[tokio::test]
async fn the_first_matching_rule_runs() {
    let mockd = paused(ECHO).await;
    let mut socket = echo(&mockd).await;
    for (message, answer) in [
        (r#"{"type":"say","text":"hi","tags":["a",{"deep":true,"more":1}]}"#, "tagged hi"),
        (r#"{"type":"say","text":"hi","tags":[{"deep":true},"a"]}"#, "untagged"),
        (r#"{"type":"say","n":4}"#, "untagged"),
        ("hello there", "hello there to you"),
        (r#"{"n":4}"#, r#"{"more":5}"#),
        (r#"{"n":4.5}"#, r#"{"more":5.5}"#),
    ] {
        socket.send(message).await;
        assert_eq!(socket.text().await, answer, "{message}");
    }
}

#[tokio::test]
async fn an_unmatched_message_is_journalled_with_the_nearest_rule() {
    let mockd = paused(ECHO).await;
    let mut socket = echo(&mockd).await;
    for message in [r#"{"type":"sya"}"#, "hell", r#"{"type":"who"}"#] {
        socket.send(message).await;
    }
    assert_eq!(socket.json().await, json!({ "id": 1 }));
    let received = mockd.get("/__mockd/journal?kind=received").await.json();
    let entries: Vec<Value> = received["entries"].as_array().unwrap().clone();
    let nearest = |entry: &Value| entry["nearest"].as_str().unwrap().to_owned();
    assert_eq!((&entries[0]["rule"], &entries[0]["body"]), (&Value::Null, &json!({ "type": "sya" })));
    assert_eq!(nearest(&entries[0]), r#"rule 2: msg.type is "sya" instead of "say""#);
    assert_eq!((&entries[1]["rule"], &entries[1]["text"]), (&Value::Null, &json!("hell")));
    assert_eq!(nearest(&entries[1]), r#"rule 3: msg is not the text "hello *""#);
    assert_eq!((&entries[2]["rule"], entries[2].get("nearest")), (&json!(6), None));
}

#[tokio::test]
async fn a_refused_rule_changes_and_sends_nothing() {
    let mut mockd = paused(ECHO).await;
    let mut socket = echo(&mockd).await;
    socket.send_json(json!({ "type": "name", "name": "ada" })).await;
    assert_eq!(socket.json().await, json!({ "name": "ada" }));
    socket.send_json(json!({ "type": "break" })).await;
    assert_no_frames(&mut socket).await;
    socket.send_json(json!({ "type": "who" })).await;
    assert_eq!(socket.json().await, json!({ "who": "ada", "id": 1 }));
    assert_eq!(mockd.get("/rows").await.json(), json!([{ "id": 1, "n": 0 }]));
    let received = mockd.get("/__mockd/journal?kind=received").await.json();
    let entry = &received["entries"][1];
    assert_eq!((&entry["rule"], &entry["refused"]), (&json!(7), &json!("Row 9 not found in rows")));
    mockd.logged("Row 9 not found in rows").await;
}

#[tokio::test]
async fn each_socket_has_its_own_data() {
    let mockd = paused(ECHO).await;
    let (mut ada, mut bob) = (echo(&mockd).await, echo(&mockd).await);
    for (socket, name) in [(&mut ada, "ada"), (&mut bob, "bob")] {
        socket.send_json(json!({ "type": "name", "name": name })).await;
        assert_eq!(socket.json().await, json!({ "name": name }));
    }
    for (socket, who) in [(&mut ada, json!({ "who": "ada", "id": 1 })), (&mut bob, json!({ "who": "bob", "id": 2 }))] {
        socket.send_json(json!({ "type": "who" })).await;
        assert_eq!(socket.json().await, who);
    }
}

#[tokio::test]
async fn a_rule_closes_with_a_code_and_a_reason() {
    let mockd = paused(ECHO).await;
    for (message, expected) in [
        (json!({ "type": "normal" }), (1000, String::new())),
        (json!({ "type": "bye", "why": "ada" }), (4000, "bye ada".to_owned())),
        (json!({ "type": "bye", "code": 1013 }), (1013, "bye ".to_owned())),
        // A reason is cut to at most 123 bytes, at a character boundary.
        (json!({ "type": "bye", "why": "ä".repeat(100) }), (4000, format!("bye {}", "ä".repeat(59)))),
    ] {
        let mut socket = echo(&mockd).await;
        socket.send_json(message.clone()).await;
        assert_eq!(socket.closed().await, expected, "{message}");
    }
    let mut socket = echo(&mockd).await;
    socket.send_json(json!({ "type": "bye", "code": 1005 })).await;
    assert_no_frames(&mut socket).await;
}

#[tokio::test]
async fn closed_steps_run_once_for_every_socket() {
    let mockd = paused(ECHO).await;
    let mut named = Vec::new();
    for name in ["closes", "disconnects", "is closed"] {
        let mut socket = echo(&mockd).await;
        socket.send_json(json!({ "type": "name", "name": name })).await;
        assert_eq!(socket.json().await, json!({ "name": name }));
        named.push(socket);
    }
    let gone = async |names: &[&str]| {
        let have_left = |rows: &Value| {
            let gone: Vec<&Value> = rows.as_array().unwrap().iter().filter_map(|row| row.get("gone")).collect();
            gone == names
        };
        mockd.until("/rows", have_left).await;
    };
    let mut last = named.pop().unwrap();
    drop(named.pop());
    gone(&["disconnects"]).await;
    named.remove(0).close().await;
    gone(&["disconnects", "closes"]).await;
    let closing = mockd.control("POST", "/__mockd/sockets/3/close", json!({ "code": 4001, "reason": "told to" }));
    let (answer, closed) = futures_util::future::join(closing, last.closed()).await;
    assert_eq!((answer, closed), (json!({ "closed": [3] }), (4001, "told to".to_owned())));
    gone(&["disconnects", "closes", "is closed"]).await;
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"], json!([]));
}

#[tokio::test]
async fn a_socket_closed_in_open_runs_no_further_steps() {
    let mockd = paused(
        "
data: { rows: [] }
http: { GET /rows: { body: $rows } }
websocket:
  /s:
    open:
      - { when: not query.token, close: { code: 1002, reason: no token } }
      - { add: { rows: { token: $query.token } } }
    messages: [{ match: { token: $conn.token }, reply: mine }, { match: { op: 3 }, do: [] }, { reply: other }]
",
    )
    .await;
    assert_eq!(mockd.socket("/s").await.closed().await, (1002, "no token".to_owned()));
    let mut socket = mockd.socket("/s?token=a").await;
    // An undefined value matches no message, and a rule without steps sends nothing.
    for message in [json!({ "op": 3 }), json!({ "token": null })] {
        socket.send_json(message).await;
    }
    assert_eq!(socket.text().await, "other");
    assert_eq!(mockd.get("/rows").await.json(), json!([{ "id": 1, "token": "a" }]));
}

#[tokio::test]
async fn a_text_rule_compares_the_message_as_it_was_sent() {
    let rules = r#"
      - { text: "3", reply: three }
      - { text: '{"op": "sub*', reply: $msg.op }
      - { text: "null", reply: nothing }
      - { text: hi, reply: greeting }
      - { text: "<*", reply: "{{ msg }}" }
"#;
    let mockd = paused(&format!("websocket:\n  /s:\n    messages: {rules}")).await;
    let mut socket = mockd.socket("/s").await;
    for (message, reply) in [
        ("3", "three"),
        (r#"{"op": "subscribe"}"#, "subscribe"),
        ("null", "nothing"),
        ("hi", "greeting"),
        // A message that is text in JSON is that text.
        (r#""hi""#, "greeting"),
        ("<b>", "<b>"),
    ] {
        socket.send(message).await;
        assert_eq!(socket.text().await, reply, "{message}");
    }
    for (message, nearest) in [
        ("3.0", r#"rule 1: the message as it was sent is not the text "3""#),
        (r#"{"op": "unsubscribe"}"#, r#"rule 2: the message as it was sent is not the text "{"op": "sub*""#),
        ("ho", r#"rule 4: msg is not the text "hi""#),
    ] {
        assert_eq!(nearest_of(&mockd, &mut socket, Message::text(message)).await, nearest, "{message}");
    }
    let binary = Message::binary(b"3".to_vec());
    let nearest = r#"rule 1: the message is binary, not the text "3""#;
    assert_eq!(nearest_of(&mockd, &mut socket, binary).await, nearest);
}

#[tokio::test]
async fn the_nearest_rule_names_the_lengths_of_lists() {
    let rules = r"
      - { match: { method: SUBSCRIBE, params: [x] }, reply: x }
      - { match: { method: SUBSCRIBE, params: [a] }, reply: a }
      - { match: { list: [{ ids: [] }] }, reply: list }
";
    let mockd = paused(&format!("websocket:\n  /s:\n    messages: {rules}")).await;
    let mut socket = mockd.socket("/s").await;
    for (message, nearest) in [
        (json!({ "method": "SUBSCRIBE", "params": ["a", "b", "c"] }), "rule 2: msg.params has 3 items instead of 1"),
        (json!({ "method": "SUBSCRIBE", "params": ["b"] }), r#"rule 1: msg.params[0] is "b" instead of "x""#),
        (json!({ "method": "SUBSCRIBE", "params": "a" }), r#"rule 1: msg.params is "a" instead of ["x"]"#),
        (json!({ "list": [{ "ids": [1] }] }), "rule 3: msg.list[0].ids has 1 item instead of 0"),
    ] {
        assert_eq!(nearest_of(&mockd, &mut socket, Message::text(message.to_string())).await, nearest, "{message}");
    }
}

/// Sends a message that no rule matches, and returns the nearest rule from the journal.
async fn nearest_of(mockd: &Mockd, socket: &mut Socket, message: Message) -> String {
    socket.send(message).await;
    // The pong follows whatever the message causes.
    socket.send(Message::Ping(Vec::new().into())).await;
    assert_eq!(socket.message().await, Message::Pong(Vec::new().into()));
    let received = mockd.get("/__mockd/journal?kind=received").await.json();
    let last = received["entries"].as_array().and_then(|entries| entries.last());
    last.and_then(|entry| entry["nearest"].as_str()).unwrap_or_default().to_owned()
}
