//! The decoder's access to lists, mappings, keys, spans and enums.

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::tree::{NodeId, NodeView};
use super::{Decoder, Failure};
use crate::scenario::problem::{ProblemKind, SyntaxMistake};
use crate::scenario::source::Span;

/// The key whose mapping declares named values for expressions.
const WITH: &str = "with";

pub(super) struct Elements<'t> {
    pub(super) decoder: Decoder<'t>,
    pub(super) rest: std::slice::Iter<'t, NodeId>,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some(id) = self.rest.next() else { return Ok(None) };
        self.decoder.visit(1)?;
        seed.deserialize(self.decoder.at(*id)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The entries of a mapping. If it is decoded into a struct, unknown keys are reported and skipped.
pub(super) struct Fields<'t> {
    pub(super) decoder: Decoder<'t>,
    rest: std::slice::ChunksExact<'t, NodeId>,
    known: Option<&'static [&'static str]>,
    value: NodeId,
}

impl<'t> Fields<'t> {
    pub(super) fn new(decoder: Decoder<'t>, known: Option<&'static [&'static str]>) -> Self {
        let rest = match decoder.view() {
            NodeView::Mapping(entries) => entries.chunks_exact(2),
            _ => [].chunks_exact(2),
        };
        Self { decoder, rest, known, value: decoder.id }
    }

    /// Returns whether this is a key without a value in `{ }`, after the first key. It is most likely a part of the
    /// previous value.
    fn follows_stray_comma(&self, entry: &[NodeId]) -> bool {
        let Decoder { document, .. } = self.decoder;
        let (mapping, key) = (self.decoder.span(), document.tree().span(entry[0]));
        let first = match self.decoder.view() {
            NodeView::Mapping(entries) => entries.first(),
            _ => None,
        };
        let behind = document.sources().text(Span { start: key.end, end: mapping.end.max(key.end) });
        first != entry.first()
            && document.sources().text(mapping).starts_with('{')
            && behind.trim_start().starts_with([',', '}'])
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        while let Some(entry) = self.rest.next() {
            self.decoder.visit(1)?;
            self.value = entry[1];
            let key = self.decoder.at(entry[0]);
            let NodeView::Scalar { text, .. } = key.view() else { continue };
            let Some(known) = self.known else { return seed.deserialize(MapKey(key)).map(Some) };
            if known.contains(&text) {
                return seed.deserialize(StrDeserializer::new(text)).map(Some);
            }
            let kind = if self.follows_stray_comma(entry) {
                ProblemKind::Syntax(SyntaxMistake::StrayComma(text.to_owned()))
            } else {
                if known.contains(&WITH) {
                    self.decoder.document.record_unread(entry[1]);
                }
                ProblemKind::UnknownKey { key: text.to_owned(), expected: known }
            };
            let _: Result<(), _> = key.fail(kind);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        seed.deserialize(self.decoder.at(self.value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A key, which is always text, even if it would resolve to another type as a value.
struct MapKey<'t>(Decoder<'t>);

impl<'de> Deserializer<'de> for MapKey<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.view() {
            NodeView::Scalar { text, .. } => visitor.visit_str(text),
            _ => self.0.fail(SyntaxMistake::ComplexKey.into()),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_seq(MapKeyParts { key: self, part: 0 })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct MapKeyParts<'t> {
    key: MapKey<'t>,
    part: u8,
}

impl<'de> SeqAccess<'de> for MapKeyParts<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        self.part += 1;
        let Span { start, end } = self.key.0.span();
        match self.part {
            1 => seed.deserialize(U32Deserializer::new(start)).map(Some),
            2 => seed.deserialize(U32Deserializer::new(end)).map(Some),
            _ => seed.deserialize(MapKey(self.key.0)).map(Some),
        }
    }
}

/// The parts from which [`Spanned`](super::super::spanned::Spanned) is decoded: start, end, value.
pub(super) struct SpanParts<'t> {
    pub(super) decoder: Decoder<'t>,
    pub(super) part: u8,
}

impl<'de> SeqAccess<'de> for SpanParts<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        self.part += 1;
        let Span { start, end } = self.decoder.span();
        match self.part {
            1 => seed.deserialize(U32Deserializer::new(start)).map(Some),
            2 => seed.deserialize(U32Deserializer::new(end)).map(Some),
            _ => self.decoder.placed(seed.deserialize(self.decoder)).map(Some),
        }
    }
}

/// The selected variant of an enum. The content of the variant, if any, is the value itself.
pub(super) struct EnumVariant<'t> {
    pub(super) decoder: Decoder<'t>,
    pub(super) variant: &'static str,
}

impl<'de, 't> EnumAccess<'de> for EnumVariant<'t> {
    type Error = Failure;
    type Variant = Decoder<'t>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Decoder<'t>), Failure> {
        let variant: StrDeserializer<'_, Failure> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self.decoder))
    }
}

impl<'de> VariantAccess<'de> for Decoder<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_struct("", fields, visitor)
    }
}
