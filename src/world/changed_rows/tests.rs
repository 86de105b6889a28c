#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::engine::Frame;
use crate::scenario::Row;
use crate::world::audience::Audience;
use crate::world::feed::Content;
use crate::world::message::Message;

/// Numbers that are the same on every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What happens in a world to a few rows, and a feed that tells of it.
#[derive(Default)]
struct Past {
    /// By their ids: whether they are there.
    rows: HashMap<u64, bool>,
    sequence: u64,
    end: u64,
    /// Where the feed tells of events.
    places: Vec<Place>,
}

impl Past {
    /// A change of a row, of which that many items tell.
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
        self.happen(&kind, items, lists);
    }

    fn happen(&mut self, kind: &EventKind, items: u64, lists: &mut [&mut ChangedRows]) {
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

    /// What members may have got who are at that position.
    fn got(&self, position: u64) -> Vec<Got> {
        let before = self.places.iter().filter(|place| place.positions.end <= position).map(|place| place.event).max();
        let cut = self.places.iter().find(|place| place.positions.start < position && position < place.positions.end);
        let events = before.into_iter().chain(cut.map(|place| place.event));
        let mut got: Vec<Got> = events.map(|event| Got { position, event }).collect();
        got.push(Got { position, event: 0 });
        got
    }
}

fn topics() -> Vec<Topic> {
    vec![Topic::Named("rows".into())]
}

#[test]
fn what_was_missed_is_the_same_once_changes_are_put_together() {
    let (mut past, mut draws) = (Past::default(), Draws(7));
    let (mut all, mut few) = (ChangedRows::default(), ChangedRows::default());
    let (mut kept, mut stuck) = (0, Vec::new());
    for _ in 0..40 {
        for _ in 0..draws.below(30) {
            let (id, kind, items) = (draws.below(4), draws.below(4), draws.below(4));
            past.change(id, kind, items, &mut [&mut all, &mut few]);
        }
        // Members that do not read any more, anywhere before what the feed keeps from now on.
        let next = kept + draws.below(past.end - kept + 1);
        stuck.extend((kept..next).filter(|_| draws.below(50) == 0));
        kept = next;
        let spans: Vec<Span> = stuck
            .iter()
            .map(|position: &u64| Span { from: position.saturating_sub(draws.below(3)), to: position + draws.below(3) })
            .collect();
        few.look_through(&spans, kept);
        for position in stuck.iter().copied().chain(kept..=past.end) {
            for got in past.got(position) {
                assert_eq!(few.missed(got, &topics()), all.missed(got, &topics()), "{got:?}");
            }
        }
    }
    assert!(
        stuck.len() > 5 && few.changes.len() * 3 < all.changes.len() * 2,
        "{} of {}",
        few.changes.len(),
        all.changes.len()
    );
}

#[test]
fn rows_that_change_without_end_take_no_more_room() {
    let (mut past, mut few) = (Past::default(), ChangedRows::default());
    let stuck = [Span { from: 0, to: 0 }];
    for change in 0..10 * FEWEST as u64 {
        past.change(change % 7, 2, 1, &mut [&mut few]);
        if few.is_full() {
            few.look_through(&stuck, past.end);
        }
    }
    assert!(few.changes.len() <= FEWEST, "{}", few.changes.len());
    let missed = few.missed(Got { position: 0, event: 0 }, &topics()).unwrap();
    let ids: Vec<String> =
        missed.iter().map(|event| event.change_message().unwrap()["row"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 7, "{ids:?}");
    // A member less, and nothing of that is needed any more.
    few.look_through(&[], past.end);
    assert!(few.changes.is_empty() && few.missed(Got { position: 0, event: 0 }, &topics()).is_none());
}

#[test]
fn with_too_many_rows_the_oldest_changes_are_forgotten() {
    let (mut past, mut few) = (Past::default(), ChangedRows::default());
    let stuck = [Span { from: 0, to: 0 }];
    for id in 0..2 * MOST as u64 {
        past.change(id, 0, 1, &mut [&mut few]);
        if few.is_full() {
            few.look_through(&stuck, past.end);
        }
        assert!(few.changes.len() <= MOST + 1);
    }
    assert_eq!(few.missed(Got { position: 0, event: 0 }, &topics()), None);
    let late = Got { position: past.end - 5, event: past.sequence - 5 };
    assert_eq!(few.missed(late, &topics()).unwrap().len(), 5);
}

#[test]
fn a_member_misses_frames_sent_after_its_last_event() {
    let (mut past, mut rows) = (Past::default(), ChangedRows::default());
    let (news, chat) = (Topic::Named("news".into()), Topic::Named("chat".into()));
    past.change(1, 0, 3, &mut [&mut rows]);
    past.sequence += 1;
    let kind = EventKind::Sent { topics: [news.clone()].into(), frame: Frame::Text("x".into()), except: None };
    past.happen(&kind, 2, &mut [&mut rows]);
    for (position, event, is_missed) in [(0, 0, true), (3, 1, true), (4, 1, true), (4, 2, false), (5, 1, false)] {
        let got = Got { position, event };
        let topics = [chat.clone(), news.clone()];
        assert_eq!(rows.missed_frame(got, &topics), is_missed.then_some(&topics[1]), "{got:?}");
        assert_eq!(rows.missed_frame(got, &topics[..1]), None);
    }
    // A topic that nobody had joined is none of their business.
    let sent = EventKind::Sent { topics: [chat.clone()].into(), frame: Frame::Text("x".into()), except: None };
    rows.note(&[Event { sequence: 3, at: Duration::ZERO, kind: sent }], &[], past.end, |_| false);
    assert_eq!(rows.missed_frame(Got { position: 0, event: 0 }, &[chat]), None);
    rows.clear(past.end);
    assert_eq!(rows.missed_frame(Got { position: 0, event: 0 }, &[news]), None);
    assert_eq!(rows.missed(Got { position: 0, event: 0 }, &[]), None);
}
