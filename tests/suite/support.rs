//! Test support: scenario files, mockd processes, HTTP clients and live sockets.

mod arbitrary;
mod browser;
mod chance;
mod editor;
mod file;
pub(crate) mod frame;
mod http;
mod mockd;
mod port;
mod redis;
mod schema;
mod socket;
mod stream;
#[cfg(unix)]
mod terminal;
mod tool;

pub(crate) use arbitrary::{documents, mutations, properties};
pub(crate) use browser::Browser;
pub(crate) use chance::{number, seed};
pub(crate) use editor::LanguageServer;
pub(crate) use file::ScenarioFile;
pub(crate) use http::{Answer, Connection, http, raw};
pub(crate) use mockd::{Mockd, command};
pub(crate) use port::Port;
pub(crate) use redis::Redis;
pub(crate) use schema::{accepted, schema_errors};
pub(crate) use socket::{RawSocket, Socket};
pub(crate) use stream::EventStream;
#[cfg(unix)]
pub(crate) use terminal::Terminal;
pub(crate) use tool::{Tool, are_available, needs};

use std::time::Duration;

/// How long a test waits for anything. Generous: only a failing test reaches it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(45);

/// The seed's shop, without orders of its own.
pub(crate) const SHOP: &str = r#"
categories:
  electronics:
    prefix: A
    products:
      - { id: A1, name: Vacuum Cleaner, rrp: "99.99", info: The worst vacuum in the world., total: 3 }
      - { id: A2, name: Leaf Blower, rrp: "303.33", info: This product will blow your socks off., total: 7 }
  confectionery:
    prefix: B
    products:
      - { id: B1, name: Chewy Toffee, rrp: "0.99", info: Sticks., total: 101 }
"#;

/// Calls `check` repeatedly, with a pause in between, until it returns a value. Only for conditions that nothing
/// signals: elsewhere, tests wait for the message itself.
pub(crate) async fn poll<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let checks = async {
        loop {
            if let Some(value) = check().await {
                return value;
            }
            pause().await;
        }
    };
    soon(what, checks).await
}

/// Sleeps between two checks. Tests sleep nowhere else.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn signal(pid: u32, name: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match name {
        "CONT" => Signal::CONT,
        "INT" => Signal::INT,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        other => panic!("unknown signal {other}"),
    };
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Waits for a future, and panics after [`TIMEOUT`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(TIMEOUT, future).await;
    outcome.unwrap_or_else(|_| panic!("{what} did not happen within {TIMEOUT:?}"))
}
