//! `mockd health`: whether a mockd answers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Mockd, Port, command, soon};

/// The exit code of `mockd health`, and what it says on standard error; it says nothing else.
async fn health(url: &str) -> (Option<i32>, String) {
    let output = soon("the end of mockd health", command(&["health", url]).output()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What `mockd health` says where one request gets this answer.
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
    let ((), (code, said)) = tokio::join!(soon("a request", serve), health(&url));
    (code, said, url)
}

#[tokio::test]
async fn health_is_0_where_a_mockd_answers() {
    let mockd = Mockd::shop().await;
    assert_eq!(health(mockd.url()).await, (Some(0), String::new()));
    assert_eq!(health(&format!("{}/", mockd.url())).await, (Some(0), String::new()));
    assert_eq!(health(&mockd.url().replace("127.0.0.1", "localhost")).await, (Some(0), String::new()));
}

#[tokio::test]
async fn health_is_1_where_nothing_listens() {
    let port = Port::free();
    let url = format!("http://127.0.0.1:{port}");
    let (code, said) = health(&url).await;
    assert_eq!(code, Some(1));
    assert!(said.starts_with(&format!("error: {url} is not healthy: ")), "{said}");
}

#[tokio::test]
async fn health_is_1_where_the_answer_is_not_that_of_a_well_mockd() {
    let degraded = r#"{"status":"degraded","version":"0.1.0","trouble":"the store does not answer"}"#;
    for (answer, why) in [
        (format!("HTTP/1.1 200 OK\r\n\r\n{degraded}"), "the store does not answer"),
        ("HTTP/1.1 200 OK\r\n\r\n<h1>It works!</h1>".to_owned(), "the response is not from mockd"),
        ("HTTP/1.1 421 Misdirected Request\r\n\r\n{\"message\":\"not here\"}".to_owned(), "not here"),
        (String::new(), "the response is not from mockd"),
    ] {
        let (code, said, url) = health_of(&answer).await;
        assert_eq!((code, said), (Some(1), format!("error: {url} is not healthy: {why}\n")), "{answer}");
    }
}

#[tokio::test]
async fn health_takes_only_what_leads_to_a_mockd() {
    for url in ["localhost:3000", "https://localhost:3000", "http://localhost:3000/@a"] {
        let (code, said) = health(url).await;
        assert_eq!(code, Some(2), "{url}");
        assert!(said.contains("expected scheme, host and port, such as http://127.0.0.1:3000"), "{said}");
    }
}
