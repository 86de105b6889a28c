//! Control of endpoint sockets by tests: worlds, resets, snapshots, manual frames and closes.

use futures_util::future::join;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::paused;
use crate::support::{Mockd, Socket};

const NEWS: &str = r#"
data: { notes: [] }
http:
  /notes: { crud: notes }
  POST /news: { send: { to: news, frame: $body } }
websocket:
  /live:
    open: [{ reply: "{{ notes | length }} notes" }, { join: news }]
    messages:
      - { match: { do: all }, send: { frame: $msg.frame } }
      - { text: ping, reply: pong }
    closed: [{ add: { notes: { gone: $conn.id } } }]
"#;

/// The reason in the close frame after a reset or a restored snapshot.
const REPLACED: &str = "the world's state was replaced";

async fn live(mockd: &Mockd, prefix: &str) -> Socket {
    let mut socket = mockd.socket(&format!("{prefix}/live")).await;
    assert_eq!(socket.text().await, "0 notes");
    socket
}

/// Asserts that the socket has no pending frames: the next frame is the answer to a message.
async fn assert_no_frames(socket: &mut Socket) {
    socket.send("ping").await;
    assert_eq!(socket.text().await, "pong");
}

#[tokio::test]
async fn sockets_of_two_worlds_are_isolated() {
    let mockd = paused(NEWS).await;
    let (mut one, mut other) = (live(&mockd, "").await, live(&mockd, "/@a").await);
    assert_eq!(mockd.send("POST", "/@a/news", Some(&json!(1))).await.status, 204);
    one.send_json(json!({ "do": "all", "frame": "all" })).await;
    assert_eq!((one.text().await, other.text().await), ("all".to_owned(), "1".to_owned()));
    assert_no_frames(&mut one).await;
    assert_no_frames(&mut other).await;
    for (prefix, world) in [("", "default"), ("/@a", "a")] {
        let list = mockd.get(&format!("{prefix}/__mockd/sockets")).await.json();
        assert_eq!((list["sockets"].as_array().unwrap().len(), &list["sockets"][0]["world"]), (1, &json!(world)));
    }
    let (answer, closed) = join(mockd.send("DELETE", "/__mockd/worlds/a", None), other.closed()).await;
    assert_eq!((answer.status, closed), (200, (1001, "the world has ended".to_owned())));
    assert_no_frames(&mut one).await;
}

#[tokio::test]
async fn a_reset_and_a_restored_snapshot_close_with_1012() {
    let mockd = paused(NEWS).await;
    for path in ["/__mockd/reset", "/__mockd/snapshots/start/restore"] {
        mockd.control("POST", "/__mockd/snapshots", json!({ "name": "start" })).await;
        let mut socket = live(&mockd, "").await;
        assert_eq!(mockd.send("POST", "/notes", Some(&json!({ "text": "one" }))).await.status, 201);
        let (_, closed) = join(mockd.control("POST", path, Value::Null), socket.closed()).await;
        assert_eq!(closed, (1012, REPLACED.to_owned()), "{path}");
        // Sockets that were opened before the restored state add no row when they close.
        assert_eq!(mockd.get("/notes").await.json(), json!([]), "{path}");
        drop(live(&mockd, "").await);
        mockd.until("/notes", |notes| notes.as_array().unwrap().len() == 1).await;
        mockd.control("POST", "/__mockd/reset", Value::Null).await;
    }
}

#[tokio::test]
async fn manual_frames_and_closes_reach_one_socket_or_all() {
    let mockd = paused(NEWS).await;
    let (mut one, mut two) = (live(&mockd, "").await, live(&mockd, "").await);
    mockd.control("POST", "/__mockd/sockets/1/send", json!({ "json": { "a": 1 } })).await;
    mockd.control("POST", "/__mockd/sockets/send", json!({ "binary": "AP8=" })).await;
    assert_eq!(one.json().await, json!({ "a": 1 }));
    for socket in [&mut one, &mut two] {
        assert_eq!(socket.message().await, Message::binary(vec![0, 255]));
    }
    let close = json!({ "code": 4001, "reason": "told to" });
    let (answer, closed) = join(mockd.control("POST", "/__mockd/sockets/2/close", close), two.closed()).await;
    assert_eq!((answer, closed), (json!({ "closed": [2] }), (4001, "told to".to_owned())));
    mockd.until("/notes", |notes| *notes == json!([{ "id": 1, "gone": 2 }])).await;
    assert_no_frames(&mut one).await;
}

#[tokio::test]
async fn the_journal_has_the_messages_and_frames_of_sockets() {
    let mockd = paused(NEWS).await;
    let (mut one, mut two) = (live(&mockd, "").await, live(&mockd, "").await);
    one.send_json(json!({ "do": "all", "frame": [1] })).await;
    assert_eq!((one.json().await, two.json().await), (json!([1]), json!([1])));
    one.close().await;
    let is_closed = |journal: &Value| journal["entries"] != json!([]);
    let closed = mockd.until("/__mockd/journal?kind=closed", is_closed).await;
    assert_eq!((&closed["entries"][0]["socket"], &closed["entries"][0]["by"]), (&json!(1), &json!("client")));
    let opened = mockd.get("/__mockd/journal?kind=opened").await.json();
    assert_eq!((&opened["entries"][1]["socket"], &opened["entries"][1]["path"]), (&json!(2), &json!("/live")));
    let received = mockd.get("/__mockd/journal?kind=received").await.json();
    let entry = &received["entries"][0];
    assert_eq!((&entry["body"], &entry["rule"]), (&json!({ "do": "all", "frame": [1] }), &json!(1)));
    let sent = mockd.get("/__mockd/journal?kind=sent").await.json();
    assert_eq!((&sent["entries"][2]["sockets"], &sent["entries"][2]["body"]), (&json!([1, 2]), &json!([1])));
}
