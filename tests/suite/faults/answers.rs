//! Effects of faults on HTTP answers.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::{LIST, ORDER, order, rest, send, shop, total};
use crate::support::soon;

#[tokio::test]
async fn a_status_fault_replaces_the_answer_and_skips_the_order() {
    let fault = "- { name: busy, on: http, method: POST, status: 429, retryAfter: 1500ms, body: { why: [busy] } }";
    let mockd = shop(fault).await;
    let answer = order(&mockd).await;
    assert_eq!((answer.status, answer.text.as_str()), (429, r#"{"why":["busy"]}"#));
    assert_eq!((answer.header("retry-after"), answer.header("access-control-allow-origin")), ("2", "*"));
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(mockd.get("/electronics").await.status, 200);
    assert_eq!(total(&mockd).await, 3);
    mockd.control("DELETE", "/__mockd/faults/busy", Value::Null).await;
    assert_eq!(order(&mockd).await.status, 200);
    assert_eq!(total(&mockd).await, 4);
}

#[tokio::test]
async fn a_status_fault_without_a_body_names_the_fault() {
    let mockd = shop("- { name: down, on: http, status: 503 }").await;
    let answer = mockd.get("/electronics").await;
    let expected =
        json!({ "statusCode": 503, "error": "Service Unavailable", "message": "The fault down is in force" });
    assert_eq!((answer.status, answer.json()), (503, expected));
    let unnamed = shop("- { on: http, status: 503 }\n- { name: fault 1, on: http, path: /x, status: 500 }").await;
    for (path, message) in [("/electronics", "The fault 1 is in force"), ("/x", "The fault fault 1 is in force")] {
        assert_eq!(unnamed.get(path).await.json()["message"], message, "{path}");
    }
    // Faults hit neither the page nor the control API.
    assert_eq!(mockd.get("/").await.status, 200);
    assert_eq!(mockd.get("/__mockd/health").await.status, 200);
}

#[tokio::test]
async fn an_order_counts_at_once_though_its_answer_is_delayed() {
    let mockd = shop("- { on: http, method: POST, latency: 300ms }").await;
    let mut stream = send(&mockd, ORDER).await;
    mockd.until("/__mockd/state", |state| state["totals"]["A1"] != 3).await;
    mockd.advance("", "299ms").await;
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    mockd.advance("", "1ms").await;
    let mut answer = [0; 12];
    soon("the answer", stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn latencies_follow_their_distribution() {
    let latencies = async |latency: &str| {
        let mockd = shop(&format!("- {{ on: http, method: GET, latency: {latency} }}")).await;
        mockd.control("POST", "/__mockd/clock", json!({ "resume": true, "speed": 10_000 })).await;
        for _ in 0..40 {
            assert_eq!(mockd.get("/electronics").await.status, 200);
        }
        let journal = mockd.get("/__mockd/journal?kind=request").await.json();
        let entries = journal["entries"].as_array().unwrap().iter();
        let mut millis: Vec<f64> = entries
            .map(|entry| {
                let did = entry["faults"][0]["did"].as_str().unwrap();
                let time = did.strip_prefix("answered ").and_then(|rest| rest.strip_suffix(" later")).unwrap();
                mockd::scenario::parse_duration(time).unwrap().as_secs_f64() * 1e3
            })
            .collect();
        assert_eq!(millis.len(), 40);
        millis.sort_by(f64::total_cmp);
        millis
    };
    let uniform = latencies("{ min: 100ms, max: 200ms }").await;
    assert!(uniform[0] >= 100.0 && uniform[0] < 130.0 && uniform[39] > 170.0 && uniform[39] <= 200.0, "{uniform:?}");
    let around = latencies("{ mean: 100ms, jitter: 10ms }").await;
    assert!(around[0] >= 90.0 && around[39] <= 110.0, "{around:?}");
    let normal = latencies("{ mean: 500ms, deviation: 50ms }").await;
    assert!((470.0..530.0).contains(&normal[20]) && normal[0] < 460.0 && normal[39] > 540.0, "{normal:?}");
    let lognormal = latencies("{ median: 100ms, sigma: 1 }").await;
    assert!((50.0..200.0).contains(&lognormal[20]) && lognormal[39] > 250.0 && lognormal[0] > 0.0, "{lognormal:?}");
}

#[tokio::test]
async fn connections_are_reset_before_or_within_an_answer() {
    let mockd =
        shop("- { on: http, method: POST, reset: true }\n- { on: http, method: GET, reset: true, after: 40 }").await;
    let mut stream = send(&mockd, ORDER).await;
    assert_eq!(rest(&mut stream).await, (String::new(), Err(std::io::ErrorKind::ConnectionReset)));
    assert_eq!(total(&mockd).await, 3);
    let (received, end) = rest(&mut send(&mockd, LIST).await).await;
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
    assert_eq!((received.len(), &received[..15]), (40, "HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn an_empty_answer_closes_the_connection_cleanly() {
    let mockd = shop("- { on: http, method: POST, empty: true }").await;
    assert_eq!(rest(&mut send(&mockd, ORDER).await).await, (String::new(), Ok(())));
    assert_eq!(total(&mockd).await, 3);
}

#[cfg(unix)]
#[tokio::test]
async fn timed_out_requests_are_closed_when_due_or_never() {
    let mockd = shop("- { on: http, method: POST, timeout: 30s }\n- { on: http, method: GET, timeout: never }").await;
    let (mut closed, mut never) = (send(&mockd, ORDER).await, send(&mockd, LIST).await);
    let both = |journal: &Value| journal["entries"].as_array().unwrap().len() == 2;
    mockd.until("/__mockd/journal?kind=request", both).await;
    mockd.advance("", "29s").await;
    assert_eq!(closed.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    mockd.advance("", "1s").await;
    assert_eq!(rest(&mut closed).await, (String::new(), Ok(())));
    mockd.advance("", "24h").await;
    assert_eq!(never.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // Even this request does not delay the shutdown.
    mockd.signal("TERM");
    assert_eq!(rest(&mut never).await.0, "");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_body_trickles_at_its_bandwidth_in_world_time() {
    let mockd = shop("- { on: http, bandwidth: 10 }").await;
    let clock = mockd.control("POST", "/__mockd/clock", json!({ "resume": true, "speed": 100_000 })).await;
    assert_eq!(clock["paused"], false);
    let expected = r#"[{"id":"B1","name":"Chewy Toffee","rrp":"0.99","info":"Sticks."}]"#;
    let (answer, end) = rest(&mut send(&mockd, LIST).await).await;
    assert!(answer.ends_with(&format!("\r\n\r\n{expected}")) && end == Ok(()), "{answer}");
    let at = mockd.get("/__mockd/clock").await.json()["at"].as_str().unwrap().to_owned();
    // The 65 bytes of the body take 6.5 s.
    assert!(mockd::scenario::parse_duration(&at).unwrap().as_secs_f64() >= 6.5, "{at}");
}

#[tokio::test]
async fn json_is_truncated_and_content_length_is_wrong() {
    let mockd = shop("- { on: http, category: confectionery, malformed: true }").await;
    let answer = mockd.get("/confectionery").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"[{"id":"B1","name":"Chewy Toffee"#));
    assert!(serde_json::from_str::<Value>(&answer.text).is_err());
    for (offset, length) in [(5, 70), (-5, 60)] {
        let mockd = shop(&format!("- {{ on: http, contentLength: {offset} }}")).await;
        let (answer, end) = rest(&mut send(&mockd, LIST).await).await;
        assert!(answer.contains(&format!("\r\ncontent-length: {length}\r\n")) && end == Ok(()), "{answer}");
        assert!(answer.ends_with(r#"[{"id":"B1","name":"Chewy Toffee","rrp":"0.99","info":"Sticks."}]"#), "{answer}");
    }
}

#[tokio::test]
async fn faults_up_to_the_first_that_answers_are_journalled() {
    let mockd = shop(
        "- { name: slow, on: http, latency: 2s }\n- { name: trickle, on: http, bandwidth: 1 }\n\
         - { name: busy, on: http, status: 503 }\n- { name: broken, on: http, reset: true }",
    )
    .await;
    let (answer, ()) = tokio::join!(order(&mockd), async {
        mockd.until("/__mockd/journal", |journal| journal.to_string().contains("answered with 503")).await;
        mockd.advance("", "2s").await;
    });
    assert_eq!(answer.status, 503);
    let entries = mockd.get("/__mockd/journal?kind=request").await.json()["entries"].clone();
    let expected = json!([
        { "fault": "slow", "did": "answered 2s later" }, { "fault": "busy", "did": "answered with 503" }
    ]);
    assert_eq!(entries[0]["faults"], expected);
    assert_eq!(mockd.get("/__mockd/faults/broken").await.json()["hit"], 0);
}
