//! Load time of a scenario with 100,000 products and 1,000,000 script steps, compared with the YAML parser alone, and
//! whether memory grows while the script repeats.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench reports its failures by panicking")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mockd::engine::Engine;
use mockd::scenario::load;
use saphyr_parser::Parser;

const PRODUCTS: usize = 100_000;
const STEPS: usize = 1_000_000;
const ROUNDS: usize = 7;

fn text() -> String {
    let mut text = "categories:\n  big:\n    prefix: P\n    products:\n".to_owned();
    for number in 0..PRODUCTS {
        let total = number % 50;
        writeln!(text, "      - {{ id: P{number}, name: Product {number}, rrp: \"9.99\", total: {total} }}").unwrap();
    }
    text += "orders:\n  scripts:\n    - repeat: forever\n      steps:\n";
    for number in 0..STEPS {
        let product = number % PRODUCTS;
        writeln!(text, "        - {{ at: {number}ms, product: P{product}, amount: 1 }}").unwrap();
    }
    text
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed().as_secs_f64(), result)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Returns the resident memory in MiB (`proc(5)`).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("big.yaml");
    let text = text();
    std::fs::write(&path, &text).unwrap();
    let (mut parser, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        parser.push(timed(|| Parser::new_from_str(&text).flatten().count()).0);
        whole.push(timed(|| load(&path).outcome.unwrap()).0);
    }
    let (parser, whole) = (median(&mut parser), median(&mut whole));
    println!("{} MiB, {PRODUCTS} products, {STEPS} steps; medians of {ROUNDS} alternating rounds", text.len() >> 20);
    println!("load {whole:.2} s; YAML parser alone {parser:.2} s; ratio {:.2}", whole / parser);
    let mut engine = Engine::new(&Arc::new(load(&path).outcome.unwrap()), 1);
    drop(text);
    for round in 1..=5_u32 {
        let end = Duration::from_millis(STEPS as u64) * round;
        let (time, events) = timed(|| {
            std::iter::from_fn(|| Some(engine.advance_some(end, 10_000).len()).filter(|n| *n > 0)).sum::<usize>()
        });
        println!("repeat {round}: {events} events in {time:.2} s, {} MiB resident", resident());
    }
}
