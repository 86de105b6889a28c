//! A world's faults: who brings and lifts them, and whom they hit.
//!
//! Requests ask the world's task what hits them, but only while there is something that may: that is one atomic read.
//! Sockets have the faults that hit them at hand, and are told when these change. The task decides both, in the order in
//! which it hears of them.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tungstenite::protocol::frame::coding::CloseCode;

use super::journal::Record;
use super::operation::{GivenFault, Operation, Outcome};
use super::play::Play;
use super::socket::Socket;
use super::{World, WorldError};
use crate::engine::{Asked, Engine, Event, EventKind, FaultSource, FaultState, Hit};
use crate::scenario::{Effect, Fault, format_duration};

/// Faults that a world has at the most.
pub const MAX_FAULTS: usize = 1000;

/// Sockets of a storm are closed with that: service restart (IANA's registry of close codes).
const RESTART: CloseCode = CloseCode::Restart;

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
        self.change(Operation::AddFault(GivenFault::Read(Arc::new(fault)))).await?.fault()
    }

    /// Puts another in the place of the fault of that number or name, which starts over.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn change_fault(&self, name: &str, fault: Fault) -> Result<FaultState, WorldError> {
        let fault = GivenFault::Read(Arc::new(fault));
        self.change(Operation::ChangeFault(name.to_owned(), fault)).await?.fault()
    }

    /// Lifts the fault of that number or name for good.
    ///
    /// # Errors
    /// [`WorldError`] if there is none, or the world has ended.
    pub async fn remove_fault(&self, name: &str) -> Result<(), WorldError> {
        self.change(Operation::RemoveFault(name.to_owned())).await.map(drop)
    }

    /// Lifts all faults for good, and says how many there were.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn clear_faults(&self) -> Result<usize, WorldError> {
        self.change(Operation::ClearFaults).await.map(Outcome::count)
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

    fn set(&self, engine: &Engine) {
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

impl Play {
    pub(super) fn add_fault(&mut self, fault: Arc<Fault>) -> Result<FaultState, WorldError> {
        self.engine.sweep_faults(MAX_FAULTS);
        if self.engine.faults().count() >= MAX_FAULTS {
            return Err(WorldError::TooManyFaults);
        }
        self.expect_free(fault.name(), None)?;
        self.come_to_now();
        let (id, events) = self.engine.add_fault(fault, FaultSource::Api);
        self.tell_of_faults(&events);
        self.fault(id)
    }

    pub(super) fn change_fault(&mut self, name: &str, fault: Arc<Fault>) -> Result<FaultState, WorldError> {
        let id = self.find_fault(name)?;
        self.expect_free(fault.name(), Some(id))?;
        self.come_to_now();
        let events = self.engine.change_fault(id, fault).unwrap_or_default();
        self.tell_of_faults(&events);
        self.fault(id)
    }

    pub(super) fn remove_fault(&mut self, name: &str) -> Result<(), WorldError> {
        let id = self.find_fault(name)?;
        let events = self.engine.remove_fault(id).unwrap_or_default();
        self.tell_of_faults(&events);
        Ok(())
    }

    pub(super) fn clear_faults(&mut self) -> usize {
        let all: Vec<u64> = self.engine.faults().map(|fault| fault.id).collect();
        let events: Vec<Event> = all.iter().filter_map(|id| self.engine.remove_fault(*id)).flatten().collect();
        self.tell_of_faults(&events);
        all.len()
    }

    /// A name stands for one fault.
    fn expect_free(&self, name: Option<&str>, own: Option<u64>) -> Result<(), WorldError> {
        match name
            .filter(|name| self.engine.faults().any(|other| other.fault.name() == Some(*name) && Some(other.id) != own))
        {
            Some(name) => Err(WorldError::FaultExists(name.to_owned())),
            None => Ok(()),
        }
    }

    fn find_fault(&self, name: &str) -> Result<u64, WorldError> {
        self.engine.find_fault(name).ok_or_else(|| WorldError::UnknownFault(name.to_owned()))
    }

    fn fault(&self, id: u64) -> Result<FaultState, WorldError> {
        let state = self.engine.faults().find(|fault| fault.id == id);
        state.ok_or_else(|| WorldError::UnknownFault(id.to_string()))
    }

    /// What is told of a time has to be counted from now, not from the last event.
    fn come_to_now(&mut self) {
        if self.engine.next_due().is_none_or(|due| due > self.now()) {
            self.engine.settle(self.now());
        }
    }

    fn tell_of_faults(&mut self, events: &[Event]) {
        self.tell(events);
        if events.is_empty() {
            self.refresh_faults();
        }
    }

    /// Faults have begun or ended.
    pub(super) fn faults_turned(&mut self, events: &[Event]) {
        for event in events {
            if let EventKind::FaultBegan { fault, .. } = event.kind {
                self.strike(fault);
            }
        }
        self.refresh_faults();
    }

    /// Tells sockets and requests which faults are in force.
    pub(super) fn refresh_faults(&mut self) {
        self.shared.has_request_faults.store(self.engine.has_request_faults(), Ordering::Relaxed);
        self.shared.active_faults.set(&self.engine);
        let has_any = self.engine.has_socket_faults();
        if has_any || self.has_faulted_sockets {
            self.has_faulted_sockets = has_any;
            for socket in self.shared.sockets.all() {
                self.hit(&socket);
            }
        }
    }

    /// Has faults forget about sockets that are gone, once those are most of what they know.
    fn forget_sockets(&mut self) {
        const FEW: usize = 1000;
        if self.engine.decided_sockets() > FEW + 2 * self.shared.sockets.len() {
            let open: HashSet<u64> = self.shared.sockets.all().iter().map(|socket| socket.id).collect();
            self.engine.forget_sockets(&|socket| open.contains(&socket));
        }
    }

    /// Finds the faults that hit a socket.
    pub(super) fn hit(&mut self, socket: &Socket) {
        if self.has_faulted_sockets || socket.is_faulted() {
            self.forget_sockets();
            socket.set_faults(self.engine.socket_faults(socket.id, &socket.category()).into());
        }
    }

    /// What a fault does at the moment at which it begins.
    fn strike(&mut self, id: u64) {
        let Some(FaultState { fault, .. }) = self.engine.faults().find(|fault| fault.id == id) else { return };
        if !fault.effect().is_momentary() && !matches!(fault.effect(), Effect::Storm(_)) {
            return;
        }
        let sockets = self.shared.sockets.all();
        let open: Vec<_> = sockets.iter().map(|socket| (socket.id, socket.category())).collect();
        let struck = self.engine.struck(id, open.iter().map(|(id, category)| (*id, &**category)));
        for (socket, hit) in struck {
            let did = match fault.effect() {
                Effect::Close { code, reason, .. } => {
                    self.shared.sockets.close(Some(socket), CloseCode::from(*code), reason);
                    format!("closed with {code}")
                }
                Effect::Storm(closed) => {
                    self.shared.sockets.close(Some(socket), RESTART, "");
                    format!("closed with {}, refused for {}", u16::from(RESTART), format_duration(*closed))
                }
                _ => {
                    self.shared.sockets.reset(socket);
                    "reset".into()
                }
            };
            let record = Record::Faulted { socket, fault: hit.label, did, event: None };
            self.shared.journal.record(self.shared.clock.now(), record);
        }
    }
}
