//! Faults that hit sockets and requests.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::feed::FeedItem;
use super::journal::Record;
use super::socket::{Socket, SocketClose};
use super::state::WorldState;
use crate::engine::{Event, EventKind, FaultState, FaultTarget, Hit, SERVICE_RESTART};
use crate::scenario::{Effect, format_duration};

impl WorldState {
    /// Applies the faults that are active now to sockets and requests.
    pub(super) fn refresh_faults(&mut self) {
        self.shared.has_request_faults.store(self.engine.has_request_faults(), Ordering::Relaxed);
        self.shared.active_faults.set(&self.engine);
        self.refresh_keep_alive();
        let has_any = self.engine.has_socket_faults();
        if has_any || self.has_faulted_sockets {
            self.has_faulted_sockets = has_any;
            // A socket that has reached the transition must have followed it, so each socket gets its faults before the
            // transition is published.
            let from = self.shared.feed.end() + 1;
            for socket in self.shared.sockets.all() {
                self.hit(&socket, from);
            }
            self.publish_items([FeedItem::fault_transition()]);
        }
    }

    /// Returns the faults that hit a request or a handshake.
    pub(super) fn hits(&mut self, target: &FaultTarget) -> Vec<Hit> {
        let hits = self.engine.hits(target);
        if !hits.is_empty() {
            // One of the faults may have reached its limit of hits.
            self.refresh_keep_alive();
        }
        hits
    }

    fn refresh_keep_alive(&mut self) {
        let is_needed = self.engine.has_repeated_faults();
        if is_needed != self.suspension.is_some() {
            self.suspension = is_needed.then(|| self.shared.keep_alive.suspend());
        }
    }

    /// Sets the faults that hit a socket from a feed position on.
    pub(super) fn hit(&mut self, socket: &Arc<Socket>, from: u64) {
        if self.has_faulted_sockets || socket.is_faulted() {
            self.forget_closed_sockets();
            let faults = self.engine.socket_faults(socket.id, &socket.fault_member());
            socket.set_faults(faults.into(), from);
            if socket.is_faulted() {
                self.shared.sockets.add_faulted(socket);
            }
        }
    }

    /// Removes closed sockets from the faults once they outnumber the open ones by far.
    fn forget_closed_sockets(&mut self) {
        const FEW: usize = 1000;
        if self.engine.decided_sockets() > FEW + 2 * self.shared.sockets.len() {
            let open: HashSet<u64> = self.shared.sockets.all().iter().map(|socket| socket.id).collect();
            self.engine.forget_sockets(&|socket| open.contains(&socket));
        }
    }

    /// Disconnects the sockets that faults hit at the moment they start.
    pub(super) fn disconnect_sockets(&mut self, events: &[Event]) {
        for event in events {
            if let EventKind::FaultBegan { fault, .. } = event.kind {
                self.disconnect(fault);
            }
        }
    }

    fn disconnect(&mut self, id: u64) {
        let Some(FaultState { fault, .. }) = self.engine.faults().find(|fault| fault.id == id) else { return };
        if !fault.effect().is_momentary() && !matches!(fault.effect(), Effect::Storm(_)) {
            return;
        }
        let (sockets, end) = (self.shared.sockets.all(), self.shared.feed.end());
        let open = sockets.iter().map(|socket| (socket.id, socket.fault_member()));
        let hits = self.engine.hits_at_start(id, open);
        for (socket, hit) in hits {
            let description = match fault.effect() {
                Effect::Close { code, reason, .. } => {
                    let close = SocketClose { code: *code, reason: reason.as_str().into() };
                    self.shared.sockets.close(Some(socket), &close, end);
                    format!("closed with {code}")
                }
                Effect::Storm(closed) => {
                    let close = SocketClose { code: SERVICE_RESTART, reason: Arc::default() };
                    self.shared.sockets.close(Some(socket), &close, end);
                    format!("closed with {SERVICE_RESTART}, refused for {}", format_duration(*closed))
                }
                _ => {
                    self.shared.sockets.reset(socket, end);
                    "reset".into()
                }
            };
            let record = Record::Faulted { socket, fault: hit.label, description, event: None };
            self.shared.journal.record(self.shared.clock.now(), record);
        }
    }
}
