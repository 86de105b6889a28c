//! Checks that the frames of one socket are a view of the order of events. A view starts with the current orders of
//! some moment. From there on it contains every new total once and in order. Current orders come again after a switch
//! and after a reset.

use std::collections::HashSet;

use super::accounts::TimedPlace;
use super::order::{Event, Phase, Place};
use super::record::Stream;

/// The places where the view of a socket may start: after every request that was answered before the socket was opened,
/// and before every request that was sent after its first frame.
#[derive(Debug)]
pub(super) struct Window {
    earliest: Place,
    latest: Place,
}

/// The progress of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct View {
    place: Place,
    /// The index of the category in the requests of the socket.
    category: usize,
}

impl Window {
    pub(super) fn of(stream: &Stream, timed: &[TimedPlace]) -> Self {
        let (start, end) = (Place { phase: 0, event: 0 }, Place { phase: usize::MAX, event: usize::MAX });
        let Some(opened) = stream.opened else { return Self { earliest: start, latest: end } };
        let before = timed.iter().rev().find(|timed| {
            // Another server may lag behind.
            timed.span.server == opened.server && timed.span.answered < opened.sent
        });
        let after = timed.iter().find(|timed| timed.span.sent > opened.answered);
        Self { earliest: before.map_or(start, |timed| timed.place), latest: after.map_or(end, |timed| timed.place) }
    }

    /// Whether the window contains a place. Its end is exclusive: the change before it follows the start of the view.
    fn contains(&self, place: Place) -> bool {
        self.earliest <= place && place < self.latest
    }
}

/// Follows a socket through the order along every path that its frames allow. Fails if no path reaches the end.
pub(super) fn follow(stream: &Stream, phases: &[Phase], window: &Window) -> Result<(), String> {
    let follower = Follower { stream, phases };
    let mut paths: Vec<HashSet<View>> = vec![HashSet::new(); stream.frames.len() + 1];
    for place in places(phases).filter(|place| window.contains(*place)) {
        if let Some(read) = follower.current(0, place, 0) {
            paths[read].insert(View { place, category: 0 });
        }
    }
    for read in 0..paths.len() {
        let mut seen = HashSet::new();
        let mut next: Vec<View> = std::mem::take(&mut paths[read]).into_iter().collect();
        while let Some(view) = next.pop() {
            if !seen.insert(view) {
                continue;
            }
            for (next_read, view) in follower.steps(read, view) {
                if next_read == read { next.push(view) } else { _ = paths[next_read].insert(view) }
            }
        }
        paths[read] = seen;
    }
    follower.check_end(&paths)
}

fn places(phases: &[Phase]) -> impl Iterator<Item = Place> {
    let in_phase = |(phase, events): (usize, &Phase)| (0..events.states.len()).map(move |event| Place { phase, event });
    phases.iter().enumerate().flat_map(in_phase)
}

struct Follower<'h> {
    stream: &'h Stream,
    phases: &'h [Phase],
}

impl Follower<'_> {
    /// Returns the views that may come next, each with the number of frames read by then.
    fn steps(&self, read: usize, view: View) -> Vec<(usize, View)> {
        let View { place: Place { phase, event }, category } = view;
        let mut steps = Vec::new();
        let next = Place { phase, event: event + 1 };
        match self.phases[phase].events.get(event).map(Event::frame) {
            Some(None) => steps.push((read, View { place: next, category })),
            Some(Some(frame)) if self.stream.frames.get(read) == Some(&frame) => {
                steps.push((read + 1, View { place: next, category }));
            }
            None if phase + 1 < self.phases.len() => {
                let place = Place { phase: phase + 1, event: 0 };
                steps.extend(self.current(read, place, category).map(|read| (read, View { place, category })));
            }
            _ => {}
        }
        if category + 1 < self.stream.categories.len() {
            let switched = View { category: category + 1, ..view };
            steps.extend(self.current(read, view.place, category + 1).map(|read| (read, switched)));
        }
        steps
    }

    /// Returns the number of frames read after the current orders of a place, if those come next. If the client left
    /// early, the last of them may be missing.
    fn current(&self, read: usize, Place { phase, event }: Place, category: usize) -> Option<usize> {
        let current = self.phases[phase].current(event, &self.stream.categories[category]);
        let frames = &self.stream.frames[read..];
        let has_left = !self.stream.is_complete && frames.len() < current.len();
        let count = if has_left { frames.len() } else { current.len() };
        (frames.get(..count)? == &current[..count]).then_some(read + count)
    }

    /// Checks that a path leads to the last frame and, if the stream is complete, to the end of the order.
    fn check_end(&self, paths: &[HashSet<View>]) -> Result<(), String> {
        let Stream { frames, categories, is_complete, .. } = self.stream;
        let end = Place { phase: self.phases.len() - 1, event: self.phases.last().map_or(0, |last| last.events.len()) };
        let is_end = |view: &View| !is_complete || (view.place == end && view.category + 1 == categories.len());
        if paths[frames.len()].iter().any(is_end) {
            return Ok(());
        }
        let reached = paths.iter().rposition(|views| !views.is_empty());
        let read = reached.unwrap_or_default();
        let around = &frames[read.saturating_sub(3)..frames.len().min(read + 2)];
        let views = paths[read].iter().take(3).collect::<Vec<_>>();
        Err(format!("nothing explains frame {read} of {}; around it {around:?}, before it {views:?}", frames.len()))
    }
}
