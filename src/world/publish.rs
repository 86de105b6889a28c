//! Who hears of what happens: the view for readers, the transcript, the journal, the feed, and the sockets that faults hit.
//! And what a socket gets that joins, switches to another collection, or has fallen behind.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indexmap::IndexSet;
use tracing::debug;

use super::audience::{Audience, Join, TopicId};
use super::fanout;
use super::feed::{self, Content, FeedItem};
use super::journal::{Payload, Recipients, Record};
use super::message::Message;
use super::socket::{Socket, SocketClose};
use super::state::WorldState;
use super::subscription::Joined;
use super::view::View;
use crate::engine::{Command, Event, EventKind, FaultState, FaultTarget, Hit, Topic};
use crate::scenario::{Effect, Feed, format_duration};

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
        let mut items: Vec<FeedItem> = events.iter().flat_map(|event| self.items_of(event)).collect();
        self.record_events(&items);
        if changes_collections(events) {
            items.extend(self.notice());
        }
        self.publish(items);
    }

    /// What is published of an event: an item for each of its topics that somebody has joined.
    fn items_of(&self, event: &Event) -> Vec<FeedItem> {
        let joined = self.shared.sockets.topic_ids(&event.topics());
        let message = if joined.is_empty() { None } else { feed::message_of(event) };
        let Some(message) = message else { return Vec::new() };
        let item = |topic| {
            let content = Content::Event(event.sequence, message.clone());
            FeedItem { to: Audience::Topic(topic), at: event.at, content }
        };
        joined.into_iter().map(item).collect()
    }

    /// Sends every socket what it has to hear in place of everything that it has not got yet.
    pub(super) fn resync(&mut self, mut of_collection: impl FnMut(&mut Self, &Arc<str>) -> Arc<[Message]>) {
        self.count_events();
        self.publish_view();
        self.refresh_faults();
        self.follow_feed();
        let collections: IndexSet<Arc<str>> =
            self.shared.sockets.all().iter().map(|socket| socket.collection()).collect();
        let (sequence, at) = (self.engine.sequence(), self.now());
        let mut items = Vec::with_capacity(collections.len() + 1);
        for collection in collections {
            let messages = of_collection(self, &collection);
            let to = Audience::State(collection);
            let sockets = self.shared.sockets.recorded(&to, self.shared.feed.end());
            self.record_sent(&Recipients::Many(sockets), &messages);
            items.push(FeedItem { to, at, content: Content::Resync(sequence, messages) });
        }
        items.extend(self.notice());
        self.publish(items);
    }

    /// That collections or rows changed, for those who asked for notices.
    pub(super) fn notice(&self) -> Option<FeedItem> {
        let joined = self.shared.sockets.topic_ids(&[Topic::Notices]);
        let item = |topic: &TopicId| {
            let (to, content) = (Audience::Topic(*topic), Content::Message(feed::notice()));
            FeedItem { to, at: self.now(), content }
        };
        joined.first().map(item)
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
            None => Recipients::Many(self.shared.sockets.recorded(&Audience::All, self.shared.feed.end())),
        };
        let record = Record::Sent { sockets, event: None, payload: Payload::of(&message) };
        self.shared.journal.record(self.shared.clock.now(), record);
        let to = socket.map_or(Audience::All, Audience::One);
        self.publish([FeedItem { to, at: self.now(), content: Content::Message(message) }]);
    }

    fn record_events(&self, items: &[FeedItem]) {
        if !self.shared.journal.is_on() {
            return;
        }
        let end = self.shared.feed.end();
        let records = items.iter().filter_map(|item| {
            let Content::Event(sequence, message) = &item.content else { return None };
            let sockets = self.shared.sockets.recorded(&item.to, end);
            // No recorded socket receives it.
            if sockets.is_empty() {
                return None;
            }
            let sockets = Recipients::Many(sockets);
            Some((item.at, Record::Sent { sockets, event: Some(*sequence), payload: Payload::of(message) }))
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
    pub(super) fn join(&mut self, collection: &str, notices: bool) -> (Arc<Socket>, Joined) {
        // One name for all, so that the journal does not keep a copy of its own for each socket.
        let collection = self.engine.collections().name(collection).cloned().unwrap_or_else(|| collection.into());
        if let Some(tasks) = self.fanout.take() {
            let (end, fanout) = (self.shared.end.clone(), fanout::run(self.shared.clone()));
            tasks.spawn(async move { end.run_until_cancelled(fanout).await });
        }
        let messages = self.counter_readings(&collection);
        let position = self.shared.feed.end();
        let at = self.shared.clock.now();
        let joins = self.joins(&collection, notices);
        let socket = self.shared.sockets.open(collection.clone(), at, position);
        self.join_instead(&socket, joins, position);
        self.hit(&socket, position);
        if socket.is_recorded() {
            self.shared.journal.record(at, Record::Opened { socket: socket.id, collection });
        }
        self.record_sent(&Recipients::One(socket.id), &messages);
        (socket, Joined { sequence: self.engine.sequence(), position, at, messages, notice: None })
    }

    pub(super) fn switch(&mut self, socket: &Arc<Socket>, collection: Arc<str>) -> Joined {
        let collection = self.engine.collections().name(&collection).cloned().unwrap_or(collection);
        let messages = self.counter_readings(&collection);
        let was_recorded = socket.is_recorded();
        socket.set_collection(collection.clone());
        self.rejoin(socket);
        if !was_recorded && socket.is_recorded() {
            self.shared.journal.record(self.shared.clock.now(), Record::Opened { socket: socket.id, collection });
        }
        let position = self.shared.feed.end();
        self.hit(socket, position);
        Joined { sequence: self.engine.sequence(), position, at: self.now(), messages, notice: None }
    }

    /// What a socket gets live that asks for a collection.
    pub(super) fn topic_of(&self, collection: &Arc<str>) -> Topic {
        match self.feed {
            Feed::All => Topic::Counters,
            Feed::Collection => Topic::CountersOf(collection.clone()),
        }
    }

    /// The topics of a socket that asks for a collection.
    fn joins(&self, collection: &Arc<str>, notices: bool) -> Vec<Join> {
        let topic = self.topic_of(collection);
        let notices = notices.then_some(Join { topic: Topic::Notices, state: None });
        [Join { topic, state: Some(collection.clone()) }].into_iter().chain(notices).collect()
    }

    /// Has a socket join what its collection says now.
    fn rejoin(&mut self, socket: &Arc<Socket>) {
        let notices = self.engine.topics().has_joined(socket.id, &Topic::Notices);
        let joins = self.joins(&socket.collection(), notices);
        self.join_instead(socket, joins, self.shared.feed.end());
    }

    /// Has a socket leave what it has joined, and join these topics at that position of the feed.
    fn join_instead(&mut self, socket: &Arc<Socket>, joins: Vec<Join>, position: u64) {
        let (member, topics) = (socket.id, joins.iter().map(|join| join.topic.clone()).collect());
        let gone = self.shared.sockets.take_gone();
        let leave = gone.into_iter().chain([member]).map(|member| Command::LeaveAll { member });
        for command in leave.chain([Command::Join { member, topics }]) {
            // Nobody is refused to leave, and nobody to join two topics alone.
            let _ = self.engine.apply(command);
        }
        self.shared.sockets.join_instead(socket, joins, position);
    }

    /// Has all sockets join what the endpoint says after another scenario has come.
    pub(super) fn follow_feed(&mut self) {
        let feed = self.engine.scenario().feed();
        if feed != self.feed {
            self.feed = feed;
            for socket in self.shared.sockets.all() {
                self.rejoin(&socket);
            }
        }
    }

    /// The values that changed since the event of that number, for a socket whose place in the feed is gone. Without one, or
    /// after a resync, all that are not as declared, and the counter values of its collection.
    pub(super) fn catch_up(&mut self, socket: &Socket, after: Option<u64>, position: u64) -> Joined {
        let joined: Vec<Topic> = self.engine.topics().joined(socket.id).cloned().collect();
        let after = after.filter(|_| !self.shared.feed.resynced_since(position));
        let mut messages = Vec::new();
        if after.is_none() {
            messages.extend_from_slice(&self.counter_readings(&socket.collection()));
        }
        for event in self.engine.changed_since(after.unwrap_or_default()) {
            if event.topics().iter().any(|topic| joined.contains(topic)) {
                messages.extend(feed::message_of(&event));
            }
        }
        let (sequence, position) = (self.engine.sequence(), self.shared.feed.end());
        let notice = joined.contains(&Topic::Notices).then(feed::notice);
        Joined { sequence, position, at: self.now(), messages: messages.into(), notice }
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
            self.publish([FeedItem::fault_transition()]);
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
    fn hit(&mut self, socket: &Arc<Socket>, from: u64) {
        if self.has_faulted_sockets || socket.is_faulted() {
            self.forget_closed_sockets();
            let faults = self.engine.socket_faults(socket.id, &socket.collection());
            socket.set_faults(faults.into(), from);
            if socket.is_faulted() {
                self.shared.sockets.add_faulted(socket);
            }
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
    events.iter().any(|event| matches!(event.kind, EventKind::Added { .. } | EventKind::Removed { .. }))
}

fn log(event: &Event) {
    match &event.kind {
        EventKind::Skipped(refusal) => debug!(at = ?event.at, %refusal, "step skipped"),
        EventKind::Added { id, collection } => debug!(%id, %collection, "product added"),
        EventKind::Removed { id, collection } => debug!(%id, %collection, "product removed"),
        EventKind::FaultBegan { label, .. } => debug!(fault = %label, "fault began"),
        EventKind::FaultEnded { label, .. } => debug!(fault = %label, "fault ended"),
        EventKind::Counted { .. } | EventKind::Sent { .. } => {}
    }
}
