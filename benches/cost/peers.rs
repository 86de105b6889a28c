//! Other servers that do a part of what mockd does. `benches/peers/install` installs them into `target/peers`; those that
//! are not there are left out.

use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Takes orders at `POST /orders/A1` and sends them to sockets at `/orders/electronics`, in mockd's form.
    pub(crate) is_live: bool,
    /// Answers `GET /large` with a file of any size.
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

/// Answers messages of sockets at `/answers`, each with the id that it brings.
const WS: Peer = Peer { name: "ws", is_live: false, serves_files: false };

impl Peer {
    pub(crate) fn command(&self, port: u16, large: Option<&Path>) -> Command {
        let mut command = Command::new(root().join("benches/peers/start"));
        command.args([self.name, &port.to_string()]).args(large);
        command
    }
}

/// Those that are installed; one line on standard error about each that is not.
pub(crate) fn installed() -> Vec<Peer> {
    PEERS.into_iter().filter(is_installed).collect()
}

/// The one that answers messages, if it is installed.
pub(crate) fn answering() -> Option<Peer> {
    Some(WS).filter(is_installed)
}

fn is_installed(peer: &Peer) -> bool {
    let is_there = root().join("target/peers").join(peer.name).is_dir();
    if !is_there {
        eprintln!("{} is not installed, see benches/peers/install", peer.name);
    }
    is_there
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
