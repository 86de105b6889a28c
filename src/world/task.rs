//! The task that owns the engine.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Snapshot;
use super::clock::Clock;
use super::feed::{self, Frame, Joined, Publisher};
use crate::engine::{Engine, Event, EventKind, Listing, Refusal, Reload};
use crate::scenario::Scenario;

/// Commands that are handled before the clock is looked at again.
const COMMANDS_AT_ONCE: usize = 64;

/// Events that happen before commands are looked at again. A scenario that asks for more than the machine can do
/// falls behind its clock, but goes on answering.
const EVENTS_AT_ONCE: usize = 256;

type Reply<T> = oneshot::Sender<T>;

/// What handles ask of the task.
#[derive(Debug)]
pub(super) enum Command {
    Order { id: Arc<str>, amount: i64, reply: Reply<Result<(), Refusal>> },
    AddProduct { category: Arc<str>, own: Map<String, Value>, reply: Reply<Result<Bytes, Refusal>> },
    Replace { scenario: Arc<Scenario>, seed: u64, reply: Reply<Reload> },
    Join { category: Arc<str>, reply: Reply<Joined> },
    CatchUp { after: u64, reply: Reply<(Vec<Frame>, u64)> },
}

pub(super) struct Task {
    pub(super) engine: Engine,
    pub(super) clock: Clock,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) feed: Publisher,
    pub(super) publish: watch::Sender<Arc<Snapshot>>,
}

impl Task {
    /// Runs until the shutdown, or until the last handle is gone.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut commands = Vec::with_capacity(COMMANDS_AT_ONCE);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.clock.wait_until(self.engine.next_due()) => self.catch_up_with_time(),
                count = self.inbox.recv_many(&mut commands, COMMANDS_AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    self.catch_up_with_time();
                    commands.drain(..).for_each(|command| self.handle(command));
                }
            }
        }
    }

    fn catch_up_with_time(&mut self) {
        let events = self.engine.advance_some(self.clock.now(), EVENTS_AT_ONCE);
        self.tell(&events);
    }

    // A reply that nobody waits for any more is dropped: the command has been carried out all the same.
    fn handle(&mut self, command: Command) {
        match command {
            Command::Order { id, amount, reply } => {
                let outcome = self.engine.order(&id, amount);
                let _ = reply.send(self.settle(outcome));
            }
            Command::AddProduct { category, own, reply } => {
                let outcome = self.engine.add_product(&category, own);
                let settled = self.settle(outcome);
                let products = |()| self.engine.catalogue().get(&category).map(Listing::json).unwrap_or_default();
                let _ = reply.send(settled.map(products));
            }
            Command::Replace { scenario, seed, reply } => {
                let reload = self.engine.replace(&scenario, seed);
                self.publish_snapshot();
                self.tell(&reload.events);
                self.feed.notice_catalogue(self.engine.sequence());
                let _ = reply.send(reload);
            }
            Command::Join { category, reply } => {
                let _ = reply.send(self.feed.join(&self.engine, &category));
            }
            Command::CatchUp { after, reply } => {
                let _ = reply.send(feed::catch_up(&self.engine, after));
            }
        }
    }

    fn settle(&mut self, outcome: Result<Event, Refusal>) -> Result<(), Refusal> {
        outcome.map(|event| self.tell(&[event]))
    }

    /// Publishes what happened: the catalogue first, so that who hears of a product can get it.
    fn tell(&mut self, events: &[Event]) {
        let on_sale = |event: &&Event| matches!(event.kind, EventKind::Added { .. } | EventKind::Removed { .. });
        let catalogue_change = events.iter().rfind(on_sale);
        if catalogue_change.is_some() {
            self.publish_snapshot();
        }
        for event in events {
            match &event.kind {
                EventKind::Skipped(refusal) => debug!(at = ?event.at, %refusal, "step skipped"),
                EventKind::Added { id, category } => debug!(%id, %category, "product added"),
                EventKind::Removed { id, category } => debug!(%id, %category, "product removed"),
                EventKind::Total { .. } => self.feed.publish(self.engine.scenario().feed(), event),
            }
        }
        if let Some(event) = catalogue_change {
            self.feed.notice_catalogue(event.sequence);
        }
    }

    fn publish_snapshot(&self) {
        self.publish.send_replace(Arc::new(Snapshot::of(&self.engine)));
    }
}
