//! Requests of polling clients, without a network.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Endpoint, RequestParts};
use tokio::time::sleep;

use super::*;
use crate::http::{Site, service, test_app};
use crate::scenario::{Source, parse};
use crate::world::SocketClose;

const CHAT: &str = "
http: { GET /socket.io: { body: route } }
websocket:
  /socket.io:
    protocol: socket.io
    messages: [{ match: { event: echo }, reply: { event: echo, args: $msg.args } }]
  /plain: {}
";

const SESSION: &str = "/socket.io/?EIO=4&transport=polling";

struct Client<E> {
    app: Arc<App>,
    server: E,
}

fn client() -> Client<impl Endpoint<Output = Response>> {
    let app = test_app::app(parse(&Source::new("chat.yaml", CHAT)).unwrap());
    Client { server: service(app.clone(), &Site::BuiltIn), app }
}

impl<E: Endpoint<Output = Response>> Client<E> {
    /// Sends a request, and returns the status and the body of the answer.
    async fn send(&self, method: &str, uri: &str, body: impl Into<Body>) -> (u16, String) {
        let request = poem::http::Request::builder().method(method).uri(uri).header("host", "localhost");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let parts = RequestParts::from((parts, LocalAddr::default(), RemoteAddr::default(), Scheme::HTTP));
        let mut response = self.server.call(Request::from_parts(parts, body.into())).await.unwrap();
        (response.status().as_u16(), response.take_body().into_string().await.unwrap())
    }

    /// Opens a session, and returns the path of its requests.
    async fn open(&self) -> String {
        let (status, packet) = self.send("GET", SESSION, "").await;
        let handshake: serde_json::Value = serde_json::from_str(packet.strip_prefix('0').unwrap()).unwrap();
        assert_eq!((status, &handshake["upgrades"]), (200, &serde_json::json!(["websocket"])));
        format!("{SESSION}&sid={}", handshake["sid"].as_str().unwrap())
    }

    fn members(&self) -> usize {
        self.app.worlds.default_world().socket_count()
    }
}

fn refused(code: u8, message: &str) -> (u16, String) {
    (400, format!(r#"{{"code":{code},"message":"{message}"}}"#))
}

fn unknown() -> (u16, String) {
    refused(1, "Session ID unknown")
}

fn answer(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

#[tokio::test]
async fn invalid_requests_are_refused_as_by_the_reference_server() {
    let client = client();
    for (request, code, message) in [
        ("GET /socket.io/?EIO=4", 0, "Transport unknown"),
        ("GET /socket.io/?EIO=4&transport=carrier-pigeon", 0, "Transport unknown"),
        ("GET /socket.io/?EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("POST /socket.io/?transport=polling", 2, "Bad handshake method"),
        ("PUT /socket.io/?EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET /socket.io/?EIO=4&transport=websocket", 3, "Bad request"),
        ("GET /socket.io/?EIO=4&transport=polling&sid=x", 1, "Session ID unknown"),
        ("POST /@a/socket.io?EIO=4&transport=polling&sid=default-0-1", 1, "Session ID unknown"),
    ] {
        let (method, uri) = request.split_once(' ').unwrap();
        assert_eq!(client.send(method, uri, "").await, refused(code, message), "{request}");
    }
    assert_eq!(client.members(), 0);
}

#[tokio::test]
async fn routes_of_the_path_answer_other_requests() {
    let client = client();
    assert_eq!(client.send("GET", "/socket.io?transport=polling", "").await, answer("\"route\""));
    assert_eq!(client.send("GET", "/plain?EIO=4&transport=polling", "").await.0, 426);
}

#[tokio::test]
async fn a_session_exists_only_in_its_own_world() {
    let client = client();
    let session = client.open().await;
    assert_eq!(client.send("POST", &format!("/@a{session}"), "40").await, unknown());
    assert_eq!(client.send("DELETE", &session, "").await, refused(3, "Bad request"));
    assert_eq!(client.send("POST", &session, "40").await, answer("ok"));
}

#[tokio::test]
async fn a_body_that_is_not_a_payload_ends_the_session() {
    let client = client();
    for body in [b"".to_vec(), b"abc".to_vec(), b"40\x1e".to_vec(), b"b?".to_vec(), b"4\xff".to_vec()] {
        let session = client.open().await;
        assert_eq!(client.send("POST", &session, body).await, refused(3, "Bad request"));
        assert_eq!(client.send("GET", &session, "").await, unknown());
    }
}

#[tokio::test]
async fn a_payload_is_limited_to_the_size_of_a_message() {
    let client = client();
    for (length, status) in [(65_536, 200), (65_537, 400), (2_000_000, 400)] {
        let session = client.open().await;
        let body = format!("40\u{1e}42[\"other\",\"{}\"]", "x".repeat(length - 17));
        assert_eq!(body.len(), length);
        assert_eq!(client.send("POST", &session, body).await.0, status, "{length}");
        let is_open = client.send("POST", &session, "3").await == answer("ok");
        assert_eq!(is_open, status == 200, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_neither_polls_nor_posts_is_gone() {
    let client = client();
    let session = client.open().await;
    assert_eq!(client.send("POST", &session, "40").await, answer("ok"));
    assert!(client.send("GET", &session, "").await.1.starts_with("40{"));
    sleep(Duration::from_secs(44)).await;
    assert_eq!(client.send("POST", &session, "3").await, answer("ok"));
    sleep(Duration::from_secs(44)).await;
    // The pings of a minute and a half.
    assert_eq!(client.send("GET", &session, "").await, answer("2\u{1e}2\u{1e}2"));
    sleep(Duration::from_secs(44)).await;
    assert_eq!(client.members(), 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!((client.members(), client.app.polling.len()), (0, 0));
    assert_eq!(client.send("GET", &session, "").await, unknown());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_polls_but_never_connects_is_closed() {
    let client = client();
    let session = client.open().await;
    sleep(Duration::from_secs(44)).await;
    assert_eq!(client.send("GET", &session, "").await, answer("2"));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(client.members(), 0);
    assert_eq!(client.send("GET", &session, "").await, answer("1"));
}

#[tokio::test(start_paused = true)]
async fn polls_report_for_a_while_that_the_server_ended_a_session() {
    let client = client();
    for (pause, expected) in [(29, answer("1")), (31, unknown())] {
        let session = client.open().await;
        client.app.worlds.default_world().close_sockets(None, SocketClose::default()).await.unwrap();
        assert_eq!(client.members(), 0);
        sleep(Duration::from_secs(pause)).await;
        assert_eq!(client.send("GET", &session, "").await, expected, "{pause}");
        assert_eq!(client.send("GET", &session, "").await, unknown(), "{pause}");
    }
}
