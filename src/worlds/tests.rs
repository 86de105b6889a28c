#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::time::Duration;

use super::*;
use crate::scenario::{Source, parse};

#[tokio::test(start_paused = true)]
async fn a_default_world_that_ends_by_itself_starts_anew_and_the_others_go_on() {
    let scenario = parse(&Source::new("toys.yaml", "categories: { toys: { prefix: T, products: [{ id: T1 }] } }"));
    let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
    let worlds = Worlds::start(&Arc::new(scenario.unwrap()), 1, WorldOptions::default(), &tasks, end.clone());
    let other = worlds.get_or_make("other").unwrap();
    other.order("T1", 5).await.unwrap();
    worlds.default_world().order("T1", 7).await.unwrap();
    worlds.default_world().end();
    while worlds.default_world().is_ended() {
        // Virtual time: it passes once nothing else can go on.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    worlds.default_world().order("T1", 2).await.unwrap();
    assert_eq!(worlds.default_world().state().await.unwrap().totals, [("T1".into(), 2)]);
    assert_eq!(other.state().await.unwrap().totals, [("T1".into(), 5)]);
    end.cancel();
    tasks.close();
    tasks.wait().await;
}
