//! Streams of any API: slow clients, their events, and how they end.

use futures_util::future::join;
use serde_json::{Value, json};

use super::{NOTES, add, advance, paused};
use crate::support::{EventStream, Mockd, ScenarioFile};

/// Frames in one burst, below a stream's limit.
const BURST: usize = 500;

/// Frames that exceed all buffers between mockd and a client.
const MAX_SENT: usize = 30_000;

#[tokio::test]
async fn a_slow_stream_is_closed_and_others_receive_everything() {
    let long = "x".repeat(4_000);
    let scenario = format!(
        "
data: {{ long: {long} }}
http:
  GET /live: {{ stream: [{{ join: news }}] }}
  POST /burst: {{ do: [{{ each: '{{{{ range({BURST}) }}}}', send: {{ to: news, frame: {{ data: $long, id: $index }} }} }}] }}
"
    );
    let mockd = Mockd::run(&ScenarioFile::new(&scenario)).await;
    let event = |at: usize| format!("id: {}\ndata: {long}", at % BURST);
    let slow = EventStream::open(&mockd, "/live").await;
    let mut reader = EventStream::open(&mockd, "/live").await;
    let mut sent = 0;
    loop {
        let reading = async {
            for at in 0..BURST {
                assert_eq!(reader.event().await.unwrap(), event(at));
            }
        };
        let (burst, ()) = join(mockd.send("POST", "/burst", None), reading).await;
        assert_eq!(burst.status, 204, "{}", burst.text);
        sent += BURST;
        let sockets = mockd.get("/__mockd/sockets").await.json();
        // The slow stream is closed although its client does not read.
        if sockets["sockets"].as_array().unwrap().len() == 1 {
            break;
        }
        assert!(sent < MAX_SENT, "a stream that is not read stays open");
    }
    let seen = slow.rest().await;
    assert!(seen.len() < sent, "{} of {sent}", seen.len());
    assert!(
        seen.iter().enumerate().all(|(at, seen)| *seen == event(at)),
        "frames differ from those sent, or are out of order"
    );
    let journal = mockd.until("/__mockd/journal?kind=closed", |journal| journal["entries"] != json!([])).await;
    let closed = &journal["entries"][0];
    assert_eq!((&closed["socket"], &closed["by"]), (&json!(1), &json!("server")));
    let behind = mockd.get("/__mockd/journal?kind=behind").await.json();
    assert_eq!(behind["entries"][0]["socket"], 1);
    let (burst, next) = join(mockd.send("POST", "/burst", None), reader.event()).await;
    assert_eq!((burst.status, next), (204, Some(event(0))));
}

#[cfg(unix)]
#[tokio::test]
async fn streams_end_when_mockd_exits() {
    let mockd = Mockd::run(&ScenarioFile::new(NOTES)).await;
    let mut streams = [EventStream::open(&mockd, "/live").await, EventStream::open(&mockd, "/@a/live").await];
    for stream in &mut streams {
        assert_eq!(stream.text().await, "10");
    }
    mockd.signal("TERM");
    let [one, other] = streams;
    assert_eq!((one.rest().await.len(), other.rest().await.len()), (0, 0));
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_snapshot_and_later_events_neither_skip_nor_repeat_rows() {
    let mockd = paused(&NOTES.replace("{ event: price, data: $price }", "$notes")).await;
    let adding = async {
        for at in 0..200 {
            add(&mockd, "", &at.to_string()).await;
        }
    };
    let watching = async {
        let mut seen = 0;
        while seen < 202 {
            let mut stream = EventStream::open(&mockd, "/live").await;
            seen = stream.data().await.as_array().unwrap().len();
            for next in (seen + 1..=202).take(5) {
                assert_eq!(stream.data().await["row"]["id"], next);
                seen = next;
            }
        }
    };
    join(adding, watching).await;
}

#[tokio::test]
async fn a_member_gets_only_matching_events_in_its_own_frame() {
    let mockd = paused(
        "
data: { messages: [] }
http:
  /messages: { crud: messages }
  GET /rooms/{room}/live:
    stream:
      - join:
          to: messages
          where: { change: added, row: { room: $path.room } }
          frame: { event: $topic, id: $event.row.id, data: \"{{ path.room }}: {{ event.row.text }}\" }
",
    )
    .await;
    let mut a = EventStream::open(&mockd, "/rooms/a/live").await;
    let mut b = EventStream::open(&mockd, "/rooms/b/live").await;
    for (room, text) in [("a", "one"), ("b", "two"), ("a", "three")] {
        let added = mockd.send("POST", "/messages", Some(&json!({ "room": room, "text": text }))).await;
        assert_eq!(added.status, 201, "{}", added.text);
    }
    assert_eq!(a.event().await.unwrap(), "event: messages\nid: 1\ndata: a: one");
    assert_eq!(a.event().await.unwrap(), "event: messages\nid: 3\ndata: a: three");
    assert_eq!(b.event().await.unwrap(), "event: messages\nid: 2\ndata: b: two");
}

#[tokio::test]
async fn a_stream_of_a_collection_and_a_row_gets_each_change_once() {
    let mockd = paused(&NOTES.replace("{ join: notes }", "{ join: [notes, notes/1] }")).await;
    let mut live = EventStream::open(&mockd, "/live").await;
    assert_eq!(live.text().await, "10");
    for text in ["three", "four"] {
        assert_eq!(mockd.send("PATCH", "/notes/1", Some(&json!({ "text": text }))).await.status, 200);
        assert_eq!(live.data().await["row"]["text"], text);
    }
    let sent = mockd.get("/__mockd/journal?kind=sent").await.json();
    assert_eq!(sent["entries"].as_array().unwrap().len(), 3, "{sent}");
}

#[tokio::test]
async fn the_steps_of_a_stream_end_with_it() {
    let mockd = paused(
        "
data: { ticks: 0 }
http:
  GET /ticks: { stream: [{ times: 3, every: 1s, reply: tick }, { close: {} }] }
  GET /for-ever: { stream: [{ times: forever, every: 1s, reply: tick }] }
",
    )
    .await;
    let three = EventStream::open(&mockd, "/ticks").await;
    advance(&mockd, "", "10s").await;
    assert_eq!(three.rest().await, ["data: tick"; 3]);
    drop(EventStream::open(&mockd, "/for-ever").await);
    mockd.until("/__mockd/sockets", |answer| answer["sockets"] == json!([])).await;
    // The step that finds its stream closed is the last one.
    advance(&mockd, "", "2s").await;
    assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], Value::Null);
}

#[tokio::test]
async fn head_of_a_stream_answers_at_once_and_does_not_open_it() {
    let mockd = paused(
        "
data: { asked: 0 }
http:
  GET /endless:
    set: { asked: '{{ asked + 1 }}' }
    headers: { x-asked: '{{ asked }}' }
    stream: [{ times: forever, every: 1s, reply: tick }]
  GET /asked: { body: $asked }
",
    )
    .await;
    let head = mockd.send("HEAD", "/endless", None).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("content-length", ""),
        ("x-asked", "1"),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
    // The steps before the answer run; those of the stream do not.
    assert_eq!(mockd.get("/asked").await.json(), 1);
    assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], Value::Null);
    assert_eq!(mockd.get("/__mockd/journal?kind=opened").await.json()["entries"], json!([]));
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"], json!([]));
    let mut stream = EventStream::open(&mockd, "/endless").await;
    assert_eq!(stream.event().await.unwrap(), "data: tick");
}

#[tokio::test]
async fn an_event_whose_data_is_undefined_is_refused() {
    let mockd = paused("http: { GET /q: { stream: [{ reply: { event: q, data: $query.q } }] } }").await;
    let refused = mockd.get("/q").await;
    assert_eq!(refused.status, 500, "{}", refused.text);
    assert!(refused.text.contains("`query.q` is undefined"), "{}", refused.text);
    assert_eq!(EventStream::open(&mockd, "/q?q=a").await.event().await.unwrap(), "event: q\ndata: a");
}

#[tokio::test]
async fn a_row_that_looks_like_an_event_is_data() {
    let mockd = paused(
        "
data: { gigs: [] }
http:
  /gigs: { crud: gigs }
  GET /live: { stream: [{ join: { to: gigs, frame: $event.row } }] }
",
    )
    .await;
    let mut live = EventStream::open(&mockd, "/live").await;
    for row in [json!({ "id": 1, "event": "gig" }), json!({ "id": 2, "comment": "great" })] {
        assert_eq!(mockd.send("POST", "/gigs", Some(&row)).await.status, 201);
        assert_eq!(live.data().await, row);
    }
}

#[tokio::test]
async fn a_quiet_stream_gets_heartbeats_and_then_its_events() {
    let scenario = "
http:
  GET /live: { stream: [{ reply: { id: 1, data: first } }, { join: news }] }
  POST /say: { send: { to: news, frame: hi } }
";
    let mockd = Mockd::run_with(ScenarioFile::new(scenario).path(), &["--ping", "50ms"]).await;
    let mut live = EventStream::open(&mockd, "/live").await;
    assert_eq!(live.event().await.unwrap(), "id: 1\ndata: first");
    // Nothing ends an event here: some clients would report an empty event with the last id.
    live.heartbeats(10).await;
    assert_eq!(mockd.send("POST", "/say", None).await.status, 204);
    assert_eq!(live.event().await.unwrap(), "data: hi");
}
