//! Values with spans, and mappings that preserve order.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::document::Document;
use super::tree::NodeId;
use crate::scenario::source::Span;

/// The newtype name with which [`Spanned`] requests a span from the decoder. YAML cannot contain it.
pub(super) const SPANNED: &str = "\0spanned";

/// A value with its span. A value that cannot be decoded is `None` and recorded as a problem, so that the rest of the
/// file is still checked.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub(crate) span: Span,
    pub(crate) value: Option<T>,
}

impl<T> Spanned<T> {
    /// Returns the value and its span. `None` if the value was invalid and has been reported.
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

/// The newtype name with which [`Items`] requests node ids from the decoder.
pub(super) const ITEMS: &str = "\0items";

/// A list whose items are decoded on demand, because a script may have a million of them.
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

/// The newtype name with which [`IdNode`] requests a node id from the decoder.
pub(super) const ID_NODE: &str = "\0id node";

/// The id of a product, as a reference into the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdNode(NodeId);

impl IdNode {
    pub(crate) fn of(self, document: &Document) -> &str {
        document.tree().text(self.0)
    }
}

impl<'de> Deserialize<'de> for IdNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ID_NODE, IdNodeVisitor)
    }
}

struct IdNodeVisitor;

impl Visitor<'_> for IdNodeVisitor {
    type Value = IdNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ID)
    }

    fn visit_u32<E: serde::de::Error>(self, node: NodeId) -> Result<IdNode, E> {
        Ok(IdNode(node))
    }
}

/// The newtype name with which [`JsonNode`] requests a node id from the decoder.
pub(super) const JSON_NODE: &str = "\0json node";

/// Any value, as a reference into the tree. [`Document::json`] returns the value, and [`Document::part_span_at`] finds
/// spans inside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonNode(pub(crate) NodeId);

impl<'de> Deserialize<'de> for JsonNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(JSON_NODE, JsonNodeVisitor)
    }
}

struct JsonNodeVisitor;

impl Visitor<'_> for JsonNodeVisitor {
    type Value = JsonNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u32<E: serde::de::Error>(self, node: NodeId) -> Result<JsonNode, E> {
        Ok(JsonNode(node))
    }
}

/// The newtype name with which [`Id`] is decoded, and the expected value in messages.
pub(super) const ID: &str = "text or a number";

/// The id of a product as written. Ids are compared as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) text: String,
    /// Whether the id is an unquoted integer in JSON notation that JavaScript represents exactly. `007`, `1.0` and
    /// `1e3` are text.
    pub(crate) is_number: bool,
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ID, IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ID)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
        Ok(Id { text: text.to_owned(), is_number: false })
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Id, E> {
        Ok(Id { text: number.to_string(), is_number: true })
    }
}

/// A mapping with user-defined keys, in the order of the file.
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
