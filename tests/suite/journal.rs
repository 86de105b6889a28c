//! The journal of requests, sockets and frames.

mod bodies;
mod failures;
mod frames;
mod routes;
mod verdicts;

use serde_json::{Value, json};

use crate::support::frame::{CLOSE, FINAL_TEXT, masked};
use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile};

async fn paused() -> Mockd {
    paused_with(&[]).await
}

async fn paused_with(arguments: &[&str]) -> Mockd {
    Mockd::run_with(ScenarioFile::new(SHOP).path(), &[&["--paused"], arguments].concat()).await
}

async fn entries(mockd: &Mockd, query: &str) -> Vec<Value> {
    let journal = mockd.get(&format!("/__mockd/journal{query}")).await.json();
    journal["entries"].as_array().unwrap_or_else(|| panic!("{journal}")).clone()
}

async fn verify(mockd: &Mockd, request: Value) -> Value {
    mockd.control("POST", "/__mockd/verify", request).await
}

/// An entry without its headers, which depend on the client.
fn plain(mut entry: Value) -> Value {
    entry.as_object_mut().unwrap().remove("headers");
    entry
}

#[tokio::test]
async fn requests_sockets_and_frames_are_journalled_in_order() {
    let mockd = paused().await;
    let mut live = mockd.live("confectionery").await;
    live.text().await;
    mockd.order("A1", 2).await;
    live.text().await;
    live.update_category("nothing").await;
    live.close().await;
    wait_for(&mockd, json!({ "kind": "closed" })).await;
    assert_eq!(mockd.get("/foo?x=1").await.status, 404);
    let expected = json!([
        { "sequence": 1, "at": "0s", "world": "default", "kind": "request", "method": "GET",
          "path": "/orders/confectionery", "answer": { "status": 101 } },
        { "sequence": 2, "at": "0s", "world": "default", "kind": "opened", "socket": 1, "category": "confectionery" },
        { "sequence": 3, "at": "0s", "world": "default", "kind": "sent", "sockets": [1],
          "body": { "id": "B1", "total": 101 } },
        { "sequence": 4, "at": "0s", "world": "default", "kind": "request", "method": "POST", "path": "/orders/A1",
          "body": { "amount": 2 }, "answer": { "status": 200, "body": { "ok": true } } },
        { "sequence": 5, "at": "0s", "world": "default", "kind": "sent", "sockets": [1], "event": 1,
          "body": { "id": "A1", "total": 5 } },
        { "sequence": 6, "at": "0s", "world": "default", "kind": "received", "socket": 1,
          "body": { "cmd": "update-category", "payload": { "category": "nothing" } } },
        { "sequence": 7, "at": "0s", "world": "default", "kind": "closed", "socket": 1, "code": 1000, "by": "client" },
        { "sequence": 8, "at": "0s", "world": "default", "kind": "request", "method": "GET", "path": "/foo",
          "query": "x=1", "answer": { "status": 404,
            "body": { "message": "Route GET:/foo?x=1 not found", "error": "Not Found", "statusCode": 404 } } },
    ]);
    let all: Vec<Value> = entries(&mockd, "").await.into_iter().map(plain).collect();
    assert_eq!(Value::from(all), expected);
}

async fn wait_for(mockd: &Mockd, expectation: Value) -> Value {
    let verdict = mockd.control("POST", "/__mockd/journal/wait", json!({ "for": expectation, "timeout": "20s" })).await;
    assert_eq!(verdict["pass"], true, "{verdict}");
    verdict
}

#[tokio::test]
async fn the_journal_has_the_close_code_of_every_socket() {
    let mockd = paused().await;
    let closed = |socket: u64| json!({ "kind": "closed", "socket": socket });
    RawSocket::open(mockd.address(), "/orders/none").await.send(0x83, b"").await;
    wait_for(&mockd, closed(1)).await;
    drop(mockd.live("none").await);
    wait_for(&mockd, closed(2)).await;
    RawSocket::open(mockd.address(), "/orders/none").await.send(0x88, b"").await;
    wait_for(&mockd, closed(3)).await;
    let ends: Vec<Value> = entries(&mockd, "?kind=closed").await;
    let ends: Vec<(&Value, &Value)> = ends.iter().map(|entry| (&entry["code"], &entry["by"])).collect();
    let (client, server) = (json!("client"), json!("server"));
    assert_eq!(ends, [(&json!(1002), &server), (&Value::Null, &client), (&json!(1005), &client)]);
}

#[tokio::test]
async fn the_end_of_a_socket_is_journalled_after_its_last_frame() {
    const FRAMES: usize = 12;
    let scenario = "
data: { log: [] }
websocket: { /log: { messages: [{ add: { log: { n: $msg.n } } }] } }
";
    let mockd = Mockd::run(&ScenarioFile::new(scenario)).await;
    let message = |number: usize| masked(FINAL_TEXT, json!({ "n": number }).to_string().as_bytes());
    let close = masked(CLOSE, &1000_u16.to_be_bytes());
    // Everything arrives at once, so the close frame is read before the rules have handled the messages.
    let bytes = (0..FRAMES).map(message).chain([close]).collect::<Vec<_>>().concat();
    for socket in 1..=40 {
        let mut client = RawSocket::open(mockd.address(), "/log").await;
        client.send_bytes(&bytes).await;
        client.ended().await;
        wait_for(&mockd, json!({ "kind": "closed", "socket": socket })).await;
        let kinds: Vec<Value> =
            entries(&mockd, &format!("?socket={socket}")).await.iter().map(|entry| entry["kind"].clone()).collect();
        let expected = [&["opened"][..], &["received"; FRAMES], &["closed"]].concat();
        assert_eq!(json!(kinds), json!(expected), "socket {socket}");
    }
}

#[tokio::test]
async fn all_filters_of_a_query_must_match() {
    let mockd = paused().await;
    mockd.order("A1", 1).await;
    mockd.order("A2", 2).await;
    mockd.get("/electronics").await;
    mockd.get("/foo").await;
    for (query, expected) in [
        ("?method=post", &[1, 2][..]),
        ("?path=/orders/*", &[1, 2]),
        ("?path=/orders/A2&status=200", &[2]),
        ("?path=/orders/A2&status=404", &[]),
        ("?status=404", &[4]),
        ("?kind=request&after=2", &[3, 4]),
        ("?after=1&limit=2", &[2, 3]),
        ("?bodyContains=%3A2", &[2]),
        ("?kind=sent", &[]),
    ] {
        let found: Vec<u64> =
            entries(&mockd, query).await.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    for (query, field) in [("kind=reqest", "kind"), ("pth=/x", "pth"), ("status=abc", "status"), ("after=-1", "after")]
    {
        let answer = mockd.get(&format!("/__mockd/journal?{query}")).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{query} {}", answer.text);
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_are_text_or_a_byte_count() {
    let mockd = paused().await;
    let url = format!("{}/orders/A1", mockd.url());
    let http = async |body: Vec<u8>| reqwest::Client::new().post(&url).body(body).send().await.unwrap().status();
    assert_eq!(http(b"amount=1".to_vec()).await, 415);
    assert_eq!(http(vec![0xff; 9]).await, 415);
    assert_eq!(http(vec![b'x'; 100_000]).await, 415);
    assert_eq!(http(vec![b'x'; (1 << 20) + 1]).await, 413);
    assert_eq!(http(format!("x{}", "ä".repeat(40_000)).into_bytes()).await, 415);
    let all = entries(&mockd, "").await;
    assert_eq!((&all[0]["text"], &all[1]["bytes"]), (&json!("amount=1"), &json!(9)));
    assert_eq!((all[2]["text"].as_str().unwrap().len(), &all[2]["cutFrom"]), (64 * 1024, &json!(100_000)));
    assert_eq!((&all[3]["text"], &all[3]["answer"]["status"]), (&Value::Null, &json!(413)));
    // Cut before the character that would cross the limit.
    assert_eq!((all[4]["text"].as_str().unwrap().len(), &all[4]["cutFrom"]), (64 * 1024 - 1, &json!(80_001)));
}

#[tokio::test]
async fn the_journal_is_bounded_and_counts_dropped_entries() {
    let mockd = paused_with(&["--journal", "5"]).await;
    let mut live = mockd.live("nothing").await;
    for _ in 0..8 {
        mockd.order("A1", 1).await;
        live.text().await;
    }
    let journal = mockd.get("/__mockd/journal").await.json();
    // Ten entries of other kinds, including the handshake and the opening, and eight frames.
    assert_eq!(journal["dropped"], json!({ "sent": 3, "other": 5 }));
    assert_eq!(journal["entries"].as_array().unwrap().len(), 10);
    assert_eq!(verify(&mockd, json!({ "expect": [{}] })).await["dropped"]["other"], 5);
    mockd.control("DELETE", "/__mockd/journal", Value::Null).await;
    assert_eq!(mockd.get("/__mockd/journal").await.text, r#"{"entries":[],"dropped":{"sent":0,"other":0}}"#);
}

#[tokio::test]
async fn large_bodies_count_towards_the_bound() {
    let mockd = paused().await;
    let body = "x".repeat(64 * 1024);
    for _ in 0..200 {
        assert_eq!(mockd.post("/electronics", &body).await.status, 400);
    }
    let dropped = mockd.get("/__mockd/journal?limit=0").await.json()["dropped"]["other"].as_u64().unwrap();
    assert!((60..100).contains(&dropped), "the journal keeps 8 MiB, but dropped {dropped} entries");
}

#[tokio::test]
async fn preflights_are_journalled() {
    let mockd = paused().await;
    assert_eq!(mockd.send("OPTIONS", "/orders/A1", None).await.status, 204);
    assert_eq!(entries(&mockd, "?method=OPTIONS").await[0]["answer"]["status"], 204);
}

#[tokio::test]
async fn requests_of_the_built_in_page_are_not_journalled() {
    let mockd = paused().await;
    for path in
        ["/", "/index.html", "/style.css", "/app.js", "/live.js", "/products.js", "/?api=x", "/@a/", "/@a/app.js"]
    {
        assert_eq!(mockd.get(path).await.status, 200, "{path}");
        assert_eq!(mockd.send("HEAD", path, None).await.status, 200, "{path}");
    }
    let mut page = mockd.live("__none?notices=1").await;
    mockd.control("PATCH", "/__mockd/state", json!({ "totals": { "A1": 4 } })).await;
    assert_eq!(page.text().await, r#"{"id":"A1","total":4}"#);
    page.close().await;
    mockd.until("/__mockd/sockets", |sockets| sockets["sockets"] == json!([])).await;
    assert_eq!(entries(&mockd, "").await, [] as [Value; 0]);
    assert_eq!(mockd.get("/@a/__mockd/journal").await.json()["entries"], json!([]));
    // The user's actions on the page are journalled.
    let mut page = mockd.live("__none?notices=1").await;
    page.update_category("electronics").await;
    page.texts(2).await;
    mockd.order("A1", 1).await;
    page.text().await;
    page.close().await;
    wait_for(&mockd, json!({ "kind": "closed", "socket": 2 })).await;
    let kinds: Vec<Value> = entries(&mockd, "").await.into_iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["received", "opened", "sent", "sent", "request", "sent", "closed"]);
    let opened = entries(&mockd, "?kind=opened").await;
    assert_eq!((opened.len(), &opened[0]["socket"], &opened[0]["category"]), (1, &json!(2), &json!("electronics")));
    // Its socket has one entry for the opening, and one for the close, whichever category it requested last.
    let mut page = mockd.live("__none").await;
    for category in ["electronics", "__none", "confectionery", "__none"] {
        page.update_category(category).await;
    }
    page.close().await;
    wait_for(&mockd, json!({ "kind": "closed", "socket": 3 })).await;
    let opened = entries(&mockd, "?kind=opened&socket=3").await;
    assert_eq!((opened.len(), &opened[0]["category"]), (1, &json!("electronics")));
}

#[tokio::test]
async fn other_files_and_faulted_requests_are_journalled() {
    let file = ScenarioFile::new(&format!("{SHOP}  style.css: {{ prefix: S, products: [] }}\n"));
    std::fs::create_dir(file.directory().join("site")).unwrap();
    std::fs::write(file.directory().join("site/app.js"), "mine").unwrap();
    let site = file.directory().join("site");
    let paths = async |mockd: &Mockd| -> Vec<String> {
        let all = entries(mockd, "").await;
        all.iter().map(|entry| format!("{} {}", entry["path"].as_str().unwrap(), entry["answer"]["status"])).collect()
    };
    let with_site = Mockd::run_with(file.path(), &["--paused", "--static", site.to_str().unwrap()]).await;
    for path in ["/app.js", "/", "/style.css"] {
        with_site.get(path).await;
    }
    assert_eq!(paths(&with_site).await, ["/app.js 200", "/ 404", "/style.css 200"]);
    let built_in = Mockd::run_with(file.path(), &["--paused"]).await;
    for path in ["/style.css", "/favicon.ico", "/app.js/", "/orders/__none"] {
        built_in.get(path).await;
    }
    built_in.post("/app.js", "{}").await;
    built_in.control("POST", "/__mockd/faults", json!({ "on": "http", "path": "/app.js", "status": 503 })).await;
    built_in.get("/app.js").await;
    let expected =
        ["/style.css 200", "/favicon.ico 404", "/app.js/ 404", "/orders/__none 426", "/app.js 404", "/app.js 503"];
    assert_eq!(paths(&built_in).await, expected);
}

#[tokio::test]
async fn without_a_journal_mockd_still_works() {
    let mockd = paused_with(&["--journal", "0"]).await;
    let mut live = mockd.live("nothing").await;
    mockd.order("A1", 1).await;
    assert_eq!(live.text().await, r#"{"id":"A1","total":4}"#);
    assert_eq!(mockd.get("/__mockd/journal").await.text, r#"{"entries":[],"dropped":{"sent":0,"other":0}}"#);
}
