//! Memory of sockets that are open and have nothing to do.

use std::time::Duration;

use super::{Bench, mib, us};
use crate::client::Client;
use crate::figures::count;
use crate::process::Server;
use crate::subject::{LIVE, Subject};

/// Files that a process has open beside sockets.
const OTHER_FILES: usize = 500;

const FEW: usize = 1_000;

pub(super) fn run(bench: &mut Bench) {
    let (own, live) = (bench.own(), bench.live());
    bench.alternate(&own, bench.pick(1, 3), round);
    bench.alternate(&live[own.len()..], 1, round);
}

fn round(bench: &mut Bench, subject: &Subject) {
    let most = bench.pick(10_000, 19_000).min(bench.files - OTHER_FILES);
    let server = subject.start();
    let start = settled(&server);
    let files = server.files();
    let mut client = Client::new();
    client.open(server.address, LIVE.0, FEW, LIVE.1);
    let few = settled(&server);
    let begin = server.cpu();
    client.open(server.address, LIVE.0, most, LIVE.1);
    let many = settled(&server);
    let (opened, per_socket) = (count(most - FEW), (many - few) / count(most - FEW));
    let mut add = |what: &str, unit, value| bench.figures.add(what, unit, &subject.name, value);
    add("memory per idle socket", "KiB", per_socket / 1024.0);
    add("CPU to open a socket", "µs", us(server.cpu() - begin) / opened);
    add(&format!("memory with {most} idle sockets"), "MiB", mib(many));
    client.close();
    add("memory kept once all are closed", "MiB", mib(closed(&server, files) - start));
    add("50,000 idle sockets need", "MiB", mib(few + per_socket * count(50_000 - FEW)));
    add("1,000,000 idle sockets need", "MiB", mib(few + per_socket * count(1_000_000 - FEW)));
}

/// Resident memory, once the server has nothing to do.
pub(super) fn settled(server: &Server) -> f64 {
    std::thread::sleep(Duration::from_millis(200));
    server.memory("VmRSS")
}

/// Resident memory two seconds after the sockets were closed.
fn closed(server: &Server, files: usize) -> f64 {
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.files() < files + 100, "sockets are still open at the server");
    server.memory("VmRSS")
}
