//! A serde `Deserializer` over the tree. It records each problem with its place instead of stopping at the first. That
//! includes unknown keys: serde tells it which keys a struct has.

mod access;

use std::fmt::{self, Display};

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use self::access::{Elements, EnumVariant, Fields, SpanParts};
use super::document::Document;
use super::scalar::{Scalar, resolve};
use super::spanned::{ID, ID_NODE, ITEMS, Items, JSON_NODE, SPANNED, Spanned};
use super::tree::{NodeId, NodeView};
use crate::scenario::problem::{BY_TAG, Problem, ProblemKind};
use crate::scenario::source::Span;
use crate::scenario::units::MAX_TOTAL;
use crate::words::{joined, nearest};

impl Document {
    /// Decodes a node and records every problem found. If there are problems, the result may lack values.
    pub(crate) fn decode<T: DeserializeOwned>(&self, id: NodeId) -> Option<T> {
        T::deserialize(Decoder { document: self, id }).ok()
    }

    /// Decodes the items of a list one at a time, so that only one of them is in memory.
    pub(crate) fn items<'d, T: DeserializeOwned>(
        &'d self,
        list: &'d Items<T>,
    ) -> impl Iterator<Item = Spanned<T>> + use<'d, T> {
        list.ids().iter().filter_map(|id| self.decode(*id))
    }

    /// Records that a node has the wrong type or value.
    pub(crate) fn report_wrong_type(&self, id: NodeId, expected: &str) {
        // `wrong_type` has recorded the problem.
        let _: Result<(), _> = Decoder { document: self, id }.wrong_type(expected);
    }

    /// Returns whether a node is a mapping. Records a problem if not.
    pub(crate) fn expect_mapping(&self, id: NodeId) -> bool {
        let decoder = Decoder { document: self, id };
        matches!(decoder.view(), NodeView::Mapping(_)) || decoder.wrong_type::<()>("a mapping").is_ok()
    }
}

/// A node to decode.
#[derive(Clone, Copy)]
struct Decoder<'t> {
    document: &'t Document,
    id: NodeId,
}

impl<'t> Decoder<'t> {
    fn view(self) -> NodeView<'t> {
        self.document.tree().view(self.id)
    }

    fn span(self) -> Span {
        self.document.tree().span(self.id)
    }

    fn at(self, id: NodeId) -> Self {
        Self { id, ..self }
    }

    /// Records a problem at this node.
    fn fail<T>(self, kind: ProblemKind) -> Result<T, Failure> {
        self.document.report(Problem::new(kind, self.span()));
        Err(Failure::Reported)
    }

    /// Records the problem of a failure at this node, unless it has been recorded elsewhere.
    fn placed<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        match result {
            Err(Failure::Unplaced(kind)) => self.fail(kind),
            other => other,
        }
    }

    fn wrong_type<T>(self, expected: impl Into<String>) -> Result<T, Failure> {
        let found = match self.view() {
            NodeView::List(_) => "a list".to_owned(),
            NodeView::Mapping(_) => "a mapping".to_owned(),
            NodeView::Scalar { text, plain: true } if self.is_quoted() => format!("\"{text}\"{BY_TAG}"),
            NodeView::Scalar { text, plain: true } => match resolve(text) {
                Scalar::Null => "nothing".to_owned(),
                Scalar::Text(_) => format!("the text `{text}`"),
                Scalar::Bool(_) => format!("the boolean `{text}`"),
                _ => format!("the number `{text}`"),
            },
            NodeView::Scalar { text, .. } => format!("the text \"{text}\""),
        };
        self.fail(ProblemKind::WrongType { expected: expected.into(), found })
    }

    /// Returns whether the scalar is quoted, possibly after a tag.
    fn is_quoted(self) -> bool {
        let text = self.document.sources().text(self.span());
        // A plain scalar may end with a quote, but cannot start with one.
        text.starts_with(['"', '\'', '!']) && text.ends_with(['"', '\''])
    }

    /// Counts a visit of items or entries. Fails if aliases expand without bound.
    fn visit(self, count: usize) -> Result<(), Failure> {
        if self.document.visit(count, self.span()) { Ok(()) } else { Err(Failure::Reported) }
    }

    fn scalar(self) -> Option<Scalar<'t>> {
        match self.view() {
            NodeView::Scalar { text, plain: true } => Some(resolve(text)),
            NodeView::Scalar { text, plain: false } => Some(Scalar::Text(text)),
            _ => None,
        }
    }

    /// Returns the value of an integer scalar in any notation (`3`, `3.0`, `3e2`).
    fn integer(self) -> Option<i128> {
        match self.scalar()? {
            Scalar::Integer(integer) => Some(integer.into()),
            Scalar::Unsigned(integer) => Some(integer.into()),
            #[expect(clippy::cast_possible_truncation, reason = "integral and checked to be far inside the range")]
            Scalar::Float(number) if number.fract() == 0.0 && number.abs() < 1e30 => Some(number as i128),
            _ => None,
        }
    }

    /// Returns the name of the enum variant that takes a value of this type, whatever the value is.
    fn shape(self) -> Option<&'static str> {
        match self.view() {
            NodeView::List(_) => Some(LIST),
            NodeView::Mapping(_) => Some(MAPPING),
            NodeView::Scalar { .. } => match self.scalar()? {
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
            (NodeView::List(items), _) => visitor.visit_seq(Elements { decoder: self, rest: items.iter() }),
            (NodeView::Mapping(_), _) => visitor.visit_map(Fields::new(self, None)),
            (_, Some(Scalar::Null)) => visitor.visit_unit(),
            (_, Some(Scalar::Bool(value))) => visitor.visit_bool(value),
            (_, Some(Scalar::Integer(value))) => visitor.visit_i64(value),
            (_, Some(Scalar::Unsigned(value))) => visitor.visit_u64(value),
            (_, Some(Scalar::Float(value))) => visitor.visit_f64(value),
            (_, Some(Scalar::Text(value))) => visitor.visit_str(value),
            (NodeView::Scalar { text, .. }, _) => return self.fail(ProblemKind::NotFinite(text.to_string())),
        };
        self.placed(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.document.is_null(self.id) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.scalar() {
            Some(Scalar::Bool(value)) => self.placed(visitor.visit_bool(value)),
            _ => self.wrong_type("true or false"),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.integer().map(i64::try_from) {
            Some(Ok(value)) => self.placed(visitor.visit_i64(value)),
            Some(Err(_)) => self.wrong_type("an integer of at most 18 digits"),
            None => self.wrong_type("an integer"),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.integer().and_then(|value| u64::try_from(value).ok()) {
            Some(value) => self.placed(visitor.visit_u64(value)),
            None => self.wrong_type("an integer from 0 to 18446744073709551615"),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.scalar() {
            Some(Scalar::Text(text)) => self.placed(visitor.visit_str(text)),
            _ => self.wrong_type("text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.view() {
            NodeView::List(items) => self.placed(visitor.visit_seq(Elements { decoder: self, rest: items.iter() })),
            _ => self.wrong_type("a list"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.view() {
            NodeView::Mapping(_) => self.placed(visitor.visit_map(Fields::new(self, None))),
            _ => self.wrong_type("a mapping"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.view() {
            NodeView::Mapping(_) => self.placed(visitor.visit_map(Fields::new(self, Some(fields)))),
            _ => self.wrong_type(format!("a mapping with the keys {}", fields.join(", "))),
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
            // `null` is the only name of a JSON type that YAML resolves to a value of this type.
            Some(Scalar::Null) => variants.iter().find(|variant| **variant == "null"),
            _ => None,
        };
        let by_shape = self.shape().and_then(|shape| variants.iter().find(|variant| **variant == shape));
        match (word.or(by_shape), self.scalar()) {
            (Some(variant), _) => self.placed(visitor.visit_enum(EnumVariant { decoder: self, variant })),
            (None, Some(Scalar::Text(found))) if !variants.iter().any(|variant| variant.starts_with('\0')) => {
                self.fail(ProblemKind::NotOneOf { found: found.to_owned(), expected: variants })
            }
            (None, Some(Scalar::Text(found))) if nearest(found, variants.iter().copied()).is_some() => {
                self.fail(ProblemKind::NotOneOf { found: found.to_owned(), expected: variants })
            }
            _ => self.wrong_type(choices(variants)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match name {
            SPANNED => visitor.visit_seq(SpanParts { decoder: self, part: 0 }),
            ITEMS => match self.view() {
                NodeView::List(items) => {
                    self.visit(items.len())?;
                    visitor.visit_seq(SeqDeserializer::new(items.iter().copied()))
                }
                _ => self.wrong_type("a list"),
            },
            JSON_NODE => visitor.visit_u32(self.id),
            ID_NODE => match self.scalar() {
                Some(Scalar::Null | Scalar::Bool(_) | Scalar::NotFinite) | None => self.wrong_type(ID),
                Some(_) => visitor.visit_u32(self.id),
            },
            ID => match (self.scalar(), self.view()) {
                (Some(Scalar::Integer(number)), NodeView::Scalar { text, .. })
                    if number.unsigned_abs() <= MAX_TOTAL.unsigned_abs() && number.to_string() == text =>
                {
                    visitor.visit_i64(number)
                }
                (Some(Scalar::Null | Scalar::Bool(_) | Scalar::NotFinite) | None, _) => self.wrong_type(ID),
                (_, NodeView::Scalar { text, .. }) => self.placed(visitor.visit_str(text)),
                _ => self.wrong_type(ID),
            },
            // Other newtypes are text in a certain notation. Their name describes the expected text.
            _ => match self.scalar() {
                Some(Scalar::Text(text)) => self.placed(visitor.visit_newtype_struct(StrDeserializer::new(text))),
                _ => self.wrong_type(name),
            },
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// The reason why a value could not be decoded.
#[derive(Debug)]
enum Failure {
    /// The problem has been recorded.
    Reported,
    /// The problem is not recorded yet, because only the caller has its place.
    Unplaced(ProblemKind),
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported => f.write_str("reported"),
            Self::Unplaced(kind) => kind.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Self::Unplaced(ProblemKind::WrongType { expected: message.to_string(), found: "something else".into() })
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Unplaced(ProblemKind::WrongType { expected: expected.to_string(), found: found.to_string() })
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}

// Enums whose variant is chosen by the shape of the value rather than by a word.

/// The name of the variant that takes any text. A YAML value cannot equal it. The names below work in the same way.
const TEXT: &str = "\0text";
const INTEGER: &str = "\0integer";
const BOOLEAN: &str = "\0boolean";
const LIST: &str = "\0list";
const MAPPING: &str = "\0mapping";

/// Describes the choices of an enum, such as "`all`, a list or a mapping".
fn choices(variants: &'static [&'static str]) -> String {
    let words: Vec<String> = variants
        .iter()
        .map(|variant| match *variant {
            TEXT => "text".to_owned(),
            INTEGER => "an integer".to_owned(),
            BOOLEAN => "true or false".to_owned(),
            LIST => "a list".to_owned(),
            MAPPING => "a mapping".to_owned(),
            word => format!("`{word}`"),
        })
        .collect();
    joined(&words, "or")
}
