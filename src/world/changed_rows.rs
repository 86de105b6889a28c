//! Recent changes of `data`, so that a member of rules that falls behind can receive the current state.
//!
//! Each change has its place in the feed. A member that has received the feed up to a position has received all changes
//! that end at or before it; the changes of a row that it has missed are merged into one. The list is bounded: changes
//! that every member has received are forgotten, and changes of one row are merged if no member is between them. Its
//! length thus depends on the number of changed rows, not on the number of changes.
//!
//! The world's task knows the position of a member only as a [`Span`]. That suffices, because a member that has dropped
//! out of the feed does not move.

use std::collections::HashMap;
use std::ops::Range;

use super::feed::FeedItem;
use crate::engine::{Changed, Event, EventKind, Topic};

/// The minimum number of changes noted between compactions.
const MIN_ROOM: usize = 1024;

/// The maximum number of changes kept.
const MAX_KEPT: usize = 16_384;

/// The possible positions of a member in the feed: it has received everything before `from`, and nothing from `to` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// How far a member has received the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemberProgress {
    /// The position of the feed up to which it has received everything addressed to it.
    pub(super) position: u64,
    /// The number of the last event that it has received something of; the feed may be cut between the items of one
    /// event.
    pub(super) event: u64,
}

/// The recent changes, and the topics that frames were sent to.
#[derive(Debug)]
pub(super) struct ChangedRows {
    /// In order of occurrence.
    changes: Vec<RecordedChange>,
    /// The place of the last frame sent to each topic.
    sent: HashMap<Topic, Place>,
    /// Changes that end at or before this position of the feed are forgotten.
    forgotten_to: u64,
    /// The total length of the lists at which they are compacted.
    threshold: usize,
}

/// One change, or several merged changes of one row.
#[derive(Debug)]
struct RecordedChange {
    event: Event,
    /// The place of the last merged change.
    place: Place,
}

/// The place of an event in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The event's number.
    event: u64,
    /// The positions of the event's items; empty if it has no recipients.
    positions: Range<u64>,
}

impl Place {
    fn is_missed(&self, progress: MemberProgress) -> bool {
        self.positions.end > progress.position && self.event > progress.event
    }
}

impl Default for ChangedRows {
    fn default() -> Self {
        Self { changes: Vec::new(), sent: HashMap::new(), forgotten_to: 0, threshold: MIN_ROOM }
    }
}

impl ChangedRows {
    /// Notes events in order. The given items of the feed, which start at position `start`, report them. Of the frames
    /// sent to topics, only those to joined topics are noted.
    pub(super) fn note(
        &mut self,
        events: &[Event],
        items: &[FeedItem],
        start: u64,
        is_joined: impl Fn(&Topic) -> bool,
    ) {
        let (mut next, mut after) = (0, 0);
        for event in events.iter().filter(|event| !event.is_delivery()) {
            let mut first = None;
            while let Some(item) = items.get(next) {
                match item.sequence() {
                    Some(sequence) if sequence > event.sequence => break,
                    Some(sequence) => {
                        if sequence == event.sequence {
                            first.get_or_insert(next);
                        }
                        after = next + 1;
                    }
                    // An item for a single member.
                    None => {}
                }
                next += 1;
            }
            let positions = start + first.unwrap_or(after) as u64..start + after as u64;
            let place = Place { event: event.sequence, positions };
            if let EventKind::Sent { topics, .. } = &event.kind {
                let joined = topics.iter().filter(|topic| is_joined(topic));
                self.sent.extend(joined.map(|topic| (topic.clone(), place.clone())));
            } else if event.changes_data() {
                self.changes.push(RecordedChange { event: event.clone(), place });
            }
        }
    }

    /// Returns whether the lists should be [compacted](Self::compact).
    pub(super) fn is_full(&self) -> bool {
        self.changes.len() + self.sent.len() > self.threshold
    }

    /// Forgets everything that no member needs. Every member is in one of these spans or not before `feed_start`, the
    /// first position that the feed still has.
    pub(super) fn compact(&mut self, members: &[Span], feed_start: u64) {
        let lowest = members.iter().map(|member| member.from).chain([feed_start]).min().unwrap_or(feed_start);
        self.forget_before(lowest);
        let behind: Vec<Span> = members.iter().copied().filter(|member| member.from < feed_start).collect();
        self.merge(&behind, feed_start);
        let surplus = self.changes.len().saturating_sub(MAX_KEPT / 2);
        let oldest = self.changes[..surplus].last().map(|recorded| recorded.place.positions.end);
        let topics =
            self.sent.values().map(|place| place.positions.end).max().filter(|_| self.sent.len() > MAX_KEPT / 2);
        if let Some(end) = oldest.max(topics) {
            self.forget_before(end);
        }
        self.threshold = MIN_ROOM.max(2 * (self.changes.len() + self.sent.len()));
    }

    fn forget_before(&mut self, position: u64) {
        self.forgotten_to = self.forgotten_to.max(position);
        self.changes.retain(|recorded| recorded.place.positions.end > position);
        self.sent.retain(|_, place| place.positions.end > position);
    }

    /// Merges changes of one row, unless the feed still reaches back to them or a member is between them. A row that
    /// was added and removed again is forgotten, unless a member may have to receive an earlier change: the last one
    /// then marks when the row was removed.
    fn merge(&mut self, behind: &[Span], feed_start: u64) {
        let mut list: Vec<Option<RecordedChange>> = Vec::with_capacity(self.changes.len());
        // The indices of each row's changes in the list.
        let mut places: HashMap<Changed, Vec<usize>> = HashMap::new();
        for recorded in self.changes.drain(..) {
            let Some(changed) = recorded.event.changed() else { continue };
            let places = places.entry(changed).or_default();
            let is_settled = recorded.place.positions.end <= feed_start;
            let earlier = places.last().copied().filter(|_| is_settled);
            let earlier = earlier.and_then(|index| list[index].take_if(|one| !one.is_cut_off_from(&recorded, behind)));
            let Some(earlier) = earlier else {
                places.push(list.len());
                list.push(Some(recorded));
                continue;
            };
            match (earlier.event.with_later(&recorded.event), &mut places[..]) {
                (Some(event), [.., newest]) => {
                    *newest = list.len();
                    list.push(Some(RecordedChange { event, place: recorded.place }));
                }
                (None, [.., _, newest]) => {
                    list[*newest] = Some(earlier);
                    places.push(list.len());
                    list.push(Some(recorded));
                }
                _ => places.clear(),
            }
        }
        self.changes.extend(list.into_iter().flatten());
    }

    /// Forgets everything up to this position of the feed, because no member can have missed it.
    pub(super) fn clear(&mut self, position: u64) {
        *self = Self { forgotten_to: position, ..Self::default() };
    }

    /// Returns the changes of rows and values in these topics that a member with this progress has missed: one event
    /// per row or value, ordered by their last changes. `None` if the changes are no longer known.
    pub(super) fn missed(&self, progress: MemberProgress, topics: &[Topic]) -> Option<Vec<Event>> {
        if progress.position < self.forgotten_to {
            return None;
        }
        let mut missed: HashMap<Changed, Event> = HashMap::new();
        for recorded in self.changes.iter().filter(|recorded| recorded.place.is_missed(progress)) {
            let is_wanted = recorded.event.topics().iter().any(|topic| topics.contains(topic));
            let Some(changed) = recorded.event.changed().filter(|_| is_wanted) else { continue };
            let whole = match missed.remove(&changed) {
                None => Some(recorded.event.clone()),
                Some(earlier) => earlier.with_later(&recorded.event),
            };
            missed.extend(whole.map(|whole| (changed, whole)));
        }
        let mut missed: Vec<Event> = missed.into_values().collect();
        missed.sort_by_key(|event| event.sequence);
        Some(missed)
    }

    /// Returns the first of these topics with a sent frame that a member with this progress has missed.
    pub(super) fn missed_frame<'t>(&self, progress: MemberProgress, topics: &'t [Topic]) -> Option<&'t Topic> {
        topics.iter().find(|topic| self.sent.get(topic).is_some_and(|place| place.is_missed(progress)))
    }
}

impl RecordedChange {
    /// Returns whether a member may be between this change and a later one: it has received part of this one, but not
    /// all of the later one.
    fn is_cut_off_from(&self, later: &Self, members: &[Span]) -> bool {
        let positions = &self.place.positions;
        let first = positions.start + u64::from(!positions.is_empty());
        members.iter().any(|member| member.from < later.place.positions.end && member.to >= first)
    }
}

#[cfg(test)]
mod tests;
