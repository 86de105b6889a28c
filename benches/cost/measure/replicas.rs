//! The cost of several servers that act as one mock: rate of orders, and latency to sockets of a server other than the
//! one that received the order.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::rates::closed_loop;
use super::{Bench, us};
use crate::client::{Client, TIMEOUT};
use crate::delivery::Delivery;
use crate::figures::count;
use crate::http::post;
use crate::process::{Server, by_schedstat, free_port};
use crate::subject::{LIVE, Subject, shop};

/// Number of sockets that receive an update.
const SOCKETS: usize = 100;

/// Number of servers that share a store; 0 for a single server without one.
const SERVERS: [usize; 3] = [0, 1, 3];

/// A Redis server that persists everything in an append-only file, with default settings otherwise.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// Starts Redis. `None` if it is not installed.
    fn start(folder: &Path) -> Option<Self> {
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--appendonly", "yes", "--dir"]).arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < TIMEOUT, "Redis did not start to listen");
            std::thread::sleep(Duration::from_millis(1));
        }
        Some(Self { child, port })
    }

    fn cpu(&self) -> Duration {
        by_schedstat(self.child.id())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn run(bench: &mut Bench) {
    for _ in 0..bench.pick(1, 3) {
        for servers in SERVERS {
            for subject in bench.mockd.clone() {
                round(bench, &subject, servers);
            }
        }
    }
}

fn round(bench: &mut Bench, subject: &Subject, server_count: usize) {
    let folder = bench.scratch.join(format!("redis-{}", free_port()));
    std::fs::create_dir(&folder).expect("a scratch directory");
    let Some(redis) = Redis::start(&folder) else { return eprintln!("  redis-server not found; skipping replicas") };
    let servers = start(subject, server_count, &redis);
    let kind = match server_count {
        0 => "1 server without a store".to_owned(),
        1 => "1 server with a store".to_owned(),
        more => format!("{more} servers with one store"),
    };
    let mut add = |what: &str, unit, value| bench.figures.add(&format!("{kind}, {what}"), unit, &subject.name, value);

    let mut client = Client::new();
    client.open(servers[servers.len() - 1].address, LIVE.0, SOCKETS, LIVE.1);
    let mut delivery = Delivery::new(&servers[0], &mut client, 1, subject.total());
    delivery.one_by_one(50).expect("nothing lost, nothing reordered");
    let times = delivery.one_by_one(500).expect("nothing lost, nothing reordered");
    let quantile = |quantile| count(times.value_at_quantile(quantile)) / 1e6;
    add("POST on one server to the last of 100 sockets of another, median", "ms", quantile(0.5));
    add("POST on one server to the last of 100 sockets of another, p99", "ms", quantile(0.99));
    delivery.end().expect("no extra frames");
    drop(client);

    let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
    let (request, time) = (post("/orders/A2", r#"{"amount":1}"#), Duration::from_secs(1));
    closed_loop(&addresses, &request, time / 2);
    let (before, redis_before) = (servers.iter().map(Server::cpu).sum::<Duration>(), redis.cpu());
    let times = closed_loop(&addresses, &request, time);
    let cpu = servers.iter().map(Server::cpu).sum::<Duration>() - before;
    add("POST rate", "1/s", count(times.len()) / time.as_secs_f64());
    add("CPU of all servers for a POST", "µs", us(cpu) / count(times.len()));
    add("CPU of Redis for a POST", "µs", us(redis.cpu() - redis_before) / count(times.len()));
    add("POST p99", "ms", count(times.value_at_quantile(0.99)) / 1e6);
}

fn start(subject: &Subject, count: usize, redis: &Redis) -> Vec<Server> {
    let store = format!("redis://127.0.0.1:{}", redis.port);
    let flags: &[&str] = if count == 0 { &["--paused"] } else { &["--paused", "--store", &store] };
    (0..count.max(1)).map(|_| subject.start_with(&shop(), flags)).collect()
}
