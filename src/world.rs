//! An engine in time: one task owns one [`Engine`](crate::engine::Engine), wakes it when work is due, and publishes the
//! events.
//!
//! A [`World`] is a cheap handle. Changes that clients request go to the task as [commands](WorldCommand) and come back
//! as [effects](WorldEffects), so requests, script steps and reloads share one order. Events go out through the feed
//! ([`Subscription`]). The view for readers is published before the reply, so a client that has its reply sees its own
//! change.
//!
//! Each world has its own clock. It runs at a multiple of the machine's speed, or is paused and advanced explicitly. In
//! a paused world nothing depends on when a request arrives, and the same requests produce the same messages on every
//! run.
//!
//! State that is only read or counted lives outside the task, in `Shared`: the clock, the feed, the open sockets, the
//! journal.
//!
//! Dependencies point down. `control` and `join` use `task`, which uses `advance` and `replica`. These use `state`,
//! which is continued in `publish`, `membership`, `catch_up` and `fault_hits`. These use `changed_rows`, `fanout`,
//! `feed`, `sockets`, `audience`, `journal`, `clock` and `error`. A `subscription` belongs to a socket, so it uses the
//! handle, as does a `close_notifier`.

mod advance;
mod audience;
mod catch_up;
mod changed_rows;
mod clock;
mod close_notifier;
mod control;
mod delegation;
mod endpoint;
mod error;
mod event_log;
mod fanout;
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
pub use clock::{Pace, SPEEDS, WorldMoment};
pub use control::{ClockState, Timelines, WorldSummary};
pub use endpoint::{OpenedSocket, Transport};
pub use error::{ClockError, MAX_SNAPSHOTS, SnapshotError, WorldError};
pub use feed::{DEFAULT_BACKLOG, EncodedBatch, MIN_BACKLOG};
use journal::Record;
pub use journal::{
    AfterBehind, Answer, AnsweredBy, Brief, Budget, DEFAULT_ENTRIES, Difference, Dropped, EndedBy, Entry, EntryIndex,
    Exchange, Expectation, ExpectationError, ExpectedQuery, FaultMark, Finding, InvalidWait, Kind, MemberPath,
    NearMiss, OpenedBy, Payload, Recipients, RequestHead, RuleName, SocketEnd, Verdict,
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

/// Requests that may queue for the task before senders have to wait.
const MAX_QUEUED_REQUESTS: usize = 1024;

/// The options that a world starts with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The world's own seed, which overrides the server's.
    pub seed: Option<u64>,
    /// The pace of the world's clock at the start.
    pub pace: Pace,
    /// The maximum number of journal entries, counted separately for messages to sockets and for everything else; 0
    /// turns the journal off.
    pub journal: usize,
    /// The memory budget that all journals of a server share.
    pub budget: Budget,
    /// Whether connections may be kept alive; the faults of all worlds of a server decide.
    pub keep_alive: KeepAlive,
    /// Feed items that a socket may lag behind before it receives current values instead; at least [`MIN_BACKLOG`].
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

/// A handle to a running world.
#[derive(Debug, Clone)]
pub struct World(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    requests: mpsc::Sender<Request>,
    view: watch::Receiver<Arc<View>>,
    shared: Arc<Shared>,
    /// This server's replica of the world, if other servers run the world too.
    #[cfg(feature = "redis")]
    replica: Option<Arc<Replica>>,
}

impl World {
    /// Starts a world. One task runs it until it ends; a second one writes to sockets once there are any.
    #[must_use]
    pub fn start(
        name: Arc<str>,
        start: WorldStart,
        setup: &Setup,
        end: CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let (task, requests, view) = Task::new(name, start, setup, end, tasks);
        // The machine's date would make the runs of a paused world differ, as it would the servers of a shared one.
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

    /// Returns the world's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.shared().name
    }

    /// Returns what readers currently see.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.0.view.borrow().clone()
    }

    /// Returns the pace of the world's clock.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.shared().clock.pace()
    }

    /// Returns the world's time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared().clock.now()
    }

    /// Returns the number of the last event. Numbers start at 1 after a start or reset; 0 means that no event has
    /// happened yet.
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.shared().last_event.load(Ordering::Relaxed)
    }

    /// Returns the number of open sockets.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.shared().sockets.len()
    }

    /// Marks the world as used. A world that has not been used for a while is removed.
    pub fn touch(&self) {
        self.shared().touch();
    }

    /// Returns when the world was last used; `None` while a socket is open or a request is in progress.
    #[must_use]
    pub fn idle_since(&self) -> Option<Instant> {
        self.shared().idle_since()
    }

    /// Ends the world and closes its sockets.
    pub fn end(&self) {
        self.shared().end.cancel();
    }

    /// Returns whether the world has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shared().end.is_cancelled()
    }

    /// Waits until the world has ended.
    pub async fn ended(&self) {
        self.shared().end.cancelled().await;
    }

    /// Switches to another scenario without losing a socket, and returns the changes; see
    /// [`Engine::reload`](crate::engine::Engine::reload). A world with its own seed keeps it.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn reload(&self, to: Arc<WorldReload>) -> Result<Reload, WorldError> {
        self.ask(move |state| state.reload(&to)).await
    }

    /// Subscribes to a collection: first its counter values, then everything that follows, encoded for the socket's
    /// transport.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn subscribe(&self, collection: &str, notices: bool, encode: Encode) -> Result<Subscription, WorldError> {
        self.warn_of_unknown(collection);
        let (world, collection): (_, Arc<str>) = (self.clone(), collection.into());
        // If the caller is gone by then, the subscription is dropped together with the reply.
        self.ask(move |state| {
            let (socket, joined) = state.join(&collection, notices);
            Subscription::new(world, socket, encode, &joined)
        })
        .await
    }

    fn shared(&self) -> &Shared {
        &self.0.shared
    }

    /// Marks the world as in use until the guard is dropped.
    fn in_use(&self) -> InUse<'_> {
        self.shared().in_use()
    }
}

/// The operations behind a [`Subscription`].
impl World {
    async fn switch(&self, socket: &Arc<Socket>, collection: &str) -> Result<Joined, WorldError> {
        let (socket, collection): (_, Arc<str>) = (socket.clone(), collection.into());
        self.ask(move |state| state.switch(&socket, collection)).await
    }

    /// Calls `WorldState::catch_up`. An `after` of `None` requests everything.
    async fn catch_up(&self, socket: &Arc<Socket>, after: Option<u64>, position: u64) -> Result<Joined, WorldError> {
        let socket = socket.clone();
        self.ask(move |state| state.catch_up(&socket, after, position)).await
    }

    /// Records that a socket that had fallen behind received these messages instead of the ones that it missed.
    fn caught_up(&self, socket: &Socket, messages: &[Message]) {
        self.note_caught_up(socket);
        self.record_direct(socket, messages);
    }

    /// Records messages that only this socket received.
    fn record_direct(&self, socket: &Socket, messages: &[Message]) {
        let sockets = Recipients::One { socket: socket.id, path: socket.member_path() };
        for message in messages {
            let (sockets, topics) = (sockets.clone(), message.topics().clone());
            self.record(Record::Sent { sockets, topics, event: None, payload: Payload::of(message) });
        }
    }

    fn leave(&self, socket: &Socket, end: SocketEnd) {
        if socket.take_end_record() {
            self.record(Record::Closed { socket: socket.id, path: socket.member_path(), end });
        }
        // Touch first, so that the world never appears to have no socket and to have been unused for long.
        self.touch();
        self.shared().sockets.leave(socket);
        #[cfg(feature = "redis")]
        if let Some(replica) = self.0.replica.as_ref().filter(|_| socket.is_rule_driven()) {
            replica.departs(socket.id);
        }
    }
}
