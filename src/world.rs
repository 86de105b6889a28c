//! An engine in time: one task owns one [`Engine`](crate::engine::Engine), wakes it when something is due, and publishes
//! what happened.
//!
//! A [`World`] is a cheap handle. What clients want goes to the task as a [command](WorldCommand) and comes back as its
//! [effects](WorldEffects), so requests, script steps and reloads have one order. What happened goes out through the feed ([`Subscription`]);
//! the view for readers is published before the answer, so that a client that has its answer sees its own change.
//!
//! A world's clock is its own. It follows the machine's, faster or slower, or stands still and is advanced: then nothing
//! that happens depends on when it is asked for, and the same requests give the same messages on every run.
//!
//! What is only read or counted is beside the task, in `Shared`: the clock, the feed, the open sockets, the journal.
//!
//! Dependencies point down: `control` and `join` use `task`, which uses `advance` and `replica`; these use `state`, of which
//! `publish`, `membership`, `catch_up` and `fault_hits` are its other parts; these use `changed_rows`, `fanout`, `feed`,
//! `sockets`, `audience`, `journal`, `clock` and `error`. A `subscription` is what a socket holds, so it uses the handle, and
//! so does a `farewell`.

mod advance;
mod audience;
mod catch_up;
mod changed_rows;
mod clock;
mod control;
mod delegation;
mod endpoint;
mod error;
mod fanout;
mod farewell;
mod fault_hits;
mod feed;
mod frame_faults;
#[cfg(feature = "redis")]
mod join;
mod journal;
mod journal_api;
mod keep_alive;
mod member;
mod membership;
mod message;
mod publish;
#[cfg(feature = "redis")]
mod replica;
mod shared_state;
mod socket;
mod socket_control;
mod sockets;
mod state;
mod stream;
mod subscription;
mod sync;
mod task;
#[cfg(test)]
mod tests;
mod transcript;
mod unknown_collections;
mod view;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use advance::{Advanced, ClockChange, MAX_LISTED, Until};
pub use catch_up::SlowMembers;
pub use clock::{Pace, SPEEDS};
pub use control::{ClockState, Timelines, WorldSummary};
pub use endpoint::{OpenedSocket, Transport};
pub use error::{ClockError, MAX_SNAPSHOTS, SnapshotError, WorldError};
pub use feed::{DEFAULT_BACKLOG, EncodedBatch, FEWEST_BACKLOG};
use journal::Record;
pub use journal::{
    AfterBehind, Answer, AnsweredBy, Brief, Budget, DEFAULT_ENTRIES, Difference, Dropped, EndedBy, Entry, Exchange,
    Expectation, ExpectationError, FaultMark, Finding, Kind, NearMiss, OpenedBy, Payload, Place, Recipients,
    RequestHead, RuleName, SocketEnd, Verdict, WrongWait,
};
pub use keep_alive::KeepAlive;
pub use message::{Encode, Message, MessageKind};
#[cfg(feature = "redis")]
use replica::Replica;
#[cfg(feature = "redis")]
pub use replica::{JoinOptions, ReplicaError, Scenarios, Sharing, WorldSnapshot, fingerprint};
use shared_state::{InUse, Shared};
use socket::Socket;
pub use socket::{FrameSink, SocketClose, SocketKind};
pub use socket_control::SocketState;
pub use state::WorldCommand;
pub use stream::StreamOpening;
use subscription::Joined;
pub use subscription::Subscription;
pub use task::WorldEffects;
use task::{Request, Task};
pub use transcript::Transcript;
pub(crate) use unknown_collections::is_reserved_collection;
pub use view::{View, WorldReload, WorldStart};

use crate::engine::Reload;

/// Requests that may wait for the task before a sender waits.
const WAITING_REQUESTS: usize = 1024;

/// How a world starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// A seed of its own, instead of the server's.
    pub seed: Option<u64>,
    /// How its clock goes.
    pub pace: Pace,
    /// The most entries of its journal, of messages to sockets and of everything else; 0 for no journal.
    pub journal: usize,
    /// What its journal shares with others.
    pub budget: Budget,
    /// Which connections may be kept alive, as its faults and those of others have it.
    pub keep_alive: KeepAlive,
    /// Feed items that a socket may be behind before it gets current values instead; at least [`FEWEST_BACKLOG`].
    pub backlog: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: None,
            pace: Pace::default(),
            journal: DEFAULT_ENTRIES,
            budget: Budget::default(),
            keep_alive: KeepAlive::default(),
            backlog: DEFAULT_BACKLOG,
        }
    }
}

/// A handle on a running world.
#[derive(Debug, Clone)]
pub struct World(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    requests: mpsc::Sender<Request>,
    view: watch::Receiver<Arc<View>>,
    shared: Arc<Shared>,
    /// This server's part in the world, if other servers play it too.
    #[cfg(feature = "redis")]
    replica: Option<Arc<Replica>>,
}

impl World {
    /// Starts a world. A task runs it until the end, and another writes to
    /// sockets once there are some.
    #[must_use]
    pub fn start(
        name: Arc<str>,
        start: WorldStart,
        setup: &Setup,
        end: CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let (task, requests, view) = Task::new(name, start, setup, end, tasks);
        // A world that stands still is the same on every run; one that several servers play is the same on each.
        let task = if setup.pace.paused { task } else { task.with_date() };
        let shared = task.shared().clone();
        tasks.spawn(task.run());
        Self(Arc::new(Handle {
            requests,
            view,
            shared,
            #[cfg(feature = "redis")]
            replica: None,
        }))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.shared().name
    }

    /// What readers see at this moment.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.0.view.borrow().clone()
    }

    /// How its clock goes.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.shared().clock.pace()
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared().clock.now()
    }

    /// The number of the last event, from 1 since the start or reset; 0 before the first.
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.shared().last_event.load(Ordering::Relaxed)
    }

    /// How many sockets are open.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.shared().sockets.len()
    }

    /// Notes that it is used: a world that nobody uses for long is removed.
    pub fn touch(&self) {
        self.shared().touch();
    }

    /// Since when nobody has used it; `None` while a socket is open or a request is at work.
    #[must_use]
    pub fn idle_since(&self) -> Option<Instant> {
        self.shared().idle_since()
    }

    /// Ends the world: its sockets are closed.
    pub fn end(&self) {
        self.shared().end.cancel();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shared().end.is_cancelled()
    }

    /// Waits until the world has ended.
    pub async fn ended(&self) {
        self.shared().end.cancelled().await;
    }

    /// Goes on with another scenario without losing a socket, and gives what that changed; see
    /// [`Engine::reload`](crate::engine::Engine::reload). A world with a seed of its own keeps it.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn reload(&self, to: Arc<WorldReload>) -> Result<Reload, WorldError> {
        self.ask(move |state| state.reload(&to)).await
    }

    /// Subscribes to a collection: its counter values, and everything that follows, encoded for the socket's transport.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn subscribe(&self, collection: &str, notices: bool, encode: Encode) -> Result<Subscription, WorldError> {
        self.warn_of_unknown(collection);
        let (world, collection): (_, Arc<str>) = (self.clone(), collection.into());
        // The asker may be gone by then: a subscription that is made for it ends with the answer.
        self.ask(move |state| {
            let (socket, joined) = state.join(&collection, notices);
            Subscription::new(world, socket, encode, &joined)
        })
        .await
    }

    fn shared(&self) -> &Shared {
        &self.0.shared
    }

    /// The world is in use for as long as this is held.
    fn in_use(&self) -> InUse<'_> {
        self.shared().in_use()
    }
}

/// What a [`Subscription`] needs.
impl World {
    async fn switch(&self, socket: &Arc<Socket>, collection: &str) -> Result<Joined, WorldError> {
        let (socket, collection): (_, Arc<str>) = (socket.clone(), collection.into());
        self.ask(move |state| state.switch(&socket, collection)).await
    }

    /// As `WorldState::catch_up`; `None` for everything.
    async fn catch_up(&self, socket: &Arc<Socket>, after: Option<u64>, position: u64) -> Result<Joined, WorldError> {
        let socket = socket.clone();
        self.ask(move |state| state.catch_up(&socket, after, position)).await
    }

    /// A socket that had fallen behind got these messages instead of what it missed.
    fn caught_up(&self, socket: &Socket, messages: &[Message]) {
        self.note_caught_up(socket);
        self.handed(socket, messages);
    }

    /// A socket got these messages, which are for it alone.
    fn handed(&self, socket: &Socket, messages: &[Message]) {
        let sockets = Recipients::One(socket.id);
        for message in messages {
            self.record(Record::Sent { sockets: sockets.clone(), event: None, payload: Payload::of(message) });
        }
    }

    fn leave(&self, socket: &Socket, end: SocketEnd) {
        if socket.is_recorded() {
            self.record(Record::Closed { socket: socket.id, end });
        }
        // First, so that the world is never seen without a socket and unused for long.
        self.touch();
        self.shared().sockets.leave(socket);
        #[cfg(feature = "redis")]
        if let Some(replica) = self.0.replica.as_ref().filter(|_| socket.is_of_rules()) {
            replica.departs(socket.id);
        }
    }
}
