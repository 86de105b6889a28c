//! The tree: parser events become nodes with spans; duplicate keys, merge keys and aliases are settled here.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::offsets::Offsets;
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::Span;

/// Deeper nesting than this is refused; a scenario needs seven levels, a product's own data a few more.
const MAX_DEPTH: u16 = 64;

/// The most entries that all `<<` of a file may copy, and the most values that its aliases may unfold into.
pub(super) const MAX_UNFOLDED: usize = 2_000_000;

/// An index into [`Tree::nodes`]. An alias is the id of the node that it names.
pub(super) type NodeId = u32;

#[derive(Debug)]
pub(super) struct Node<'s> {
    pub(super) span: Span,
    /// Levels below this node, so that aliases cannot build a tower that no stack can walk.
    height: u16,
    pub(super) value: Value<'s>,
}

#[derive(Debug)]
pub(super) enum Value<'s> {
    Scalar { text: Cow<'s, str>, plain: bool },
    List(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

#[derive(Debug)]
pub(super) struct Tree<'s> {
    pub(super) nodes: Vec<Node<'s>>,
    pub(super) root: NodeId,
}

/// A collection whose end has not been seen yet.
struct Open<'s> {
    start: Span,
    anchor: usize,
    value: Value<'s>,
    /// The key that waits for its value.
    key: Option<NodeId>,
    height: u16,
}

struct Builder<'s> {
    nodes: Vec<Node<'s>>,
    open: Vec<Open<'s>>,
    anchors: HashMap<usize, NodeId>,
    root: Option<NodeId>,
    documents: usize,
    merged: usize,
    offsets: Offsets<'s>,
    problems: Vec<Problem>,
}

/// Builds the tree of `text`.
///
/// # Errors
/// All duplicate keys at once, or the one problem that ends the reading (syntax, depth, a recursive alias).
pub(super) fn build(text: &str) -> Result<Tree<'_>, Vec<Problem>> {
    let mut builder = Builder {
        nodes: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        documents: 0,
        merged: 0,
        offsets: Offsets::new(text),
        problems: Vec::new(),
    };
    if let Err(problem) = builder.read(Parser::new_from_str(text)) {
        builder.problems.push(problem);
    }
    match builder.root {
        Some(root) if builder.problems.is_empty() => Ok(Tree { nodes: builder.nodes, root }),
        _ if builder.problems.is_empty() => Err(vec![Problem::new(ProblemKind::Empty, Span::default())]),
        _ => Err(builder.problems),
    }
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
                Event::Scalar(text, style, anchor, _) => {
                    let value = Value::Scalar { text, plain: style == ScalarStyle::Plain };
                    let span = self.offsets.trim(span);
                    let id = self.push(Node { span, height: 0, value }, anchor);
                    self.place(id)?;
                }
                Event::SequenceStart(anchor, _) => self.start(span, anchor, Value::List(Vec::new()))?,
                Event::MappingStart(anchor, _) => self.start(span, anchor, Value::Mapping(Vec::new()))?,
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

    fn push(&mut self, node: Node<'s>, anchor: usize) -> NodeId {
        // A file has at most MAX_FILE_BYTES bytes, and a node takes at least one of them.
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(node);
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn start(&mut self, start: Span, anchor: usize, value: Value<'s>) -> Result<(), Problem> {
        if self.open.len() >= usize::from(MAX_DEPTH) {
            return Err(Problem::new(ProblemKind::TooDeep(MAX_DEPTH), start));
        }
        self.open.push(Open { start, anchor, value, key: None, height: 0 });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Result<(), Problem> {
        let Some(mut closed) = self.open.pop() else { return Ok(()) };
        if let Value::Mapping(entries) = &mut closed.value {
            self.settle(entries)?;
        }
        let span = Span { start: closed.start.start, end: end.end.max(closed.start.start) };
        let id = self.push(Node { span, height: closed.height, value: closed.value }, closed.anchor);
        self.place(id)
    }

    /// Puts a finished node where the open collection expects it.
    fn place(&mut self, id: NodeId) -> Result<(), Problem> {
        let node = &self.nodes[id as usize];
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(id);
            return Ok(());
        };
        parent.height = parent.height.max(node.height + 1);
        if usize::from(parent.height) + self.open.len() > usize::from(MAX_DEPTH) {
            return Err(Problem::new(ProblemKind::TooDeep(MAX_DEPTH), node.span));
        }
        let Some(parent) = self.open.last_mut() else { return Ok(()) };
        match &mut parent.value {
            Value::List(items) => items.push(id),
            Value::Mapping(entries) => match parent.key.take() {
                Some(key) => entries.push((key, id)),
                None if matches!(node.value, Value::Scalar { .. }) => parent.key = Some(id),
                None => return Err(Problem::new(ProblemKind::ComplexKey, node.span)),
            },
            Value::Scalar { .. } => {}
        }
        Ok(())
    }

    /// Notes keys that stand twice, then replaces `<<` entries by what they merge in: keys of the mapping itself
    /// win, then earlier merged mappings over later ones (YAML 1.1 merge type).
    fn settle(&mut self, entries: &mut Vec<(NodeId, NodeId)>) -> Result<(), Problem> {
        self.note_duplicates(entries);
        if !entries.iter().any(|(key, _)| self.is_merge(*key)) {
            return Ok(());
        }
        let mut seen: HashSet<String> = HashSet::new();
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.drain(..).partition(|(key, _)| self.is_merge(*key));
        seen.extend(own.iter().map(|(key, _)| self.text(*key).to_owned()));
        for (_, value) in merges {
            for mapping in self.merged_mappings(value)? {
                let Value::Mapping(source) = &self.nodes[mapping as usize].value else { continue };
                self.merged += source.len();
                if self.merged > MAX_UNFOLDED {
                    let span = self.nodes[value as usize].span;
                    return Err(Problem::new(ProblemKind::AliasBomb(MAX_UNFOLDED), span));
                }
                own.extend(source.iter().filter(|(key, _)| seen.insert(self.text(*key).to_owned())));
            }
        }
        *entries = own;
        Ok(())
    }

    fn merged_mappings(&self, value: NodeId) -> Result<Vec<NodeId>, Problem> {
        let candidates = match &self.nodes[value as usize].value {
            Value::List(items) => items.clone(),
            _ => vec![value],
        };
        for id in &candidates {
            let node = &self.nodes[*id as usize];
            if !matches!(node.value, Value::Mapping(_)) {
                return Err(Problem::new(ProblemKind::BadMerge, node.span));
            }
        }
        Ok(candidates)
    }

    fn note_duplicates(&mut self, entries: &[(NodeId, NodeId)]) {
        let mut found = Vec::new();
        let first_of = |count: usize| -> Option<NodeId> {
            let (key, _) = entries[count];
            entries[..count].iter().map(|(other, _)| *other).find(|other| self.text(*other) == self.text(key))
        };
        if entries.len() <= 12 {
            found.extend((1..entries.len()).filter_map(|at| Some((first_of(at)?, entries[at].0))));
        } else {
            let mut first: HashMap<&str, NodeId> = HashMap::with_capacity(entries.len());
            for (key, _) in entries {
                match first.get(self.text(*key)) {
                    Some(earlier) => found.push((*earlier, *key)),
                    None => drop(first.insert(self.text(*key), *key)),
                }
            }
        }
        for (first, again) in found {
            let kind = ProblemKind::DuplicateKey(self.text(again).to_owned());
            let problem = Problem::new(kind, self.nodes[again as usize].span);
            self.problems.push(problem.related_to(self.nodes[first as usize].span));
        }
    }

    fn text(&self, id: NodeId) -> &str {
        match &self.nodes[id as usize].value {
            Value::Scalar { text, .. } => text,
            _ => "",
        }
    }

    fn is_merge(&self, key: NodeId) -> bool {
        matches!(&self.nodes[key as usize].value, Value::Scalar { text, plain: true } if text == "<<")
    }
}
