//! YAML with the source location of every node, and serde types decoded from it.
//!
//! `serde_yaml` silently keeps the last of two equal keys, leaves `<<` unexpanded, and loses locations once a value is
//! parsed. `serde` stops at the first error. Here, [`mod@tree`] builds nodes with spans from parser events, and
//! resolves duplicate keys, merge keys and aliases. [`mod@decode`] is a serde `Deserializer` over these nodes. It
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
