//! YAML with the source location of every node, and serde types decoded from it.
//!
//! `serde_yaml` does not suffice: it silently keeps the last of two equal keys, leaves `<<` unexpanded, and loses
//! locations once a value is parsed. Nor does plain `serde`, which stops at the first error.
//!
//! Here, [`mod@tree`] builds nodes with spans from parser events, expands merge keys and aliases, and reports duplicate
//! keys. [`mod@decode`] is a serde `Deserializer` over these nodes that records every problem: a [`Spanned`] value that
//! cannot be decoded is `None`, and decoding continues after it.

mod decode;
mod document;
mod place;
mod scalar;
mod spanned;
mod tree;

pub(crate) use document::{DataFile, Document};
pub(crate) use spanned::{Entries, Id, IdNode, Items, JsonNode, Spanned};
pub(crate) use tree::{NodeId, NodeView};
