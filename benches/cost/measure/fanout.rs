//! The cost of delivering an update to every socket, when updates arrive one by one and when they arrive faster than
//! they can be written.

use super::{Bench, us};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::figures::count;
use crate::subject::{LIVE, Subject};

/// The size of the measurement in one form of the bench.
pub(super) struct Size {
    pub(super) sockets: usize,
    /// Number of updates posted one by one.
    pub(super) updates: usize,
    /// Number of updates in a burst; 0 for no burst. Must be less than 1,024: a mockd socket that is further behind
    /// receives current totals instead.
    pub(super) burst: usize,
    pub(super) rounds: usize,
}

const SHORT: [Size; 2] = [
    Size { sockets: 1_000, updates: 100, burst: 200, rounds: 3 },
    Size { sockets: 10_000, updates: 10, burst: 20, rounds: 3 },
];

const FULL: [Size; 2] = [
    Size { sockets: 1_000, updates: 200, burst: 500, rounds: 5 },
    Size { sockets: 10_000, updates: 30, burst: 100, rounds: 3 },
];

/// Returns the name of the figure shown in the growth plot.
pub(super) fn cost(sockets: usize) -> String {
    format!("CPU per delivery one by one, {sockets} sockets")
}

pub(super) fn run(bench: &mut Bench) {
    for size in bench.pick(SHORT, FULL) {
        // With more sockets, peers would take minutes.
        let subjects = if size.sockets > 1_000 { bench.own() } else { bench.live() };
        bench.alternate(&subjects, size.rounds, |bench, subject| round(bench, subject, &size));
    }
}

pub(super) fn round(bench: &mut Bench, subject: &Subject, size: &Size) {
    let &Size { sockets, updates, burst, .. } = size;
    let server = subject.start();
    let mut client = Client::new();
    client.open(server.address, LIVE.0, sockets, LIVE.1);
    let mut delivery = Delivery::new(&server, &mut client, 1, subject.total());
    let mut add = |what: &str, unit, value| bench.figures.add(what, unit, &subject.name, value);
    delivery.one_by_one(updates / 10).expect("nothing lost, nothing reordered");
    let before = delivery.cpu();
    let times = delivery.one_by_one(updates).expect("nothing lost, nothing reordered");
    add(&cost(sockets), "µs", us(delivery.cpu() - before) / count(updates * sockets));
    let quantile = |quantile| count(times.value_at_quantile(quantile)) / 1e6;
    add(&format!("POST to the last of {sockets} sockets, median"), "ms", quantile(0.5));
    if updates > 100 {
        add(&format!("POST to the last of {sockets} sockets, p99"), "ms", quantile(0.99));
    }
    if burst > 0 {
        let before = delivery.cpu();
        delivery.burst(burst).expect("nothing lost, nothing reordered");
        let cpu = us(delivery.cpu() - before) / count(burst * sockets);
        add(&format!("CPU per delivery in a burst, {sockets} sockets"), "µs", cpu);
    }
    delivery.end().expect("no extra frames");
}
