//! Places as people and editors count them.

use std::borrow::Cow;
use std::ops::Range;

use crate::scenario::source::{Source, Sources, Span};

/// Finds lines and columns, with one search for line ends a file.
pub(super) struct Places<'s> {
    sources: &'s Sources,
    /// Each file with the first byte of each of its lines.
    lines: Vec<(&'s Source, Vec<usize>)>,
}

/// A place in one line of a file.
pub(super) struct Place<'s> {
    pub(super) source: &'s Source,
    /// The bytes that it covers, all in one line.
    pub(super) bytes: Range<usize>,
    /// Counted from 1.
    pub(super) line: usize,
    /// In characters, counted from 1.
    pub(super) columns: Range<usize>,
}

impl<'s> Places<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        let starts = |source: &'s Source| {
            let ends = source.text().match_indices('\n').map(|(at, _)| at + 1);
            (source, std::iter::once(0).chain(ends).collect())
        };
        Self { sources, lines: sources.iter().map(starts).collect() }
    }

    /// The part of a span that is in its first line. `None` only for the problems of no file.
    pub(super) fn find(&self, span: Span) -> Option<Place<'s>> {
        let (source, range) = self.sources.locate(span)?;
        let text = source.text();
        let start = text.floor_char_boundary(range.start);
        let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let bytes = start..text.floor_char_boundary(range.end).clamp(start, line_end);
        let (_, lines) = self.lines.iter().find(|(file, _)| std::ptr::eq(*file, source))?;
        let line = lines.partition_point(|first| *first <= start).max(1);
        let column = text.get(lines[line - 1]..start).unwrap_or_default().chars().count() + 1;
        let width = text[bytes.clone()].chars().count();
        Some(Place { source, bytes, line, columns: column..column + width })
    }
}

impl Place<'_> {
    /// The file's path as text.
    pub(super) fn path(&self) -> Cow<'_, str> {
        self.source.path().to_string_lossy()
    }
}
