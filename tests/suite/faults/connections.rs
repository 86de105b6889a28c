//! Faults that clients hide by retrying requests. While one is active, every request gets its own connection.

use serde_json::{Value, json};

use super::{lift, quiet_shop, shop};
use crate::support::{Browser, Connection, Mockd, needs, poll};

const LIST: &str = "GET /electronics HTTP/1.1\r\nhost: localhost\r\n";
/// Headers that each identify a browser. Browsers send the first only to trustworthy origins, such as localhost.
const FROM_BROWSER: [&str; 3] = [
    "sec-fetch-site: same-origin\r\n",
    "user-agent: Mozilla/5.0 (Linux; Android 10; K)\r\n",
    "origin: http://a.example\r\n",
];

/// Returns faults, each with whether browsers hide it.
fn faults() -> [(Value, bool); 11] {
    [
        (json!({ "empty": true }), true),
        (json!({ "reset": true }), true),
        (json!({ "reset": true, "after": 40 }), true),
        (json!({ "timeout": "1s" }), true),
        (json!({ "status": 408 }), true),
        (json!({ "status": 421 }), false),
        (json!({ "status": 503 }), false),
        (json!({ "latency": "1s" }), false),
        (json!({ "malformed": true }), false),
        (json!({ "bandwidth": 1000 }), false),
        (json!({ "contentLength": 1 }), false),
    ]
}

fn on_other_paths(fault: &Value) -> Value {
    let mut fault = fault.clone();
    fault["on"] = "http".into();
    fault["path"] = "/nowhere".into();
    fault
}

async fn add(mockd: &Mockd, world: &str, fault: &Value) {
    mockd.control("POST", &format!("{world}/__mockd/faults"), on_other_paths(fault)).await;
}

fn closes(head: &str) -> bool {
    head.lines().any(|line| line.strip_prefix("connection: ").is_some_and(|value| value.contains("close")))
}

#[tokio::test]
async fn only_faults_that_browsers_hide_close_connections() {
    for (fault, is_hidden) in faults() {
        let mockd = quiet_shop().await;
        let request = format!("{LIST}\r\n");
        let mut connection = Connection::open(&mockd).await;
        assert!(!closes(&connection.request(request.as_bytes()).await.0), "{fault}");
        add(&mockd, "", &fault).await;
        // An idle connection of another client is not cut off.
        assert_eq!(closes(&connection.request(request.as_bytes()).await.0), is_hidden, "{fault}");
        if is_hidden {
            assert!(connection.head().await.is_none(), "{fault}");
        }
        // Other worlds are affected too: a browser may reuse the connection of one world for another.
        for target in ["/@other/electronics", "/app.js", "/nothing/at/all", "/__mockd/health", "/orders/A1"] {
            let mut connection = Connection::open(&mockd).await;
            let (head, _) =
                connection.request(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await;
            assert_eq!(closes(&head), is_hidden, "{fault} {target} {head}");
        }
        mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
        let mut connection = Connection::open(&mockd).await;
        for _ in 0..2 {
            assert!(!closes(&connection.request(request.as_bytes()).await.0), "{fault}");
        }
    }
}

#[tokio::test]
async fn a_hidden_fault_closes_idle_browser_connections() {
    for world in ["", "/@a"] {
        for header in FROM_BROWSER {
            let mockd = quiet_shop().await;
            let mut connection = Connection::open(&mockd).await;
            assert!(!closes(&connection.request(format!("{LIST}{header}\r\n").as_bytes()).await.0));
            add(&mockd, world, &json!({ "status": 503 })).await;
            assert!(!closes(&connection.request(format!("{LIST}\r\n").as_bytes()).await.0));
            add(&mockd, world, &json!({ "empty": true })).await;
            assert!(connection.head().await.is_none(), "{header}: the connection is still open");
        }
    }
}

#[tokio::test]
async fn a_scheduled_fault_closes_connections_when_it_starts() {
    let mockd = shop("- { on: http, path: /nowhere, empty: true, from: 10s, until: 20s }").await;
    let browser = format!("{LIST}{}\r\n", FROM_BROWSER[0]);
    let mut connection = Connection::open(&mockd).await;
    assert!(!closes(&connection.request(browser.as_bytes()).await.0));
    mockd.advance("", "9s").await;
    assert!(!closes(&connection.request(browser.as_bytes()).await.0));
    mockd.advance("", "1s").await;
    assert!(connection.head().await.is_none());
    let mut connection = Connection::open(&mockd).await;
    assert!(closes(&connection.request(browser.as_bytes()).await.0));
    mockd.advance("", "10s").await;
    let mut connection = Connection::open(&mockd).await;
    assert!(!closes(&connection.request(browser.as_bytes()).await.0));
}

#[tokio::test]
async fn an_exhausted_fault_closes_no_connections() {
    let mockd = shop("- { on: http, status: 408, times: 2 }").await;
    let request = format!("{LIST}\r\n");
    for (status, is_last) in [("408", true), ("408", false), ("200", false)] {
        let mut connection = Connection::open(&mockd).await;
        let (head, _) = connection.request(request.as_bytes()).await;
        assert_eq!((&head["HTTP/1.1 ".len()..][..3], closes(&head)), (status, is_last), "{head}");
    }
    // Faults of a removed world have no effect either.
    add(&mockd, "/@gone", &json!({ "empty": true })).await;
    mockd.control("DELETE", "/__mockd/worlds/gone", Value::Null).await;
    let stays_open = async || {
        let mut connection = Connection::open(&mockd).await;
        (!closes(&connection.request(request.as_bytes()).await.0)).then_some(())
    };
    poll("a connection that stays open", stays_open).await;
}

#[tokio::test]
async fn sockets_work_while_each_request_has_its_own_connection() {
    let mockd = quiet_shop().await;
    let mut before = mockd.live("electronics").await;
    before.order().await;
    add(&mockd, "", &json!({ "empty": true })).await;
    let mut after = mockd.live("electronics").await;
    assert_eq!(after.order().await, ("A1".into(), 3));
    lift(&mockd).await;
    mockd.order("A1", 1).await;
    assert_eq!(after.texts(2).await[1], r#"{"id":"A1","total":4}"#);
}

#[tokio::test]
async fn a_page_in_chromium_sees_every_one_time_fault() {
    needs!(Browser);
    let mockd = Mockd::shop().await;
    let browser = Browser::open(600, 400).await;
    // A page without requests of its own, which could use up the fault.
    browser.goto(&format!("{}/__mockd/health", mockd.url())).await;
    let fetch = async || {
        browser.eval("fetch('/electronics', { cache: 'no-store' }).then((answer) => answer.status, () => 'lost')").await
    };
    // Browsers open connections in advance, and repeat a request on such a connection too. Six requests at once use all.
    let use_all_connections = async || {
        let slow = json!({ "on": "http", "path": "/electronics", "latency": "100ms" });
        mockd.control("POST", "/__mockd/faults", slow).await;
        let six = "Promise.all([1, 2, 3, 4, 5, 6].map(() => fetch('/electronics', { cache: 'no-store' })))";
        assert_eq!(browser.eval(&format!("{six}.then((all) => all.length)")).await, 6);
        lift(&mockd).await;
    };
    for (fault, seen) in [
        (json!({ "empty": true }), json!("lost")),
        (json!({ "reset": true }), json!("lost")),
        (json!({ "timeout": "1ms" }), json!("lost")),
        (json!({ "status": 408 }), json!(408)),
    ] {
        use_all_connections().await;
        let mut once = fault.clone();
        once["on"] = "http".into();
        // The browser may ask for other paths, such as an icon.
        once["path"] = "/electronics".into();
        once["times"] = 1.into();
        mockd.control("POST", "/__mockd/faults", once).await;
        mockd.control("DELETE", "/__mockd/journal", Value::Null).await;
        assert_eq!(fetch().await, seen, "{fault}");
        let journal = mockd.get("/__mockd/journal?kind=request&path=/electronics").await.json();
        assert_eq!(journal["entries"].as_array().unwrap().len(), 1, "{fault} {journal}");
        assert_eq!(fetch().await, 200, "{fault}");
    }
    browser.close().await;
}
