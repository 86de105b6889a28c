//! Memory of idle sockets.

use std::time::Duration;

use super::{Bench, mib, us};
use crate::client::Client;
use crate::figures::count;
use crate::process::Server;
use crate::subject::{LIVE, Subject};

/// Number of open files of a process other than sockets.
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
    let start = idle_memory(&server);
    let files = server.files();
    let mut client = Client::new();
    client.open(server.address, LIVE.0, FEW, LIVE.1);
    let few = idle_memory(&server);
    let before = server.cpu();
    client.open(server.address, LIVE.0, most, LIVE.1);
    let many = idle_memory(&server);
    let (opened, per_socket) = (count(most - FEW), (many - few) / count(most - FEW));
    let mut add = |what: &str, unit, value| bench.figures.add(what, unit, &subject.name, value);
    add("memory per idle socket", "KiB", per_socket / 1024.0);
    add("CPU to open a socket", "µs", us(server.cpu() - before) / opened);
    add(&format!("memory with {most} idle sockets"), "MiB", mib(many));
    client.close();
    add("memory retained after all sockets close", "MiB", mib(memory_after_close(&server, files) - start));
    add("memory for 50,000 idle sockets, extrapolated", "MiB", mib(few + per_socket * count(50_000 - FEW)));
    add("memory for 1,000,000 idle sockets, extrapolated", "MiB", mib(few + per_socket * count(1_000_000 - FEW)));
}

/// Returns the resident memory once the server is idle.
pub(super) fn idle_memory(server: &Server) -> f64 {
    std::thread::sleep(Duration::from_millis(200));
    server.memory("VmRSS")
}

/// Returns the resident memory two seconds after the sockets were closed.
fn memory_after_close(server: &Server, files: usize) -> f64 {
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.files() < files + 100, "the server still has open sockets");
    server.memory("VmRSS")
}
