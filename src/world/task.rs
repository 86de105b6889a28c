//! The task that owns a world. It handles requests, the clock and advances, one at a time.
//!
//! Handles send it commands ([`World::apply`]) and closures that read its state (`World::ask`).

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use super::advance::Advance;
#[cfg(feature = "redis")]
use super::replica::{ArrivedEntry, Playback, SharedMembers, WorldSnapshot};
use super::shared_state::Shared;
use super::sockets::LaggingSockets;
use super::state::{WorldCommand, WorldState, seeded};
use super::view::{View, WorldStart};
use super::{MAX_QUEUED_REQUESTS, Setup, World, WorldError};
use crate::engine::{Answered, Effects, Event, FaultState};

/// The maximum number of requests that are handled before the clock is checked again.
const REQUESTS_PER_TURN: usize = 64;

/// Returns the number of actions that run before requests are checked again, given the feed's backlog. A scenario that
/// schedules more than the machine can do lags behind its clock, but the world keeps answering.
fn actions_per_turn(backlog: usize) -> usize {
    const MAX: usize = 256;
    MAX.min(backlog / 4)
}

/// Returns how many items a socket may lag behind during an advance. Each action makes at most two events, so the
/// socket stays within its backlog after the next actions.
fn leeway(backlog: usize) -> usize {
    backlog - 2 * actions_per_turn(backlog)
}

/// The effects of a command on a world.
#[derive(Debug, Clone)]
pub struct WorldEffects {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The fault that was added or changed.
    pub fault: Option<FaultState>,
    /// The answer of a route.
    pub answer: Option<Answered>,
    /// The view that readers saw at that moment.
    pub view: Arc<View>,
}

impl WorldEffects {
    /// Returns the effects of a command that was just applied.
    pub(super) fn of(state: &WorldState, Effects { events, fault, answer, messages: _ }: Effects) -> Self {
        let fault = fault.and_then(|id| state.engine.faults().find(|fault| fault.id == id));
        let events = events.into_iter().filter(|event| !event.is_delivery()).collect();
        Self { events, fault, answer, view: state.view.borrow().clone() }
    }
}

impl World {
    /// Applies a command, on this server or on every server of a shared world.
    ///
    /// # Errors
    /// [`WorldError`] if the command is refused and has changed nothing, or if the world has ended.
    pub async fn apply(&self, command: impl Into<WorldCommand>) -> Result<WorldEffects, WorldError> {
        let command = command.into();
        #[cfg(feature = "redis")]
        if let Some(replica) = self.0.replica.as_ref().filter(|_| !command.is_local()) {
            let _in_use = self.in_use();
            return replica.apply(command, self.now()).await;
        }
        self.ask(move |state| state.apply(command).map(|effects| WorldEffects::of(state, effects))).await?
    }

    /// Runs a closure with the task's state and returns its result.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut WorldState) -> T + Send + 'static,
    ) -> Result<T, WorldError> {
        let _in_use = self.in_use();
        let (reply, answer) = oneshot::channel();
        // If the caller no longer waits, the reply is dropped; the job runs all the same.
        let job = Box::new(move |state: &mut WorldState| drop(reply.send(job(state))));
        self.0.requests.send(Request::Do(job)).await.map_err(|_| WorldError::Ended)?;
        answer.await.map_err(|_| if self.is_ended() { WorldError::Ended } else { WorldError::Defect })
    }

    /// Like [`World::ask`], but does not wait for the job to run.
    pub(super) async fn enqueue(&self, job: impl FnOnce(&mut WorldState) + Send + 'static) -> Result<(), WorldError> {
        let _in_use = self.in_use();
        self.0.requests.send(Request::Do(Box::new(job))).await.map_err(|_| WorldError::Ended)
    }
}

/// A closure that runs with the task's state.
type Job = Box<dyn FnOnce(&mut WorldState) + Send>;

/// A request from a handle to the task.
pub(super) enum Request {
    /// A job that runs at once.
    Do(Job),
    /// An advance, which takes as long as the sockets take.
    Advance(Box<Advance>),
    /// The next entry in the log of a shared world.
    #[cfg(feature = "redis")]
    Entry(Box<ArrivedEntry>),
    /// A request for a snapshot of the whole world, for other servers to install.
    #[cfg(feature = "redis")]
    Snapshot(oneshot::Sender<Option<WorldSnapshot>>),
}

pub(super) struct Task {
    state: WorldState,
    inbox: mpsc::Receiver<Request>,
    advances: VecDeque<Box<Advance>>,
    end: CancellationToken,
    /// Plays back the log of a shared world.
    #[cfg(feature = "redis")]
    playback: Option<Playback>,
}

impl Task {
    /// Creates the task of a world at time 0. Also returns the sender for requests, and the view for readers.
    pub(super) fn new(
        name: Arc<str>,
        start: WorldStart,
        setup: &Setup,
        end: CancellationToken,
        tasks: &TaskTracker,
    ) -> (Self, mpsc::Sender<Request>, watch::Receiver<Arc<View>>) {
        let WorldStart { engine, json } = start;
        let start = seeded(engine, setup.seed);
        let (requests, inbox) = mpsc::channel(MAX_QUEUED_REQUESTS);
        let (view_sender, view) = watch::channel(Arc::new(View::of(&start, &[&json])));
        let shared = Arc::new(Shared::new(name, &start, setup, end.clone()));
        let state = WorldState::new(start, json, setup.seed, shared, view_sender, tasks.clone());
        let task = Self {
            state,
            inbox,
            advances: VecDeque::new(),
            end,
            #[cfg(feature = "redis")]
            playback: None,
        };
        (task, requests, view)
    }

    /// Sets time 0 to the machine's date and time, unless the scenario declares another.
    pub(super) fn with_date(mut self) -> Self {
        self.state.keep_date();
        self
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.state.shared
    }

    /// Makes the task play back the log of a shared world.
    #[cfg(feature = "redis")]
    pub(super) fn with_playback(self, playback: Playback) -> Self {
        let members = Some(SharedMembers::of(playback.server().clone()));
        let mut task = Self { playback: Some(playback), ..self };
        task.state.members = members;
        task.state.engine = task.state.engine.shared_by_servers();
        task
    }

    /// Runs until the world ends or the last handle is dropped.
    pub(super) async fn run(mut self) {
        let end = self.end.clone();
        // However the task ends, its sockets are notified.
        let _ended = end.clone().drop_guard();
        let mut requests = Vec::new();
        let actions = actions_per_turn(self.state.shared.feed.backlog());
        let mut lagging = LaggingSockets::default();
        let shared = self.state.shared.clone();
        loop {
            #[cfg(feature = "redis")]
            if let Some(playback) = &mut self.playback {
                playback.play(&mut self.state, &mut self.advances);
            }
            if end.run_until_cancelled(shared.feed.room()).await.is_none() {
                return;
            }
            let (is_advancing, waits_for_all) =
                self.advances.front().map_or((false, false), |advance| (true, advance.waits_for_all()));
            // In a shared world, the log alone advances time.
            let runs_by_clock = !is_advancing && !self.state.is_shared();
            tokio::select! {
                () = end.cancelled() => return,
                () = wait_for_sockets(&shared, waits_for_all, &mut lagging), if is_advancing => {
                    let is_done = self.advances.front_mut().is_none_or(|advance| advance.run(&mut self.state, actions));
                    if is_done && let Some(advance) = self.advances.pop_front() {
                        advance.finish(&mut self.state);
                    }
                }
                () = shared.clock.wait_until(self.state.engine.next_due()), if runs_by_clock => {
                    self.state.catch_up_with_clock(actions);
                }
                count = self.inbox.recv_many(&mut requests, REQUESTS_PER_TURN) => {
                    if count == 0 {
                        return;
                    }
                    if runs_by_clock {
                        self.state.catch_up_with_clock(actions);
                    }
                    requests.drain(..).for_each(|request| self.handle(request));
                }
            }
        }
    }

    fn handle(&mut self, request: Request) {
        match request {
            Request::Do(job) => self.run_job(job),
            Request::Advance(advance) => self.advances.push_back(advance),
            #[cfg(feature = "redis")]
            Request::Entry(entry) => {
                if let Some(playback) = &mut self.playback {
                    playback.push(*entry);
                }
            }
            #[cfg(feature = "redis")]
            Request::Snapshot(reply) => {
                let snapshot = self.playback.as_ref().and_then(|playback| playback.snapshot(&self.state));
                // The caller may be gone.
                let _ = reply.send(snapshot);
            }
        }
    }

    /// Runs a job. If it panics, its caller gets an error, and the world continues from the state that the job has
    /// left.
    fn run_job(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| job(&mut self.state))).is_err() {
            error!(world = %self.state.shared.name, "a command failed; it is a defect in mockd, please report it");
        }
    }
}

/// Waits until the sockets have room for the next items, or until they have written everything.
async fn wait_for_sockets(shared: &Shared, waits_for_all: bool, lagging: &mut LaggingSockets) {
    // Without sockets there is nothing to wait for, but other tasks still need their turn.
    tokio::task::yield_now().await;
    let leeway = if waits_for_all { 0 } else { leeway(shared.feed.backlog()) as u64 };
    shared.sockets.wait_written(shared.feed.end().saturating_sub(leeway), lagging).await;
}
