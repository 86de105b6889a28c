//! Time from exec to the first answer, and memory at that point.

use std::fs;

use super::{Bench, mib, ms};
use crate::figures::count;
use crate::subject::Kind;

pub(super) fn run(bench: &mut Bench) {
    let fast: Vec<_> = bench.all().into_iter().filter(|subject| !matches!(subject.kind, Kind::Peer(_))).collect();
    let peers = bench.peers.clone();
    // Some peers take seconds to start.
    for (subjects, rounds) in [(fast, 11), (peers, 3)] {
        bench.alternate(&subjects, rounds, |bench, subject| {
            let server = subject.start();
            let mut add = |what: &str, unit, value| bench.figures.add(what, unit, &subject.name, value);
            add("exec to the first 200", "ms", ms(server.started));
            add("memory at start", "MiB", mib(server.memory("VmRSS")));
            add("memory at start without mapped files", "MiB", mib(server.memory("RssAnon")));
            if let Kind::Mockd(program) = &subject.kind {
                add("executable size", "MiB", mib(count(fs::metadata(program).expect("an executable").len())));
            }
        });
    }
}
