//! What a test may do with a world, beyond what its clients do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::advance::Advance;
use super::journal::{Answer, Awaited, Dropped, Entry, Exchange, Expectation, Place, Record, Verdict, WrongWait};
use super::play::Play;
use super::sockets::Socket;
use super::task::Command;
use super::{Advanced, ClockChange, Pace, Transcript, Until, World, WorldError};

/// A world's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockState {
    /// The world's time.
    pub now: Duration,
    /// How it goes.
    pub pace: Pace,
    /// When the next thing happens by itself, if anything does.
    pub next_due: Option<Duration>,
}

/// A world at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Its clock.
    pub clock: ClockState,
    /// The number of the last event.
    pub sequence: u64,
    /// Every product's order total, in declared order.
    pub totals: Vec<(Arc<str>, i64)>,
    /// Names and times of the snapshots.
    pub snapshots: Vec<(String, Duration)>,
}

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
    /// Frames written to it.
    pub sent: u64,
    /// Frames that came from it.
    pub received: u64,
    /// Frames of the feed that it has still to look at.
    pub backlog: u64,
    /// How often it was so far behind that it got current totals instead of what it had missed.
    pub caught_up: u64,
}

impl World {
    /// The clock.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clock(&self) -> Result<ClockState, WorldError> {
        self.ask(|play| ClockState::of(play)).await
    }

    /// Everything at one moment.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn state(&self) -> Result<State, WorldError> {
        self.ask(|play| State {
            clock: ClockState::of(play),
            sequence: play.engine.sequence(),
            totals: play.engine.totals().map(|(id, total)| (id.clone(), total)).collect(),
            snapshots: play.saved(),
        })
        .await
    }

    /// Stops the clock, where it is.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn pause(&self) -> Result<(), WorldError> {
        let pause = ClockChange { paused: Some(true), ..Until::Now.into() };
        self.change_clock(pause).await.map(drop)
    }

    /// Lets the clock go on, from where it is.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn resume(&self) -> Result<(), WorldError> {
        let resume = ClockChange { paused: Some(false), ..Until::Now.into() };
        self.change_clock(resume).await.map(drop)
    }

    /// Lets the clock go so many times as fast as the machine's, cut to what is possible ([`super::SPEEDS`]).
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn set_speed(&self, speed: f64) -> Result<(), WorldError> {
        let change = ClockChange { speed: Some(speed), ..Until::Now.into() };
        self.change_clock(change).await.map(drop)
    }

    /// Lets everything until then happen now. It is answered when all of that has been written to the open sockets. If
    /// this future is dropped before, time stays where it is by then.
    ///
    /// # Errors
    /// [`WorldError`] if that time is over, or the world has ended.
    pub async fn advance(&self, until: Until) -> Result<Advanced, WorldError> {
        self.change_clock(until.into()).await
    }

    /// As [`World::advance`], and from then on the clock goes as it is told.
    ///
    /// # Errors
    /// [`WorldError`] if that time is over, or the world has ended; the clock goes on as before then.
    pub async fn change_clock(&self, change: ClockChange) -> Result<Advanced, WorldError> {
        let speed = change.speed.map(|speed| speed.clamp(*super::SPEEDS.start(), *super::SPEEDS.end()));
        let _used = self.using();
        let (reply, answer) = oneshot::channel();
        let advance = Advance::new(ClockChange { speed, ..change }, reply);
        let command = Command::Advance(Box::new(advance));
        self.0.commands.send(command).await.map_err(|_| WorldError::Ended)?;
        Ok(answer.await.map_err(|_| WorldError::Ended)??)
    }

    /// Goes back to the start of the scenario: totals, products, clock, random streams, transcript, journal and snapshots.
    /// Open sockets stay and get current orders. A seed, if given, is the world's own from now on.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn reset(&self, seed: Option<u64>) -> Result<(), WorldError> {
        self.ask(move |play| play.reset(seed)).await
    }

    /// Keeps this moment under a name, in place of another of that name.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many, or the world has ended.
    pub async fn save(&self, name: &str) -> Result<(), WorldError> {
        let name = name.to_owned();
        Ok(self.ask(move |play| play.save(name)).await??)
    }

    /// Goes back to a kept moment: totals, products, time, random streams, transcript. Open sockets stay and get current
    /// orders; the journal goes on.
    ///
    /// # Errors
    /// [`WorldError`] if there is none of that name, or the world has ended.
    pub async fn restore(&self, name: &str) -> Result<(), WorldError> {
        let name = name.to_owned();
        Ok(self.ask(move |play| play.restore(&name)).await??)
    }

    /// Drops a kept moment.
    ///
    /// # Errors
    /// [`WorldError`] if there is none of that name, or the world has ended.
    pub async fn forget(&self, name: &str) -> Result<(), WorldError> {
        let name = name.to_owned();
        Ok(self.ask(move |play| play.forget(&name)).await??)
    }

    /// Every event since the start or reset.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn transcript(&self) -> Result<Transcript, WorldError> {
        self.ask(|play| play.transcript.clone()).await
    }

    /// The journal's entries after that number, and how many are gone because it is bounded.
    #[must_use]
    pub fn journal(&self, after: u64) -> (Vec<Arc<Entry>>, Dropped) {
        self.0.shared.journal.after(after)
    }

    /// Empties the journal.
    pub fn clear_journal(&self) {
        self.0.shared.journal.clear();
    }

    /// Whether there is a journal.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.0.shared.journal.is_on()
    }

    /// Records something at the world's time.
    pub fn record(&self, record: Record) {
        if self.has_journal() {
            self.0.shared.journal.record(self.now(), record);
        }
    }

    /// Records a request whose answer is still to come.
    #[must_use]
    pub fn requested(&self, exchange: Exchange) -> Place {
        self.0.shared.journal.record(self.now(), Record::Request(Box::new(exchange)))
    }

    /// Records the answer to a request.
    pub fn answered(&self, request: Place, answer: Answer) {
        self.0.shared.journal.answered(request, answer);
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

    /// Waits until the journal is as expected, or for that long, and says what was found then.
    ///
    /// # Errors
    /// [`WorldError`] if the expectation makes no sense or the world has ended.
    pub async fn wait_for(&self, expectation: &Expectation, patience: Duration) -> Result<Verdict, WorldError> {
        expectation.check().map_err(WrongWait::from)?;
        if !expectation.can_be_awaited() {
            return Err(WrongWait::ForNothing.into());
        }
        let _used = self.using();
        let give_up = Instant::now() + patience;
        let mut awaited = Awaited::new(expectation);
        loop {
            let recorded = self.0.shared.journal.recorded();
            if awaited.is_there(&self.0.shared.journal) {
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

    /// The open sockets, in the order in which they were opened.
    #[must_use]
    pub fn open_sockets(&self) -> Vec<SocketState> {
        let end = self.feed().end();
        self.sockets().all().iter().map(|socket| SocketState::of(socket, end)).collect()
    }

    /// Sends a frame to one socket, or to all, that has nothing to do with the scenario.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn send(&self, socket: Option<u64>, message: Message) -> Result<(), WorldError> {
        self.expect_open(socket)?;
        self.ask(move |play| play.send(socket, message)).await
    }

    /// Closes one socket, or all, once they have got everything up to now, and gives their numbers when they are closed.
    ///
    /// # Errors
    /// [`WorldError`] if the socket is not open, or the world has ended.
    pub async fn close_sockets(
        &self,
        socket: Option<u64>,
        code: CloseCode,
        reason: &str,
    ) -> Result<Vec<u64>, WorldError> {
        self.expect_open(socket)?;
        let asked = self.sockets().close(socket, code, reason);
        self.sockets().gone(&asked).await;
        Ok(asked.iter().map(|socket| socket.id).collect())
    }

    fn expect_open(&self, socket: Option<u64>) -> Result<(), WorldError> {
        match socket.filter(|id| self.sockets().get(*id).is_none()) {
            Some(id) => Err(WorldError::UnknownSocket(id)),
            None => Ok(()),
        }
    }
}

impl ClockState {
    fn of(play: &Play) -> Self {
        Self { now: play.now(), pace: play.shared.clock.pace(), next_due: play.engine.next_due() }
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
