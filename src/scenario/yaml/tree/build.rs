//! Converts parser events into nodes, and resolves duplicate keys, merge keys and aliases.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScanError, StrInput};

use super::super::scalar::{expect_tag, is_plain};
use super::json::is_json;
use super::syntax::{is_about_tabs, misplaced_tab, unclosed_bracket};
use super::unquoted::unquoted;
use super::{MAX_EXPANSION, NodeContent, NodeId, NodeKind, NodeView, Tree};
use crate::scenario::problem::{Problem, ProblemKind, SyntaxMistake};
use crate::scenario::source::{Source, Span};

/// The maximum nesting depth. A scenario needs seven levels, and a product's own data a few more.
const MAX_DEPTH: u16 = 64;

/// The maximum number of keys that are compared pairwise, without sorting.
const MAX_PAIRWISE_KEYS: usize = 8;

/// The maximum number of duplicate keys to report for one mapping. A mapping with more is not written by hand.
const MAX_DUPLICATES: usize = 1_000;

/// Parts of parser errors that an unclosed bracket cannot cause.
const NOT_ABOUT_BRACKETS: [&str; 5] = ["quoted scalar", "recursion", "unprintable", "byte order mark", "tag"];

/// A finished node, and the number of levels below it. The levels bound the depth that aliases can build up.
#[derive(Clone, Copy)]
struct FinishedNode {
    id: NodeId,
    height: u16,
}

/// A list or mapping whose end has not been reached.
struct OpenCollection {
    start: Span,
    anchor: usize,
    is_mapping: bool,
    /// The index of the first child in `pending`.
    first: usize,
    height: u16,
}

pub(super) struct Builder<'t, 's> {
    tree: &'t mut Tree,
    open: Vec<OpenCollection>,
    /// The children of all open collections. Those of the innermost collection come last.
    pending: Vec<NodeId>,
    anchors: HashMap<usize, FinishedNode>,
    root: Option<NodeId>,
    /// The end of the last event.
    end: u32,
    documents: usize,
    merged: usize,
    offsets: Offsets<'s>,
    problems: Vec<Problem>,
}

pub(super) fn build(tree: &mut Tree, source: Source) -> Result<NodeId, Vec<Problem>> {
    let text = source.shared_text();
    let base = tree.sources.next_base();
    let json = is_json(&source, base);
    tree.sources.add(source);
    let mut builder = Builder {
        tree,
        open: Vec::new(),
        pending: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        end: base,
        documents: 0,
        merged: 0,
        offsets: Offsets::new(&text, base),
        problems: Vec::new(),
    };
    let outcome = match json {
        Ok(true) => builder.read_json(&text, base),
        Ok(false) => builder.read(Parser::new_from_str(&text)),
        Err(problem) => Err(problem),
    };
    if let Err(problem) = outcome {
        builder.problems.push(problem);
    }
    match builder.root {
        Some(root) if builder.problems.is_empty() => return Ok(root),
        None if builder.problems.is_empty() => {
            builder.problems.push(Problem::new(SyntaxMistake::Empty.into(), Span { start: base, end: base }));
        }
        _ => {}
    }
    Err(builder.problems)
}

impl<'s> Builder<'_, 's> {
    fn read(&mut self, parser: Parser<'s, StrInput<'s>>) -> Result<(), Problem> {
        for event in parser {
            let (event, place) = event.map_err(|error| self.syntax(&error))?;
            let span = Span { start: self.offsets.place(place.start), end: self.offsets.place(place.end) };
            self.end = self.end.max(span.end);
            match event {
                Event::DocumentStart(_) => {
                    self.documents += 1;
                    if self.documents > 1 {
                        return Err(Problem::new(SyntaxMistake::SecondDocument.into(), span));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = is_plain(style, tag.as_deref(), &text, span)?;
                    self.scalar(text, plain, anchor, span)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    expect_tag(tag.as_deref(), &["seq"], span)?;
                    self.start(span, anchor, false)?;
                }
                Event::MappingStart(anchor, tag) => {
                    expect_tag(tag.as_deref(), &["map"], span)?;
                    self.start(span, anchor, true)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
                Event::Alias(anchor) => {
                    let named = self.anchors.get(&anchor).copied();
                    self.place(named.ok_or_else(|| Problem::new(SyntaxMistake::RecursiveAlias.into(), span))?)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn syntax(&mut self, error: &ScanError) -> Problem {
        let at = self.offsets.place(*error.marker());
        if let Some(problem) = self.offsets.unquoted_expression(at) {
            return problem;
        }
        if error.info().contains("unknown anchor")
            && let Some((name, span)) = self.offsets.alias(at)
        {
            return Problem::new(SyntaxMistake::UnknownAnchor(name.to_owned()).into(), span);
        }
        self.cause(error.info(), at).unwrap_or_else(|| {
            Problem::new(SyntaxMistake::Yaml(error.info().to_owned()).into(), Span { start: at, end: at + 1 })
        })
    }

    /// Returns the most likely cause of an error, if the cause is at another place.
    fn cause(&self, error: &str, at: u32) -> Option<Problem> {
        let Offsets { text, base, .. } = self.offsets;
        let [at, end] = [at, self.end].map(|place| text.floor_char_boundary((place - base) as usize));
        let tab = misplaced_tab(text, error, at)
            .map(|tab| Problem::new(SyntaxMistake::Tab.into(), self.offsets.span(tab, 1)));
        if is_about_tabs(error) && tab.is_some() {
            return tab;
        }
        let starts = self.open.iter().map(|open| (open.start.start - base) as usize);
        let open: Vec<usize> = starts.filter(|start| text[*start..].starts_with(['[', '{'])).collect();
        if open.is_empty() && tab.is_some() {
            return tab;
        }
        if NOT_ABOUT_BRACKETS.iter().any(|words| error.contains(words)) {
            return None;
        }
        let bracket = unclosed_bracket(text, open, end, at)?;
        let kind = SyntaxMistake::UnclosedBracket(if text[bracket..].starts_with('[') { '[' } else { '{' });
        let problem = Problem::new(kind.into(), self.offsets.span(bracket, 1));
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        // Lines below the bracket's line do not belong inside the bracket.
        let rest = &text[if bracket < line { line } else { at }..];
        let missing = rest.trim_start().chars().next();
        let place = text.len() - rest.trim_start().len();
        Some(match missing {
            Some(first) => problem.related_to(self.offsets.span(place, first.len_utf8())),
            None => problem,
        })
    }

    pub(super) fn scalar(&mut self, text: Cow<'s, str>, plain: bool, anchor: usize, span: Span) -> Result<(), Problem> {
        let span = self.offsets.trim(span);
        let written = self.offsets.text(span);
        let unquoted = || written.get(1..written.len().checked_sub(1)?);
        let content = if plain && written == text {
            NodeContent::new(NodeKind::Plain, 0)
        } else if !plain && unquoted() == Some(&*text) {
            NodeContent::new(NodeKind::Quoted, 0)
        } else {
            self.tree.texts.push(text.into());
            NodeContent::new(if plain { NodeKind::PlainText } else { NodeKind::Text }, self.tree.texts.len() - 1)
        };
        let id = self.tree.push(span, content);
        self.finish(FinishedNode { id, height: 0 }, anchor)
    }

    fn finish(&mut self, done: FinishedNode, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.anchors.insert(anchor, done);
        }
        self.place(done)
    }

    pub(super) fn start(&mut self, start: Span, anchor: usize, is_mapping: bool) -> Result<(), Problem> {
        if self.open.len() >= usize::from(MAX_DEPTH) {
            return Err(Problem::new(SyntaxMistake::TooDeep(MAX_DEPTH).into(), start));
        }
        self.open.push(OpenCollection { start, anchor, is_mapping, first: self.pending.len(), height: 0 });
        Ok(())
    }

    pub(super) fn end(&mut self, end: Span) -> Result<(), Problem> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        if closed.is_mapping && !self.is_plain_mapping(closed.first) {
            self.report_duplicates(closed.first);
            self.merge(closed.first)?;
        }
        let span = Span { start: closed.start.start, end: end.end.max(closed.start.start) };
        let kind = if closed.is_mapping { NodeKind::Mapping } else { NodeKind::List };
        let id = self.tree.add_collection(kind, span, &self.pending[closed.first..]);
        self.pending.truncate(closed.first);
        self.finish(FinishedNode { id, height: closed.height }, closed.anchor)
    }

    /// Adds a finished node to the open collection.
    fn place(&mut self, FinishedNode { id, height }: FinishedNode) -> Result<(), Problem> {
        let levels = self.open.len();
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(id);
            return Ok(());
        };
        let is_key = parent.is_mapping && (self.pending.len() - parent.first).is_multiple_of(2);
        if is_key && !self.tree.is_scalar(id) {
            let span = self.tree.span(id);
            let unquoted = self.offsets.unquoted_expression(span.start);
            return Err(unquoted.unwrap_or_else(|| Problem::new(SyntaxMistake::ComplexKey.into(), span)));
        }
        parent.height = parent.height.max(height + 1);
        if usize::from(parent.height) + levels > usize::from(MAX_DEPTH) {
            return Err(Problem::new(SyntaxMistake::TooDeep(MAX_DEPTH).into(), self.tree.span(id)));
        }
        self.pending.push(id);
        Ok(())
    }

    /// Returns whether a mapping has few keys, all different, and no merge key. Most mappings need no resolution.
    fn is_plain_mapping(&self, first: usize) -> bool {
        let entries = &self.pending[first..];
        let mut keys = [""; MAX_PAIRWISE_KEYS];
        if entries.len() > MAX_PAIRWISE_KEYS * 2 {
            return false;
        }
        for (at, entry) in entries.chunks_exact(2).enumerate() {
            let key = self.tree.text(entry[0]);
            if key == "<<" || keys[..at].contains(&key) {
                return false;
            }
            keys[at] = key;
        }
        true
    }

    /// Replaces `<<` entries with the entries that they merge in. Keys of the mapping itself take precedence, and
    /// earlier merged mappings take precedence over later ones (YAML 1.1 merge type).
    fn merge(&mut self, first: usize) -> Result<(), Problem> {
        let (tree, entries) = (&*self.tree, &self.pending[first..]);
        let is_merge = |key: NodeId| matches!(tree.view(key), NodeView::Scalar { text: "<<", plain: true });
        if !entries.chunks_exact(2).any(|entry| is_merge(entry[0])) {
            return Ok(());
        }
        let (merges, own): (Vec<_>, Vec<_>) = entries.chunks_exact(2).partition(|entry| is_merge(entry[0]));
        let mut seen: HashSet<&str> = own.iter().map(|entry| tree.text(entry[0])).collect();
        let mut all = own.concat();
        for value in merges.iter().map(|entry| entry[1]) {
            for mapping in mappings(tree, value)? {
                self.merged += mapping.len() / 2;
                if self.merged > MAX_EXPANSION {
                    return Err(Problem::new(SyntaxMistake::AliasBomb(MAX_EXPANSION).into(), tree.span(value)));
                }
                let new = mapping.chunks_exact(2).filter(|entry| seen.insert(tree.text(entry[0])));
                all.extend(new.flatten());
            }
        }
        self.pending.truncate(first);
        self.pending.append(&mut all);
        Ok(())
    }

    fn report_duplicates(&mut self, first: usize) {
        let (tree, entries) = (&*self.tree, &self.pending[first..]);
        let mut keys: Vec<(&str, NodeId)> =
            entries.chunks_exact(2).map(|entry| (tree.text(entry[0]), entry[0])).collect();
        // Ids of keys increase in file order, so the first of equal keys sorts first.
        keys.sort_unstable();
        let equal = keys.chunk_by(|one, next| one.0 == next.0);
        let duplicates = equal.flat_map(|equal| equal.iter().skip(1).map(|(text, key)| (text, key, equal[0].1)));
        self.problems.extend(duplicates.take(MAX_DUPLICATES).map(|(text, key, first)| {
            Problem::new(ProblemKind::DuplicateKey((*text).to_owned()), tree.span(*key)).related_to(tree.span(first))
        }));
    }
}

/// Returns the mappings that a `<<` merges: one mapping, or a list of mappings.
fn mappings(tree: &Tree, value: NodeId) -> Result<Vec<&[NodeId]>, Problem> {
    let one = [value];
    let named = match tree.view(value) {
        NodeView::List(items) => items,
        _ => &one,
    };
    let mapping = |id: &NodeId| match tree.view(*id) {
        NodeView::Mapping(entries) => Ok(entries),
        _ => Err(Problem::new(SyntaxMistake::BadMerge.into(), tree.span(*id))),
    };
    named.iter().map(mapping).collect()
}

/// A converter of the parser's character indices into offsets in a scenario's files. Events arrive almost in order, so
/// each search continues from the last result.
struct Offsets<'s> {
    text: &'s str,
    /// The offset of the text's first byte.
    base: u32,
    ascii: bool,
    chars: usize,
    bytes: usize,
}

impl<'s> Offsets<'s> {
    fn new(text: &'s str, base: u32) -> Self {
        Self { text, base, ascii: text.is_ascii(), chars: 0, bytes: 0 }
    }

    fn place(&mut self, marker: Marker) -> u32 {
        let index = marker.index();
        let byte = if self.ascii { index.min(self.text.len()) } else { self.walk(index) };
        self.base + u32::try_from(byte).unwrap_or(u32::MAX)
    }

    /// Returns the span of `length` bytes of the text.
    fn span(&self, at: usize, length: usize) -> Span {
        let place = |at: usize| self.base + u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: place(at), end: place(at + length) }
    }

    /// Returns the source text of a span.
    fn text(&self, span: Span) -> &'s str {
        self.text.get((span.start - self.base) as usize..(span.end - self.base) as usize).unwrap_or_default()
    }

    /// Returns the name of the alias that starts at `at`, without its star.
    fn alias(&self, at: u32) -> Option<(&'s str, Span)> {
        let rest = self.text.get((at - self.base) as usize..)?.strip_prefix('*')?;
        let length = rest.find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(rest.len());
        let end = at.saturating_add(u32::try_from(length + 1).unwrap_or(u32::MAX));
        Some((&rest[..length], Span { start: at, end }))
    }

    /// Returns a problem if an unquoted expression starts before `at` on the same line.
    fn unquoted_expression(&self, at: u32) -> Option<Problem> {
        let at = self.text.floor_char_boundary((at - self.base) as usize);
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let (range, meant) = unquoted(line, at - start)?;
        let span = self.span(start + range.start, range.len());
        Some(Problem::new(SyntaxMistake::UnquotedExpression(meant).into(), span))
    }

    /// Trims trailing white space, which the parser includes in the spans of some scalars.
    fn trim(&self, span: Span) -> Span {
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
