//! The floor: a bare epoll loop on one thread. On an update, it only writes one pre-encoded frame to each socket, with
//! one write call each. No server that frames and sends each update separately can be cheaper.
//!
//! The bench runs its own executable again with the argument `floor`, so that the floor is a separate process.

use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::epoll::Epoll;
use crate::http::{field, head_end};

/// The token of the listener.
const LISTENER: usize = usize::MAX;

#[derive(Args, Debug)]
pub(crate) struct Options {
    #[arg(long)]
    port: u16,
    /// File with the body of the answer to a GET.
    #[arg(long)]
    body: Option<PathBuf>,
    /// Makes one mistake on the third socket, to test the checks.
    #[arg(long)]
    fault: Option<Fault>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Omits the tenth update.
    Drop,
    /// Sends the tenth update after the eleventh.
    Swap,
    /// Sends the tenth update twice.
    Repeat,
}

pub(crate) fn run(options: &Options) {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).expect("a free port");
    rustix::net::listen(&listener, 4096).expect("a longer backlog");
    listener.set_nonblocking(true).expect("a socket");
    let body = options.body.as_ref().map(|path| fs::read(path).expect("a body")).unwrap_or_default();
    let mut floor = Floor {
        epoll: Epoll::new(),
        connections: Vec::new(),
        live: Vec::new(),
        totals: HashMap::from([(b"A1".to_vec(), 3), (b"A2".to_vec(), 7)]),
        updates: 0,
        get: answer(&body),
        post: answer(br#"{"ok":true}"#),
        fault: options.fault,
    };
    floor.epoll.add(&listener, LISTENER);
    floor.serve(&listener);
}

struct Floor {
    epoll: Epoll,
    /// Connections by token; tokens are never reused.
    connections: Vec<Option<Connection>>,
    /// The tokens of WebSocket connections.
    live: Vec<usize>,
    totals: HashMap<Vec<u8>, i64>,
    updates: u64,
    get: Vec<u8>,
    post: Vec<u8>,
    fault: Option<Fault>,
}

struct Connection {
    stream: TcpStream,
    /// The start of an incomplete request.
    carry: Vec<u8>,
}

impl Floor {
    fn serve(&mut self, listener: &TcpListener) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let tokens: Vec<usize> = self.epoll.wait(None).collect();
            for token in tokens {
                if token == LISTENER {
                    self.accept(listener);
                } else {
                    self.read(token, &mut buffer);
                }
            }
        }
    }

    fn accept(&mut self, listener: &TcpListener) {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true).expect("a socket");
            stream.set_nodelay(true).expect("a socket");
            self.epoll.add(&stream, self.connections.len());
            self.connections.push(Some(Connection { stream, carry: Vec::new() }));
        }
    }

    fn read(&mut self, token: usize, buffer: &mut [u8]) {
        let Some(connection) = &mut self.connections[token] else { return };
        match connection.stream.read(buffer) {
            Ok(count) if count > 0 && connection.carry.is_empty() => {
                let handled = self.handle(token, &buffer[..count]);
                self.carry(token, &buffer[handled..count]);
            }
            Ok(count) if count > 0 => {
                let mut carry = std::mem::take(&mut connection.carry);
                carry.extend_from_slice(&buffer[..count]);
                let handled = self.handle(token, &carry);
                self.carry(token, &carry[handled..]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => {
                self.connections[token] = None;
                self.live.retain(|live| *live != token);
            }
        }
    }

    fn carry(&mut self, token: usize, rest: &[u8]) {
        if let Some(connection) = &mut self.connections[token] {
            connection.carry.extend_from_slice(rest);
        }
    }

    /// Answers all complete requests. Returns their length in bytes.
    fn handle(&mut self, token: usize, bytes: &[u8]) -> usize {
        let mut handled = 0;
        while let Some(end) = head_end(&bytes[handled..]) {
            let head = &bytes[handled..handled + end];
            if head.starts_with(b"POST ") {
                let length = field(head, b"content-length").unwrap_or_default();
                if bytes.len() < handled + end + length {
                    break;
                }
                handled += length;
                self.order(token, head);
            } else if let Some(key) = key(head) {
                self.upgrade(token, key);
            } else {
                self.write(token, &self.get);
            }
            handled += end;
        }
        handled
    }

    /// Adds 1 to the total of the product in the path, answers, and sends the update to every socket.
    fn order(&mut self, token: usize, head: &[u8]) {
        let path = head[5..].split(|byte| *byte == b' ').next().expect("a path");
        let id = path.rsplit(|byte| *byte == b'/').next().expect("an id");
        let total = self.totals.entry(id.to_vec()).or_default();
        *total += 1;
        let update = frame(id, *total);
        let (id, total) = (id.to_vec(), *total);
        self.write(token, &self.post);
        self.updates += 1;
        for (number, token) in self.live.iter().enumerate() {
            match self.fault.filter(|_| number == 2) {
                None => self.write(*token, &update),
                Some(fault) => self.write(*token, &fault.apply(self.updates, &update, &frame(&id, total - 1))),
            }
        }
    }

    fn upgrade(&mut self, token: usize, key: &[u8]) {
        let accept = derive_accept_key(key);
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        for id in [&b"A1"[..], b"A2"] {
            answer.extend(frame(id, self.totals[id]));
        }
        self.write(token, &answer);
        self.live.push(token);
    }

    fn write(&self, token: usize, bytes: &[u8]) {
        let Some(connection) = &self.connections[token] else { return };
        match (&connection.stream).write(bytes) {
            Ok(count) if count == bytes.len() => {}
            Ok(count) => write_blocking(&connection.stream, &bytes[count..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => write_blocking(&connection.stream, bytes),
            // The next read notices the closed connection.
            Err(_) => {}
        }
    }
}

/// Writes with blocking calls. Only an answer with many products exceeds a socket's buffer, and its client is always
/// reading.
fn write_blocking(mut stream: &TcpStream, bytes: &[u8]) {
    stream.set_nonblocking(false).expect("a socket");
    // The next read notices the closed connection.
    let _ = stream.write_all(bytes);
    stream.set_nonblocking(true).expect("a socket");
}

impl Fault {
    /// Returns the bytes to send in place of `frame`.
    fn apply(self, update: u64, frame: &[u8], previous: &[u8]) -> Vec<u8> {
        match (self, update) {
            (Self::Drop | Self::Swap, 10) => Vec::new(),
            (Self::Swap, 11) => [frame, previous].concat(),
            (Self::Repeat, 10) => frame.repeat(2),
            _ => frame.to_vec(),
        }
    }
}

fn key(head: &[u8]) -> Option<&[u8]> {
    let name = b"\r\nSec-WebSocket-Key: ";
    let start = head.windows(name.len()).position(|window| window == name)? + name.len();
    head[start..].split(|byte| *byte == b'\r').next()
}

/// Encodes an update as a text frame with a short payload.
fn frame(id: &[u8], total: i64) -> Vec<u8> {
    let payload = format!(r#"{{"id":"{}","total":{total}}}"#, String::from_utf8_lossy(id));
    let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126).expect("a short frame");
    [&[0x81, length], payload.as_bytes()].concat()
}

fn answer(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
