//! Several servers by one store are one mock.

mod lead;
mod outage;
mod page;
mod sharing;

use crate::support::{Mockd, Redis, ScenarioFile, soon};

/// So many servers that play a scenario by a store; only the first follows its file.
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
    mockd.forget_log();
    mockd
}

/// Asks until an answer is as it should be.
async fn until(mockd: &Mockd, path: &str, is_so: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let asking = async {
        loop {
            let answer = mockd.get(path).await;
            if answer.status == 200 && is_so(&answer.json()) {
                return answer.json();
            }
        }
    };
    soon(&format!("what is expected of {path}"), asking).await
}

/// Waits until all of them have the same state, and gives it.
async fn agreed(servers: &[Mockd], path: &str) -> serde_json::Value {
    let agreeing = async {
        loop {
            let mut states = Vec::new();
            for server in servers {
                states.push(server.get(path).await.json());
            }
            if states
                .iter()
                .all(|state| state["totals"] == states[0]["totals"] && state["sequence"] == states[0]["sequence"])
            {
                return states.remove(0);
            }
        }
    };
    soon("the same state everywhere", agreeing).await
}
