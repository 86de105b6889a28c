//! Streams of server-sent events: the control API for them, and faults that affect them.

use serde_json::{Value, json};

use crate::support::{EventStream, Mockd, SHOP, ScenarioFile, poll};

const ROOMS: &str = "
data: { rows: [{ id: 1, n: 0 }] }
http:
  GET /rooms/{room}/events: { stream: [{ reply: hello }, { join: { to: rows, frame: $event.row.n } }] }
  /rows: { crud: rows }
";

/// Starts a paused shop that also has streams, with the `faults` of a scenario.
async fn rooms_with(faults: &str) -> Mockd {
    Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{ROOMS}{faults}")).path(), &["--paused", "--seed", "7"]).await
}

async fn rooms() -> Mockd {
    rooms_with("").await
}

async fn open(mockd: &Mockd, room: &str) -> EventStream {
    EventStream::open(mockd, &format!("/rooms/{room}/events")).await
}

/// Opens a stream and reads its first event, so that it has joined its topic.
async fn open_greeted(mockd: &Mockd, room: &str) -> EventStream {
    let mut events = open(mockd, room).await;
    assert_eq!(events.event().await.unwrap(), "data: hello");
    events
}

/// Adds a row, which sends an event to all streams.
async fn add(mockd: &Mockd, n: i64) {
    assert_eq!(mockd.send("POST", "/rows", Some(&json!({ "n": n }))).await.status, 201);
}

async fn add_fault(mockd: &Mockd, fault: Value) {
    mockd.control("POST", "/__mockd/faults", fault).await;
}

async fn remove_faults(mockd: &Mockd) {
    mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
}

/// Returns the number of the stream and the effect of each hit in the journal, such as `1 dropped`.
async fn fault_effects(mockd: &Mockd) -> Vec<String> {
    let journal = mockd.get("/__mockd/journal?kind=faulted").await.json();
    let entries = journal["entries"].as_array().unwrap().iter();
    entries.map(|entry| format!("{} {}", entry["socket"], entry["did"].as_str().unwrap())).collect()
}

/// Waits until `sent` events are written to the first socket, and returns all open ones.
async fn sockets_after(mockd: &Mockd, sent: u64) -> Vec<Value> {
    let list = mockd.until("/__mockd/sockets", |list| list["sockets"][0]["sent"] == sent).await;
    list["sockets"].as_array().unwrap().clone()
}

#[tokio::test]
async fn streams_are_listed_by_path_beside_sockets() {
    let mockd = rooms().await;
    let _events = open_greeted(&mockd, "a%20b").await;
    let _live = mockd.live("nothing").await;
    let mut list = sockets_after(&mockd, 1).await;
    assert!(list[0]["age"].take().is_string());
    let stream = json!({ "socket": 1, "world": "default", "stream": "/rooms/a b/events", "topics": ["rows"], "opened": "0s",
        "age": null, "sent": 1, "received": 0, "backlog": 0, "caughtUp": 0 });
    assert_eq!(list[0], stream);
    assert_eq!((list[1]["category"].clone(), list[1].get("stream")), (json!("nothing"), None));
}

#[tokio::test]
async fn a_stream_receives_sent_frames_and_ends_when_closed() {
    let mockd = rooms().await;
    let (mut events, mut other) = (open_greeted(&mockd, "a").await, open_greeted(&mockd, "b").await);
    for (frame, event) in [
        (json!({ "json": { "event": "x", "data": [1] } }), "event: x\ndata: [1]"),
        (json!({ "json": { "n": 1 } }), "data: {\"n\":1}"),
        (json!({ "text": "{\"data\":1}" }), "data: {\"data\":1}"),
        (json!({ "binary": "AP8=" }), "data: AP8="),
    ] {
        mockd.control("POST", "/__mockd/sockets/1/send", frame).await;
        assert_eq!(events.event().await.unwrap(), event);
    }
    let closed = mockd.control("POST", "/__mockd/sockets/1/close", json!({ "code": 4001 })).await;
    assert_eq!(closed, json!({ "closed": [1] }));
    assert_eq!(events.next().await.unwrap(), None);
    add(&mockd, 1).await;
    assert_eq!(other.event().await.unwrap(), "data: 1");
    let entry = mockd.get("/__mockd/journal?kind=closed").await.json()["entries"][0].clone();
    assert_eq!((&entry["socket"], &entry["by"], &entry["code"]), (&json!(1), &json!("server"), &Value::Null));
}

#[tokio::test]
async fn an_opened_stream_can_be_verified_by_its_path() {
    let mockd = rooms().await;
    let _events = open_greeted(&mockd, "a").await;
    let expected = async |expectation: Value| {
        mockd.control("POST", "/__mockd/verify", json!({ "expect": [expectation] })).await["pass"].clone()
    };
    assert_eq!(expected(json!({ "kind": "opened", "path": "/rooms/*", "exactly": 1 })).await, true);
    assert_eq!(expected(json!({ "kind": "opened", "path": "/rooms/b/*" })).await, false);
    // Without a kind, the path matches only the request, not the stream that it opened.
    assert_eq!(expected(json!({ "path": "/rooms/a/events", "exactly": 1 })).await, true);
    let entry = mockd.get("/__mockd/journal?kind=opened").await.json()["entries"][0].clone();
    assert_eq!((&entry["stream"], entry.get("category")), (&json!("/rooms/a/events"), None));
}

#[tokio::test]
async fn dropped_events_are_not_sent_later() {
    let mockd = rooms().await;
    let (mut hit, mut spared) = (open_greeted(&mockd, "a").await, open_greeted(&mockd, "b").await);
    add_fault(&mockd, json!({ "on": "stream", "path": "/rooms/a/*", "drop": true })).await;
    add(&mockd, 1).await;
    assert_eq!(spared.event().await.unwrap(), "data: 1");
    remove_faults(&mockd).await;
    add(&mockd, 2).await;
    assert_eq!((hit.event().await.unwrap(), spared.event().await.unwrap()), ("data: 2".into(), "data: 2".into()));
    assert_eq!(fault_effects(&mockd).await, ["1 dropped"]);
}

#[tokio::test]
async fn events_are_dropped_or_duplicated_by_chance() {
    let mockd = rooms().await;
    let (mut hit, mut spared) = (open_greeted(&mockd, "a").await, open_greeted(&mockd, "b").await);
    add_fault(&mockd, json!({ "on": "stream", "path": "/rooms/a/*", "duplicate": true })).await;
    add(&mockd, 1).await;
    assert_eq!(hit.events(2).await, ["data: 1", "data: 1"]);
    remove_faults(&mockd).await;
    add_fault(&mockd, json!({ "on": "stream", "path": "/rooms/a/*", "drop": true, "chance": "50%" })).await;
    for n in 2..42 {
        add(&mockd, n).await;
    }
    assert_eq!(spared.events(41).await.last().unwrap(), "data: 41");
    remove_faults(&mockd).await;
    add(&mockd, 42).await;
    let mut received = Vec::new();
    while received.last().is_none_or(|last| last != "data: 42") {
        received.push(hit.event().await.unwrap());
    }
    let dropped = fault_effects(&mockd).await.iter().filter(|did| *did == "1 dropped").count();
    assert!((10..30).contains(&dropped), "{dropped}");
    assert_eq!(received.len() + dropped, 41);
}

#[tokio::test]
async fn delayed_events_follow_the_worlds_clock_in_order() {
    let mockd = rooms().await;
    let mut events = open_greeted(&mockd, "a").await;
    sockets_after(&mockd, 1).await;
    add_fault(&mockd, json!({ "on": "stream", "latency": "2s" })).await;
    add(&mockd, 1).await;
    mockd.advance("", "1999ms").await;
    add(&mockd, 2).await;
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"][0]["sent"], 1);
    mockd.advance("", "1ms").await;
    assert_eq!(events.event().await.unwrap(), "data: 1");
    assert_eq!(sockets_after(&mockd, 2).await.len(), 1);
    mockd.advance("", "1999ms").await;
    assert_eq!(events.event().await.unwrap(), "data: 2");
}

#[tokio::test]
async fn faults_affect_the_first_events_of_a_stream() {
    let mockd = rooms_with("faults: [{ on: stream, drop: true, until: 1s }]").await;
    let mut events = open(&mockd, "a").await;
    mockd.advance("", "1s").await;
    add(&mockd, 1).await;
    assert_eq!(events.event().await.unwrap(), "data: 1");
    assert_eq!(fault_effects(&mockd).await, ["1 dropped"]);
}

#[tokio::test]
async fn a_stream_is_reset_at_once_or_after_some_events() {
    let mockd = rooms().await;
    let mut hit = open_greeted(&mockd, "a").await;
    add_fault(&mockd, json!({ "on": "stream", "reset": true })).await;
    assert!(hit.next().await.is_err());
    // A stream that is opened later is not hit.
    let mut later = open_greeted(&mockd, "a").await;
    add_fault(&mockd, json!({ "on": "stream", "path": "/rooms/b/*", "reset": true, "after": 3 })).await;
    let mut counted = open(&mockd, "b").await;
    for n in 1..5 {
        add(&mockd, n).await;
    }
    assert_eq!(counted.events(3).await, ["data: hello", "data: 1", "data: 2"]);
    assert!(counted.next().await.is_err());
    assert_eq!(later.events(4).await, ["data: 1", "data: 2", "data: 3", "data: 4"]);
    assert_eq!(fault_effects(&mockd).await, ["1 reset", "3 reset"]);
}

#[tokio::test]
async fn a_fault_skips_some_streams_and_hits_a_limited_number() {
    let mockd = rooms_with("faults: [{ on: stream, skip: 1, times: 1, drop: true }]").await;
    let _first = open_greeted(&mockd, "a").await;
    let _hit = open(&mockd, "a").await;
    let mut last = open_greeted(&mockd, "a").await;
    add(&mockd, 1).await;
    assert_eq!(last.event().await.unwrap(), "data: 1");
    let both = async || Some(fault_effects(&mockd).await).filter(|did| did.len() == 2);
    assert_eq!(poll("both events dropped", both).await, ["2 dropped", "2 dropped"]);
    let fault = mockd.get("/__mockd/faults").await.json()["faults"][0].clone();
    assert_eq!((&fault["matched"], &fault["hit"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn socket_faults_spare_streams_and_vice_versa() {
    let mockd = rooms().await;
    let mut events = open_greeted(&mockd, "a").await;
    let mut live = mockd.live("confectionery").await;
    assert_eq!(live.order().await.1, 101);
    for fault in [json!({ "on": "websocket", "drop": true }), json!({ "on": "websocket", "freeze": true })] {
        add_fault(&mockd, fault).await;
        add(&mockd, 1).await;
        assert_eq!(events.event().await.unwrap(), "data: 1");
        remove_faults(&mockd).await;
    }
    add_fault(&mockd, json!({ "on": "stream", "drop": true })).await;
    mockd.order("B1", 1).await;
    assert_eq!(live.order().await.1, 102);
    remove_faults(&mockd).await;
    add_fault(&mockd, json!({ "on": "websocket", "storm": "5s" })).await;
    assert_eq!(live.close_code().await, 1012);
    add(&mockd, 2).await;
    assert_eq!(events.event().await.unwrap(), "data: 2");
}

#[tokio::test]
async fn http_faults_hit_requests_that_open_streams() {
    let mockd = rooms().await;
    add_fault(&mockd, json!({ "on": "http", "path": "/rooms/*", "status": 503 })).await;
    assert_eq!(mockd.get("/rooms/a/events").await.status, 503);
    remove_faults(&mockd).await;
    assert_eq!(mockd.get("/__mockd/journal?kind=opened").await.json()["entries"], json!([]));
    // These effects need an answer with a known length.
    for effect in [
        json!({ "malformed": true }),
        json!({ "contentLength": 10 }),
        json!({ "bandwidth": 1 }),
        json!({ "reset": true, "after": 10 }),
    ] {
        let mut fault = effect;
        (fault["on"], fault["path"]) = ("http".into(), "/rooms/*".into());
        add_fault(&mockd, fault).await;
        let mut events = open_greeted(&mockd, "a").await;
        add(&mockd, 1).await;
        assert_eq!(events.event().await.unwrap(), "data: 1");
        remove_faults(&mockd).await;
    }
}

#[tokio::test]
async fn a_stream_request_lists_only_faults_that_hit_it() {
    let faults = "
faults:
  - { name: broken, on: http, path: /rooms/*, malformed: true }
  - { name: late, on: http, path: /rooms/*, latency: 1s, times: 1 }
";
    let mockd = rooms_with(faults).await;
    mockd.control("POST", "/__mockd/clock", json!({ "resume": true, "speed": 10_000 })).await;
    let _streams = [open_greeted(&mockd, "a").await, open_greeted(&mockd, "b").await];
    let entries = mockd.get("/__mockd/journal?path=/rooms/*").await.json()["entries"].clone();
    assert_eq!(entries[0]["faults"], json!([{ "fault": "late", "did": "answered 1s later" }]));
    assert_eq!(entries[1].get("faults"), None);
    let brief = mockd.get("/__mockd/journal?path=/rooms/*&brief=true").await.json()["entries"].clone();
    assert_eq!((&brief[0]["fault"], &brief[1]["fault"]), (&json!("late"), &Value::Null));
}
