//! From the parser's places to ours.

use saphyr_parser::Marker;

use crate::scenario::source::Span;

/// Turns the parser's character indices into byte offsets. Events come almost in order, so the walk goes on from
/// the last answer.
pub(super) struct Offsets<'s> {
    text: &'s str,
    ascii: bool,
    chars: usize,
    bytes: usize,
}

impl<'s> Offsets<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Self { text, ascii: text.is_ascii(), chars: 0, bytes: 0 }
    }

    pub(super) fn byte(&mut self, marker: Marker) -> u32 {
        let index = marker.index();
        let byte = if self.ascii { index.min(self.text.len()) } else { self.walk(index) };
        u32::try_from(byte).unwrap_or(u32::MAX)
    }

    /// The span without white space at its end, which the parser counts to some scalars.
    pub(super) fn trim(&self, span: Span) -> Span {
        let text = self.text.get(span.range()).unwrap_or_default();
        let length = u32::try_from(text.trim_end().len()).unwrap_or(u32::MAX);
        Span { end: span.start.saturating_add(length), ..span }
    }

    fn walk(&mut self, index: usize) -> usize {
        if index >= self.chars {
            let ahead = index - self.chars;
            let rest = &self.text[self.bytes..];
            self.bytes += rest.char_indices().nth(ahead).map_or(rest.len(), |(at, _)| at);
        } else {
            let back = self.chars - index;
            let before = &self.text[..self.bytes];
            self.bytes = before.char_indices().nth_back(back - 1).map_or(0, |(at, _)| at);
        }
        self.chars = index;
        self.bytes
    }
}
