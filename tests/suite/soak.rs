//! Thousands of sockets, orders and saves leave no memory and no open files behind.
//!
//! `MOCKD_SOAK_SECONDS` sets the duration; without it, the test runs a few rounds.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::support::{EventStream, Mockd, SHOP, ScenarioFile, Socket, number, poll};

/// Sockets per round, if the process may open that many.
const SOCKETS: usize = 2_000;

/// Files that other tests may have open at the same time.
const OTHER_FILES: u64 = 1_000;

/// Streams per round.
const STREAMS: usize = 50;

const ROUTES: &str = "
http:
  GET /live: { stream: [{ join: news }] }
  POST /say: { send: { to: news, frame: hi } }
";

/// Sockets that connect at the same time.
const CONCURRENCY: usize = 100;

/// Rounds until the memory is stable.
const WARM_UP: usize = 4;

const ROUNDS: usize = 6;

/// The time within which mockd releases unused memory.
const SETTLING: Duration = Duration::from_secs(12);

/// Raises the limit on open files for this process and its children, and returns the number of sockets that it allows.
fn sockets() -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let files = maximum.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES);
    SOCKETS.min(usize::try_from(files).unwrap_or(usize::MAX))
}

/// Returns a shop with streams, in which A2 has this total.
fn scenario(total: usize) -> String {
    format!("{}{ROUTES}", SHOP.replace("total: 7 }", &format!("total: {total} }}")))
}

/// Places orders until the transcript has reached its bound.
async fn fill_transcript(mockd: &Mockd) {
    let orders: Vec<_> = (0..1000).map(|_| json!({ "id": "B1", "amount": 1 })).collect();
    let orders = json!({ "orders": orders });
    while mockd.get("/__mockd/transcript").await.header("x-mockd-dropped") == "0" {
        for _ in 0..20 {
            mockd.control("POST", "/__mockd/orders", orders.clone()).await;
        }
    }
}

/// Opens sockets and streams, sends them orders, an event and a save, and closes them, half of the sockets without a
/// close frame.
async fn round(mockd: &Mockd, file: &ScenarioFile, sockets: usize, number: usize) {
    let categories = ["electronics", "confectionery", "nothing"].into_iter().cycle().take(sockets);
    let opening = stream::iter(categories).map(|category| mockd.live(category)).buffer_unordered(CONCURRENCY);
    let mut open: Vec<Socket> = opening.collect().await;
    let opening = stream::iter(0..STREAMS).map(|_| EventStream::open(mockd, "/live")).buffer_unordered(CONCURRENCY);
    let mut streams: Vec<EventStream> = opening.collect().await;
    join_all((0..20).map(|_| mockd.order("A1", 1))).await;
    assert_eq!(mockd.send("POST", "/say", None).await.status, 204);
    for events in join_all(streams.iter_mut().map(|stream| stream.events(1))).await {
        assert_eq!(events, ["data: hi"]);
    }
    drop(streams);
    let total = 1000 + number;
    file.save_like_jetbrains(&scenario(total));
    let saved = format!(r#"{{"id":"A2","total":{total}}}"#);
    join_all(open.iter_mut().map(|socket| socket.until(&saved))).await;
    let closing = open.split_off(sockets / 2);
    drop(open);
    for mut socket in closing {
        socket.close().await;
        assert_eq!(socket.close_code().await, 1000);
    }
    mockd.until("/__mockd/sockets", |answer| answer["sockets"] == json!([])).await;
}

/// Returns the lowest memory use within [`SETTLING`].
async fn settled_memory(mockd: &Mockd) -> u64 {
    let (start, mut least) = (Instant::now(), mockd.memory());
    while start.elapsed() < SETTLING {
        assert_eq!(mockd.get("/__mockd/health").await.status, 200);
        least = least.min(mockd.memory());
    }
    least
}

#[tokio::test]
async fn memory_and_open_files_do_not_grow() {
    let sockets = sockets();
    let file = ScenarioFile::new(&scenario(7));
    let mut mockd = Mockd::run_with(file.path(), &["--journal", "100"]).await;
    // After the first reload, mockd has opened every file that it keeps open, and has no connection.
    file.write_in_place(&scenario(8));
    mockd.logged("reloaded").await;
    let files = mockd.open_files();
    mockd.discard_log();
    fill_transcript(&mockd).await;
    for number in 0..WARM_UP {
        round(&mockd, &file, sockets, number).await;
    }
    let dropped = &mockd.get("/__mockd/journal").await.json()["dropped"];
    assert!(dropped["sent"].as_u64() > Some(0) && dropped["other"].as_u64() > Some(0), "{dropped}");
    let warm = settled_memory(&mockd).await;
    let (start, duration) = (Instant::now(), number("MOCKD_SOAK_SECONDS").map(Duration::from_secs));
    let mut rounds = 0;
    while duration.map_or(rounds < ROUNDS, |duration| start.elapsed() < duration) {
        round(&mockd, &file, sockets, WARM_UP + rounds).await;
        rounds += 1;
    }
    let after = settled_memory(&mockd).await;
    println!("{rounds} rounds of {sockets} sockets: {warm} KiB before, {after} KiB after");
    assert!(after * 100 <= warm * 105, "{warm} KiB before, {after} KiB after");
    poll("as many open files as before", async || (mockd.open_files() <= files).then_some(())).await;
}
