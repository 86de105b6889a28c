//! What sockets of endpoints cost: an event for all who have joined a topic, a message to one of many rooms, an answer with a
//! value of the message, and a socket that has joined something.

use std::time::{Duration, Instant};

use super::idle::settled;
use super::{Bench, us};
use crate::client::{Client, PATIENCE};
use crate::delivery::Delivery;
use crate::figures::count;
use crate::http::{Connection, post};
use crate::peers;
use crate::process::Server;
use crate::scenarios;
use crate::subject::{LIVE, Subject};

/// Sockets that have joined one topic.
const JOINED: usize = 1_000;

const ROOMS: usize = 1_000;
const IN_ROOM: usize = 10;

/// Sockets that ask at the same time.
const ASKING: usize = 100;

/// Files that a process has open beside sockets.
const OTHER_FILES: usize = 500;

pub(super) fn run(bench: &mut Bench) {
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, 3, |bench, subject| {
        deliveries(bench, subject, true);
        deliveries(bench, subject, false);
    });
    let own = bench.own();
    bench.alternate(&own, bench.pick(1, 3), one_room);
    let hand_written = peers::answering().filter(|_| !bench.is_short).map(Subject::peer);
    let answering: Vec<Subject> = mockd.iter().cloned().chain(hand_written).collect();
    bench.alternate(&answering, 3, answers);
    bench.alternate(&mockd, bench.pick(1, 3), memory);
}

/// An update for every socket, one by one: of a topic that each has joined, or of a shop.
fn deliveries(bench: &mut Bench, subject: &Subject, is_joined: bool) {
    let server = subject.start_with(&scenarios::joined(&bench.scratch), &["--paused"]);
    let (what, path, first, request) = if is_joined {
        ("that have joined a topic", "/rows", 1, post("/rows", "{}"))
    } else {
        ("of a shop", LIVE.0, 1, post("/orders/A1", r#"{"amount":1}"#))
    };
    let mut client = Client::new();
    client.open(server.address, path, JOINED, first);
    let mut poster = Connection::open(server.address).expect("the server accepts");
    let mut updates = |count: usize| {
        for _ in 0..count {
            poster.send(&request);
            expect_one_each(&mut client, 0..JOINED);
            poster.wait();
        }
    };
    updates(10);
    let number = bench.pick(100, 200);
    let begin = cpu(&server);
    updates(number);
    let per_delivery = us(cpu(&server) - begin) / count(number * JOINED);
    bench.figures.add(&format!("CPU per delivery, {JOINED} sockets {what}"), "µs", &subject.name, per_delivery);
}

/// Messages to a room of ten among many; at the floor, updates to ten sockets that are alone.
fn one_room(bench: &mut Bench, subject: &Subject) {
    let number = bench.pick(200, 2_000);
    let what = format!("CPU per message to a room of {IN_ROOM}");
    let mut client = Client::new();
    if subject.name == Subject::floor().name {
        let server = subject.start();
        client.open(server.address, LIVE.0, IN_ROOM, LIVE.1);
        let mut delivery = Delivery::new(&server, &mut client, 1, subject.total());
        delivery.one_by_one(number / 10).expect("nothing lost, nothing reordered");
        let begin = delivery.cpu();
        delivery.one_by_one(number).expect("nothing lost, nothing reordered");
        let per_message = us(delivery.cpu() - begin) / count(number);
        bench.figures.add(&what, "µs", &subject.name, per_message);
        return delivery.end().expect("nothing twice");
    }
    let server = subject.start_with(&scenarios::rooms(&bench.scratch), &["--paused"]);
    let rooms = ROOMS.min((bench.files - OTHER_FILES) / IN_ROOM);
    for room in 0..rooms {
        client.open(server.address, &format!("/rooms/{room}"), (room + 1) * IN_ROOM, 1);
    }
    let mut messages = |number: usize, room: &dyn Fn(usize) -> usize| {
        let mut times = Duration::ZERO;
        for message in 0..number {
            let first = room(message) * IN_ROOM;
            let sent = Instant::now();
            client.send(first, r#"{"say":"hello"}"#);
            expect_one_each(&mut client, first..first + IN_ROOM);
            times += sent.elapsed();
        }
        times
    };
    // One room shows what the others cost it. Rooms far from each other, one after the other, are in no cache.
    let one: &dyn Fn(usize) -> usize = &|_| rooms / 2;
    let each: &dyn Fn(usize) -> usize = &|message| message * 7 % rooms;
    for (which, room) in [("", one), (", another room each time", each)] {
        messages(number / 10, room);
        let begin = cpu(&server);
        let times = messages(number, room);
        let mut add = |figure: &str, value| bench.figures.add(&format!("{figure}{which}"), "µs", &subject.name, value);
        add(&what, us(cpu(&server) - begin) / count(number));
        add(&format!("message to the last of a room of {IN_ROOM}, among {rooms} rooms"), us(times) / count(number));
    }
}

/// Messages that a rule answers with a value of theirs: each socket asks again once it has its answer.
fn answers(bench: &mut Bench, subject: &Subject) {
    let server = if bench.mockd.iter().any(|mockd| mockd.name == subject.name) {
        subject.start_with(&scenarios::answers(&bench.scratch), &["--paused"])
    } else {
        subject.start()
    };
    let time = bench.pick(Duration::from_secs(1), Duration::from_secs(3));
    let mut client = Client::new();
    client.open(server.address, "/answers", ASKING, 1);
    let ask = |client: &mut Client, number: usize| client.send(number, &format!(r#"{{"type":"get","id":{number}}}"#));
    (0..ASKING).for_each(|number| ask(&mut client, number));
    let (begin, before, mut answered) = (Instant::now(), server.cpu(), 0);
    let mut got = Vec::with_capacity(ASKING);
    while begin.elapsed() < time {
        client.poll(Duration::from_millis(10), |number, payload| {
            let expected = format!(r#"{{"id":{number},"type":"got"}}"#);
            assert!(payload == expected.as_bytes(), "{} is no answer", String::from_utf8_lossy(payload));
            got.push(number);
        });
        answered += got.len();
        got.drain(..).for_each(|number| ask(&mut client, number));
    }
    let (elapsed, cpu) = (begin.elapsed(), server.cpu() - before);
    assert!(answered > ASKING, "no answers");
    let mut add = |figure: &str, unit, value| bench.figures.add(figure, unit, &subject.name, value);
    add("CPU per answered message", "µs", us(cpu) / count(answered));
    add(&format!("answered messages of {ASKING} sockets"), "1/s", count(answered) / elapsed.as_secs_f64());
}

/// What an idle socket that has joined a topic takes. The journal is off: its entries are bounded, however many sockets there are.
fn memory(bench: &mut Bench, subject: &Subject) {
    const FEW: usize = 1_000;
    let most = bench.pick(5_000, 10_000).min(bench.files - OTHER_FILES);
    let server = subject.start_with(&scenarios::joined(&bench.scratch), &["--paused", "--journal", "0"]);
    let mut client = Client::new();
    client.open(server.address, "/rows", FEW, 1);
    let few = settled(&server);
    client.open(server.address, "/rows", most, 1);
    let per_socket = (settled(&server) - few) / count(most - FEW);
    bench.figures.add("memory per socket that has joined a topic", "KiB", &subject.name, per_socket / 1024.0);
}

/// The server's CPU time, with what it does after the last frame.
fn cpu(server: &Server) -> Duration {
    std::thread::sleep(Duration::from_millis(5));
    server.cpu()
}

/// Waits until each of these sockets has got one frame, and no other socket any.
fn expect_one_each(client: &mut Client, sockets: std::ops::Range<usize>) {
    let (mut got, deadline) = (vec![false; sockets.len()], Instant::now() + PATIENCE);
    let mut missing = sockets.len();
    while missing > 0 {
        assert!(Instant::now() < deadline, "{missing} of the sockets {sockets:?} get nothing");
        client.poll(Duration::from_millis(100), |number, _| {
            assert!(sockets.contains(&number), "socket {number} gets what is not for it");
            let is_second = std::mem::replace(&mut got[number - sockets.start], true);
            assert!(!is_second, "socket {number} gets it twice");
            missing -= 1;
        });
    }
}
