//! Which requests faults hit.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ORDER, order, shop};
use crate::support::{http, raw, soon};

#[tokio::test]
async fn times_and_skip_select_the_first_or_the_later_requests() {
    let mockd = shop("- { on: http, method: POST, times: 2, status: 500 }").await;
    for status in [500, 500, 200, 200] {
        assert_eq!(order(&mockd).await.status, status);
    }
    let mockd = shop("- { on: http, method: POST, skip: 2, status: 500 }").await;
    for status in [200, 200, 500, 500] {
        assert_eq!(order(&mockd).await.status, status);
    }
}

#[tokio::test]
async fn a_share_hits_the_same_requests_on_every_run() {
    let hit = async || {
        let mockd = shop("- { on: http, path: /orders/*, share: 30%, status: 500 }").await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(order(&mockd).await.status);
        }
        statuses
    };
    let first = hit().await;
    let failed = first.iter().filter(|status| **status == 500).count();
    assert!((15..45).contains(&failed), "{failed}");
    assert_eq!(first, hit().await);
}

#[tokio::test]
async fn faults_match_by_method_path_category_and_product() {
    let mockd = shop(
        "- { on: http, method: GET, category: electronics, status: 501 }\n\
         - { on: http, product: B1, status: 502 }\n\
         - { on: http, path: /app*, status: 504 }",
    )
    .await;
    for (method, path, status) in [
        ("GET", "/electronics", 501),
        ("GET", "/electronics/", 501),
        ("GET", "/confectionery", 200),
        ("POST", "/orders/B1", 502),
        ("POST", "/orders/A1", 200),
        ("GET", "/app.js", 504),
        ("GET", "/live.js", 200),
    ] {
        let body = json!({ "amount": 1 });
        let answer = mockd.send(method, path, (method == "POST").then_some(&body)).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn faults_skip_preflights_and_match_head_requests() {
    let mockd =
        shop("- { on: http, times: 1, status: 503, retryAfter: 1s }\n- { on: http, method: head, status: 501 }").await;
    let url = format!("{}/orders/A1", mockd.url());
    let preflight = [("origin", "http://app.example"), ("access-control-request-method", "POST")];
    assert_eq!(http("OPTIONS", &url, &preflight, None).await.status, 204);
    let refused = order(&mockd).await;
    assert_eq!((refused.status, refused.header("access-control-expose-headers")), (503, "retry-after"));
    assert_eq!(mockd.send("HEAD", "/electronics", None).await.status, 501);
    let control = http("OPTIONS", &format!("{}/__mockd/faults/1", mockd.url()), &preflight, None).await;
    assert!(control.header("access-control-allow-methods").contains("PUT"));
}

#[tokio::test]
async fn upgrades_to_other_protocols_are_ordinary_requests() {
    let mockd = shop("- { on: http, status: 503 }").await;
    let headers = [("content-type", "application/json"), ("connection", "upgrade"), ("upgrade", "h2c")];
    let answer = http("POST", &format!("{}/orders/A1", mockd.url()), &headers, Some(r#"{"amount":1}"#)).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn requests_are_unaffected_after_a_fault_ends() {
    let mockd = shop("- { on: http, method: POST, until: 1s, status: 500 }").await;
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    for expected in ["HTTP/1.1 500 ", "HTTP/1.1 200 "] {
        stream.write_all(ORDER).await.unwrap();
        let mut answer = vec![0; 4096];
        let count = soon("an answer", stream.read(&mut answer)).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..count]).starts_with(expected));
        mockd.advance("", "1s").await;
    }
    let answer = raw(&mockd, b"GET /electronics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
