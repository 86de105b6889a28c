//! `mockd health`: whether a mockd answers and is healthy.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Mockd, Port, command, soon};

/// Runs `mockd health`, which must not write to standard output. Returns its exit code and standard error.
async fn health(url: &str) -> (Option<i32>, String) {
    let output = soon("the exit of mockd health", command(&["health", url]).output()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs `mockd health` against a server that sends this answer to one request.
async fn health_of(answer: &str) -> (Option<i32>, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(connection.read_u8().await.unwrap());
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
    };
    let ((), (code, stderr)) = tokio::join!(soon("a request", serve), health(&url));
    (code, stderr, url)
}

#[tokio::test]
async fn health_exits_with_0_if_mockd_answers() {
    let mockd = Mockd::shop().await;
    assert_eq!(health(mockd.url()).await, (Some(0), String::new()));
    assert_eq!(health(&format!("{}/", mockd.url())).await, (Some(0), String::new()));
    assert_eq!(health(&mockd.url().replace("127.0.0.1", "localhost")).await, (Some(0), String::new()));
}

#[tokio::test]
async fn health_exits_with_1_if_nothing_listens() {
    let port = Port::free();
    let url = format!("http://127.0.0.1:{port}");
    let (code, stderr) = health(&url).await;
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with(&format!("error: {url} is not healthy: ")), "{stderr}");
}

#[tokio::test]
async fn health_exits_with_1_unless_a_healthy_mockd_answers() {
    let degraded = r#"{"status":"degraded","version":"0.1.0","trouble":"the store does not answer"}"#;
    for (answer, why) in [
        (format!("HTTP/1.1 200 OK\r\n\r\n{degraded}"), "the store does not answer"),
        ("HTTP/1.1 200 OK\r\n\r\n<h1>It works!</h1>".to_owned(), "the response is not from mockd"),
        ("HTTP/1.1 421 Misdirected Request\r\n\r\n{\"message\":\"not here\"}".to_owned(), "not here"),
        (String::new(), "the response is not from mockd"),
    ] {
        let (code, stderr, url) = health_of(&answer).await;
        assert_eq!((code, stderr), (Some(1), format!("error: {url} is not healthy: {why}\n")), "{answer}");
    }
}

#[tokio::test]
async fn health_accepts_only_the_url_of_a_server() {
    for url in ["localhost:3000", "https://localhost:3000", "http://localhost:3000/@a"] {
        let (code, stderr) = health(url).await;
        assert_eq!(code, Some(2), "{url}");
        assert!(stderr.contains("expected scheme, host and port, such as http://127.0.0.1:3000"), "{stderr}");
    }
}
