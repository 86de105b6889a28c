//! A serde `Deserializer` over the tree. It knows the keys of every struct, so it reports unknown keys itself, and
//! it writes each problem down with its place instead of stopping the whole reading at the first.

mod access;
mod failure;
mod shape;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use self::access::{Choice, Elements, Fields, SpanParts};
use self::failure::Failure;
use self::shape::{BOOLEAN, INTEGER, LIST, MAPPING, TEXT, choices};
use super::document::Document;
use super::scalar::{Scalar, resolve};
use super::spanned::{ITEMS, SPANNED, TEXT_NODE};
use super::tree::{NodeId, View};
use crate::scenario::advice::nearest;
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::Span;

/// Decodes a node, and writes down every problem found. Some of it may be there even then.
pub(super) fn decode<T: DeserializeOwned>(document: &Document, id: NodeId) -> Option<T> {
    T::deserialize(Decoder { document, id }).ok()
}

/// Whether the node is a mapping; a problem if not.
pub(super) fn expect_mapping(document: &Document, id: NodeId) -> bool {
    let decoder = Decoder { document, id };
    matches!(decoder.view(), View::Mapping(_)) || decoder.wrong::<()>("a mapping").is_ok()
}

#[derive(Clone, Copy)]
struct Decoder<'t> {
    document: &'t Document,
    id: NodeId,
}

impl<'t> Decoder<'t> {
    fn view(self) -> View<'t> {
        self.document.tree().view(self.id)
    }

    fn span(self) -> Span {
        self.document.tree().span(self.id)
    }

    fn at(self, id: NodeId) -> Self {
        Self { id, ..self }
    }

    fn fail<T>(self, kind: ProblemKind) -> Result<T, Failure> {
        self.document.note(Problem::new(kind, self.span()));
        Err(Failure::Reported)
    }

    fn placed<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        match result {
            Err(Failure::Unplaced(kind)) => self.fail(kind),
            other => other,
        }
    }

    fn wrong<T>(self, expected: impl Into<String>) -> Result<T, Failure> {
        let found = match self.view() {
            View::List(_) => "a list".to_owned(),
            View::Mapping(_) => "a mapping".to_owned(),
            View::Scalar { text, plain: true } => match resolve(text) {
                Scalar::Null => "nothing".to_owned(),
                Scalar::Text(_) => format!("the text `{text}`"),
                Scalar::Bool(_) => format!("the boolean `{text}`"),
                _ => format!("the number `{text}`"),
            },
            View::Scalar { text, .. } => format!("the text \"{text}\""),
        };
        self.fail(ProblemKind::WrongType { expected: expected.into(), found })
    }

    /// Counts the visit of items or entries, and ends the reading when aliases unfold without bound.
    fn visit(self, count: usize) -> Result<(), Failure> {
        if self.document.visit(count, self.span()) { Ok(()) } else { Err(Failure::Reported) }
    }

    fn scalar(self) -> Option<Scalar<'t>> {
        match self.view() {
            View::Scalar { text, plain: true } => Some(resolve(text)),
            View::Scalar { text, plain: false } => Some(Scalar::Text(text)),
            _ => None,
        }
    }

    /// The integer that this scalar is, however it is written (`3`, `3.0`, `3e2`).
    fn integer(self) -> Option<i128> {
        match self.scalar()? {
            Scalar::Integer(integer) => Some(integer.into()),
            Scalar::Unsigned(integer) => Some(integer.into()),
            #[expect(clippy::cast_possible_truncation, reason = "integral and checked to be far inside the range")]
            Scalar::Float(number) if number.fract() == 0.0 && number.abs() < 1e30 => Some(number as i128),
            _ => None,
        }
    }

    fn shape(self) -> Option<&'static str> {
        match self.view() {
            View::List(_) => Some(LIST),
            View::Mapping(_) => Some(MAPPING),
            View::Scalar { .. } => match self.scalar()? {
                Scalar::Bool(_) => Some(BOOLEAN),
                Scalar::Text(_) | Scalar::Null => Some(TEXT),
                _ => self.integer().map(|_| INTEGER),
            },
        }
    }
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let result = match (self.view(), self.scalar()) {
            (View::List(items), _) => visitor.visit_seq(Elements { decoder: self, rest: items.iter() }),
            (View::Mapping(_), _) => visitor.visit_map(Fields::new(self, None)),
            (_, Some(Scalar::Null)) => visitor.visit_unit(),
            (_, Some(Scalar::Bool(value))) => visitor.visit_bool(value),
            (_, Some(Scalar::Integer(value))) => visitor.visit_i64(value),
            (_, Some(Scalar::Unsigned(value))) => visitor.visit_u64(value),
            (_, Some(Scalar::Float(value))) => visitor.visit_f64(value),
            (_, Some(Scalar::Text(value))) => visitor.visit_str(value),
            (View::Scalar { text, .. }, _) => return self.fail(ProblemKind::NotFinite(text.to_string())),
        };
        self.placed(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.document.is_null(self.id) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.scalar() {
            Some(Scalar::Bool(value)) => self.placed(visitor.visit_bool(value)),
            _ => self.wrong("true or false"),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.integer().map(i64::try_from) {
            Some(Ok(value)) => self.placed(visitor.visit_i64(value)),
            Some(Err(_)) => self.wrong("an integer of at most 18 digits"),
            None => self.wrong("an integer"),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.integer().and_then(|value| u64::try_from(value).ok()) {
            Some(value) => self.placed(visitor.visit_u64(value)),
            None => self.wrong("an integer from 0 to 18446744073709551615"),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.scalar() {
            Some(Scalar::Text(text)) => self.placed(visitor.visit_str(text)),
            _ => self.wrong("text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.view() {
            View::List(items) => self.placed(visitor.visit_seq(Elements { decoder: self, rest: items.iter() })),
            _ => self.wrong("a list"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.view() {
            View::Mapping(_) => self.placed(visitor.visit_map(Fields::new(self, None))),
            _ => self.wrong("a mapping"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.view() {
            View::Mapping(_) => self.placed(visitor.visit_map(Fields::new(self, Some(fields)))),
            _ => self.wrong(format!("a mapping with the keys {}", fields.join(", "))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let word = match self.scalar() {
            Some(Scalar::Text(text)) => variants.iter().find(|variant| **variant == text),
            // The one type of JSON whose name YAML reads as a value of it.
            Some(Scalar::Null) => variants.iter().find(|variant| **variant == "null"),
            _ => None,
        };
        let by_shape = self.shape().and_then(|shape| variants.iter().find(|variant| **variant == shape));
        match (word.or(by_shape), self.scalar()) {
            (Some(variant), _) => self.placed(visitor.visit_enum(Choice { decoder: self, variant })),
            (None, Some(Scalar::Text(found))) if !variants.iter().any(|variant| variant.starts_with('\0')) => {
                self.fail(ProblemKind::NotOneOf { found: found.to_owned(), expected: variants })
            }
            (None, Some(Scalar::Text(found))) if nearest(found, variants.iter().copied()).is_some() => {
                self.fail(ProblemKind::NotOneOf { found: found.to_owned(), expected: variants })
            }
            _ => self.wrong(choices(variants)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match name {
            SPANNED => visitor.visit_seq(SpanParts { decoder: self, part: 0 }),
            ITEMS => match self.view() {
                View::List(items) => {
                    self.visit(items.len())?;
                    visitor.visit_seq(SeqDeserializer::new(items.iter().copied()))
                }
                _ => self.wrong("a list"),
            },
            TEXT_NODE => match self.scalar() {
                Some(Scalar::Text(_)) => visitor.visit_u32(self.id),
                _ => self.wrong("text"),
            },
            // Other newtypes stand for text of a certain form, and are named by what they expect.
            _ => match self.scalar() {
                Some(Scalar::Text(text)) => self.placed(visitor.visit_newtype_struct(StrDeserializer::new(text))),
                _ => self.wrong(name),
            },
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}
