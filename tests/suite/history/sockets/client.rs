//! A client that acts at random on a socket, and opens another one after losing it.

use std::mem::replace;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::membership::{ALL_MODES, JoinMode, Membership};
use super::record::{Received, Request, SocketLog};
use super::writer::Writer;
use crate::support::{Mockd, Socket, soon};

/// The receive buffer of a slow client in bytes. Through the smallest one, megabytes would take minutes: whenever it is
/// full, the sender waits 200 ms before it tries again.
const SMALL_BUFFER: u32 = 16 << 10;

/// The number of unread answers at which a slow client reads.
const MAX_UNREAD: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Reads soon.
    Quick,
    /// Reads late, and has a small receive buffer.
    Slow,
    /// Reads soon, and speaks Socket.IO.
    SocketIo,
}

pub(super) struct SocketClient {
    kind: Kind,
    name: String,
    mockd: Arc<Mockd>,
    random: ChaCha8Rng,
    writer: Writer,
    socket: Socket,
    log: SocketLog,
    answered: usize,
    joined: Option<Membership>,
    /// The logs of earlier sockets.
    logs: Vec<SocketLog>,
}

impl Kind {
    fn of(number: usize) -> Self {
        match number {
            0 => Self::SocketIo,
            1 | 2 => Self::Slow,
            _ => Self::Quick,
        }
    }

    fn join_modes(self) -> &'static [JoinMode] {
        match self {
            Self::Quick => &ALL_MODES,
            Self::Slow => &[JoinMode::Framed],
            Self::SocketIo => &[JoinMode::Room],
        }
    }

    /// Returns the percentage of actions that reconnect.
    fn reconnect_percentage(self) -> u32 {
        if self == Self::Slow { 2 } else { 10 }
    }

    /// Opens a socket, and returns it with its number, or with 0 if no frame contains that.
    async fn connect(self, mockd: &Mockd) -> (Socket, u64) {
        let mut socket = match self {
            Self::Quick => mockd.socket("/rooms").await,
            Self::Slow => Socket::open_with_buffer(&format!("ws://{}/rooms", mockd.address()), SMALL_BUFFER).await,
            Self::SocketIo => mockd.socket("/socket.io/?EIO=4&transport=websocket").await,
        };
        if self != Self::SocketIo {
            let id = socket.json().await["id"].as_u64().unwrap();
            return (socket, id);
        }
        let opened = socket.text().await;
        socket.send("40").await;
        let connected = socket.text().await;
        assert!(opened.starts_with("0{") && connected.starts_with("40{"), "{opened} {connected}");
        (socket, 0)
    }

    fn encode(self, verb: &str, message: &Value) -> String {
        if self == Self::SocketIo { format!("42{}", json!([verb, message])) } else { message.to_string() }
    }

    /// Decodes a text frame. Returns `None` if it is an Engine.IO ping.
    fn decode(self, text: &str) -> Option<Value> {
        let read = |json: &str| serde_json::from_str(json).unwrap_or_else(|_| panic!("{text} came on a socket"));
        match self {
            Self::SocketIo if text == "2" => None,
            Self::SocketIo => {
                let mut packet: Value = read(text.strip_prefix("42").unwrap_or_default());
                Some(packet[1].take())
            }
            Self::Quick | Self::Slow => Some(read(text)),
        }
    }
}

impl SocketClient {
    pub(super) async fn open(mockd: Arc<Mockd>, number: usize, random: ChaCha8Rng) -> Self {
        let (kind, name) = (Kind::of(number), format!("client {number}"));
        let writer = Writer::open(&mockd, name.clone()).await;
        let (socket, id) = kind.connect(&mockd).await;
        let log = SocketLog::new(format!("{name}, socket 1"), id);
        Self { kind, name, mockd, random, writer, socket, log, answered: 0, joined: None, logs: Vec::new() }
    }

    /// Performs a random action, and sometimes waits for its outcome.
    pub(super) async fn act(&mut self) {
        let reconnects = self.kind.reconnect_percentage();
        match self.random.random_range(0..100) {
            chance if chance < reconnects => self.reconnect().await,
            chance if chance < 35 => self.write().await,
            chance => match self.joined.take() {
                None => self.join_anything().await,
                Some(joined) if chance < 50 => self.join(joined).await,
                Some(joined) => self.request("out", Request::Leave, &joined).await,
            },
        }
        let unread = self.log.requests.len() - self.answered;
        let reads = if self.kind == Kind::Slow { unread >= MAX_UNREAD } else { self.random.random_range(0..4) > 0 };
        if reads {
            self.read().await;
        }
    }

    /// Leaves everything, and returns the logs of all sockets.
    pub(super) async fn finish(mut self) -> Vec<SocketLog> {
        if let Some(joined) = self.joined.take() {
            self.request("out", Request::Leave, &joined).await;
        }
        self.read().await;
        self.log.is_complete = true;
        self.logs.push(self.log);
        self.logs
    }

    /// Writes a few rows.
    async fn write(&mut self) {
        for _ in 0..self.random.random_range(1..4) {
            self.writer.write(&mut self.random).await;
        }
    }

    async fn join_anything(&mut self) {
        let membership = Membership::draw(&mut self.random, self.kind.join_modes());
        self.join(membership).await;
    }

    async fn join(&mut self, membership: Membership) {
        self.request("in", Request::Join(membership.view()), &membership).await;
        self.joined = Some(membership);
    }

    async fn request(&mut self, verb: &str, request: Request, membership: &Membership) {
        let message = membership.message(verb, self.log.requests.len(), self.kind == Kind::Slow);
        self.log.requests.push(request);
        self.socket.send(self.kind.encode(verb, &message)).await;
    }

    /// Drops the socket, perhaps with unread frames, and opens another one.
    async fn reconnect(&mut self) {
        if self.random.random() {
            self.close().await;
        }
        let (socket, id) = self.kind.connect(&self.mockd).await;
        let log = SocketLog::new(format!("{}, socket {}", self.name, self.logs.len() + 2), id);
        self.socket = socket;
        self.logs.push(replace(&mut self.log, log));
        (self.answered, self.joined) = (0, None);
    }

    /// Closes the socket, and reads until the server closes it too.
    async fn close(&mut self) {
        self.socket.close().await;
        while let Some(message) = soon("the end of a socket", self.socket.next()).await {
            if matches!(message, Message::Close(_)) {
                return;
            }
            self.record(&message);
        }
    }

    /// Reads until every request is answered.
    async fn read(&mut self) {
        while self.answered < self.log.requests.len() {
            let message = self.socket.message().await;
            self.record(&message);
        }
    }

    fn record(&mut self, message: &Message) {
        let Message::Text(text) = message else { panic!("{message:?} came on a socket") };
        let Some(frame) = self.kind.decode(text) else { return };
        let received = Received::read(frame);
        self.answered += usize::from(matches!(received, Received::Answer { .. }));
        self.log.received.push(received);
    }
}
