//! What the journal hears of what is told to sockets.

use super::Play;
use crate::engine::{Event, EventKind};
use crate::websocket::Encoded;
use crate::world::feed::Frame;
use crate::world::journal::{Payload, Recipients, Record};
use crate::world::sockets::Audience;

impl Play {
    pub(super) fn journal_orders(&self, events: &[Event], frames: &[Frame]) {
        if !self.shared.journal.is_on() {
            return;
        }
        let totals = events.iter().filter(|event| matches!(event.kind, EventKind::Total { .. }));
        let records = totals.zip(frames).filter_map(|(event, frame)| {
            let Frame::Order { only, text, .. } = frame else { return None };
            let audience = only.clone().map_or(Audience::All, Audience::Category);
            let sockets = Recipients::Many(self.shared.sockets.audience(&audience));
            let record = Record::Sent { sockets, event: Some(event.sequence), payload: Payload::bytes(text.payload()) };
            Some((event.at, record))
        });
        self.shared.journal.record_all(records);
    }

    pub(super) fn journal_frames(&self, sockets: &Recipients, frames: &[Encoded]) {
        let at = self.shared.clock.now();
        let record = |frame: &Encoded| {
            let payload = Payload::bytes(frame.payload());
            (at, Record::Sent { sockets: sockets.clone(), event: None, payload })
        };
        if self.shared.journal.is_on() {
            self.shared.journal.record_all(frames.iter().map(record));
        }
    }
}
