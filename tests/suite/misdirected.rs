//! Requests for other hosts, and connections in other protocols.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Mockd, command, http, soon};

/// Returns the log from now up to a line that the test triggers itself.
async fn log(mockd: &mut Mockd, last: &str) -> Vec<String> {
    let host = format!("{last}.example");
    assert_eq!(http("GET", &format!("{}/electronics", mockd.url()), &[("host", &host)], None).await.status, 403);
    mockd.log_until(&host).await
}

/// Sends the first bytes of a protocol, and returns everything that arrives until the server closes the connection.
async fn send_start(mockd: &Mockd, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    soon("the end of the connection", stream.read_to_end(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn tls_and_http2_connections_are_closed_and_logged_once() {
    let mut mockd = Mockd::shop().await;
    // The start of a ClientHello (RFC 8446, 4.1.2), complete or truncated.
    let hello = [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..], &[7; 200]].concat();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for _ in 0..3 {
        assert_eq!(send_start(&mockd, &hello).await, b"");
        assert_eq!(send_start(&mockd, &hello[..1]).await, b"");
        send_start(&mockd, preface).await;
    }
    let messages = log(&mut mockd, "last").await;
    for expected in [
        "a client speaks TLS, and mockd does not: use http:// instead of https://, and ws:// instead of wss://",
        "a client speaks HTTP/2, and mockd does not: configure the client to use HTTP/1.1",
    ] {
        assert_eq!(messages.iter().filter(|line| *line == expected).count(), 1, "{messages:?}");
    }
    assert_eq!(mockd.get("/electronics").await.status, 200);
}

#[tokio::test]
async fn a_body_that_starts_like_tls_is_accepted() {
    let mockd = Mockd::shop().await;
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    let head = "POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: text/plain\r\n";
    stream.write_all(format!("{head}content-length: 2\r\n\r\n").as_bytes()).await.unwrap();
    stream.write_all(&[22, 3]).await.unwrap();
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
}

#[tokio::test]
async fn each_refused_host_is_logged_once_with_its_flag() {
    let mut mockd = Mockd::shop().await;
    let get = async |host: &str| {
        let answer = http("GET", &format!("{}/electronics", mockd.url()), &[("host", host)], None).await;
        (answer.status, answer.json()["message"].as_str().unwrap_or_default().to_owned())
    };
    let mut hosts =
        vec!["10.0.2.2:3000", "host.docker.internal", "Shop.Ngrok.Example:443", "my_upstream", "[fe80::1]:80"];
    for host in hosts.clone() {
        for _ in 0..2 {
            assert_eq!(get(host).await.0, 403, "{host}");
        }
    }
    let names = ["10.0.2.2", "host.docker.internal", "shop.ngrok.example", "my_upstream", "fe80::1"];
    let message = |name: &str| {
        format!(
            "mockd listens on loopback and accepts only requests to localhost; {name} is allowed with --allow-host {name}"
        )
    };
    assert_eq!(get("10.0.2.2").await.1, message("10.0.2.2"));
    // An invalid host name is neither suggested nor logged.
    assert_eq!(get("a;b").await.1, "mockd listens on loopback and accepts only requests to localhost");
    let messages = log(&mut mockd, "last").await;
    let refused: Vec<&String> = messages.iter().filter(|line| line.starts_with("refused a request")).collect();
    let mut expected: Vec<String> =
        names.iter().map(|name| format!("refused a request for {name}: {}", message(name))).collect();
    expected.push(format!("refused a request for last.example: {}", message("last.example")));
    assert_eq!(refused, expected.iter().collect::<Vec<_>>());
    // The suggested flags work.
    hosts.sort_unstable();
    let flags: Vec<&str> =
        names.iter().flat_map(|name| ["--allow-host", name]).chain(["--allow-host", "[fe80::2]"]).collect();
    let allowed = Mockd::shop_with("", &flags).await;
    for host in hosts.into_iter().chain(["[FE80::2]"]) {
        let answer = http("GET", &format!("{}/electronics", allowed.url()), &[("host", host)], None).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn at_most_32_refused_hosts_are_logged() {
    let mut mockd = Mockd::shop().await;
    for number in 0..40 {
        let host = format!("h{number}.example");
        assert_eq!(http("GET", &format!("{}/electronics", mockd.url()), &[("host", &host)], None).await.status, 403);
    }
    // A later log line shows that no further host is logged.
    send_start(&mockd, &[22, 3, 1]).await;
    let messages = mockd.log_until("speaks TLS").await;
    assert_eq!(messages.iter().filter(|line| line.starts_with("refused a request for")).count(), 32);
    let end = "refused requests for more than 32 hosts; the log names no further ones";
    assert_eq!(messages.iter().filter(|line| *line == end).count(), 1, "{messages:?}");
}

#[tokio::test]
async fn allow_host_takes_names_and_addresses() {
    for (host, is_valid) in
        [("shop.test", true), ("fe80::1", true), ("[fe80::1]", true), ("fe80::1:x", false), ("a b", false)]
    {
        let output = command(&["run", "no-such-file.yaml", "--allow-host", host]).output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(!stderr.contains("expected a name without scheme and port"), is_valid, "{host}: {stderr}");
    }
}
