//! Sockets randomly join and leave rooms while others write. The checker verifies that each socket, from its snapshot
//! on, receives every change of what it has joined, once and in order, and nothing else.

mod checker;
mod client;
mod doctored;
mod membership;
mod order;
mod record;
mod writer;

use std::sync::Arc;

use futures_util::future::join_all;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::{SEED, steps};
use crate::support::{Mockd, ScenarioFile, seed};
use checker::check;
use client::SocketClient;
use record::SocketHistory;
use writer::Writer;

/// Every change of a row except its removal, and every answer on a socket, has a unique moment. Moments increase in the
/// order in which the world processes the changes and answers.
const ROOMS: &str = r#"
x-parts: { moment: &moment "{{ next('moment') }}", room: &room "{{ rows | where(room=msg.room) }}" }
data:
  rows: [{ id: 1, room: a, text: one }, { id: 2, room: a, text: two }, { id: 3, room: b, text: three }]
  padding: PADDING
http:
  GET /rows: { body: $rows }
  POST /rows:
    add: { rows: { id: $body.id, room: $body.room, text: $body.text, moment: *moment } }
    status: 201
    body: $it
  PATCH /rows/{id}:
    merge: { rows: { id: $path.id, room: $body.room, text: $body.text, moment: *moment } }
    body: $it
  PUT /rows/{id}:
    replace: { rows: { id: $path.id, room: $body.room, text: $body.text, moment: *moment } }
    body: $it
  DELETE /rows/{id}: { remove: { rows: $path.id } }
triggers:
  - topic: rows
    send:
      to: ["told/{{ (event.row or event.before).room }}", "told/{{ (event.before or event.row).room }}"]
      frame: $event
websocket:
  /rooms:
    open: [{ reply: { id: $conn.id } }]
    messages:
      - match: { in: all }
        do: [{ reply: { in: $msg.n, moment: *moment, rows: $rows } }, { join: rows }]
      - match: { out: all }
        do: [{ leave: rows }, { reply: { out: $msg.n, moment: *moment, rows: $rows } }]
      - match: { in: room }
        do:
          - reply: { in: $msg.n, moment: *moment, rows: *room }
          - join: { to: rows, as: here, where: { row: { room: $msg.room } } }
          - join: { to: rows, as: from-here, where: { before: { room: $msg.room } } }
      - match: { out: room }
        do:
          - leave: { as: here }
          - leave: { as: from-here }
          - reply: { out: $msg.n, moment: *moment, rows: *room }
      - match: { in: told }
        do: [{ reply: { in: $msg.n, moment: *moment, rows: *room } }, { join: "told/{{ msg.room }}" }]
      - match: { out: told }
        do: [{ leave: "told/{{ msg.room }}" }, { reply: { out: $msg.n, moment: *moment, rows: *room } }]
      - match: { in: ids }
        do: [{ reply: { in: $msg.n, moment: *moment, rows: $rows } }, { join: $msg.topics }]
      - match: { out: ids }
        do: [{ leave: $msg.topics }, { reply: { out: $msg.n, moment: *moment, rows: $rows } }]
      - match: { in: pinned }
        do:
          - reply: { in: $msg.n, moment: *moment, rows: $rows }
          - join: { to: rows, as: here, where: { row: { room: $msg.room } } }
          - join: { to: rows, as: from-here, where: { before: { room: $msg.room } } }
          - join: $msg.topics
      - match: { out: pinned }
        do:
          - leave: { as: here }
          - leave: { as: from-here }
          - leave: $msg.topics
          - reply: { out: $msg.n, moment: *moment, rows: $rows }
      - match: { in: framed }
        do:
          - reply: { in: $msg.n, moment: *moment, rows: $rows }
          - join:
              to: rows
              as: framed
              frame: { of: "{{ conn.id }}/{{ msg.n }}", event: $event, padding: "{{ padding if msg.padded else '' }}" }
      - match: { out: framed }
        do: [{ leave: { as: framed } }, { reply: { out: $msg.n, moment: *moment, rows: $rows } }]
      - match: { in: twice }
        do:
          - reply: { in: $msg.n, moment: *moment, rows: $rows }
          - join: rows
          - join: $msg.topics
          - join: rows
      - match: { out: twice }
        do: [{ leave: $msg.topics }, { leave: rows }, { reply: { out: $msg.n, moment: *moment, rows: $rows } }]
  /socket.io:
    protocol: socket.io
    messages:
      - match: { event: in }
        do:
          - reply:
              event: in
              args:
                - in: $msg.args.0.n
                  moment: *moment
                  rows: "{{ rows | where(room=msg.args[0].room) }}"
          - join:
              to: rows
              as: here
              where: { row: { room: $msg.args.0.room } }
              frame: &change { event: change, args: [$event] }
          - join: { to: rows, as: from-here, where: { before: { room: $msg.args.0.room } }, frame: *change }
      - match: { event: out }
        do:
          - leave: { as: here }
          - leave: { as: from-here }
          - reply:
              event: out
              args:
                - out: $msg.args.0.n
                  moment: *moment
                  rows: "{{ rows | where(room=msg.args[0].room) }}"
"#;

/// The padding of frames for a slow client in bytes, large enough that some do not fit in the system's buffers.
const PADDING: usize = 32 << 10;

/// The number of concurrent sockets.
const SOCKETS: usize = 9;

/// The number of clients that only write.
const WRITERS: usize = 2;

/// Several times the number of frames sent while a slow client does not read, so that none is closed for lagging.
const BACKLOG: &str = "16384";

async fn rows(mockd: &Mockd) -> Vec<Value> {
    mockd.get("/rows").await.json().as_array().unwrap().clone()
}

/// Runs all clients and writers concurrently, in real time.
async fn live(seed: u64) -> SocketHistory {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let file = ScenarioFile::new(&ROOMS.replace("PADDING", &"x".repeat(PADDING)));
    let mut mockd = Mockd::run_with(file.path(), &["--backlog", BACKLOG]).await;
    mockd.discard_log();
    let mockd = Arc::new(mockd);
    let start = rows(&mockd).await;
    let mut writing = Vec::new();
    for number in 0..WRITERS {
        let (mockd, mut random) = (mockd.clone(), ChaCha8Rng::seed_from_u64(random.random()));
        writing.push(tokio::spawn(async move {
            let mut writer = Writer::open(&mockd, format!("writer {number}")).await;
            for _ in 0..steps() {
                writer.write(&mut random).await;
            }
        }));
    }
    let mut acting = Vec::new();
    for number in 0..SOCKETS {
        let (mockd, random) = (mockd.clone(), ChaCha8Rng::seed_from_u64(random.random()));
        acting.push(tokio::spawn(async move {
            let mut client = SocketClient::open(mockd, number, random).await;
            for _ in 0..steps() / 2 {
                client.act().await;
            }
            client.finish().await
        }));
    }
    join_all(writing).await.into_iter().for_each(Result::unwrap);
    let sockets = join_all(acting).await.into_iter().flat_map(Result::unwrap).collect();
    let transcript = mockd.get("/__mockd/transcript").await.text;
    let transcript = transcript.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    SocketHistory { start, transcript, end: rows(&mockd).await, sockets }
}

#[tokio::test]
async fn reconnecting_sockets_get_every_change_exactly_once() {
    let seed = seed(SEED);
    let history = live(seed).await;
    let explained = check(&history).unwrap_or_else(|contradiction| panic!("{contradiction} ({SEED}={seed})"));
    println!("{explained:?}");
    assert!(explained.is_worth_it(), "too little happened ({SEED}={seed}): {explained:?}");
}
