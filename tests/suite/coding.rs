//! Content codings of request bodies (RFC 9110, section 8.4).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Mockd, soon};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Sends a POST whose body has these content codings, and returns the head and body of the answer.
async fn post(mockd: &Mockd, path: &str, codings: &[&str], body: &[u8]) -> (String, Value) {
    let codings: Vec<String> = codings.iter().map(|coding| format!("content-encoding: {coding}\r\n")).collect();
    let codings = codings.concat();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n{codings}\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = String::new();
    soon("the end of the answer", stream.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

fn status(head: &str) -> &str {
    &head["HTTP/1.1 ".len()..][..3]
}

#[tokio::test]
async fn a_gzip_body_is_decoded_for_rules_and_the_journal() {
    let mockd = Mockd::shop().await;
    let order = br#"{"amount":2}"#;
    let halves = [gzip(&order[..5]), gzip(&order[5..])].concat();
    for (codings, body) in [
        (&["gzip"][..], gzip(order)),
        (&["x-gzip"], gzip(order)),
        (&["GZip"], gzip(order)),
        (&["identity, gzip"], gzip(order)),
        (&["identity", "gzip"], gzip(order)),
        // Several gzip members form one body (RFC 1952, section 2.2).
        (&["gzip"], halves),
        (&["identity"], order.to_vec()),
        (&[""], order.to_vec()),
        (&[], order.to_vec()),
    ] {
        let (head, answer) = post(&mockd, "/orders/A1", codings, &body).await;
        assert_eq!((status(&head), answer), ("200", json!({ "ok": true })), "{codings:?}");
    }
    let journal = mockd.get("/__mockd/journal?kind=request").await.json();
    let entries = journal["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 9);
    assert!(entries.iter().all(|entry| entry["body"] == json!({ "amount": 2 })), "{journal}");
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 3 + 9 * 2);
    let (head, answer) = post(&mockd, "/__mockd/clock", &["gzip"], &gzip(br#"{"pause":true}"#)).await;
    assert_eq!((status(&head), &answer["paused"]), ("200", &json!(true)));
}

#[tokio::test]
async fn an_unsupported_coding_gets_415_with_accept_encoding() {
    let mockd = Mockd::shop().await;
    for codings in
        [&["br"][..], &["deflate"], &["zstd"], &["gzip, gzip"], &["gzip", "br"], &["gzip;q=1"], &["nonsense"]]
    {
        for path in ["/orders/A1", "/electronics", "/nothing", "/__mockd/clock"] {
            let (head, answer) = post(&mockd, path, codings, br#"{"amount":2}"#).await;
            assert_eq!(status(&head), "415", "{codings:?} {path}");
            assert!(head.contains("\r\naccept-encoding: gzip\r\n"), "{head}");
            let name = codings.join(", ");
            let message = format!("Unsupported content-encoding {name}, send gzip or none");
            assert_eq!(answer["message"], message);
        }
    }
    let wrong_type = mockd.send("POST", "/orders/A1", None).await;
    assert_eq!(wrong_type.header("accept-encoding"), "");
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 3);
}

#[tokio::test]
async fn the_body_limit_applies_to_the_decoded_size() {
    let mockd = Mockd::shop_with("", &["--max-body", "10000"]).await;
    let body = |length: usize| format!("{{\"amount\":1{}}}", " ".repeat(length - 12));
    for (length, expected) in [(10_000, "200"), (10_001, "413"), (50_000_000, "413")] {
        let bytes = gzip(body(length).as_bytes());
        // A body that is too large even when compressed is refused without decoding.
        for path in ["/orders/A1", "/__mockd/orders"] {
            let (head, _) = post(&mockd, path, &["gzip"], &bytes).await;
            let expected = if expected == "200" && path != "/orders/A1" { "400" } else { expected };
            assert_eq!(status(&head), expected, "{length} {path}");
        }
    }
}

#[tokio::test]
async fn a_malformed_gzip_body_gets_400() {
    let mockd = Mockd::shop().await;
    let good = gzip(br#"{"amount":2}"#);
    let mut bad_checksum = good.clone();
    *bad_checksum.iter_mut().rev().nth(5).unwrap() ^= 1;
    let trailing = [&good[..], b"more"].concat();
    for body in [&br#"{"amount":2}"#[..], &good[..good.len() - 1], &good[..12], &bad_checksum, &trailing] {
        let (head, answer) = post(&mockd, "/orders/A1", &["gzip"], body).await;
        assert_eq!(status(&head), "400");
        assert!(answer["message"].as_str().unwrap().starts_with("Body is not valid gzip: "), "{answer}");
    }
    let (head, answer) = post(&mockd, "/orders/A1", &["gzip"], b"").await;
    assert_eq!((status(&head), &answer["message"]), ("400", &json!("Body cannot be empty, send a JSON object")));
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 3);
}
