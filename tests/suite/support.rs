//! What the tests share: scenario files, running mockds, HTTP and live sockets.

mod arbitrary;
mod browser;
mod chance;
mod editor;
mod file;
pub(crate) mod frame;
mod http;
mod mockd;
mod redis;
mod schema;
mod socket;
#[cfg(unix)]
mod terminal;

pub(crate) use arbitrary::{documents, mutations};
pub(crate) use browser::Browser;
pub(crate) use chance::{number, seed};
pub(crate) use editor::LanguageServer;
pub(crate) use file::ScenarioFile;
pub(crate) use http::{Answer, http, raw};
pub(crate) use mockd::{Mockd, command};
pub(crate) use redis::Redis;
pub(crate) use schema::{accepted, schema_rejects};
pub(crate) use socket::{RawSocket, Socket};
#[cfg(unix)]
pub(crate) use terminal::Terminal;

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

/// Waits for a future, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, future).await;
    outcome.unwrap_or_else(|_| panic!("{what} did not happen within {PATIENCE:?}"))
}
