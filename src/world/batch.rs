//! Frames that wait for many sockets, put together once for all who get the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::feed::{Feed, Frame};
use super::tamper::Passing;
use crate::websocket::Encoded;

/// Frames that are put together into one write.
pub(super) const FRAMES_AT_ONCE: usize = 256;

/// Where a socket is in the feed, and what it gets of it.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The position of the next frame to look at.
    pub(super) position: u64,
    /// The number of the last event that is in what was handed out.
    pub(super) seen: u64,
    pub(super) category: Arc<str>,
    pub(super) notices: bool,
}

/// What one socket gets, ready to be written.
#[derive(Debug, Clone, Default)]
pub struct Portion {
    /// The frames, one after the other.
    pub bytes: Bytes,
    /// How many they are.
    pub frames: u64,
}

/// A run of frames in the feed.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) from: u64,
    pub(super) to: u64,
    frames: Vec<Frame>,
    /// The number of the last event in them.
    seen: Option<u64>,
    /// Whether some are for one socket alone.
    is_personal: bool,
    /// Whether some are for the sockets of one category.
    is_by_category: bool,
    /// By whether notices are asked for, if nothing else makes a difference: found without hashing.
    same: [Option<Portion>; 2],
    /// By that and the category.
    by_category: HashMap<(Arc<str>, bool), Portion>,
    /// That of the socket that was last, if there is something for it alone.
    personal: Portion,
}

impl Batch {
    /// The frames from a position on, so many at the most, and none after `last`. `None` if it is no longer in the feed.
    pub(super) fn read(feed: &Feed, from: u64, most: usize, last: u64) -> Option<Self> {
        let (frames, to) = feed.read(from, most, last)?;
        let seen = frames.iter().rev().find_map(Frame::sequence);
        let is_personal = frames.iter().any(|frame| matches!(frame, Frame::Raw { socket: Some(_), .. }));
        let by_category = |frame: &Frame| matches!(frame, Frame::Order { only: Some(_), .. } | Frame::Fresh { .. });
        let is_by_category = frames.iter().any(by_category);
        let (same, by_category, personal) = ([None, None], HashMap::new(), Portion::default());
        Some(Self { from, to, frames, seen, is_personal, is_by_category, same, by_category, personal })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// What the socket of that number gets, whose cursor is at the beginning and then at the end.
    pub(super) fn portion(&mut self, cursor: &mut Cursor, socket: u64) -> &Portion {
        cursor.position = self.to;
        cursor.seen = self.seen.unwrap_or(cursor.seen);
        let put_together = || put_together(&self.frames, cursor, socket);
        if self.is_personal {
            self.personal = put_together();
            &self.personal
        } else if self.is_by_category {
            self.by_category.entry((cursor.category.clone(), cursor.notices)).or_insert_with(put_together)
        } else {
            self.same[usize::from(cursor.notices)].get_or_insert_with(put_together)
        }
    }
}

impl Batch {
    /// As [`Batch::portion`], one by one, each with the event that it tells of.
    pub(super) fn frames(&self, cursor: &mut Cursor, socket: u64) -> Vec<Passing> {
        let passing = |(position, frame): (u64, &Frame)| {
            let event = if matches!(frame, Frame::Order { .. }) { frame.sequence() } else { None };
            let at = frame.at();
            let frames = frame.for_socket(cursor, socket).to_vec();
            frames.into_iter().map(move |frame| Passing { frame, event, at, position })
        };
        let frames = (self.from..).zip(&self.frames).flat_map(passing).collect();
        cursor.position = self.to;
        cursor.seen = self.seen.unwrap_or(cursor.seen);
        frames
    }
}

impl Portion {
    /// These frames.
    pub(super) fn of<'e>(frames: impl IntoIterator<Item = &'e Encoded>) -> Self {
        let (mut bytes, mut count) = (BytesMut::new(), 0);
        for frame in frames {
            bytes.put_slice(frame.frame());
            count += 1;
        }
        Self { bytes: bytes.freeze(), frames: count }
    }
}

fn put_together(frames: &[Frame], cursor: &Cursor, socket: u64) -> Portion {
    if let [Frame::Order { only: None, text, .. }] = frames {
        // The most frequent case needs no copy.
        return Portion { bytes: text.frame().clone(), frames: 1 };
    }
    Portion::of(frames.iter().flat_map(|frame| frame.for_socket(cursor, socket)))
}

impl Frame {
    /// The number of the last event in it.
    fn sequence(&self) -> Option<u64> {
        match self {
            Self::Order { sequence, .. } | Self::Fresh { sequence, .. } => Some(*sequence),
            Self::Notice { .. } | Self::Turn | Self::Raw { .. } => None,
        }
    }

    /// When it came into the feed, in the world's time.
    fn at(&self) -> Duration {
        match self {
            Self::Order { at, .. } | Self::Notice { at, .. } | Self::Fresh { at, .. } | Self::Raw { at, .. } => *at,
            Self::Turn => Duration::ZERO,
        }
    }

    /// What a socket gets of it.
    fn for_socket(&self, cursor: &Cursor, id: u64) -> &[Encoded] {
        let (is_for_it, frame) = match self {
            Self::Order { only, text, .. } => (only.as_ref().is_none_or(|only| *only == cursor.category), text),
            Self::Notice { text, .. } => (cursor.notices, text),
            Self::Turn => return &[],
            Self::Fresh { orders, .. } => return orders.get(&cursor.category).map_or(&[], |orders| orders),
            Self::Raw { socket, message, .. } => (socket.is_none_or(|socket| socket == id), message),
        };
        if is_for_it { std::slice::from_ref(frame) } else { &[] }
    }
}
