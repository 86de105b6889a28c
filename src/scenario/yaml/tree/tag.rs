//! Tags: JSON's types are allowed and say little, others are refused.

use saphyr_parser::{ScalarStyle, Tag};

use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::Span;

/// Whether a scalar means what it looks like; otherwise it is text.
pub(super) fn is_plain(style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<bool, Problem> {
    expect_tag(tag, &["str", "int", "float", "bool", "null"], span)?;
    Ok(match tag {
        Some(tag) => tag.suffix != "str",
        None => style == ScalarStyle::Plain,
    })
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
