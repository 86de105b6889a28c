//! The subjects of a measurement: builds of mockd, the floor, and peers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::Peer;
use crate::process::{Server, free_port};

#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Mockd(PathBuf),
    Floor,
    Peer(Peer),
}

/// The name of the floor among the figures, and its subcommand in this program's arguments.
pub(crate) const FLOOR: &str = "floor";

/// The path of live sockets, and the number of frames that each first receives: the totals of two products.
pub(crate) const LIVE: (&str, usize) = ("/orders/electronics", 2);

/// The initial total of A1 in the floor and in `shop.yaml`.
pub(crate) const TOTAL: usize = 3;

impl Subject {
    pub(crate) fn mockd(name: impl Into<String>, path: PathBuf) -> Self {
        Self { name: name.into(), kind: Kind::Mockd(path) }
    }

    pub(crate) fn floor() -> Self {
        Self { name: FLOOR.into(), kind: Kind::Floor }
    }

    pub(crate) fn peer(peer: Peer) -> Self {
        Self { name: peer.name.into(), kind: Kind::Peer(peer) }
    }

    /// Returns whether the subject sends updates to sockets.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.kind, Kind::Peer(Peer { is_live: false, .. }))
    }

    /// Returns the initial total of A1.
    pub(crate) fn total(&self) -> usize {
        if matches!(self.kind, Kind::Peer(_)) { 0 } else { TOTAL }
    }

    /// Starts the subject with the default scenario and a paused clock, so that only posts cause events.
    pub(crate) fn start(&self) -> Server {
        match &self.kind {
            Kind::Mockd(_) => self.start_with(&shop(), &["--paused"]),
            Kind::Floor => start_floor(&[]),
            Kind::Peer(peer) => serve(|port| peer.command(port, None), "/electronics"),
        }
    }

    /// Starts mockd with the given scenario and arguments.
    pub(crate) fn start_with(&self, scenario: &Path, arguments: &[&str]) -> Server {
        let Kind::Mockd(program) = &self.kind else { panic!("{} does not serve scenarios", self.name) };
        let command = |port: u16| {
            let mut command = Command::new(program);
            command.arg("run").arg(scenario).args(["--port", &port.to_string()]).args(arguments);
            command
        };
        serve(command, "/electronics")
    }

    /// Starts the subject so that it answers GETs with the given body: mockd from `scenario`, the others from the file
    /// `body`. Returns the path to request as well.
    pub(crate) fn start_large(&self, scenario: &Path, body: &Path) -> (Server, &'static str) {
        match &self.kind {
            Kind::Mockd(_) => (self.start_with(scenario, &["--paused"]), "/electronics"),
            Kind::Floor => (start_floor(&["--body", body.to_str().expect("a path")]), "/electronics"),
            Kind::Peer(peer) => (serve(|port| peer.command(port, Some(body)), "/large"), "/large"),
        }
    }
}

/// Starts a floor with the given arguments.
pub(crate) fn start_floor(arguments: &[&str]) -> Server {
    let command = |port: u16| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([FLOOR, "--port", &port.to_string()]).args(arguments);
        command
    };
    serve(command, "/electronics")
}

fn serve(command: impl FnOnce(u16) -> Command, path: &str) -> Server {
    let port = free_port();
    Server::start(command(port), port, path)
}

/// Returns the path of the default scenario.
pub(crate) fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/shop.yaml")
}
