//! The cost of a world, for a small and a large scenario: the time to create it, its memory, and the time to reload all
//! worlds.
//!
//! `cargo bench --bench worlds`

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench reports its failures by panicking")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mockd::embed::Mockd;
use mockd::scenario::{Scenario, Source, load, parse};
use mockd::world::Until;

const WORLDS: usize = 1_000;

/// Returns the resident memory of this process in bytes (`statm` of proc(5), in pages of 4 KiB).
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

fn large(first: &str) -> Scenario {
    let mut text = String::from("categories:\n  toys:\n    prefix: T\n    products:\n");
    writeln!(text, "      - {{ id: T0, name: {first} }}").unwrap();
    for id in 1..100_000 {
        writeln!(text, "      - {{ id: T{id}, name: Toy {id}, total: {id} }}").unwrap();
    }
    text.push_str("orders: { random: [{ every: 1s, amount: { min: 1, max: 7 } }] }\n");
    parse(&Source::new("large.yaml", &text)).unwrap()
}

async fn measure(name: &str, scenario: Scenario, edited: Scenario) {
    let mockd = Mockd::builder().scenario(Arc::new(scenario)).paused().start().await.unwrap();
    let before = resident();
    let mut times = Vec::with_capacity(WORLDS);
    let mut worlds = Vec::with_capacity(WORLDS);
    for number in 0..WORLDS {
        let started = Instant::now();
        let world = mockd.world(&format!("test-{number}")).unwrap();
        // A world is complete once it answers.
        world.clock().await.unwrap();
        times.push(started.elapsed().as_secs_f64() * 1e6);
        worlds.push(world);
    }
    times.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let kib = |bytes: f64| bytes / 1024.0 / WORLDS as f64;
    let created = kib(resident() - before);
    for world in &worlds {
        world.advance(Until::By(Duration::from_secs(10))).await.unwrap();
    }
    let advanced = kib(resident() - before);
    let (median, maximum) = (times[WORLDS / 2], times[WORLDS - 1]);
    let started = Instant::now();
    mockd.worlds().reload(&Arc::new(edited), 0).await.unwrap();
    let reload = started.elapsed().as_secs_f64() * 1000.0;
    let reloaded = kib(resident() - before);
    println!("{name}: {WORLDS} worlds reload in {reload:.0} ms; memory per world afterwards {reloaded:.1} KiB");
    println!(
        "{name}: a world is created in {median:.0} µs (median of {WORLDS}; maximum {maximum:.0} µs) and takes \
         {created:.1} KiB, {advanced:.1} KiB after 10 s of world time"
    );
    mockd.stop().await;
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let shop = || load("scenarios/shop.yaml".as_ref()).outcome.unwrap();
        measure("scenarios/shop.yaml", shop(), shop()).await;
        measure("100,000 products", large("Kite"), large("Dragon")).await;
    });
}
