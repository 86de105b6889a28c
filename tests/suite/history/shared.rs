//! Three servers that are one mock, and what is taken away from them while clients act.

use std::path::Path;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::checker::check;
use super::clients::Client;
use super::run::{Mode, Run};
use super::{CLIENTS, SEED, steps};
use crate::support::{Mockd, Redis, needs, poll, seed};

/// How often something is taken away.
const OUTAGES: usize = 4;

/// Frames that a socket may be behind: all that happens in an outage comes at once when it is over.
const BACKLOG: &str = "100000";

/// In a network of its own, so that another one can be cut off from it. Set for the part of the test that is inside.
const INSIDE: &str = "MOCKD_HISTORY_INSIDE";

/// Clients act until everything was taken away and given back, and so many steps at least.
async fn act(run: &Arc<Run>, over: &CancellationToken) -> Vec<Client> {
    let mut random = ChaCha8Rng::seed_from_u64(seed(SEED));
    let clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(run.clone(), &mut random)).collect();
    let acting = clients.into_iter().map(|mut client| {
        let (run, over) = (run.clone(), over.clone());
        tokio::spawn(async move {
            let mut step = 0;
            while step < steps() || !over.is_cancelled() {
                client.act().await;
                // In an outage, most of what they do is refused at once.
                step += u64::from(run.whole.try_read().is_ok());
            }
            client
        })
    });
    futures_util::future::join_all(acting).await.into_iter().map(Result::unwrap).collect()
}

/// Waits until a server says that about itself.
async fn is(server: &Mockd, status: &str) {
    server.until("/__mockd/health", |health| health["status"] == status).await;
}

/// What clients do for a while: until so many more orders were answered.
async fn orders(run: &Run, count: usize) {
    let from = run.history().orders.len();
    poll("orders", async || (run.history().orders.len() >= from + count).then_some(())).await;
}

async fn server(path: &Path, store: &str, flags: &[&str]) -> Mockd {
    let mut server =
        Mockd::run_with(path, &[&["--store", store, "--paused", "--backlog", BACKLOG], flags].concat()).await;
    server.discard_log();
    server
}

/// Clients act while something is taken away and given back, again and again; then one order explains all that they saw.
async fn explain(run: &Arc<Run>, mut outage: impl AsyncFnMut(&Run)) {
    let over = CancellationToken::new();
    let outages = async {
        for _ in 0..OUTAGES {
            orders(run, 60).await;
            let _nothing_else = run.whole.write().await;
            outage(run).await;
        }
        over.cancel();
    };
    let (clients, ()) = tokio::join!(act(run, &over), outages);
    let history = run.end(clients).await;
    let explained = check(&history).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{explained}");
    assert!(explained.is_worth_it(), "too little happened: {explained}");
}

#[tokio::test]
async fn one_order_explains_three_servers_whose_store_is_restarted() {
    needs!(Redis);
    let (file, mut redis) = (Run::file(), Redis::start().await);
    let mut servers = vec![server(file.path(), &redis.url(), &[]).await];
    for _ in 0..2 {
        servers.push(server(file.path(), &redis.url(), &["--no-watch"]).await);
    }
    let run = Run::with(Mode::Live, file, servers).await;
    explain(&run, async |run| {
        redis.kill().await;
        for server in &run.servers {
            is(server, "degraded").await;
        }
        orders(run, 20).await;
        redis.run().await;
        for server in &run.servers {
            is(server, "ok").await;
        }
    })
    .await;
}

async fn ip(pid: Option<u32>, arguments: &str) {
    let mut command = match pid {
        None => Command::new("ip"),
        Some(pid) => {
            let mut command = Command::new("nsenter");
            command.args(["--target", &pid.to_string(), "--net", "ip"]);
            command
        }
    };
    let status = command.args(arguments.split(' ')).status().await.unwrap();
    assert!(status.success(), "ip {arguments}");
}

/// A server on a machine of its own, with one wire to its store and one to its clients. It has the other end of both.
async fn server_apart(path: &Path, store: &str) -> Mockd {
    let wire = |name: &str, address: &str| {
        format!("until ip addr add {address}/24 dev {name} 2>/dev/null; do sleep 0.01; done; ip link set {name} up")
    };
    let wires = format!("ip link set lo up; {}; {}", wire("store-there", "10.78.0.2"), wire("there", "10.79.0.2"));
    let script = format!(r#"{wires}; exec "$0" "$@""#);
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &script, env!("CARGO_BIN_EXE_mockd"), "run"]).arg(path);
    command.args(["--log-format", "json", "--no-watch", "--paused", "--host", "10.79.0.2", "--port", "4000"]);
    command.args(["--store", store, "--backlog", BACKLOG]).kill_on_drop(true);
    let starting = Mockd::spawn(command);
    let pid = starting.pid();
    // Before that it is in this network still.
    let network = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    poll("a network", async || (network(pid) != network(std::process::id())).then_some(())).await;
    for (here, there, address) in [("store-here", "store-there", "10.78.0.1"), ("here", "there", "10.79.0.1")] {
        ip(None, &format!("link add {here} type veth peer name {there}")).await;
        ip(None, &format!("addr add {address}/24 dev {here}")).await;
        ip(None, &format!("link set {here} up")).await;
        ip(None, &format!("link set {there} netns {pid}")).await;
    }
    let mut server = starting.ready().await;
    server.discard_log();
    server
}

/// Runs this test again inside of a network of its own.
async fn inside() {
    let name = "history::shared::one_order_explains_three_servers_when_one_loses_the_store";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").kill_on_drop(true);
    let output = command.output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    println!("{said}");
}

#[tokio::test]
async fn one_order_explains_three_servers_when_one_loses_the_store() {
    needs!(Redis, Namespaces);
    if std::env::var_os(INSIDE).is_none() {
        return inside().await;
    }
    ip(None, "link set lo up").await;
    let (file, redis) = (Run::file(), Redis::start_for_all().await);
    let mut servers = vec![server(file.path(), &redis.url(), &[]).await];
    servers.push(server_apart(file.path(), &redis.url().replace("127.0.0.1", "10.78.0.1")).await);
    servers.push(server(file.path(), &redis.url(), &["--no-watch"]).await);
    let run = Run::with(Mode::Live, file, servers).await;
    explain(&run, async |run| {
        // From here on what is sent there is neither taken nor refused.
        ip(None, "addr del 10.78.0.1/24 dev store-here").await;
        is(&run.servers[1], "degraded").await;
        orders(run, 60).await;
        ip(None, "addr add 10.78.0.1/24 dev store-here").await;
        is(&run.servers[1], "ok").await;
    })
    .await;
}
