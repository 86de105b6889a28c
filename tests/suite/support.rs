//! What the tests share: scenario files, running mockds, HTTP and live sockets.

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
pub(crate) use schema::{accepted, schema_rejects};
pub(crate) use socket::{RawSocket, Socket};
pub(crate) use stream::EventStream;
#[cfg(unix)]
pub(crate) use terminal::Terminal;
pub(crate) use tool::{Tool, are_there, needs};

use std::time::Duration;

/// How long anything may take before a test gives up waiting for it. Generous: it is only reached by a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// The seed's shop without anything that moves by itself.
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

/// Looks again and again, with a pause in between, until there is something to see. For what nothing else tells of: every
/// other wait of a test is for the message itself.
pub(crate) async fn poll<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            pause().await;
        }
    };
    soon(what, looking).await
}

/// Lets some time pass before one looks again. No test sleeps otherwise.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Sends a process a signal.
#[cfg(unix)]
pub(crate) fn signal(pid: u32, name: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match name {
        "CONT" => Signal::CONT,
        "INT" => Signal::INT,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        other => panic!("{other} is sent by no test"),
    };
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Waits for a future, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, future).await;
    outcome.unwrap_or_else(|_| panic!("{what} did not happen within {PATIENCE:?}"))
}
