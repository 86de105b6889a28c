//! Who hears of what happens: the view for readers, the transcript, the journal, the feed, and the sockets that faults hit.
//! And what a socket gets that joins, switches to another collection, or has fallen behind.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::debug;

use super::fanout;
use super::feed::{self, FeedItem};
use super::journal::{Payload, Recipients, Record};
use super::message::Message;
use super::socket::{Socket, SocketClose};
use super::sockets::Audience;
use super::state::WorldState;
use super::subscription::Joined;
use super::view::View;
use crate::engine::{Event, EventKind, FaultState, FaultTarget, Hit};
use crate::scenario::{Effect, format_duration};

/// The close code of sockets that a storm closes: service restart (IANA's registry of close codes).
const SERVICE_RESTART: u16 = 1012;

impl WorldState {
    /// Publishes what happened: the collections first, so that a client that hears of a row can get it.
    pub(super) fn notify(&mut self, events: &[Event]) {
        self.count_events();
        if changes_collections(events) {
            self.publish_view();
        }
        events.iter().for_each(log);
        self.transcript.extend(events);
        // A fault does not hit what was before it.
        let transition = events.iter().position(Event::is_fault_transition).unwrap_or(events.len());
        let (before, after) = events.split_at(transition);
        self.publish_events(before);
        if !after.is_empty() {
            self.disconnect_sockets(after);
            self.refresh_faults();
            self.publish_events(after);
        }
    }

    fn publish_events(&mut self, events: &[Event]) {
        if self.shared.sockets.len() == 0 {
            // A socket that joins later gets counter values, and reads on from here.
            self.shared.feed.clear();
            return;
        }
        let scope = self.engine.scenario().feed();
        let mut items: Vec<FeedItem> = events.iter().filter_map(|event| FeedItem::of(scope, event)).collect();
        self.record_totals(&items);
        items.extend(changes_collections(events).then(|| self.notice()));
        self.publish(items);
    }

    /// Sends every socket what it has to hear in place of everything that it has not got yet.
    pub(super) fn resync(&mut self, mut of_collection: impl FnMut(&mut Self, &Arc<str>) -> Arc<[Message]>) {
        self.count_events();
        self.publish_view();
        self.refresh_faults();
        let mut orders: HashMap<Arc<str>, Arc<[Message]>> = HashMap::new();
        for collection in self.shared.sockets.all().iter().map(|socket| socket.collection()) {
            if let Entry::Vacant(place) = orders.entry(collection) {
                let messages = of_collection(self, place.key());
                let audience = self.shared.sockets.audience(&Audience::Collection(place.key().clone()));
                self.record_sent(&Recipients::Many(audience), &messages);
                place.insert(messages);
            }
        }
        let sequence = self.engine.sequence();
        let (at, orders) = (self.now(), Arc::new(orders));
        self.publish([FeedItem::Resync { sequence, at, orders }, self.notice()]);
    }

    pub(super) fn notice(&self) -> FeedItem {
        FeedItem::Notice { at: self.now(), message: feed::notice() }
    }

    pub(super) fn publish(&self, items: impl IntoIterator<Item = FeedItem>) {
        if self.shared.sockets.len() == 0 {
            self.shared.feed.clear();
        } else {
            self.shared.feed.publish(items);
        }
    }

    fn count_events(&self) {
        self.shared.last_event.store(self.engine.sequence(), Ordering::Relaxed);
    }

    pub(super) fn publish_view(&mut self) {
        self.current.clear();
        let current = self.publish.borrow().clone();
        let view = View::of(&self.engine, &[&current.json, &self.start_json]);
        self.publish.send_replace(Arc::new(view));
    }

    /// Sends a message that has nothing to do with the scenario.
    pub(super) fn send(&mut self, socket: Option<u64>, message: Message) {
        let sockets = match socket {
            Some(id) => Recipients::One(id),
            None => Recipients::Many(self.shared.sockets.audience(&Audience::All)),
        };
        let record = Record::Sent { sockets, event: None, payload: Payload::of(&message) };
        self.shared.journal.record(self.shared.clock.now(), record);
        self.publish([FeedItem::Raw { socket, at: self.now(), message }]);
    }

    fn record_totals(&self, items: &[FeedItem]) {
        if !self.shared.journal.is_on() {
            return;
        }
        let records = items.iter().filter_map(|item| {
            let FeedItem::Counted { sequence, at, only, message } = item else { return None };
            let audience = only.clone().map_or(Audience::All, Audience::Collection);
            let sockets = self.shared.sockets.audience(&audience);
            // No recorded socket receives it.
            if sockets.is_empty() {
                return None;
            }
            let sockets = Recipients::Many(sockets);
            Some((*at, Record::Sent { sockets, event: Some(*sequence), payload: Payload::of(message) }))
        });
        self.shared.journal.record_all(records);
    }

    fn record_sent(&self, sockets: &Recipients, messages: &[Message]) {
        let at = self.shared.clock.now();
        let record = |message: &Message| {
            (at, Record::Sent { sockets: sockets.clone(), event: None, payload: Payload::of(message) })
        };
        if self.shared.journal.is_on() {
            self.shared.journal.record_all(messages.iter().map(record));
        }
    }
}

/// What a socket begins with, and goes on with where the feed does not lead on.
impl WorldState {
    pub(super) fn join(&mut self, collection: &str) -> (Arc<Socket>, Joined) {
        // One name for all, so that the journal does not keep a copy of its own for each socket.
        let collection = self.engine.collections().name(collection).cloned().unwrap_or_else(|| collection.into());
        if let Some(tasks) = self.fanout.take() {
            let (end, fanout) = (self.shared.end.clone(), fanout::run(self.shared.clone()));
            tasks.spawn(async move { end.run_until_cancelled(fanout).await });
        }
        let messages = self.counter_readings(&collection);
        let position = self.shared.feed.end();
        let at = self.shared.clock.now();
        let socket = self.shared.sockets.open(collection.clone(), at, position);
        self.hit(&socket, position);
        if socket.is_recorded() {
            self.shared.journal.record(at, Record::Opened { socket: socket.id, collection });
        }
        self.record_sent(&Recipients::One(socket.id), &messages);
        (socket, Joined { sequence: self.engine.sequence(), position, at, messages })
    }

    pub(super) fn switch(&mut self, socket: &Socket, collection: Arc<str>) -> Joined {
        let collection = self.engine.collections().name(&collection).cloned().unwrap_or(collection);
        let messages = self.counter_readings(&collection);
        let was_recorded = socket.is_recorded();
        self.shared.sockets.switch(socket, collection.clone());
        if !was_recorded && socket.is_recorded() {
            self.shared.journal.record(self.shared.clock.now(), Record::Opened { socket: socket.id, collection });
        }
        let position = self.shared.feed.end();
        self.hit(socket, position);
        Joined { sequence: self.engine.sequence(), position, at: self.now(), messages }
    }

    /// The values that changed since the event of that number, for a socket whose place in the feed is gone. Without one, or
    /// after a resync, all that are not as declared, and the counter values of its collection.
    pub(super) fn catch_up(&mut self, socket: &Socket, after: Option<u64>, position: u64) -> Joined {
        let scope = self.engine.scenario().feed();
        let collection = socket.collection();
        let after = after.filter(|_| !self.shared.feed.resynced_since(position));
        let mut messages = if after.is_none() { self.counter_readings(&collection).to_vec() } else { Vec::new() };
        for event in self.engine.changed_since(after.unwrap_or_default()) {
            if let Some(FeedItem::Counted { only, message, .. }) = FeedItem::of(scope, &event)
                && only.is_none_or(|only| only == collection)
            {
                messages.push(message);
            }
        }
        let (sequence, position) = (self.engine.sequence(), self.shared.feed.end());
        Joined { sequence, position, at: self.now(), messages: messages.into() }
    }

    /// The counter values of a collection, made once for all sockets that come before the next event.
    pub(super) fn counter_readings(&mut self, collection: &Arc<str>) -> Arc<[Message]> {
        let sequence = self.engine.sequence();
        if let Some((_, messages)) = self.current.get(collection).filter(|(made, _)| *made == sequence) {
            return messages.clone();
        }
        self.current.retain(|_, (made, _)| *made == sequence);
        let messages: Arc<[Message]> = feed::counter_readings(&self.engine, collection).into();
        // Clients may name as many collections that do not exist as they like.
        if !messages.is_empty() {
            self.current.insert(collection.clone(), (sequence, messages.clone()));
        }
        messages
    }
}

/// Which faults hit whom.
impl WorldState {
    /// Has sockets and requests meet the faults that are in force now.
    pub(super) fn refresh_faults(&mut self) {
        self.shared.has_request_faults.store(self.engine.has_request_faults(), Ordering::Relaxed);
        self.shared.active_faults.set(&self.engine);
        self.refresh_keep_alive();
        let has_any = self.engine.has_socket_faults();
        if has_any || self.has_faulted_sockets {
            self.has_faulted_sockets = has_any;
            // A socket that has got as far as the transition has followed it: every socket knows of it before it is published.
            let from = self.shared.feed.end() + 1;
            for socket in self.shared.sockets.all() {
                self.hit(&socket, from);
            }
            self.publish([FeedItem::FaultTransition]);
        }
    }

    /// What hits a request or a handshake.
    pub(super) fn hits(&mut self, target: &FaultTarget) -> Vec<Hit> {
        let hits = self.engine.hits(target);
        if !hits.is_empty() {
            // One of them may have hit as many as it may.
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

    /// Finds the faults that hit a socket from that position of the feed on.
    fn hit(&mut self, socket: &Socket, from: u64) {
        if self.has_faulted_sockets || socket.is_faulted() {
            self.forget_closed_sockets();
            let faults = self.engine.socket_faults(socket.id, &socket.collection());
            socket.set_faults(faults.into(), from);
        }
    }

    /// Has faults forget sockets that are closed, once those are most of what they know.
    fn forget_closed_sockets(&mut self) {
        const FEW: usize = 1000;
        if self.engine.decided_sockets() > FEW + 2 * self.shared.sockets.len() {
            let open: HashSet<u64> = self.shared.sockets.all().iter().map(|socket| socket.id).collect();
            self.engine.forget_sockets(&|socket| open.contains(&socket));
        }
    }

    /// Disconnects the sockets that faults hit at the moment at which they begin.
    fn disconnect_sockets(&mut self, events: &[Event]) {
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
        let open: Vec<_> = sockets.iter().map(|socket| (socket.id, socket.collection())).collect();
        let hits = self.engine.hits_at_beginning(id, open.iter().map(|(id, collection)| (*id, &**collection)));
        for (socket, hit) in hits {
            let did = match fault.effect() {
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
            let record = Record::Faulted { socket, fault: hit.label, did, event: None };
            self.shared.journal.record(self.shared.clock.now(), record);
        }
    }
}

fn changes_collections(events: &[Event]) -> bool {
    events.iter().any(Event::changes_rows)
}

fn log(event: &Event) {
    match &event.kind {
        EventKind::Skipped(refusal) => debug!(at = ?event.at, %refusal, "step skipped"),
        EventKind::Added { id, collection } => debug!(%id, %collection, "product added"),
        EventKind::Merged { id, collection } => debug!(%id, %collection, "product merged"),
        EventKind::Replaced { id, collection } => debug!(%id, %collection, "product replaced"),
        EventKind::Removed { id, collection } => debug!(%id, %collection, "product removed"),
        EventKind::FaultBegan { label, .. } => debug!(fault = %label, "fault began"),
        EventKind::FaultEnded { label, .. } => debug!(fault = %label, "fault ended"),
        EventKind::Counted { .. } | EventKind::Sent { .. } => {}
    }
}
