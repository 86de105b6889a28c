//! Handshakes: paths of endpoints, refusals, and subprotocols.

use std::time::Duration;

use serde_json::json;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::paused;
use crate::support::{Answer, Connection, Mockd, ScenarioFile, Socket, http, poll};

const ROOMS: &str = r#"
data: { tokens: [{ id: t1, user: ada }] }
http:
  GET /rooms/{room}: { body: { room: $path.room } }
  GET /plain: { text: plain }
  POST /posted: { text: posted }
websocket:
  /rooms/{room}:
    handshake:
      - when: not query.token
        status: 401
        headers: { www-authenticate: Bearer }
        body: { error: "a token for {{ path.room }}" }
      - { when: not (tokens | find(query.token)), status: "{{ 400 + 4 }}", text: nobody }
      - { match: { headers: { origin: "http://evil.example" } } }
    open: [{ reply: "{{ (tokens | find(query.token)).user }} in {{ path.room }}" }]
  /versions: { subprotocol: [chat.v2, chat.v1], open: [{ reply: $headers.sec-websocket-protocol }] }
  /any: { open: [{ reply: any }] }
  /posted: { open: [{ reply: posted }] }
  /files/{*rest}: { open: [{ reply: $path.rest }] }
"#;

/// Sends a handshake with additional headers, and returns its answer. The key is the example in RFC 6455, section 1.3.
async fn handshake(mockd: &Mockd, path: &str, more: &[(&str, &str)]) -> Answer {
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    http("GET", &format!("{}{path}", mockd.url()), &[&headers[..], more].concat(), None).await
}

async fn refused(mockd: &Mockd, path: &str) -> (u16, String) {
    let answer = handshake(mockd, path, &[]).await;
    (answer.status, answer.json()["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_headers_of_a_handshake_are_spelt_as_in_rfc_6455() {
    let mockd = paused(ROOMS).await;
    let mut connection = Connection::open(&mockd).await;
    let host = format!("host: {}", mockd.address());
    let head = [
        "GET /versions HTTP/1.1",
        host.as_str(),
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-protocol: chat.v1",
        "\r\n",
    ];
    connection.send(head.join("\r\n").as_bytes()).await.unwrap();
    let answer = connection.head().await.unwrap();
    for line in [
        "Connection: upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Protocol: chat.v1",
    ] {
        assert!(answer.lines().any(|one| one == line), "{line} in {answer}");
    }
}

#[tokio::test]
async fn the_first_matching_answer_refuses_a_handshake() {
    let mockd = paused(ROOMS).await;
    let answer = handshake(&mockd, "/rooms/lobby", &[]).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(answer.json(), json!({ "error": "a token for lobby" }));
    let answer = handshake(&mockd, "/rooms/lobby?token=x", &[]).await;
    assert_eq!((answer.status, answer.text.as_str()), (404, "nobody"));
    let evil = [("origin", "http://evil.example")];
    let answer = handshake(&mockd, "/rooms/lobby?token=t1", &evil).await;
    assert_eq!((answer.status, answer.text.as_str()), (403, ""));
    // No refused handshake opened a socket.
    assert_eq!(mockd.get("/__mockd/journal?kind=opened").await.json()["entries"], json!([]));
    assert_eq!(mockd.socket("/rooms/lobby?token=t1").await.text().await, "ada in lobby");
}

#[tokio::test]
async fn path_parameters_are_decoded() {
    let mockd = paused(ROOMS).await;
    for (path, text) in [
        ("/rooms/lo%2Fbby?token=t1", "ada in lo/bby"),
        ("/rooms/%C3%A4%20b?token=t1", "ada in ä b"),
        ("/files/a/b%20c", "a/b c"),
        ("/any/", "any"),
    ] {
        assert_eq!(mockd.socket(path).await.text().await, text, "{path}");
    }
    let opened = mockd.get("/__mockd/journal?kind=opened").await.json();
    assert_eq!(opened["entries"][2]["path"], "/files/a/b c");
}

#[tokio::test]
async fn an_unknown_path_suggests_the_nearest_endpoint() {
    let mockd = paused(ROOMS).await;
    for (path, message) in [
        ("/room/lobby", "/room/lobby is not a WebSocket endpoint; the nearest is /rooms/{room}"),
        ("/rooms/lobby/x", "/rooms/lobby/x is not a WebSocket endpoint; the nearest is /rooms/{room}"),
        ("/version", "/version is not a WebSocket endpoint; the nearest is /versions"),
        ("/something-else", "/something-else is not a WebSocket endpoint"),
    ] {
        assert_eq!(refused(&mockd, path).await, (404, message.to_owned()));
    }
    // The path has an HTTP route, but no endpoint.
    assert_eq!(refused(&mockd, "/plain").await, (400, "/plain is not a WebSocket endpoint".to_owned()));
}

#[tokio::test]
async fn a_request_without_upgrade_gets_426_or_its_route() {
    let mut mockd = paused(ROOMS).await;
    for method in ["GET", "POST"] {
        let answer = mockd.send(method, "/any", None).await;
        assert_eq!((answer.status, answer.header("upgrade")), (426, "websocket"), "{method}");
        assert_eq!(answer.json()["message"], "This path speaks WebSocket, connect with ws://");
    }
    assert_eq!(mockd.get("/rooms/lobby").await.json(), json!({ "room": "lobby" }));
    assert_eq!(mockd.get("/plain").await.text, "plain");
    // The answer and the log name the methods that have a route.
    let of_both = "This path speaks WebSocket, connect with ws://; over HTTP, it has GET and HEAD";
    for _ in 0..2 {
        let answer = mockd.send("POST", "/rooms/lobby", None).await;
        assert_eq!((answer.status, &answer.json()["message"]), (426, &json!(of_both)));
    }
    mockd.send("POST", "/posted", None).await;
    let of_posted = mockd.get("/posted").await;
    let message = "This path speaks WebSocket, connect with ws://; over HTTP, it has POST";
    assert_eq!((of_posted.status, &of_posted.json()["message"]), (426, &json!(message)));
    let log = mockd.log_until("no route for GET /posted").await;
    let logged: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix("no route for ")).collect();
    let of_any = "This path speaks WebSocket, connect with ws://";
    let expected = [
        format!("GET /any: {of_any}"),
        format!("POST /any: {of_any}"),
        format!("POST /rooms/lobby: {of_both}"),
        format!("GET /posted: {message}"),
    ];
    assert_eq!(logged, expected);
}

#[tokio::test]
async fn the_first_declared_subprotocol_on_offer_is_chosen() {
    let mockd = paused(ROOMS).await;
    for (offered, chosen) in [("chat.v1", "chat.v1"), ("chat.v0, chat.v1, chat.v2", "chat.v2"), ("chat.v2", "chat.v2")]
    {
        let answer = handshake(&mockd, "/versions", &[("sec-websocket-protocol", offered)]).await;
        assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, chosen), "{offered}");
    }
    let message = "This endpoint speaks only the WebSocket subprotocols chat.v2, chat.v1; the client offers none";
    assert_eq!(refused(&mockd, "/versions").await, (400, message.to_owned()));
    let other = handshake(&mockd, "/versions", &[("sec-websocket-protocol", "chat.v3, CHAT.V1")]).await;
    assert_eq!(other.status, 400);
    let url = format!("ws://{}/versions", mockd.address());
    let mut socket = Socket::open_with(&url, &[("sec-websocket-protocol", "chat.v1")]).await;
    assert_eq!(socket.text().await, "chat.v1");
}

#[tokio::test]
async fn each_refused_offer_of_subprotocols_is_logged_once() {
    let mut mockd = paused(ROOMS).await;
    for offered in ["graphql-ws", "graphql-ws", "chat.v3, CHAT.V1", "()", "", "last"] {
        let answer = handshake(&mockd, "/versions", &[("sec-websocket-protocol", offered)]).await;
        assert_eq!(answer.status, 400, "{offered}");
    }
    let log = mockd.log_until("offers last").await;
    let start = "`websocket /versions` refused a client: This endpoint speaks only the WebSocket subprotocols \
                 chat.v2, chat.v1; the client offers ";
    let offers: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix(start)).collect();
    assert_eq!(offers, ["graphql-ws", "chat.v3, CHAT.V1", "none", "last"]);
}

#[tokio::test]
async fn an_endpoint_without_subprotocols_accepts_any() {
    let mockd = paused(ROOMS).await;
    let none = handshake(&mockd, "/any", &[]).await;
    assert!(none.status == 101 && !none.headers.contains_key("sec-websocket-protocol"));
    let answer = handshake(&mockd, "/any", &[("sec-websocket-protocol", "x, y")]).await;
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, "x"));
}

#[tokio::test]
async fn an_invalid_handshake_is_refused_before_any_rule() {
    let mockd = paused(ROOMS).await;
    let url = format!("{}/rooms/lobby", mockd.url());
    let [connection, upgrade] = [("connection", "upgrade"), ("upgrade", "websocket")];
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    for (headers, status) in [
        (vec![connection, upgrade, ("sec-websocket-version", "8"), key], 426),
        (vec![connection, upgrade, ("sec-websocket-version", "13"), ("sec-websocket-key", "short")], 400),
        (vec![connection, upgrade, ("sec-websocket-version", "13")], 400),
    ] {
        assert_eq!(http("GET", &url, &headers, None).await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn an_endpoint_at_the_root_does_not_hide_the_page() {
    let mockd = paused("websocket: { /: { open: [{ reply: hello }] } }").await;
    let page = mockd.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(mockd.socket("/").await.text().await, "hello");
}

#[tokio::test]
async fn clients_that_disconnect_during_the_handshake_are_closed() {
    let mockd = Mockd::run(&ScenarioFile::new(
        "
data: { online: [], left: 0 }
websocket:
  /s:
    open: [{ add: { online: { id: $conn.id } } }]
    closed: [{ remove: { online: $conn.id } }, { set: { left: '{{ left + 1 }}' } }]
",
    ))
    .await;
    let request = format!(
        "GET /s HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        mockd.address()
    );
    for client in 0..40 {
        let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // Half of the clients leave before mockd reads the request, the others at the first byte of the answer. Half of
        // each reset the connection.
        if client % 4 > 1 {
            stream.read_u8().await.unwrap();
        }
        if client % 2 == 0 {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
    poll("the end of every opened socket", async || {
        let opened = mockd.get("/__mockd/journal?kind=opened").await.json()["entries"].as_array().unwrap().len();
        let data = mockd.get("/__mockd/state").await.json()["data"].clone();
        (opened > 0 && data == json!({ "online": [], "left": opened })).then_some(())
    })
    .await;
}
