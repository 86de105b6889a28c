//! The tree: nodes with spans, in which duplicate keys, merge keys and aliases are settled.

mod build;
mod tag;

use std::borrow::Cow;

pub(super) use build::build;

use crate::scenario::source::Span;

/// The most entries that all `<<` of a file may copy, and the most values that its aliases may unfold into.
pub(super) const MAX_UNFOLDED: usize = 2_000_000;

/// An index into a tree's nodes. An alias is the id of the node that it names.
pub(super) type NodeId = u32;

/// A file's nodes. Large files have millions, so a node is a few words, and what it holds lies in shared vectors.
#[derive(Debug)]
pub(super) struct Tree<'s> {
    source: &'s str,
    nodes: Vec<Node>,
    /// The items of lists, and the keys and values of mappings in turn.
    children: Vec<NodeId>,
    /// The scalars that are not, letter by letter, what stands in the source.
    texts: Vec<Cow<'s, str>>,
    root: NodeId,
}

#[derive(Debug)]
struct Node {
    span: Span,
    kind: Kind,
    /// Levels below this node, so that aliases cannot build a tower that no stack can walk.
    height: u16,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A plain scalar that is its span of the source.
    Source,
    /// Any other scalar: an index into the texts.
    Text {
        index: u32,
        plain: bool,
    },
    /// So many children from there on.
    List {
        first: u32,
        length: u32,
    },
    Mapping {
        first: u32,
        length: u32,
    },
}

/// What a node is.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'t> {
    Scalar {
        text: &'t str,
        plain: bool,
    },
    List(&'t [NodeId]),
    /// Key, value, key, value …
    Mapping(&'t [NodeId]),
}

impl Tree<'_> {
    pub(super) fn root(&self) -> NodeId {
        self.root
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn span(&self, id: NodeId) -> Span {
        self.nodes[id as usize].span
    }

    pub(super) fn view(&self, id: NodeId) -> View<'_> {
        let node = &self.nodes[id as usize];
        let children = |first: u32, length: u32| &self.children[first as usize..][..length as usize];
        match node.kind {
            Kind::Source => View::Scalar { text: &self.source[node.span.range()], plain: true },
            Kind::Text { index, plain } => View::Scalar { text: &self.texts[index as usize], plain },
            Kind::List { first, length } => View::List(children(first, length)),
            Kind::Mapping { first, length } => View::Mapping(children(first, length)),
        }
    }

    /// The text of a scalar; nothing for what is none.
    fn text(&self, id: NodeId) -> &str {
        match self.view(id) {
            View::Scalar { text, .. } => text,
            _ => "",
        }
    }
}
