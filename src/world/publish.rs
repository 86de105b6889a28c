//! Publishes events to the view for readers, the transcript, the journal, the feed, and the sockets that faults hit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indexmap::IndexSet;
use tracing::debug;

use super::audience::Audience;
use super::fanout;
use super::feed::{self, Content, FeedItem};
use super::journal::{Payload, Recipients, Record};
use super::message::Message;
use super::socket::SocketClose;
use super::state::WorldState;
use super::view::View;
use crate::engine::{Event, EventKind, MemberEvent, Refusal, SERVICE_RESTART, Topic};

impl WorldState {
    /// Publishes events. The collections come first, so that a client that is notified of a row can get it.
    pub(super) fn notify(&mut self, events: &[Event]) {
        self.count_events();
        if events.iter().any(Event::changes_data) {
            self.publish_view();
        }
        for event in events {
            self.log(event);
        }
        self.transcript.extend(events.iter().filter(|event| !event.is_delivery()));
        // A fault does not hit messages from before it began.
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
        let is_gone = |event: &Event| match event.kind {
            EventKind::Member { member, .. } => !self.is_elsewhere(member) && self.shared.sockets.get(member).is_none(),
            _ => false,
        };
        if events.iter().any(is_gone) {
            // The scheduled steps of its rule end with it.
            self.forget_closed();
        }
        if self.shared.sockets.len() == 0 {
            // A socket that joins later receives counter values and reads on from here.
            self.shared.feed.clear();
            self.changed_rows.clear(self.shared.feed.end());
            return;
        }
        // A membership starts or ends between two events, so each run of events ends with a change.
        for run in events.chunk_by(|event, _| member_change(event).is_none()) {
            let items: Vec<FeedItem> = run.iter().filter_map(|event| self.item_of(event)).collect();
            self.record_events(&items);
            let items = in_bursts(&items);
            self.note_changes(run, &items);
            self.publish(items);
            let change = run.last().and_then(member_change);
            if let Some((member, what)) = change.filter(|(member, _)| !self.is_elsewhere(*member)) {
                self.follow_member(member, what);
            }
        }
        if events.iter().any(Event::changes_counted_rows) {
            self.publish(self.notice());
        }
    }

    /// Returns the feed item of an event; `None` if none of its topics has a member.
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

    /// Sends every socket the messages that `of_collection` returns for its collection, in place of everything that it
    /// has not received yet. Rule-driven members are closed.
    pub(super) fn resync(&mut self, mut of_collection: impl FnMut(&mut Self, &Arc<str>) -> Arc<[Message]>) {
        self.count_events();
        self.publish_view();
        self.refresh_faults();
        self.follow_feed();
        let end = self.shared.feed.end();
        let (of_rules, sockets): (Vec<_>, Vec<_>) =
            self.shared.sockets.all().into_iter().partition(|socket| socket.is_rule_driven());
        // What these clients received is out of date; they have to connect again.
        let close = SocketClose { code: SERVICE_RESTART, reason: "the world's state was replaced".into() };
        for socket in &of_rules {
            socket.close(if socket.is_stream() { SocketClose::default() } else { close.clone() }, end);
        }
        let collections: IndexSet<Arc<str>> = sockets.iter().map(|socket| socket.collection()).collect();
        self.changed_rows.clear(end);
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

    /// Returns the notice that collections or rows changed, if a socket has asked for notices.
    pub(super) fn notice(&self) -> Option<FeedItem> {
        let to = self.shared.sockets.audience_of(&[Topic::Notices])?;
        Some(FeedItem { to, at: self.now(), content: Content::Message(feed::notice()) })
    }

    pub(super) fn publish(&self, items: impl IntoIterator<Item = FeedItem>) {
        if self.shared.sockets.len() == 0 {
            self.shared.feed.clear();
            return;
        }
        let from = self.shared.feed.end();
        let mut end = from;
        let items = items.into_iter().inspect(|item| {
            end += 1;
            if !item.messages().is_empty() {
                self.shared.sockets.note_direct(&item.to, end);
            }
        });
        if self.shared.feed.publish(items) && !fanout::hand_out_few(&self.shared, from) {
            self.shared.feed.wake();
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

    /// Sends a message that does not come from the scenario.
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
            // No recorded socket receives it.
            if sockets.is_empty() {
                return None;
            }
            let sockets = Recipients::Many(sockets);
            Some((item.at, Record::Sent { sockets, event, payload: Payload::of(message) }))
        });
        self.shared.journal.record_all(records);
    }

    pub(super) fn record_sent(&self, sockets: &Recipients, messages: &[Message]) {
        let at = self.shared.clock.now();
        let record = |message: &Message| {
            (at, Record::Sent { sockets: sockets.clone(), event: None, payload: Payload::of(message) })
        };
        if self.shared.journal.is_enabled() {
            self.shared.journal.record_all(messages.iter().map(record));
        }
    }
}

/// Merges the messages that one member gets at one moment into one item, so that a burst does not push out items that
/// others have yet to read.
fn in_bursts(items: &[FeedItem]) -> Vec<FeedItem> {
    let is_burst = |one: &FeedItem, next: &FeedItem| {
        let is_message = |item: &FeedItem| matches!(item.content, Content::Message(_));
        one.to == next.to && matches!(one.to, Audience::One(_)) && is_message(one) && is_message(next)
    };
    let runs = items.chunk_by(is_burst).map(|run| match run {
        [one] => one.clone(),
        several => {
            let messages = several.iter().flat_map(FeedItem::messages).cloned().collect();
            FeedItem { content: Content::Messages(messages), ..several[0].clone() }
        }
    });
    runs.collect()
}

/// Returns a change of a member that affects which items it receives from then on.
fn member_change(event: &Event) -> Option<(u64, &MemberEvent)> {
    match &event.kind {
        EventKind::Member { what: MemberEvent::Reply(_), .. } => None,
        EventKind::Member { member, what } => Some((*member, what)),
        _ => None,
    }
}

impl WorldState {
    pub(super) fn log(&self, event: &Event) {
        match &event.kind {
            EventKind::Skipped { rule, refusal } => {
                debug!(at = ?event.at, rule = rule.as_deref(), %refusal, "step skipped");
                let Some(rule) = rule else { return };
                self.record_failure(event.at, rule, None, refusal);
                if refusal.is_defect_of_scenario() {
                    self.shared.warn_of_failure(rule, refusal);
                } else {
                    self.shared.warn_of_skipped(rule, refusal);
                }
            }
            EventKind::Member { member, what: MemberEvent::Failed { rule, refusal } }
                if !self.is_elsewhere(*member) =>
            {
                debug!(at = ?event.at, rule = &**rule, socket = member, %refusal, "rule failed");
                self.record_failure(event.at, rule, Some(*member), refusal);
                self.shared.warn_of_failure(rule, refusal);
            }
            EventKind::Added { id, collection, .. } => debug!(%id, %collection, "row added"),
            EventKind::Merged { id, collection, .. } => debug!(%id, %collection, "row merged"),
            EventKind::Replaced { id, collection, .. } => debug!(%id, %collection, "row replaced"),
            EventKind::Removed { id, collection, .. } => debug!(%id, %collection, "row removed"),
            EventKind::ValueSet { name, .. } => debug!(%name, "value set"),
            EventKind::FaultBegan { label, .. } => debug!(fault = %label, "fault began"),
            EventKind::FaultEnded { label, .. } => debug!(fault = %label, "fault ended"),
            EventKind::Counted { .. }
            | EventKind::Sent { .. }
            | EventKind::Delivered { .. }
            | EventKind::Member { .. } => {}
        }
    }

    fn record_failure(&self, at: Duration, rule: &Arc<str>, socket: Option<u64>, refusal: &Refusal) {
        if self.shared.journal.is_enabled() {
            let record = Record::Failed { rule: rule.clone(), why: refusal.to_string().into(), socket };
            self.shared.journal.record(at, record);
        }
    }
}
