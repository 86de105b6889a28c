//! Three servers that serve one mock, with outages while clients act.

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

/// The number of outages.
const OUTAGES: usize = 4;

/// The number of frames that a socket may lag behind: all frames of an outage arrive at once when it ends.
const BACKLOG: &str = "100000";

/// Set for the part of the test that runs in its own network namespace, from which another namespace can be cut off.
const IN_NAMESPACE: &str = "MOCKD_HISTORY_INSIDE";

/// Lets clients act until all outages are finished, for at least the configured number of steps.
async fn act(run: &Arc<Run>, finished: &CancellationToken) -> Vec<Client> {
    let mut random = ChaCha8Rng::seed_from_u64(seed(SEED));
    let clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(run.clone(), &mut random)).collect();
    let acting = clients.into_iter().map(|mut client| {
        let (run, finished) = (run.clone(), finished.clone());
        tokio::spawn(async move {
            let mut step = 0;
            while step < steps() || !finished.is_cancelled() {
                client.act().await;
                // Steps in an outage do not count: most of them are refused immediately.
                step += u64::from(run.outage_lock.try_read().is_ok());
            }
            client
        })
    });
    futures_util::future::join_all(acting).await.into_iter().map(Result::unwrap).collect()
}

/// Waits until a server reports a status.
async fn wait_for_status(server: &Mockd, status: &str) {
    server.until("/__mockd/health", |health| health["status"] == status).await;
}

/// Waits until clients have made `count` more orders.
async fn wait_for_orders(run: &Run, count: usize) {
    let start = run.history().orders.len();
    poll("orders", async || (run.history().orders.len() >= start + count).then_some(())).await;
}

async fn server(path: &Path, store: &str, flags: &[&str]) -> Mockd {
    let mut server =
        Mockd::run_with(path, &[&["--store", store, "--paused", "--backlog", BACKLOG], flags].concat()).await;
    server.discard_log();
    server
}

/// Lets clients act through repeated outages, and checks that one order explains everything that they saw.
async fn check_with_outages(run: &Arc<Run>, mut outage: impl AsyncFnMut(&Run)) {
    let finished = CancellationToken::new();
    let outages = async {
        for _ in 0..OUTAGES {
            wait_for_orders(run, 60).await;
            let _exclusive = run.outage_lock.write().await;
            outage(run).await;
        }
        finished.cancel();
    };
    let (clients, ()) = tokio::join!(act(run, &finished), outages);
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
    let run = Run::with_servers(Mode::Live, file, servers).await;
    check_with_outages(&run, async |run| {
        redis.kill().await;
        for server in &run.servers {
            wait_for_status(server, "degraded").await;
        }
        wait_for_orders(run, 20).await;
        redis.run().await;
        for server in &run.servers {
            wait_for_status(server, "ok").await;
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

/// Starts a server in its own network namespace, with one link to its store and one to its clients.
async fn isolated_server(path: &Path, store: &str) -> Mockd {
    let link = |name: &str, address: &str| {
        format!("until ip addr add {address}/24 dev {name} 2>/dev/null; do sleep 0.01; done; ip link set {name} up")
    };
    let links = format!("ip link set lo up; {}; {}", link("store-there", "10.78.0.2"), link("there", "10.79.0.2"));
    let script = format!(r#"{links}; exec "$0" "$@""#);
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &script, env!("CARGO_BIN_EXE_mockd"), "run"]).arg(path);
    command.args(["--log-format", "json", "--no-watch", "--paused", "--host", "10.79.0.2", "--port", "4000"]);
    command.args(["--store", store, "--backlog", BACKLOG]).kill_on_drop(true);
    let starting = Mockd::spawn(command);
    let pid = starting.pid();
    // Until `unshare` has run, the process is still in this network namespace.
    let network = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    poll("a network namespace", async || (network(pid) != network(std::process::id())).then_some(())).await;
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

/// Runs this test again in its own network namespace.
async fn run_in_namespace() {
    let name = "history::shared::one_order_explains_three_servers_when_one_loses_the_store";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(IN_NAMESPACE, "1").kill_on_drop(true);
    let output = command.output().await.unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    println!("{printed}");
}

#[tokio::test]
async fn one_order_explains_three_servers_when_one_loses_the_store() {
    needs!(Redis, Namespaces);
    if std::env::var_os(IN_NAMESPACE).is_none() {
        return run_in_namespace().await;
    }
    ip(None, "link set lo up").await;
    let (file, redis) = (Run::file(), Redis::start_for_all().await);
    let mut servers = vec![server(file.path(), &redis.url(), &[]).await];
    servers.push(isolated_server(file.path(), &redis.url().replace("127.0.0.1", "10.78.0.1")).await);
    servers.push(server(file.path(), &redis.url(), &["--no-watch"]).await);
    let run = Run::with_servers(Mode::Live, file, servers).await;
    check_with_outages(&run, async |run| {
        // From here on, packets sent there are neither accepted nor rejected.
        ip(None, "addr del 10.78.0.1/24 dev store-here").await;
        wait_for_status(&run.servers[1], "degraded").await;
        wait_for_orders(run, 60).await;
        ip(None, "addr add 10.78.0.1/24 dev store-here").await;
        wait_for_status(&run.servers[1], "ok").await;
    })
    .await;
}
