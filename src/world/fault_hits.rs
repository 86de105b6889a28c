//! Faults that hit sockets and requests.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::feed::FeedItem;
use super::journal::Record;
use super::socket::{Socket, SocketClose};
use super::state::WorldState;
use crate::engine::{Closing, Command, Event, EventKind, FaultState, FaultTarget, Hit, SERVICE_RESTART};
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
            // A socket that is about to close is not hit again. It still follows the end of the faults that hit it.
            let follows = |socket: &&Arc<Socket>| socket.end() == u64::MAX || socket.is_faulted();
            for socket in self.shared.sockets.all().iter().filter(follows) {
                self.hit(socket, from);
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

    /// Disconnects the sockets that faults hit at the moment they start. Returns the events of rules that run when their
    /// sockets close.
    pub(super) fn disconnect_sockets(&mut self, events: &[Event]) -> Vec<Event> {
        let mut caused = Vec::new();
        for event in events {
            if let EventKind::FaultBegan { fault, .. } = event.kind {
                self.disconnect(fault, event.at, &mut caused);
            }
        }
        caused
    }

    fn disconnect(&mut self, id: u64, at: Duration, caused: &mut Vec<Event>) {
        let Some(FaultState { fault, .. }) = self.engine.faults().find(|fault| fault.id == id) else { return };
        if !fault.effect().is_momentary() && !matches!(fault.effect(), Effect::Storm(_)) {
            return;
        }
        let sockets = self.shared.sockets.all();
        let open = sockets.iter().map(|socket| (socket.id, socket.fault_member()));
        let hits = self.engine.hits_at_start(id, open);
        for (number, hit) in hits {
            let Some(socket) = self.shared.sockets.get(number) else { continue };
            let (closing, description) = match fault.effect() {
                Effect::Close { code, reason, .. } => {
                    let closing = Closing::new(*code, reason.as_str());
                    (Some(closing), format!("closed with {code}"))
                }
                Effect::Storm(closed) => {
                    let closing = Closing::new(SERVICE_RESTART, "");
                    let refused = format_duration(*closed);
                    (Some(closing), format!("closed with {SERVICE_RESTART}, refused for {refused}"))
                }
                _ => (None, "reset".into()),
            };
            let record = Record::Faulted { socket: number, fault: hit.label, description, event: None };
            self.shared.journal.record(at, record);
            caused.extend(self.end_by_fault(&socket, closing));
        }
    }

    /// Closes a socket, or resets it if there is no `closing`. Returns the events of its rules. In a shared world, they
    /// run once all servers know that the socket has gone.
    fn end_by_fault(&mut self, socket: &Arc<Socket>, closing: Option<Closing>) -> Vec<Event> {
        let end = self.shared.feed.end();
        match &closing {
            Some(closing) => socket.close(SocketClose::of(Some(closing)), end),
            None => socket.reset(end),
        }
        if !socket.is_rule_driven() || self.is_shared() {
            return Vec::new();
        }
        // Closing is never refused.
        self.engine.apply(Command::Disconnect { members: vec![socket.id], closing }).unwrap_or_default().events
    }
}
