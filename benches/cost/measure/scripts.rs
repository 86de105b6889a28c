//! Lateness of script events on a socket, at a thousand events per second.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{Bench, us};
use crate::client::{Client, TIMEOUT};
use crate::delivery::order;
use crate::figures::{count, median};
use crate::scenarios;
use crate::subject::Subject;

pub(super) fn run(bench: &mut Bench) {
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, 1, round);
}

fn round(bench: &mut Bench, subject: &Subject) {
    let server = subject.start_with(&scenarios::thousand_a_second(&bench.scratch), &[]);
    let mut client = Client::new();
    client.open(server.address, "/orders/electronics", 1, 1);
    let before = server.cpu();
    let lateness = lateness(&mut client, bench.script_seconds.unwrap_or(bench.pick(4, 20)) * 1_000);
    let cpu = us(server.cpu() - before);
    let mut times = Histogram::<u64>::new(3).expect("three digits");
    for late in &lateness {
        times.record(u64::try_from(late.as_nanos()).expect("not centuries")).expect("it grows");
    }
    let of_second = |second: &[Duration]| median(&second.iter().map(|late| us(*late)).collect::<Vec<f64>>());
    let (first, last) = (of_second(&lateness[..1_000]), of_second(&lateness[lateness.len() - 1_000..]));
    let mut add = |what: &str, unit, value| {
        bench.figures.add(&format!("1,000 events a second, {what}"), unit, &subject.name, value);
    };
    add("median lateness", "ms", count(times.value_at_quantile(0.5)) / 1e6);
    add("p99 lateness", "ms", count(times.value_at_quantile(0.99)) / 1e6);
    add("maximum lateness", "ms", count(times.max()) / 1e6);
    add("drift", "ms", (last - first) / 1e3);
    add("CPU per event", "µs", cpu / count(lateness.len()));
}

/// Returns the lateness of each event. Total `n` is due `n` ms after the start, which is derived from the least delayed
/// event.
fn lateness(client: &mut Client, events: usize) -> Vec<Duration> {
    let start = Instant::now();
    let (mut first, mut offsets) = (None, Vec::with_capacity(events));
    while offsets.len() < events {
        assert!(start.elapsed() < TIMEOUT + Duration::from_millis(events as u64), "events did not arrive in time");
        client.poll(Duration::from_millis(100), |_, payload| {
            let total = order(payload, 'A').expect("an order").1;
            let first = *first.get_or_insert(total);
            assert_eq!(total, first + offsets.len(), "an event is lost");
            // The extra second keeps the difference positive.
            offsets.push(
                start.elapsed() + Duration::from_secs(1)
                    - Duration::from_millis(1) * u32::try_from(offsets.len()).expect("few"),
            );
        });
    }
    let earliest = offsets.iter().min().copied().unwrap_or_default();
    offsets.iter().map(|offset| *offset - earliest).collect()
}
