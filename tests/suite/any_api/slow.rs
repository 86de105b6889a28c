//! Clients that stop reading for a while. If they missed only changes of rows, they are caught up; otherwise, they are
//! closed.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::{EventStream, Mockd, ScenarioFile, Socket, seed};

/// Changes in one request, below a member's limit.
const BURST: usize = 500;

/// Frames in a member's backlog at its limit, plus those that its connection may be writing.
const FAR_BEHIND: u64 = 1_500;

/// Bursts that exceed all buffers between mockd and a client.
const MAX_BURSTS: usize = 60;

/// Returns a scenario with long rows, which soon fill all buffers, and with the streams and sockets that join them.
fn scenario() -> String {
    let long = "x".repeat(4_000);
    let row = |id: u8| format!("{{ id: {id}, n: 0, of: {}, text: {long} }}", if id == 3 { "b" } else { "a" });
    let rows = [1, 2, 3].map(row).join(", ");
    format!(
        "
data: {{ rows: [{rows}], gone: [] }}
http:
  /gone: {{ crud: gone }}
  /rows: {{ crud: rows }}
  GET /live: {{ stream: [{{ reply: $rows }}, {{ join: rows }}] }}
  POST /burst: {{ do: [{{ each: '{{{{ range({BURST}) }}}}', increment: {{ rows: {{ id: '{{{{ index % 3 + 1 }}}}', n: 1 }} }} }}] }}
  POST /news: {{ send: {{ to: news, frame: hi }} }}
websocket:
  /live: {{ open: [{{ reply: $rows }}, {{ join: rows }}] }}
  /a: {{ open: [{{ join: {{ to: rows, where: {{ row: {{ of: a }} }}, frame: $event.row }} }}] }}
  /news: {{ open: [{{ join: [rows, news] }}], closed: [{{ add: {{ gone: {{ id: $conn.id }} }} }}] }}
"
    )
}

/// A client's view of the rows, according to the events it has received.
#[derive(Default)]
struct View {
    rows: BTreeMap<String, Value>,
    events: usize,
}

impl View {
    fn new(rows: &Value) -> Self {
        let rows = rows.as_array().unwrap().iter().map(|row| (row["id"].to_string(), row.clone())).collect();
        Self { rows, events: 0 }
    }

    /// Applies an event, which must be consistent with the view. Returns whether it is the last.
    fn apply(&mut self, event: &Value) -> bool {
        self.events += 1;
        let (row, before) = (event["row"].clone(), event["before"].clone());
        let shown = if row.is_null() { &before } else { &row };
        let id = shown["id"].to_string();
        let previous = match event["change"].as_str().unwrap() {
            "removed" => self.rows.remove(&id),
            _ => self.rows.insert(id.clone(), row),
        };
        assert_eq!(event["change"] == "added", before.is_null(), "{event}");
        assert_eq!(previous.unwrap_or_default(), before, "the row before {event}");
        id == "99"
    }

    fn assert_caught_up(&self, rows: &Value, seen: usize) {
        assert_eq!(self.rows, Self::new(rows).rows);
        assert!(self.events < seen, "{} of {seen} events", self.events);
    }
}

/// Returns the backlogs of the open sockets and streams.
async fn backlogs(mockd: &Mockd) -> Vec<u64> {
    let answer = mockd.get("/__mockd/sockets").await.json();
    let sockets = answer["sockets"].as_array().unwrap();
    sockets.iter().map(|socket| socket["backlog"].as_u64().unwrap()).collect()
}

/// Changes rows until no socket or stream can still receive each change. Returns the number of changes.
async fn fall_behind(mockd: &Mockd) -> usize {
    for bursts in 1..=MAX_BURSTS {
        let burst = mockd.send("POST", "/burst", None).await;
        assert_eq!(burst.status, 204, "{}", burst.text);
        if backlogs(mockd).await.iter().all(|backlog| *backlog > FAR_BEHIND) {
            return bursts * BURST;
        }
    }
    panic!("the buffers of a client that does not read never fill up");
}

/// Adds, removes and merges rows, and adds the last one.
async fn change_all(mockd: &Mockd) {
    let steps = json!([
        { "remove": { "rows": 1 } },
        { "add": { "rows": { "id": 1, "n": 7, "of": "a" } } },
        { "remove": { "rows": 2 } },
        { "add": { "rows": { "id": 4, "n": 1, "of": "a" } } },
        { "merge": { "rows": { "id": 4, "n": 2 } } },
        { "add": { "rows": { "id": 5 } } },
        { "remove": { "rows": 5 } },
        { "add": { "rows": { "id": 99 } } },
    ]);
    let answer = mockd.send("POST", "/__mockd/steps", Some(&json!({ "do": steps }))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn slow_members_of_a_collection_are_caught_up() {
    let mockd = Mockd::run(&ScenarioFile::new(&scenario())).await;
    let mut socket = Socket::open_narrow(&format!("ws://{}/live", mockd.address())).await;
    let mut by_socket = View::new(&socket.json().await);
    let mut stream = EventStream::open(&mockd, "/live").await;
    let mut by_stream = View::new(&stream.data().await);
    let seen = fall_behind(&mockd).await;
    change_all(&mockd).await;
    let rows = mockd.get("/rows").await.json();
    while !by_socket.apply(&socket.json().await) {}
    by_socket.assert_caught_up(&rows, seen);
    while !by_stream.apply(&stream.data().await) {}
    by_stream.assert_caught_up(&rows, seen);
    let answer = mockd.get("/__mockd/sockets").await.json();
    let caught_up: Vec<&Value> = answer["sockets"].as_array().unwrap().iter().map(|one| &one["caughtUp"]).collect();
    assert_eq!((caught_up, &answer["slow"]), (vec![&json!(1); 2], &json!({ "caughtUp": 2, "closed": 0 })));
    let behind = mockd.get("/__mockd/journal?kind=behind").await.json();
    let actions: Vec<&Value> = behind["entries"].as_array().unwrap().iter().map(|entry| &entry["did"]).collect();
    assert_eq!(actions, ["caught up"; 2]);
    // From then on, they receive each change.
    let merged = mockd.send("PATCH", "/rows/4", Some(&json!({ "n": 3 }))).await;
    assert_eq!(merged.status, 200, "{}", merged.text);
    for (view, event) in [(&mut by_socket, socket.json().await), (&mut by_stream, stream.data().await)] {
        view.apply(&event);
        assert_eq!((&event["change"], &event["row"]["n"]), (&json!("merged"), &json!(3)));
    }
}

#[tokio::test]
async fn a_slow_member_gets_only_matching_rows_in_its_own_frame() {
    let mockd = Mockd::run(&ScenarioFile::new(&scenario())).await;
    let mut slow = Socket::open_narrow(&format!("ws://{}/a", mockd.address())).await;
    let seen = fall_behind(&mockd).await;
    let last = mockd.send("POST", "/rows", Some(&json!({ "id": 99, "n": 1, "of": "a" }))).await;
    assert_eq!(last.status, 201, "{}", last.text);
    let (mut view, mut frames) = (BTreeMap::new(), 0);
    while !view.contains_key(&99) {
        let frame = slow.json().await;
        let (id, n) = (frame["id"].as_u64().unwrap(), frame["n"].as_u64().unwrap());
        let before = view.insert(id, n);
        assert!(before.is_none_or(|before| before < n), "{id} went back to {n} from {before:?}");
        frames += 1;
    }
    assert!(frames < seen * 2 / 3, "{frames} of {seen}");
    // Row 3 belongs to `b`.
    let rows = mockd.get("/rows").await.json();
    let n_of = |row: &Value| (row["id"].as_u64().unwrap(), row["n"].as_u64().unwrap());
    let of_a = rows.as_array().unwrap().iter().filter(|row| row["of"] == "a").map(n_of);
    assert_eq!(view, of_a.collect::<BTreeMap<_, _>>());
}

#[tokio::test]
async fn a_slow_socket_that_missed_a_frame_is_closed_with_1013() {
    let mut mockd = Mockd::run(&ScenarioFile::new(&scenario())).await;
    let mut slow = Socket::open_narrow(&format!("ws://{}/news", mockd.address())).await;
    fall_behind(&mockd).await;
    assert_eq!(mockd.send("POST", "/news", None).await.status, 204);
    fall_behind(&mockd).await;
    assert_eq!(slow.close_code().await, 1013);
    let why = "it missed a message to topic `news`";
    let behind = mockd.until("/__mockd/journal?kind=behind", |journal| journal["entries"] != json!([])).await;
    let entry = &behind["entries"][0];
    assert_eq!((&entry["socket"], &entry["did"], &entry["why"]), (&json!(1), &json!("closed"), &json!(why)));
    let slow = &mockd.get("/__mockd/sockets").await.json()["slow"];
    assert_eq!(*slow, json!({ "caughtUp": 0, "closed": 1 }));
    assert_eq!(
        mockd.log_until("is too slow").await.last().unwrap(),
        &format!("socket 1 is too slow and is closed: {why}")
    );
}

#[tokio::test]
async fn a_socket_that_never_reads_is_closed_and_runs_its_steps() {
    let mockd = Mockd::run(&ScenarioFile::new(&scenario())).await;
    let mut silent = Socket::open_narrow(&format!("ws://{}/news", mockd.address())).await;
    // It would be caught up if it read.
    fall_behind(&mockd).await;
    assert_eq!(mockd.get("/gone").await.json(), json!([]));
    assert_eq!(mockd.send("POST", "/news", None).await.status, 204);
    // More than its backlog may hold.
    for _ in 0..3 {
        assert_eq!(mockd.send("POST", "/burst", None).await.status, 204);
    }
    mockd.until("/gone", |gone| *gone == json!([{ "id": 1 }])).await;
    let closed = mockd.get("/__mockd/journal?kind=closed").await.json();
    assert_eq!((&closed["entries"][0]["code"], &closed["entries"][0]["by"]), (&json!(1013), &json!("server")));
    let behind = mockd.get("/__mockd/journal?kind=behind").await.json();
    assert_eq!(behind["entries"][0]["did"], "closed");
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"], json!([]));
    assert_eq!(silent.close_code().await, 1013);
}

/// Returns a random change of one of six rows, and updates the set of `existing` ids.
fn change(random: &mut ChaCha8Rng, existing: &mut BTreeSet<u64>) -> Value {
    let row = json!({ "id": random.random_range(1..=6), "n": random.random_range(0..1000) });
    let id = row["id"].as_u64().unwrap();
    if existing.insert(id) {
        return json!({ "add": { "rows": row } });
    }
    match random.random_range(0..4) {
        0 => {
            existing.remove(&id);
            json!({ "remove": { "rows": id } })
        }
        1 => json!({ "replace": { "rows": row } }),
        _ => json!({ "merge": { "rows": row } }),
    }
}

#[tokio::test]
async fn sockets_that_are_frozen_at_random_end_up_with_all_rows() {
    let scenario = "
data: { rows: [] }
http: { /rows: { crud: rows } }
websocket: { '/live/{name}': { open: [{ reply: $rows }, { join: rows }] } }
";
    let mut random = ChaCha8Rng::seed_from_u64(seed("MOCKD_SLOW_SEED"));
    let mockd = Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused", "--backlog", "16"]).await;
    let names = ["a", "b", "c"];
    let mut sockets = Vec::new();
    for name in names {
        let mut socket = mockd.socket(&format!("/live/{name}")).await;
        let view = View::new(&socket.json().await);
        sockets.push((socket, view));
    }
    let (mut existing, mut frozen) = (BTreeSet::new(), BTreeSet::new());
    // More changes than the server records before it merges them.
    for _ in 0..200 {
        let name = names[random.random_range(0..names.len())];
        if frozen.remove(name) {
            mockd.control("DELETE", &format!("/__mockd/faults/{name}"), Value::Null).await;
        } else {
            frozen.insert(name);
            let fault = json!({ "name": name, "on": "websocket", "path": format!("/live/{name}"), "freeze": true });
            mockd.control("POST", "/__mockd/faults", fault).await;
        }
        for _ in 0..random.random_range(0..12) {
            let steps: Vec<Value> =
                (0..random.random_range(1..5)).map(|_| change(&mut random, &mut existing)).collect();
            mockd.control("POST", "/__mockd/steps", json!({ "do": steps })).await;
        }
    }
    mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
    mockd.control("POST", "/__mockd/steps", json!({ "do": [{ "add": { "rows": { "id": 99 } } }] })).await;
    let rows = View::new(&mockd.get("/rows").await.json()).rows;
    for (socket, view) in &mut sockets {
        while !view.apply(&socket.json().await) {}
        assert_eq!(view.rows, rows);
    }
    let slow = mockd.get("/__mockd/sockets").await.json()["slow"].clone();
    assert!(slow["caughtUp"].as_u64().unwrap() > 3 && slow["closed"] == 0, "{slow}");
}
