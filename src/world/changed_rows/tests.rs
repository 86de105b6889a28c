#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::engine::Frame;
use crate::scenario::Row;
use crate::world::audience::Audience;
use crate::world::feed::Content;
use crate::world::message::Message;

/// A deterministic random number generator.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The history of a few rows, and of the feed that reports their changes.
#[derive(Default)]
struct History {
    /// Whether each row exists, by id.
    rows: HashMap<u64, bool>,
    sequence: u64,
    end: u64,
    /// The places of events in the feed.
    places: Vec<Place>,
}

impl History {
    /// Changes a row; `items` items of the feed report the change.
    fn change(&mut self, id: u64, kind: u64, items: u64, lists: &mut [&mut ChangedRows]) {
        let is_there = self.rows.entry(id).or_default();
        self.sequence += 1;
        let row =
            |n: u64| Arc::new(Row::new(id.to_string().into(), [("n".to_owned(), n.into())].into_iter().collect()));
        let (row, before) = (row(self.sequence), row(self.sequence - 1));
        let (id, collection, is_counted) = (id.to_string().into(), "rows".into(), false);
        let kind = match (*is_there, kind) {
            (false, _) => EventKind::Added { id, collection, is_counted, row },
            (true, 0) => EventKind::Removed { id, collection, is_counted, before },
            (true, 1) => EventKind::Replaced { id, collection, is_counted, row, before },
            (true, _) => EventKind::Merged { id, collection, is_counted, row, before },
        };
        *is_there = !matches!(kind, EventKind::Removed { .. });
        self.record(&kind, items, lists);
    }

    fn record(&mut self, kind: &EventKind, items: u64, lists: &mut [&mut ChangedRows]) {
        let (sequence, at) = (self.sequence, Duration::ZERO);
        let message = || Content::Delivery(sequence, Message::text("x"));
        let items: Vec<FeedItem> = (0..items).map(|_| FeedItem { to: Audience::All, at, content: message() }).collect();
        for list in lists {
            list.note(&[Event { sequence, at, kind: kind.clone() }], &items, self.end, |_| true);
        }
        let positions = self.end..self.end + items.len() as u64;
        self.end = positions.end;
        self.places.push(Place { event: sequence, positions });
    }

    /// Returns the possible progress of members at this position.
    fn progress(&self, position: u64) -> Vec<MemberProgress> {
        let before = self.places.iter().filter(|place| place.positions.end <= position).map(|place| place.event).max();
        let cut = self.places.iter().find(|place| place.positions.start < position && position < place.positions.end);
        let events = before.into_iter().chain(cut.map(|place| place.event));
        let mut progress: Vec<MemberProgress> = events.map(|event| MemberProgress { position, event }).collect();
        progress.push(MemberProgress { position, event: 0 });
        progress
    }
}

fn topics() -> Vec<Topic> {
    vec![Topic::Named("rows".into())]
}

#[test]
fn merged_changes_yield_the_same_missed_events() {
    let (mut history, mut draws) = (History::default(), Draws(7));
    let (mut all, mut compacted) = (ChangedRows::default(), ChangedRows::default());
    let (mut kept, mut stuck) = (0, Vec::new());
    for _ in 0..40 {
        for _ in 0..draws.below(30) {
            let (id, kind, items) = (draws.below(4), draws.below(4), draws.below(4));
            history.change(id, kind, items, &mut [&mut all, &mut compacted]);
        }
        // Members that have stopped reading somewhere before the part that the feed keeps from now on.
        let next = kept + draws.below(history.end - kept + 1);
        stuck.extend((kept..next).filter(|_| draws.below(50) == 0));
        kept = next;
        let spans: Vec<Span> = stuck
            .iter()
            .map(|position: &u64| Span { from: position.saturating_sub(draws.below(3)), to: position + draws.below(3) })
            .collect();
        compacted.compact(&spans, kept);
        for position in stuck.iter().copied().chain(kept..=history.end) {
            for progress in history.progress(position) {
                assert_eq!(compacted.missed(progress, &topics()), all.missed(progress, &topics()), "{progress:?}");
            }
        }
    }
    assert!(
        stuck.len() > 5 && compacted.changes.len() * 3 < all.changes.len() * 2,
        "{} of {}",
        compacted.changes.len(),
        all.changes.len()
    );
}

#[test]
fn endless_changes_of_the_same_rows_take_bounded_room() {
    let (mut history, mut compacted) = (History::default(), ChangedRows::default());
    let stuck = [Span { from: 0, to: 0 }];
    for change in 0..10 * MIN_ROOM as u64 {
        history.change(change % 7, 2, 1, &mut [&mut compacted]);
        if compacted.is_full() {
            compacted.compact(&stuck, history.end);
        }
    }
    assert!(compacted.changes.len() <= MIN_ROOM, "{}", compacted.changes.len());
    let missed = compacted.missed(MemberProgress { position: 0, event: 0 }, &topics()).unwrap();
    let ids: Vec<String> =
        missed.iter().map(|event| event.change_message().unwrap()["row"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 7, "{ids:?}");
    // Without that member, none of the changes is needed any more.
    compacted.compact(&[], history.end);
    assert!(
        compacted.changes.is_empty() && compacted.missed(MemberProgress { position: 0, event: 0 }, &topics()).is_none()
    );
}

#[test]
fn with_too_many_rows_the_oldest_changes_are_forgotten() {
    let (mut history, mut compacted) = (History::default(), ChangedRows::default());
    let stuck = [Span { from: 0, to: 0 }];
    for id in 0..2 * MAX_KEPT as u64 {
        history.change(id, 0, 1, &mut [&mut compacted]);
        if compacted.is_full() {
            compacted.compact(&stuck, history.end);
        }
        assert!(compacted.changes.len() <= MAX_KEPT + 1);
    }
    assert_eq!(compacted.missed(MemberProgress { position: 0, event: 0 }, &topics()), None);
    let late = MemberProgress { position: history.end - 5, event: history.sequence - 5 };
    assert_eq!(compacted.missed(late, &topics()).unwrap().len(), 5);
}

#[test]
fn a_member_misses_frames_sent_after_its_last_event() {
    let (mut history, mut rows) = (History::default(), ChangedRows::default());
    let (news, chat) = (Topic::Named("news".into()), Topic::Named("chat".into()));
    history.change(1, 0, 3, &mut [&mut rows]);
    history.sequence += 1;
    let kind = EventKind::Sent { topics: [news.clone()].into(), frame: Frame::Text("x".into()), except: None };
    history.record(&kind, 2, &mut [&mut rows]);
    for (position, event, is_missed) in [(0, 0, true), (3, 1, true), (4, 1, true), (4, 2, false), (5, 1, false)] {
        let progress = MemberProgress { position, event };
        let topics = [chat.clone(), news.clone()];
        assert_eq!(rows.missed_frame(progress, &topics), is_missed.then_some(&topics[1]), "{progress:?}");
        assert_eq!(rows.missed_frame(progress, &topics[..1]), None);
    }
    // A frame to a topic that nobody has joined is not noted.
    let sent = EventKind::Sent { topics: [chat.clone()].into(), frame: Frame::Text("x".into()), except: None };
    rows.note(&[Event { sequence: 3, at: Duration::ZERO, kind: sent }], &[], history.end, |_| false);
    assert_eq!(rows.missed_frame(MemberProgress { position: 0, event: 0 }, &[chat]), None);
    rows.clear(history.end);
    assert_eq!(rows.missed_frame(MemberProgress { position: 0, event: 0 }, &[news]), None);
    assert_eq!(rows.missed(MemberProgress { position: 0, event: 0 }, &[]), None);
}
