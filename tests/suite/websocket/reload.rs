//! A saved scenario applies to open sockets, and closes none.

use serde_json::{Value, json};

use super::advance;
use crate::support::{EventStream, Mockd, ScenarioFile, Socket};

const LIVE: &str = r#"
data: { price: 10 }
http:
  POST /news: { send: { to: news, frame: $body } }
websocket:
  /live:
    open:
      - { reply: "one {{ price }}" }
      - { join: { to: news, frame: { old: $event } } }
    messages:
      - { match: { do: name }, set: { conn.name: $msg.name } }
      - { match: { do: who }, reply: { name: $conn.name, topics: $conn.topics } }
      - { match: { do: stay }, do: [{ after: 3s, reply: stayed }] }
      - { match: { do: change }, do: [{ after: 3s, reply: before }] }
      - { match: { do: beat }, join: { to: beats, do: [{ after: 1s, times: forever, every: 1s, reply: beat }] } }
  /other: { messages: [{ reply: other }] }
"#;

async fn run(file: &ScenarioFile) -> Mockd {
    Mockd::run_with(file.path(), &["--paused"]).await
}

/// Saves a text, and returns the changes in the log.
async fn save(mockd: &mut Mockd, file: &ScenarioFile, text: &str) -> String {
    file.write_in_place(text);
    let message = mockd.logged("reloaded").await;
    message.split_once("ms: ").unwrap_or_else(|| panic!("{message}")).1.to_owned()
}

/// Asks a socket's rules for its name and topics. Panics if another frame comes before the answer.
async fn who(socket: &mut Socket) -> Value {
    socket.send_json(json!({ "do": "who" })).await;
    socket.json().await
}

async fn ada(mockd: &Mockd) -> Socket {
    let mut socket = mockd.socket("/live").await;
    assert_eq!(socket.text().await, "one 10");
    socket.send_json(json!({ "do": "name", "name": "ada" })).await;
    assert_eq!(who(&mut socket).await, json!({ "name": "ada", "topics": ["news"] }));
    socket
}

async fn post_news(mockd: &Mockd, body: Value) {
    assert_eq!(mockd.send("POST", "/news", Some(&body)).await.status, 204);
}

#[tokio::test]
async fn sockets_keep_data_and_memberships_and_get_new_rules() {
    let file = ScenarioFile::new(LIVE);
    let mut mockd = run(&file).await;
    let mut socket = ada(&mockd).await;
    let new = LIVE
        .replace("one {{ price }}", "two {{ price }}")
        .replace("{ old: $event }", "{ new: $event }")
        .replace("price: 10", "price: 20")
        .replace(
            "    messages:\n      - { match: { do: name }",
            "    messages:\n      - { text: hi, reply: ho }\n      - { match: { do: name }",
        );
    save(&mut mockd, &file, &new).await;
    socket.send("hi").await;
    assert_eq!(socket.text().await, "ho");
    assert_eq!(who(&mut socket).await, json!({ "name": "ada", "topics": ["news"] }));
    let mut later = mockd.socket("/live").await;
    assert_eq!(later.text().await, "two 20");
    // Existing memberships keep their frames.
    post_news(&mockd, json!(1)).await;
    assert_eq!((socket.json().await, later.json().await), (json!({ "old": 1 }), json!({ "new": 1 })));
}

#[tokio::test]
async fn scheduled_steps_continue_if_their_source_is_unchanged() {
    let file = ScenarioFile::new(LIVE);
    let mut mockd = run(&file).await;
    let mut socket = ada(&mockd).await;
    for step in ["stay", "change", "beat"] {
        socket.send_json(json!({ "do": step })).await;
    }
    assert_eq!(who(&mut socket).await["topics"], json!(["beats", "news"]));
    advance(&mockd, "1s").await;
    assert_eq!(socket.text().await, "beat");
    save(&mut mockd, &file, &LIVE.replace("reply: before", "reply: after")).await;
    advance(&mockd, "2s").await;
    let mut seen = socket.texts(3).await;
    seen.sort_unstable();
    assert_eq!(seen, ["beat", "beat", "stayed"]);
    socket.send_json(json!({ "do": "change" })).await;
    assert_eq!(who(&mut socket).await["name"], "ada");
    advance(&mockd, "3s").await;
    assert_eq!(socket.texts(4).await.iter().filter(|text| *text == "after").count(), 1);
}

#[tokio::test]
async fn new_rules_can_read_the_handshake_of_open_sockets() {
    const ROOMS: &str = "
websocket:
  '/p/{room}':
    closed: [{ add: { gone: { id: ID } } }]
    messages: [{ reply: REPLY }]
data: { gone: [] }
http: { /gone: { crud: gone } }
";
    let file = ScenarioFile::new(&ROOMS.replace("REPLY", "{ now: $conn.id }").replace("ID", "$conn.id"));
    let mut mockd = run(&file).await;
    let url = format!("ws://{}/p/lobby?user=ada", mockd.address());
    let mut socket = Socket::open_with(&url, &[("cookie", "sid=7; theme=dark"), ("x-app", "notes")]).await;
    socket.send("?").await;
    assert_eq!(socket.json().await, json!({ "now": 1 }));
    for (reply, expected) in [
        ("{ room: $path.room, user: $query.user }", json!({ "room": "lobby", "user": "ada" })),
        ("{ app: $headers.x-app, theme: $cookies.theme }", json!({ "app": "notes", "theme": "dark" })),
        ("{ url: $url, room: $path.room }", json!({ "url": "/p/lobby?user=ada", "room": "lobby" })),
    ] {
        let new = ROOMS.replace("REPLY", reply).replace("ID", "$path.room");
        save(&mut mockd, &file, &new).await;
        socket.send("?").await;
        assert_eq!(socket.json().await, expected, "{reply}");
    }
    socket.close().await;
    mockd.until("/gone", |gone| *gone == json!([{ "id": "lobby" }])).await;
}

#[tokio::test]
async fn a_removed_endpoint_closes_its_sockets() {
    let file = ScenarioFile::new(LIVE);
    let mut mockd = run(&file).await;
    let mut socket = ada(&mockd).await;
    let (before, _) = LIVE.split_once("websocket:").unwrap();
    let without = format!("{before}websocket: {{ /other: {{ open: [{{ reply: here }}] }} }}\n");
    let changes = save(&mut mockd, &file, &without).await;
    assert_eq!(changes, "websocket /other changed, websocket /live removed");
    assert_eq!(mockd.socket("/other").await.text().await, "here");
    assert_eq!(socket.close_code().await, 1001);
    save(&mut mockd, &file, LIVE).await;
    let mut again = ada(&mockd).await;
    post_news(&mockd, json!(1)).await;
    assert_eq!(again.json().await, json!({ "old": 1 }));
}

#[tokio::test]
async fn a_broken_file_changes_nothing_for_sockets() {
    let file = ScenarioFile::new(LIVE);
    let mut mockd = run(&file).await;
    let mut socket = ada(&mockd).await;
    file.write_in_place(&LIVE.replace("reply: other", "reply: $nobody"));
    mockd.logged("nobody").await;
    assert_eq!(who(&mut socket).await, json!({ "name": "ada", "topics": ["news"] }));
    let mut other = mockd.socket("/other").await;
    other.send("?").await;
    assert_eq!(other.text().await, "other");
}

#[tokio::test]
async fn a_reload_can_make_a_rule_send_to_all_sockets() {
    let file = ScenarioFile::new(LIVE);
    let mut mockd = run(&file).await;
    let (mut one, mut two) = (mockd.socket("/other").await, mockd.socket("/other").await);
    one.send("?").await;
    assert_eq!(one.text().await, "other");
    save(&mut mockd, &file, &LIVE.replace("{ reply: other }", "{ send: { frame: all } }")).await;
    one.send("?").await;
    assert_eq!((one.text().await, two.text().await), ("all".to_owned(), "all".to_owned()));
}

#[tokio::test]
async fn a_waiting_step_goes_on_when_another_is_edited() {
    let scenario = "
http:
  GET /events: { stream: [{ reply: one }, { after: 5s, reply: two }] }
websocket:
  /s: { open: [{ after: 1s, reply: a }, { after: 1s, reply: b }, { after: 1s, reply: c }] }
";
    let file = ScenarioFile::new(scenario);
    let mut mockd = run(&file).await;
    let mut socket = mockd.socket("/s").await;
    let mut stream = EventStream::open(&mockd, "/events").await;
    assert_eq!(stream.event().await.unwrap(), "data: one");
    advance(&mockd, "1s").await;
    assert_eq!(socket.text().await, "a");
    file.write_in_place(&scenario.replace("reply: b", "reply: B").replace("reply: two", "reply: three"));
    let logged = mockd.logged("reloaded").await;
    let ended = ["GET /events: 1 waiting step ended", "websocket /s: 1 waiting step ended"];
    assert!(ended.iter().all(|change| logged.contains(change)), "{logged}");
    // The stream has nothing left to wait for.
    assert_eq!(stream.rest().await, [""; 0]);
    advance(&mockd, "1s").await;
    advance(&mockd, "1s").await;
    assert_eq!(socket.text().await, "c");
}
