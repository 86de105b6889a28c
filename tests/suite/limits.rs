//! Limits on clients: one that exceeds a limit does not affect the others.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Connection, Mockd, RawSocket, SHOP, ScenarioFile, Socket, command, http, poll, raw, soon};

const WITH_ORIGINS: &str = "\nserver: { cors: [http://shop.test] }\n";

/// Sends a valid request, and returns the head of its answer.
async fn get_head(connection: &mut Connection) -> String {
    connection.request(b"GET /electronics HTTP/1.1\r\nhost: localhost\r\n\r\n").await.0
}

#[tokio::test]
async fn connections_over_the_cap_get_503_until_one_is_closed() {
    let mockd = Mockd::shop_with("", &["--max-connections", "3"]).await;
    let mut socket = mockd.live("electronics").await;
    let (mut first, mut second) = (Connection::open(&mockd).await, Connection::open(&mockd).await);
    assert!(get_head(&mut first).await.starts_with("HTTP/1.1 200 "));
    assert!(get_head(&mut second).await.starts_with("HTTP/1.1 200 "));
    let refused = raw(&mockd, b"").await;
    assert!(
        refused.starts_with("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n"),
        "{refused}"
    );
    let message = "mockd already serves 3 connections; close some, or allow more with --max-connections";
    assert!(
        refused
            .ends_with(&json!({ "statusCode": 503, "error": "Service Unavailable", "message": message }).to_string())
    );
    assert!(get_head(&mut first).await.starts_with("HTTP/1.1 200 "), "open connections are unaffected");
    socket.close().await;
    socket.close_code().await;
    drop(second);
    // The server may notice the closed connections later.
    let retry = async || {
        let answer = raw(&mockd, b"GET /electronics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        Some(answer).filter(|answer| !answer.starts_with("HTTP/1.1 503"))
    };
    let retried = poll("a free connection", retry).await;
    assert!(retried.starts_with("HTTP/1.1 200 "), "{retried}");
}

#[tokio::test]
async fn a_burst_of_connections_does_not_block_later_ones() {
    let mockd = Mockd::shop_with("", &["--max-connections", "20"]).await;
    for _ in 0..3 {
        let burst: Vec<_> = (0..300)
            .map(|_| raw(&mockd, b"GET /confectionery HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
            .collect();
        let answers = futures_util::future::join_all(burst).await;
        let count = |start: &str| answers.iter().filter(|answer| answer.starts_with(start)).count();
        let (served, refused) = (count("HTTP/1.1 200 "), count("HTTP/1.1 503 "));
        // mockd answers at most 64 refused connections at a time, and closes the others without an answer.
        assert!(served > 0 && (refused >= 64 || served + refused == 300), "served {served}, refused {refused}");
        assert_eq!(answers.iter().filter(|answer| answer.is_empty()).count(), 300 - served - refused);
        let mut stream = Connection::open(&mockd).await;
        assert!(get_head(&mut stream).await.starts_with("HTTP/1.1 200 "));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_soft_limit_on_open_files_is_raised() {
    let file = ScenarioFile::new(SHOP);
    let mut limited = tokio::process::Command::new("sh");
    limited.args(["-c", r#"ulimit -Sn 40; exec "$0" run "$1" --port 0 --log-format json"#]);
    limited.arg(env!("CARGO_BIN_EXE_mockd")).arg(file.path()).kill_on_drop(true);
    let mockd = Mockd::start(limited).await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(mockd.live("confectionery").await);
    }
    mockd.order("B1", 1).await;
    for socket in &mut sockets {
        assert_eq!(socket.texts(2).await[1], r#"{"id":"B1","total":102}"#);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_hard_open_file_limit_caps_connections_with_a_warning() {
    let file = ScenarioFile::new(SHOP);
    let mut limited = tokio::process::Command::new("sh");
    let script = r#"ulimit -n 144; exec "$0" run "$1" --port 0 --log-format json --max-connections 500"#;
    limited.args(["-c", script]).arg(env!("CARGO_BIN_EXE_mockd")).arg(file.path()).kill_on_drop(true);
    let mut mockd = Mockd::start(limited).await;
    mockd.logged("--max-connections 500 exceeds the open file limit (ulimit -n); mockd accepts 16 connections").await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = Connection::open(&mockd).await;
        assert!(get_head(&mut stream).await.starts_with("HTTP/1.1 200 "));
        streams.push(stream);
    }
    assert!(raw(&mockd, b"").await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn only_requests_that_arrive_too_slowly_get_408() {
    let flags = ["--request-timeout", "100ms"];
    for mockd in [Mockd::shop_with("", &flags).await, Mockd::shop_with(WITH_ORIGINS, &flags).await] {
        for partial in [
            "GET /electro",
            "POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"amo",
        ] {
            let answer = raw(&mockd, partial.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{partial}: {answer}");
        }
        assert_eq!(mockd.get("/electronics").await.status, 200);
    }
}

#[tokio::test]
async fn heads_and_bodies_over_their_limits_are_refused() {
    let mockd = Mockd::shop_with("", &["--max-body", "200"]).await;
    let get = |path: &str, header: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: {header}\r\n\r\n")
    };
    let long = |count| "x".repeat(count);
    for (request, status) in [
        (get("/electronics", &long(65_000)), 200),
        (get(&format!("/electronics?{}", long(65_000)), ""), 200),
        (get("/electronics", &long(66_000)), 431),
        (get(&format!("/{}", long(66_000)), ""), 414),
    ] {
        let answer = raw(&mockd, request.as_bytes()).await;
        // A head that is far too long gets 414 or 431, depending on which limit it hits first.
        let statuses = if status > 400 { vec![414, 431] } else { vec![status] };
        assert!(statuses.iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status} "))), "{status}: {answer}");
    }
    for (padding, status) in [(100, 200), (300, 413)] {
        let body = format!("{{\"amount\":1{}}}", " ".repeat(padding));
        assert_eq!(mockd.post("/orders/A1", &body).await.status, status);
    }
    assert_eq!(mockd.post("/__mockd/clock", &format!("{{\"pause\":true{}}}", " ".repeat(300))).await.status, 413);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let mockd = Mockd::shop_with("", &[]).await;
    let order = |amount: u32| {
        let body = format!("{{\"amount\":{amount}}}");
        let length = body.len();
        format!(
            "POST /orders/B1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let mut requests: String = (1..=199).map(order).collect();
    requests.push_str("GET /__mockd/state HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let answers = raw(&mockd, requests.as_bytes()).await;
    assert_eq!(answers.matches(r#"{"ok":true}"#).count(), 199);
    assert!(answers.ends_with('}') && answers.contains(r#""B1":20001"#), "{answers}");
}

#[tokio::test]
async fn the_message_limit_is_configurable() {
    let mockd = Mockd::shop_with("", &["--max-message", "125"]).await;
    let mut raw = RawSocket::open(mockd.address(), "/orders/confectionery").await;
    raw.receive().await;
    raw.send(0x82, &[0; 125]).await;
    raw.send(0x82, &[0; 126]).await;
    assert_eq!(raw.close_code().await, 1009);
}

#[tokio::test]
async fn a_socket_behind_by_more_than_the_backlog_gets_current_totals() {
    let mockd = Mockd::shop_with("", &["--backlog", "16"]).await;
    let mut narrow = Socket::open_narrow(&format!("ws://{}/orders/confectionery", mockd.address())).await;
    let state = async || mockd.control("GET", "/__mockd/sockets", json!(null)).await["sockets"][0].clone();
    // Until the unread messages fill the system's buffers.
    while state().await["backlog"].as_u64().unwrap() < 4 {
        mockd.control("POST", "/__mockd/sockets/send", json!({ "text": "x".repeat(900_000) })).await;
    }
    for _ in 0..50 {
        mockd.order("B1", 1).await;
    }
    let frames = narrow.until(r#"{"id":"B1","total":151}"#).await;
    let totals = frames.iter().filter(|frame| frame.starts_with(r#"{"id":"B1""#)).count();
    assert!(totals < 50, "{totals} of 51 totals");
    assert_eq!(state().await["caughtUp"], 1);
}

#[tokio::test]
async fn invalid_flag_values_are_refused_with_the_valid_range() {
    for (flag, value, expected) in [
        ("--backlog", "3", "expected an integer of at least 16"),
        ("--request-timeout", "1ms", "expected at least 100ms"),
        ("--max-connections", "0", "0 is not in 1..=4294967295"),
        ("--max-message", "12", "12 is not in 125..=1073741824"),
        ("--allow-host", "http://shop.test:1", "expected a name without scheme and port, such as shop.test"),
    ] {
        let output = command(&["run", "shop.yaml", flag, value]).output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(expected), "{flag} {value}: {stderr}");
    }
}

#[tokio::test]
async fn on_loopback_a_request_for_another_host_is_refused() {
    let mockd = Mockd::shop_with("", &["--allow-host", "Shop.Test"]).await;
    let url = |path: &str| format!("{}{path}", mockd.url());
    for path in ["/electronics", "/electronics/", "/", "/@a/electronics", "/__mockd/health"] {
        for (host, status) in [("localhost", 200), ("shop.test:3000", 200), ("evil.example", 403), ("a@localhost", 400)]
        {
            assert_eq!(http("GET", &url(path), &[("host", host)], None).await.status, status, "{host} {path}");
        }
    }
    let answer = http("GET", &url("/electronics"), &[("host", "evil.example")], None).await;
    let message = "mockd listens on loopback and accepts only requests to localhost; evil.example is allowed with \
                   --allow-host evil.example";
    assert_eq!(answer.json()["message"], message);
}

#[tokio::test]
async fn pages_refused_by_cors_get_no_socket_either() {
    let handshake = |origin: &str| {
        format!(
            "GET /orders/electronics HTTP/1.1\r\nhost: localhost:1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{origin}\r\n"
        )
    };
    let (open, off, listed) = ("", "\nserver: { cors: false }\n", WITH_ORIGINS);
    for (cors, origin, is_accepted) in [
        (open, "origin: http://evil.example\r\n", true),
        (off, "origin: http://evil.example\r\n", false),
        (off, "origin: http://localhost:1\r\n", true),
        (off, "", true),
        (listed, "origin: http://evil.example\r\n", false),
        (listed, "origin: http://shop.test\r\n", true),
    ] {
        let mockd = Mockd::shop_with(cors, &[]).await;
        let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
        stream.write_all(handshake(origin).as_bytes()).await.unwrap();
        let mut status = [0; 12];
        soon("an answer", stream.read_exact(&mut status)).await.unwrap();
        let expected: &[u8] = if is_accepted { b"HTTP/1.1 101" } else { b"HTTP/1.1 403" };
        assert_eq!(status, expected, "{cors} {origin}");
    }
}

#[tokio::test]
async fn a_client_that_sends_its_whole_body_first_gets_413() {
    let mockd = Mockd::shop_with("", &[]).await;
    let (mut from, mut to) = TcpStream::connect(mockd.address()).await.unwrap().into_split();
    let head = "POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ";
    let request = format!("{head}8000000\r\n\r\n{}", " ".repeat(8_000_000));
    soon("the end of the request", to.write_all(request.as_bytes())).await.unwrap();
    let mut answer = Vec::new();
    soon("the end of the answer", from.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn added_products_are_limited_until_a_reset() {
    let mockd = Mockd::shop_with("", &["--max-body", "17000000", "--journal", "0"]).await;
    let product = format!("{{\"name\":\"{}\"}}", "x".repeat(16_900_000));
    for _ in 0..4 {
        assert_eq!(mockd.post("/confectionery", &product).await.status, 200);
    }
    let refused = mockd.post("/confectionery", &product).await;
    assert_eq!(refused.status, 413);
    let message = "The products of confectionery take more than 64 MiB; a reset removes the added ones";
    assert_eq!(refused.json()["message"], message);
    assert_eq!(mockd.post("/electronics", r#"{"name":"Drone"}"#).await.status, 200);
    assert_eq!(mockd.post("/__mockd/reset", "{}").await.status, 200);
    assert_eq!(mockd.post("/confectionery", &product).await.status, 200);
}
