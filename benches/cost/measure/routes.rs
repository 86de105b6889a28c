//! Declared routes: the cost of a request, start time with many routes, and time from a save to the new answer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::rates::{measure, with_path};
use super::{Bench, ms};
use crate::client::TIMEOUT;
use crate::http::{fetch, get};
use crate::process::Server;
use crate::scenarios;
use crate::subject::{Kind, Subject, shop};

/// Number of routes in the reloaded scenario.
const MANY: usize = 1_000;

pub(super) fn run(bench: &mut Bench) {
    let file = bench.scratch.join("constant.json");
    let body = {
        let server = bench.mockd[0].start_with(&shop(), &["--paused"]);
        fetch(server.address, "/electronics").expect("a body")
    };
    fs::write(&file, &body).expect("a scratch directory");
    let body = String::from_utf8(body).expect("JSON is text");
    requests(bench, &body, &file);
    start(bench, &body);
    reload(bench, &body);
}

fn requests(bench: &mut Bench, body: &str, file: &Path) {
    let few = scenarios::routes(&bench.scratch, body, 10, 0);
    let is_compared = |subject: &Subject| !matches!(&subject.kind, Kind::Peer(peer) if !peer.serves_files);
    let subjects: Vec<Subject> = bench.all().into_iter().filter(is_compared).collect();
    for (what, path) in [
        ("GET of a route with a constant body", "/electronics"),
        ("GET of a route with a body from data", "/products"),
        ("GET of a route with a parameter and an expression", "/products/a1b2/price"),
    ] {
        measure(bench, &subjects, what, |subject| served(subject, &few, file, path));
    }
}

/// Starts a subject, and returns it with the request to send: a GET of `path` for mockd. The others always answer with
/// a constant body: the floor with the file, nginx with its `return 200`.
fn served(subject: &Subject, scenario: &Path, file: &Path, path: &str) -> (Server, Vec<u8>) {
    match &subject.kind {
        Kind::Mockd(_) => (subject.start_with(scenario, &["--paused"]), get(path)),
        Kind::Floor => with_path(subject.start_large(scenario, file)),
        Kind::Peer(_) => (subject.start(), get("/electronics")),
    }
}

fn start(bench: &mut Bench, body: &str) {
    let hundred = scenarios::routes(&bench.scratch, body, 100, 0);
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, 11, |bench, subject| {
        for (what, scenario) in [("with 100 routes", &hundred), ("with the shop", &shop())] {
            let server = subject.start_with(scenario, &["--paused"]);
            bench.figures.add(&format!("exec to the first 200 {what}"), "ms", &subject.name, ms(server.started));
        }
    });
}

fn reload(bench: &mut Bench, body: &str) {
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, bench.pick(1, 3), |bench, subject| {
        let path = scenarios::routes(&bench.scratch, body, MANY, 0);
        let server = subject.start_with(&path, &["--paused"]);
        for edition in 1..=bench.pick(3, 5) {
            scenarios::routes(&bench.scratch, body, MANY, edition);
            let (saved, expected) = (Instant::now(), format!("\"edition\":{edition},"));
            let is_served = || {
                let answer = fetch(server.address, &format!("/shelves/{MANY}/a")).expect("the server answers");
                String::from_utf8_lossy(&answer).contains(&expected)
            };
            while !is_served() {
                assert!(saved.elapsed() < TIMEOUT, "edition {edition} was not served");
                std::thread::sleep(Duration::from_micros(500));
            }
            let what = format!("save to the new answer, {MANY} routes");
            bench.figures.add(&what, "ms", &subject.name, ms(saved.elapsed()));
        }
    });
}
