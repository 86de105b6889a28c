//! One client with a socket, and another one when it has lost that: what it does next is drawn by chance.

use std::mem::replace;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::membership::{ALL_WAYS, How, Membership};
use super::record::{Ask, SocketLog, Told};
use super::writer::Writer;
use crate::support::{Mockd, Socket, soon};

/// Answers that a slow client waits for before it reads.
const UNREAD: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It reads soon.
    Quick,
    /// It reads late, and its system takes little for it.
    Slow,
    /// It reads soon, and speaks Socket.IO.
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
    /// Those of its earlier sockets.
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

    fn ways(self) -> &'static [How] {
        match self {
            Self::Quick => &ALL_WAYS,
            Self::Slow => &[How::Framed],
            Self::SocketIo => &[How::Room],
        }
    }

    /// How often it comes back, in a hundred acts.
    fn returns(self) -> u32 {
        if self == Self::Slow { 2 } else { 10 }
    }

    /// A socket with its number, or 0 where no frame names that.
    async fn connect(self, mockd: &Mockd) -> (Socket, u64) {
        let mut socket = match self {
            Self::Quick => mockd.socket("/rooms").await,
            Self::Slow => Socket::open_narrow(&format!("ws://{}/rooms", mockd.address())).await,
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

    /// What a text is for the client; nothing if it is a ping of Engine.IO.
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

    /// Does the next thing, and waits for what comes of it, or does not.
    pub(super) async fn act(&mut self) {
        let returns = self.kind.returns();
        match self.random.random_range(0..100) {
            chance if chance < returns => self.come_back().await,
            chance if chance < 35 => self.stay().await,
            chance => match self.joined.take() {
                None => self.go_in().await,
                Some(joined) if chance < 50 => self.go_in_again(joined).await,
                Some(joined) => self.ask("out", Ask::Out, &joined).await,
            },
        }
        let unread = self.log.asked.len() - self.answered;
        let reads = if self.kind == Kind::Slow { unread >= UNREAD } else { self.random.random_range(0..4) > 0 };
        if reads {
            self.read().await;
        }
    }

    /// Leaves everything, and gives what its sockets were told.
    pub(super) async fn finish(mut self) -> Vec<SocketLog> {
        if let Some(joined) = self.joined.take() {
            self.ask("out", Ask::Out, &joined).await;
        }
        self.read().await;
        self.log.is_complete = true;
        self.logs.push(self.log);
        self.logs
    }

    /// Has something happen where it is.
    async fn stay(&mut self) {
        for _ in 0..self.random.random_range(1..4) {
            self.writer.write(&mut self.random).await;
        }
    }

    async fn go_in(&mut self) {
        let membership = Membership::draw(&mut self.random, self.kind.ways());
        self.go_in_again(membership).await;
    }

    async fn go_in_again(&mut self, membership: Membership) {
        self.ask("in", Ask::In(membership.view()), &membership).await;
        self.joined = Some(membership);
    }

    async fn ask(&mut self, verb: &str, ask: Ask, membership: &Membership) {
        let message = membership.message(verb, self.log.asked.len(), self.kind == Kind::Slow);
        self.log.asked.push(ask);
        self.socket.send(self.kind.encode(verb, &message)).await;
    }

    /// Loses its socket, some of it unread, and opens another one.
    async fn come_back(&mut self) {
        if self.random.random() {
            self.hang_up().await;
        }
        let (socket, id) = self.kind.connect(&self.mockd).await;
        let log = SocketLog::new(format!("{}, socket {}", self.name, self.logs.len() + 2), id);
        self.socket = socket;
        self.logs.push(replace(&mut self.log, log));
        (self.answered, self.joined) = (0, None);
    }

    /// Closes its socket, and reads what comes until the other end does the same.
    async fn hang_up(&mut self) {
        self.socket.close().await;
        while let Some(message) = soon("the end of a socket", self.socket.next()).await {
            if matches!(message, Message::Close(_)) {
                return;
            }
            self.take(&message);
        }
    }

    /// Reads until everything that it asked is answered.
    async fn read(&mut self) {
        while self.answered < self.log.asked.len() {
            let message = self.socket.message().await;
            self.take(&message);
        }
    }

    fn take(&mut self, message: &Message) {
        let Message::Text(text) = message else { panic!("{message:?} came on a socket") };
        let Some(frame) = self.kind.decode(text) else { return };
        let told = Told::read(frame);
        self.answered += usize::from(matches!(told, Told::Answer { .. }));
        self.log.told.push(told);
    }
}
