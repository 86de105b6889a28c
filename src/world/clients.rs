//! What a test sees of a world's clients, and does to them: the journal and the open sockets.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::fanout;
use super::journal::{
    Answer, Dropped, Entry, Exchange, Expectation, PendingExpectation, Place, Record, Verdict, WrongWait,
};
use super::message::Message;
use super::socket::{Socket, SocketClose};
use super::{World, WorldError};

/// An open socket.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketState {
    /// Its number, from 1 in each world.
    pub socket: u64,
    /// The category that it asked for last.
    pub category: Arc<str>,
    /// The world's time when it was opened.
    pub opened: Duration,
    /// How long it is open, by the machine's time.
    pub age: Duration,
    /// Messages written to it.
    pub sent: u64,
    /// Messages that came from it.
    pub received: u64,
    /// Items of the feed that it has still to look at.
    pub backlog: u64,
    /// How often it was so far behind that it got current totals instead of what it had missed.
    pub caught_up: u64,
}

/// The journal.
impl World {
    /// The journal's entries after that number, and how many are gone because it is bounded.
    #[must_use]
    pub fn journal(&self, after: u64) -> (Vec<Entry>, Dropped) {
        self.shared().journal.after(after)
    }

    /// Empties the journal.
    pub fn clear_journal(&self) {
        self.shared().journal.clear();
    }

    /// Whether there is a journal.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.shared().journal.is_on()
    }

    /// Records something at the world's time.
    pub(super) fn record(&self, record: Record) {
        if self.has_journal() {
            self.shared().journal.record(self.now(), record);
        }
    }

    /// Records a request whose answer is still to come.
    #[must_use]
    pub fn requested(&self, exchange: Exchange) -> Place {
        self.shared().journal.record(self.now(), Record::Request(Arc::new(exchange)))
    }

    /// Records the answer to a request.
    pub fn answered(&self, request: Place, answer: Answer) {
        self.shared().journal.answered(request, answer);
    }

    /// Holds the journal against expectations; `ordered` asks that the entries of each come after those of the one before.
    ///
    /// # Errors
    /// [`WorldError::Expectation`] if one makes no sense.
    pub fn verify(&self, expectations: &[Expectation], ordered: bool) -> Result<Verdict, WorldError> {
        for (index, one) in expectations.iter().enumerate() {
            one.check().map_err(|error| WorldError::Expectation { index, error })?;
        }
        let (entries, dropped) = self.journal(0);
        Ok(Verdict::of(expectations, ordered, &entries, dropped))
    }

    /// Waits until the journal is as expected, or for that long, and gives what was found then.
    ///
    /// # Errors
    /// [`WorldError`] if the expectation makes no sense or the world has ended.
    pub async fn wait_for(&self, expectation: &Expectation, patience: Duration) -> Result<Verdict, WorldError> {
        expectation.check().map_err(WrongWait::from)?;
        if !expectation.can_be_awaited() {
            return Err(WrongWait::ForNothing.into());
        }
        let _in_use = self.in_use();
        let give_up = Instant::now() + patience;
        let journal = &self.shared().journal;
        let mut pending = PendingExpectation::new(expectation);
        let listening = journal.listen();
        loop {
            let recorded = listening.recorded();
            if journal.has(&mut pending) {
                break;
            }
            tokio::select! {
                () = recorded => {}
                () = tokio::time::sleep_until(give_up) => break,
                () = self.ended() => return Err(WorldError::Ended),
            }
        }
        self.verify(std::slice::from_ref(expectation), false)
    }
}

/// Open sockets.
impl World {
    /// The open sockets, in the order in which they were opened.
    #[must_use]
    pub fn open_sockets(&self) -> Vec<SocketState> {
        let end = self.shared().feed.end();
        self.shared().sockets.all().iter().map(|socket| SocketState::of(socket, end)).collect()
    }

    /// Sends one socket, or all, a message that has nothing to do with the scenario.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn send(&self, socket: Option<u64>, message: Message) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |state| state.send(socket, message)).await
    }

    /// Closes one socket, or all, once they have got everything up to now, and gives their numbers when they are closed.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn close_sockets(&self, socket: Option<u64>, close: SocketClose) -> Result<Vec<u64>, WorldError> {
        self.expect_open(socket)?;
        let closed = self.shared().sockets.close(socket, &close, self.shared().feed.end());
        self.shared().sockets.gone(&closed).await;
        Ok(closed.iter().map(|socket| socket.id).collect())
    }

    /// Writes a ping, as the sockets' transport encodes it, to every socket that has nothing else to write. It is no event of
    /// the world and in no journal.
    pub(crate) async fn ping_sockets(&self, ping: Bytes) {
        fanout::ping(self.0.shared.clone(), ping).await;
    }

    /// Wakes every socket's task, to look whether it is at its end.
    pub(crate) fn wake_sockets(&self) {
        self.shared().sockets.wake_all();
    }

    fn expect_open(&self, socket: Option<u64>) -> Result<(), WorldError> {
        match socket.filter(|id| self.shared().sockets.get(*id).is_none()) {
            Some(id) => Err(WorldError::UnknownSocket(id)),
            None => Ok(()),
        }
    }
}

impl SocketState {
    fn of(socket: &Socket, end: u64) -> Self {
        Self {
            socket: socket.id,
            category: socket.category(),
            opened: socket.opened,
            age: socket.since.elapsed(),
            sent: socket.sent.load(Ordering::Relaxed),
            received: socket.received.load(Ordering::Relaxed),
            backlog: end.saturating_sub(socket.position.load(Ordering::Relaxed)),
            caught_up: socket.caught_up.load(Ordering::Relaxed),
        }
    }
}
