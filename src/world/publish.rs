//! Publishes events to the view, the transcript, the journal and the feed, and disconnects the sockets that faults hit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indexmap::IndexSet;

use super::audience::Audience;
use super::fanout;
use super::feed::{self, Content, FeedItem};
use super::journal::{EndedBy, Payload, Recipients, Record, SocketEnd};
use super::message::Message;
use super::socket::{Socket, SocketClose};
use super::state::WorldState;
use super::view::View;
use crate::engine::{Event, EventKind, MemberEvent, SERVICE_RESTART, Topic};

impl WorldState {
    /// Publishes events. The view comes first, so that a client that receives a message about a row can also get the
    /// row.
    /// Returns the further events that were caused by disconnecting sockets, which are published too.
    pub(super) fn notify(&mut self, events: &[Event]) -> Vec<Event> {
        let mut all = Vec::new();
        let mut caused = self.notify_once(events);
        while !caused.is_empty() {
            let next = self.notify_once(&caused);
            all.append(&mut caused);
            caused = next;
        }
        all
    }

    /// Returns the events that the disconnection of sockets has caused.
    fn notify_once(&mut self, events: &[Event]) -> Vec<Event> {
        self.store_last_event();
        if events.iter().any(Event::changes_data) {
            self.publish_view();
        }
        for event in events {
            self.log(event);
        }
        self.transcript.extend(events.iter().filter(|event| !event.is_delivery()));
        // A fault must not hit messages from before its start.
        let transition = events.iter().position(Event::is_fault_transition).unwrap_or(events.len());
        let (before, after) = events.split_at(transition);
        self.publish_to_feed(before);
        if after.is_empty() {
            return Vec::new();
        }
        let caused = self.disconnect_sockets(after);
        self.refresh_faults();
        self.publish_to_feed(after);
        caused
    }

    fn publish_to_feed(&mut self, events: &[Event]) {
        if self.shared.sockets.len() == 0 {
            // A socket that joins later receives the current values, and reads the feed from here on.
            self.shared.feed.clear();
            self.changed_rows.clear(self.shared.feed.end());
            for event in events {
                self.record_failure(event);
            }
            return;
        }
        // The members of a topic change between two events, so each run of events ends with such a change. So that the
        // journal keeps the order, it also ends with a failure.
        let is_inside =
            |event: &Event| member_change(event).is_none() && !matches!(event.kind, EventKind::Skipped { .. });
        for run in events.chunk_by(|event, _| is_inside(event)) {
            let items: Vec<FeedItem> = run.iter().filter_map(|event| self.item_of(event)).collect();
            self.record_items(&items);
            let items = merge_bursts(items);
            self.note_changes(run, &items);
            self.publish_items(items);
            run.last().into_iter().for_each(|event| self.record_failure(event));
            let change = run.last().and_then(|event| Some((event.at, member_change(event)?)));
            if let Some((at, (member, what))) = change.filter(|(_, (member, _))| !self.is_elsewhere(*member)) {
                self.follow_member(member, what, at);
            }
        }
        if events.iter().any(Event::changes_counted_rows) {
            self.publish_items(self.notice());
        }
    }

    /// Returns the feed item of an event; `None` if it has no message, or none of its topics has a member.
    fn item_of(&self, event: &Event) -> Option<FeedItem> {
        let to = match event.kind {
            EventKind::Member { member, .. } if self.is_elsewhere(member) => return None,
            EventKind::Member { member, .. } => Audience::One(member),
            EventKind::Delivered { except, .. } => self.shared.sockets.audience_of(&event.topics())?.without(except),
            _ => self.shared.sockets.audience_of(&event.topics())?,
        };
        let message = feed::message_of(event)?;
        let content = match event.kind {
            EventKind::Member { .. } => Content::Message(message),
            EventKind::Delivered { .. } => Content::Delivery(event.sequence, message),
            _ => Content::Event(event.sequence, message),
        };
        Some(FeedItem { to, at: event.at, content })
    }

    /// Brings every socket up to date after the world's state was replaced. A socket of a collection receives the
    /// messages that `of_collection` returns, in place of everything that it has not received yet. Rule-driven members
    /// are closed.
    pub(super) fn resync(&mut self, mut of_collection: impl FnMut(&mut Self, &Arc<str>) -> Arc<[Message]>) {
        self.store_last_event();
        self.publish_view();
        let end = self.shared.feed.end();
        let (of_rules, sockets): (Vec<_>, Vec<_>) =
            self.shared.sockets.all().into_iter().partition(|socket| socket.is_rule_driven());
        // What these clients have received is out of date, so they must connect again.
        let close = SocketClose { code: SERVICE_RESTART, reason: "the world's state was replaced".into() };
        for socket in &of_rules {
            let code = (!socket.is_stream()).then_some(close.code);
            self.record_closed(socket, SocketEnd { code, by: EndedBy::Server }, self.engine.now());
            socket.close(if socket.is_stream() { SocketClose::default() } else { close.clone() }, end);
        }
        self.refresh_faults();
        self.follow_feed();
        let end = self.shared.feed.end();
        let collections: IndexSet<Arc<str>> = sockets.iter().map(|socket| socket.collection()).collect();
        self.changed_rows.clear(end);
        let (sequence, at) = (self.engine.sequence(), self.now());
        let mut items = Vec::with_capacity(collections.len() + 1);
        for collection in collections {
            let messages = of_collection(self, &collection);
            let to = Audience::State(collection);
            let sockets = self.shared.sockets.recorded(&to, self.shared.feed.end());
            self.record_sent(&sockets, &messages);
            items.push(FeedItem { to, at, content: Content::Resync(sequence, messages) });
        }
        items.extend(self.notice());
        self.publish_items(items);
    }

    /// Returns the notice that collections or rows have changed; `None` if no socket has asked for notices.
    pub(super) fn notice(&self) -> Option<FeedItem> {
        let to = self.shared.sockets.audience_of(&[Topic::Notices])?;
        Some(FeedItem { to, at: self.now(), content: Content::Message(feed::notice()) })
    }

    /// Adds items to the feed, and hands them out: at once if they are for few sockets, otherwise by the fan-out.
    pub(super) fn publish_items(&self, items: impl IntoIterator<Item = FeedItem>) {
        if self.shared.sockets.len() == 0 {
            self.shared.feed.clear();
            return;
        }
        let from = self.shared.feed.end();
        let mut after = from;
        let items = items.into_iter().inspect(|item| {
            after += 1;
            if !item.messages().is_empty() {
                self.shared.sockets.note_direct(&item.to, after);
            }
        });
        if self.shared.feed.publish(items) && !fanout::hand_out_few(&self.shared, from) {
            self.shared.feed.wake();
        }
    }

    /// Stores the number of the last event, for readers outside the task.
    fn store_last_event(&self) {
        self.shared.last_event.store(self.engine.sequence(), Ordering::Relaxed);
    }

    /// Replaces the view that readers see with one of the current state.
    pub(super) fn publish_view(&mut self) {
        self.counter_messages.clear();
        let previous = self.view.borrow().clone();
        let view = View::of(&self.engine, &[&previous.json, &self.start_json]);
        self.view.send_replace(Arc::new(view));
    }

    /// Sends a message that does not come from the scenario to one socket, or to all sockets if `socket` is `None`.
    pub(super) fn send(&mut self, socket: Option<u64>, message: Message) {
        let sockets = match socket {
            Some(socket) => {
                let path = self.shared.sockets.get(socket).and_then(|socket| socket.member_path());
                Recipients::One { socket, path }
            }
            None => self.shared.sockets.recorded(&Audience::All, self.shared.feed.end()),
        };
        let record = Record::Sent { sockets, topics: Arc::default(), event: None, payload: Payload::of(&message) };
        self.shared.journal.record(self.shared.clock.now(), record);
        let to = socket.map_or(Audience::All, Audience::One);
        self.publish_items([FeedItem { to, at: self.now(), content: Content::Message(message) }]);
    }

    /// Records the messages of items in the journal.
    fn record_items(&self, items: &[FeedItem]) {
        if !self.shared.journal.is_enabled() {
            return;
        }
        let end = self.shared.feed.end();
        let records = items.iter().filter_map(|item| {
            let (event, message) = match &item.content {
                Content::Event(sequence, message) => (Some(*sequence), message),
                Content::Delivery(_, message) | Content::Message(message) => (None, message),
                _ => return None,
            };
            let sockets = self.shared.sockets.recorded(&item.to, end);
            // The journal leaves out all of its recipients.
            if sockets.is_empty() {
                return None;
            }
            let topics = message.topics().clone();
            Some((item.at, Record::Sent { sockets, topics, event, payload: Payload::of(message) }))
        });
        self.shared.journal.record_all(records);
    }

    /// Records the end of a member in the journal, unless it is recorded already.
    pub(super) fn record_closed(&self, socket: &Socket, end: SocketEnd, at: Duration) {
        if socket.take_end_record() {
            let record = Record::Closed { socket: socket.id, path: socket.member_path(), end };
            self.shared.journal.record(at, record);
        }
    }

    /// Records messages that report no event in the journal.
    pub(super) fn record_sent(&self, sockets: &Recipients, messages: &[Message]) {
        let at = self.shared.clock.now();
        let record = |message: &Message| {
            let topics = message.topics().clone();
            (at, Record::Sent { sockets: sockets.clone(), topics, event: None, payload: Payload::of(message) })
        };
        if self.shared.journal.is_enabled() {
            self.shared.journal.record_all(messages.iter().map(record));
        }
    }
}

/// Merges consecutive messages to the same member into one item, so that a burst for one member does not push out items
/// that others have yet to read.
fn merge_bursts(items: Vec<FeedItem>) -> Vec<FeedItem> {
    let continues = |one: &FeedItem, next: &FeedItem| {
        let is_message = |item: &FeedItem| matches!(item.content, Content::Message(_));
        one.to == next.to && matches!(one.to, Audience::One(_)) && is_message(one) && is_message(next)
    };
    if !items.windows(2).any(|pair| continues(&pair[0], &pair[1])) {
        return items;
    }
    let merged = items.chunk_by(continues).map(|run| match run {
        [one] => one.clone(),
        several => {
            let messages = several.iter().flat_map(FeedItem::messages).cloned().collect();
            FeedItem { content: Content::Messages(messages), ..several[0].clone() }
        }
    });
    merged.collect()
}

/// Returns the member and its change if the event may affect which items the member receives from then on.
fn member_change(event: &Event) -> Option<(u64, &MemberEvent)> {
    match &event.kind {
        EventKind::Member { what: MemberEvent::Reply(_), .. } => None,
        EventKind::Member { member, what } => Some((*member, what)),
        _ => None,
    }
}
