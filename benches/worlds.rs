//! What a world costs: the time to make one, and the memory that it holds, for a small and a large scenario; and what a reload
//! of all of them takes.
//!
//! `cargo bench --bench worlds`

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on says so by panicking")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mockd::embed::Mockd;
use mockd::scenario::{Scenario, Source, load, parse};
use mockd::world::Until;

const WORLDS: usize = 1_000;

/// Resident bytes of this process (proc(5), statm, in pages of 4 KiB).
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
        // Made is what answers.
        world.clock().await.unwrap();
        times.push(started.elapsed().as_secs_f64() * 1e6);
        worlds.push(world);
    }
    times.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let kib = |bytes: f64| bytes / 1024.0 / WORLDS as f64;
    let made = kib(resident() - before);
    for world in &worlds {
        world.advance(Until::By(Duration::from_secs(10))).await.unwrap();
    }
    let played = kib(resident() - before);
    let (median, most) = (times[WORLDS / 2], times[WORLDS - 1]);
    let started = Instant::now();
    mockd.worlds().reload(&Arc::new(edited), 0).await.unwrap();
    let reload = started.elapsed().as_secs_f64() * 1000.0;
    let reloaded = kib(resident() - before);
    println!("{name}: a reload reaches {WORLDS} worlds in {reload:.0} ms, and each holds {reloaded:.1} KiB after it");
    println!(
        "{name}: a world is made in {median:.0} µs (median of {WORLDS}; highest {most:.0} µs), holds {made:.1} KiB, \
         and {played:.1} KiB after 10 s of its time"
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
