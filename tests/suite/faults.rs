//! Faults over HTTP: what a client meets, in which order, and what stays right underneath.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Mockd, SHOP, ScenarioFile, http, raw, soon};

/// A shop with these faults, in which time stands still.
async fn shop(faults: &str) -> Mockd {
    let file = ScenarioFile::new(&format!("{SHOP}\nseed: 7\nfaults:\n{faults}"));
    Mockd::run_with(file.path(), &["--paused"]).await
}

async fn order(mockd: &Mockd) -> Answer {
    mockd.post("/orders/A1", r#"{"amount":1}"#).await
}

async fn total(mockd: &Mockd) -> Value {
    mockd.get("/__mockd/state").await.json()["totals"]["A1"].clone()
}

const ORDER: &[u8] = b"POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"amount\":1}";
const LIST: &[u8] = b"GET /confectionery HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Sends a request on a connection of its own.
async fn send(mockd: &Mockd, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

/// Reads to the end, and says how it came.
async fn rest(stream: &mut TcpStream) -> (String, Result<(), std::io::ErrorKind>) {
    let mut bytes = Vec::new();
    let end = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    (String::from_utf8(bytes).unwrap(), end.map(drop).map_err(|error| error.kind()))
}

#[tokio::test]
async fn an_error_comes_in_place_of_the_answer_with_a_body_and_retry_after_and_nothing_is_ordered() {
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
async fn without_a_body_the_error_names_the_fault() {
    let mockd = shop("- { name: down, on: http, status: 503 }").await;
    let answer = mockd.get("/electronics").await;
    let expected =
        json!({ "statusCode": 503, "error": "Service Unavailable", "message": "The fault down is in force" });
    assert_eq!((answer.status, answer.json()), (503, expected));
    // The page, and control, are not the API.
    assert_eq!(mockd.get("/").await.status, 200);
    assert_eq!(mockd.get("/__mockd/health").await.status, 200);
}

#[tokio::test]
async fn the_first_fail_and_then_all_succeed_or_the_other_way_round() {
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
async fn a_share_of_requests_is_hit_and_the_same_ones_on_every_run() {
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
async fn what_it_matches_is_method_path_category_and_product() {
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
async fn a_late_answer_comes_when_its_time_has_come_and_the_order_counts_at_once() {
    let mockd = shop("- { on: http, method: POST, latency: 300ms }").await;
    let mut stream = send(&mockd, ORDER).await;
    while total(&mockd).await == 3 {}
    mockd.advance("", "299ms").await;
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    mockd.advance("", "1ms").await;
    let mut answer = [0; 12];
    soon("the answer", stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn latencies_are_drawn_from_their_distribution() {
    let did = async |latency: &str| {
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
    let uniform = did("{ min: 100ms, max: 200ms }").await;
    assert!(uniform[0] >= 100.0 && uniform[0] < 130.0 && uniform[39] > 170.0 && uniform[39] <= 200.0, "{uniform:?}");
    let around = did("{ mean: 100ms, jitter: 10ms }").await;
    assert!(around[0] >= 90.0 && around[39] <= 110.0, "{around:?}");
    let normal = did("{ mean: 500ms, deviation: 50ms }").await;
    assert!((470.0..530.0).contains(&normal[20]) && normal[0] < 460.0 && normal[39] > 540.0, "{normal:?}");
    let lognormal = did("{ median: 100ms, sigma: 1 }").await;
    assert!((50.0..200.0).contains(&lognormal[20]) && lognormal[39] > 250.0 && lognormal[0] > 0.0, "{lognormal:?}");
}

#[tokio::test]
async fn connections_are_reset_before_an_answer_or_in_the_middle_of_it() {
    let mockd =
        shop("- { on: http, method: POST, reset: true }\n- { on: http, method: GET, reset: true, after: 40 }").await;
    let mut stream = send(&mockd, ORDER).await;
    assert_eq!(rest(&mut stream).await, (String::new(), Err(std::io::ErrorKind::ConnectionReset)));
    assert_eq!(total(&mockd).await, 3);
    let (begun, end) = rest(&mut send(&mockd, LIST).await).await;
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
    assert_eq!((begun.len(), &begun[..15]), (40, "HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn an_empty_answer_is_the_end_of_the_connection_in_order() {
    let mockd = shop("- { on: http, method: POST, empty: true }").await;
    assert_eq!(rest(&mut send(&mockd, ORDER).await).await, (String::new(), Ok(())));
    assert_eq!(total(&mockd).await, 3);
}

#[tokio::test]
async fn a_request_that_times_out_is_closed_when_its_time_has_come_or_never() {
    let mockd = shop("- { on: http, method: POST, timeout: 30s }\n- { on: http, method: GET, timeout: never }").await;
    let (mut closed, mut never) = (send(&mockd, ORDER).await, send(&mockd, LIST).await);
    while mockd.get("/__mockd/journal?kind=request").await.json()["entries"].as_array().unwrap().len() < 2 {}
    mockd.advance("", "29s").await;
    assert_eq!(closed.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    mockd.advance("", "1s").await;
    assert_eq!(rest(&mut closed).await, (String::new(), Ok(())));
    mockd.advance("", "24h").await;
    assert_eq!(never.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // Not even that keeps the server from its end.
    mockd.signal("TERM");
    assert_eq!(rest(&mut never).await.0, "");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_body_trickles_at_its_rate_in_the_worlds_time() {
    let mockd = shop("- { on: http, bandwidth: 10 }").await;
    let whole = mockd.control("POST", "/__mockd/clock", json!({ "resume": true, "speed": 100_000 })).await;
    assert_eq!(whole["paused"], false);
    let expected = r#"[{"id":"B1","name":"Chewy Toffee","rrp":"0.99","info":"Sticks."}]"#;
    let (answer, end) = rest(&mut send(&mockd, LIST).await).await;
    assert!(answer.ends_with(&format!("\r\n\r\n{expected}")) && end == Ok(()), "{answer}");
    let at = mockd.get("/__mockd/clock").await.json()["at"].as_str().unwrap().to_owned();
    // Its 65 bytes take 6.5 s.
    assert!(mockd::scenario::parse_duration(&at).unwrap().as_secs_f64() >= 6.5, "{at}");
}

#[tokio::test]
async fn json_breaks_off_and_a_content_length_is_wrong() {
    let mockd = shop("- { on: http, category: confectionery, malformed: true }").await;
    let answer = mockd.get("/confectionery").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"[{"id":"B1","name":"Chewy Toffee"#));
    assert!(serde_json::from_str::<Value>(&answer.text).is_err());
    for (off, length) in [(5, 70), (-5, 60)] {
        let mockd = shop(&format!("- {{ on: http, contentLength: {off} }}")).await;
        let (answer, end) = rest(&mut send(&mockd, LIST).await).await;
        assert!(answer.contains(&format!("\r\ncontent-length: {length}\r\n")) && end == Ok(()), "{answer}");
        assert!(answer.ends_with(r#"[{"id":"B1","name":"Chewy Toffee","rrp":"0.99","info":"Sticks."}]"#), "{answer}");
    }
}

#[tokio::test]
async fn a_fault_begins_and_ends_with_the_worlds_time_and_the_transcript_tells_of_it() {
    let mockd = shop("- { name: noon, on: http, method: POST, from: 10s, until: 20s, status: 500 }").await;
    let phase = async |mockd: &Mockd| mockd.get("/__mockd/faults/noon").await.json()["phase"].clone();
    assert_eq!((order(&mockd).await.status, phase(&mockd).await), (200, json!("waiting")));
    mockd.advance("", "10s").await;
    assert_eq!((order(&mockd).await.status, phase(&mockd).await), (500, json!("active")));
    let active = mockd.get("/__mockd/state").await.json()["faults"].clone();
    assert_eq!(
        (&active[0]["label"], &active[0]["hit"], &active[0]["until"]),
        (&json!("noon"), &json!(1), &json!("20s"))
    );
    mockd.advance("", "10s").await;
    assert_eq!((order(&mockd).await.status, phase(&mockd).await), (200, json!("over")));
    assert_eq!(mockd.get("/__mockd/state").await.json()["faults"], json!([]));
    let transcript = mockd.get("/__mockd/transcript").await.text;
    assert!(transcript.contains(r#"{"at":"10s","sequence":2,"event":"fault-began","fault":"noon"}"#), "{transcript}");
    assert!(transcript.contains(r#"{"at":"20s","sequence":3,"event":"fault-ended","fault":"noon"}"#), "{transcript}");
}

#[tokio::test]
async fn a_step_brings_a_fault_and_its_repeats_bring_no_second_one() {
    let file = ScenarioFile::new(&format!(
        "{SHOP}\norders: {{ scripts: [{{ repeat: 3, steps: [\
         {{ at: 5s, fault: {{ on: http, method: POST, until: 2s, status: 500 }} }}, {{ at: 10s, product: A1, amount: 1 }}] }}] }}"
    ));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    for _ in 0..3 {
        assert_eq!(order(&mockd).await.status, 200);
        mockd.advance("", "5s").await;
        assert_eq!(order(&mockd).await.status, 500);
        assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"].as_array().unwrap().len(), 1);
        mockd.advance("", "5s").await;
    }
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"], json!([]));
}

#[tokio::test]
async fn the_journal_says_what_a_fault_did_to_which_request() {
    let mockd = shop("- { name: busy, on: http, method: POST, times: 1, status: 503 }").await;
    order(&mockd).await;
    order(&mockd).await;
    let entries = mockd.get("/__mockd/journal?kind=request").await.json()["entries"].clone();
    assert_eq!(entries[0]["faults"], json!([{ "fault": "busy", "did": "answered with 503" }]));
    assert_eq!((&entries[0]["answer"]["status"], &entries[1]["answer"]["status"]), (&json!(503), &json!(200)));
    assert_eq!(entries[1]["faults"], Value::Null);
}

#[tokio::test]
async fn faults_are_brought_changed_and_lifted_while_it_runs_each_in_its_world() {
    let mockd = shop("- { name: declared, on: http, method: POST, path: /nothing, status: 500 }").await;
    let fault = json!({ "name": "mine", "on": "http", "method": "POST", "status": 500, "until": "10s" });
    mockd.advance("/@a", "1m").await;
    let added = mockd.control("POST", "/@a/__mockd/faults", fault.clone()).await;
    let expected = json!({
        "id": 2, "label": "mine", "source": "api", "phase": "active", "from": "1m", "until": "1m10s",
        "matched": 0, "hit": 0,
        "fault": { "name": "mine", "on": "http", "method": "POST", "until": "10s", "status": 500 },
    });
    assert_eq!(added, expected);
    let status = async |path: &str| mockd.post(path, r#"{"amount":1}"#).await.status;
    assert_eq!((status("/@a/orders/A1").await, status("/orders/A1").await), (500, 200));
    mockd
        .control(
            "PUT",
            "/@a/__mockd/faults/2",
            json!({ "name": "mine", "on": "http", "method": "POST", "status": 404 }),
        )
        .await;
    assert_eq!(status("/@a/orders/A1").await, 404);
    mockd.control("DELETE", "/@a/__mockd/faults/mine", Value::Null).await;
    assert_eq!(status("/@a/orders/A1").await, 200);
    mockd.control("POST", "/@a/__mockd/faults", fault).await;
    mockd.control("DELETE", "/@a/__mockd/faults", Value::Null).await;
    assert_eq!(mockd.get("/@a/__mockd/faults").await.json()["faults"], json!([]));
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"].as_array().unwrap().len(), 1);
    // As the scenario has it again.
    mockd.control("POST", "/@a/__mockd/reset", json!({})).await;
    assert_eq!(mockd.get("/@a/__mockd/faults").await.json()["faults"][0]["label"], "declared");
}

#[tokio::test]
async fn a_fault_that_is_wrong_is_refused_with_its_place_and_nothing_is_changed() {
    let mockd = shop("- { name: declared, on: http, status: 500, path: /nothing }").await;
    for (method, path, body, status, why) in [
        ("POST", "", r#"{"on":"http","statos":500}"#, 400, "unknown key `statos`"),
        ("POST", "", r#"{"on":"http"}"#, 400, "a fault has to say exactly one of"),
        ("POST", "", r#"{"on":"http","freeze":true}"#, 400, "`freeze` has no meaning without `on: websocket`"),
        ("POST", "", r#"{"on":"http","status":200}"#, 400, "expected a status from 400 to 599, found the number 200"),
        ("POST", "", r#"{"on":"websocket","close":1005}"#, 400, "expected a close code"),
        ("POST", "", r#"{"on":"http","status":500,"share":"150%"}"#, 400, "`150%` is not a percentage"),
        ("POST", "", r#"{"on":"http","status":500,"from":"2s","until":"1s"}"#, 400, "`until` is not after `from`"),
        ("POST", "", r#"{"on":"http","category":"electronic","status":500}"#, 400, "did you mean `electronics`?"),
        ("POST", "", "[]", 400, "Body must be a JSON object, not an array"),
        ("POST", "", "on: http", 400, "Body is not valid JSON"),
        ("PUT", "/nobody", r#"{"on":"http","status":500}"#, 404, "Fault nobody not found"),
        ("DELETE", "/nobody", "", 404, "Fault nobody not found"),
        ("GET", "/9", "", 404, "Fault 9 not found"),
    ] {
        let (url, json) = (format!("{}/__mockd/faults{path}", mockd.url()), [("content-type", "application/json")]);
        let body = Some(body).filter(|body| !body.is_empty());
        let answer = http(method, &url, &json, body).await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(answer.status == status && message.contains(why), "{body:?}: {} {message}", answer.status);
    }
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fault_carries_on_over_a_save_that_leaves_it_as_it_is_and_starts_over_if_it_says_something_else() {
    let with = |faults: &str| format!("{SHOP}\nfaults: [{faults}]\n");
    let first = "{ name: one, on: http, method: POST, times: 2, status: 500 }";
    let file = ScenarioFile::new(&with(first));
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    assert_eq!(order(&mockd).await.status, 500);
    mockd
        .control("POST", "/__mockd/faults", json!({ "name": "mine", "on": "http", "path": "/mine", "status": 418 }))
        .await;
    file.write_in_place(&with(&format!("{first}, {{ name: two, on: http, path: /two, status: 501 }}")));
    mockd.logged("fault two added").await;
    assert_eq!((order(&mockd).await.status, order(&mockd).await.status), (500, 200));
    assert_eq!((mockd.get("/two").await.status, mockd.get("/mine").await.status), (501, 418));
    file.write_in_place(&with(&first.replace("500", "503")));
    mockd.logged("fault one changed, fault two removed").await;
    assert_eq!((order(&mockd).await.status, mockd.get("/two").await.status), (503, 404));
    assert_eq!(mockd.get("/mine").await.status, 418);
}

#[tokio::test]
async fn other_worlds_and_the_short_way_are_as_ever_once_it_is_over() {
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

#[tokio::test]
async fn of_several_faults_the_first_that_decides_is_the_last_and_the_journal_has_what_happened() {
    let mockd = shop(
        "- { name: slow, on: http, latency: 2s }\n- { name: trickle, on: http, bandwidth: 1 }\n\
         - { name: busy, on: http, status: 503 }\n- { name: broken, on: http, reset: true }",
    )
    .await;
    let (answer, ()) = tokio::join!(order(&mockd), async {
        while !mockd.get("/__mockd/journal").await.text.contains("answered with 503") {}
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

#[tokio::test]
async fn a_preflight_is_not_the_request_and_head_is_one() {
    let mockd =
        shop("- { on: http, times: 1, status: 503, retryAfter: 1s }\n- { on: http, method: head, status: 501 }").await;
    let url = format!("{}/orders/A1", mockd.url());
    let asked = [("origin", "http://app.example"), ("access-control-request-method", "POST")];
    assert_eq!(http("OPTIONS", &url, &asked, None).await.status, 204);
    let refused = order(&mockd).await;
    assert_eq!((refused.status, refused.header("access-control-expose-headers")), (503, "retry-after"));
    assert_eq!(mockd.send("HEAD", "/electronics", None).await.status, 501);
    let control = http("OPTIONS", &format!("{}/__mockd/faults/1", mockd.url()), &asked, None).await;
    assert!(control.header("access-control-allow-methods").contains("PUT"));
}

#[tokio::test]
async fn only_a_handshake_for_a_socket_is_one() {
    let mockd = shop("- { on: http, status: 503 }").await;
    let headers = [("content-type", "application/json"), ("connection", "upgrade"), ("upgrade", "h2c")];
    let answer = http("POST", &format!("{}/orders/A1", mockd.url()), &headers, Some(r#"{"amount":1}"#)).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_request_that_waits_is_let_go_by_a_reset_by_a_change_and_by_the_end_of_its_fault() {
    for (method, path, body) in [
        ("POST", "/__mockd/reset", json!({})),
        ("PUT", "/__mockd/faults/slow", json!({ "name": "slow", "on": "http", "path": "/nothing", "status": 500 })),
        ("DELETE", "/__mockd/faults", Value::Null),
    ] {
        let mockd = shop("- { name: slow, on: http, method: POST, latency: 1h }").await;
        mockd.advance("", "5h").await;
        let (answer, ()) = tokio::join!(order(&mockd), async {
            while !mockd.get("/__mockd/journal").await.text.contains("answered 1h later") {}
            mockd.control(method, path, body).await;
        });
        assert_eq!(answer.status, 200, "{method} {path}");
    }
}

#[tokio::test]
async fn what_a_step_brought_goes_with_the_step_and_a_save_leaves_what_others_brought() {
    let with = |latency: &str| {
        format!(
            "{SHOP}orders: {{ scripts: [{{ name: s, steps: [\
             {{ at: 1s, fault: {{ name: step, on: http, path: /x, status: {latency} }} }}] }}] }}\n"
        )
    };
    let file = ScenarioFile::new(&with("500"));
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.advance("", "1s").await;
    assert_eq!(mockd.get("/x").await.status, 500);
    file.write_in_place(&with("501"));
    mockd.logged("script s changed").await;
    assert_eq!(mockd.get("/x").await.status, 404);
    mockd.advance("", "1s").await;
    assert_eq!(mockd.get("/x").await.status, 501);
    file.write_in_place(SHOP);
    mockd.logged("script s removed").await;
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"], json!([]));
}

#[tokio::test]
async fn a_name_stands_for_one_fault_and_what_can_never_match_is_said() {
    let mockd = shop("- { name: one, on: http, path: /x, status: 500 }").await;
    let fault = json!({ "name": "one", "on": "http", "path": "/y", "status": 500 });
    assert_eq!(mockd.send("POST", "/__mockd/faults", Some(&fault)).await.status, 409);
    mockd.control("PUT", "/__mockd/faults/one", fault).await;
    let odd = mockd.control("POST", "/__mockd/faults", json!({ "on": "http", "product": "ZZ", "status": 500 })).await;
    assert_eq!(odd["warnings"], json!(["this fault can never match: there is no product `ZZ`"]));
    let number = json!({ "name": "7", "on": "http", "status": 500 });
    assert_eq!(mockd.send("POST", "/__mockd/faults", Some(&number)).await.status, 400);
}
