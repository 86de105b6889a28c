//! Parser events become nodes; duplicate keys, merge keys and aliases are settled here.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScanError, StrInput};

use super::super::offsets::Offsets;
use super::tag::{expect_tag, is_plain};
use super::{Kind, MAX_UNFOLDED, Node, NodeId, Tree, View};
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::Span;

/// Deeper nesting than this is refused; a scenario needs seven levels, a product's own data a few more.
const MAX_DEPTH: u16 = 64;

/// A collection whose end has not been seen yet.
struct Open {
    start: Span,
    anchor: usize,
    is_mapping: bool,
    children: Vec<NodeId>,
    height: u16,
}

struct Builder<'s> {
    tree: Tree<'s>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    rooted: bool,
    documents: usize,
    merged: usize,
    offsets: Offsets<'s>,
    problems: Vec<Problem>,
}

/// Builds the tree of `text`.
///
/// # Errors
/// All duplicate keys at once, or the one problem that ends the reading (syntax, depth, a recursive alias).
pub(in crate::scenario::yaml) fn build(text: &str) -> Result<Tree<'_>, Vec<Problem>> {
    let mut builder = Builder {
        tree: Tree { source: text, nodes: Vec::new(), children: Vec::new(), texts: Vec::new(), root: 0 },
        open: Vec::new(),
        anchors: HashMap::new(),
        rooted: false,
        documents: 0,
        merged: 0,
        offsets: Offsets::new(text),
        problems: Vec::new(),
    };
    if let Err(problem) = builder.read(Parser::new_from_str(text)) {
        builder.problems.push(problem);
    }
    if builder.problems.is_empty() && !builder.rooted {
        builder.problems.push(Problem::new(ProblemKind::Empty, Span::default()));
    }
    if builder.problems.is_empty() { Ok(builder.tree) } else { Err(builder.problems) }
}

/// An index into one of the tree's vectors. A file has at most `MAX_FILE_BYTES` bytes, and all that is counted takes
/// at least one of them, or is bounded by [`MAX_UNFOLDED`].
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl<'s> Builder<'s> {
    fn read(&mut self, parser: Parser<'s, StrInput<'s>>) -> Result<(), Problem> {
        for event in parser {
            let (event, place) = event.map_err(|error| self.syntax(&error))?;
            let span = Span { start: self.offsets.byte(place.start), end: self.offsets.byte(place.end) };
            match event {
                Event::DocumentStart(_) => {
                    self.documents += 1;
                    if self.documents > 1 {
                        return Err(Problem::new(ProblemKind::SecondDocument, span));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = is_plain(style, tag.as_deref(), span)?;
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
                    let id = self.anchors.get(&anchor).copied();
                    self.place(id.ok_or_else(|| Problem::new(ProblemKind::RecursiveAlias, span))?)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn syntax(&mut self, error: &ScanError) -> Problem {
        let at = self.offsets.byte(*error.marker());
        Problem::new(ProblemKind::Syntax(error.info().to_owned()), Span { start: at, end: at + 1 })
    }

    fn scalar(&mut self, text: Cow<'s, str>, plain: bool, anchor: usize, span: Span) -> Result<(), Problem> {
        let span = self.offsets.trim(span);
        let kind = if plain && self.tree.source.get(span.range()) == Some(&*text) {
            Kind::Source
        } else {
            self.tree.texts.push(text);
            Kind::Text { index: index(self.tree.texts.len() - 1), plain }
        };
        let id = self.push(Node { span, kind, height: 0 }, anchor);
        self.place(id)
    }

    fn push(&mut self, node: Node, anchor: usize) -> NodeId {
        let id = index(self.tree.nodes.len());
        self.tree.nodes.push(node);
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn start(&mut self, start: Span, anchor: usize, is_mapping: bool) -> Result<(), Problem> {
        if self.open.len() >= usize::from(MAX_DEPTH) {
            return Err(Problem::new(ProblemKind::TooDeep(MAX_DEPTH), start));
        }
        self.open.push(Open { start, anchor, is_mapping, children: Vec::new(), height: 0 });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Result<(), Problem> {
        let Some(mut closed) = self.open.pop() else { return Ok(()) };
        if closed.is_mapping {
            self.note_duplicates(&closed.children);
            self.merge(&mut closed.children)?;
        }
        let (first, length) = (index(self.tree.children.len()), index(closed.children.len()));
        self.tree.children.append(&mut closed.children);
        let kind = if closed.is_mapping { Kind::Mapping { first, length } } else { Kind::List { first, length } };
        let span = Span { start: closed.start.start, end: end.end.max(closed.start.start) };
        let id = self.push(Node { span, kind, height: closed.height }, closed.anchor);
        self.place(id)
    }

    /// Puts a finished node where the open collection expects it.
    fn place(&mut self, id: NodeId) -> Result<(), Problem> {
        let node = &self.tree.nodes[id as usize];
        let levels = self.open.len();
        let Some(parent) = self.open.last_mut() else {
            (self.tree.root, self.rooted) = (id, true);
            return Ok(());
        };
        let is_key = parent.is_mapping && parent.children.len().is_multiple_of(2);
        if is_key && matches!(node.kind, Kind::List { .. } | Kind::Mapping { .. }) {
            return Err(Problem::new(ProblemKind::ComplexKey, node.span));
        }
        parent.height = parent.height.max(node.height + 1);
        if usize::from(parent.height) + levels > usize::from(MAX_DEPTH) {
            return Err(Problem::new(ProblemKind::TooDeep(MAX_DEPTH), node.span));
        }
        parent.children.push(id);
        Ok(())
    }

    /// Replaces `<<` entries by what they merge in: keys of the mapping itself win, then earlier merged mappings over
    /// later ones (YAML 1.1 merge type).
    fn merge(&mut self, entries: &mut Vec<NodeId>) -> Result<(), Problem> {
        let tree = &self.tree;
        let is_merge = |key: NodeId| matches!(tree.view(key), View::Scalar { text: "<<", plain: true });
        if !entries.chunks_exact(2).any(|entry| is_merge(entry[0])) {
            return Ok(());
        }
        let (merges, own): (Vec<_>, Vec<_>) = entries.chunks_exact(2).partition(|entry| is_merge(entry[0]));
        let mut seen: HashSet<&str> = own.iter().map(|entry| tree.text(entry[0])).collect();
        let mut all = own.concat();
        for value in merges.iter().map(|entry| entry[1]) {
            for mapping in mappings(tree, value)? {
                self.merged += mapping.len() / 2;
                if self.merged > MAX_UNFOLDED {
                    return Err(Problem::new(ProblemKind::AliasBomb(MAX_UNFOLDED), tree.span(value)));
                }
                let new = mapping.chunks_exact(2).filter(|entry| seen.insert(tree.text(entry[0])));
                all.extend(new.flatten());
            }
        }
        *entries = all;
        Ok(())
    }

    fn note_duplicates(&mut self, entries: &[NodeId]) {
        let tree = &self.tree;
        let mut keys: Vec<(&str, NodeId)> =
            entries.chunks_exact(2).map(|entry| (tree.text(entry[0]), entry[0])).collect();
        // A key's id counts up in the order of the file, so the first of equal ones stays the first.
        keys.sort_unstable();
        let mut first = 0;
        for (at, (text, key)) in keys.iter().enumerate() {
            if keys[first].0 != *text {
                first = at;
            } else if first != at {
                let problem = Problem::new(ProblemKind::DuplicateKey((*text).to_owned()), tree.span(*key));
                self.problems.push(problem.related_to(tree.span(keys[first].1)));
            }
        }
    }
}

/// The mappings that a `<<` names: one, or a list of them.
fn mappings<'t>(tree: &'t Tree<'_>, value: NodeId) -> Result<Vec<&'t [NodeId]>, Problem> {
    let one = [value];
    let named = match tree.view(value) {
        View::List(items) => items,
        _ => &one,
    };
    let mapping = |id: &NodeId| match tree.view(*id) {
        View::Mapping(entries) => Ok(entries),
        _ => Err(Problem::new(ProblemKind::BadMerge, tree.span(*id))),
    };
    named.iter().map(mapping).collect()
}
