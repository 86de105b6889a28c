//! A tree of nodes with spans. Its mappings have unique keys, and merge keys and aliases are expanded.

mod build;
mod json;
mod syntax;
mod unquoted;

use crate::scenario::problem::Problem;
use crate::scenario::source::{Source, Sources, Span};

/// The maximum number of entries that the merge keys (`<<`) of a file may copy, and of values that aliases may expand
/// to.
pub(super) const MAX_EXPANSION: usize = 2_000_000;

/// An index into a tree's nodes. An alias shares the id of the node that it refers to.
pub(crate) type NodeId = u32;

/// The nodes of a scenario's files. Large files have millions of nodes, so a node is only three `u32`s: its span, and
/// an index into the vectors that hold the contents.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    sources: Sources,
    nodes: Vec<Node>,
    collections: Vec<Collection>,
    /// The items of lists, and the alternating keys and values of mappings.
    children: Vec<NodeId>,
    /// The scalars whose text differs from the source, because of escapes for example.
    texts: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    span: Span,
    content: NodeContent,
}

/// A [`NodeKind`] in the lowest three bits, and an index in the other 29. No index is higher: see [`index`].
#[derive(Debug, Clone, Copy)]
struct NodeContent(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum NodeKind {
    /// A plain scalar that equals the source text of its span.
    Plain,
    /// A quoted scalar that equals the source text of its span without the quotes.
    Quoted,
    /// A plain scalar in `texts`.
    PlainText,
    /// Any other scalar in `texts`.
    Text,
    List,
    Mapping,
}

impl NodeKind {
    const ALL: [Self; 6] = [Self::Plain, Self::Quoted, Self::PlainText, Self::Text, Self::List, Self::Mapping];
    const BITS: u32 = 3;
}

impl NodeContent {
    fn new(kind: NodeKind, index: usize) -> Self {
        Self(self::index(index) << NodeKind::BITS | kind as u32)
    }

    fn kind(self) -> NodeKind {
        NodeKind::ALL[(self.0 & ((1 << NodeKind::BITS) - 1)) as usize % NodeKind::ALL.len()]
    }

    fn index(self) -> usize {
        (self.0 >> NodeKind::BITS) as usize
    }
}

/// A range of the children of a tree.
#[derive(Debug, Clone, Copy)]
struct Collection {
    first: u32,
    length: u32,
}

/// Converts an index into one of the tree's vectors. It always fits: all files together have less than 2^28 bytes, and
/// every element takes at least one byte or is bounded by [`MAX_EXPANSION`].
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The content of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodeView<'t> {
    Scalar {
        text: &'t str,
        /// Whether the text may be a number, a boolean or null. If not, it is text.
        plain: bool,
    },
    List(&'t [NodeId]),
    /// Alternating keys and values.
    Mapping(&'t [NodeId]),
}

impl Tree {
    /// Reads a file and returns its root.
    ///
    /// # Errors
    /// All duplicate keys, and the problem that stopped the reading, if any (syntax, depth, a recursive alias).
    pub(crate) fn read(&mut self, source: Source) -> Result<NodeId, Vec<Problem>> {
        build::build(self, source)
    }

    /// Adds a file that is not YAML, so that spans can refer to it, and returns its first offset.
    pub(super) fn add_source(&mut self, source: Source) -> u32 {
        self.sources.add(source)
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(super) fn into_sources(self) -> Sources {
        self.sources
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn span(&self, id: NodeId) -> Span {
        self.nodes[id as usize].span
    }

    pub(crate) fn view(&self, id: NodeId) -> NodeView<'_> {
        let Node { span, content } = self.nodes[id as usize];
        match content.kind() {
            NodeKind::Plain => NodeView::Scalar { text: self.sources.text(span), plain: true },
            NodeKind::Quoted => {
                let inner = Span { start: span.start + 1, end: span.end - 1 };
                NodeView::Scalar { text: self.sources.text(inner), plain: false }
            }
            NodeKind::PlainText => NodeView::Scalar { text: &self.texts[content.index()], plain: true },
            NodeKind::Text => NodeView::Scalar { text: &self.texts[content.index()], plain: false },
            NodeKind::List => NodeView::List(self.children(content)),
            NodeKind::Mapping => NodeView::Mapping(self.children(content)),
        }
    }

    fn is_scalar(&self, id: NodeId) -> bool {
        !matches!(self.nodes[id as usize].content.kind(), NodeKind::List | NodeKind::Mapping)
    }

    fn children(&self, content: NodeContent) -> &[NodeId] {
        let Collection { first, length } = self.collections[content.index()];
        &self.children[first as usize..][..length as usize]
    }

    /// Returns the text of a scalar, or an empty string for other nodes.
    pub(crate) fn text(&self, id: NodeId) -> &str {
        match self.view(id) {
            NodeView::Scalar { text, .. } => text,
            _ => "",
        }
    }

    fn push(&mut self, span: Span, content: NodeContent) -> NodeId {
        self.nodes.push(Node { span, content });
        index(self.nodes.len() - 1)
    }

    /// Adds a mapping. `entries` alternates between keys and values.
    pub(crate) fn add_mapping(&mut self, span: Span, entries: &[NodeId]) -> NodeId {
        self.add_collection(NodeKind::Mapping, span, entries)
    }

    fn add_collection(&mut self, kind: NodeKind, span: Span, children: &[NodeId]) -> NodeId {
        let (first, length) = (index(self.children.len()), index(children.len()));
        self.children.extend_from_slice(children);
        self.collections.push(Collection { first, length });
        self.push(span, NodeContent::new(kind, self.collections.len() - 1))
    }
}
