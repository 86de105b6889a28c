//! Scripts and generators run on one server at a time. Every step runs exactly once.

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{agreed, servers};
use crate::support::{Mockd, Redis, SHOP, ScenarioFile, needs};

/// Steps that order A1 and A2, one unit at a time.
const STEPS: &str = "orders:
  scripts:
    - { repeat: forever, steps: [{ at: 20ms, product: A1, amount: 1 }, { at: 30ms, product: A2, amount: 1 }] }
";

/// Returns the totals of a product in a server's transcript.
async fn totals(server: &Mockd, id: &str) -> Vec<i64> {
    let transcript = server.get("/__mockd/transcript").await.text;
    let events = transcript.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["id"] == id).map(|event| event["total"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_killed_leader_is_replaced_without_loss_in_three_seconds() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(&format!("{SHOP}{STEPS}")), Redis::start().await);
    let mut servers = servers(3, &file, &redis, &[]).await;
    let mut socket = servers[2].live("electronics").await;
    socket.texts(2).await;
    // The first server started alone, so it leads.
    socket.until(r#"{"id":"A1","total":20}"#).await;
    let leader = servers.remove(0);
    let _port = leader.kill().await;
    let mut last = Instant::now();
    let mut longest = Duration::ZERO;
    while socket.order().await != ("A1".into(), 80) {
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    assert!(longest < Duration::from_secs(3), "{longest:?}");
    for server in &servers {
        server.control("POST", "/__mockd/clock", json!({ "pause": true })).await;
    }
    agreed(&servers, "/__mockd/state").await;
    for (id, from) in [("A1", 4), ("A2", 8)] {
        let seen = totals(&servers[1], id).await;
        assert!(seen.iter().copied().eq(from..from + i64::try_from(seen.len()).unwrap()), "{id}: {seen:?}");
        assert_eq!(seen, totals(&servers[0], id).await);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_leader_that_shuts_down_hands_over_immediately() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(&format!("{SHOP}{STEPS}")), Redis::start().await);
    let mut servers = servers(2, &file, &redis, &[]).await;
    servers[1].until("/__mockd/state", |state| state["totals"]["A1"].as_i64() > Some(10)).await;
    let leader = servers.remove(0);
    leader.signal("TERM");
    assert!(leader.ended().await.success());
    let before = servers[0].get("/__mockd/state").await.json()["totals"]["A1"].as_i64().unwrap();
    servers[0].until("/__mockd/state", |state| state["totals"]["A1"].as_i64() > Some(before + 10)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn time_stops_without_servers_and_continues_with_the_next_one() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(&format!("{SHOP}{STEPS}")), Redis::start().await);
    let mut first = servers(1, &file, &redis, &[]).await;
    first[0].until("/__mockd/state", |state| state["totals"]["A1"].as_i64() > Some(30)).await;
    let first = first.remove(0);
    first.signal("TERM");
    first.ended().await;
    let second = servers(1, &file, &redis, &[]).await;
    let state = second[0].get("/__mockd/state").await.json();
    assert!(state["totals"]["A1"].as_i64() > Some(30), "{state}");
    assert!(totals(&second[0], "A1").await.is_sorted());
}
