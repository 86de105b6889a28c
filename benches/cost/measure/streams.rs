//! The cost of an event on a stream, compared with the same event on a socket: 100 clients, 100 events per second each.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Bench, us};
use crate::client::{Client, TIMEOUT};
use crate::epoll::Epoll;
use crate::figures::count;
use crate::process::Server;
use crate::scenarios;
use crate::subject::Subject;

const CLIENTS: usize = 100;

/// The path of streams and sockets.
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
            bench.figures.add(&format!("{figure} on each of {CLIENTS} {what}s"), unit, &subject.name, value);
        };
        add("events", "1/s", count(events) / time.as_secs_f64() / count(CLIENTS));
        let per_event = us(cpu) / count(events);
        add("CPU per event", "µs", per_event);
        per_event
    };
    let ratio = cost("stream", measure_streams) / cost("socket", measure_sockets);
    bench.figures.add("CPU per event, stream / socket", "ratio", &subject.name, ratio);
}

fn measure_streams(server: &Server, time: Duration) -> (usize, Duration) {
    let mut streams = Streams::open(server.address);
    measure(server, time, || streams.poll())
}

fn measure_sockets(server: &Server, time: Duration) -> (usize, Duration) {
    let mut client = Client::new();
    client.open(server.address, PATH, CLIENTS, 2);
    measure(server, time, || {
        let mut events = 0;
        client.poll(Duration::from_millis(10), |_, _| events += 1);
        events
    })
}

/// Returns the number of events received within `time`, and the server's CPU time for them.
fn measure(server: &Server, time: Duration, mut poll: impl FnMut() -> usize) -> (usize, Duration) {
    let (start, cpu) = (Instant::now(), server.cpu());
    let mut events = 0;
    while start.elapsed() < time {
        events += poll();
    }
    (events, server.cpu() - cpu)
}

/// Open streams of server-sent events. Counts complete events.
struct Streams {
    epoll: Epoll,
    /// Connections, each with the last byte read.
    connections: Vec<(TcpStream, u8)>,
    buffer: Box<[u8]>,
}

impl Streams {
    /// Opens the streams, and waits for their first two events each.
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
        let (start, mut events) = (Instant::now(), 0);
        while events < 2 * CLIENTS {
            assert!(start.elapsed() < TIMEOUT, "streams did not receive their first events");
            events += all.poll();
        }
        all
    }

    /// Waits briefly for input. Returns the number of events that it completes.
    fn poll(&mut self) -> usize {
        let ready: Vec<usize> = self.epoll.wait(Some(Duration::from_millis(10))).collect();
        let mut events = 0;
        for token in ready {
            let (stream, last) = &mut self.connections[token];
            match stream.read(&mut self.buffer) {
                Ok(0) => panic!("the server ended stream {token}"),
                Ok(read) => {
                    for byte in &self.buffer[..read] {
                        // An empty line ends an event (HTML, 9.2.6). Lines of chunked encoding end with CR LF.
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
