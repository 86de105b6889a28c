//! YAML read into a tree that knows the place of everything, and serde types decoded from it.
//!
//! `serde_yaml` alone keeps the last of two equal keys in silence, leaves `<<` unexpanded and knows no places once
//! a value is parsed, and `serde` stops at the first mistake. Here [`mod@tree`] builds nodes with their spans from
//! parser events (duplicate keys, merge keys and aliases are settled there), and [`mod@decode`] is a serde
//! `Deserializer` over them that notes every problem and goes on at the next [`Spanned`] value.

mod decode;
mod document;
mod place;
mod scalar;
mod spanned;
mod tree;

pub(crate) use document::{DataFile, Document};
pub(crate) use spanned::{Entries, Id, IdNode, Items, JsonNode, Spanned};
pub(crate) use tree::{NodeId, NodeView};
