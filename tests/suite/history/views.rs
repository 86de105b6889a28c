//! Whether the frames of one socket are a view of the one order: current orders of some moment, from there on every new
//! total once and in order, current orders again where it asked for them or everything began anew.

use std::collections::HashSet;

use super::accounts::Dated;
use super::order::{Event, Phase, Place};
use super::record::Stream;

/// Where a socket may begin, by what was answered before it was asked for, and asked for after its first frame.
#[derive(Debug)]
pub(super) struct Window {
    earliest: Place,
    latest: Place,
}

/// How far a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct View {
    place: Place,
    /// The index of the category that it shows.
    asked: usize,
}

impl Window {
    pub(super) fn of(stream: &Stream, dated: &[Dated]) -> Self {
        let (start, end) = (Place { phase: 0, event: 0 }, Place { phase: usize::MAX, event: usize::MAX });
        let Some(opened) = stream.opened else { return Self { earliest: start, latest: end } };
        let before = dated.iter().rev().find(|dated| {
            // Another server may not have come so far yet.
            dated.span.server == opened.server && dated.span.answered < opened.asked
        });
        let after = dated.iter().find(|dated| dated.span.asked > opened.answered);
        Self { earliest: before.map_or(start, |dated| dated.place), latest: after.map_or(end, |dated| dated.place) }
    }

    /// What is at its end has happened after the socket's beginning.
    fn has(&self, place: Place) -> bool {
        self.earliest <= place && place < self.latest
    }
}

/// Follows a socket through the order, along all ways that its frames allow; or says where there is none.
pub(super) fn follow(stream: &Stream, phases: &[Phase], window: &Window) -> Result<(), String> {
    let follower = Follower { stream, phases };
    let mut ways: Vec<HashSet<View>> = vec![HashSet::new(); stream.frames.len() + 1];
    for place in places(phases).filter(|place| window.has(*place)) {
        if let Some(read) = follower.current(0, place, 0) {
            ways[read].insert(View { place, asked: 0 });
        }
    }
    for read in 0..ways.len() {
        let mut seen = HashSet::new();
        let mut next: Vec<View> = std::mem::take(&mut ways[read]).into_iter().collect();
        while let Some(view) = next.pop() {
            if !seen.insert(view) {
                continue;
            }
            for (read_then, view) in follower.steps(read, view) {
                if read_then == read { next.push(view) } else { _ = ways[read_then].insert(view) }
            }
        }
        ways[read] = seen;
    }
    follower.judge(&ways)
}

fn places(phases: &[Phase]) -> impl Iterator<Item = Place> {
    let of = |(phase, events): (usize, &Phase)| (0..events.states.len()).map(move |event| Place { phase, event });
    phases.iter().enumerate().flat_map(of)
}

struct Follower<'h> {
    stream: &'h Stream,
    phases: &'h [Phase],
}

impl Follower<'_> {
    /// What may come next, with the number of frames that are read then.
    fn steps(&self, read: usize, view: View) -> Vec<(usize, View)> {
        let View { place: Place { phase, event }, asked } = view;
        let mut steps = Vec::new();
        let next = Place { phase, event: event + 1 };
        match self.phases[phase].events.get(event).map(Event::frame) {
            Some(None) => steps.push((read, View { place: next, asked })),
            Some(Some(frame)) if self.stream.frames.get(read) == Some(&frame) => {
                steps.push((read + 1, View { place: next, asked }));
            }
            None if phase + 1 < self.phases.len() => {
                let place = Place { phase: phase + 1, event: 0 };
                steps.extend(self.current(read, place, asked).map(|read| (read, View { place, asked })));
            }
            _ => {}
        }
        if asked + 1 < self.stream.categories.len() {
            let switched = View { asked: asked + 1, ..view };
            steps.extend(self.current(read, view.place, asked + 1).map(|read| (read, switched)));
        }
        steps
    }

    /// How many frames are read after the current orders of a place, if they are what comes next. Of one whose client left,
    /// their end may be missing.
    fn current(&self, read: usize, Place { phase, event }: Place, asked: usize) -> Option<usize> {
        let current = self.phases[phase].current(event, &self.stream.categories[asked]);
        let frames = &self.stream.frames[read..];
        let has_left = !self.stream.is_complete && frames.len() < current.len();
        let count = if has_left { frames.len() } else { current.len() };
        (frames.get(..count)? == &current[..count]).then_some(read + count)
    }

    /// Whether a way leads to the end of the frames; for one that was read to the end, the end of everything.
    fn judge(&self, ways: &[HashSet<View>]) -> Result<(), String> {
        let Stream { frames, categories, is_complete, .. } = self.stream;
        let end = Place { phase: self.phases.len() - 1, event: self.phases.last().map_or(0, |last| last.events.len()) };
        let is_end = |view: &View| !is_complete || (view.place == end && view.asked + 1 == categories.len());
        if ways[frames.len()].iter().any(is_end) {
            return Ok(());
        }
        let reached = ways.iter().rposition(|views| !views.is_empty());
        let read = reached.unwrap_or_default();
        let around = &frames[read.saturating_sub(3)..frames.len().min(read + 2)];
        let views = ways[read].iter().take(3).collect::<Vec<_>>();
        Err(format!("nothing explains frame {read} of {}; around it {around:?}, before it {views:?}", frames.len()))
    }
}
