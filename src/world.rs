//! An engine in time: one task owns one [`Engine`], wakes it when something is due, and tells everyone what happened.
//!
//! A [`World`] is a cheap handle. What clients want goes to the task as a command and comes back as an answer, so
//! requests, script steps and reloads have one order. What happened goes out through the feed ([`Subscription`]);
//! the catalogue for readers is published before the answer, so that who has its answer sees its own change.
//!
//! A world's clock is its own. It follows the machine's, faster or slower, or stands still and is advanced: then nothing
//! that happens depends on when it is asked for, and the same requests give the same frames on every run.
//!
//! What is only read or counted is beside the task, in `Shared`: the clock, the feed, the open sockets, the journal.

mod advance;
mod alarm;
mod batch;
mod clock;
mod control;
mod error;
mod fanout;
mod faults;
mod feed;
mod handling;
mod journal;
mod observe;
mod operation;
mod play;
mod pulse;
mod replica;
mod requests;
mod setup;
mod snapshots;
mod socket;
mod sockets;
mod stalls;
mod subscription;
mod tamper;
mod task;
mod transcript;
mod usage;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use advance::{Advanced, ClockChange, ClockError, MAX_LISTED, Until};
pub use batch::Portion;
use clock::Clock;
pub use clock::{Pace, SPEEDS};
pub use control::{ClockState, State, Timelines};
pub use error::{SnapshotError, WorldError};
pub use fanout::Outlet;
pub use faults::MAX_FAULTS;
use feed::Feed;
pub use feed::{DEFAULT_BACKLOG, FEWEST_BACKLOG};
pub use handling::SocketState;
use journal::Journal;
pub use journal::{
    Answer, Brief, Budget, DEFAULT_ENTRIES, Difference, Dropped, Entry, Exchange, Expectation, ExpectationError,
    Finding, Kind, Mark, NearMiss, Payload, Place, Recipients, Record, RequestHead, Verdict, WrongWait,
};
use play::Play;
use replica::Replica;
pub use replica::{Birth, Scenarios, Seat, Sharing, StateError, fingerprint};
pub use setup::Setup;
pub use snapshots::MAX_SNAPSHOTS;
use socket::Socket;
use sockets::Sockets;
use subscription::Joined;
pub use subscription::{EndedBy, SocketEnd, Subscription};
use task::{Command, Task};
pub use transcript::Transcript;
pub use view::View;

use crate::engine::{Engine, Reload, Succession};
use crate::websocket::Encoded;

/// Commands that may wait for the task before a sender waits.
const WAITING_COMMANDS: usize = 1024;

/// A handle on a running world.
#[derive(Debug, Clone)]
pub struct World(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<Command>,
    now: watch::Receiver<Arc<View>>,
    shared: Arc<Shared>,
}

/// What a world's task and its handles share.
#[derive(Debug)]
struct Shared {
    name: Arc<str>,
    clock: Clock,
    feed: Feed,
    sockets: Sockets,
    journal: Journal,
    /// The number of the last event.
    last_event: AtomicU64,
    end: CancellationToken,
    /// When it was used last.
    used: std::sync::Mutex<Instant>,
    /// Requests at work.
    users: AtomicUsize,
    /// Whether a fault may hit requests.
    has_request_faults: AtomicBool,
    /// The faults that are in force.
    active_faults: faults::Active,
    /// This server's part in it, if others play it too.
    replica: Option<Arc<Replica>>,
}

impl World {
    /// Starts a world from an engine at time 0. A task runs it until the end, and another writes to
    /// sockets once there are some.
    #[must_use]
    pub fn start(name: Arc<str>, start: Engine, setup: &Setup, end: CancellationToken, tasks: &TaskTracker) -> Self {
        Self::begin(name, start, setup, None, end, tasks)
    }

    fn begin(
        name: Arc<str>,
        start: Engine,
        setup: &Setup,
        replica: Option<Arc<Replica>>,
        end: CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let start = play::seeded(start, setup.seed);
        let (commands, inbox) = mpsc::channel(WAITING_COMMANDS);
        let (publish, now) = watch::channel(Arc::new(View::of(&start)));
        let shared = Arc::new(Shared {
            name: name.clone(),
            clock: Clock::start(setup.pace),
            feed: Feed::new(setup.backlog),
            sockets: Sockets::default(),
            journal: Journal::new(name, setup.journal, &setup.budget),
            last_event: AtomicU64::new(start.sequence()),
            end: end.clone(),
            used: std::sync::Mutex::new(Instant::now()),
            users: AtomicUsize::new(0),
            has_request_faults: AtomicBool::new(start.has_request_faults()),
            active_faults: faults::Active::of(&start),
            replica,
        });
        let task = Task { play: Play::new(start, setup.seed, shared.clone(), publish, tasks.clone()), inbox };
        tasks.spawn(task.run(end));
        Self(Arc::new(Handle { commands, now, shared }))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.shared.name
    }

    /// What readers see at this moment.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.0.now.borrow().clone()
    }

    /// Goes on with another scenario without losing a socket, and says what that changed; see [`Engine::follow`]. A world
    /// with a seed of its own keeps it.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn replace(&self, succession: Arc<Succession>) -> Result<Reload, WorldError> {
        self.ask(move |play| play.replace(&succession)).await
    }

    /// As [`World::replace`], when nobody wants to know what changed.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn follow(&self, succession: Arc<Succession>) -> Result<(), WorldError> {
        self.ask(move |play| drop(play.follow(&succession))).await
    }

    /// Subscribes to a category: its current orders, and all that follows.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn subscribe(&self, category: &str, notices: bool) -> Result<Subscription, WorldError> {
        let (world, category): (_, Arc<str>) = (self.clone(), category.into());
        // Whoever asked may be gone by then: the subscription that is made for it ends with the answer.
        self.ask(move |play| {
            let (socket, joined) = play.join(&category);
            Subscription::new(world, socket, notices, &joined)
        })
        .await
    }

    /// Waits until the world has ended.
    pub async fn ended(&self) {
        self.0.shared.end.cancelled().await;
    }

    /// Ends the world: its sockets are closed.
    pub fn end(&self) {
        self.0.shared.end.cancel();
    }

    fn feed(&self) -> &Feed {
        &self.0.shared.feed
    }

    fn sockets(&self) -> &Sockets {
        &self.0.shared.sockets
    }

    async fn switch(&self, socket: &Arc<Socket>, category: &str) -> Result<Joined, WorldError> {
        let (socket, category): (_, Arc<str>) = (socket.clone(), category.into());
        self.ask(move |play| play.switch(&socket, category)).await
    }

    /// As [`Play::catch_up`]; `None` for everything.
    async fn catch_up(&self, socket: &Arc<Socket>, after: Option<u64>, position: u64) -> Result<Joined, WorldError> {
        let socket = socket.clone();
        self.ask(move |play| play.catch_up(&socket, after, position)).await
    }

    /// A socket that had fallen behind has got these frames instead of what it missed.
    fn caught_up(&self, socket: &Socket, frames: &[Encoded]) {
        socket.caught_up.fetch_add(1, Ordering::Relaxed);
        self.record(Record::Behind { socket: socket.id });
        self.handed(socket, frames);
    }

    /// A socket has got these frames, which are for it alone.
    fn handed(&self, socket: &Socket, frames: &[Encoded]) {
        let sockets = Recipients::One(socket.id);
        for frame in frames {
            self.record(Record::Sent {
                sockets: sockets.clone(),
                event: None,
                payload: Payload::bytes(frame.payload()),
            });
        }
    }

    fn leave(&self, socket: &Socket, end: SocketEnd) {
        self.record(Record::Closed { socket: socket.id, end });
        // First, so that it is never seen without a socket and unused for long.
        self.touch();
        self.sockets().leave(socket);
    }

    async fn ask<T: Send + 'static>(&self, job: impl FnOnce(&mut Play) -> T + Send + 'static) -> Result<T, WorldError> {
        let _used = self.using();
        let (reply, answer) = oneshot::channel();
        // A reply that nobody waits for any more is dropped: the command has been carried out all the same.
        let job = Box::new(move |play: &mut Play| drop(reply.send(job(play))));
        self.0.commands.send(Command::Do(job)).await.map_err(|_| WorldError::Ended)?;
        answer.await.map_err(|_| if self.is_ended() { WorldError::Ended } else { WorldError::Defect })
    }

    /// How its clock goes.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.0.shared.clock.pace()
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.shared.clock.now()
    }
}

#[cfg(test)]
mod tests;
