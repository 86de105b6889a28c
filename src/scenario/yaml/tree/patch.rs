//! A tree of a text becomes that of the next text by reading again only the items of a list that changed.
//!
//! Half of what a reload of 100,000 products costs is reading the YAML, and a save rarely changes more than a few lines. A
//! parser that stands before the first changed item and behind the last one is in the same state, "an item of this list
//! comes next"; so if the new text between these two places brings it from one to the other, all that is behind it is read
//! as before. What proves it is one more item, put behind the new text: it has to come out as the last of the same list.
//! Anything that is not so plain (anchors, a change beyond one list, lines that stand out to the left) is left to a reading
//! of the whole.

use std::ops::Range;

use super::build::build_at;
use super::{Collection, NodeId, Tree, View, index};
use crate::scenario::source::{Source, Span};

/// What stands behind the changed items, and has to be read as the next one.
const SENTINEL: &str = "- ~\n";

/// One in so many nodes may be a leftover of earlier texts; with more of them the whole is read again.
const LEFTOVERS: usize = 4;

/// Items of a list, from their first line's start to that of the item behind them.
struct Place {
    list: NodeId,
    /// Collections around the list.
    levels: usize,
    items: Range<usize>,
    lines: Range<usize>,
    /// Spaces before a dash.
    indent: usize,
    /// The place of the first item itself.
    start: u32,
}

impl Tree {
    /// Makes it the tree of another text of its file, if little has changed. False leaves it as it is.
    pub(crate) fn patch(&mut self, root: NodeId, new: &Source) -> bool {
        self.patched(root, new).is_some()
    }

    fn patched(&mut self, root: NodeId, new: &Source) -> Option<()> {
        let old = self.sources.only()?.clone();
        let leftovers = self.size() - self.read_size;
        if self.has_anchors || old.path() != new.path() || leftovers > self.read_size / LEFTOVERS {
            return None;
        }
        let place = self.around(root, old.text(), &difference(old.text(), new.text()))?;
        let behind = old.text().len() - place.lines.end;
        let lines = place.lines.start..new.text().len().checked_sub(behind)?;
        let changed = new.text().get(lines.clone())?;
        if !changed.lines().all(|line| belongs(line, place.indent)) {
            return None;
        }
        self.sources.replace_only(new.clone());
        let before = (self.nodes.len(), self.collections.len(), self.children.len(), self.texts.len());
        let Some(items) = self.read_items(changed, lines.start, &place) else {
            self.nodes.truncate(before.0);
            self.collections.truncate(before.1);
            self.children.truncate(before.2);
            self.texts.truncate(before.3);
            self.has_anchors = false;
            self.sources.replace_only(old);
            return None;
        };
        self.shift(before.0, place.lines.end, lines.end);
        self.exchange(place.list, place.items, &items);
        Some(())
    }

    /// Reads items, and gives them if nothing but whole items of the list is in the text.
    fn read_items(&mut self, changed: &str, at: usize, place: &Place) -> Option<Vec<NodeId>> {
        let piece = format!("{changed}{:1$}{SENTINEL}", "", place.indent);
        let root = build_at(self, &piece, index(at), place.levels).ok()?;
        let View::List(items) = self.view(root) else { return None };
        let (sentinel, items) = items.split_last()?;
        let is_last = self.span(*sentinel).start as usize == at + changed.len() + place.indent + 2;
        // What stands before may end, and the list may begin, where the first of the items does.
        let keeps_start = self.span(*items.first()?).start == place.start;
        (is_last && keeps_start && !self.has_anchors).then(|| items.to_vec())
    }

    /// What grows with each text.
    pub(super) fn size(&self) -> usize {
        self.nodes.len() + self.children.len()
    }

    /// Moves all places from `old` on to where `new` is, but not those of nodes that are in the new text already.
    fn shift(&mut self, nodes: usize, old: usize, new: usize) {
        let (old, new) = (index(old), index(new));
        let moved = |place: u32| if place >= old { place - old + new } else { place };
        for node in &mut self.nodes[..nodes] {
            node.span = Span { start: moved(node.span.start), end: moved(node.span.end) };
        }
    }

    fn exchange(&mut self, list: NodeId, old: Range<usize>, items: &[NodeId]) {
        let content = self.nodes[list as usize].content;
        let Collection { first, length } = self.collections[content.index()];
        let all = first as usize..(first + length) as usize;
        if old.len() == items.len() {
            self.children[all][old].copy_from_slice(items);
            return;
        }
        let children = self.children(content);
        let children = [&children[..old.start], items, &children[old.end..]].concat();
        // Few lists grow often; when one does, its old children are no more than a list of numbers.
        self.collections[content.index()] =
            Collection { first: index(self.children.len()), length: index(children.len()) };
        self.children.extend_from_slice(&children);
    }

    /// The innermost items around a range of the text that have another item behind them.
    fn around(&self, root: NodeId, text: &str, range: &Range<usize>) -> Option<Place> {
        let (mut found, mut node, mut levels) = (None, Some(root), 0);
        let holds = |id: &&NodeId| {
            let Span { start, end } = self.span(**id);
            start as usize <= range.start && range.end <= end as usize
        };
        while let Some(id) = node {
            node = match self.view(id) {
                View::Mapping(entries) => entries.iter().skip(1).step_by(2).find(holds).copied(),
                View::List(items) => {
                    found = self.items_around(id, levels, text, range).or(found);
                    let next = items.partition_point(|item| self.span(*item).start as usize <= range.start);
                    items[..next].last().filter(holds).copied()
                }
                View::Scalar { .. } => None,
            };
            levels += 1;
        }
        found
    }

    fn items_around(&self, list: NodeId, levels: usize, text: &str, range: &Range<usize>) -> Option<Place> {
        let View::List(items) = self.view(list) else { return None };
        let line = |item: &NodeId| line_of(text, self.span(*item).start as usize);
        let begins_before = |place: usize| move |item: &NodeId| line(item).is_some_and(|(start, _)| start < place);
        let first = items.partition_point(begins_before(range.start)).checked_sub(1)?;
        let next = items.partition_point(begins_before(range.end)).max(first);
        let ((line, indent), (end, next_indent)) = (line(items.get(first)?)?, line(items.get(next)?)?);
        let is_around = line <= range.start && range.end <= end && indent == next_indent;
        let start = self.span(items[first]).start;
        is_around.then_some(Place { list, levels, items: first..next, lines: line..end, indent, start })
    }
}

/// The start of the line on which an item's dash is the first that stands there, and the spaces before the dash.
fn line_of(text: &str, item: usize) -> Option<(usize, usize)> {
    let dash = text.get(..item)?.trim_end_matches([' ', '\n']).strip_suffix('-')?;
    let line = dash.trim_end_matches(' ');
    (line.is_empty() || line.ends_with('\n')).then_some((line.len(), dash.len() - line.len()))
}

/// Whether a line can be one of an item whose dash stands there.
fn belongs(line: &str, indent: usize) -> bool {
    let rest = line.trim_start_matches(' ');
    let spaces = line.len() - rest.len();
    rest.is_empty()
        || rest.starts_with('#')
        || spaces > indent
        || (spaces == indent && (rest == "-" || rest.starts_with("- ")))
}

/// The bytes of the old text between what is the same at the beginning and at the end of both.
fn difference(old: &str, new: &str) -> Range<usize> {
    let start = same_start(old.as_bytes(), new.as_bytes());
    let (old_rest, new_rest) = (&old.as_bytes()[start..], &new.as_bytes()[start..]);
    start..old.len() - same_end(old_rest, new_rest)
}

/// Bytes that are compared at once, which the machine does much faster than one by one.
const BLOCK: usize = 4096;

fn same_start(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK)).take_while(|(one, other)| one == other).count();
    let rest = one[blocks * BLOCK..].iter().zip(&other[blocks * BLOCK..]);
    blocks * BLOCK + rest.take_while(|(one, other)| one == other).count()
}

fn same_end(one: &[u8], other: &[u8]) -> usize {
    let blocks =
        one.rchunks_exact(BLOCK).zip(other.rchunks_exact(BLOCK)).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[..one.len() - blocks * BLOCK], &other[..other.len() - blocks * BLOCK]);
    blocks * BLOCK + one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests;
