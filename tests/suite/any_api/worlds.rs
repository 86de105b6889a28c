//! Worlds are isolated, whatever the API.

use serde_json::json;

use super::{NOTES, add, advance, paused, texts};
use crate::support::{EventStream, http};

#[tokio::test]
async fn each_world_has_its_own_rows_and_values() {
    let mockd = paused(NOTES).await;
    assert_eq!(add(&mockd, "/@a", "of a").await, 3);
    assert_eq!(add(&mockd, "/@b", "of b").await, 3);
    assert_eq!(mockd.send("PUT", "/@a/price", Some(&json!(12))).await.status, 204);
    assert_eq!(texts(&mockd, "/@a").await, ["one", "two", "of a"]);
    assert_eq!(texts(&mockd, "/@b").await, ["one", "two", "of b"]);
    assert_eq!(texts(&mockd, "").await, ["one", "two"]);
    for (world, price) in [("/@a", 12), ("/@b", 10), ("", 10)] {
        assert_eq!(mockd.get(&format!("{world}/price")).await.json(), price, "{world}");
    }
}

#[tokio::test]
async fn a_header_selects_the_world_as_a_path_does() {
    let mockd = paused(NOTES).await;
    let headers = [("x-mockd-world", "a"), ("content-type", "application/json")];
    let added = http("POST", &format!("{}/notes", mockd.url()), &headers, Some(r#"{"text":"of a"}"#)).await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(texts(&mockd, "/@a").await, ["one", "two", "of a"]);
    assert_eq!(texts(&mockd, "").await, ["one", "two"]);
}

#[tokio::test]
async fn a_stream_receives_changes_of_its_own_world_only() {
    let mockd = paused(NOTES).await;
    let mut a = EventStream::open(&mockd, "/@a/live").await;
    let mut b = EventStream::open(&mockd, "/@b/live").await;
    for stream in [&mut a, &mut b] {
        assert_eq!(stream.text().await, "10");
    }
    add(&mockd, "", "of nobody").await;
    add(&mockd, "/@a", "of a").await;
    add(&mockd, "/@b", "of b").await;
    assert_eq!(a.data().await["row"]["text"], "of a");
    assert_eq!(b.data().await["row"]["text"], "of b");
}

#[tokio::test]
async fn removing_a_world_ends_its_streams() {
    let mockd = paused(NOTES).await;
    let mut a = EventStream::open(&mockd, "/@a/live").await;
    let mut b = EventStream::open(&mockd, "/@b/live").await;
    for stream in [&mut a, &mut b] {
        assert_eq!(stream.text().await, "10");
    }
    mockd.control("DELETE", "/__mockd/worlds/a", json!(null)).await;
    assert_eq!(a.event().await, None);
    add(&mockd, "/@b", "of b").await;
    assert_eq!(b.data().await["row"]["text"], "of b");
}

#[tokio::test]
async fn the_clock_of_one_world_does_not_affect_another() {
    let mockd = paused(&format!("{NOTES}random: [{{ every: 1s, add: {{ notes: {{ text: tick }} }} }}]\n")).await;
    advance(&mockd, "/@a", "3s").await;
    assert_eq!(texts(&mockd, "/@a").await, ["one", "two", "tick", "tick", "tick"]);
    assert_eq!(texts(&mockd, "/@b").await, ["one", "two"]);
    assert_eq!(mockd.get("/@b/__mockd/clock").await.json()["at"], "0s");
}

#[tokio::test]
async fn an_endpoint_at_the_root_is_served_and_recorded_in_a_world() {
    let mockd = paused("websocket: { /: { messages: [{ reply: $msg }] } }\n").await;
    for (path, world) in [("/", ""), ("/@a", "/@a"), ("/@a/", "/@a")] {
        let mut socket = mockd.socket(path).await;
        socket.send("hello").await;
        assert_eq!(socket.text().await, "hello", "{path}");
        let entries = mockd.get(&format!("{world}/__mockd/journal?kind=request")).await.json()["entries"].clone();
        assert_eq!(entries[0]["path"], "/", "{path}: {entries}");
    }
}
