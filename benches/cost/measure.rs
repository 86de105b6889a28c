//! The measurements, each under a name for `--only`.

mod checks;
mod dashboard;
mod fanout;
mod growth;
mod idle;
mod rates;
mod reload;
mod replicas;
mod rooms;
mod routes;
mod scripts;
mod start;
mod streams;
mod stuck;
mod worlds;

use std::path::PathBuf;
use std::time::Duration;

use crate::figures::Figures;
use crate::subject::Subject;

/// The context of every measurement.
pub(crate) struct Bench {
    /// Builds of mockd.
    pub(crate) mockd: Vec<Subject>,
    /// Installed peers; empty in the short form.
    pub(crate) peers: Vec<Subject>,
    pub(crate) is_short: bool,
    /// Number of rounds of each alternating measurement, instead of its default.
    pub(crate) rounds: Option<usize>,
    /// Maximum number of open files of this process and of each server.
    pub(crate) files: usize,
    /// Seconds to follow scripts, instead of the default.
    pub(crate) script_seconds: Option<usize>,
    /// Directory for generated files.
    pub(crate) scratch: PathBuf,
    pub(crate) figures: Figures,
}

type Measurement = fn(&mut Bench);

/// All measurements by name, in the order in which they run.
pub(crate) const ALL: [(&str, Measurement); 15] = [
    ("checks", checks::run),
    ("fanout", fanout::run),
    ("stuck", stuck::run),
    ("idle", idle::run),
    ("http", rates::run),
    ("start", start::run),
    ("reload", reload::run),
    ("scripts", scripts::run),
    ("worlds", worlds::run),
    ("growth", growth::run),
    ("dashboard", dashboard::run),
    ("replicas", replicas::run),
    ("routes", routes::run),
    ("streams", streams::run),
    ("rooms", rooms::run),
];

impl Bench {
    /// Returns `short` in the short form of the bench, `full` otherwise.
    pub(crate) fn pick<T>(&self, short: T, full: T) -> T {
        if self.is_short { short } else { full }
    }

    /// Runs `rounds` rounds over all subjects, or as many as `--rounds` sets. Every second round is in reverse order.
    pub(crate) fn alternate(&mut self, subjects: &[Subject], rounds: usize, mut run: impl FnMut(&mut Self, &Subject)) {
        for round in 0..self.rounds.unwrap_or(rounds) {
            let mut subjects: Vec<&Subject> = subjects.iter().collect();
            if round % 2 == 1 {
                subjects.reverse();
            }
            for subject in subjects {
                run(self, subject);
            }
        }
    }

    /// Returns the floor and every build of mockd.
    pub(crate) fn own(&self) -> Vec<Subject> {
        [vec![Subject::floor()], self.mockd.clone()].concat()
    }

    /// Returns all subjects, including the peers.
    pub(crate) fn all(&self) -> Vec<Subject> {
        [self.own(), self.peers.clone()].concat()
    }

    /// Returns the subjects that send updates to sockets.
    pub(crate) fn live(&self) -> Vec<Subject> {
        self.all().into_iter().filter(Subject::is_live).collect()
    }
}

/// Converts a time to milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Converts a time to microseconds.
fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Converts bytes to mebibytes.
fn mib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
