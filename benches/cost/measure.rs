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

/// What every measurement gets.
pub(crate) struct Bench {
    /// Builds of mockd.
    pub(crate) mockd: Vec<Subject>,
    /// Only in the full form.
    pub(crate) peers: Vec<Subject>,
    pub(crate) is_short: bool,
    /// Rounds of what alternates, instead of each measurement's own.
    pub(crate) rounds: Option<usize>,
    /// Files that this process, and each server, may open.
    pub(crate) files: usize,
    /// Seconds that scripts are followed, instead of those of the form.
    pub(crate) script_seconds: Option<usize>,
    /// For files that are made.
    pub(crate) scratch: PathBuf,
    pub(crate) figures: Figures,
}

type Measurement = fn(&mut Bench);

/// In the order in which they run.
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
    /// One or the other, by the form that runs.
    pub(crate) fn pick<T>(&self, short: T, full: T) -> T {
        if self.is_short { short } else { full }
    }

    /// Runs a round for each subject in turn, `rounds` times unless another number is asked for; every other time in the
    /// opposite order.
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

    /// The floor and every build of mockd.
    pub(crate) fn own(&self) -> Vec<Subject> {
        [vec![Subject::floor()], self.mockd.clone()].concat()
    }

    /// Those, and the peers.
    pub(crate) fn all(&self) -> Vec<Subject> {
        [self.own(), self.peers.clone()].concat()
    }

    /// Those whose updates reach sockets.
    pub(crate) fn live(&self) -> Vec<Subject> {
        self.all().into_iter().filter(Subject::is_live).collect()
    }
}

/// Milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Microseconds.
fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Mebibytes.
fn mib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
