//! A keep-alive HTTP/1.1 connection that sends raw requests and counts complete answers.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    answers: Answers,
}

/// Encodes a GET request.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// Encodes a POST request with a JSON body.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl Connection {
    pub(crate) fn open(server: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream, buffer: vec![0; 1 << 16].into_boxed_slice(), answers: Answers::default() })
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sets whether reads return immediately when no bytes are available.
    pub(crate) fn set_nonblocking(&self, nonblocking: bool) {
        self.stream.set_nonblocking(nonblocking).expect("a socket");
    }

    pub(crate) fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("the server accepts a request");
    }

    /// Reads once. Returns the number of answers completed by the read.
    pub(crate) fn read(&mut self) -> std::io::Result<usize> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(self.answers.take(&self.buffer[..count])),
            Err(error) if error.kind() == ErrorKind::WouldBlock && self.answers.is_polled => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Reads from a nonblocking connection without waiting. Returns the number of answers completed.
    pub(crate) fn poll(&mut self) -> usize {
        self.answers.is_polled = true;
        let completed = self.read().expect("the server answers");
        self.answers.is_polled = false;
        completed
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) {
        self.send(request);
        self.wait();
    }

    /// Waits for one answer.
    pub(crate) fn wait(&mut self) {
        while self.read().expect("the server answers") == 0 {}
    }
}

/// Sends a GET on a new connection and returns the answer's body.
pub(crate) fn fetch(server: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    let end = loop {
        let count = stream.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..count]);
        let end = head_end(&answer);
        let length = end.and_then(|end| Some(end + field(&answer[..end], b"content-length")?));
        if count == 0 || length == Some(answer.len()) {
            break end.ok_or(ErrorKind::UnexpectedEof)?;
        }
    };
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(std::io::Error::other(String::from_utf8_lossy(&answer[..end]).into_owned()));
    }
    Ok(answer.split_off(end))
}

/// Counts answers in a byte stream, using their content-length.
#[derive(Default)]
struct Answers {
    /// The start of an incomplete head.
    head: Vec<u8>,
    /// Number of body bytes still missing.
    missing: usize,
    is_polled: bool,
}

impl Answers {
    /// Returns the number of answers that these bytes complete.
    fn take(&mut self, mut bytes: &[u8]) -> usize {
        let mut completed = 0;
        while !bytes.is_empty() {
            if self.missing == 0 {
                let (head, rest) = self.head_of(bytes);
                bytes = rest;
                let Some(length) = head else { break };
                self.missing = length;
            }
            let taken = self.missing.min(bytes.len());
            self.missing -= taken;
            bytes = &bytes[taken..];
            completed += usize::from(self.missing == 0);
        }
        completed
    }

    /// Returns the content-length of the head at the start, if the head is complete, and the bytes after it.
    fn head_of<'a>(&mut self, bytes: &'a [u8]) -> (Option<usize>, &'a [u8]) {
        if self.head.is_empty()
            && let Some(end) = head_end(bytes)
        {
            return (Some(content_length(&bytes[..end])), &bytes[end..]);
        }
        let carried = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(end) = head_end(&self.head) else { return (None, &[]) };
        let length = content_length(&self.head[..end]);
        self.head.clear();
        (Some(length), &bytes[end - carried..])
    }
}

/// Returns the offset of the body.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|position| position + 4)
}

fn content_length(head: &[u8]) -> usize {
    assert!(head.starts_with(b"HTTP/1.1 2"), "not a success: {}", String::from_utf8_lossy(head));
    field(head, b"content-length").expect("an answer has a content-length")
}

/// Returns the numeric value of a header field.
pub(crate) fn field(head: &[u8], name: &[u8]) -> Option<usize> {
    let line = head.split(|byte| *byte == b'\n').find(|line| {
        line.len() > name.len() && line[name.len()] == b':' && line[..name.len()].eq_ignore_ascii_case(name)
    })?;
    std::str::from_utf8(&line[name.len() + 1..]).ok()?.trim().parse().ok()
}
