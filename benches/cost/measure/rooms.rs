//! The cost of endpoint sockets: an event for all members of a topic, a message to one of many rooms, an answer with a
//! value of the message, and a socket that has joined a topic.

use std::time::{Duration, Instant};

use super::idle::idle_memory;
use super::{Bench, us};
use crate::client::{Client, TIMEOUT};
use crate::delivery::Delivery;
use crate::figures::count;
use crate::http::{Connection, post};
use crate::peers;
use crate::process::Server;
use crate::scenarios;
use crate::subject::{LIVE, Subject};

/// Number of sockets that have joined a topic.
const JOINED: usize = 1_000;

const ROOMS: usize = 1_000;
const IN_ROOM: usize = 10;

/// Number of sockets that send messages at the same time.
const SENDERS: usize = 100;

/// Number of open files of a process other than sockets.
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

/// Measures updates for every socket, one by one: from a topic that each has joined, or from a shop.
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
    let before = cpu(&server);
    updates(number);
    let per_delivery = us(cpu(&server) - before) / count(number * JOINED);
    bench.figures.add(&format!("CPU per delivery, {JOINED} sockets {what}"), "µs", &subject.name, per_delivery);
}

/// Measures messages to one of many rooms, each with ten members. The floor sends updates to its only ten sockets.
fn one_room(bench: &mut Bench, subject: &Subject) {
    let number = bench.pick(200, 2_000);
    let what = format!("CPU per message to a room of {IN_ROOM}");
    let mut client = Client::new();
    if subject.name == Subject::floor().name {
        let server = subject.start();
        client.open(server.address, LIVE.0, IN_ROOM, LIVE.1);
        let mut delivery = Delivery::new(&server, &mut client, 1, subject.total());
        delivery.one_by_one(number / 10).expect("nothing lost, nothing reordered");
        let before = delivery.cpu();
        delivery.one_by_one(number).expect("nothing lost, nothing reordered");
        let per_message = us(delivery.cpu() - before) / count(number);
        bench.figures.add(&what, "µs", &subject.name, per_message);
        return delivery.end().expect("no extra frames");
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
    // A single room shows the overhead of the others. Messages to distant rooms in turn miss the CPU caches.
    let one: &dyn Fn(usize) -> usize = &|_| rooms / 2;
    let each: &dyn Fn(usize) -> usize = &|message| message * 7 % rooms;
    for (which, room) in [("", one), (", another room each time", each)] {
        messages(number / 10, room);
        let before = cpu(&server);
        let times = messages(number, room);
        let mut add = |figure: &str, value| bench.figures.add(&format!("{figure}{which}"), "µs", &subject.name, value);
        add(&what, us(cpu(&server) - before) / count(number));
        add(&format!("message to the last of a room of {IN_ROOM}, among {rooms} rooms"), us(times) / count(number));
    }
}

/// Measures messages that a rule answers with one of their values. Each socket sends the next message after an answer.
fn answers(bench: &mut Bench, subject: &Subject) {
    let server = if bench.mockd.iter().any(|mockd| mockd.name == subject.name) {
        subject.start_with(&scenarios::answers(&bench.scratch), &["--paused"])
    } else {
        subject.start()
    };
    let time = bench.pick(Duration::from_secs(1), Duration::from_secs(3));
    let mut client = Client::new();
    client.open(server.address, "/answers", SENDERS, 1);
    let send_message =
        |client: &mut Client, number: usize| client.send(number, &format!(r#"{{"type":"get","id":{number}}}"#));
    (0..SENDERS).for_each(|number| send_message(&mut client, number));
    let (start, before, mut answered) = (Instant::now(), server.cpu(), 0);
    let mut got = Vec::with_capacity(SENDERS);
    while start.elapsed() < time {
        client.poll(Duration::from_millis(10), |number, payload| {
            let expected = format!(r#"{{"id":{number},"type":"got"}}"#);
            assert!(payload == expected.as_bytes(), "unexpected answer {}", String::from_utf8_lossy(payload));
            got.push(number);
        });
        answered += got.len();
        got.drain(..).for_each(|number| send_message(&mut client, number));
    }
    let (elapsed, cpu) = (start.elapsed(), server.cpu() - before);
    assert!(answered > SENDERS, "expected more answers, got {answered}");
    let mut add = |figure: &str, unit, value| bench.figures.add(figure, unit, &subject.name, value);
    add("CPU per answered message", "µs", us(cpu) / count(answered));
    add(&format!("answered messages on {SENDERS} sockets"), "1/s", count(answered) / elapsed.as_secs_f64());
}

/// Measures the memory of an idle socket that has joined a topic. The journal is off, because its size is bounded and
/// does not grow with the number of sockets.
fn memory(bench: &mut Bench, subject: &Subject) {
    const FEW: usize = 1_000;
    let most = bench.pick(5_000, 10_000).min(bench.files - OTHER_FILES);
    let server = subject.start_with(&scenarios::joined(&bench.scratch), &["--paused", "--journal", "0"]);
    let mut client = Client::new();
    client.open(server.address, "/rows", FEW, 1);
    let few = idle_memory(&server);
    client.open(server.address, "/rows", most, 1);
    let per_socket = (idle_memory(&server) - few) / count(most - FEW);
    bench.figures.add("memory per socket that has joined a topic", "KiB", &subject.name, per_socket / 1024.0);
}

/// Returns the server's CPU time, including work after the last frame.
fn cpu(server: &Server) -> Duration {
    std::thread::sleep(Duration::from_millis(5));
    server.cpu()
}

/// Waits until each of the given sockets has received exactly one frame. Panics if another socket receives one.
fn expect_one_each(client: &mut Client, sockets: std::ops::Range<usize>) {
    let (mut got, deadline) = (vec![false; sockets.len()], Instant::now() + TIMEOUT);
    let mut missing = sockets.len();
    while missing > 0 {
        assert!(Instant::now() < deadline, "{missing} of the sockets {sockets:?} received nothing");
        client.poll(Duration::from_millis(100), |number, _| {
            assert!(sockets.contains(&number), "socket {number} received an unexpected frame");
            let is_second = std::mem::replace(&mut got[number - sockets.start], true);
            assert!(!is_second, "socket {number} received the frame twice");
            missing -= 1;
        });
    }
}
