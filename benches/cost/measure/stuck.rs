//! Clients that never read: their effect on the latency of other sockets, and the memory that a million updates take.

use super::{Bench, mib};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::figures::count;
use crate::http::{Connection, post};
use crate::process::Server;
use crate::subject::{LIVE, Subject, TOTAL};

const STUCK: usize = 10;

/// Number of 900 KB texts that fill the system's buffers on both sides of a socket: 12 MiB, where Linux buffers up to
/// 10.
const FILL: usize = 14;

/// Number of updates per burst, small enough that the backlog of reading sockets never overflows.
const BURST: usize = 500;

pub(super) fn run(bench: &mut Bench) {
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, bench.pick(2, 5), |bench, subject| {
        for stuck in [0, STUCK] {
            latency(bench, subject, stuck);
        }
    });
    bench.alternate(&mockd, 1, memory);
}

/// Opens sockets whose client stops reading, and sends them more than their buffers hold.
fn open_stuck(server: &Server, sockets: usize) -> Client {
    let mut client = Client::new();
    client.open(server.address, LIVE.0, sockets, LIVE.1);
    let mut control = Connection::open(server.address).expect("the server accepts");
    let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(900_000));
    (0..FILL).for_each(|_| control.exchange(&post("/__mockd/sockets/send", &text)));
    client
}

fn latency(bench: &mut Bench, subject: &Subject, stuck: usize) {
    let (sockets, server) = (1_000, subject.start());
    let _stuck = open_stuck(&server, stuck);
    let mut client = Client::new();
    client.open(server.address, LIVE.0, sockets, LIVE.1);
    let mut delivery = Delivery::new(&server, &mut client, 1, TOTAL);
    delivery.one_by_one(20).expect("nothing lost, nothing reordered");
    let times = delivery.one_by_one(bench.pick(50, 200)).expect("nothing lost, nothing reordered");
    for (what, quantile) in [("median", 0.5), ("p99", 0.99)] {
        let name = format!("POST to the last of {sockets} sockets, with {stuck} others that never read, {what}");
        bench.figures.add(&name, "ms", &subject.name, count(times.value_at_quantile(quantile)) / 1e6);
    }
}

fn memory(bench: &mut Bench, subject: &Subject) {
    let (updates, server) = (bench.pick(100_000, 1_000_000), subject.start());
    let _stuck = open_stuck(&server, STUCK);
    let mut client = Client::new();
    client.open(server.address, LIVE.0, STUCK, LIVE.1);
    let mut delivery = Delivery::new(&server, &mut client, 1, TOTAL);
    let mut burst = |updates| {
        (0..updates / BURST).for_each(|_| delivery.burst(BURST).expect("nothing lost, nothing reordered"));
        mib(server.memory("VmRSS"))
    };
    // Fills the journal and the transcript, which are bounded.
    let full = burst(150_000);
    let name = format!("memory growth over {updates} updates, with {STUCK} sockets that never read");
    let growth = burst(updates) - full;
    bench.figures.add(&name, "MiB", &subject.name, growth);
}
