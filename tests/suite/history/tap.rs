//! A socket with a task that writes down every frame, and does what its client says meanwhile.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::record::{Span, Stream};
use super::run::Run;
use crate::support::{Socket, soon};

enum Say {
    Switch(String),
    /// To be answered once everything that was written before has come.
    Settle(oneshot::Sender<()>),
    Close,
    BreakOff,
    /// To be read until this frame has come, and what was asked for.
    Finish(String),
}

/// A socket that is open.
pub(super) struct Tap {
    say: mpsc::UnboundedSender<Say>,
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
        let asked = run.tick();
        let socket = run.servers[server].live(category).await;
        let opened = Some(Span { asked, answered: u64::MAX, server });
        let stream = Stream { opened, categories: vec![category.into()], ..Stream::default() };
        let (say, heard) = mpsc::unbounded_channel();
        let task = Task { run: run.clone(), socket, stream, settling: None, finish: None };
        Self { say, task: tokio::spawn(task.record(heard)) }
    }

    pub(super) fn switch(&self, category: &str) {
        self.tell(Say::Switch(category.into()));
    }

    /// Waits for everything that was written to it by now.
    pub(super) async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        self.tell(Say::Settle(done));
        soon("a pong", settled).await.unwrap();
    }

    pub(super) async fn close(self) -> Stream {
        self.end(Say::Close).await
    }

    /// Ends the connection without a word.
    pub(super) async fn break_off(self) -> Stream {
        self.end(Say::BreakOff).await
    }

    /// Reads on until this frame.
    pub(super) async fn finish(self, frame: &str) -> Stream {
        self.end(Say::Finish(frame.into())).await
    }

    fn tell(&self, say: Say) {
        assert!(self.say.send(say).is_ok(), "a socket ended that nobody closed");
    }

    async fn end(self, say: Say) -> Stream {
        self.tell(say);
        soon("the end of a socket", self.task).await.unwrap()
    }
}

impl Task {
    async fn record(mut self, mut heard: mpsc::UnboundedReceiver<Say>) -> Stream {
        loop {
            let goes_on = tokio::select! {
                message = self.socket.next() => self.take(message.expect("a socket ended that nobody closed")).await,
                Some(say) = heard.recv() => self.hear(say).await,
            };
            if !goes_on {
                return self.stream;
            }
        }
    }

    async fn hear(&mut self, say: Say) -> bool {
        match say {
            Say::Switch(category) => {
                self.socket.update_category(&category).await;
                self.stream.categories.push(category);
            }
            Say::Settle(done) => {
                self.settling = Some(done);
                self.socket.send(Message::Ping(Bytes::new())).await;
            }
            Say::Close => {
                self.socket.close().await;
                while let Some(message) = self.socket.next().await {
                    self.take(message).await;
                }
                return false;
            }
            Say::BreakOff => return false,
            Say::Finish(frame) => {
                self.finish = Some(frame);
                self.socket.send(Message::Ping(Bytes::new())).await;
            }
        }
        true
    }

    /// Says whether there is more to come.
    async fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Text(text) => self.write_down(text.to_string()),
            // The pong of a settling socket: all of before has come.
            Message::Pong(_) => match (self.settling.take(), &self.finish) {
                (Some(done), _) => done.send(()).unwrap(),
                (None, Some(frame)) if self.stream.frames.contains(frame) => {
                    self.stream.is_complete = true;
                    return false;
                }
                // It is asked again: what the fan-out writes may come after a pong.
                (None, _) => self.socket.send(Message::Ping(Bytes::new())).await,
            },
            Message::Close(_) => {}
            other => panic!("{other:?} came on a socket"),
        }
        true
    }

    fn write_down(&mut self, frame: String) {
        if self.stream.frames.is_empty() {
            let answered = self.run.tick();
            self.stream.opened = self.stream.opened.map(|opened| Span { answered, ..opened });
        }
        self.stream.frames.push(frame);
    }
}
