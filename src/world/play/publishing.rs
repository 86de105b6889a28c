//! Who hears of what happens: the journal, the feed, and the view of the catalogue.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::debug;
use tungstenite::Message;

use super::Play;
use crate::engine::{Event, EventKind};
use crate::websocket::Encoded;
use crate::world::View;
use crate::world::feed::{Frame, notice};
use crate::world::journal::{Payload, Recipients, Record};
use crate::world::sockets::Audience;

impl Play {
    /// Sends a frame that has nothing to do with the scenario.
    pub(in crate::world) fn send(&mut self, socket: Option<u64>, message: &Message) {
        let sockets = match socket {
            Some(id) => Recipients::One(id),
            None => Recipients::Many(self.shared.sockets.audience(&Audience::All)),
        };
        let payload = match message {
            Message::Binary(bytes) => Payload::bytes(bytes.clone()),
            Message::Text(text) => Payload::text(text.clone()),
            _ => return,
        };
        self.shared.journal.record(self.shared.clock.now(), Record::Sent { sockets, event: None, payload });
        self.publish([Frame::Raw { socket, at: self.now(), message: Encoded::message(message) }]);
    }

    /// Publishes what happened: the catalogue first, so that who hears of a product can get it.
    pub(in crate::world) fn tell(&mut self, events: &[Event]) {
        self.count_events();
        if changes_catalogue(events) {
            self.publish_view();
        }
        events.iter().for_each(log);
        self.transcript.extend(events);
        // A fault does not hit what was before it.
        let turn = events.iter().position(Event::turns_faults).unwrap_or(events.len());
        let (before, after) = events.split_at(turn);
        self.publish_events(before);
        if !after.is_empty() {
            self.faults_turned(after);
            self.publish_events(after);
        }
    }

    fn publish_events(&mut self, events: &[Event]) {
        if self.shared.sockets.len() == 0 {
            // A socket that joins later gets current orders, and reads on from here.
            self.shared.feed.clear();
            return;
        }
        let scope = self.engine.scenario().feed();
        let mut frames: Vec<Frame> = events.iter().filter_map(|event| Frame::of(scope, event)).collect();
        self.journal_orders(events, &frames);
        frames.extend(changes_catalogue(events).then(|| self.notice()));
        self.publish(frames);
    }

    /// After the engine was put to another moment: everybody gets what is so now.
    pub(in crate::world) fn begin_anew(&mut self) {
        self.generation += 1;
        self.engine.begin_era(u32::try_from(self.generation & u64::from(u32::MAX)).unwrap_or_default());
        self.publish_anew(Self::current_orders);
    }

    /// Has the sockets of each category hear something in the place of all that they have not got yet.
    pub(in crate::world) fn publish_anew(
        &mut self,
        mut of_category: impl FnMut(&mut Self, &Arc<str>) -> Arc<[Encoded]>,
    ) {
        self.count_events();
        self.publish_view();
        self.refresh_faults();
        let mut orders: HashMap<Arc<str>, Arc<[Encoded]>> = HashMap::new();
        for category in self.shared.sockets.all().iter().map(|socket| socket.category()) {
            if let Entry::Vacant(place) = orders.entry(category) {
                let frames = of_category(self, place.key());
                let audience = self.shared.sockets.audience(&Audience::Category(place.key().clone()));
                self.journal_frames(&Recipients::Many(audience), &frames);
                place.insert(frames);
            }
        }
        let sequence = self.engine.sequence();
        let (at, orders) = (self.now(), Arc::new(orders));
        self.publish([Frame::Fresh { sequence, at, orders }, Frame::Notice { at, text: notice() }]);
    }

    pub(super) fn notice(&self) -> Frame {
        Frame::Notice { at: self.now(), text: notice() }
    }

    pub(in crate::world) fn publish(&self, frames: impl IntoIterator<Item = Frame>) {
        if self.shared.sockets.len() == 0 {
            self.shared.feed.clear();
        } else {
            self.shared.feed.publish(frames);
        }
    }

    fn count_events(&self) {
        self.shared.last_event.store(self.engine.sequence(), Ordering::Relaxed);
    }

    pub(super) fn publish_view(&mut self) {
        self.current.clear();
        self.publish.send_replace(Arc::new(View::of(&self.engine)));
    }
}

fn changes_catalogue(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event.kind, EventKind::Added { .. } | EventKind::Removed { .. }))
}

fn log(event: &Event) {
    match &event.kind {
        EventKind::Skipped(refusal) => debug!(at = ?event.at, %refusal, "step skipped"),
        EventKind::Added { id, category } => debug!(%id, %category, "product added"),
        EventKind::Removed { id, category } => debug!(%id, %category, "product removed"),
        EventKind::FaultBegan { label, .. } => debug!(fault = %label, "fault began"),
        EventKind::FaultEnded { label, .. } => debug!(fault = %label, "fault ended"),
        EventKind::Total { .. } => {}
    }
}
