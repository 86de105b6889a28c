//! Socket.IO over HTTP long-polling, and the upgrade to WebSocket.

use std::collections::VecDeque;

use futures_util::future::join;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Answer, Connection, Mockd, ScenarioFile, Socket, http};

const CHAT: &str = "
data: { notes: [{ id: 1, text: one }] }
http:
  /notes: { crud: notes }
websocket:
  /socket.io:
    protocol: socket.io
    handshake: [{ when: query.token == 'old', status: 401, body: { error: expired } }]
    open: [{ join: { to: notes, frame: { event: note, args: [$event.row.text] } } }]
    messages:
      - { match: { event: echo }, reply: { event: echo, args: $msg.args } }
      - { match: { event: ask }, reply: { ack: [sure, $query.room] } }
      - { match: { event: bye }, do: [{ reply: { event: last } }, { close: 4401 }] }
      - { match: { event: out }, do: [{ reply: { event: last } }, { close: {} }] }
";

/// The answer to a poll of a session that is over or never existed.
const UNKNOWN: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

/// The headers of a WebSocket handshake.
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Starts the chat with a paused clock.
async fn chat() -> Mockd {
    Mockd::run_with(ScenarioFile::new(CHAT).path(), &["--paused"]).await
}

/// A polling client.
struct PollingClient<'m> {
    mockd: &'m Mockd,
    sid: String,
    /// The received packets that the test has not read.
    packets: VecDeque<String>,
}

impl<'m> PollingClient<'m> {
    async fn open(mockd: &'m Mockd) -> Self {
        let answer = mockd.get("/socket.io/?EIO=4&transport=polling&room=7&t=abc").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let handshake: Value = serde_json::from_str(answer.text.strip_prefix('0').unwrap()).unwrap();
        Self { mockd, sid: handshake["sid"].as_str().unwrap().to_owned(), packets: VecDeque::new() }
    }

    /// Opens a session and connects to the main namespace.
    async fn connected(mockd: &'m Mockd) -> Self {
        let mut client = Self::open(mockd).await;
        client.post("40").await;
        let packet = client.packet().await;
        assert!(packet.starts_with(r#"40{"sid":""#), "{packet}");
        client
    }

    /// Returns the path of the session's requests over a transport.
    fn path(&self, transport: &str) -> String {
        format!("/socket.io/?EIO=4&transport={transport}&sid={}", self.sid)
    }

    async fn get(&self) -> Answer {
        self.mockd.get(&self.path("polling")).await
    }

    /// Polls, and returns the payload.
    async fn poll(&self) -> String {
        let answer = self.get().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    /// Returns the next packet.
    async fn packet(&mut self) -> String {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return packet;
            }
            let payload = self.poll().await;
            self.packets.extend(payload.split('\u{1e}').map(str::to_owned));
        }
    }

    async fn send(&self, payload: &str) -> Answer {
        let url = format!("{}{}", self.mockd.url(), self.path("polling"));
        http("POST", &url, &[("content-type", "text/plain;charset=UTF-8")], Some(payload)).await
    }

    async fn post(&self, payload: &str) {
        let answer = self.send(payload).await;
        assert_eq!((answer.status, &*answer.text), (200, "ok"), "{payload}");
    }

    /// Starts a poll on a separate connection, and waits until mockd has received it.
    async fn start_poll(&self) -> Connection {
        let mut connection = Connection::open(self.mockd).await;
        let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", self.path("polling"));
        connection.send(request.as_bytes()).await.unwrap();
        let is_pending = |journal: &Value| {
            let last = journal["entries"].as_array().unwrap().last();
            last.is_some_and(|last| last["query"].as_str().unwrap().contains(&self.sid) && last["answer"].is_null())
        };
        self.mockd.until("/__mockd/journal?kind=request&method=GET", is_pending).await;
        connection
    }

    /// Opens a WebSocket for the session, and sends the probe of an upgrade.
    async fn probed(&self) -> Socket {
        let mut socket = Socket::open(&format!("ws://{}{}", self.mockd.address(), self.path("websocket"))).await;
        socket.send("2probe").await;
        assert_eq!(socket.text().await, "3probe");
        socket
    }

    /// Asserts that the session has ended.
    async fn assert_ended(&self) {
        for answer in [self.get().await, self.send("3").await] {
            assert_eq!((answer.status, answer.json()), (400, json!({ "code": 1, "message": "Session ID unknown" })));
        }
    }
}

async fn add(mockd: &Mockd, text: &str) {
    assert_eq!(mockd.send("POST", "/notes", Some(&json!({ "text": text }))).await.status, 201);
}

/// Returns the open sockets.
async fn sockets(mockd: &Mockd) -> Vec<Value> {
    mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().clone()
}

/// Returns the open sockets, once `sent` frames are written to the first.
async fn sockets_after(mockd: &Mockd, sent: u64) -> Vec<Value> {
    let list = mockd.until("/__mockd/sockets", |list| list["sockets"][0]["sent"] == sent).await;
    list["sockets"].as_array().unwrap().clone()
}

/// Waits until the journal has the end of the only socket, and returns which side ended it.
async fn ended_by(mockd: &Mockd) -> Value {
    let journal = mockd.until("/__mockd/journal?kind=closed", |journal| journal["entries"] != json!([])).await;
    journal["entries"][0]["by"].clone()
}

#[tokio::test]
async fn a_session_opens_with_its_parameters() {
    let mockd = chat().await;
    let url = format!("{}/socket.io/?EIO=4&transport=polling", mockd.url());
    let answer = http("GET", &url, &[("origin", "http://localhost:5173")], None).await;
    let handshake: Value = serde_json::from_str(answer.text.strip_prefix('0').unwrap()).unwrap();
    let expected = json!({ "sid": "default-0-1", "upgrades": ["websocket"], "pingInterval": 25_000,
        "pingTimeout": 86_400_000, "maxPayload": 65_536 });
    assert_eq!((answer.status, handshake), (200, expected));
    assert_eq!(answer.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5173");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    let list = sockets_after(&mockd, 1).await;
    assert_eq!((list.len(), &list[0]["path"]), (1, &json!("/socket.io/")));
}

#[tokio::test]
async fn the_handshake_announces_the_smaller_message_limit() {
    for (flag, limit) in [("--max-message", 5000), ("--max-body", 2000)] {
        let mockd = Mockd::run_with(ScenarioFile::new(CHAT).path(), &["--paused", flag, &limit.to_string()]).await;
        let polled = mockd.get("/socket.io/?EIO=4&transport=polling").await.text;
        let mut socket = Socket::open(&format!("ws://{}/socket.io/?EIO=4&transport=websocket", mockd.address())).await;
        for opened in [polled, socket.text().await] {
            let handshake: Value = serde_json::from_str(opened.strip_prefix('0').unwrap()).unwrap();
            assert_eq!(handshake["maxPayload"], limit, "{flag}");
        }
        let echo = |length: usize| format!("42[\"echo\",\"{}\"]", "x".repeat(length - 13));
        let mut client = PollingClient::connected(&mockd).await;
        client.post(&echo(limit)).await;
        assert_eq!(client.packet().await, echo(limit));
        assert_eq!(client.send(&echo(limit + 1)).await.status, 400, "{flag}");
        client.assert_ended().await;
        socket.send("40").await;
        socket.text().await;
        socket.send(echo(limit)).await;
        assert_eq!(socket.text().await, echo(limit));
    }
}

#[tokio::test]
async fn a_poll_waits_for_the_next_packet() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    let (packet, ()) = join(client.packet(), add(&mockd, "two")).await;
    assert_eq!(packet, r#"42["note","two"]"#);
    for text in ["three", "four"] {
        add(&mockd, text).await;
    }
    assert_eq!(client.packet().await, r#"42["note","three"]"#);
    assert_eq!(client.packet().await, r#"42["note","four"]"#);
    let list = sockets_after(&mockd, 5).await;
    assert_eq!((list.len(), &list[0]["received"]), (1, &json!(1)));
}

#[tokio::test]
async fn the_packets_of_a_post_are_handled_in_order() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    client.post("42[\"echo\",1]\u{1e}427[\"ask\"]\u{1e}3\u{1e}42[\"echo\",{\"a\":\"\\u001e\"}]").await;
    for expected in [r#"42["echo",1]"#, r#"437["sure","7"]"#, r#"42["echo",{"a":"\u001e"}]"#] {
        assert_eq!(client.packet().await, expected);
    }
}

#[tokio::test]
async fn binary_data_is_base64_in_both_directions() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    let placeholder = r#"451-["echo",{"_placeholder":true,"num":0}]"#;
    client.post(&format!("{placeholder}\u{1e}bAQIDBA==")).await;
    assert_eq!(client.packet().await, placeholder);
    assert_eq!(client.packet().await, "bAQIDBA==");
}

#[tokio::test]
async fn pings_follow_the_worlds_clock() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    // Several overdue pings are sent as one.
    for advance in ["1m", "25s"] {
        mockd.advance("", advance).await;
        assert_eq!(client.packet().await, "2");
        client.post("3").await;
    }
}

#[tokio::test]
async fn polled_messages_are_journalled_as_socket_messages() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    client.post(r#"42["echo",1]"#).await;
    assert_eq!(client.packet().await, r#"42["echo",1]"#);
    let entries = async |kind: &str| {
        let journal = mockd.get(&format!("/__mockd/journal?socket=1&kind={kind}")).await.json();
        journal["entries"].as_array().unwrap().clone()
    };
    let (received, sent) = (entries("received").await, entries("sent").await);
    // Packets of the protocol itself are not messages.
    let message = json!({ "namespace": "/", "event": "echo", "args": [1], "ack": null });
    assert_eq!((&received[0]["body"], &received[0]["rule"]), (&message, &json!(1)));
    assert_eq!((received.len(), sent.len(), &sent[2]["text"]), (1, 3, &json!(r#"42["echo",1]"#)));
    let requests = mockd.get("/__mockd/journal?kind=request&route=/socket.io").await.json();
    let methods: Vec<&Value> = requests["entries"].as_array().unwrap().iter().map(|one| &one["method"]).collect();
    assert_eq!(methods, ["GET", "POST", "GET", "POST", "GET"]);
    assert_eq!(requests["entries"][3]["answer"], json!({ "status": 200, "text": "ok" }));
    assert_eq!(entries("opened").await[0]["path"], "/socket.io/");
}

#[tokio::test]
async fn a_refused_client_gets_the_endpoints_answer() {
    let mockd = chat().await;
    let refused = mockd.get("/socket.io/?EIO=4&transport=polling&token=old").await;
    assert_eq!((refused.status, refused.json()), (401, json!({ "error": "expired" })));
    assert_eq!(sockets(&mockd).await.len(), 0);
    let journal = mockd.get("/__mockd/journal?kind=request").await.json();
    assert_eq!(
        (&journal["entries"][0]["route"], &journal["entries"][0]["answer"]["number"]),
        (&json!("/socket.io"), &json!(1))
    );
}

#[tokio::test]
async fn concurrent_polls_end_the_session() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let (one, other) = join(client.get(), client.get()).await;
    let (answered, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!((answered.status, &*answered.text), (200, "1"));
    assert_eq!((refused.status, refused.json()), (400, json!({ "code": 3, "message": "Bad request" })));
    client.assert_ended().await;
    assert_eq!(ended_by(&mockd).await, "client");
}

#[tokio::test]
async fn a_poll_whose_client_leaves_ends_the_session() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    drop(client.start_poll().await);
    assert_eq!(ended_by(&mockd).await, "client");
    client.assert_ended().await;
}

#[tokio::test]
async fn closing_the_session_answers_the_pending_poll() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let mut poll = client.start_poll().await;
    client.post("1").await;
    assert_eq!(poll.answer().await.unwrap().1, "6");
    client.assert_ended().await;
    assert_eq!(ended_by(&mockd).await, "client");
}

#[tokio::test]
async fn after_the_last_packets_a_poll_reports_the_close_by_a_rule() {
    for (event, last) in [("bye", r#"42["last"]"#), ("out", "42[\"last\"]\u{1e}41")] {
        for is_waiting in [false, true] {
            let mockd = chat().await;
            let client = PollingClient::connected(&mockd).await;
            let mut payloads = Vec::new();
            let packet = format!(r#"42["{event}"]"#);
            if is_waiting {
                let mut poll = client.start_poll().await;
                client.post(&packet).await;
                payloads.push(poll.answer().await.unwrap().1);
            } else {
                client.post(&packet).await;
            }
            while payloads.last().is_none_or(|payload| payload != "1") {
                payloads.push(client.poll().await);
            }
            payloads.pop();
            assert_eq!(payloads.join("\u{1e}"), last);
            client.assert_ended().await;
            assert_eq!(ended_by(&mockd).await, "server");
        }
    }
}

#[tokio::test]
async fn a_close_that_asks_to_reconnect_forgets_the_session() {
    for (code, expected) in [(1000, "1"), (1001, UNKNOWN), (1011, "1"), (1012, UNKNOWN), (1013, UNKNOWN), (4000, "1")] {
        let mockd = chat().await;
        let client = PollingClient::connected(&mockd).await;
        let mut poll = client.start_poll().await;
        mockd.control("POST", "/__mockd/sockets/close", json!({ "code": code })).await;
        let (head, body) = poll.answer().await.unwrap();
        let status = if expected == UNKNOWN { "HTTP/1.1 400" } else { "HTTP/1.1 200" };
        assert!(head.starts_with(status) && body == expected, "{code}: {head}{body}");
        client.assert_ended().await;
    }
}

#[tokio::test]
async fn a_reset_of_the_world_ends_the_poll() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let mut poll = client.start_poll().await;
    mockd.control("POST", "/__mockd/reset", Value::Null).await;
    assert_eq!(poll.answer().await.unwrap().1, UNKNOWN);
    client.assert_ended().await;
    assert_eq!(PollingClient::open(&mockd).await.sid, "default-1-2");
}

#[cfg(unix)]
#[tokio::test]
async fn shutdown_ends_polls() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let mut poll = client.start_poll().await;
    mockd.signal("TERM");
    assert_eq!(poll.answer().await.unwrap().1, UNKNOWN);
    drop(client);
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn shutdown_ends_a_frozen_session() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    mockd.control("POST", "/__mockd/faults", json!({ "on": "websocket", "freeze": true })).await;
    let mut poll = client.start_poll().await;
    add(&mockd, "two").await;
    mockd.signal("TERM");
    assert_eq!(poll.answer().await.unwrap().1, UNKNOWN);
    drop(client);
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn http_faults_hit_polls_but_not_the_session() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    mockd.control("POST", "/__mockd/faults", json!({ "on": "http", "method": "GET", "status": 503 })).await;
    client.post(r#"42["echo",1]"#).await;
    assert_eq!(client.get().await.status, 503);
    mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
    assert_eq!(client.packet().await, r#"42["echo",1]"#);
}

#[tokio::test]
async fn a_socket_reset_fault_resets_the_poll() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let mut poll = client.start_poll().await;
    mockd.control("POST", "/__mockd/faults", json!({ "on": "websocket", "reset": true })).await;
    assert_eq!(poll.answer().await, None);
    client.assert_ended().await;
    assert_eq!(ended_by(&mockd).await, "server");
}

#[tokio::test]
async fn a_client_that_does_not_poll_is_disconnected() {
    const BURST: usize = 500;
    let long = "x".repeat(4_000);
    let chat = format!(
        "
data: {{ long: {long} }}
http:
  POST /burst: {{ do: [{{ each: '{{{{ range({BURST}) }}}}', send: {{ to: news, frame: {{ event: e, args: [$long] }} }} }}] }}
websocket:
  /socket.io: {{ protocol: socket.io, open: [{{ join: news }}] }}
"
    );
    let mockd = Mockd::run(&ScenarioFile::new(&chat)).await;
    let client = PollingClient::connected(&mockd).await;
    let mut bursts = 0;
    while !sockets(&mockd).await.is_empty() {
        assert!(bursts < 100, "a session without polls stays open");
        assert_eq!(mockd.send("POST", "/burst", None).await.status, 204);
        bursts += 1;
    }
    let behind = mockd.get("/__mockd/journal?kind=behind").await.json();
    assert_eq!(behind["entries"][0]["socket"], 1);
    // The packets that fit into the buffer are delivered complete.
    let payload = client.poll().await;
    assert!(payload.split('\u{1e}').all(|event| event == format!("42[\"e\",\"{long}\"]")));
    client.assert_ended().await;
}

#[tokio::test]
async fn a_socket_takes_over_after_its_probe() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let mut poll = client.start_poll().await;
    let mut socket = client.probed().await;
    assert_eq!(poll.answer().await.unwrap().1, "6");
    socket.send("5").await;
    socket.send(r#"42["echo",1]"#).await;
    assert_eq!(socket.text().await, r#"42["echo",1]"#);
    add(&mockd, "two").await;
    assert_eq!(socket.text().await, r#"42["note","two"]"#);
    assert_eq!((client.get().await.status, client.send("3").await.status), (400, 400));
    let list = sockets(&mockd).await;
    assert_eq!((list.len(), &list[0]["socket"], &list[0]["received"]), (1, &json!(1), &json!(2)));
    socket.send(r#"42["bye"]"#).await;
    assert_eq!(socket.text().await, r#"42["last"]"#);
    assert_eq!(socket.close_code().await, 4401);
}

#[tokio::test]
async fn unpolled_packets_are_sent_on_the_socket() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let placeholder = r#"451-["echo",{"_placeholder":true,"num":0}]"#;
    client.post(&format!("42[\"echo\",1]\u{1e}{placeholder}\u{1e}bAQIDBA==")).await;
    let mut socket = client.probed().await;
    add(&mockd, "two").await;
    socket.send("5").await;
    assert_eq!(socket.texts(2).await, [r#"42["echo",1]"#, placeholder]);
    assert_eq!(socket.message().await, Message::binary(vec![1, 2, 3, 4]));
    assert_eq!(socket.text().await, r#"42["note","two"]"#);
}

#[tokio::test]
async fn an_incomplete_upgrade_keeps_the_client_polling() {
    let mockd = chat().await;
    let mut client = PollingClient::connected(&mockd).await;
    let mut socket = client.probed().await;
    let url = format!("{}{}", mockd.url(), client.path("websocket"));
    let second = http("GET", &url, &HANDSHAKE, None).await;
    assert_eq!((second.status, second.json()), (400, json!({ "code": 3, "message": "Bad request" })));
    socket.send(r#"42["echo",1]"#).await;
    assert_eq!(socket.close_code().await, 1005);
    add(&mockd, "two").await;
    assert_eq!(client.packet().await, r#"42["note","two"]"#);
    let mut another = client.probed().await;
    another.send("5").await;
    another.send(r#"42["echo",2]"#).await;
    assert_eq!(another.text().await, r#"42["echo",2]"#);
}

#[tokio::test]
async fn a_probing_socket_closes_with_its_session() {
    let mockd = chat().await;
    let client = PollingClient::connected(&mockd).await;
    let mut socket = client.probed().await;
    client.post("1").await;
    assert_eq!(socket.close_code().await, 1005);
    client.assert_ended().await;
}

#[tokio::test]
async fn a_socket_without_polling_must_follow_the_protocol() {
    let mockd = chat().await;
    let url = |query: &str| format!("{}/socket.io/?{query}", mockd.url());
    for (query, code, message) in [
        ("transport=websocket", 5, "Unsupported protocol version"),
        ("EIO=3&transport=websocket", 5, "Unsupported protocol version"),
        ("EIO=4", 0, "Transport unknown"),
        ("EIO=4&transport=polling", 3, "Bad request"),
        ("EIO=4&transport=websocket&sid=default-0-1", 1, "Session ID unknown"),
    ] {
        let answer = http("GET", &url(query), &HANDSHAKE, None).await;
        assert_eq!((answer.status, answer.json()), (400, json!({ "code": code, "message": message })), "{query}");
    }
    let refused = http("GET", &url("EIO=4&transport=websocket&token=old"), &HANDSHAKE, None).await;
    assert_eq!(refused.status, 401);
    let mut socket =
        Socket::open(&format!("ws://{}/socket.io/?EIO=4&transport=websocket&room=7&t=x", mockd.address())).await;
    let opened = socket.text().await;
    assert!(opened.starts_with("0{") && opened.contains(r#""upgrades":[]"#), "{opened}");
    socket.send("40").await;
    assert!(socket.text().await.starts_with("40{"));
    socket.send(r#"420["ask"]"#).await;
    assert_eq!(socket.text().await, r#"430["sure","7"]"#);
}

#[tokio::test]
async fn socket_faults_refuse_handshakes_of_endpoints() {
    let mockd = chat().await;
    mockd.control("POST", "/__mockd/faults", json!({ "on": "websocket", "status": 503 })).await;
    let url = format!("{}/socket.io/?EIO=4&transport=websocket", mockd.url());
    assert_eq!(http("GET", &url, &HANDSHAKE, None).await.status, 503);
    assert_eq!(mockd.get("/socket.io/?EIO=4&transport=polling").await.status, 503);
}

#[tokio::test]
async fn a_storm_refuses_polling_sessions() {
    let mockd = chat().await;
    mockd.control("POST", "/__mockd/faults", json!({ "on": "websocket", "storm": "5s" })).await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let answer = mockd.get(path).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    mockd.advance("", "5s").await;
    assert_eq!(mockd.get(path).await.status, 200);
}
