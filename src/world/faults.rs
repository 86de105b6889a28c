//! A world's faults: who brings and lifts them, and whom they hit.
//!
//! Requests ask the world's task what hits them, but only while there is something that may: that is one atomic read.
//! Sockets have the faults that hit them at hand, and are told when these change, with the position in the feed from which on
//! that counts: a frame meets the faults of its own moment, however late its socket takes it. The task decides both, in the
//! order in which it hears of them.

mod turning;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::operation::{GivenFault, Operation, Outcome};
use super::stalls::Stalls;
use super::{World, WorldError};
use crate::engine::{Asked, Engine, FaultState, Hit};
use crate::scenario::Fault;

/// Faults that a world has at the most.
pub const MAX_FAULTS: usize = 1000;

impl World {
    /// All faults: those of the scenario first.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn faults(&self) -> Result<Vec<FaultState>, WorldError> {
        self.ask(|play| play.engine.faults().collect()).await
    }

    /// The fault of that number or name.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn fault(&self, name: &str) -> Result<FaultState, WorldError> {
        let name = name.to_owned();
        self.ask(move |play| play.find_fault(&name).and_then(|id| play.fault(id))).await?
    }

    /// Brings a fault; its times count from now.
    ///
    /// # Errors
    /// [`WorldError`] if there are too many, or the world has ended.
    pub async fn add_fault(&self, fault: Fault) -> Result<FaultState, WorldError> {
        self.turn(Operation::AddFault(GivenFault::Read(Arc::new(fault)))).await?.fault()
    }

    /// Puts another in the place of the fault of that number or name, which starts over.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn change_fault(&self, name: &str, fault: Fault) -> Result<FaultState, WorldError> {
        let fault = GivenFault::Read(Arc::new(fault));
        self.turn(Operation::ChangeFault(name.to_owned(), fault)).await?.fault()
    }

    /// Lifts the fault of that number or name for good.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn remove_fault(&self, name: &str) -> Result<(), WorldError> {
        self.turn(Operation::RemoveFault(name.to_owned())).await.map(drop)
    }

    /// Lifts all faults for good, and says how many there were.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clear_faults(&self) -> Result<usize, WorldError> {
        self.turn(Operation::ClearFaults).await.map(Outcome::count)
    }

    /// Changes faults, and waits until every socket that reads has followed: so what it gets does not depend on how fast it is.
    async fn turn(&self, operation: Operation) -> Result<Outcome, WorldError> {
        let outcome = self.change(operation).await?;
        self.sockets().written(self.feed().last_turn(), &mut Stalls::default()).await;
        Ok(outcome)
    }

    /// Whether a fault is in force that may hit requests or handshakes.
    #[must_use]
    pub fn has_request_faults(&self) -> bool {
        self.0.shared.has_request_faults.load(Ordering::Relaxed)
    }

    /// What hits a request or a handshake.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn hits(&self, method: &str, path: &str, is_handshake: bool) -> Result<Vec<Hit>, WorldError> {
        let (method, path) = (method.to_owned(), path.to_owned());
        self.ask(move |play| play.engine.hits(&Asked { method: &method, path: &path, is_handshake })).await
    }

    /// Waits until so much of the world's time has passed, or the fault of that [run](Hit::run) is over, or the world. Without
    /// a time, there is nothing else to wait for.
    pub async fn pass(&self, time: Option<Duration>, run: u64) {
        let until = time.map(|time| self.now().saturating_add(time));
        tokio::select! {
            () = async { self.reached(until.unwrap_or_default()).await }, if until.is_some() => {}
            () = self.0.shared.active_faults.over(run) => {}
            () = self.ended() => {}
        }
    }

    pub(super) async fn reached(&self, at: Duration) {
        self.0.shared.clock.reached(at).await;
    }
}

/// The runs of the faults that are in force, for whoever waits for the end of one.
#[derive(Debug)]
pub(super) struct Active {
    runs: Mutex<Arc<[u64]>>,
    changed: Notify,
}

impl Active {
    pub(super) fn of(engine: &Engine) -> Self {
        Self { runs: Mutex::new(engine.active_faults().collect()), changed: Notify::new() }
    }

    pub(super) fn set(&self, engine: &Engine) {
        *self.runs.lock().unwrap_or_else(PoisonError::into_inner) = engine.active_faults().collect();
        self.changed.notify_waiters();
    }

    async fn over(&self, run: u64) {
        loop {
            let changed = self.changed.notified();
            if !self.runs.lock().unwrap_or_else(PoisonError::into_inner).contains(&run) {
                return;
            }
            changed.await;
        }
    }
}
