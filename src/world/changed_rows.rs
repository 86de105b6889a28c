//! What changed of `data` lately, so that a member of rules that falls behind gets what is so now.
//!
//! Everything has its place in the feed. A member that has got the feed up to a position has got all that ends there or before;
//! what it has missed of a row is put together to one change. The list is bounded: changes that every member has got are
//! forgotten, and changes of one row between which no member is are kept as one. So it is as long as there are rows that
//! changed, however often they did.
//!
//! The world's task knows where a member is only as a [`Span`]. That suffices, since a member that the feed no longer reaches
//! does not move.

use std::collections::HashMap;
use std::ops::Range;

use super::feed::FeedItem;
use crate::engine::{Changed, Event, EventKind, Topic};

/// Changes that are noted before the list is looked through.
const FEWEST: usize = 1024;

/// The most changes that are kept.
const MOST: usize = 16_384;

/// Where a member may be in the feed: it has got everything before the first position, and nothing from the last one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// What a member has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Got {
    /// The position of the feed up to which it has all that was for it.
    pub(super) position: u64,
    /// The number of the last event of which it has got something; the feed may be cut in the middle of what tells of one.
    pub(super) event: u64,
}

/// The changes, and what was sent besides.
#[derive(Debug)]
pub(super) struct ChangedRows {
    /// In the order in which they happened.
    changes: Vec<Noted>,
    /// The last frame that was sent to each topic.
    sent: HashMap<Topic, Place>,
    /// What ends at this position of the feed or before is not here.
    reach: u64,
    /// How long the lists may become before they are looked through.
    room: usize,
}

/// One change, or several of one row.
#[derive(Debug)]
struct Noted {
    event: Event,
    /// Of the last of them.
    place: Place,
}

/// Where the feed tells of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The event's number.
    event: u64,
    /// The positions of what tells of it; none if it was for nobody.
    positions: Range<u64>,
}

impl Place {
    fn is_missed(&self, got: Got) -> bool {
        self.positions.end > got.position && self.event > got.event
    }
}

impl Default for ChangedRows {
    fn default() -> Self {
        Self { changes: Vec::new(), sent: HashMap::new(), reach: 0, room: FEWEST }
    }
}

impl ChangedRows {
    /// Takes notice of events in order, of which these items of the feed tell from that position on. Only what is sent to
    /// topics that somebody has joined counts.
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
                    // It is for one member alone.
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
                self.changes.push(Noted { event: event.clone(), place });
            }
        }
    }

    /// Whether it is time to [look through](Self::look_through) the lists.
    pub(super) fn is_full(&self) -> bool {
        self.changes.len() + self.sent.len() > self.room
    }

    /// Forgets what no member needs: all of them are in these spans, or not before `kept`, the position up to which the feed
    /// reaches back.
    pub(super) fn look_through(&mut self, members: &[Span], kept: u64) {
        let lowest = members.iter().map(|member| member.from).chain([kept]).min().unwrap_or(kept);
        self.forget_before(lowest);
        let behind: Vec<Span> = members.iter().copied().filter(|member| member.from < kept).collect();
        self.put_together(&behind, kept);
        let surplus = self.changes.len().saturating_sub(MOST / 2);
        let oldest = self.changes[..surplus].last().map(|noted| noted.place.positions.end);
        let topics = self.sent.values().map(|place| place.positions.end).max().filter(|_| self.sent.len() > MOST / 2);
        if let Some(end) = oldest.max(topics) {
            self.forget_before(end);
        }
        self.room = FEWEST.max(2 * (self.changes.len() + self.sent.len()));
    }

    fn forget_before(&mut self, position: u64) {
        self.reach = self.reach.max(position);
        self.changes.retain(|noted| noted.place.positions.end > position);
        self.sent.retain(|_, place| place.positions.end > position);
    }

    /// Puts changes of one row together, as far as the feed does not reach back to them and no member is between them. A row that
    /// came and went is forgotten, unless somebody may have to hear of an earlier change: the last one then tells when it went.
    fn put_together(&mut self, behind: &[Span], kept: u64) {
        let mut list: Vec<Option<Noted>> = Vec::with_capacity(self.changes.len());
        // Where the changes of a row are in the list.
        let mut places: HashMap<Changed, Vec<usize>> = HashMap::new();
        for noted in self.changes.drain(..) {
            let Some(changed) = noted.event.changed() else { continue };
            let places = places.entry(changed).or_default();
            let is_settled = noted.place.positions.end <= kept;
            let earlier = places.last().copied().filter(|_| is_settled);
            let earlier = earlier.and_then(|index| list[index].take_if(|one| !one.is_cut_off_from(&noted, behind)));
            let Some(earlier) = earlier else {
                places.push(list.len());
                list.push(Some(noted));
                continue;
            };
            match (earlier.event.with_later(&noted.event), &mut places[..]) {
                (Some(event), [.., newest]) => {
                    *newest = list.len();
                    list.push(Some(Noted { event, place: noted.place }));
                }
                (None, [.., _, newest]) => {
                    list[*newest] = Some(earlier);
                    places.push(list.len());
                    list.push(Some(noted));
                }
                _ => places.clear(),
            }
        }
        self.changes.extend(list.into_iter().flatten());
    }

    /// Forgets everything up to that position of the feed: nobody is there who may have missed it.
    pub(super) fn clear(&mut self, position: u64) {
        *self = Self { reach: position, ..Self::default() };
    }

    /// What has changed of rows and values of these topics for a member who has got so much, one event for each, in the order
    /// of their last changes; `None` if that is not known.
    pub(super) fn missed(&self, got: Got, topics: &[Topic]) -> Option<Vec<Event>> {
        if got.position < self.reach {
            return None;
        }
        let mut missed: HashMap<Changed, Event> = HashMap::new();
        for noted in self.changes.iter().filter(|noted| noted.place.is_missed(got)) {
            let is_wanted = noted.event.topics().iter().any(|topic| topics.contains(topic));
            let Some(changed) = noted.event.changed().filter(|_| is_wanted) else { continue };
            let whole = match missed.remove(&changed) {
                None => Some(noted.event.clone()),
                Some(earlier) => earlier.with_later(&noted.event),
            };
            missed.extend(whole.map(|whole| (changed, whole)));
        }
        let mut missed: Vec<Event> = missed.into_values().collect();
        missed.sort_by_key(|event| event.sequence);
        Some(missed)
    }

    /// The first of these topics to which a frame was sent that such a member has missed.
    pub(super) fn missed_frame<'t>(&self, got: Got, topics: &'t [Topic]) -> Option<&'t Topic> {
        topics.iter().find(|topic| self.sent.get(topic).is_some_and(|place| place.is_missed(got)))
    }
}

impl Noted {
    /// Whether a member may be between this one and a later one: it has got something of this one, and not all of that.
    fn is_cut_off_from(&self, later: &Self, members: &[Span]) -> bool {
        let positions = &self.place.positions;
        let got = positions.start + u64::from(!positions.is_empty());
        members.iter().any(|member| member.from < later.place.positions.end && member.to >= got)
    }
}

#[cfg(test)]
mod tests;
