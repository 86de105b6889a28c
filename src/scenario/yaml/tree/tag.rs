//! Tags: JSON's types are allowed and say little, others are refused.

use saphyr_parser::{ScalarStyle, Tag};

use super::super::scalar::{Scalar, resolve};
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::Span;

/// Whether a scalar means what it looks like; otherwise it is text.
pub(super) fn is_plain(style: ScalarStyle, tag: Option<&Tag>, text: &str, span: Span) -> Result<bool, Problem> {
    expect_tag(tag, &["str", "int", "float", "bool", "null"], span)?;
    let Some(tag) = tag else { return Ok(style == ScalarStyle::Plain) };
    let expected = match (tag.suffix.as_str(), resolve(text)) {
        ("int", Scalar::Integer(_) | Scalar::Unsigned(_))
        | ("float", Scalar::Integer(_) | Scalar::Unsigned(_) | Scalar::Float(_) | Scalar::NotFinite)
        | ("bool", Scalar::Bool(_))
        | ("null", Scalar::Null) => return Ok(true),
        ("int", _) => "an integer",
        ("float", _) => "a number",
        ("bool", _) => "true or false",
        ("null", _) => "nothing",
        _ => return Ok(false),
    };
    let kind = ProblemKind::WrongType { expected: expected.to_owned(), found: format!("the text `{text}`") };
    Err(Problem::new(kind, span))
}

/// Refuses a tag of a kind that JSON does not have. One that says what a value looks like anyway says nothing new.
pub(super) fn expect_tag(tag: Option<&Tag>, allowed: &[&str], span: Span) -> Result<(), Problem> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || !allowed.contains(&tag.suffix.as_str()) => {
            let name = format!("{}{}", tag.handle, tag.suffix);
            Err(Problem::new(ProblemKind::UnknownTag(name), span))
        }
        _ => Ok(()),
    }
}
