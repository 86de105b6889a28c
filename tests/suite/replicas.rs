//! Several servers with one store act as one mock.

mod lead;
mod members;
mod outage;
mod page;
mod rules;
mod sharing;

use serde_json::Value;

use crate::support::{Mockd, Redis, ScenarioFile, poll};

/// Starts servers that share a store. Only the first watches the scenario file.
async fn servers(count: usize, file: &ScenarioFile, redis: &Redis, flags: &[&str]) -> Vec<Mockd> {
    let mut servers = Vec::new();
    for number in 0..count {
        servers.push(
            server(file, redis, if number == 0 { flags.to_vec() } else { [flags, &["--no-watch"]].concat() }).await,
        );
    }
    servers
}

async fn server(file: &ScenarioFile, redis: &Redis, flags: Vec<&str>) -> Mockd {
    let url = redis.url();
    let mut mockd = Mockd::run_with(file.path(), &[&["--store", &url], &flags[..]].concat()).await;
    mockd.discard_log();
    mockd
}

/// Waits until all servers have the same state, and returns it.
async fn agreed(servers: &[Mockd], path: &str) -> Value {
    let agree = async || {
        let mut states = Vec::new();
        for server in servers {
            states.push(server.get(path).await.json());
        }
        let is_same = |state: &Value| ["totals", "sequence"].iter().all(|key| state[key] == states[0][key]);
        states.iter().all(is_same).then(|| states.remove(0))
    };
    poll("the same state everywhere", agree).await
}
