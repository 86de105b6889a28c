//! What an event on a stream costs beside the same event of the same rule on a socket: 100 clients, 100 events a second each.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Bench, us};
use crate::client::{Client, PATIENCE};
use crate::epoll::Epoll;
use crate::figures::count;
use crate::process::Server;
use crate::scenarios;
use crate::subject::Subject;

const CLIENTS: usize = 100;

/// Where streams and sockets are opened.
const PATH: &str = "/ticks";

pub(super) fn run(bench: &mut Bench) {
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, 3, round);
}

fn round(bench: &mut Bench, subject: &Subject) {
    let time = bench.pick(Duration::from_secs(2), Duration::from_secs(5));
    let scenario = scenarios::hundred_a_second(&bench.scratch);
    let mut cost = |what: &str, run: fn(&Server, Duration) -> (usize, Duration)| {
        let server = subject.start_with(&scenario, &[]);
        let (events, cpu) = run(&server, time);
        let mut add = |figure: &str, unit, value| {
            bench.figures.add(&format!("{figure} on each {what} of {CLIENTS}"), unit, &subject.name, value);
        };
        add("events", "1/s", count(events) / time.as_secs_f64() / count(CLIENTS));
        let each = us(cpu) / count(events);
        add("CPU per event", "µs", each);
        each
    };
    let ratio = cost("stream", of_streams) / cost("socket", of_sockets);
    bench.figures.add("CPU per event, stream / socket", "ratio", &subject.name, ratio);
}

fn of_streams(server: &Server, time: Duration) -> (usize, Duration) {
    let mut streams = Streams::open(server.address);
    measured(server, time, || streams.poll())
}

fn of_sockets(server: &Server, time: Duration) -> (usize, Duration) {
    let mut client = Client::new();
    client.open(server.address, PATH, CLIENTS, 2);
    measured(server, time, || {
        let mut events = 0;
        client.poll(Duration::from_millis(10), |_, _| events += 1);
        events
    })
}

/// Events that come in that time, and what they cost the server.
fn measured(server: &Server, time: Duration, mut poll: impl FnMut() -> usize) -> (usize, Duration) {
    let (begin, cpu) = (Instant::now(), server.cpu());
    let mut events = 0;
    while begin.elapsed() < time {
        events += poll();
    }
    (events, server.cpu() - cpu)
}

/// Open streams of server-sent events, whose ends of events are counted.
struct Streams {
    epoll: Epoll,
    /// Each with the last byte that was read.
    connections: Vec<(TcpStream, u8)>,
    buffer: Box<[u8]>,
}

impl Streams {
    /// Opens them, and waits until each has had its first event.
    fn open(server: SocketAddr) -> Self {
        let mut all =
            Self { epoll: Epoll::new(), connections: Vec::new(), buffer: vec![0; 1 << 16].into_boxed_slice() };
        for token in 0..CLIENTS {
            let mut stream = TcpStream::connect(server).expect("the server accepts");
            let request = format!("GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("the server takes a request");
            stream.set_nonblocking(true).expect("a socket");
            all.epoll.add(&stream, token);
            all.connections.push((stream, 0));
        }
        let (begin, mut events) = (Instant::now(), 0);
        while events < 2 * CLIENTS {
            assert!(begin.elapsed() < PATIENCE, "streams do not get their first events");
            events += all.poll();
        }
        all
    }

    /// Waits a while for what comes; gives how many events it ends.
    fn poll(&mut self) -> usize {
        let ready: Vec<usize> = self.epoll.wait(Some(Duration::from_millis(10))).collect();
        let mut events = 0;
        for token in ready {
            let (stream, last) = &mut self.connections[token];
            match stream.read(&mut self.buffer) {
                Ok(0) => panic!("the server ended stream {token}"),
                Ok(read) => {
                    for byte in &self.buffer[..read] {
                        // An empty line ends an event (HTML, 9.2.6); lines of the transport end with CR LF.
                        events += usize::from(*last == b'\n' && *byte == b'\n');
                        *last = *byte;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("stream {token}: {error}"),
            }
        }
        events
    }
}
