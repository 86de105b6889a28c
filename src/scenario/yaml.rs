//! YAML read into a tree that records the place of everything, and serde types decoded from it.
//!
//! `serde_yaml` alone silently keeps the last of two equal keys, leaves `<<` unexpanded, and loses places once a value
//! is parsed, and `serde` stops at the first mistake. Here [`mod@tree`] builds nodes with their spans from parser
//! events, and resolves duplicate keys, merge keys and aliases. [`mod@decode`] is a serde `Deserializer` over them that
//! records every problem and continues at the next [`Spanned`] value.

mod decode;
mod document;
mod place;
mod scalar;
mod spanned;
mod tree;

pub(crate) use document::{DataFile, Document};
pub(crate) use spanned::{Entries, Id, IdNode, Items, JsonNode, Spanned};
pub(crate) use tree::{NodeId, NodeView};
