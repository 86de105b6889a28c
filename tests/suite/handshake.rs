//! RFC 6455, byte by byte: the opening handshake (section 4).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::frame::{FINAL_TEXT, masked};
use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile, http, soon};

/// The headers of a handshake, with the key of RFC 6455's own example (section 1.3).
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[tokio::test]
async fn a_malformed_handshake_gets_400_and_another_version_426() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let url = format!("{}/orders/electronics", mockd.url());
    let [connection, upgrade, version, key] = HANDSHAKE;
    for (headers, status) in [
        (vec![upgrade, version, key], 400),
        (vec![connection, upgrade, version], 400),
        (vec![connection, upgrade, version, key, key], 400),
        (vec![connection, upgrade, version, ("sec-websocket-key", "short")], 400),
        (vec![connection, upgrade, key], 426),
        (vec![connection, upgrade, key, ("sec-websocket-version", "8")], 426),
        (vec![connection, version, key, ("upgrade", "h2c")], 426),
    ] {
        let answer = http("GET", &url, &headers, None).await;
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 426 {
            assert_eq!(answer.header("sec-websocket-version"), "13");
        }
    }
}

#[tokio::test]
async fn a_head_request_never_opens_a_socket() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    assert_eq!(http("HEAD", &format!("{}/orders/x", mockd.url()), &HANDSHAKE, None).await.status, 426);
}

#[tokio::test]
async fn the_first_offered_subprotocol_is_selected() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let none = [&HANDSHAKE[..], &[("sec-websocket-protocol", ", not a token")]].concat();
    let answer = http("GET", &format!("{}/orders/x", mockd.url()), &none, None).await;
    assert!(answer.status == 101 && !answer.headers.contains_key("sec-websocket-protocol"));
    let headers = [&HANDSHAKE[..], &[("sec-websocket-protocol", "orders.v2, orders.v1")]].concat();
    let answer = http("GET", &format!("{}/orders/x", mockd.url()), &headers, None).await;
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, "orders.v2"));
}

/// Sends a request of these lines and returns the head of its answer in lower case.
async fn head(mockd: &Mockd, lines: &[&str]) -> String {
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    let request = format!("{}\r\nhost: {}\r\n\r\n", lines.join("\r\n"), mockd.address());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("a head", stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

#[tokio::test]
async fn handshake_headers_may_have_any_case_and_other_tokens() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let version = "SEC-WEBSOCKET-VERSION:13";
    for [connection, upgrade] in [
        ["Connection: Upgrade", "Upgrade: WebSocket"],
        ["CONNECTION:UPGRADE", "UPGRADE:WEBSOCKET"],
        ["connection: keep-alive, Upgrade", "upgrade: websocket"],
        ["connection: , upgrade ,\tkeep-alive", "upgrade: h2c, websocket"],
        ["connection: keep-alive\r\nconnection: uPGRADE", "upgrade: h2c\r\nupgrade: wEBSOCKET"],
    ] {
        let head = head(&mockd, &["GET /orders/x HTTP/1.1", connection, upgrade, version, key]).await;
        assert!(head.starts_with("http/1.1 101 "), "{connection} {upgrade}: {head}");
        // RFC 6455's own example (section 1.3).
        assert!(head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    }
}

#[tokio::test]
async fn tokens_that_only_resemble_the_right_ones_are_refused() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let rest = ["sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="];
    for ([connection, upgrade], status) in [
        (["connection: upgraded", "upgrade: websocket"], 400),
        (["connection: not upgrade", "upgrade: websocket"], 400),
        (["connection: close", "upgrade: websocket"], 400),
        (["connection: upgrade", "upgrade: websockets"], 426),
        (["connection: upgrade", "upgrade: websocket/13"], 426),
        (["connection: upgrade", "upgrade:"], 426),
    ] {
        let head = head(&mockd, &["GET /orders/x HTTP/1.1", connection, upgrade, rest[0], rest[1]]).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{connection} {upgrade}: {head}");
    }
}

#[tokio::test]
async fn a_malformed_key_or_a_version_other_than_13_is_refused() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    for (key, version, status) in [
        ("", "13", 400),
        ("dGhlIHNhbXBsZSBub25jZQ", "13", 400),
        ("dGhlIHNhbXBsZSBub25jZSE=", "13", 400),
        ("dGhlIHNhbXBsZSBub25jZSEh", "13", 400),
        ("dGhlIHNhbXBsZSBu?25jZQ==", "13", 400),
        ("=Ghl=HNhbXBsZSBub25jZQ==", "13", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==, x", "13", 400),
        (key, "12", 426),
        (key, "14", 426),
        (key, "", 426),
        (key, "013", 426),
        (key, "13, 8", 426),
    ] {
        let (key, version) = (format!("sec-websocket-key: {key}"), format!("sec-websocket-version: {version}"));
        let lines = ["GET /orders/x HTTP/1.1", "connection: upgrade", "upgrade: websocket", &key, &version];
        let head = head(&mockd, &lines).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{key} {version}: {head}");
        assert_eq!(head.contains("\r\nsec-websocket-version: 13\r\n"), status == 426, "{head}");
    }
}

#[tokio::test]
async fn only_a_get_request_of_http_1_1_opens_a_socket() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let [connection, upgrade, version, key] = HANDSHAKE.map(|(name, value)| format!("{name}: {value}"));
    for line in
        ["POST /orders/x HTTP/1.1", "PUT /orders/x HTTP/1.1", "OPTIONS /orders/x HTTP/1.1", "GET /orders/x HTTP/1.0"]
    {
        let head = head(&mockd, &[line, &connection, &upgrade, &version, &key, "content-length: 0"]).await;
        assert!(!head.contains(" 101 ") && !head.contains("sec-websocket-accept"), "{line}: {head}");
    }
}

#[tokio::test]
async fn offered_extensions_are_declined_and_plain_frames_work() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let (connection, upgrade) = ("connection: upgrade", "upgrade: websocket");
    for offer in ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame", ";;,=\""]
    {
        let offer = format!("sec-websocket-extensions: {offer}\r\nsec-websocket-version: 13");
        let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        let head = head(&mockd, &["GET /orders/x HTTP/1.1", connection, upgrade, &offer, key]).await;
        assert!(head.starts_with("http/1.1 101 ") && !head.contains("extensions"), "{head}");
    }
    let mut socket = RawSocket::open(mockd.address(), "/orders/confectionery").await;
    assert_eq!(socket.receive().await, (FINAL_TEXT, br#"{"id":"B1","total":101}"#.to_vec()));
    // Compressed, although no extension was negotiated.
    socket.send_bytes(&masked(FINAL_TEXT | 0x40, b"\xaa\x56\x4a")).await;
    assert_eq!(socket.close_code().await, 1002);
}

/// Sends a request and returns the status of its answer.
async fn status(mockd: &Mockd, request: &str) -> String {
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    soon("an answer", stream.read_exact(&mut start)).await.unwrap();
    String::from_utf8(start[9..].to_vec()).unwrap()
}

#[tokio::test]
async fn a_request_of_http_1_1_needs_exactly_one_valid_host() {
    let file = ScenarioFile::new(SHOP);
    let (local, open) =
        (Mockd::run(&file).await, Mockd::run_with(file.path(), &["--host", "0.0.0.0", "--control-token", "12345678"]));
    let open = open.await;
    let handshake: String = HANDSHAKE.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    for (line, hosts, headers, expected) in [
        ("GET /orders/x HTTP/1.1", "host: localhost\r\n", &*handshake, "101"),
        ("GET /orders/x HTTP/1.1", "", &handshake, "400"),
        ("GET /orders/x HTTP/1.1", "host: localhost\r\nhost: localhost\r\n", &handshake, "400"),
        ("GET /orders/x HTTP/1.1", "host: local host\r\n", &handshake, "400"),
        ("GET /electronics HTTP/1.1", "host: localhost:3000\r\n", "", "200"),
        ("GET /electronics HTTP/1.1", "", "", "400"),
        ("GET /__mockd/health HTTP/1.1", "", "", "400"),
        ("GET http://localhost/electronics HTTP/1.1", "", "", "400"),
        ("GET /electronics HTTP/1.1", "host: localhost\r\nHost: localhost\r\n", "", "400"),
        ("GET /electronics HTTP/1.1", "host: user@localhost\r\n", "", "400"),
        ("GET /electronics HTTP/1.1", "host: localhost:port\r\n", "", "400"),
        ("GET /electronics HTTP/1.1", "host: localhost/x\r\n", "", "400"),
        ("GET /electronics HTTP/1.0", "", "", "200"),
        ("GET /electronics HTTP/1.0", "host: localhost\r\nhost: localhost\r\n", "", "400"),
    ] {
        let request = format!("{line}\r\n{hosts}{headers}\r\n");
        for mockd in [&local, &open] {
            assert_eq!(status(mockd, &request).await, expected, "{request}");
        }
    }
}
