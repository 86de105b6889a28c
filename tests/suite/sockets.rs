//! The control API for open sockets.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile};

async fn paused() -> Mockd {
    Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused"]).await
}

#[tokio::test]
async fn sockets_are_listed_with_their_properties() {
    let mockd = paused().await;
    let mut live = mockd.live_in("/@a", "electronics").await;
    let _other = mockd.live_in("/@a", "nothing").await;
    live.texts(2).await;
    live.update_category("confectionery").await;
    live.text().await;
    mockd.advance("/@a", "10s").await;
    let list = mockd.get("/@a/__mockd/sockets").await.json();
    let mut first = list["sockets"][0].clone();
    assert!(first["age"].as_str().unwrap().ends_with('s'));
    first["age"].take();
    let expected = json!({ "socket": 1, "world": "a", "category": "confectionery", "opened": "0s", "age": null,
        "sent": 3, "received": 1, "backlog": 0, "caughtUp": 0 });
    assert_eq!(first, expected);
    assert_eq!(list["sockets"].as_array().unwrap().len(), 2);
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"], json!([]));
}

#[tokio::test]
async fn sockets_are_closed_with_a_code_after_their_pending_frames() {
    let mockd = paused().await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(mockd.live("nothing").await);
    }
    mockd.order("A1", 1).await;
    let close = json!({ "code": 4001, "reason": "told to" });
    let closing = mockd.control("POST", "/__mockd/sockets/2/close", close);
    let reading = async {
        assert_eq!(sockets[1].text().await, r#"{"id":"A1","total":4}"#);
        sockets[1].message().await
    };
    let (answer, frame) = futures_util::future::join(closing, reading).await;
    assert_eq!(answer, json!({ "closed": [2] }));
    assert!(
        matches!(&frame, Message::Close(Some(frame)) if u16::from(frame.code) == 4001 && frame.reason == "told to")
    );
    let closing = mockd.control("POST", "/__mockd/sockets/close", Value::Null);
    let reading = async { (sockets[0].close_code().await, sockets[2].close_code().await) };
    let (answer, codes) = futures_util::future::join(closing, reading).await;
    assert_eq!((answer, codes), (json!({ "closed": [1, 3] }), (1000, 1000)));
    let closed = mockd.get("/__mockd/journal?kind=closed&code=4001").await.json();
    assert_eq!((&closed["entries"][0]["socket"], &closed["entries"][0]["by"]), (&json!(2), &json!("server")));
}

#[tokio::test]
async fn an_unknown_category_is_warned_about_once() {
    let mut mockd = paused().await;
    let warning = |name: &str, advice: &str| {
        format!("unknown category `{name}`, so the socket receives no current orders{advice}")
    };
    let mut live = mockd.live("electronic").await;
    assert_eq!(mockd.logged("unknown category").await, warning("electronic", "; did you mean `electronics`?"));
    // Repeated, existing and reserved names cause no warning.
    for name in ["electronic", "electronics", "__none", "Confectionary"] {
        live.update_category(name).await;
    }
    assert_eq!(mockd.log_until("Confectionary").await, [warning("Confectionary", "; did you mean `confectionery`?")]);
    drop(mockd.live("%0a%1b%5b1m").await);
    assert_eq!(mockd.logged("unknown category").await, warning("\u{fffd}\u{fffd}[1m", ""));
    live.update_category(&"長い".repeat(1_000)).await;
    assert_eq!(mockd.logged("unknown category").await, warning(&"長い".repeat(32), ""));
    drop(mockd.live_in("/@a", "electronic").await);
    assert_eq!(mockd.logged("unknown category").await, warning("electronic", "; did you mean `electronics`?"));
    // The client received only the orders of the category that exists.
    assert_eq!(live.texts(2).await, [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7}"#]);
}

#[tokio::test]
async fn at_most_32_unknown_categories_per_world_are_logged() {
    let mut mockd = paused().await;
    let mut live = mockd.live("nothing-0").await;
    for number in 1..40 {
        live.update_category(&format!("nothing-{number}")).await;
    }
    live.update_category("electronics").await;
    live.texts(2).await;
    // Another world has its own count, and its warning comes after those of this one.
    drop(mockd.live_in("/@a", "other").await);
    let warnings = mockd.log_until("`other`").await;
    let end = "sockets asked for more than 32 unknown categories; the log names no further ones";
    let last: Vec<bool> = warnings.iter().map(|line| line.contains(end)).collect();
    assert_eq!(last, [&[false; 32][..], &[true, false]].concat(), "{warnings:#?}");
}

#[tokio::test]
async fn a_socket_that_does_not_read_can_still_be_closed() {
    let script = "orders: { scripts: [{ repeat: forever, steps: [{ at: 1us, product: A1, amount: 1 }] }] }\n";
    let file = ScenarioFile::new(&format!("{SHOP}{script}"));
    let mockd = Mockd::run_with(file.path(), &[]).await;
    let mut stuck = RawSocket::open(mockd.address(), "/orders/nothing").await;
    // Until the kernel's buffers are full.
    let is_stuck = |answer: &Value| answer["sockets"][0]["backlog"].as_u64().unwrap() >= 100_000;
    mockd.until("/__mockd/sockets", is_stuck).await;
    assert_eq!(mockd.control("POST", "/__mockd/sockets/1/close", Value::Null).await, json!({ "closed": [1] }));
    stuck.ended().await;
}

#[tokio::test]
async fn raw_frames_go_to_one_or_all_sockets_in_order() {
    let mockd = paused().await;
    let (mut one, mut two) = (mockd.live("nothing").await, mockd.live("nothing").await);
    mockd.order("A1", 1).await;
    mockd.control("POST", "/__mockd/sockets/1/send", json!({ "text": "{not json" })).await;
    mockd.control("POST", "/__mockd/sockets/send", json!({ "json": { "id": "A1", "total": "?" } })).await;
    mockd.control("POST", "/__mockd/sockets/1/send", json!({ "json": [[1, 2]] })).await;
    mockd.control("POST", "/__mockd/sockets/1/send", json!({ "json": null })).await;
    mockd.control("POST", "/__mockd/sockets/1/send", json!({ "binary": "AP8=" })).await;
    mockd.order("A1", 1).await;
    let frames = [r#"{"id":"A1","total":4}"#, "{not json", r#"{"id":"A1","total":"?"}"#];
    assert_eq!(one.texts(3).await, frames);
    assert_eq!(one.texts(2).await, ["[[1,2]]", "null"]);
    assert_eq!(one.message().await, Message::binary(vec![0, 255]));
    assert_eq!(one.text().await, r#"{"id":"A1","total":5}"#);
    assert_eq!(two.texts(3).await, [frames[0], frames[2], r#"{"id":"A1","total":5}"#]);
    let sent = mockd.get("/__mockd/journal?kind=sent&bodyContains=not").await.json();
    assert_eq!((&sent["entries"][0]["sockets"], &sent["entries"][0]["text"]), (&json!([1]), &json!("{not json")));
}

#[tokio::test]
async fn invalid_requests_are_refused_and_name_the_field() {
    let mockd = paused().await;
    let _live = mockd.live("nothing").await;
    for (path, request, field) in [
        ("sockets/close", json!({ "code": 1005 }), "code"),
        ("sockets/close", json!({ "code": 999 }), "code"),
        ("sockets/close", json!({ "code": 70_000 }), "code"),
        ("sockets/close", json!({ "reason": "x".repeat(124) }), "reason"),
        ("sockets/1/close", json!({ "cod": 1000 }), "cod"),
        ("sockets/one/close", json!({}), "socket"),
        ("sockets/send", json!({}), "body"),
        ("sockets/send", json!({ "text": "a", "json": 1 }), "body"),
        ("sockets/send", json!({ "binary": "?" }), "binary"),
    ] {
        let answer = mockd.send("POST", &format!("/__mockd/{path}"), Some(&request)).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{request} {}", answer.text);
    }
    for path in ["sockets/2/close", "sockets/2/send"] {
        let answer = mockd.send("POST", &format!("/__mockd/{path}"), Some(&json!({}))).await;
        let expected = if path.ends_with("send") { 400 } else { 404 };
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
    let gone = mockd.send("POST", "/__mockd/sockets/2/send", Some(&json!({ "text": "" }))).await;
    assert_eq!((gone.status, &gone.json()["message"]), (404, &json!("socket 2 is not open")));
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().len(), 1);
}
