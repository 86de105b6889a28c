//! Values with their places, and mappings that keep order.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::document::Document;
use super::tree::NodeId;
use crate::scenario::source::Span;

/// The newtype name by which [`Spanned`] asks the decoder for a place. No YAML text can say it.
pub(super) const SPANNED: &str = "\0spanned";

/// A value with its place. One that could not be decoded is `None` here and a problem in the decoder's list, so
/// that the rest of the file is still checked.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub(crate) span: Span,
    pub(crate) value: Option<T>,
}

impl<T> Spanned<T> {
    /// Value and place, unless the value was already reported as wrong.
    pub(crate) fn get(&self) -> Option<(&T, Span)> {
        self.value.as_ref().map(|value| (value, self.span))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SPANNED, SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let start = parts.next_element()?.unwrap_or_default();
        let end = parts.next_element()?.unwrap_or_default();
        let value = parts.next_element().ok().flatten();
        Ok(Spanned { span: Span { start, end }, value })
    }
}

/// The newtype name by which [`Items`] asks the decoder for node ids.
pub(super) const ITEMS: &str = "\0items";

/// A list whose items are decoded when they are asked for: a script may have a million of them.
#[derive(Debug, Clone)]
pub(crate) struct Items<T> {
    ids: Vec<NodeId>,
    item: PhantomData<T>,
}

impl<T> Items<T> {
    pub(crate) fn ids(&self) -> &[NodeId] {
        &self.ids
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

impl<'de, T> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ITEMS, ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut ids = Vec::with_capacity(list.size_hint().unwrap_or_default());
        while let Some(id) = list.next_element()? {
            ids.push(id);
        }
        Ok(Items { ids, item: PhantomData })
    }
}

/// The newtype name by which [`TextNode`] asks the decoder for a node id.
pub(super) const TEXT_NODE: &str = "\0text node";

/// Text that stays in the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextNode(NodeId);

impl TextNode {
    pub(crate) fn of(self, document: &Document) -> &str {
        document.tree().text(self.0)
    }
}

impl<'de> Deserialize<'de> for TextNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TEXT_NODE, TextNodeVisitor)
    }
}

struct TextNodeVisitor;

impl Visitor<'_> for TextNodeVisitor {
    type Value = TextNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_u32<E: serde::de::Error>(self, node: NodeId) -> Result<TextNode, E> {
        Ok(TextNode(node))
    }
}

/// A mapping with keys of the user's own, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Entries<T>(pub(crate) Vec<(Spanned<String>, Spanned<T>)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
