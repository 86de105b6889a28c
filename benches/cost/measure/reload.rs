//! Time from the save of a scenario file to the frame on the last socket, and how long requests wait in the meantime.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Bench, ms};
use crate::client::{Client, TIMEOUT};
use crate::delivery::order;
use crate::http::{Connection, get, post};
use crate::process::Server;
use crate::scenarios;
use crate::subject::{Subject, shop};

/// A scenario to edit.
struct Edited<'a> {
    what: &'a str,
    original: &'a Path,
    /// The declaration of A1's total in the file.
    total: &'a str,
    /// A category with few products, since a body of megabytes would dominate the response time.
    category: &'a str,
    /// Number of frames that each socket first receives: one per product of the category.
    first: usize,
}

pub(super) fn run(bench: &mut Bench) {
    let large = scenarios::products(&bench.scratch, 100_000);
    let shop = shop();
    let small = Edited { what: "shop.yaml", original: &shop, total: "total: 3 ", category: "electronics", first: 2 };
    let large = Edited { what: "100,000 products", original: &large, total: "total: 0", category: "few", first: 1 };
    let mockd = bench.mockd.clone();
    for edited in [small, large] {
        bench.alternate(&mockd, bench.pick(1, 3), |bench, subject| round(bench, subject, &edited));
    }
}

fn round(bench: &mut Bench, subject: &Subject, edited: &Edited) {
    let sockets = bench.pick(2_000, 10_000);
    let path = bench.scratch.join("edited.yaml");
    let text = fs::read_to_string(edited.original).expect("a scenario");
    fs::write(&path, &text).expect("a scratch directory");
    let server = subject.start_with(&path, &["--paused"]);
    let mut client = Client::new();
    client.open(server.address, &format!("/orders/{}", edited.category), sockets, edited.first);
    let baseline = measure_waits(&server, edited.category, || thread::sleep(Duration::from_millis(300))).1;
    let save = |client: &mut Client, total: usize| {
        let text = text.replacen(edited.total, &format!("total: {total} "), 1);
        fs::write(&path, &text).expect("a scratch directory");
        until_all_have(client, total)
    };
    for total in (1_000..).step_by(2).take(bench.pick(3, 5)) {
        // The first save runs without other requests, since each POST is written to every socket as well.
        drain(&mut client);
        let reload = save(&mut client, total);
        let waits = measure_waits(&server, edited.category, || save(&mut client, total + 1)).1;
        let mut add = |what: &str, value| {
            bench.figures.add(&format!("{what}, {}, {sockets} sockets", edited.what), "ms", &subject.name, value);
        };
        add("save to the last socket", ms(reload));
        add("longest GET during a reload", ms(waits.0));
        add("longest POST during a reload", ms(waits.1));
        add("longest GET without a reload", ms(baseline.0));
        add("longest POST without a reload", ms(baseline.1));
    }
}

/// Reads frames until no more arrive.
fn drain(client: &mut Client) {
    let mut has_frames = true;
    while has_frames {
        has_frames = false;
        client.poll(Duration::from_millis(300), |_, _| has_frames = true);
    }
}

/// Waits until every socket has received the given total of A1. Returns the elapsed time.
fn until_all_have(client: &mut Client, total: usize) -> Duration {
    let saved = Instant::now();
    let mut has = vec![false; client.len()];
    let mut missing = has.len();
    while missing > 0 {
        assert!(saved.elapsed() < TIMEOUT, "{missing} sockets did not receive the new total");
        client.poll(Duration::from_millis(100), |number, payload| {
            if order(payload, 'A') == Some((1, total)) && !has[number] {
                has[number] = true;
                missing -= 1;
            }
        });
    }
    saved.elapsed()
}

/// Runs `act` and sends GETs and POSTs at the same time. Returns its result and the longest response time of each
/// method.
fn measure_waits<T>(server: &Server, category: &str, act: impl FnOnce() -> T) -> (T, (Duration, Duration)) {
    let (is_over, address) = (AtomicBool::new(false), server.address);
    let get = get(&format!("/{category}"));
    let order = post("/orders/B1", r#"{"amount":1}"#);
    thread::scope(|scope| {
        let gets = scope.spawn(|| longest(address, &get, Duration::from_millis(1), &is_over));
        // Each POST is written to every socket, so they are sent less often.
        let posts = scope.spawn(|| longest(address, &order, Duration::from_millis(50), &is_over));
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        (done, (gets.join().expect("no panic"), posts.join().expect("no panic")))
    })
}

/// Sends a request repeatedly, with pauses. Returns the longest response time.
fn longest(server: SocketAddr, request: &[u8], pause: Duration, is_over: &AtomicBool) -> Duration {
    let mut connection = Connection::open(server).expect("the server accepts");
    let mut longest = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        connection.exchange(request);
        longest = longest.max(sent.elapsed());
        thread::sleep(pause);
    }
    longest
}
