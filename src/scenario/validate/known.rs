//! Products as they were found in a list: read now, or known because their node is as it was.

use std::collections::HashMap;
use std::sync::Arc;

use super::given;
use crate::scenario::Product;
use crate::scenario::raw::RawProduct;
use crate::scenario::source::Span;
use crate::scenario::yaml::{Document, Items, NodeId, Spanned, View};

/// What became of nodes that declare a product with its id, and were right: from the same node comes the same product.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Known(HashMap<NodeId, Arc<Product>>);

impl Known {
    /// Forgets all that is not of this document.
    pub(in crate::scenario) fn keep_of(&mut self, document: &Document) {
        if !document.is_patched() {
            self.0.clear();
        }
    }

    pub(super) fn add(&mut self, node: NodeId, product: Arc<Product>) {
        self.0.insert(node, product);
    }

    /// Reads the products of a list that are not known.
    pub(super) fn find(&self, list: &Items<RawProduct>, document: &Document) -> Vec<Found> {
        let find = |node: &NodeId| {
            if let Some(product) = self.0.get(node) {
                return Some(Found::Known(*node, product.clone()));
            }
            let problems = document.problems().len();
            let Spanned { span, value } = document.decode::<Spanned<RawProduct>>(*node)?;
            let is_right = document.problems().len() == problems;
            Some(Found::New(Box::new(New { node: *node, span, raw: value?, is_right })))
        };
        list.ids().iter().filter_map(find).collect()
    }
}

/// A product as it was found.
pub(super) enum Found {
    Known(NodeId, Arc<Product>),
    New(Box<New>),
}

pub(super) struct New {
    pub(super) node: NodeId,
    pub(super) span: Span,
    pub(super) raw: RawProduct,
    /// Whether all of it could be decoded.
    pub(super) is_right: bool,
}

impl Found {
    /// The declared id and its place.
    pub(super) fn id<'f>(&'f self, document: &Document) -> Option<(&'f str, Span)> {
        match self {
            Self::Known(node, product) => Some((product.id(), id_span(document, *node))),
            Self::New(new) => given(new.raw.id.as_ref()).map(|(id, span)| (id.as_str(), span)),
        }
    }
}

fn id_span(document: &Document, product: NodeId) -> Span {
    let tree = document.tree();
    let View::Mapping(entries) = tree.view(product) else { return tree.span(product) };
    let id = entries.chunks_exact(2).find(|entry| tree.text(entry[0]) == "id");
    tree.span(id.map_or(product, |entry| entry[1]))
}
