//! From the parser's places to ours.

use saphyr_parser::Marker;

use crate::scenario::source::Span;

/// Turns the parser's character indices into places in a scenario's files. Events come almost in order, so the walk
/// goes on from the last answer.
pub(super) struct Offsets<'s> {
    text: &'s str,
    /// The place of the text's first byte.
    base: u32,
    ascii: bool,
    chars: usize,
    bytes: usize,
}

impl<'s> Offsets<'s> {
    pub(super) fn new(text: &'s str, base: u32) -> Self {
        Self { text, base, ascii: text.is_ascii(), chars: 0, bytes: 0 }
    }

    pub(super) fn place(&mut self, marker: Marker) -> u32 {
        let index = marker.index();
        let byte = if self.ascii { index.min(self.text.len()) } else { self.walk(index) };
        self.base + u32::try_from(byte).unwrap_or(u32::MAX)
    }

    /// What is written at a span.
    pub(super) fn text(&self, span: Span) -> &'s str {
        self.text.get((span.start - self.base) as usize..(span.end - self.base) as usize).unwrap_or_default()
    }

    /// The span without white space at its end, which the parser counts to some scalars.
    pub(super) fn trim(&self, span: Span) -> Span {
        let text = self.text(span);
        if !text.ends_with(char::is_whitespace) {
            return span;
        }
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
