//! The cost of a world beyond the shared scenario, and the CPU time of idle worlds.

use std::thread;
use std::time::{Duration, Instant};

use super::{Bench, ms, us};
use crate::figures::count;
use crate::http::{Connection, get};
use crate::scenarios;
use crate::subject::Subject;

const WORLDS: usize = 1_000;

pub(super) fn run(bench: &mut Bench) {
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, bench.pick(1, 3), round);
}

fn round(bench: &mut Bench, subject: &Subject) {
    let server = subject.start_with(&scenarios::products(&bench.scratch, 2), &[]);
    let mut connection = Connection::open(server.address).expect("the server accepts");
    let mut make = |worlds: std::ops::Range<usize>| {
        worlds.for_each(|number| connection.exchange(&get(&format!("/@w{number}/electronics"))));
        thread::sleep(Duration::from_millis(100));
        server.memory("VmRSS")
    };
    // The first worlds also allocate memory that is shared by all.
    let before = make(0..50);
    let start = Instant::now();
    let after = make(50..50 + WORLDS);
    let time = start.elapsed() - Duration::from_millis(100);
    let cpu = server.cpu();
    thread::sleep(Duration::from_secs(2));
    let idle = server.cpu() - cpu;
    let mut add = |what: &str, unit, value| bench.figures.add(what, unit, &subject.name, value);
    add("memory per world", "KiB", (after - before) / 1024.0 / count(WORLDS));
    add("GET that creates a world", "µs", us(time) / count(WORLDS));
    add("CPU of 1,000 idle worlds in 2 s", "ms", ms(idle));
}
