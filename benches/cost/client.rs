//! Thousands of WebSocket connections on one epoll thread, without a library: on a machine with two cores, CPU time
//! that the client spends per frame is taken from the server.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use crate::epoll::Epoll;
use crate::http::Connection;

/// Maximum number of concurrent handshakes: less than the backlog of a standard library listener, which is 128.
const HANDSHAKES: usize = 100;

/// Number of local source addresses, starting at 127.0.0.2. One address has 28,000 ports, and connections closed within
/// the last minute still occupy theirs.
const SOURCES: usize = 32;

/// The token of the posting connection.
const POSTER: usize = usize::MAX;

/// Time limit for every expected event.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    epoll: Epoll,
    sockets: Vec<Socket>,
    buffer: Box<[u8]>,
    ready: Vec<usize>,
}

struct Socket {
    stream: TcpStream,
    is_upgraded: bool,
    /// The start of an incomplete frame.
    carry: Vec<u8>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self {
            epoll: Epoll::new(),
            sockets: Vec::new(),
            buffer: vec![0; 1 << 16].into_boxed_slice(),
            ready: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Opens sockets until there are `count`, and waits until each new one has received `first` frames.
    pub(crate) fn open(&mut self, server: SocketAddr, path: &str, count: usize, first: usize) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let mut frames = vec![0; count];
        while self.sockets.len() < count {
            let batch = self.sockets.len()..count.min(self.sockets.len() + HANDSHAKES);
            for number in batch.clone() {
                self.connect(server, number, request.as_bytes());
            }
            let is_open = |client: &Self, frames: &[usize]| {
                batch.clone().all(|number| client.sockets[number].is_upgraded && frames[number] >= first)
            };
            let deadline = Instant::now() + TIMEOUT;
            while !is_open(self, &frames) {
                assert!(Instant::now() < deadline, "sockets {batch:?} did not receive their first {first} frames");
                self.poll(Duration::from_millis(100), |number, _| frames[number] += 1);
            }
        }
    }

    fn connect(&mut self, server: SocketAddr, number: usize, request: &[u8]) {
        let mut stream = connect_from(u8::try_from(2 + number % SOURCES).expect("few"), server);
        stream.write_all(request).expect("a new connection accepts a handshake");
        stream.set_nonblocking(true).expect("a socket");
        self.epoll.add(&stream, number);
        self.sockets.push(Socket { stream, is_upgraded: false, carry: Vec::new() });
    }

    /// Lets answers on `poster` end a poll as well.
    pub(crate) fn watch(&mut self, poster: &Connection) {
        self.epoll.add(poster.stream(), POSTER);
    }

    pub(crate) fn unwatch(&mut self, poster: &Connection) {
        self.epoll.remove(poster.stream());
    }

    /// Waits for input or until `timeout` has passed, and passes each text frame with its socket's number to
    /// `on_frame`.
    pub(crate) fn poll(&mut self, timeout: Duration, mut on_frame: impl FnMut(usize, &[u8])) {
        self.ready.clear();
        self.ready.extend(self.epoll.wait(Some(timeout)));
        for &number in self.ready.iter().filter(|number| **number != POSTER) {
            let socket = &mut self.sockets[number];
            match socket.stream.read(&mut self.buffer) {
                Ok(0) => panic!("the server closed socket {number}"),
                Ok(count) => socket.take(&self.buffer[..count], |payload| on_frame(number, payload)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("socket {number}: {error}"),
            }
        }
    }

    /// Sends a text of fewer than 126 bytes, masked with zeros, which leaves its bytes unchanged (RFC 6455, 5.3).
    pub(crate) fn send(&mut self, number: usize, text: &str) {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).expect("a short text");
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0][..], text.as_bytes()].concat();
        self.sockets[number].stream.write_all(&frame).expect("the server accepts a frame");
    }

    /// Closes all sockets.
    pub(crate) fn close(&mut self) {
        self.sockets.clear();
    }
}

impl Socket {
    fn take(&mut self, bytes: &[u8], mut on_frame: impl FnMut(&[u8])) {
        if self.is_upgraded && self.carry.is_empty() {
            let rest = frames(bytes, &mut on_frame);
            self.carry.extend_from_slice(rest);
            return;
        }
        self.carry.extend_from_slice(bytes);
        if !self.is_upgraded {
            let Some(end) = self.carry.windows(4).position(|window| window == b"\r\n\r\n") else { return };
            let head = String::from_utf8_lossy(&self.carry[..end]);
            assert!(head.starts_with("HTTP/1.1 101 "), "expected an upgrade, got {head}");
            self.is_upgraded = true;
            self.carry.drain(..end + 4);
        }
        let rest = frames(&self.carry, &mut on_frame).len();
        self.carry.drain(..self.carry.len() - rest);
        if rest == 0 {
            // Keeping a buffer for each socket that ever had a split frame would cost the client megabytes.
            self.carry = Vec::new();
        }
    }
}

/// Passes the payloads of complete text frames to `on_frame`. Returns the remaining bytes, the start of a frame.
fn frames<'a>(mut bytes: &'a [u8], on_frame: &mut impl FnMut(&[u8])) -> &'a [u8] {
    while let Some((opcode, start, end)) = header(bytes).filter(|(_, _, end)| bytes.len() >= *end) {
        match opcode {
            1 => on_frame(&bytes[start..end]),
            8 => panic!("the server sent a close frame: {}", String::from_utf8_lossy(&bytes[start..end])),
            _ => {}
        }
        bytes = &bytes[end..];
    }
    bytes
}

/// Returns the opcode, payload start and payload end of an unmasked frame (RFC 6455, 5.2).
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, length, rest @ ..] = bytes else { return None };
    let (start, length) = match (length, rest) {
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (127, [.., _]) if rest.len() >= 8 => {
            let length = u64::from_be_bytes(rest[..8].try_into().expect("eight bytes"));
            (10, usize::try_from(length).expect("64 bits"))
        }
        (0..126, _) => (2, usize::from(*length)),
        (126 | 127, _) => return None,
        (128.., _) => panic!("a server's frame is masked"),
    };
    Some((first & 15, start, start + length))
}

/// Opens a blocking connection from 127.0.0.`source`.
fn connect_from(source: u8, server: SocketAddr) -> TcpStream {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a socket");
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, source), 0)).expect("a free port");
    connect(&socket, &server).expect("the server accepts");
    TcpStream::from(socket)
}
