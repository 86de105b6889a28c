//! A socket with a task that records every frame and executes the commands of its client.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::record::{Span, Stream};
use super::run::Run;
use crate::support::{Socket, soon};

enum Command {
    Switch(String),
    /// Reports when everything that was sent before has arrived.
    Settle(oneshot::Sender<()>),
    Close,
    Abort,
    /// Reads until this frame and a later pong have arrived.
    Finish(String),
}

/// A handle to an open socket.
pub(super) struct Tap {
    commands: mpsc::UnboundedSender<Command>,
    task: JoinHandle<Stream>,
}

struct Task {
    run: Arc<Run>,
    socket: Socket,
    stream: Stream,
    settling: Option<oneshot::Sender<()>>,
    finish: Option<String>,
}

impl Tap {
    pub(super) async fn open(run: &Arc<Run>, server: usize, category: &str) -> Self {
        let sent = run.tick();
        let socket = run.servers[server].live(category).await;
        let opened = Some(Span { sent, answered: u64::MAX, server });
        let stream = Stream { opened, categories: vec![category.into()], ..Stream::default() };
        let (commands, receiver) = mpsc::unbounded_channel();
        let task = Task { run: run.clone(), socket, stream, settling: None, finish: None };
        Self { commands, task: tokio::spawn(task.record(receiver)) }
    }

    pub(super) fn switch(&self, category: &str) {
        self.send(Command::Switch(category.into()));
    }

    /// Waits until everything that was sent so far has arrived.
    pub(super) async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        self.send(Command::Settle(done));
        soon("a pong", settled).await.unwrap();
    }

    pub(super) async fn close(self) -> Stream {
        self.end(Command::Close).await
    }

    /// Drops the connection without a Close frame.
    pub(super) async fn abort(self) -> Stream {
        self.end(Command::Abort).await
    }

    /// Reads until this frame has arrived.
    pub(super) async fn finish(self, frame: &str) -> Stream {
        self.end(Command::Finish(frame.into())).await
    }

    fn send(&self, command: Command) {
        assert!(self.commands.send(command).is_ok(), "a socket ended unexpectedly");
    }

    async fn end(self, command: Command) -> Stream {
        self.send(command);
        soon("the end of a socket", self.task).await.unwrap()
    }
}

impl Task {
    async fn record(mut self, mut commands: mpsc::UnboundedReceiver<Command>) -> Stream {
        loop {
            let is_open = tokio::select! {
                message = self.socket.next() => self.receive(message.expect("a socket ended unexpectedly")).await,
                Some(command) = commands.recv() => self.execute(command).await,
            };
            if !is_open {
                return self.stream;
            }
        }
    }

    /// Executes a command. Returns whether the socket is still in use.
    async fn execute(&mut self, command: Command) -> bool {
        match command {
            Command::Switch(category) => {
                self.socket.update_category(&category).await;
                self.stream.categories.push(category);
            }
            Command::Settle(done) => {
                self.settling = Some(done);
                self.socket.send(Message::Ping(Bytes::new())).await;
            }
            Command::Close => {
                self.socket.close().await;
                while let Some(message) = self.socket.next().await {
                    self.receive(message).await;
                }
                return false;
            }
            Command::Abort => return false,
            Command::Finish(frame) => {
                self.finish = Some(frame);
                self.socket.send(Message::Ping(Bytes::new())).await;
            }
        }
        true
    }

    /// Handles a message. Returns whether there is more to read.
    async fn receive(&mut self, message: Message) -> bool {
        match message {
            Message::Text(text) => self.record_frame(text.to_string()),
            // A pong arrives after everything that was sent before it.
            Message::Pong(_) => match (self.settling.take(), &self.finish) {
                (Some(done), _) => done.send(()).unwrap(),
                (None, Some(frame)) if self.stream.frames.contains(frame) => {
                    self.stream.is_complete = true;
                    return false;
                }
                // Ping again: frames of the fan-out may arrive after a pong.
                (None, _) => self.socket.send(Message::Ping(Bytes::new())).await,
            },
            Message::Close(_) => {}
            other => panic!("{other:?} came on a socket"),
        }
        true
    }

    fn record_frame(&mut self, frame: String) {
        if self.stream.frames.is_empty() {
            let answered = self.run.tick();
            self.stream.opened = self.stream.opened.map(|opened| Span { answered, ..opened });
        }
        self.stream.frames.push(frame);
    }
}
