//! Topics that sockets join, the values that they start with, and the values that replace items the feed no longer
//! holds. Each change is one step of the world's task, so current values and the items that follow have no gap and no
//! overlap.

use std::sync::Arc;
use std::time::Duration;

use super::audience::Join;
use super::error::WorldError;
use super::fanout;
use super::feed;
use super::journal::{EndedBy, OpenedBy, Recipients, Record, SocketEnd};
use super::message::Message;
use super::socket::{Socket, SocketClose, SocketKind};
use super::state::WorldState;
use super::subscription::Joined;
use crate::engine::{Command, Effects, FIRST_SHARED_MEMBER, MemberEvent, Topic};
use crate::scenario::Feed;

impl WorldState {
    pub(super) fn join(&mut self, collection: &str, notices: bool) -> (Arc<Socket>, Joined) {
        // Share the scenario's string, so that the journal does not keep a copy per socket.
        let collection = self.engine.collections().name(collection).cloned().unwrap_or_else(|| collection.into());
        self.start_fanout();
        let messages = self.counter_readings(&collection);
        let position = self.shared.feed.end();
        let at = self.shared.clock.now();
        let notices = notices.then_some(Join { topic: Topic::Notices, state: None });
        let joins = [self.live_topic(&collection)].into_iter().chain(notices).collect();
        let socket = self.shared.sockets.open(collection.clone(), at, position);
        self.replace_subscription(&socket, joins, position);
        self.hit(&socket, position);
        if socket.is_recorded() {
            self.shared.journal.record(at, Record::Opened { socket: socket.id, by: OpenedBy::Collection(collection) });
        }
        self.record_sent(&Recipients::One { socket: socket.id, path: None }, &messages);
        (socket, Joined { sequence: self.engine.sequence(), position, at, messages, notice: None })
    }

    /// Opens a rule-driven member, under `number` if it has one already. It starts without messages.
    pub(super) fn open_rule_driven(&mut self, kind: SocketKind, number: Option<u64>) -> (Arc<Socket>, Joined) {
        self.start_fanout();
        self.forget_closed();
        let (sequence, position, at) = (self.engine.sequence(), self.shared.feed.end(), self.shared.clock.now());
        let socket = self.shared.sockets.open_of_kind(kind, number, at, position);
        (socket, Joined { sequence, position, at, messages: Arc::default(), notice: None })
    }

    /// Starts the fan-out if this is the first socket or stream.
    pub(super) fn start_fanout(&mut self) {
        if let Some(tasks) = self.fanout.take() {
            let (end, fanout) = (self.shared.end.clone(), fanout::run(self.shared.clone()));
            tasks.spawn(async move { end.run_until_cancelled(fanout).await });
        }
    }

    pub(super) fn switch(&mut self, socket: &Arc<Socket>, collection: Arc<str>) -> Joined {
        let collection = self.engine.collections().name(&collection).cloned().unwrap_or(collection);
        let messages = self.counter_readings(&collection);
        let was_recorded = socket.is_recorded();
        socket.set_collection(collection.clone());
        self.follow_collection(socket);
        if !was_recorded && socket.is_recorded() {
            self.shared.journal.record(
                self.shared.clock.now(),
                Record::Opened { socket: socket.id, by: OpenedBy::Collection(collection) },
            );
        }
        let position = self.shared.feed.end();
        self.hit(socket, position);
        Joined { sequence: self.engine.sequence(), position, at: self.now(), messages, notice: None }
    }

    /// Returns the topic that carries the live items of a socket that subscribes to a collection.
    pub(super) fn topic_of(&self, collection: &Arc<str>) -> Topic {
        match self.feed {
            Feed::All => Topic::Counters,
            Feed::Collection => Topic::CountersOf(collection.clone()),
        }
    }

    fn live_topic(&self, collection: &Arc<str>) -> Join {
        Join { topic: self.topic_of(collection), state: Some(collection.clone()) }
    }

    /// Replaces the socket's subscription topic with that of its current collection.
    fn follow_collection(&mut self, socket: &Arc<Socket>) {
        let joins = vec![self.live_topic(&socket.collection())];
        self.replace_subscription(socket, joins, self.shared.feed.end());
    }

    /// Replaces the topics that a socket has joined by subscribing to a collection, at a feed position. Topics that it
    /// has joined by command stay.
    fn replace_subscription(&mut self, socket: &Arc<Socket>, joins: Vec<Join>, position: u64) {
        self.forget_closed();
        let member = socket.id;
        if self.shared.sockets.get(member).is_none() {
            return;
        }
        let topics = joins.iter().map(|join| join.topic.clone()).collect();
        let left = self.engine.topics().joined(member).filter(|topic| is_subscription(topic)).cloned().collect();
        for command in [Command::Leave { member, topics: left }, Command::Join { member, topics }] {
            // The engine never refuses to leave topics, or to join topics in place of others.
            let _ = self.engine.apply(command);
        }
        self.shared.sockets.change_topics(socket, |topic| !is_subscription(topic), joins, position);
    }

    /// Applies a command that makes a socket join or leave topics.
    pub(super) fn change_memberships(&mut self, member: u64, command: Command) -> Result<Effects, WorldError> {
        self.forget_closed();
        // The topics of members that all servers share are up to their rules.
        let socket = self.shared.sockets.get(member).filter(|_| member < FIRST_SHARED_MEMBER);
        let socket = socket.ok_or(WorldError::UnknownSocket(member))?;
        let before: Vec<Topic> = self.engine.topics().joined(member).cloned().collect();
        let effects = self.engine.apply(command)?;
        let topics = self.engine.topics();
        let new = topics.joined(member).filter(|topic| !before.contains(topic)).cloned();
        let joins = new.map(|topic| Join { topic, state: None }).collect();
        let keeps = |topic: &Topic| matches!(topic, Topic::Group(_)) || topics.has_joined(member, topic);
        self.shared.sockets.change_topics(&socket, keeps, joins, self.shared.feed.end());
        Ok(effects)
    }

    /// Removes sockets that have closed from the topics that they had joined.
    pub(super) fn forget_closed(&mut self) {
        for member in self.shared.sockets.take_closed() {
            // Leaving is never refused.
            let _ = self.engine.apply(Command::LeaveAll { member });
        }
    }

    /// Moves all sockets to the topics that a new scenario's `feed` setting selects.
    pub(super) fn follow_feed(&mut self) {
        let feed = self.engine.scenario().feed();
        if feed != self.feed {
            self.feed = feed;
            for socket in self.shared.sockets.all() {
                self.follow_collection(&socket);
            }
        }
    }

    /// Returns the values that changed after the event `after`, for a socket whose feed position is no longer
    /// available. If `after` is `None`, or after a resync, returns the values of the socket's collection and every
    /// value that differs from the declared one.
    pub(super) fn catch_up(&mut self, socket: &Socket, after: Option<u64>, position: u64) -> Joined {
        let joined: Vec<Topic> = self.engine.topics().joined(socket.id).cloned().collect();
        let after = after.filter(|_| !self.shared.feed.resynced_since(position));
        let mut messages = Vec::new();
        if after.is_none() {
            messages.extend_from_slice(&self.counter_readings(&socket.collection()));
        }
        for event in self.engine.counters_changed_since(after.unwrap_or_default()) {
            if event.topics().iter().any(|topic| joined.contains(topic)) {
                messages.extend(feed::message_of(&event));
            }
        }
        let (sequence, position) = (self.engine.sequence(), self.shared.feed.end());
        let notice = joined.contains(&Topic::Notices).then(feed::notice);
        Joined { sequence, position, at: self.now(), messages: messages.into(), notice }
    }

    /// Returns the counter values of a collection. They are encoded once for all sockets that join before the next
    /// event.
    pub(super) fn counter_readings(&mut self, collection: &Arc<str>) -> Arc<[Message]> {
        let sequence = self.engine.sequence();
        if let Some((_, messages)) = self.counter_messages.get(collection).filter(|(current, _)| *current == sequence) {
            return messages.clone();
        }
        self.counter_messages.retain(|_, (current, _)| *current == sequence);
        let messages: Arc<[Message]> = feed::counter_readings(&self.engine, collection).into();
        // Clients may name any number of collections that do not exist.
        if !messages.is_empty() {
            self.counter_messages.insert(collection.clone(), (sequence, messages.clone()));
        }
        messages
    }
}

/// Changes of members, as the engine reports them.
impl WorldState {
    /// Applies a change of a member, which happened at `at`, at the current feed position.
    pub(super) fn follow_member(&mut self, member: u64, what: &MemberEvent, at: Duration) {
        // Once the connection has ended, the engine is about to be notified.
        let Some(socket) = self.shared.sockets.get(member) else { return };
        let position = self.shared.feed.end();
        match what {
            MemberEvent::Joined(group) => {
                let join = Join { topic: Topic::Group(*group), state: None };
                self.shared.sockets.change_topics(&socket, |_| true, vec![join], position);
            }
            MemberEvent::Left(group) => {
                let keeps = |topic: &Topic| *topic != Topic::Group(*group);
                self.shared.sockets.change_topics(&socket, keeps, Vec::new(), position);
            }
            MemberEvent::Closed(closing) => {
                self.shared.sockets.change_topics(&socket, |_| false, Vec::new(), position);
                let by = if closing.as_ref().is_some_and(|closing| closing.by_client) {
                    EndedBy::Client
                } else {
                    EndedBy::Server
                };
                let code = closing.as_ref().map(|closing| closing.code);
                self.record_closed(&socket, SocketEnd { code, by }, at);
                socket.close(SocketClose::of(closing.as_ref()), position);
            }
            MemberEvent::Reply(_) | MemberEvent::Failed { .. } => {}
        }
    }
}

/// Returns whether sockets join a topic by subscribing to a collection.
fn is_subscription(topic: &Topic) -> bool {
    matches!(topic, Topic::Counters | Topic::CountersOf(_))
}
