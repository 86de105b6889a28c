//! Brings and lifts a world's faults, and finds whom they hit.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tungstenite::protocol::frame::coding::CloseCode;

use super::MAX_FAULTS;
use crate::engine::{Event, EventKind, FaultSource, FaultState};
use crate::scenario::{Effect, Fault, format_duration};
use crate::world::WorldError;
use crate::world::feed::Frame;
use crate::world::journal::Record;
use crate::world::play::Play;
use crate::world::socket::Socket;

/// Sockets of a storm are closed with that: service restart (IANA's registry of close codes).
const RESTART: CloseCode = CloseCode::Restart;

impl Play {
    pub(in crate::world) fn add_fault(&mut self, fault: Arc<Fault>) -> Result<FaultState, WorldError> {
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

    pub(in crate::world) fn change_fault(&mut self, name: &str, fault: Arc<Fault>) -> Result<FaultState, WorldError> {
        let id = self.find_fault(name)?;
        self.expect_free(fault.name(), Some(id))?;
        self.come_to_now();
        let events = self.engine.change_fault(id, fault).unwrap_or_default();
        self.tell_of_faults(&events);
        self.fault(id)
    }

    pub(in crate::world) fn remove_fault(&mut self, name: &str) -> Result<(), WorldError> {
        let id = self.find_fault(name)?;
        let events = self.engine.remove_fault(id).unwrap_or_default();
        self.tell_of_faults(&events);
        Ok(())
    }

    pub(in crate::world) fn clear_faults(&mut self) -> usize {
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

    pub(super) fn find_fault(&self, name: &str) -> Result<u64, WorldError> {
        self.engine.find_fault(name).ok_or_else(|| WorldError::UnknownFault(name.to_owned()))
    }

    pub(super) fn fault(&self, id: u64) -> Result<FaultState, WorldError> {
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
    pub(in crate::world) fn faults_turned(&mut self, events: &[Event]) {
        for event in events {
            if let EventKind::FaultBegan { fault, .. } = event.kind {
                self.strike(fault);
            }
        }
        self.refresh_faults();
    }

    /// Tells sockets and requests which faults are in force.
    pub(in crate::world) fn refresh_faults(&mut self) {
        self.shared.has_request_faults.store(self.engine.has_request_faults(), Ordering::Relaxed);
        self.shared.active_faults.set(&self.engine);
        let has_any = self.engine.has_socket_faults();
        if has_any || self.has_faulted_sockets {
            self.has_faulted_sockets = has_any;
            // Who has got as far as the turn has followed it: so everybody knows of it before it is published.
            let from = self.shared.feed.end() + 1;
            for socket in self.shared.sockets.all() {
                self.hit(&socket, from);
            }
            self.publish([Frame::Turn]);
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

    /// Finds the faults that hit a socket from that position of the feed on.
    pub(in crate::world) fn hit(&mut self, socket: &Socket, from: u64) {
        if self.has_faulted_sockets || socket.is_faulted() {
            self.forget_sockets();
            let faults = self.engine.socket_faults(socket.id, &socket.category());
            socket.set_faults(faults.into(), from);
        }
    }

    /// What a fault does at the moment at which it begins.
    fn strike(&mut self, id: u64) {
        let Some(FaultState { fault, .. }) = self.engine.faults().find(|fault| fault.id == id) else { return };
        if !fault.effect().is_momentary() && !matches!(fault.effect(), Effect::Storm(_)) {
            return;
        }
        let (sockets, end) = (self.shared.sockets.all(), self.shared.feed.end());
        let open: Vec<_> = sockets.iter().map(|socket| (socket.id, socket.category())).collect();
        let struck = self.engine.struck(id, open.iter().map(|(id, category)| (*id, &**category)));
        for (socket, hit) in struck {
            let did = match fault.effect() {
                Effect::Close { code, reason, .. } => {
                    self.shared.sockets.close(Some(socket), CloseCode::from(*code), reason, end);
                    format!("closed with {code}")
                }
                Effect::Storm(closed) => {
                    self.shared.sockets.close(Some(socket), RESTART, "", end);
                    format!("closed with {}, refused for {}", u16::from(RESTART), format_duration(*closed))
                }
                _ => {
                    self.shared.sockets.reset(socket, end);
                    "reset".into()
                }
            };
            let record = Record::Faulted { socket, fault: hit.label, did, event: None };
            self.shared.journal.record(self.shared.clock.now(), record);
        }
    }
}
