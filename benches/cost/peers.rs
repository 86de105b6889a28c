//! Other servers that do part of mockd's job. `benches/peers/install` installs them into `target/peers`; missing ones
//! are skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Accepts orders at `POST /orders/A1` and sends updates to sockets at `/orders/electronics`, in mockd's format.
    pub(crate) is_live: bool,
    /// Answers `GET /large` with a given file.
    pub(crate) serves_files: bool,
}

const PEERS: [Peer; 6] = [
    Peer { name: "fastify", is_live: true, serves_files: false },
    Peer { name: "socketify", is_live: true, serves_files: false },
    Peer { name: "nginx", is_live: false, serves_files: true },
    Peer { name: "json-server", is_live: false, serves_files: false },
    Peer { name: "mockoon", is_live: false, serves_files: false },
    Peer { name: "wiremock", is_live: false, serves_files: false },
];

/// Answers each message on a socket at `/answers` with the id of the message.
const WS: Peer = Peer { name: "ws", is_live: false, serves_files: false };

impl Peer {
    pub(crate) fn command(&self, port: u16, large: Option<&Path>) -> Command {
        let mut command = Command::new(root().join("benches/peers/start"));
        command.args([self.name, &port.to_string()]).args(large);
        command
    }
}

/// Returns the installed peers, and prints a line to standard error about each missing one.
pub(crate) fn installed() -> Vec<Peer> {
    PEERS.into_iter().filter(is_installed).collect()
}

/// Returns the peer that answers messages, if it is installed.
pub(crate) fn answering() -> Option<Peer> {
    Some(WS).filter(is_installed)
}

fn is_installed(peer: &Peer) -> bool {
    let is_installed = root().join("target/peers").join(peer.name).is_dir();
    if !is_installed {
        eprintln!("{} is not installed; see benches/peers/install", peer.name);
    }
    is_installed
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
