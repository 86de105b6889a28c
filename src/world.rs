//! An engine in time: one task owns one [`Engine`], wakes it when something is due, and tells everyone what happened.
//!
//! A [`World`] is a cheap handle. What clients want goes to the task as a command and comes back as an answer, so
//! commands, script steps and reloads have one order. What happened goes out through the feed ([`Subscription`]);
//! the catalogue for readers is published before the answer, so that who has its answer sees its own change.

mod clock;
mod feed;
mod task;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use clock::Clock;
pub use feed::{Frame, Subscription};
use feed::{Joined, Publisher};
use task::{Command, Task};

use crate::engine::{Catalogue, Engine, Refusal, Reload};
use crate::scenario::Scenario;

/// Commands that may wait for the task before a sender waits.
const WAITING_COMMANDS: usize = 1024;

/// A handle on a running world.
#[derive(Debug, Clone)]
pub struct World {
    commands: mpsc::Sender<Command>,
    now: watch::Receiver<Arc<Snapshot>>,
}

/// What readers see without asking the task.
#[derive(Debug)]
pub struct Snapshot {
    /// The scenario that is played.
    pub scenario: Arc<Scenario>,
    /// The seed of all that is random.
    pub seed: u64,
    /// Categories and products.
    pub catalogue: Catalogue,
}

/// Why a command has no effect.
#[derive(Debug, Error)]
pub enum WorldError {
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The world has ended.
    #[error("the server is shutting down")]
    Ended,
}

impl World {
    /// Starts a world at time 0, with the task that runs it until the shutdown.
    #[must_use]
    pub fn start(scenario: &Arc<Scenario>, seed: u64, shutdown: CancellationToken) -> (Self, JoinHandle<()>) {
        let engine = Engine::new(scenario, seed);
        let (commands, inbox) = mpsc::channel(WAITING_COMMANDS);
        let (publish, now) = watch::channel(Arc::new(Snapshot::of(&engine)));
        let task = Task { engine, clock: Clock::start(), inbox, feed: Publisher::default(), publish };
        (Self { commands, now }, tokio::spawn(task.run(shutdown)))
    }

    /// What readers see at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.now.borrow().clone()
    }

    /// Adds `amount` to a product's order total.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such product, the total would leave ±(2^53 - 1), or the world has ended.
    pub async fn order(&self, id: &str, amount: i64) -> Result<(), WorldError> {
        let id = id.into();
        Ok(self.ask(|reply| Command::Order { id, amount, reply }).await??)
    }

    /// Adds a product to a category and gives the category's products as JSON, the new one last.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such category, the product is not as its `fields` ask, or the world has ended.
    pub async fn add_product(&self, category: &str, own: Map<String, Value>) -> Result<Bytes, WorldError> {
        let category = category.into();
        Ok(self.ask(|reply| Command::AddProduct { category, own, reply }).await??)
    }

    /// Goes on with another scenario, without losing a socket; see [`Engine::replace`].
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn replace(&self, scenario: Arc<Scenario>, seed: u64) -> Result<Reload, WorldError> {
        self.ask(|reply| Command::Replace { scenario, seed, reply }).await
    }

    /// Subscribes to a category: its current orders, and all that follows.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn subscribe(&self, category: &str, notices: bool) -> Result<Subscription, WorldError> {
        Ok(Subscription::new(self.clone(), category.into(), notices, self.join(category).await?))
    }

    async fn join(&self, category: &str) -> Result<Joined, WorldError> {
        let category = category.into();
        self.ask(|reply| Command::Join { category, reply }).await
    }

    /// The totals that changed after an event, and the number of the last event in them.
    async fn catch_up(&self, after: u64) -> Result<(Vec<Frame>, u64), WorldError> {
        self.ask(|reply| Command::CatchUp { after, reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, WorldError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| WorldError::Ended)?;
        answer.await.map_err(|_| WorldError::Ended)
    }
}

impl Snapshot {
    fn of(engine: &Engine) -> Self {
        let catalogue = engine.catalogue().clone();
        Self { scenario: engine.scenario().clone(), seed: engine.seed(), catalogue }
    }
}
