//! Request rate over 32 keep-alive connections, each with one request at a time, and CPU time per request.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{Bench, us};
use crate::epoll::Epoll;
use crate::figures::count;
use crate::http::{Connection, fetch, get, post};
use crate::process::Server;
use crate::scenarios;
use crate::subject::{Kind, Subject, shop};

const CONNECTIONS: usize = 32;

pub(super) fn run(bench: &mut Bench) {
    let small = bench.scratch.join("small.json");
    let large = bench.scratch.join("large.json");
    let products = scenarios::products(&bench.scratch, 10_000);
    for (scenario, body) in [(shop(), &small), (products.clone(), &large)] {
        let server = bench.mockd[0].start_with(&scenario, &["--paused"]);
        fs::write(body, fetch(server.address, "/electronics").expect("a body")).expect("a scratch directory");
    }
    let serves_files = |subject: &Subject| !matches!(&subject.kind, Kind::Peer(peer) if !peer.serves_files);
    let all = bench.all();
    let file_servers: Vec<Subject> = all.iter().filter(|subject| serves_files(subject)).cloned().collect();
    let live = bench.live();
    measure(bench, &all, "GET of 2 products", |subject| match &subject.kind {
        Kind::Peer(_) => (subject.start(), get("/electronics")),
        _ => with_path(subject.start_large(&shop(), &small)),
    });
    measure(bench, &file_servers, "GET of 10,000 products", |subject| {
        with_path(subject.start_large(&products, &large))
    });
    measure(bench, &live, "POST of an order", |subject| (subject.start(), post("/orders/A1", r#"{"amount":1}"#)));
}

pub(super) fn with_path((server, path): (Server, &str)) -> (Server, Vec<u8>) {
    (server, get(path))
}

pub(super) fn measure(
    bench: &mut Bench,
    subjects: &[Subject],
    what: &str,
    start: impl Fn(&Subject) -> (Server, Vec<u8>),
) {
    let time = bench.pick(Duration::from_millis(300), Duration::from_secs(1));
    bench.alternate(subjects, 3, |bench, subject| {
        let (server, request) = start(subject);
        // Warms up: connections are opened, buffers grow, JIT compilers run.
        closed_loop(&[server.address], &request, time / 2);
        let before = server.cpu();
        let times = closed_loop(&[server.address], &request, time);
        let cpu = server.cpu() - before;
        let mut add = |figure: &str, unit, value| {
            bench.figures.add(&format!("{what}, {figure}"), unit, &subject.name, value);
        };
        add("rate", "1/s", count(times.len()) / time.as_secs_f64());
        add("CPU per request", "µs", us(cpu) / count(times.len()));
        add("p99", "ms", count(times.value_at_quantile(0.99)) / 1e6);
    });
}

/// Sends the request on each connection again as soon as it is answered, with connections spread evenly over the
/// servers. Returns the response times in nanoseconds.
pub(super) fn closed_loop(servers: &[SocketAddr], request: &[u8], time: Duration) -> Histogram<u64> {
    let mut times = Histogram::new(3).expect("three digits");
    let mut epoll = Epoll::new();
    let mut connections = Vec::new();
    for token in 0..CONNECTIONS {
        let mut connection = Connection::open(servers[token % servers.len()]).expect("the server accepts");
        epoll.add(connection.stream(), token);
        connection.send(request);
        connections.push((connection, Instant::now()));
    }
    let deadline = Instant::now() + time;
    while Instant::now() < deadline {
        for token in epoll.wait(Some(Duration::from_millis(10))) {
            let (connection, sent) = &mut connections[token];
            if connection.read().expect("the server answers") == 1 {
                times.record(u64::try_from(sent.elapsed().as_nanos()).expect("not centuries")).expect("it grows");
                *sent = Instant::now();
                connection.send(request);
            }
        }
    }
    times
}
