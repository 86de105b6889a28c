//! Spans of parts of a value: ranges of its text, and what is nested in its lists and mappings.

use std::ops::Range;

use serde_json::Value;

use super::document::Document;
use super::spanned::Spanned;
use super::tree::{NodeId, NodeView};
use crate::expression::PathStep;
use crate::scenario::source::Span;

impl Document {
    /// Returns a value as JSON. Returns `None` and records a problem if the value is invalid.
    pub(crate) fn json(&self, id: NodeId) -> Option<Value> {
        self.decode::<Spanned<Value>>(id)?.value
    }

    /// Returns the value of a key in a mapping.
    pub(crate) fn entry(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.find(id, |found| found == key)
    }

    /// Returns the span of a key in a mapping.
    pub(crate) fn key_span(&self, id: NodeId, key: &str) -> Option<Span> {
        let NodeView::Mapping(entries) = self.tree().view(id) else { return None };
        let entry = entries.chunks_exact(2).find(|entry| self.tree().text(entry[0]) == key);
        entry.map(|entry| self.tree().span(entry[0]))
    }

    /// Returns whether a node is a mapping.
    pub(crate) fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.tree().view(id), NodeView::Mapping(_))
    }

    /// Returns whether a node is a list.
    pub(crate) fn is_list(&self, id: NodeId) -> bool {
        matches!(self.tree().view(id), NodeView::List(_))
    }

    /// Returns the span of a byte range in the text at `path` inside a node. If the range is empty, this is the span of
    /// the whole text.
    pub(crate) fn part_span_at(&self, id: NodeId, path: &[PathStep], range: Range<usize>) -> Span {
        let node = path.iter().try_fold(id, |id, step| self.child(id, step)).unwrap_or(id);
        let span = self.tree().span(node);
        match self.tree().view(node) {
            NodeView::Scalar { text, .. } => self.part_span(span, text, range),
            _ => span,
        }
    }

    /// Returns the span of a key in the mapping at `path` inside a node, or of the mapping if it lacks the key.
    pub(crate) fn key_span_at(&self, id: NodeId, path: &[PathStep], key: &str) -> Span {
        let node = path.iter().try_fold(id, |id, step| self.child(id, step)).unwrap_or(id);
        self.key_span(node, key).unwrap_or_else(|| self.tree().span(node))
    }

    /// Returns the span of a byte range in `text`, which was read at `span`. If the text is not written there
    /// literally, because of escapes for example, this is the best guess: the same characters, or else the whole text.
    pub(crate) fn part_span(&self, span: Span, text: &str, range: Range<usize>) -> Span {
        let written = self.sources().text(span);
        let unquoted = written.get(1..written.len().saturating_sub(1));
        let start = if written == text {
            Some(range.start)
        } else if unquoted == Some(text) {
            Some(range.start + 1)
        } else {
            same_occurrence(written, text, &range)
        };
        let offset = |at: usize| span.start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        match start {
            Some(start) if !range.is_empty() => {
                Span { start: offset(start), end: offset(start + range.len()).min(span.end) }
            }
            _ => span,
        }
    }

    fn child(&self, id: NodeId, step: &PathStep) -> Option<NodeId> {
        match (step, self.tree().view(id)) {
            (PathStep::Index(index), NodeView::List(items)) => items.get(*index).copied(),
            // Header names are lower-cased before compilation.
            (PathStep::Key(key), _) => {
                self.entry(id, key).or_else(|| self.find(id, |found| found.eq_ignore_ascii_case(key)))
            }
            _ => None,
        }
    }

    fn find(&self, id: NodeId, is_match: impl Fn(&str) -> bool) -> Option<NodeId> {
        let NodeView::Mapping(entries) = self.tree().view(id) else { return None };
        entries.chunks_exact(2).find(|entry| is_match(self.tree().text(entry[0]))).map(|entry| entry[1])
    }
}

/// Returns the offset in `written` of the part of `text` at `range`. The n-th occurrence in one counts as the n-th in
/// the other.
fn same_occurrence(written: &str, text: &str, range: &Range<usize>) -> Option<usize> {
    let part = text.get(range.clone()).filter(|part| !part.is_empty())?;
    let before = text[..range.start].matches(part).count();
    written.match_indices(part).nth(before).map(|(at, _)| at)
}
